/*
 * names.h - names on their way to becoming arguments.
 *
 * Nothing that could be taken for an option, a list or a range gets through: names are
 * made of [A-Za-z0-9_.:- ] and those of pools begin with a letter (zpoolconcepts(7),
 * zfs(8)).
 */
#ifndef ZFS_NAMES_H
#define ZFS_NAMES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"

int zfs_check_dataset(const char *fs, struct err *err) must_check;
int zfs_check_version(const char *full, char kind, struct err *err) must_check;

/* A resume token: of sane length, and nothing but what they are made of. */
int zfs_check_token(const char *token, struct err *err) must_check;

/* As for one; the names, sorted and each only once, are appended to out. */
int zfs_check_datasets(const struct strs *in, struct strs *out, struct err *err)
	must_check;
int zfs_check_versions(const struct strs *in, char kind, struct strs *out,
		       struct err *err) must_check;

void zfs_sort_unique(struct strs *l);

/* Index in a sorted list; l->n: not there. */
size_t zfs_names_find(const struct strs *sorted, struct view name);

/* Part of a list, as a view: it is neither freed nor added to. */
static inline struct strs zfs_slice(const struct strs *l, size_t from, size_t to)
{
	return (struct strs){ .v = l->v + from, .n = to - from };
}

/* Where the batch that starts at `from` ends: as many as fit into a command line. */
size_t zfs_batch_end(const struct strs *l, size_t from);

#endif
