/*
 * control_client.h - calls to a peer, over one control connection.
 *
 * The connection is dialled by the first call, kept for the next ones, and dialled anew
 * when it was lost.  A thread of its own owns it and answers the peer's pings whatever
 * the callers do.
 *
 * Thread safety: control_calls() may be called by several threads at once.
 */
#ifndef RPC_CONTROL_CLIENT_H
#define RPC_CONTROL_CLIENT_H

#include "base/buf.h"
#include "conf/env.h"
#include "net/connector.h"

struct control_client;

/* Borrowed until _close(). */
struct control_client *control_client_open(struct connector *to, const struct env *env,
					   const struct log *log) must_check;
/* A connection whose hello is done; called by one thread at a time. */
typedef struct conn *control_dial_fn(struct ctx *ctx, void *arg, struct err *err);
/* The same with connections of another origin, for tests. */
struct control_client *control_client_open_with(control_dial_fn *dial, void *arg,
						const struct log *log) must_check;
void control_client_close(struct control_client *c); /* says goodbye; NULL is fine */

enum { CONTROL_IN_FLIGHT_MAX = 64 }; /* of one control_calls() */

struct control_call {
	struct buf request; /* the caller's */
	struct buf reply;   /* the caller's to free; a protobuf */
	struct err err;     /* of this call; ERR_NONE: fine */
};

/*
 * All of them, at most CONTROL_IN_FLIGHT_MAX at a time, method e.g. "Ping"; returns when
 * all are answered.  0: each has its own reply or err.  -1: ctx done, or the connection
 * was lost or not to be had (ERR_NETWORK, ERR_TIMEOUT, ERR_DENIED, ERR_PROTOCOL): what is
 * in the calls is of no use.
 */
int control_calls(struct ctx *ctx, struct control_client *c, const char *method,
		  struct control_call *calls, size_t n, struct err *err) must_check;

#endif
