/*
 * h2_client.h - the dialling side of a control connection: calls over HTTP/2 (sans I/O).
 *
 *	connection -> h2_client_feed()   bytes that arrived
 *	h2_client_output() -> connection bytes to send
 *
 * Calls overlap.  A reply comes as a callback out of h2_client_feed(), once for each
 * call, also when it fails (out of h2_client_output(), when it cannot even be sent);
 * h2_client_fail() fails those that are left.  From the callback other calls can be made
 * and cancelled.
 *
 * Keepalive: after 10 s without a byte from the peer a PING goes out, and if then nothing
 * comes for another 10 s the peer is dead.  The clock is the caller's.
 *
 * One thread.
 */
#ifndef RPC_H2_CLIENT_H
#define RPC_H2_CLIENT_H

#include "rpc/grpc.h"

enum {
	H2_CLIENT_WINDOW = 1024 * 1024, /* what a peer may send of one reply, unasked */
	H2_CLIENT_REPLIES_MAX = 64 * 1024 * 1024, /* of all unfinished replies together */
};

struct h2_client;

/* err->kind is ERR_NONE: body is the protobuf.  Borrowed. */
typedef void h2_reply_fn(void *arg, const struct err *err, struct view body);

struct h2_client *h2_client_new(int64_t now) must_check;
void h2_client_free(struct h2_client *c); /* without replies */

struct h2_call { /* borrowed for the call */
	const char *path;
	struct view body;
	int64_t timeout_ms; /* told to the peer, 0: none; enforced by nobody here */
	h2_reply_fn *reply;
	void *arg;
};
/* An id for h2_client_cancel(); -1 with *err: no more calls on this connection. */
int32_t h2_client_call(struct h2_client *c, const struct h2_call *h, struct err *err)
	must_check;
void h2_client_cancel(struct h2_client *c, int32_t id); /* no reply will come */

/* -1: the connection is of no use any more (ERR_PROTOCOL, ERR_NETWORK after GOAWAY). */
int h2_client_feed(struct h2_client *c, const void *p, size_t n, int64_t now,
		   struct err *err) must_check;
/* What is to be sent now; then say how much was.  "" : nothing. */
struct view h2_client_output(struct h2_client *c);
void h2_client_sent(struct h2_client *c, size_t n);

/* -1: ERR_TIMEOUT, the peer is dead.  *next: when to ask again. */
int h2_client_tick(struct h2_client *c, int64_t now, int64_t *next, struct err *err)
	must_check;

/* The peer does not read what it makes us say: feed nothing. */
bool h2_client_is_choked(const struct h2_client *c);

void h2_client_fail(struct h2_client *c, const struct err *why);
void h2_client_goodbye(struct h2_client *c);         /* GOAWAY; then send what there is */
bool h2_client_is_usable(const struct h2_client *c); /* for another call */

#endif
