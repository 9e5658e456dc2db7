/*
 * Bodies, texts and timeouts of gRPC: what is put comes back, what is got is UTF-8
 * without NUL, and a message lies in its body.
 */
#include "codec/utf8.h"
#include "rpc/grpc.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(struct view v)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct view m = { 0 };

	if (grpc_get_message(v, &m, &e) == 0)
		assert(m.len + GRPC_PREFIX_LEN == v.len && m.p + m.len == v.p + v.len);
	else
		assert(err_is(&e, ERR_PROTOCOL));
}

static void check_text(struct view v)
{
	struct buf text = { 0 }, encoded = { 0 }, again = { 0 };

	grpc_get_text(&text, v);
	assert(utf8_is_valid(buf_view(&text)));
	assert(strlen(buf_str(&text)) == text.len);
	grpc_put_text(&encoded, buf_str(&text));
	for (size_t i = 0; i < encoded.len; i++)
		assert(encoded.p[i] >= 0x20 && encoded.p[i] <= 0x7e);
	grpc_get_text(&again, buf_view(&encoded));
	assert(text.len > GRPC_TEXT_MAX || view_eq(buf_view(&text), buf_view(&again)));
	assert(again.len <= GRPC_TEXT_MAX);
	buf_free(&text);
	buf_free(&encoded);
	buf_free(&again);
}

static void check_timeout(struct view v)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct buf text = { 0 };
	int64_t ms, again;

	if (grpc_get_timeout(v, &ms, &e) < 0)
		return;
	grpc_put_timeout(&text, ms);
	assert(text.len <= 9 && ms >= 0);
	assert(grpc_get_timeout(buf_view(&text), &again, &e) == 0);
	assert(again >= ms && again - ms < 3600000); /* rounded up to a unit */
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view v = { (const char *)data, size };

	check_message(v);
	check_text(v);
	check_timeout(v);
	return 0;
}
