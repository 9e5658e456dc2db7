#include "rpc/client_impl.h"

#include "rpc/exchange.h"
#include "rpc/hello.h"
#include "rpc/inbound.h"
#include "rpc/pdu.h"

#include <assert.h>

/* ---- a request ---- */

/* A connection of its own for each request: a second one is never read. */
static struct bulk *dial(struct ctx *ctx, const struct rpc_client *c, struct err *err)
{
	cleanup(conn_closep) struct conn *conn = connector_dial(ctx, c->o.connector, err);

	if (!conn)
		return NULL;
	if (hello_dial(ctx, conn, HELLO_DATA, c->o.env, err) < 0) {
		err_wrap(err, "%s", connector_target(c->o.connector));
		return NULL;
	}
	return bulk_start(TAKE(conn), err);
}

static struct bulk *request(struct ctx *ctx, const struct rpc_client *c, const char *name,
			    const struct buf *body, struct err *err)
{
	struct bulk *b = dial(ctx, c, err);

	if (!b)
		return NULL;
	log_debug(&c->o.log, "request %s", name);
	bulk_put(b, FRAME_REQUEST_HEAD, view_of(name));
	bulk_put(b, FRAME_REQUEST, buf_view(body));
	bulk_expect(b, FRAME_RESPONSE_HEAD, FRAME_RESPONSE_HEAD_MAX);
	return b;
}

/*
 * What the source thinks of itself travels with its end: without it a stream that was cut
 * short would look complete.
 */
static void end_source(struct bulk *b, struct ep_stream *source)
{
	cleanup(err_clear) struct err why = ERR_INIT;

	bulk_put_end(b, stream_result(source, &why) < 0 ? err_msg(&why) : NULL);
}

/* source: NULL where none is being sent. */
static int next_message(struct ctx *ctx, struct bulk *b, struct ep_stream *source,
			struct err *err)
{
	for (;;) {
		switch (bulk_wait(ctx, b, err)) {
		case BULK_MESSAGE:
			return 0;
		case BULK_SOURCE_ENDED:
			end_source(b, source);
			break;
		case BULK_FAILED:
			return -1;
		}
	}
}

/* 0: the response is there. */
static int response(struct ctx *ctx, struct bulk *b, struct ep_stream *source,
		    struct err *err)
{
	if (next_message(ctx, b, source, err) < 0 ||
	    exchange_get_head(bulk_message(b), err) < 0)
		return -1;
	bulk_expect(b, FRAME_RESPONSE, FRAME_RESPONSE_MAX);
	return next_message(ctx, b, source, err);
}

/*
 * Only a peer that has answered is said goodbye to: it could not answer any more after
 * that, and whoever gives up should not wait.
 */
static void leave(struct bulk *b, const struct err *err)
{
	if (err->kind == ERR_NONE || err->kind == ERR_REMOTE)
		bulk_close(b);
	else
		bulk_abort(b);
}

/* ---- send: the stream comes here ---- */

struct sent {
	struct inbound in;
	struct bulk *bulk;
};

static int finish(struct ep_stream *stream, struct err *err)
{
	struct sent *s = CONTAINER_OF(stream, struct sent, in.stream);
	cleanup(err_clear) struct err why = ERR_INIT;
	int r = inbound_result(stream, &why);

	leave(s->bulk, &why);
	if (r < 0)
		err_move(err, &why);
	inbound_fini(&s->in);
	free(s);
	return r;
}

static const struct ep_stream_ops sent_ops = {
	.peek = inbound_peek,
	.pump = inbound_pump,
	.result = inbound_result,
	.finish = finish,
};

static int check_send_res(struct view res, const struct ep_send_req *req, struct err *err)
{
	struct pdu_send_res got;

	if (pdu_get_send_res(res, &got, err) < 0)
		return -1;
	/* The receiver keeps or drops its half of a stream by what was asked for. */
	if (got.used_token != (req->token != NULL))
		return err_set(err, ERR_PROTOCOL, "the sender %s the resume token",
			       got.used_token ? "made up" : "ignored");
	return 0;
}

int client_send(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		struct ep_stream **out, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(buf_free) struct buf body = { 0 };
	struct bulk *b;
	struct sent *s;

	pdu_put_send_req(&body, req);
	b = request(ctx, client_of(e), EXCHANGE_SEND, &body, err);
	if (!b)
		return -1;
	if (response(ctx, b, NULL, &why) < 0 ||
	    check_send_res(bulk_message(b), req, &why) < 0) {
		leave(b, &why);
		err_move(err, &why);
		return -1;
	}
	s = xcalloc(1, sizeof(*s));
	s->bulk = b;
	inbound_init(&s->in, b, &sent_ops);
	*out = &s->in.stream;
	return 0;
}

/* ---- receive: the stream goes there ---- */

/*
 * The response is waited for while the stream is sent: a receiver may fail early, and
 * then reads no more.
 */
int client_receive(struct ctx *ctx, struct endpoint *e, const struct ep_recv_req *req,
		   struct ep_stream *in, struct err *err)
{
	const struct rpc_client *c = client_of(e);
	const struct bulk_source source = {
		.fd = in->fd,
		.opts = { .moved = req->moved,
			  .stall_ms = c->o.env->stream_stall_ms,
			  .limits = { in->limit } },
	};
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(buf_free) struct buf body = { 0 };
	struct bulk *b;
	int r;

	assert(in->fd >= 0); /* one of the two sides is always here */
	pdu_put_receive_req(&body, req);
	b = request(ctx, c, EXCHANGE_RECV, &body, err);
	if (!b)
		return -1;
	bulk_put_stream(b, &source);
	r = response(ctx, b, in, &why);
	if (r == 0)
		r = pdu_get_empty(bulk_message(b), &why);
	leave(b, &why);
	if (r < 0)
		err_move(err, &why);
	return r;
}

/* ---- ping ---- */

int client_ping_bulk(struct ctx *ctx, struct rpc_client *c, const char *text,
		     struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(buf_free) struct buf body = { 0 };
	struct bulk *b;
	int r;

	pdu_put_ping(&body, text);
	b = request(ctx, c, EXCHANGE_PING, &body, err);
	if (!b)
		return -1;
	r = response(ctx, b, NULL, &why);
	if (r == 0)
		r = client_check_echo(bulk_message(b), text, &why);
	leave(b, &why);
	if (r < 0)
		err_move(err, &why);
	return r;
}
