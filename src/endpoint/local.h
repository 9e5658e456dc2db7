/*
 * local.h - what the sender and the receiver of this host have in common.
 *
 * Both answer for datasets of this host, and differ in how a peer's path becomes a local
 * one: `map` is the only way from a path in a request to a name for zfs(8), and refuses
 * what the peer must not reach.
 */
#ifndef ENDPOINT_LOCAL_H
#define ENDPOINT_LOCAL_H

#include "endpoint/endpoint.h"
#include "zfs/zfs.h"

struct local {
	struct endpoint ep;
	struct zfs *zfs;
	struct log log;
	/* ERR_INVALID, ERR_DENIED; the caller frees */
	char *(*map)(const struct local *l, const char *path, struct err *err);
};

/* These are endpoint_ops. */
int local_list_versions(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
			struct ep_version_lists *out, struct err *err);
int local_destroy_snapshots(struct ctx *ctx, struct endpoint *e, const char *fs,
			    const struct strs *names, struct ep_destroy_results *out,
			    struct err *err);
int local_ping(struct ctx *ctx, struct endpoint *e, struct err *err);

/* As local_list_versions(), of these kinds (ZFS_SNAPSHOTS, ZFS_BOOKMARKS) only. */
int local_list_kinds(struct ctx *ctx, const struct local *l, const struct strs *paths,
		     unsigned kinds, struct ep_version_lists *out, struct err *err);

/* All versions of the local dataset fs, which must exist.  1 process. */
int local_versions(struct ctx *ctx, const struct local *l, const char *fs, unsigned kinds,
		   struct versions *out, struct err *err);

/*
 * The version of that type and name, if its guid is the wanted one.  ERR_NOT_FOUND,
 * ERR_INVALID: another guid.
 */
const struct version *local_find_version(const struct versions *l,
					 const struct version *want, struct err *err);

/* ERR_INVALID unless both are known kinds. */
int local_check_protection(const struct ep_protection *p, struct err *err);

/* Those of the snapshots (full names) that are held with the tag go to `out`.  1 process
 * a batch, none without snapshots. */
int local_find_holds(struct ctx *ctx, const struct local *l, const char *tag,
		     const struct strs *snaps, struct strs *out, struct err *err);

/* Which holds to give up; snapshots by short name. */
struct local_release {
	const char *tag;
	const char *fs;
	const struct versions *versions; /* listed just before */
	const struct strs *keep;         /* not from these */
	const struct strs *known;        /* these have it: no need to ask.  May be NULL */
};

/*
 * Best effort: what fails is logged.  Without any held snapshot no process is run; else 1
 * to ask who holds, and what zfs_release() costs.
 */
void local_release_holds(struct ctx *ctx, const struct local *l,
			 const struct local_release *r);

/* Best effort alike; full names.  1 process each. */
void local_destroy_bookmarks(struct ctx *ctx, const struct local *l,
			     const struct strs *full);

#endif
