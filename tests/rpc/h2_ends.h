/*
 * h2_ends.h - a server engine that keeps its requests, a client engine that keeps its
 * replies, and what carries bytes between the two.
 */
#ifndef TESTS_RPC_H2_ENDS_H
#define TESTS_RPC_H2_ENDS_H

#include "base/vec.h"
#include "rpc/h2_client.h"
#include "rpc/h2_server.h"

/* ---- the server ---- */

struct end_request {
	int32_t id;
	char *path;
	struct buf body;
	int64_t timeout_ms;
	bool is_cancelled;
};

struct server_end {
	struct h2_server *s;
	struct end_request *v;
	size_t n, cap;
	bool echoes; /* replies at once, with the request */
};

static inline void server_end_request(void *arg, const struct h2_request *r)
{
	struct server_end *e = arg;
	struct end_request q = {
		.id = r->id,
		.path = xstrdup(r->path),
		.timeout_ms = r->timeout_ms,
	};

	buf_put(&q.body, r->body.p, r->body.len);
	VEC_PUSH(e, q);
	if (e->echoes)
		h2_server_reply(e->s, r->id, GRPC_OK, NULL, r->body);
}

static inline void server_end_cancelled(void *arg, int32_t id)
{
	struct server_end *e = arg;

	for (size_t i = 0; i < e->n; i++)
		e->v[i].is_cancelled |= e->v[i].id == id;
}

static inline void server_end_init(struct server_end *e, int64_t now)
{
	*e = (struct server_end){ 0 };
	e->s = h2_server_new(now, server_end_request, server_end_cancelled, e);
}

static inline void server_end_fini(struct server_end *e)
{
	h2_server_free(e->s);
	for (size_t i = 0; i < e->n; i++) {
		free(e->v[i].path);
		buf_free(&e->v[i].body);
	}
	free(e->v);
}

/* ---- the client ---- */

struct end_reply {
	int times;
	struct err err;
	struct buf body;
};

static inline void end_reply_take(void *arg, const struct err *err, struct view body)
{
	struct end_reply *r = arg;

	r->times++;
	err_copy(&r->err, err);
	buf_free(&r->body);
	buf_put(&r->body, body.p, body.len);
}

static inline void end_reply_fini(struct end_reply *r)
{
	err_clear(&r->err);
	buf_free(&r->body);
}

static inline int32_t end_call(struct h2_client *c, const char *path, struct view body,
			       struct end_reply *r)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	return h2_client_call(
		c,
		&(struct h2_call){
			.path = path, .body = body, .reply = end_reply_take, .arg = r },
		&e);
}

/* ---- between them ---- */

/* At most n bytes of the one's output to the other; the number, or -1. */
static inline int to_server(struct h2_client *c, struct h2_server *s, size_t n,
			    int64_t now, struct err *err)
{
	struct view v = h2_client_output(c);

	if (v.len > n)
		v.len = n;
	if (v.len > 0 && h2_server_feed(s, v.p, v.len, now, err) < 0)
		return -1;
	h2_client_sent(c, v.len);
	return (int)v.len;
}

static inline int to_client(struct h2_server *s, struct h2_client *c, size_t n,
			    int64_t now, struct err *err)
{
	struct view v = h2_server_output(s);

	if (v.len > n)
		v.len = n;
	if (v.len > 0 && h2_client_feed(c, v.p, v.len, now, err) < 0)
		return -1;
	h2_server_sent(s, v.len);
	return (int)v.len;
}

/* Until neither has anything to say, n bytes at a time. */
static inline int converse(struct h2_client *c, struct h2_server *s, size_t n,
			   int64_t now, struct err *err)
{
	for (;;) {
		int a = to_server(c, s, n, now, err);
		int b = to_client(s, c, n, now, err);

		if (a < 0 || b < 0)
			return -1;
		if (a == 0 && b == 0)
			return 0;
	}
}

#endif
