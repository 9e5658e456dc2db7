/*
 * version.h - a version of a filesystem: a snapshot or a bookmark.
 *
 * Versions are compared by guid: a snapshot, its received copy and its bookmarks
 * share one.  Lists are kept in order of createtxg; at equal createtxg bookmarks
 * come before snapshots, so that a search from the end finds the snapshot first.
 */
#ifndef ZFS_VERSION_H
#define ZFS_VERSION_H

#include "base/base.h"

enum version_type { VERSION_SNAPSHOT, VERSION_BOOKMARK };

struct version {
	enum version_type type;
	char *name; /* short: without "fs@" or "fs#" */
	uint64_t guid;
	uint64_t createtxg;
	int64_t creation_s; /* Unix time */
	bool has_userrefs;  /* known? never for bookmarks, nor from a remote peer */
	uint64_t userrefs;  /* number of holds */
};

struct versions {
	struct version *v;
	size_t n, cap;
};

struct version version_dup(const struct version *v);
void version_fini(struct version *v);
char version_sigil(const struct version *v);               /* '@' or '#' */
char *version_relname(const struct version *v) must_check; /* "@a"; caller frees */
char *version_fullname(const struct version *v, const char *fs) must_check;

void versions_add(struct versions *l, struct version v);              /* takes v's name */
void versions_copy(struct versions *to, const struct versions *from); /* appends */
void versions_sort(struct versions *l); /* stable, order as above */
/* The last one with that guid (so a snapshot rather than a bookmark), or NULL. */
const struct version *versions_find_guid(const struct versions *l, uint64_t guid);
const struct version *versions_find(const struct versions *l, enum version_type t,
				    const char *name);
void versions_free(struct versions *l); /* leaves an empty list */

#endif
