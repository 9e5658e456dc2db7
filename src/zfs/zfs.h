/*
 * zfs.h - everything this program asks of ZFS on this host.
 *
 * Calls take sets, so that a job of a thousand filesystems costs a handful of
 * processes.  The comment of each call says how many processes it costs at most
 * ("batch": as many datasets as fit into one command line, at least 500);
 * zfs_process_count() lets tests hold it to that.
 *
 * Nothing goes through a shell.  Every call ends when its ctx does (ERR_CANCELLED,
 * ERR_TIMEOUT), or when the child has been silent for env.zfs_command_ms; the child is
 * killed and reaped.  That, and other failures of the child, is ERR_CHILD with the
 * command and the end of its stderr: trying again at once would not help.  Besides:
 * ERR_NOT_FOUND where a dataset that had to be there is not, ERR_SYSTEM when zfs cannot
 * be run, ERR_PROTOCOL when its output is not what zfs(8) prints.  Names are checked
 * (names.h) before they become arguments: ERR_INVALID.  Children run with LC_ALL=C.
 *
 * Thread safety: one struct zfs serves all threads.
 */
#ifndef ZFS_ZFS_H
#define ZFS_ZFS_H

#include "base/ctx.h"
#include "base/log.h"
#include "base/strs.h"
#include "codec/resume_token.h"
#include "conf/env.h"
#include "zfs/version.h"

struct zfs;

/* env and what log points to are borrowed.  Runs nothing. */
struct zfs *zfs_new(const struct env *env, const struct log *log) must_check;
/*
 * The same for one job: log says which, and takes what there is to say.  `of` outlives
 * it. NULL for NULL.
 */
struct zfs *zfs_for(struct zfs *of, const struct log *log) must_check;
void zfs_free(struct zfs *z);
DEFINE_CLEANUP(zfs_free, struct zfs *);

/*
 * zfs(8) is for administrators, and the PATH of other users may lack their directories:
 * adds them.  To be called while there is one thread.
 */
void zfs_complete_path(void);

/* Children started so far. */
uint64_t zfs_process_count(const struct zfs *z);

/* The running ones, for the status document; fn is called under z's lock: copy and go. */
typedef void zfs_active_fn(void *arg, const char *const *argv, struct timespec started);
void zfs_each_active(struct zfs *z, zfs_active_fn *fn, void *arg);

/* ---- datasets ---- */

enum zfs_type { ZFS_FILESYSTEM, ZFS_VOLUME };

struct zfs_dataset {
	char *name;
	enum zfs_type type;
	uint64_t guid;
	bool is_placeholder; /* zrepl:placeholder is set to on, and not inherited */
	char *placeholder;   /* what it is set to, unless inherited; NULL: nothing */
	bool is_encrypted;
	char *resume_token; /* NULL: no partial receive */
};

struct zfs_datasets {
	struct zfs_dataset *v; /* sorted by name: parents before children */
	size_t n, cap;
};

/*
 * All filesystems and volumes at and below `subtrees` ("" : on this host), and those
 * named in `exact`.  Either may be NULL.  What does not exist is left out, no error.  At
 * most 1 process for the subtrees and 1 a batch for the exact ones; none if there are
 * none.
 */
int zfs_list_datasets(struct ctx *ctx, struct zfs *z, const struct strs *subtrees,
		      const struct strs *exact, struct zfs_datasets *out, struct err *err)
	must_check;
const struct zfs_dataset *zfs_datasets_find(const struct zfs_datasets *l,
					    const char *name);
void zfs_datasets_free(struct zfs_datasets *l);

/* create -o zrepl:placeholder=on -o mountpoint=none [-o encryption=off].  1 process. */
int zfs_create_placeholder(struct ctx *ctx, struct zfs *z, const char *fs,
			   bool encryption_off, struct err *err) must_check;
int zfs_set_placeholder(struct ctx *ctx, struct zfs *z, const char *fs, bool on,
			struct err *err) must_check; /* 1 process */

/* ---- versions ---- */

struct zfs_version_list {
	char *fs;
	bool exists;
	struct versions versions; /* sorted */
};

struct zfs_version_lists {
	struct zfs_version_list *v;
	size_t n, cap;
};

enum { ZFS_SNAPSHOTS = 1, ZFS_BOOKMARKS = 2 };

/* out->v[i] is about fs->v[i].  1 process a batch. */
int zfs_list_versions(struct ctx *ctx, struct zfs *z, const struct strs *fs,
		      unsigned kinds, struct zfs_version_lists *out, struct err *err)
	must_check;
void zfs_version_lists_free(struct zfs_version_lists *l);

/*
 * How much was written to a filesystem or volume since its latest snapshot, whoever took
 * that; without any snapshot, ever.  What was written in the last seconds may be missing:
 * zfs(8) counts it when it reaches the disks (zfs_txg_timeout, zfs(4)).
 */
struct zfs_written {
	bool exists;
	uint64_t bytes;
};
/* out[i] is about fs->v[i].  1 process a batch. */
int zfs_list_written(struct ctx *ctx, struct zfs *z, const struct strs *fs,
		     struct zfs_written *out, struct err *err) must_check;

/* One error for each thing asked for, in the order asked; kind ERR_NONE: done. */
struct zfs_results {
	struct err *v;
	size_t n, cap;
	size_t *batch; /* zfs_snapshot(): those of one transaction have the same number */
};
void zfs_results_free(struct zfs_results *l);

/*
 * Take snapshots (full names).  Those of one pool in one transaction, as far as they fit
 * into one command: 1 process a batch of a pool.  When that fails, 1 more for those that
 * zfs does not complain about, and 1 for each of the others, so that each gets its own
 * error; 1 for each, if that does not help.  ERR_EXISTS: there already.
 */
int zfs_snapshot(struct ctx *ctx, struct zfs *z, const struct strs *full,
		 struct zfs_results *out, struct err *err) must_check;

/*
 * Destroy snapshots of one filesystem (short names), never anything else.  One that is
 * gone already is a success; ERR_BUSY: held or in use.  1 process, when some cannot be
 * destroyed 1 more for the rest and 1 for each of those, to learn why (compat: zrepl
 * 0.7).
 */
int zfs_destroy_snapshots(struct ctx *ctx, struct zfs *z, const char *fs,
			  const struct strs *names, struct zfs_results *out,
			  struct err *err) must_check;

/* Bookmarks (full names); missing ones are a success.  1 process each.  First error. */
int zfs_destroy_bookmarks(struct ctx *ctx, struct zfs *z, const struct strs *full,
			  struct err *err) must_check;

/*
 * Bookmark fs@snap, whose guid is given.  A bookmark of that name with that guid is a
 * success; with another guid ERR_EXISTS.  1 process, 2 if it exists.
 */
int zfs_bookmark(struct ctx *ctx, struct zfs *z, const char *fs,
		 const struct version *snap, const char *bookmark, struct err *err)
	must_check;

/* zfs rollback -r FS@SNAP (short name).  1 process. */
int zfs_rollback(struct ctx *ctx, struct zfs *z, const char *fs, const char *snap,
		 struct err *err) must_check;

/* ---- holds; snapshots by full name ---- */

struct zfs_hold {
	char *snapshot; /* full */
	char *tag;
};

struct zfs_holds {
	struct zfs_hold *v;
	size_t n, cap;
};

/* 1 process a batch.  A snapshot that is gone has no holds. */
int zfs_list_holds(struct ctx *ctx, struct zfs *z, const struct strs *snaps,
		   struct zfs_holds *out, struct err *err) must_check;
void zfs_holds_free(struct zfs_holds *l);

/* Idempotent: all snaps are held with tag afterwards.  1 process; when some are held
 * already, 1 more for each snapshot. */
int zfs_hold(struct ctx *ctx, struct zfs *z, const char *tag, const struct strs *snaps,
	     struct err *err) must_check;
/* Idempotent: none of snaps is held with tag afterwards.  As above. */
int zfs_release(struct ctx *ctx, struct zfs *z, const char *tag, const struct strs *snaps,
		struct err *err) must_check;

#endif
