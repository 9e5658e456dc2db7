/*
 * bulk.h - one bulk connection at work: messages and a stream, both ways at once.
 *
 * A thread of its own owns the connection.  It reads and writes frames, sends heartbeats
 * whatever its user does meanwhile, watches the peer's, and moves the bytes of a stream:
 *
 *	sending     pipe of zfs send -> splice -> frames of what is there
 *	            without splice: -> memory -> frames of 512 KiB, full
 *	receiving   frames -> splice -> pipe of zfs receive
 *
 * The user is one other thread, which asks and waits:
 *
 *	bulk_put()             queue a message
 *	bulk_put_stream()      begin to send a stream; bulk_put_end() ends it
 *	bulk_expect()          name the message that comes next
 *	bulk_wait()            until one of these has happened
 *	bulk_flush()           until all of it is written
 *	bulk_peek(), _pump()   the stream that comes next
 *	bulk_close()           orderly: RST, half-close, read to the end, at most 10 s;
 *	                       of a silent peer or a broken connection, at once
 *
 * Once the connection has failed everything fails, with the same error: ERR_TIMEOUT (the
 * peer is silent), ERR_NETWORK (cut, reset, ended in the middle), ERR_PROTOCOL.  A peer
 * that says RST has closed: what it had sent before is still delivered, and then
 * everything fails with ERR_NETWORK.
 */
#ifndef RPC_BULK_H
#define RPC_BULK_H

#include "base/pump.h"
#include "net/conn.h"
#include "rpc/frame.h"

struct bulk;

/* Takes c, whose hello is done.  NULL (no descriptor left): c is closed. */
struct bulk *bulk_start(struct conn *c, struct err *err) must_check;

/* Copied, and sent when its turn comes.  At most FRAME_..._MAX bytes. */
void bulk_put(struct bulk *b, enum frame_type type, struct view payload);

/* All borrowed until BULK_SOURCE_ENDED, BULK_FAILED, bulk_put_end() or bulk_close(). */
struct bulk_source {
	int fd; /* non-blocking */
	struct pump_opts opts;
};
void bulk_put_stream(struct bulk *b, const struct bulk_source *s);
/*
 * After BULK_SOURCE_ENDED: how it ended; NULL: well.  Also after the source has failed,
 * or to end the stream before its end; the source is the caller's again.
 */
void bulk_put_end(struct bulk *b, const char *source_error);

/*
 * Until all that was put has been written.  bulk_close() does so, too, but heeds no ctx;
 * a peer may well be slow to take the last of a stream.
 */
int bulk_flush(struct ctx *ctx, struct bulk *b, struct err *err) must_check;

void bulk_expect(struct bulk *b, enum frame_type type, size_t max);

enum bulk_event {
	BULK_MESSAGE,      /* bulk_message() has what was expected */
	BULK_SOURCE_ENDED, /* the stream's source is read to its end: bulk_put_end() */
	BULK_FAILED,       /* ctx done; the connection; or the source: ERR_SYSTEM,
			      ERR_TIMEOUT (stalled), ERR_INVALID (no stream) */
};
/* The next thing that happened; a message comes before the end of a source. */
enum bulk_event bulk_wait(struct ctx *ctx, struct bulk *b, struct err *err) must_check;
struct view bulk_message(const struct bulk *b); /* until the next thing is asked for */

/*
 * The stream that comes next.  First, if at all, peek: fills `into` up to its max, less
 * only at the end of the stream.  Then pump: the rest (without what was peeked) into a
 * pipe.  0 with PUMP_EOF: its clean end; PUMP_CLOSED: nobody reads the pipe any more.
 * -1: ctx done, stalled, the connection's error, or ERR_REMOTE with what the peer says of
 * its source, after all bytes before it.  When it returns, no descriptor or counter of
 * the caller's is in use any more.
 */
int bulk_peek(struct ctx *ctx, struct bulk *b, struct buf *into, bool *at_end,
	      struct err *err) must_check;
int bulk_pump(struct ctx *ctx, struct bulk *b, int pipe, const struct pump_opts *o,
	      enum pump_end *end, struct err *err) must_check;

/*
 * Sends what is queued first, unless it has failed: for as long as the peer takes some of
 * it now and then (a stream: within its stall_ms; else 10 s).  A stream that was not
 * ended is cut off, and the peer sees that it was.  Ends the thread, frees all.  NULL is
 * fine.  _abort: without farewell.
 */
void bulk_close(struct bulk *b);
void bulk_abort(struct bulk *b);
DEFINE_CLEANUP(bulk_abort, struct bulk *);

#endif
