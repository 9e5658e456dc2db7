/*
 * endpoint.h - what one side of a replication can be asked.
 *
 * One table of functions, so that the replication driver and the pruner never know
 * who answers: a sender or receiver in this process, or one on another host.  Paths
 * are the sender's; a receiver maps them below its root.  Requests are borrowed for the
 * call.  Questions about many filesystems are one call.
 *
 * A stream of zfs-send(8) data is a descriptor, or where it comes from a peer something
 * that delivers into one.  send() returns it; receive() takes it to its end;
 * stream_finish() says how the sender saw it end.
 *
 * Thread safety: all functions but ep_close() may be called by several threads at
 * once; a stream belongs to one thread.
 */
#ifndef ENDPOINT_ENDPOINT_H
#define ENDPOINT_ENDPOINT_H

#include "base/ctx.h"
#include "base/pump.h"
#include "base/strs.h"
#include "conf/config.h"
#include "zfs/version.h"

struct ep_filesystem {
	char *path;
	bool is_placeholder;
	char *resume_token; /* NULL: none */
};

struct ep_filesystems {
	struct ep_filesystem *v; /* parents before children */
	size_t n, cap;
};

struct ep_version_list {
	char *path;
	struct err err; /* of this filesystem alone; ERR_NONE: fine */
	struct versions versions;
};

struct ep_version_lists {
	struct ep_version_list *v;
	size_t n, cap;
};

struct ep_cursor {
	char *path;
	struct err err;
	bool exists; /* false: never replicated by this job */
	uint64_t guid;
};

struct ep_cursors {
	struct ep_cursor *v;
	size_t n, cap;
};

struct ep_protection {
	enum protection initial, incremental;
};

struct ep_send_req {
	const char *fs;
	const struct version *from; /* NULL: full */
	const struct version *to;
	const char *token; /* NULL: not resumed */
	struct ep_protection protection;
};

struct ep_recv_req {
	const char *fs;
	const struct version *to;
	bool clear_token; /* this stream does not resume: drop a partial receive first */
	struct ep_protection protection;
	atomic_uint_fast64_t *moved; /* bytes taken from the stream so far; may be NULL */
};

struct ep_stream;
struct ep_stream_ops {
	/* NULL where there is a descriptor: see stream_peek(), stream_pump(). */
	int (*peek)(struct ctx *ctx, struct ep_stream *s, struct buf *into, bool *at_end,
		    struct err *err);
	int (*pump)(struct ctx *ctx, struct ep_stream *s, int to,
		    const struct pump_opts *o, enum pump_end *end, struct err *err);
	/* see stream_result(), stream_finish() */
	int (*result)(struct ep_stream *s, struct err *err);
	int (*finish)(struct ep_stream *s, struct err *err);
};

struct ep_stream {
	const struct ep_stream_ops *ops;
	int fd; /* to read from, non-blocking, borrowed from the stream; -1: none */
	struct rate *limit; /* of the sending side; NULL: none */
};

struct ep_destroy_results {
	/* one for each name, in order; ERR_NONE: destroyed, or gone before */
	struct err *v;
	size_t n, cap;
};

struct endpoint;

/*
 * What only the other side can do is NULL.  `out` is appended to, and the caller's to
 * free, also after a failure.
 */
struct endpoint_ops {
	int (*list_filesystems)(struct ctx *ctx, struct endpoint *e,
				struct ep_filesystems *out, struct err *err);
	/* out->v[i] is about paths->v[i] */
	int (*list_versions)(struct ctx *ctx, struct endpoint *e,
			     const struct strs *paths, struct ep_version_lists *out,
			     struct err *err);
	/* sender only: where the job's replication of each path stands */
	int (*cursors)(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
		       struct ep_cursors *out, struct err *err);
	/* sender only, or NULL: c->exists and c->guid, for c->path, from the versions it
	 * has just listed.  Asks nobody. */
	void (*cursor_among)(struct endpoint *e, const struct versions *versions,
			     struct ep_cursor *c);
	/* sender only: bytes the stream will have, 0: unknown */
	int (*send_dry)(struct ctx *ctx, struct endpoint *e,
			const struct ep_send_req *req, uint64_t *bytes, struct err *err);
	/* sender only: protects req's versions, then starts the stream */
	int (*send)(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		    struct ep_stream **out, struct err *err);
	/* sender only: the receiver has req->to */
	int (*send_completed)(struct ctx *ctx, struct endpoint *e,
			      const struct ep_send_req *req, struct err *err);
	/* sender only, or NULL: as send_completed(), for a snapshot that both sides turn
	 * out to have, if an interrupted step of the job has left something behind there.
	 * `versions` have just been listed.  Asks nobody if there are neither tentative
	 * cursors nor held snapshots among them. */
	int (*settle)(struct ctx *ctx, struct endpoint *e,
		      const struct ep_send_req *arrived, const struct versions *versions,
		      struct err *err);
	/* receiver only: reads the stream to its end; does not finish it */
	int (*receive)(struct ctx *ctx, struct endpoint *e, const struct ep_recv_req *req,
		       struct ep_stream *in, struct err *err);
	int (*destroy_snapshots)(struct ctx *ctx, struct endpoint *e, const char *fs,
				 const struct strs *names, struct ep_destroy_results *out,
				 struct err *err);
	/* 0 as soon as it can be talked to; -1 when ctx is done first, or never */
	int (*ping)(struct ctx *ctx, struct endpoint *e, struct err *err);
	void (*close)(struct endpoint *e);
};

struct endpoint {
	const struct endpoint_ops *ops;
	const char *label; /* "sender" or "receiver", for messages */
};

void ep_close(struct endpoint *e); /* NULL is fine */
DEFINE_CLEANUP(ep_close, struct endpoint *);

/*
 * The operations of these names, with what every caller must do: errors say which side
 * they are of, one answer for each path or ERR_PROTOCOL, versions are sorted.
 */
int ep_list_filesystems(struct ctx *ctx, struct endpoint *e, struct ep_filesystems *out,
			struct err *err) must_check;
int ep_list_versions(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
		     struct ep_version_lists *out, struct err *err) must_check;
int ep_list_cursors(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
		    struct ep_cursors *out, struct err *err) must_check;

/*
 * The first bytes of a stream: fills `into` up to its max, less only at its end.  At most
 * once, and first.  A source that has failed is an error here already.
 */
int stream_peek(struct ctx *ctx, struct ep_stream *s, const struct pump_opts *o,
		struct buf *into, bool *at_end, struct err *err) must_check;
/* The rest of it into a pipe, as pump(); o->limits[0] is the stream's own business. */
int stream_pump(struct ctx *ctx, struct ep_stream *s, int to, const struct pump_opts *o,
		enum pump_end *end, struct err *err) must_check;
/*
 * Its end has been read: was it the whole?  Waits for zfs send to exit, if it is here.
 * stream_finish() will say the same.
 */
int stream_result(struct ep_stream *s, struct err *err) must_check;
/*
 * How the sending side saw the stream end; ends it if it is still under way, and frees
 * it. ERR_CANCELLED when it had to be ended before it had written everything.
 */
int stream_finish(struct ep_stream *s, struct err *err);

void ep_filesystems_free(struct ep_filesystems *l);
void ep_version_lists_free(struct ep_version_lists *l);
void ep_cursors_free(struct ep_cursors *l);
void ep_destroy_results_free(struct ep_destroy_results *l);

#endif
