/*
 * client_impl.h - the parts of the endpoint on another host; included by
 * src/rpc/client*.c only.
 */
#ifndef RPC_CLIENT_IMPL_H
#define RPC_CLIENT_IMPL_H

#include "rpc/client.h"
#include "rpc/control_client.h"

struct rpc_client {
	struct endpoint ep;
	struct rpc_client_opts o;
	struct control_client *control;
};

struct rpc_client *client_of(struct endpoint *e);

/* These are endpoint_ops. */
int client_send(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		struct ep_stream **out, struct err *err);
int client_receive(struct ctx *ctx, struct endpoint *e, const struct ep_recv_req *req,
		   struct ep_stream *in, struct err *err);
int client_ping(struct ctx *ctx, struct endpoint *e, struct err *err);

/* The text once there and back.  ERR_PROTOCOL: something else comes back. */
int client_ping_bulk(struct ctx *ctx, struct rpc_client *c, const char *text,
		     struct err *err) must_check;
int client_ping_control(struct ctx *ctx, struct rpc_client *c, const char *text,
			struct err *err) must_check;
int client_check_echo(struct view reply, const char *text, struct err *err) must_check;

#endif
