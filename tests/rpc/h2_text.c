#include "h2_text.h"

#include "base/parse.h"

#include <assert.h>

/* ---- writing ---- */

static void put_32(struct buf *out, uint32_t v)
{
	char b[4] = { (char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v };

	buf_put(out, b, sizeof(b));
}

void h2_put(struct buf *out, unsigned type, unsigned flags, uint32_t id,
	    struct view payload)
{
	put_32(out, (uint32_t)payload.len << 8 | type);
	buf_put(out, &(char){ (char)flags }, 1);
	put_32(out, id);
	buf_put(out, payload.p, payload.len);
}

/* RFC 7541, 5.1, with a prefix of seven bits. */
static void put_length(struct buf *block, size_t n)
{
	if (n < 127) {
		buf_put(block, &(char){ (char)n }, 1);
		return;
	}
	buf_put(block, "\x7f", 1);
	for (n -= 127; n >= 128; n /= 128)
		buf_put(block, &(char){ (char)(n % 128 + 128) }, 1);
	buf_put(block, &(char){ (char)n }, 1);
}

void h2_put_field(struct buf *block, const char *name, struct view value)
{
	buf_put(block, "\0", 1);
	put_length(block, strlen(name));
	buf_put(block, name, strlen(name));
	put_length(block, value.len);
	buf_put(block, value.p, value.len);
}

void h2_put_settings(struct buf *out, unsigned id, uint32_t value)
{
	struct buf p = { 0 };

	buf_put(&p, (char[]){ (char)(id >> 8), (char)id }, 2);
	put_32(&p, value);
	h2_put(out, NGHTTP2_SETTINGS, 0, 0, buf_view(&p));
	buf_free(&p);
}

static void put_number(struct buf *out, unsigned type, uint32_t id, uint32_t number)
{
	struct buf p = { 0 };

	put_32(&p, number);
	h2_put(out, type, 0, id, buf_view(&p));
	buf_free(&p);
}

void h2_put_window(struct buf *out, uint32_t id, uint32_t more)
{
	put_number(out, NGHTTP2_WINDOW_UPDATE, id, more);
}

void h2_put_reset(struct buf *out, uint32_t id, uint32_t code)
{
	put_number(out, NGHTTP2_RST_STREAM, id, code);
}

void h2_put_goaway(struct buf *out, uint32_t last, uint32_t code, struct view text)
{
	struct buf p = { 0 };

	put_32(&p, last);
	put_32(&p, code);
	buf_put(&p, text.p, text.len);
	h2_put(out, NGHTTP2_GOAWAY, 0, 0, buf_view(&p));
	buf_free(&p);
}

void h2_put_ping(struct buf *out, const char *payload)
{
	h2_put(out, NGHTTP2_PING, 0, 0, (struct view){ payload, 8 });
}

void h2_put_headers(struct buf *out, uint32_t id, bool is_end, const char *const *fields)
{
	struct buf block = { 0 };

	for (; *fields; fields++) {
		/* Of a pseudo field the colon belongs to the name. */
		const char *eq = strchr(*fields, '=');
		char *name = view_dup((struct view){ *fields, (size_t)(eq - *fields) });

		h2_put_field(&block, name, view_of(eq + 1));
		free(name);
	}
	h2_put(out, NGHTTP2_HEADERS,
	       NGHTTP2_FLAG_END_HEADERS | (is_end ? NGHTTP2_FLAG_END_STREAM : 0U), id,
	       buf_view(&block));
	buf_free(&block);
}

void h2_put_hello(struct buf *out)
{
	buf_put(out, H2_PREFACE.p, H2_PREFACE.len);
	h2_put(out, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
}

void h2_put_request(struct buf *out, uint32_t id, const char *path, struct view body)
{
	struct buf message = { 0 }, p = { 0 };

	buf_printf(&p, ":path=%s", path);
	h2_put_headers(out, id, false,
		       (const char *[]){ ":method=POST", ":scheme=http", buf_str(&p),
					 ":authority=", "content-type=application/grpc",
					 "te=trailers", NULL });
	put_32(&message, (uint32_t)body.len >> 8);
	buf_put(&message, &(char){ (char)body.len }, 1);
	buf_put(&message, body.p, body.len);
	for (size_t at = 0, n; at < message.len; at += n) {
		n = message.len - at < 16384 ? message.len - at : 16384;
		h2_put(out, NGHTTP2_DATA,
		       at + n == message.len ? NGHTTP2_FLAG_END_STREAM : 0, id,
		       (struct view){ message.p + at, n });
	}
	buf_free(&message);
	buf_free(&p);
}

/* ---- reading ---- */

static uint32_t get_32(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void read_block(struct h2_text *t, struct view block)
{
	const uint8_t *p = (const uint8_t *)block.p;
	size_t left = block.len;
	int flags = 0;

	if (!t->inflater)
		nghttp2_hd_inflate_new(&t->inflater);
	while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
		nghttp2_nv nv;
		ssize_t n = nghttp2_hd_inflate_hd2(t->inflater, &nv, &flags, p, left, 1);

		assert(n >= 0);
		p += n;
		left -= (size_t)n;
		if (flags & NGHTTP2_HD_INFLATE_EMIT)
			buf_printf(&t->text, " %s=%s", nv.name, nv.value);
	}
	nghttp2_hd_inflate_end_headers(t->inflater);
}

static void read_settings(struct h2_text *t, struct view p)
{
	for (size_t i = 0; i + 6 <= p.len; i += 6)
		buf_printf(&t->text, " %u=%u",
			   (unsigned)(uint8_t)p.p[i] << 8 | (uint8_t)p.p[i + 1],
			   get_32(p.p + i + 2));
}

static void read_frame(struct h2_text *t, const char *head, struct view p)
{
	static const char *const names[] = { "data",        "headers",  "priority",
					     "reset",       "settings", "push",
					     "ping",        "goaway",   "window",
					     "continuation" };
	struct buf *o = &t->text;
	uint8_t type = (uint8_t)head[3], flags = (uint8_t)head[4];
	uint32_t id = get_32(head + 5);

	assert(type < ARRAY_LEN(names));
	buf_printf(o, "%s", names[type]);
	if (type == NGHTTP2_DATA) {
		t->data_len += p.len;
		buf_printf(o, " %u %zu", id, p.len);
	} else if (type == NGHTTP2_HEADERS) {
		assert(flags == NGHTTP2_FLAG_END_HEADERS ||
		       flags == (NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM));
		buf_printf(o, " %u", id);
		read_block(t, p);
	} else if (type == NGHTTP2_RST_STREAM) {
		buf_printf(o, " %u %s", id, nghttp2_http2_strerror(get_32(p.p)));
	} else if (type == NGHTTP2_GOAWAY) {
		buf_printf(o, " %u %s %.*s", get_32(p.p),
			   nghttp2_http2_strerror(get_32(p.p + 4)), (int)p.len - 8,
			   p.p + 8);
	} else if (type == NGHTTP2_WINDOW_UPDATE) {
		buf_printf(o, " %u +%u", id, get_32(p.p));
	} else if (flags & NGHTTP2_FLAG_ACK) {
		buf_printf(o, " ack");
	}
	if (type == NGHTTP2_SETTINGS)
		read_settings(t, p);
	for (size_t i = 0; type == NGHTTP2_PING && i < p.len; i++)
		buf_printf(o, "%s%02x", i ? "" : " ", (unsigned)(uint8_t)p.p[i]);
	if (type <= NGHTTP2_HEADERS && (flags & NGHTTP2_FLAG_END_STREAM))
		buf_printf(o, ", end");
	buf_put(o, "\n", 1);
}

void h2_text_feed(struct h2_text *t, struct view bytes)
{
	size_t at = 0;

	buf_put(&t->rest, bytes.p, bytes.len);
	if (view_starts(buf_view(&t->rest), H2_PREFACE.p))
		at = H2_PREFACE.len;
	while (t->rest.len - at >= 9) {
		const char *head = t->rest.p + at;
		size_t n = get_32(head) >> 8;

		if (t->rest.len - at < 9 + n)
			break;
		read_frame(t, head, (struct view){ head + 9, n });
		at += 9 + n;
	}
	buf_drop(&t->rest, at);
}

static bool is_wanted(struct view line, const char *words)
{
	struct view all = words ? view_of(words) : VIEW("");

	while (words && all.p) {
		struct view w = parse_field(&all, ' ');

		if (line.len >= w.len && memcmp(line.p, w.p, w.len) == 0)
			return true;
	}
	return !words;
}

const char *h2_text_take(struct h2_text *t, const char *words)
{
	struct view all = buf_view(&t->text);

	buf_free(&t->taken);
	while (all.len > 0) {
		struct view line = parse_field(&all, '\n');

		if (is_wanted(line, words))
			buf_printf(&t->taken, "%.*s\n", (int)line.len, line.p);
	}
	buf_free(&t->text);
	return buf_str(&t->taken);
}

void h2_text_fini(struct h2_text *t)
{
	if (t->inflater)
		nghttp2_hd_inflate_del(t->inflater);
	buf_free(&t->rest);
	buf_free(&t->text);
	buf_free(&t->taken);
}
