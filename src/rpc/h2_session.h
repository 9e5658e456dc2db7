/*
 * h2_session.h - what both ends of a control connection share (sans I/O): an HTTP/2
 * session with the bytes it wants to send, its keepalive, and what the peer may cost us.
 *
 * The meter: each frame that does not carry a call costs tokens, some come back with
 * time and more with each call and each piece of a message.  A peer that only works for
 * its calls gains; one that resets, pings, or splits for the sake of it runs out, and
 * that is the end (GOAWAY ENHANCE_YOUR_CALM).  The library's own limits are not relied
 * upon: they differ between its releases.
 *
 * The ends embed one and hand their callbacks over; user_data of those is the
 * h2_session.
 */
#ifndef RPC_H2_SESSION_H
#define RPC_H2_SESSION_H

#include "base/buf.h"
#include "base/err.h"

#include <nghttp2/nghttp2.h>

enum {
	H2_HEADERS_MAX = 16 * 1024, /* of a request: names, values and 32 for each */
	H2_REPLY_HEADERS_MAX = 96 * 1024, /* others tell long stories in grpc-message */
	H2_OUT_FILL = 32 * 1024,          /* more output than this waits in the session */
	H2_QUEUE_MAX = 512,               /* frames that may wait there */
	H2_METER_CALL = 32,               /* tokens for a call that was answered */
	H2_METER_DATA = 8,                /* for a DATA frame sent */
};

struct h2_meter {
	size_t preface_left; /* of the peer's */
	uint8_t head[9];     /* of the frame that is coming */
	size_t head_len;
	uint32_t payload_left;
	int64_t tokens, at;
};

void h2_meter_init(struct h2_meter *m, bool has_preface, int64_t now);
void h2_meter_earn(struct h2_meter *m, int64_t tokens);
/* Bytes that have arrived.  false: the peer has nothing left. */
bool h2_meter_spend(struct h2_meter *m, const uint8_t *p, size_t n, int64_t now);

struct h2_session {
	nghttp2_session *ng;
	struct buf out;
	struct err why; /* it is over; ERR_NONE: it is not */
	bool peer_goodbye;
	bool peer_left; /* and what it said was its last word, and ours */
	struct h2_meter meter;
	int64_t idle_ms;       /* silence before a ping */
	int64_t heard, pinged; /* pinged: -1 when there is none to be answered */
};

/* s is zeroed, the callbacks are consumed. */
void h2_session_init(struct h2_session *s, bool is_server,
		     nghttp2_session_callbacks *callbacks, int64_t now);
void h2_session_fini(struct h2_session *s);
nghttp2_session_callbacks *h2_callbacks_new(void) must_check;

/* nghttp2 reports what cannot be done now; that memory is short is not among it. */
int h2_check(int rv);

/* Tell the peer, and be over; the first reason counts.  The text is not formatted. */
void h2_session_end(struct h2_session *s, uint32_t code, enum err_kind kind,
		    const char *why);
/* From an end's callbacks: GOAWAY in both directions. */
void h2_session_received(struct h2_session *s, const nghttp2_frame *frame);
void h2_session_sent(struct h2_session *s, const nghttp2_frame *frame);

/* -1: it is over. */
int h2_session_feed(struct h2_session *s, const void *p, size_t n, int64_t now,
		    struct err *err) must_check;
struct view h2_session_output(struct h2_session *s);
bool h2_session_is_choked(const struct h2_session *s);
/* -1: over, or the peer is silent (ERR_TIMEOUT). */
int h2_session_tick(struct h2_session *s, int64_t now, int64_t *next, struct err *err)
	must_check;
void h2_session_goodbye(struct h2_session *s, const char *text);

/* A header, of literals or what lives until it is submitted. */
nghttp2_nv h2_header(const char *name, const char *value);

#endif
