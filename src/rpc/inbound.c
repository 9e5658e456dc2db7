#include "rpc/inbound.h"

void inbound_init(struct inbound *in, struct bulk *b, const struct ep_stream_ops *ops)
{
	*in = (struct inbound){ .stream = { .ops = ops, .fd = -1 }, .bulk = b };
}

void inbound_fini(struct inbound *in)
{
	err_clear(&in->failed);
}

static struct inbound *inbound_of(struct ep_stream *s)
{
	return CONTAINER_OF(s, struct inbound, stream);
}

static int failed(struct inbound *in, const struct err *err)
{
	err_copy(&in->failed, err);
	return -1;
}

int inbound_peek(struct ctx *ctx, struct ep_stream *s, struct buf *into, bool *at_end,
		 struct err *err)
{
	struct inbound *in = inbound_of(s);

	if (bulk_peek(ctx, in->bulk, into, at_end, err) < 0)
		return failed(in, err);
	in->is_ended = *at_end;
	return 0;
}

int inbound_pump(struct ctx *ctx, struct ep_stream *s, int to, const struct pump_opts *o,
		 enum pump_end *end, struct err *err)
{
	struct inbound *in = inbound_of(s);

	if (bulk_pump(ctx, in->bulk, to, o, end, err) < 0)
		return failed(in, err);
	in->is_ended = in->is_ended || *end == PUMP_EOF;
	return 0;
}

int inbound_result(struct ep_stream *s, struct err *err)
{
	const struct inbound *in = inbound_of(s);

	if (in->failed.kind != ERR_NONE) {
		err_copy(err, &in->failed);
		return -1;
	}
	if (!in->is_ended)
		return err_set(err, ERR_CANCELLED, "not read to its end");
	return 0;
}
