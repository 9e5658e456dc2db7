/*
 * cmd.h - running zfs(8) and zpool(8): the one place that does.
 *
 * zfs_run() runs a command to its end, hands out what it prints line by line as it
 * comes, so that the size of a listing is no matter, and keeps its stderr.  What an
 * exit status means is for the caller to judge; a child that did not end by itself is
 * an error here.  A zfs_child is one that runs alongside us: a stream (stream.h).
 *
 * Every child is counted, and listed as active until it has ended.
 */
#ifndef ZFS_CMD_H
#define ZFS_CMD_H

#include "base/proc.h"
#include "base/thread.h"
#include "base/wake.h"
#include "zfs/meter.h"
#include "zfs/zfs.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	ZFS_LINE_MAX = 1024 * 1024,   /* longer ones are ERR_PROTOCOL */
	ZFS_STDERR_MAX = 1024 * 1024, /* of a command; the end is kept */
	ZFS_GRACE_MS = 500,           /* between the signals that end a child */
};

struct zfs_child {
	struct zfs *z;
	const char *const *argv; /* borrowed */
	struct timespec started; /* wall clock */
	int64_t started_us;      /* monotonic */
	struct proc proc;
	struct zfs_child *prev, *next; /* guarded by z->base->lock */
};

struct zfs_pool {
	char *name;
	bool can_resume;
	int64_t asked_ms;
};

struct zfs_pools {
	struct zfs_pool *v;
	size_t n, cap;
};

struct zfs_pids {
	pid_t *v;
	size_t n, cap;
};

struct zfs {
	const struct env *env;
	struct log log;
	struct zfs_meters meters;
	int pipe_max;        /* what the system allows */
	struct zfs *base;    /* has all that follows; itself, unless made by zfs_for() */
	struct strs environ; /* of the children; never changes */
	atomic_uint_fast64_t started;
	pthread_mutex_t lock;
	struct zfs_child *active; /* guarded, as the rest */
	struct zfs_pids undead;   /* did not die when told to: reaped later */
	struct zfs_pools pools;
};

/* fds: its 0, 1 and 2; -1: /dev/null. */
int zfs_child_start(struct zfs_child *c, struct zfs *z, const char *const *argv,
		    const int fds[3], struct err *err) must_check;
/* Exactly one of these ends a child that was started; c->proc has the status.
 * _wait: as proc_wait(); _stop: as proc_stop(). */
int zfs_child_wait(struct zfs_child *c, struct ctx *ctx, struct err *err) must_check;
void zfs_child_stop(struct zfs_child *c);

/* Without its newline.  -1 ends the command with that error. */
typedef int zfs_line_fn(void *arg, struct view line, struct err *err);

struct zfs_cmd {
	const char *const *argv;
	zfs_line_fn *line; /* takes stdout; NULL: it must be empty */
	void *arg;
	bool merge; /* stderr goes where stdout goes */
};

struct zfs_exit {
	int status;      /* exit status */
	struct buf text; /* stderr, its last ZFS_STDERR_MAX bytes */
};

/*
 * 0: it ended by itself, x->status says how.  -1: it could not be run, was silent for
 * too long, killed by a signal, or `line` did not like what it said.
 */
int zfs_run(struct ctx *ctx, struct zfs *z, const struct zfs_cmd *cmd, struct zfs_exit *x,
	    struct err *err) must_check;
void zfs_exit_free(struct zfs_exit *x);

/* Adds what was said, the end of it, and the command to the error of a child. */
int zfs_cmd_err(const char *const *argv, struct view said, struct err *err);

/*
 * The error for an exit that is a failure: the command, its status, the end of what it
 * said, without a usage text.  The kind follows from what it said (output.h).
 */
int zfs_exit_err(const char *const *argv, const struct zfs_exit *x, struct err *err);
/* The same with a kind that the caller knows. */
int zfs_exit_err_as(const char *const *argv, const struct zfs_exit *x, enum err_kind kind,
		    struct err *err);

/* zfs_run() where nothing is to be printed and a status other than 0 is an error. */
int zfs_run_simple(struct ctx *ctx, struct zfs *z, const char *const *argv,
		   struct err *err) must_check;

void zfs_results_add(struct zfs_results *l, const struct err *e); /* copies */

/* The size a pipe shall have: as env says, or as the system allows. */
int64_t zfs_pipe_bytes(const struct zfs *z, int64_t from_env);

/* Everything it says, stdout and stderr; up to out->max, more is ERR_PROTOCOL. */
int zfs_run_text(struct ctx *ctx, struct zfs *z, const char *const *argv, struct buf *out,
		 int *status, struct err *err) must_check;

#endif
