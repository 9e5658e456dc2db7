/*
 * h2_text.h - HTTP/2 frames by hand, and read back as text, past the code under test.
 *
 *	settings 3=128 6=16384 | settings ack | ping 0102030405060708 | ping ack ...
 *	headers 1 :status=200 content-type=application/grpc      (..., end)
 *	data 1 5                                                 (..., end)
 *	reset 1 REFUSED_STREAM | goaway 2147483647 NO_ERROR text | window 0 +5
 */
#ifndef TESTS_RPC_H2_TEXT_H
#define TESTS_RPC_H2_TEXT_H

#include "base/buf.h"

#include <nghttp2/nghttp2.h>

/* ---- writing ---- */

#define H2_PREFACE VIEW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

void h2_put(struct buf *out, unsigned type, unsigned flags, uint32_t id,
	    struct view payload);
/* A header field, literal and not indexed. */
void h2_put_field(struct buf *block, const char *name, struct view value);
void h2_put_settings(struct buf *out, unsigned id, uint32_t value);
void h2_put_window(struct buf *out, uint32_t id, uint32_t more);
void h2_put_reset(struct buf *out, uint32_t id, uint32_t code);
void h2_put_goaway(struct buf *out, uint32_t last, uint32_t code, struct view text);
void h2_put_ping(struct buf *out, const char *payload); /* 8 bytes */
/* "name=value" strings up to NULL; END_HEADERS, and END_STREAM if is_end. */
void h2_put_headers(struct buf *out, uint32_t id, bool is_end, const char *const *fields);
/* Preface and empty settings. */
void h2_put_hello(struct buf *out);
/* A whole request, with body in a message of its own. */
void h2_put_request(struct buf *out, uint32_t id, const char *path, struct view body);

/* ---- reading ---- */

struct h2_text { /* a connection's; zeroed */
	nghttp2_hd_inflater *inflater;
	struct buf rest; /* of a frame that is not whole */
	struct buf text; /* a line for each frame */
	struct buf taken;
	size_t data_len; /* of all DATA frames */
};

void h2_text_feed(struct h2_text *t, struct view bytes);
/* The lines since the last call that begin with one of the words: "data headers";
 * NULL: all.  Borrowed. */
const char *h2_text_take(struct h2_text *t, const char *words);
void h2_text_fini(struct h2_text *t);

#endif
