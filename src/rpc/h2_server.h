/*
 * h2_server.h - the listening side of a control connection (sans I/O).
 *
 * As h2_client.h, the other way round: h2_server_feed() calls back with each complete
 * request, h2_server_reply() answers it, in any order, any time later.
 *
 * The peer is not trusted.  Bounded: requests at a time (H2_REQUESTS_MAX), bytes of
 * unanswered requests, header bytes, output that the peer does not read (feed nothing
 * while h2_server_is_choked()), and frames that cost us work and carry no request
 * (resets, pings, settings, priorities, empty data, continuations): more than a
 * well-behaved peer could send is GOAWAY ENHANCE_YOUR_CALM, and the end.
 *
 * Peers send an empty :authority, or one with blanks in it: what nghttp2 checks of the
 * HTTP semantics is off, and what matters is checked here (method, path, content-type).
 *
 * Keepalive: PING after 5 s without a byte, dead after 10 s more.
 */
#ifndef RPC_H2_SERVER_H
#define RPC_H2_SERVER_H

#include "rpc/grpc.h"

enum {
	H2_REQUESTS_MAX = 128,
	H2_REQUEST_BYTES_MAX = 8 * 1024 * 1024, /* of all unanswered requests together */
	H2_REPLY_BYTES_MAX = 16 * 1024 * 1024,  /* of replies that are not sent yet */
	H2_STALL_MS = 60 * 1000,                /* a peer that takes nothing of them */
};

struct h2_server;

struct h2_request { /* borrowed for the call */
	int32_t id;
	const char *path;   /* as it came; printable */
	struct view body;   /* the protobuf */
	int64_t timeout_ms; /* 0: none */
};
typedef void h2_request_fn(void *arg, const struct h2_request *r);
/* The peer does not want the answer any more; replying is harmless. */
typedef void h2_cancelled_fn(void *arg, int32_t id);

struct h2_server *h2_server_new(int64_t now, h2_request_fn *request,
				h2_cancelled_fn *cancelled, void *arg) must_check;
void h2_server_free(struct h2_server *s);

/* GRPC_OK: body; else text.  Both copied. */
void h2_server_reply(struct h2_server *s, int32_t id, enum grpc_status status,
		     const char *text, struct view body);

int h2_server_feed(struct h2_server *s, const void *p, size_t n, int64_t now,
		   struct err *err) must_check;
struct view h2_server_output(struct h2_server *s);
void h2_server_sent(struct h2_server *s, size_t n);
int h2_server_tick(struct h2_server *s, int64_t now, int64_t *next, struct err *err)
	must_check;
bool h2_server_is_choked(const struct h2_server *s);
/* For more replies: H2_REPLY_BYTES_MAX is not reached.  Until then, begin no work. */
bool h2_server_has_room(const struct h2_server *s);
/* The peer said goodbye, and nothing is left that it would take an answer to. */
bool h2_server_is_done(const struct h2_server *s);
size_t h2_server_pending(const struct h2_server *s); /* requests not answered yet */
void h2_server_goodbye(struct h2_server *s);

#endif
