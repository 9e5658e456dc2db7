/*
 * bulk_io.h - inside a bulk: what its user and its thread have in common.
 *
 *	user's thread                    the connection's thread
 *	bulk.c   -- ask, wake work -->   bulk_io.c   waits, keeps time, says goodbye
 *	         <-- told, wake news --  bulk_in.c   reads frames, delivers a stream
 *	                                 bulk_out.c  writes frames, reads a source
 *
 * `lock` is held to copy wishes and results, never across a system call but a wake's.
 * The connection's thread never waits for anything but its poll.
 */
#ifndef RPC_BULK_IO_H
#define RPC_BULK_IO_H

#include "base/thread.h"
#include "base/wake.h"
#include "rpc/bulk.h"
#include "rpc/liveness.h"

enum {
	BULK_CLOSE_MS = LIVENESS_IDLE_MS, /* for the farewell */
	BULK_LOOK_MS = 1000, /* at least as often: has a slow peer sent something? */
	BULK_RETRY_MS = 100, /* the same while we are too busy to wait */
	BULK_SCRATCH = 64 * 1024,
};

/* What to do once more only when poll(2) or the time says that it may go on. */
struct bulk_gate {
	bool is_blocked;
	int64_t tried_at;
};

/* Where a stream goes; all of it the user's. */
struct bulk_sink {
	enum { BULK_NO_SINK, BULK_PEEK, BULK_PUMP } kind;
	struct buf *into;
	int pipe;
	struct pump_opts opts;
};

/* What the next byte to be read waits for; see bulk_in.c. */
enum bulk_in_at {
	BULK_IN_CONN,
	BULK_IN_PIPE,
	BULK_IN_LIMIT,
	BULK_IN_HELD,
	BULK_IN_OVER,
};

struct bulk_in {
	struct frame_reader reader;
	struct bulk_gate gate;
	enum bulk_in_at at;
	int64_t resume_at; /* at a limit */
	struct bulk_sink sink;
	int64_t moved_at;     /* a byte into the sink */
	bool in_stream;       /* begun, and not ended */
	bool has_ended;       /* the last thing that came was a stream */
	struct err ended_err; /* ERR_REMOTE: its source failed */
};

enum bulk_source_state {
	BULK_SOURCE_NONE,
	BULK_SOURCE_READING,
	BULK_SOURCE_AT_END,
	BULK_SOURCE_BAD,       /* failed, or stalled */
	BULK_SOURCE_WITHDRAWN, /* by its user, or with the connection */
};

struct bulk_out {
	struct buf queue; /* messages, heartbeats, ends */
	size_t queue_at;  /* what of it is written */
	char *bytes;      /* of the stream */
	size_t have, room;
	bool splices;   /* the rest stays in the source's pipe until it goes out */
	size_t in_pipe; /* at least so much of it is there; splicing only */
	uint8_t head[FRAME_HEAD_LEN];
	/* The frame under way, with its head; of its payload so much is in bytes. */
	size_t frame_len, frame_at, frame_in_bytes;
	struct bulk_gate gate;
	bool is_dead; /* nothing goes out any more */
	struct err dead_err;

	enum bulk_source_state state;
	struct bulk_source source;
	struct bulk_gate fill;
	int64_t resume_at; /* at a limit; 0: not */
	int64_t moved_at;  /* a byte out of the source, or onto the wire */
	bool has_end;
	char *end_error;  /* NULL: a clean end */
	int64_t flush_ms; /* bulk_close() gives up after so long without a byte; 0: no */
};

struct bulk_ask {       /* the user's wishes */
	struct buf put; /* frames */
	bool expects;
	enum frame_type type;
	size_t max;
	bool gives_source, withdraws_source;
	struct bulk_source source;
	bool gives_end;
	char *end_error;
	bool gives_sink, withdraws_sink;
	struct bulk_sink sink;
	bool closes, aborts;
};

struct bulk_told { /* what became of them */
	bool has_message;
	struct view message;
	enum bulk_source_state source;
	bool source_is_news;
	struct err source_err;
	bool has_sink; /* until it is done, or withdrawn */
	enum pump_end pump_end;
	bool at_end;
	struct err sink_err;
	bool is_idle; /* all that was put is written */
	bool is_dead; /* or never will be */
	bool has_failed;
	struct err err;
};

struct bulk {
	struct thread thread;
	struct wake work, news;
	struct ctx *forever; /* never done */
	const atomic_int_fast64_t *clock;
	struct view message; /* the user's thread's own */

	pthread_mutex_t lock;
	struct bulk_ask ask;   /* guarded by lock */
	struct bulk_told told; /* guarded by lock */

	/* from here on the connection's thread's own */
	struct conn *conn;
	struct liveness live;
	struct bulk_in in;
	struct bulk_out out;
	char *scratch;
	bool has_failed, is_closing, is_aborted;
	enum { BULK_FAREWELL, BULK_BRIEF_FAREWELL, BULK_NO_FAREWELL } farewell;
	int64_t closing_at;
};

/* bulk_io.c */
int64_t bulk_now_us(const struct bulk *b);
/* May it be tried now?  Notes the attempt. */
bool bulk_gate_open(struct bulk_gate *g, int64_t now);
/* Everything fails from now on, with this error, which is taken. */
void bulk_fail(struct bulk *b, struct err *err);
void bulk_news(struct bulk *b); /* something was told */
void bulk_run(void *arg);       /* the thread, of a struct bulk */

/* bulk_in.c.  _step: did something move? */
bool bulk_in_step(struct bulk *b, int64_t now);
void bulk_in_expect(struct bulk *b, enum frame_type type, size_t max);
void bulk_in_sink(struct bulk *b, const struct bulk_sink *s, int64_t now);
void bulk_in_sink_done(struct bulk *b, enum pump_end end, bool at_end,
		       const struct err *err);
void bulk_in_check_stall(struct bulk *b, int64_t now);

/* bulk_out.c */
bool bulk_out_step(struct bulk *b, int64_t now);
bool bulk_out_is_pending(const struct bulk *b); /* there are bytes to be written */
bool bulk_out_is_idle(const struct bulk *b);
void bulk_out_source(struct bulk *b, const struct bulk_source *s, int64_t now);
void bulk_out_end(struct bulk *b, char *source_error); /* which is taken */
void bulk_out_withdraw(struct bulk *b);
void bulk_out_check_stall(struct bulk *b, int64_t now);

/* For tests: a bulk whose time is *clock, in ms; bulk_tick() after it was set. */
struct bulk *bulk_start_at(struct conn *c, const atomic_int_fast64_t *clock,
			   struct err *err) must_check;
void bulk_tick(struct bulk *b);

#endif
