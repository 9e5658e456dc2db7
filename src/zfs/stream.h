/*
 * stream.h - zfs send and zfs receive as running children.
 *
 * A send is a pipe to read from, a receive a pipe to write to; both ends that we
 * hold are non-blocking, as large as env allows, and are moved by pump() (pump.h).  A
 * thread of its own keeps the tail of each child's stderr, so that no child ever
 * blocks on it.  Starting returns at once; _finish() closes our end of the pipe
 * first (a zfs send that is blocked on a full pipe ignores signals), ends the child
 * if it still runs, reaps it and frees everything, whatever the outcome.
 *
 * A started send or receive belongs to one thread at a time.
 */
#ifndef ZFS_STREAM_H
#define ZFS_STREAM_H

#include "conf/config.h"
#include "zfs/zfs.h"

struct zfs_send_args {
	const char *fs;
	const char *from; /* "@a", "#b", or NULL for a full stream */
	const char *to;   /* "@c" */
	const char
		*token; /* not NULL: resume; flags, from and to are zfs's business then */
	const struct conf_send *flags;
};

/* Bytes to expect; 0: unknown (from a bookmark: no process is run).  1 process. */
int zfs_send_estimate(struct ctx *ctx, struct zfs *z, const struct zfs_send_args *a,
		      uint64_t *bytes, struct err *err) must_check;

struct zfs_send;
struct zfs_send *zfs_send_start(struct zfs *z, const struct zfs_send_args *a,
				struct err *err) must_check; /* 1 process */
int zfs_send_fd(const struct zfs_send *s);                   /* borrowed */
/*
 * 0: exited with status 0.  -1: ERR_CHILD with its stderr.  A child that we had to end
 * because it had not yet written everything is ERR_CANCELLED.
 */
int zfs_send_finish(struct zfs_send *s, struct err *err) must_check;

struct zfs_recv_args {
	const char *fs;
	const char *snap; /* short name */
	bool force;       /* -F */
	bool resumable;   /* -s */
	const struct conf_recv *props;
};

enum zfs_recv_failure {
	ZFS_RECV_FAILED,             /* see err */
	ZFS_RECV_STATE_SAVED,        /* interrupted; a resume token is there */
	ZFS_RECV_ENCRYPTION_REFUSED, /* -F may not replace: see zfs-receive(8) on -F */
	ZFS_RECV_STREAM_ENDED,       /* it could not read its input */
};

struct zfs_recv;
struct zfs_recv *zfs_recv_start(struct zfs *z, const struct zfs_recv_args *a,
				struct err *err) must_check; /* 1 process */
int zfs_recv_fd(const struct zfs_recv *r);                   /* borrowed */
/*
 * End of input: close the pipe and wait until zfs receive has written everything.  When
 * `complete` is false, or ctx is done, it is given two seconds to save its state, then
 * ended, and the receive has failed.  Pass true also when pump() found the pipe closed
 * (PUMP_CLOSED): then zfs receive has had enough, and its exit status tells.  *why is set
 * on failure only.
 */
int zfs_recv_finish(struct zfs_recv *r, struct ctx *ctx, bool complete,
		    enum zfs_recv_failure *why, struct err *err) must_check;

/* Drop a partial receive; none is a success.  1 process. */
int zfs_recv_abort(struct ctx *ctx, struct zfs *z, const char *fs, struct err *err)
	must_check;
/* Can the pool of fs save the state of a receive?  1 process, once a pool. */
int zfs_recv_can_resume(struct ctx *ctx, struct zfs *z, const char *fs, bool *yes,
			struct err *err) must_check;

/* What the token says, on any host: it need not have the datasets.  1 process. */
int zfs_decode_token(struct ctx *ctx, struct zfs *z, const char *token,
		     struct resume_token *out, struct err *err) must_check;

#endif
