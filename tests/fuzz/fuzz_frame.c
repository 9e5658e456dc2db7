/*
 * Frames through the reader.  The input says what is expected, and how it is cut:
 *
 *	PLAN 0 CUT CUT ... 0 FRAMES
 *
 * PLAN: a letter for each thing that is expected ('s' a stream, else a message); CUT: how
 * many bytes are fed at a time, over and over.  Fed in that way and all at once, it must
 * come to the same; what is kept must be within the limits, and text UTF-8.
 */
#include "codec/utf8.h"
#include "rpc/frame.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 1000 };

struct run {
	struct frame_reader r;
	struct view plan;
	struct buf log; /* what happened, the same however it is cut */
	size_t stream;
	bool is_over;
};

static void expect_next(struct run *x)
{
	char c;

	if (x->plan.len == 0)
		return;
	c = *x->plan.p;
	x->plan = (struct view){ x->plan.p + 1, x->plan.len - 1 };
	if (c == 's')
		frame_reader_expect_stream(&x->r);
	else
		frame_reader_expect_message(
			&x->r, (enum frame_type)(FRAME_REQUEST_HEAD + (c & 3)),
			MESSAGE_MAX);
}

static void on_event(struct run *x, enum frame_event e, const struct err *err)
{
	struct view m = frame_reader_message(&x->r);

	buf_printf(&x->log, "%d %zu %zu\n", (int)e, m.len, x->stream);
	switch (e) {
	case FRAME_GOT_MESSAGE:
		assert(m.len <= MESSAGE_MAX);
		expect_next(x);
		break;
	case FRAME_GOT_SOURCE_ERROR:
		assert(m.len > 0 && m.len <= FRAME_TRAILER_MAX && utf8_is_valid(m));
		expect_next(x);
		break;
	case FRAME_GOT_STREAM_END:
		expect_next(x);
		break;
	case FRAME_UNEXPECTED:
		assert(frame_reader_wants(&x->r) == 0);
		x->is_over = x->plan.len == 0;
		expect_next(x);
		break;
	case FRAME_BAD:
		assert(err->kind == ERR_PROTOCOL);
		x->is_over = true;
		break;
	case FRAME_GOT_RST:
		x->is_over = true;
		break;
	case FRAME_GOT_HEARTBEAT:
	case FRAME_GOT_STREAM:
	case FRAME_NEED_MORE:
		break;
	}
}

static size_t take_stream(struct run *x, size_t n)
{
	if (n > x->r.payload_left)
		n = x->r.payload_left;
	frame_reader_took(&x->r, n);
	x->stream += n;
	return n;
}

static void feed(struct run *x, struct view v)
{
	while (v.len > 0 && !x->is_over) {
		cleanup(err_clear) struct err err = ERR_INIT;
		size_t n = v.len, wants = frame_reader_wants(&x->r);
		enum frame_event e = frame_reader_feed(&x->r, v.p, &n, &err);

		assert(n <= v.len && (wants > 0 || n == 0));
		v = (struct view){ v.p + n, v.len - n };
		if (e == FRAME_GOT_STREAM) {
			n = take_stream(x, v.len);
			v = (struct view){ v.p + n, v.len - n };
		} else if (e != FRAME_NEED_MORE) {
			on_event(x, e, &err);
		} else {
			assert(v.len == 0);
		}
		/* nothing is allocated for what is only announced */
		assert(x->r.message.cap <= 4 * (size_t)FRAME_TRAILER_MAX);
	}
}

static struct view upto_nul(struct view *rest)
{
	const char *nul = rest->len ? memchr(rest->p, 0, rest->len) : NULL;
	struct view v = { rest->p, nul ? (size_t)(nul - rest->p) : rest->len };

	*rest = nul ? (struct view){ nul + 1, rest->len - v.len - 1 }
		    : (struct view){ rest->p + v.len, 0 };
	return v;
}

static void finish(struct run *x)
{
	frame_reader_fini(&x->r);
	buf_free(&x->log);
}

/* What we send of those bytes is understood, and no frame of it has one byte. */
static void check_writing(struct view v)
{
	cleanup(finish) struct run x = { 0 };
	cleanup(buf_free) struct buf out = { 0 };
	cleanup(buf_free) struct buf text = { 0 };

	if (v.len > MESSAGE_MAX)
		v.len = MESSAGE_MAX;
	buf_put(&text, v.p, v.len);
	frame_put_message(&out, FRAME_RESPONSE, v);
	frame_put_end(&out, buf_str(&text));
	for (size_t at = 0; at < out.len;) {
		const uint8_t *h = (const uint8_t *)out.p + at;
		size_t n = (size_t)h[6] << 8 | h[7];

		assert(n != 1 && h[4] == 0 && h[5] == 0);
		at += FRAME_HEAD_LEN + n;
	}
	x.plan = VIEW("s");
	frame_reader_expect_message(&x.r, FRAME_RESPONSE, MESSAGE_MAX + 1);
	for (size_t at = 0, n; at < out.len; at += n) {
		cleanup(err_clear) struct err err = ERR_INIT;
		enum frame_event e;

		n = out.len - at;
		e = frame_reader_feed(&x.r, out.p + at, &n, &err);
		assert(e == (at == 0 ? FRAME_GOT_MESSAGE : FRAME_GOT_SOURCE_ERROR));
		if (at == 0)
			assert(v.len == 1 || view_eq(frame_reader_message(&x.r), v));
		expect_next(&x);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(finish) struct run whole = { 0 }, cut = { 0 };
	struct view in = { (const char *)data, size };
	struct view plan = upto_nul(&in), cuts = upto_nul(&in);

	whole.plan = cut.plan = plan;
	expect_next(&whole);
	expect_next(&cut);
	feed(&whole, in);
	for (size_t at = 0, i = 0; at < in.len; i++) {
		size_t n = cuts.len ? (uint8_t)cuts.p[i % cuts.len] : 1;

		if (n > in.len - at)
			n = in.len - at;
		feed(&cut, (struct view){ in.p + at, n });
		at += n;
	}
	assert(view_eq(buf_view(&whole.log), buf_view(&cut.log)));
	assert(whole.stream == cut.stream);
	check_writing(in);
	return 0;
}
