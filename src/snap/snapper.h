/*
 * snapper.h - takes a job's snapshots: periodically, by cron, when asked, or never
 * (manual).
 *
 *	SyncUp --> (sleep) --> Planning --> Snapshotting --> Waiting --> Planning ...
 *	   |                      |              |
 *	SyncUpErrWait          ErrorWait <-------+        any --ctx done--> Stopped
 *
 * All filesystems of a cycle get the same name, those of one pool atomically (as many as
 * one zfs snapshot takes; more are taken in batches, and the log says so).  Those with
 * hooks come after them, each by itself between its hooks.  One that fails does not stop
 * the others.  With skip_unchanged none is taken where nothing was written since the
 * latest snapshot, if that is ours.  Sleeping follows the wall clock and survives
 * suspend.
 *
 * By cron there is no SyncUp, and what is due while a cycle lasts is missed, counted and
 * complained about.
 *
 * A cycle that is asked for (snapper_trigger()) begins at once, and moves nothing in the
 * schedule: what was due at some time is due at that time still.
 *
 * snapper_run() is a thread's body; trigger() and report() may be called from any thread.
 */
#ifndef SNAP_SNAPPER_H
#define SNAP_SNAPPER_H

#include "base/wake.h"
#include "conf/config.h"
#include "conf/env.h"
#include "zfs/zfs.h"

/* Called after every cycle, in the snapper's thread, also if snapshots failed. */
typedef void snapper_cycle_fn(void *arg);

/*
 * The wall clock, and how to wait: sleep() returns 0 after about ms, or when w is
 * signalled, and -1 when ctx is done.  now() may be called from any thread.
 */
struct snapper_clock {
	struct timespec (*now)(void *arg);
	int (*sleep)(void *arg, struct ctx *ctx, struct wake *w, int64_t ms,
		     struct err *err);
	void *arg;
};

struct snapper_opts { /* borrowed until snapper_free() */
	const struct conf_snapshotting *conf;
	const struct dsfilter *filter;
	struct zfs *zfs;
	const struct env *env;
	struct log log; /* subsystem snapshot */
	snapper_cycle_fn *on_cycle;
	void *on_cycle_arg;
	const struct snapper_clock *clock; /* NULL: the system's */
};

enum snapper_state { /* values of the status document */
		     SNAPPER_SYNC_UP = 1,
		     SNAPPER_SYNC_UP_ERR_WAIT = 2,
		     SNAPPER_PLANNING = 4,
		     SNAPPER_SNAPSHOTTING = 8,
		     SNAPPER_WAITING = 16,
		     SNAPPER_ERROR_WAIT = 32,
		     SNAPPER_STOPPED = 64,
};

enum snap_fs_state { SNAP_PENDING = 1, SNAP_STARTED = 2, SNAP_DONE = 4, SNAP_ERROR = 8 };

enum { SNAPPER_MAX_MISSED = 1000 }; /* more are not counted */

struct snap_report_fs {
	char *path;
	enum snap_fs_state state;
	char *snap_name;             /* "" before it started */
	struct timespec start, done; /* zero: not yet */
	char *error;                 /* NULL: none */
	bool taken;                  /* also if a hook failed */
	char *hooks;                 /* hook_report_text(); "": none match */
	bool hooks_had_error;
};

struct snapper_report {
	enum snapshotting_type type;
	enum snapper_state state;    /* cron: Planning and Snapshotting are "running" */
	struct timespec sleep_until; /* zero: not sleeping */
	char *error;                 /* NULL: none */
	struct timespec began;       /* the latest cycle; zero: none has */
	/* cron: activations that passed while it lasted, at most SNAPPER_MAX_MISSED */
	uint64_t n_missed;
	struct snap_report_fs *fs; /* of the latest cycle, by path; none that it skips */
	size_t n_fs;
};

struct snapper;
struct snapper *snapper_new(const struct snapper_opts *o) must_check;
/* Until ctx is done; manual: returns at once. */
void snapper_run(struct ctx *ctx, struct snapper *s);
/* Take snapshots now.  ERR_BUSY: they are being taken, or are asked for already;
 * ERR_INVALID: manual, and so there is no name to give them; ERR_CANCELLED: it ends. */
int snapper_trigger(struct snapper *s, struct err *err) must_check;
/* A copy, which the caller frees. */
void snapper_report(struct snapper *s, struct snapper_report *out);
void snapper_free(struct snapper *s);
DEFINE_CLEANUP(snapper_free, struct snapper *);

const char *snapper_state_name(enum snapper_state s); /* "SyncUp", "Planning", ... */
const char *snap_fs_state_name(enum snap_fs_state s); /* "SnapPending", ... */
void snapper_report_free(struct snapper_report *r);

#endif
