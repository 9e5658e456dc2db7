#include "rpc/session.h"

#include "rpc/exchange.h"
#include "rpc/inbound.h"
#include "rpc/pdu.h"

#include <assert.h>

/*
 *	head, request --> handler --+--> "OK", response, [stream] --+--> close
 *	      |                     +--> "ERROR", why --------------+
 *	      +--> cannot be decoded -----^
 *
 * What cannot be decoded has no answer from zrepl 0.7; without one an active side would
 * take it for a lost connection, and try the same again.  The other way round, when we
 * are being stopped there is no answer: that is worth another try.
 *
 * Closing is prompt, or each request of a peer would take 10 s longer; and orderly, since
 * a reset would take the answer away from it.
 */
struct request {
	const struct session *s;
	struct bulk *bulk;
	struct arena arena;
	const char *method; /* "data:///v1/send" */
	bool is_logged;     /* that it has failed */
};

/* ---- answers ---- */

static void put_ok(struct bulk *b, const struct buf *response)
{
	cleanup(buf_free) struct buf head = { 0 };

	exchange_put_ok(&head);
	bulk_put(b, FRAME_RESPONSE_HEAD, buf_view(&head));
	bulk_put(b, FRAME_RESPONSE, buf_view(response));
}

static void log_failure(struct request *r, const struct err *why)
{
	session_log_failure(r->s, r->method, why);
	r->is_logged = true;
}

/* The handler has failed: that is the answer, and not what is wrong with the peer. */
static int put_error(struct ctx *ctx, struct request *r, const struct err *why,
		     struct err *err)
{
	cleanup(buf_free) struct buf head = { 0 };

	if (ctx_done(ctx)) {
		err_copy(err, why);
		return -1;
	}
	log_failure(r, why);
	exchange_put_error(&head, err_msg(why));
	bulk_put(r->bulk, FRAME_RESPONSE_HEAD, buf_view(&head));
	return 0;
}

/* ---- ping ---- */

static int handle_ping(struct ctx *ctx, struct request *r, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(buf_free) struct buf response = { 0 };
	const char *text;

	if (pdu_get_ping(&r->arena, bulk_message(r->bulk), &text, &why) < 0)
		return put_error(ctx, r, &why, err);
	pdu_put_ping(&response, text);
	put_ok(r->bulk, &response);
	return 0;
}

/* ---- send ---- */

static void end_stream(struct request *r, struct ep_stream *stream)
{
	cleanup(err_clear) struct err why = ERR_INIT;

	if (stream_result(stream, &why) < 0) {
		log_failure(r, &why);
		bulk_put_end(r->bulk, err_msg(&why));
	} else {
		bulk_put_end(r->bulk, NULL);
	}
}

/* A stream follows even if it has not a byte: the peer waits for one. */
static int put_stream(struct ctx *ctx, struct request *r, struct ep_stream *stream,
		      struct err *err)
{
	const struct bulk_source source = {
		.fd = stream->fd,
		.opts = { .stall_ms = r->s->env->stream_stall_ms,
			  .limits = { stream->limit } },
	};

	assert(stream->fd >= 0);
	bulk_put_stream(r->bulk, &source);
	if (bulk_wait(ctx, r->bulk, err) == BULK_SOURCE_ENDED) {
		end_stream(r, stream);
		return 0;
	}
	/* If it is the source that failed, the peer shall know. */
	if (!ctx_done(ctx))
		bulk_put_end(r->bulk, err_msg(err));
	return err_wrap(err, "send");
}

static int handle_send(struct ctx *ctx, struct request *r, struct err *err)
{
	struct endpoint *ep = r->s->ep;
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(buf_free) struct buf response = { 0 };
	struct ep_stream *stream = NULL;
	struct ep_send_req req;
	int done;

	if (pdu_get_send_req(&r->arena, bulk_message(r->bulk), &req, &why) < 0)
		return put_error(ctx, r, &why, err);
	if (!ep->ops->send)
		session_refuse(r->s, "to send", &why);
	else if (ep->ops->send(ctx, ep, &req, &stream, &why) < 0)
		stream = NULL;
	if (!stream)
		return put_error(ctx, r, &why, err);
	pdu_put_send_res(&response,
			 &(struct pdu_send_res){ .used_token = req.token != NULL });
	put_ok(r->bulk, &response);
	done = put_stream(ctx, r, stream, err);
	stream_finish(stream, &why); /* its result has been told */
	return done;
}

/* ---- receive ---- */

static const struct ep_stream_ops inbound_ops = {
	.peek = inbound_peek,
	.pump = inbound_pump,
	.result = inbound_result,
	.finish = inbound_result, /* whoever receives does not */
};

static int handle_recv(struct ctx *ctx, struct request *r, struct err *err)
{
	struct endpoint *ep = r->s->ep;
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(inbound_fini) struct inbound in;
	struct ep_recv_req req;
	int done;

	inbound_init(&in, r->bulk, &inbound_ops);
	if (pdu_get_receive_req(&r->arena, bulk_message(r->bulk), &req, &why) < 0)
		return put_error(ctx, r, &why, err);
	if (ep->ops->receive)
		done = ep->ops->receive(ctx, ep, &req, &in.stream, &why);
	else
		done = session_refuse(r->s, "to receive", &why);
	if (done < 0)
		return put_error(ctx, r, &why, err);
	put_ok(r->bulk, &(struct buf){ 0 });
	return 0;
}

/* ---- requests ---- */

typedef int handle_fn(struct ctx *ctx, struct request *r, struct err *err);

static const struct {
	const char *name, *method;
	handle_fn *handle;
} handlers[] = {
	{ EXCHANGE_SEND, "data://" EXCHANGE_SEND, handle_send },
	{ EXCHANGE_RECV, "data://" EXCHANGE_RECV, handle_recv },
	{ EXCHANGE_PING, "data://" EXCHANGE_PING, handle_ping },
};

static int next_message(struct ctx *ctx, struct bulk *b, enum frame_type type, size_t max,
			struct err *err)
{
	bulk_expect(b, type, max);
	return bulk_wait(ctx, b, err) == BULK_MESSAGE ? 0 : -1;
}

static int read_request(struct ctx *ctx, struct request *r, handle_fn **handle,
			struct err *err)
{
	*handle = NULL;
	if (next_message(ctx, r->bulk, FRAME_REQUEST_HEAD, FRAME_REQUEST_HEAD_MAX, err) <
	    0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
		if (view_eq(bulk_message(r->bulk), view_of(handlers[i].name))) {
			*handle = handlers[i].handle;
			r->method = handlers[i].method;
		}
	return next_message(ctx, r->bulk, FRAME_REQUEST, FRAME_REQUEST_MAX, err);
}

static int answer(struct ctx *ctx, struct request *r, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	handle_fn *handle;

	if (read_request(ctx, r, &handle, err) < 0)
		return -1;
	session_log_request(r->s, r->method);
	if (handle)
		return handle(ctx, r, err) < 0 ? err_wrap(err, "%s", r->method) : 0;
	err_set(&why, ERR_NOT_FOUND, "requested endpoint does not exist");
	return put_error(ctx, r, &why, err);
}

/*
 * What was put is on its way for as long as the peer takes it; only then comes what heeds
 * no ctx.
 */
static int flush(struct ctx *ctx, struct request *r, struct err *err)
{
	cleanup(ctx_freep) struct ctx *bounded = ctx_new(ctx);

	if (r->s->env->stream_stall_ms > 0)
		ctx_set_timeout(bounded, r->s->env->stream_stall_ms);
	return bulk_flush(bounded, r->bulk, err) < 0 ? err_wrap(err, "%s", r->method) : 0;
}

int session_bulk(struct ctx *ctx, const struct session *s, struct conn *c,
		 struct err *err)
{
	struct request r = { .s = s, .method = "data://unknown" };
	int done, flushed = 0;

	r.bulk = bulk_start(c, err);
	if (!r.bulk)
		return -1;
	done = answer(ctx, &r, err);
	if (done == 0)
		flushed = flush(ctx, &r, err);
	if (flushed < 0 || ctx_done(ctx))
		bulk_abort(r.bulk);
	else
		bulk_close(r.bulk);
	arena_free(&r.arena);
	if (flushed < 0 && r.is_logged) { /* one trouble, one line */
		err_clear(err);
		return 0;
	}
	return done < 0 ? done : flushed;
}
