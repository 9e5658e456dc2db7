#include "job/offers.h"

#include "base/vec.h"

#include <string.h>

void offers_add(struct offers *l, const struct offer *o)
{
	VEC_PUSH(l, *o);
}

void offers_free(struct offers *l)
{
	free(l->v);
	*l = (struct offers){ 0 };
}

/* ---- nobody there: every question fails ---- */

struct nobody {
	struct endpoint e;
	const char *listener_name;
	const char *why;
};

static int not_there(const struct endpoint *e, struct err *err)
{
	const struct nobody *n = CONTAINER_OF(e, struct nobody, e);

	return err_set(err, ERR_NOT_FOUND, "local listener \"%s\" not reachable%s",
		       n->listener_name, n->why);
}

static int list_filesystems(struct ctx *ctx, struct endpoint *e,
			    struct ep_filesystems *out, struct err *err)
{
	(void)ctx;
	(void)out;
	return not_there(e, err);
}

static int list_versions(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
			 struct ep_version_lists *out, struct err *err)
{
	(void)ctx;
	(void)paths;
	(void)out;
	return not_there(e, err);
}

static int cursors(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
		   struct ep_cursors *out, struct err *err)
{
	(void)ctx;
	(void)paths;
	(void)out;
	return not_there(e, err);
}

static int send_dry(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		    uint64_t *bytes, struct err *err)
{
	(void)ctx;
	(void)req;
	(void)bytes;
	return not_there(e, err);
}

static int send_stream(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		       struct ep_stream **out, struct err *err)
{
	(void)ctx;
	(void)req;
	(void)out;
	return not_there(e, err);
}

static int send_completed(struct ctx *ctx, struct endpoint *e,
			  const struct ep_send_req *req, struct err *err)
{
	(void)ctx;
	(void)req;
	return not_there(e, err);
}

static int receive(struct ctx *ctx, struct endpoint *e, const struct ep_recv_req *req,
		   struct ep_stream *in, struct err *err)
{
	(void)ctx;
	(void)req;
	(void)in;
	return not_there(e, err);
}

static int destroy_snapshots(struct ctx *ctx, struct endpoint *e, const char *fs,
			     const struct strs *names, struct ep_destroy_results *out,
			     struct err *err)
{
	(void)ctx;
	(void)fs;
	(void)names;
	(void)out;
	return not_there(e, err);
}

static int ping(struct ctx *ctx, struct endpoint *e, struct err *err)
{
	(void)ctx;
	return not_there(e, err);
}

static void nobody_close(struct endpoint *e)
{
	free(CONTAINER_OF(e, struct nobody, e));
}

static const struct endpoint_ops nobody_ops = {
	.list_filesystems = list_filesystems,
	.list_versions = list_versions,
	.cursors = cursors,
	.send_dry = send_dry,
	.send = send_stream,
	.send_completed = send_completed,
	.receive = receive,
	.destroy_snapshots = destroy_snapshots,
	.ping = ping,
	.close = nobody_close,
};

static struct endpoint *connect_to_nobody(const char *listener_name, enum rpc_side wanted,
					  const char *why)
{
	struct nobody *n = xcalloc(1, sizeof(*n));

	*n = (struct nobody){
		.e = { .ops = &nobody_ops,
		       .label = wanted == RPC_SENDER ? "sender" : "receiver" },
		.listener_name = listener_name,
		.why = why,
	};
	return &n->e;
}

struct endpoint *offers_connect(const struct offers *l, const struct conf_connect *c,
				enum rpc_side wanted, struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct offer *o = &l->v[i];

		if (strcmp(o->listener_name, c->listener_name) != 0)
			continue;
		if (o->side == wanted)
			return o->endpoint(o->arg, c->client_identity, err);
		return connect_to_nobody(c->listener_name, wanted,
					 wanted == RPC_SENDER ? ": a sink serves it"
							      : ": a source serves it");
	}
	return connect_to_nobody(c->listener_name, wanted, "");
}
