/*
 * control_server.h - a control connection served, until it ends.
 *
 * The thread that calls it owns the connection; a few threads of its own (at most
 * CONTROL_WORKERS, started when there is work) run the handler, so that pings are
 * answered while zfs(8) runs.
 *
 * Requests of one method that wait together are handed over together: what a peer asks
 * for filesystem by filesystem is often one question to zfs(8).  While some of a batched
 * method are handled, those that come gather.  One with a timeout goes alone.
 */
#ifndef RPC_CONTROL_SERVER_H
#define RPC_CONTROL_SERVER_H

#include "base/buf.h"
#include "base/log.h"
#include "net/conn.h"

enum { CONTROL_WORKERS = 4 };

struct control_request {
	const char *path; /* "/Replication/Ping" */
	struct view body;
	struct buf reply; /* a protobuf, when err.kind is ERR_NONE; what is larger than a
			     message may be is refused by the server */
	struct err err; /* ERR_NOT_FOUND with no_such_method: UNIMPLEMENTED; ERR_PROTOCOL:
			   INTERNAL; else UNKNOWN with its text */
	bool no_such_method;
};

/* n >= 1 requests of the same path.  Called by several threads at once. */
typedef void control_handle_fn(void *arg, struct ctx *ctx, struct control_request *v,
			       size_t n);

struct control_service {
	control_handle_fn *handle;
	void *arg;
	/* or NULL: may several requests of this path be handled together? */
	bool (*is_batched)(const char *path);
};

/*
 * Takes c, whose hello is done.  0: the peer said goodbye or ended with nothing left to
 * answer, or ctx is done (then the handlers are cancelled); -1: why it ended otherwise,
 * for the log.  All threads are gone.
 */
int control_serve(struct ctx *ctx, struct conn *c, const struct control_service *s,
		  struct err *err);

#endif
