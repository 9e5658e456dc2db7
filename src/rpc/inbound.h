/*
 * inbound.h - a stream that arrives on a bulk connection, as an ep_stream.
 *
 * Whoever embeds it makes its ops of these functions, and adds finish.
 */
#ifndef RPC_INBOUND_H
#define RPC_INBOUND_H

#include "endpoint/endpoint.h"
#include "rpc/bulk.h"

struct inbound {
	struct ep_stream stream;
	struct bulk *bulk; /* borrowed */
	bool is_ended;     /* cleanly */
	struct err failed; /* why it was not */
};

void inbound_init(struct inbound *in, struct bulk *b, const struct ep_stream_ops *ops);
void inbound_fini(struct inbound *in);

int inbound_peek(struct ctx *ctx, struct ep_stream *s, struct buf *into, bool *at_end,
		 struct err *err) must_check;
int inbound_pump(struct ctx *ctx, struct ep_stream *s, int to, const struct pump_opts *o,
		 enum pump_end *end, struct err *err) must_check;
/* ERR_CANCELLED: nobody has read it to its end. */
int inbound_result(struct ep_stream *s, struct err *err) must_check;

#endif
