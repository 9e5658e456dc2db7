/*
 * frame.h - bulk connections: frames, messages and streams, as bytes (sans I/O).
 *
 *	 0       4       8                8+L
 *	 +-------+-------+----------------+
 *	 | type  |   L   | payload        |    32 bits each, big endian
 *	 +-------+-------+----------------+
 *
 *	message(T) = *frame(T) frame(END)
 *	stream(T)  = *frame(T) ( frame(END) | 1*frame(TRAILER) frame(END) )
 *
 * An empty message is just END.  A trailer's text says why the source failed.  Heartbeats
 * may stand between any two frames.  RST: the peer is closing and reads no more.
 *
 * A peer of version 0.7 dies of a frame with a payload of one byte, whatever its type:
 * the functions below never make one (a text of one byte is padded with a blank).  It
 * hangs for ever on a message over its limit, so callers keep to the limits below.
 */
#ifndef RPC_FRAME_H
#define RPC_FRAME_H

#include "base/buf.h"
#include "base/err.h"

enum frame_type {
	FRAME_REQUEST_HEAD = 0x00000001, /* endpoint name */
	FRAME_REQUEST = 0x00000002,      /* protobuf */
	FRAME_RESPONSE_HEAD = 0x00000003,
	FRAME_RESPONSE = 0x00000004, /* protobuf */
	FRAME_STREAM = 0x00000005,   /* zfs send stream */
	FRAME_TRAILER = 0x00010000,
	FRAME_END = 0x00020000,
	FRAME_HEARTBEAT = 0x01000000,
	FRAME_RST = 0x10000000,
};

enum {
	FRAME_HEAD_LEN = 8,
	FRAME_PAYLOAD_MAX = 512 * 1024,     /* that we send */
	FRAME_ACCEPT_MAX = 4 * 1024 * 1024, /* that we accept */
	FRAME_REQUEST_HEAD_MAX = 32 * 1024, /* of a whole message, both ways */
	FRAME_REQUEST_MAX = 4 * 1024 * 1024,
	FRAME_RESPONSE_HEAD_MAX = 32 * 1024,
	FRAME_RESPONSE_MAX = 8 * 1024 * 1024,
	FRAME_TRAILER_MAX = 64 * 1024, /* that we keep; the rest is dropped */
	/* that we send: it comes back in a response head, with words around it */
	FRAME_SOURCE_ERROR_MAX = 16 * 1024,
	FRAME_ERROR_TEXT_MAX = 32753, /* of a handler's error in a response head */
};

/* ---- writing ---- */

void frame_put_head(uint8_t head[FRAME_HEAD_LEN], enum frame_type type, uint32_t len);
/* All frames of a message, END included. */
void frame_put_message(struct buf *out, enum frame_type type, struct view payload);
/* The end of a stream: NULL: clean; else a trailer, which is cut to what a peer accepts,
 * made UTF-8, and never empty. */
void frame_put_end(struct buf *out, const char *source_error);
void frame_put_empty(struct buf *out, enum frame_type type); /* HEARTBEAT, RST */
/*
 * How much of `have` bytes of a stream goes into the next frame: all, FRAME_PAYLOAD_MAX
 * at most, and so that no frame of one byte is needed, now or later.  0: wait for more.
 * A buffer of FRAME_PAYLOAD_MAX + 2 bytes always comes to a full frame.  The one byte of
 * a stream of one byte cannot be sent: 0, at its end.
 */
size_t frame_stream_chunk(size_t have, bool at_end);

/* ---- reading ---- */

enum frame_event {
	FRAME_NEED_MORE,   /* all that was fed has been taken */
	FRAME_GOT_MESSAGE, /* frame_reader_message() has it */
	FRAME_GOT_STREAM,  /* .payload_left bytes of the stream come next: they are not
			      fed, but taken off the connection by the owner, who tells
			      frame_reader_took() */
	FRAME_GOT_STREAM_END,
	FRAME_GOT_SOURCE_ERROR, /* frame_reader_message() has its text, made UTF-8 */
	FRAME_GOT_HEARTBEAT,
	FRAME_GOT_RST,    /* nothing more is to be expected */
	FRAME_UNEXPECTED, /* a frame for which nobody waits yet: expect something, then
			     feed on (nothing if need be).  Not an error. */
	FRAME_BAD,        /* ERR_PROTOCOL; nothing after it makes sense */
};

struct frame_reader {
	enum { FRAME_WANT_NOTHING, FRAME_WANT_MESSAGE, FRAME_WANT_STREAM } want;
	enum frame_type type; /* wanted */
	size_t max;           /* of a message */
	uint8_t head[FRAME_HEAD_LEN];
	size_t head_have;
	uint32_t frame_type;
	size_t payload_left; /* of the frame whose head is complete */
	bool in_trailer, in_payload;
	struct buf message;
};

void frame_reader_fini(struct frame_reader *r); /* a zeroed one is valid */

/* What comes next; the message before it is dropped. */
void frame_reader_expect_message(struct frame_reader *r, enum frame_type type,
				 size_t max);
void frame_reader_expect_stream(struct frame_reader *r);

/*
 * Takes *n bytes at most, sets *n to what it took, stops at the first event.  After
 * FRAME_GOT_MESSAGE, _STREAM_END and _SOURCE_ERROR nothing is expected any more.
 */
enum frame_event frame_reader_feed(struct frame_reader *r, const void *p, size_t *n,
				   struct err *err) must_check;
/* How many bytes it can take before it has something to say: 8 - k of a head, or the
 * payload of a message.  0: GOT_STREAM or UNEXPECTED stands. */
size_t frame_reader_wants(const struct frame_reader *r);
void frame_reader_took(struct frame_reader *r, size_t n); /* of the stream's payload */
struct view frame_reader_message(const struct frame_reader *r); /* borrowed */

#endif
