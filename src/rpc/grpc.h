/*
 * grpc.h - what gRPC adds to HTTP/2: a prefix to each message, and a status (sans I/O).
 *
 *	message   1 byte compressed (0), 4 bytes length (big endian), protobuf
 *	status    trailers grpc-status (a number) and grpc-message (percent-encoded UTF-8)
 *
 * All calls are unary: one message each way.
 */
#ifndef RPC_GRPC_H
#define RPC_GRPC_H

#include "base/buf.h"
#include "base/err.h"

enum grpc_status {
	GRPC_OK = 0,
	GRPC_CANCELLED = 1,
	GRPC_UNKNOWN = 2, /* what a handler fails with, whatever it is */
	GRPC_DEADLINE_EXCEEDED = 4,
	GRPC_RESOURCE_EXHAUSTED = 8,
	GRPC_UNIMPLEMENTED = 12,
	GRPC_INTERNAL = 13,
	/* never sent: an active side takes it for a lost connection */
	GRPC_UNAVAILABLE = 14,
};

enum {
	GRPC_PREFIX_LEN = 5,
	GRPC_MESSAGE_MAX = 4 * 1024 * 1024, /* of a protobuf, both ways */
	GRPC_TEXT_MAX = 4096,               /* of grpc-message, before it is encoded */
};

void grpc_put_prefix(uint8_t prefix[GRPC_PREFIX_LEN], uint32_t len);
/* The one message in a whole body, borrowed from it.  ERR_PROTOCOL: compressed, cut
 * short, more than one, none, or too long. */
int grpc_get_message(struct view body, struct view *message, struct err *err) must_check;

/* What the prefix says, as soon as it is there. */
bool grpc_get_length(struct view body, uint32_t *len);

/* application/grpc, or that followed by + or ; and more. */
bool grpc_is_content_type(struct view value);

/* Percent-encoded, cut to GRPC_TEXT_MAX, made UTF-8. */
void grpc_put_text(struct buf *out, const char *text);
/* Leniently: a % without two hex digits stays.  Made UTF-8, without NUL. */
void grpc_get_text(struct buf *out, struct view encoded);

/* "29999936u" -> milliseconds, rounded up. */
int grpc_get_timeout(struct view text, int64_t *ms, struct err *err) must_check;
void grpc_put_timeout(struct buf *out, int64_t ms);

/* What a status is to us: UNAVAILABLE is ERR_NETWORK, UNKNOWN is ERR_REMOTE with the
 * peer's text, ...; GRPC_OK is not an error. */
int grpc_status_err(int status, const char *text, struct err *err);

#endif
