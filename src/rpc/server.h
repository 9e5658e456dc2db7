/*
 * server.h - an endpoint of this host, offered to peers: the passive side of a job.
 *
 * rpc_server_run() listens, and keeps listening: when that fails it says why, once, and
 * tries again with growing pauses; what it is at is in its report.
 *
 *	accept --> visit: handshake, banner, label --+--> control connection
 *	(limits)   (10 s each, at most)              +--> one bulk request
 *
 * Nobody blocks anybody else: each connection has threads of its own, and there are
 * bounds on all of them.  Half-open: RPC_HALF_OPEN_MAX in all; when there is no room the
 * oldest one of the origin with the most gives way to the newcomer.  Open:
 * RPC_OPEN_PER_CLIENT_MAX of one identity, RPC_OPEN_MAX of all; one more is refused.
 * What is wrong with a connection is logged once for each, but for one origin once a
 * minute, and for all a few times a minute.
 *
 * When ctx is done no new connection is accepted, requests under way are cancelled, and
 * run() returns when all threads are joined.
 */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include "conf/env.h"
#include "endpoint/endpoint.h"

enum {
	RPC_HALF_OPEN_MAX = 64,
	RPC_OPEN_PER_CLIENT_MAX = 256,
	RPC_OPEN_MAX = 1024, /* of all clients together */
};

/* The endpoint that a client of that identity talks to; the server closes it. */
typedef struct endpoint *rpc_endpoint_fn(void *arg, const char *identity,
					 struct err *err);

struct rpc_server_opts { /* borrowed */
	const struct conf_serve *conf;
	const struct conf_global *global;
	const struct env *env;
	struct log log;
	rpc_endpoint_fn *endpoint;
	void *arg;
};

struct rpc_server;
struct rpc_server *rpc_server_new(const struct rpc_server_opts *o) must_check;
void rpc_server_free(struct rpc_server *s); /* NULL is fine */
void rpc_server_run(struct ctx *ctx, struct rpc_server *s);

struct rpc_server_report {
	char *address;    /* listening there; NULL: not (yet) */
	struct err error; /* why not */
	size_t half_open, open;
};
/* From any thread. */
void rpc_server_report(struct rpc_server *s, struct rpc_server_report *out);
void rpc_server_report_free(struct rpc_server_report *r);

#endif
