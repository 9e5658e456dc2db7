/*
 * A server's bytes.  The first one says how they are cut, and what the client does
 * meanwhile.  Each call gets one reply, or none if it was cancelled.
 */
#include "rpc/h2_client.h"

#include "codec/utf8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CALLS = 12, CANCELS = 1, CALLS_AGAIN = 2, CHUNK_SHIFT = 2 };

struct one {
	struct h2_client *c;
	bool again;
	int replies;
};

static void reply(void *arg, const struct err *err, struct view body);

static int32_t call(struct one *o)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	return h2_client_call(o->c,
			      &(struct h2_call){ .path = "/Replication/Ping",
						 .body = VIEW("x"),
						 .reply = reply,
						 .arg = o },
			      &e);
}

static void reply(void *arg, const struct err *err, struct view body)
{
	struct one *o = arg;

	o->replies++;
	if (err_is(err, ERR_NONE))
		assert(body.len <= GRPC_MESSAGE_MAX);
	else
		assert(utf8_is_valid(view_of(err_msg(err))));
	if (o->again) {
		o->again = false;
		o->replies -= call(o) > 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct one calls[CALLS] = { 0 };
	unsigned how = size > 0 ? data[0] : 0;
	size_t chunk = (how >> CHUNK_SHIFT) + 1;
	struct h2_client *c = h2_client_new(0);
	int64_t next;

	for (size_t i = 0; i < CALLS; i++) {
		calls[i] = (struct one){ .c = c, .again = how & CALLS_AGAIN };
		assert(call(&calls[i]) > 0);
	}
	h2_client_sent(c, h2_client_output(c).len);
	if (how & CANCELS)
		h2_client_cancel(c, 5);
	for (size_t at = 1, n; at < size; at += n) {
		n = size - at < chunk ? size - at : chunk;
		if (h2_client_feed(c, data + at, n, (int64_t)at, &e) < 0)
			break;
		assert(h2_client_output(c).len < 128 * 1024);
		if (h2_client_is_choked(c))
			break;
	}
	(void)!h2_client_tick(c, 20000000, &next, &e);
	if (err_is(&e, ERR_NONE))
		err_set(&e, ERR_NETWORK, "end");
	while (h2_client_output(c).len > 0)
		h2_client_sent(c, h2_client_output(c).len);
	for (int i = 0; i < 2; i++) /* the second time for those that called again */
		h2_client_fail(c, &e);
	for (size_t i = 0; i < CALLS; i++)
		assert(calls[i].replies == (how & CANCELS && i == 2 ? 0 : 1));
	h2_client_free(c);
	return 0;
}
