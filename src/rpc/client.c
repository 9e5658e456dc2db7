#include "rpc/client_impl.h"

#include "base/vec.h"
#include "rpc/pdu.h"

enum {
	SLICE = 4 * CONTROL_IN_FLIGHT_MAX, /* whose replies are held at a time */
	DESTROY_MAX = 8000,                /* of the longest names fit into one request */
};

struct rpc_client *client_of(struct endpoint *e)
{
	return CONTAINER_OF(e, struct rpc_client, ep);
}

/* ---- calls ---- */

static void call_fini(struct control_call *call)
{
	buf_free(&call->request);
	buf_free(&call->reply);
	err_clear(&call->err);
}

/* One, with the request that is in it. */
static int ask(struct ctx *ctx, struct endpoint *e, const char *method,
	       struct control_call *call, struct err *err)
{
	if (control_calls(ctx, client_of(e)->control, method, call, 1, err) < 0)
		return -1;
	if (call->err.kind == ERR_NONE)
		return 0;
	err_move(err, &call->err);
	return -1;
}

/* The same question about many filesystems, and who takes the answers. */
struct survey {
	const char *method;
	/* about `path` there is either an err in the call, or a reply */
	void (*answer)(void *out, const char *path, struct control_call *call);
	void *out;
};

static int ask_about(struct ctx *ctx, struct endpoint *e, const struct survey *s,
		     const struct strs *paths, struct err *err)
{
	struct control_call *calls = xcalloc(paths->n, sizeof(*calls));
	int r;

	for (size_t i = 0; i < paths->n; i++)
		pdu_put_path_req(&calls[i].request, paths->v[i]);
	r = control_calls(ctx, client_of(e)->control, s->method, calls, paths->n, err);
	for (size_t i = 0; i < paths->n; i++) {
		if (r == 0)
			s->answer(s->out, paths->v[i], &calls[i]);
		call_fini(&calls[i]);
	}
	free(calls);
	return r;
}

static int ask_about_all(struct ctx *ctx, struct endpoint *e, const struct survey *s,
			 const struct strs *paths, struct err *err)
{
	for (size_t at = 0; at < paths->n; at += SLICE) {
		size_t left = paths->n - at;
		const struct strs some = { .v = paths->v + at,
					   .n = left < SLICE ? left : SLICE };

		if (ask_about(ctx, e, s, &some, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- questions ---- */

static int list_filesystems(struct ctx *ctx, struct endpoint *e,
			    struct ep_filesystems *out, struct err *err)
{
	cleanup(call_fini) struct control_call call = { 0 };

	if (ask(ctx, e, "ListFilesystems", &call, err) < 0)
		return -1;
	return pdu_get_filesystems(buf_view(&call.reply), out, err);
}

static void versions_of(void *out, const char *path, struct control_call *call)
{
	struct ep_version_lists *lists = out;
	struct ep_version_list l = { .path = xstrdup(path) };

	err_move(&l.err, &call->err);
	if (l.err.kind == ERR_NONE &&
	    pdu_get_versions(buf_view(&call->reply), &l.versions, &l.err) < 0)
		versions_free(&l.versions);
	VEC_PUSH(lists, l);
}

static int list_versions(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
			 struct ep_version_lists *out, struct err *err)
{
	const struct survey s = { "ListFilesystemVersions", versions_of, out };

	return ask_about_all(ctx, e, &s, paths, err);
}

static void cursor_of(void *out, const char *path, struct control_call *call)
{
	struct ep_cursors *cursors = out;
	struct ep_cursor c = { .path = xstrdup(path) };

	err_move(&c.err, &call->err);
	if (c.err.kind == ERR_NONE &&
	    pdu_get_cursor_res(buf_view(&call->reply), &c.exists, &c.guid, &c.err) < 0)
		c.exists = false;
	VEC_PUSH(cursors, c);
}

static int cursors(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
		   struct ep_cursors *out, struct err *err)
{
	const struct survey s = { "ReplicationCursor", cursor_of, out };

	return ask_about_all(ctx, e, &s, paths, err);
}

static int send_dry(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		    uint64_t *bytes, struct err *err)
{
	cleanup(call_fini) struct control_call call = { 0 };
	struct pdu_send_res res;

	pdu_put_send_req(&call.request, req);
	if (ask(ctx, e, "SendDry", &call, err) < 0 ||
	    pdu_get_send_res(buf_view(&call.reply), &res, err) < 0)
		return -1;
	*bytes = res.expected_size;
	return 0;
}

static int send_completed(struct ctx *ctx, struct endpoint *e,
			  const struct ep_send_req *req, struct err *err)
{
	cleanup(call_fini) struct control_call call = { 0 };

	pdu_put_send_completed_req(&call.request, req);
	if (ask(ctx, e, "SendCompleted", &call, err) < 0)
		return -1;
	return pdu_get_empty(buf_view(&call.reply), err);
}

static int destroy_some(struct ctx *ctx, struct endpoint *e,
			const struct pdu_destroy_req *req, struct ep_destroy_results *out,
			struct err *err)
{
	cleanup(call_fini) struct control_call call = { 0 };

	pdu_put_destroy_req(&call.request, req);
	if (ask(ctx, e, "DestroySnapshots", &call, err) < 0)
		return -1;
	return pdu_get_destroy_res(buf_view(&call.reply), req, out, err);
}

/* Of a snapshot to be destroyed peers look at type and name; the rest is any. */
static int destroy_snapshots(struct ctx *ctx, struct endpoint *e, const char *fs,
			     const struct strs *names, struct ep_destroy_results *out,
			     struct err *err)
{
	struct version *snaps = xcalloc(names->n, sizeof(*snaps));
	int r = 0;

	for (size_t i = 0; i < names->n; i++)
		snaps[i].name = names->v[i];
	for (size_t at = 0; at < names->n && r == 0; at += DESTROY_MAX) {
		size_t left = names->n - at;
		struct pdu_destroy_req req = { fs, snaps + at,
					       left < DESTROY_MAX ? left : DESTROY_MAX };

		r = destroy_some(ctx, e, &req, out, err);
	}
	free(snaps);
	return r;
}

int client_check_echo(struct view reply, const char *text, struct err *err)
{
	cleanup(arena_free) struct arena a = { 0 };
	const char *echo;

	if (pdu_get_ping(&a, reply, &echo, err) < 0)
		return -1;
	if (strcmp(echo, text) != 0)
		return err_set(err, ERR_PROTOCOL, "what comes back is not what was sent");
	return 0;
}

int client_ping_control(struct ctx *ctx, struct rpc_client *c, const char *text,
			struct err *err)
{
	cleanup(call_fini) struct control_call call = { 0 };

	pdu_put_ping(&call.request, text);
	if (ask(ctx, &c->ep, "Ping", &call, err) < 0)
		return -1;
	return client_check_echo(buf_view(&call.reply), text, err);
}

/* ---- the endpoint ---- */

static void client_close(struct endpoint *e)
{
	struct rpc_client *c = client_of(e);

	control_client_close(c->control);
	free(c);
}

/* A receiver has nothing to do when sending is completed, and so is not asked. */
static const struct endpoint_ops sender_ops = {
	.list_filesystems = list_filesystems,
	.list_versions = list_versions,
	.cursors = cursors,
	.send_dry = send_dry,
	.send = client_send,
	.send_completed = send_completed,
	.destroy_snapshots = destroy_snapshots,
	.ping = client_ping,
	.close = client_close,
};

static const struct endpoint_ops receiver_ops = {
	.list_filesystems = list_filesystems,
	.list_versions = list_versions,
	.receive = client_receive,
	.destroy_snapshots = destroy_snapshots,
	.ping = client_ping,
	.close = client_close,
};

struct endpoint *rpc_client_new(const struct rpc_client_opts *o)
{
	struct rpc_client *c = xcalloc(1, sizeof(*c));

	c->o = *o;
	c->control = control_client_open(o->connector, o->env, &c->o.log);
	switch (o->peer) {
	case RPC_SENDER:
		c->ep = (struct endpoint){ &sender_ops, "sender" };
		break;
	case RPC_RECEIVER:
		c->ep = (struct endpoint){ &receiver_ops, "receiver" };
		break;
	}
	return &c->ep;
}
