/*
 * A client's bytes, after the preface.  The first one says how they are cut, and whether
 * requests are answered at once, later, or not at all.
 */
#include "rpc/h2_server.h"

#include "codec/utf8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLIES_NOW = 1, REPLIES_LATER = 2, READS = 4, CHUNK_SHIFT = 3 };

struct target {
	struct h2_server *s;
	unsigned how;
	int32_t ids[4 * H2_REQUESTS_MAX];
	size_t n;
	int32_t last;
};

static void request(void *arg, const struct h2_request *r)
{
	struct target *t = arg;

	assert(r->id % 2 == 1 && r->timeout_ms >= 0);
	assert(r->path[0] == '/' && r->body.len <= GRPC_MESSAGE_MAX);
	assert(h2_server_pending(t->s) <= H2_REQUESTS_MAX);
	if (t->how & REPLIES_NOW)
		h2_server_reply(t->s, r->id, r->body.len % 3 ? GRPC_OK : GRPC_UNKNOWN,
				r->path, r->body);
	else if (t->n < ARRAY_LEN(t->ids))
		t->ids[t->n++] = r->id;
}

static void cancelled(void *arg, int32_t id)
{
	(void)arg;
	assert(id % 2 == 1);
}

static bool feed(struct target *t, const void *p, size_t n, int64_t now)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct view out;

	if (h2_server_feed(t->s, p, n, now, &e) < 0) {
		assert(!err_is(&e, ERR_NONE) && !err_is(&e, ERR_INTERNAL));
		return false;
	}
	out = h2_server_output(t->s);
	assert(out.len < 128 * 1024);
	if (t->how & READS)
		h2_server_sent(t->s, out.len);
	return !h2_server_is_choked(t->s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
	cleanup(err_clear) struct err e = ERR_INIT;
	struct target t = { .how = size > 0 ? data[0] : 0 };
	size_t chunk = (t.how >> CHUNK_SHIFT) + 1;
	int64_t now = 0, next;

	if (size == 0)
		return 0;
	if (chunk > 20)
		chunk *= 50;
	t.s = h2_server_new(0, request, cancelled, &t);
	assert(feed(&t, hello, sizeof(hello) - 1, 0));
	for (size_t at = 1, n; at < size; at += n) {
		n = size - at < chunk ? size - at : chunk;
		if (!feed(&t, data + at, n, ++now))
			break;
	}
	for (size_t i = 0; t.how & REPLIES_LATER && i < t.n; i++)
		h2_server_reply(t.s, t.ids[i], GRPC_OK, NULL, VIEW("late"));
	for (int i = 0; i < 100 && h2_server_tick(t.s, now, &next, &e) == 0; i++) {
		struct view v = h2_server_output(t.s);

		h2_server_sent(t.s, v.len);
		assert(next > now);
		now = next;
	}
	h2_server_free(t.s);
	return 0;
}
