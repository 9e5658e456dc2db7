#include "job/local.h"

#include "base/vec.h"

#include <string.h>

void local_offer(struct local_offers *l, const char *listener_name, struct receiver *r)
{
	VEC_PUSH(l, ((struct local_offer){ listener_name, r }));
}

void local_offers_free(struct local_offers *l)
{
	free(l->v);
	*l = (struct local_offers){ 0 };
}

/* ---- nobody there: every question fails ---- */

struct nobody {
	struct endpoint e;
	const char *listener_name;
};

static int not_there(const struct endpoint *e, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "local listener \"%s\" not reachable",
		       CONTAINER_OF(e, struct nobody, e)->listener_name);
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
	.receive = receive,
	.destroy_snapshots = destroy_snapshots,
	.ping = ping,
	.close = nobody_close,
};

static struct endpoint *connect_to_nobody(const char *listener_name)
{
	struct nobody *n = xcalloc(1, sizeof(*n));

	n->e = (struct endpoint){ .ops = &nobody_ops, .label = "receiver" };
	n->listener_name = listener_name;
	return &n->e;
}

struct endpoint *local_connect(const struct local_offers *l, const struct conf_connect *c,
			       struct err *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].listener_name, c->listener_name) == 0)
			return receiver_for(l->v[i].receiver, c->client_identity, err);
	return connect_to_nobody(c->listener_name);
}
