#include "rpc/session.h"

#include "rpc/control_server.h"
#include "rpc/pdu.h"

#include <stdio.h>

/* Of a method nobody knows, in the log and in what the peer is told: it may be long. */
enum { SHOWN_METHOD_MAX = 100 };

/* One request: its body, and what the answer is. */
typedef int one_fn(struct ctx *ctx, const struct session *s, struct view body,
		   struct buf *reply, struct err *err);
/* Requests about one filesystem each, all in one question. */
struct survey;
typedef int many_fn(struct ctx *ctx, const struct session *s, struct survey *q,
		    struct err *err);

struct method {
	const char *path, *name;
	one_fn *one;
	many_fn *many;
};

/* Those of many requests that could be decoded. */
struct survey {
	struct control_request **asked; /* asked[i] is about paths.v[i] */
	struct strs paths;
};

/*
 * What the endpoint says.  Nonsense from zfs(8) is ERR_PROTOCOL, too, but to the peer a
 * failure like any other, and not one of its request.
 */
static int said(int r, struct err *err)
{
	if (r < 0 && err_is(err, ERR_PROTOCOL))
		err->kind = ERR_CHILD;
	return r;
}

/* ---- one at a time ---- */

static int ping(struct ctx *ctx, const struct session *s, struct view body,
		struct buf *reply, struct err *err)
{
	cleanup(arena_free) struct arena a = { 0 };
	const char *text;

	(void)ctx;
	(void)s;
	if (pdu_get_ping(&a, body, &text, err) < 0)
		return -1;
	pdu_put_ping(reply, text);
	return 0;
}

static int list_filesystems(struct ctx *ctx, const struct session *s, struct view body,
			    struct buf *reply, struct err *err)
{
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };

	if (pdu_get_empty(body, err) < 0 ||
	    said(s->ep->ops->list_filesystems(ctx, s->ep, &l, err), err) < 0)
		return -1;
	pdu_put_filesystems(reply, &l);
	return 0;
}

static int send_dry(struct ctx *ctx, const struct session *s, struct view body,
		    struct buf *reply, struct err *err)
{
	cleanup(arena_free) struct arena a = { 0 };
	struct ep_send_req req;
	struct pdu_send_res res = { 0 };

	if (pdu_get_send_req(&a, body, &req, err) < 0)
		return -1;
	if (!s->ep->ops->send_dry)
		return session_refuse(s, "to send", err);
	if (said(s->ep->ops->send_dry(ctx, s->ep, &req, &res.expected_size, err), err) <
	    0)
		return -1;
	res.used_token = req.token != NULL;
	pdu_put_send_res(reply, &res);
	return 0;
}

/* A receiver has nothing left to do then. */
static int send_completed(struct ctx *ctx, const struct session *s, struct view body,
			  struct buf *reply, struct err *err)
{
	cleanup(arena_free) struct arena a = { 0 };
	struct ep_send_req req;

	(void)reply; /* empty */
	if (pdu_get_send_completed_req(&a, body, &req, err) < 0)
		return -1;
	if (!s->ep->ops->send_completed)
		return 0;
	return said(s->ep->ops->send_completed(ctx, s->ep, &req, err), err);
}

static int destroy_snapshots(struct ctx *ctx, const struct session *s, struct view body,
			     struct buf *reply, struct err *err)
{
	cleanup(ep_destroy_results_free) struct ep_destroy_results done = { 0 };
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(strs_free) struct strs names = { 0 };
	struct pdu_destroy_req req;

	if (pdu_get_destroy_req(&a, body, &req, err) < 0)
		return -1;
	for (size_t i = 0; i < req.n; i++)
		strs_add(&names, req.snaps[i].name);
	if (said(s->ep->ops->destroy_snapshots(ctx, s->ep, req.fs, &names, &done, err),
		 err) < 0)
		return -1;
	pdu_put_destroy_res(reply, &req, &done);
	return 0;
}

/* ---- many at a time ---- */

/* Whatever a question or an answer has failed with; the text is the peer's to read. */
static void fail(struct control_request *r, const struct err *why)
{
	buf_free(&r->reply);
	err_copy(&r->err, why);
	(void)said(-1, &r->err);
}

static int list_versions(struct ctx *ctx, const struct session *s, struct survey *q,
			 struct err *err)
{
	cleanup(ep_version_lists_free) struct ep_version_lists l = { 0 };

	if (s->ep->ops->list_versions(ctx, s->ep, &q->paths, &l, err) < 0)
		return -1;
	if (l.n != q->paths.n)
		return err_set(err, ERR_INTERNAL, "%zu answers about %zu filesystems",
			       l.n, q->paths.n);
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i].err.kind != ERR_NONE) {
			fail(q->asked[i], &l.v[i].err);
			continue;
		}
		versions_sort(&l.v[i].versions);
		pdu_put_versions(&q->asked[i]->reply, &l.v[i].versions);
	}
	return 0;
}

static int list_cursors(struct ctx *ctx, const struct session *s, struct survey *q,
			struct err *err)
{
	cleanup(ep_cursors_free) struct ep_cursors l = { 0 };

	if (!s->ep->ops->cursors)
		return session_refuse(s, "for a replication cursor", err);
	if (s->ep->ops->cursors(ctx, s->ep, &q->paths, &l, err) < 0)
		return -1;
	if (l.n != q->paths.n)
		return err_set(err, ERR_INTERNAL, "%zu answers about %zu filesystems",
			       l.n, q->paths.n);
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i].err.kind != ERR_NONE)
			fail(q->asked[i], &l.v[i].err);
		else
			pdu_put_cursor_res(&q->asked[i]->reply, l.v[i].exists,
					   l.v[i].guid);
	}
	return 0;
}

/* ---- requests ---- */

static const struct method methods[] = {
	{ "/Replication/Ping", "control:///Replication/Ping", ping, NULL },
	{ "/Replication/ListFilesystems", "control:///Replication/ListFilesystems",
	  list_filesystems, NULL },
	{ "/Replication/ListFilesystemVersions",
	  "control:///Replication/ListFilesystemVersions", NULL, list_versions },
	{ "/Replication/DestroySnapshots", "control:///Replication/DestroySnapshots",
	  destroy_snapshots, NULL },
	{ "/Replication/ReplicationCursor", "control:///Replication/ReplicationCursor",
	  NULL, list_cursors },
	{ "/Replication/SendDry", "control:///Replication/SendDry", send_dry, NULL },
	{ "/Replication/SendCompleted", "control:///Replication/SendCompleted",
	  send_completed, NULL },
};

static const struct method *find_method(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i].path, path) == 0)
			return &methods[i];
	return NULL;
}

static bool is_batched(const char *path)
{
	const struct method *m = find_method(path);

	return m && m->many;
}

static void handle_many(struct ctx *ctx, const struct session *s, const struct method *m,
			struct control_request *v, size_t n)
{
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	struct survey q = { .asked = arena_alloc(&a, n, sizeof(*q.asked)) };

	for (size_t i = 0; i < n; i++) {
		const char *fs;

		if (pdu_get_path_req(&a, v[i].body, &fs, &v[i].err) < 0)
			continue;
		q.asked[q.paths.n] = &v[i];
		strs_add(&q.paths, fs);
	}
	if (q.paths.n > 0 && m->many(ctx, s, &q, &err) < 0)
		for (size_t i = 0; i < q.paths.n; i++)
			fail(q.asked[i], &err);
	strs_free(&q.paths);
}

static void handle(void *arg, struct ctx *ctx, struct control_request *v, size_t n)
{
	const struct session *s = arg;
	const struct method *m = find_method(v->path);
	const struct err *failed = NULL;
	char name[SHOWN_METHOD_MAX];

	snprintf(name, sizeof(name), "%s", m ? m->name : v->path);
	for (size_t i = 0; i < n; i++) {
		v[i].no_such_method = !m;
		if (!m)
			err_set(&v[i].err, ERR_NOT_FOUND, "unknown method %s", name);
		else if (m->one && m->one(ctx, s, v[i].body, &v[i].reply, &v[i].err) < 0)
			buf_free(&v[i].reply);
	}
	session_log_request(s, name);
	if (m && m->many)
		handle_many(ctx, s, m, v, n);
	for (size_t i = 0; i < n; i++)
		if (v[i].err.kind != ERR_NONE)
			failed = &v[i].err;
	if (failed)
		session_log_failure(s, name, failed);
}

int session_control(struct ctx *ctx, const struct session *s, struct conn *c,
		    struct err *err)
{
	struct session mine = *s;
	const struct control_service service = { .handle = handle,
						 .arg = &mine,
						 .is_batched = is_batched };

	return control_serve(ctx, c, &service, err);
}
