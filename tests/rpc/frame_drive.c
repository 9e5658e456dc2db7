#include "frame_drive.h"

#include <assert.h>
#include <inttypes.h>

size_t frame_limit(enum frame_type type)
{
	static const size_t limits[] = {
		[FRAME_REQUEST_HEAD] = FRAME_REQUEST_HEAD_MAX,
		[FRAME_REQUEST] = FRAME_REQUEST_MAX,
		[FRAME_RESPONSE_HEAD] = FRAME_RESPONSE_HEAD_MAX,
		[FRAME_RESPONSE] = FRAME_RESPONSE_MAX,
	};

	assert((size_t)type < ARRAY_LEN(limits));
	return limits[type];
}

/* FNV-1a */
uint32_t frame_sum(uint32_t sum, struct view v)
{
	if (sum == 0)
		sum = 2166136261U;
	for (size_t i = 0; i < v.len; i++)
		sum = (sum ^ (uint8_t)v.p[i]) * 16777619U;
	return sum;
}

static void expect_next(struct frame_drive *d)
{
	char c = *d->plan;

	if (c == '\0') {
		d->is_done = true;
		return;
	}
	d->plan++;
	if (c == 's') {
		frame_reader_expect_stream(&d->r);
		d->in_stream = true;
	} else {
		enum frame_type type = (enum frame_type)(c - '0');

		frame_reader_expect_message(&d->r, type, frame_limit(type));
	}
}

void frame_drive_start(struct frame_drive *d, const char *plan)
{
	*d = (struct frame_drive){ .plan = plan, .keeps_stream = d->keeps_stream };
	expect_next(d);
}

void frame_drive_fini(struct frame_drive *d)
{
	frame_reader_fini(&d->r);
	buf_free(&d->transcript);
	buf_free(&d->stream);
}

static bool is_printable(struct view v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.p[i] < ' ' || v.p[i] > '~')
			return false;
	return v.len > 0 && v.len < 64;
}

static void say_message(struct frame_drive *d)
{
	struct view v = frame_reader_message(&d->r);

	buf_printf(&d->transcript, "message %d %zu", (int)d->r.type, v.len);
	if (is_printable(v))
		buf_printf(&d->transcript, " %.*s\n", (int)v.len, v.p);
	else
		buf_printf(&d->transcript, " #%08" PRIx32 "\n", frame_sum(0, v));
}

static void say_stream(struct frame_drive *d)
{
	if (d->in_stream)
		buf_printf(&d->transcript, "stream %" PRIu64 " #%08" PRIx32 "\n",
			   d->stream_len, d->stream_sum);
	d->in_stream = false;
}

static size_t take_stream(struct frame_drive *d, struct view v)
{
	if (v.len > d->r.payload_left)
		v.len = d->r.payload_left;
	frame_reader_took(&d->r, v.len);
	d->stream_len += v.len;
	d->stream_sum = frame_sum(d->stream_sum, v);
	if (d->keeps_stream)
		buf_put(&d->stream, v.p, v.len);
	return v.len;
}

/* How many bytes of v this event takes in addition. */
static size_t on_event(struct frame_drive *d, enum frame_event e, struct view v,
		       const char *why)
{
	switch (e) {
	case FRAME_NEED_MORE:
		break;
	case FRAME_GOT_STREAM:
		return take_stream(d, v);
	case FRAME_GOT_MESSAGE:
		say_message(d);
		expect_next(d);
		break;
	case FRAME_GOT_STREAM_END:
		say_stream(d);
		buf_printf(&d->transcript, "end\n");
		expect_next(d);
		break;
	case FRAME_GOT_SOURCE_ERROR:
		say_stream(d);
		buf_printf(&d->transcript, "source error: %s\n",
			   frame_reader_message(&d->r).p);
		d->plan = "";
		break;
	case FRAME_GOT_HEARTBEAT:
		buf_printf(&d->transcript, "heartbeat\n");
		break;
	case FRAME_GOT_RST:
		buf_printf(&d->transcript, "rst\n");
		d->is_rst = true;
		break;
	case FRAME_UNEXPECTED:
		buf_printf(&d->transcript, "bad: unexpected\n");
		d->is_bad = true;
		break;
	case FRAME_BAD:
		buf_printf(&d->transcript, "bad: %s\n", why);
		d->is_bad = true;
		break;
	}
	return 0;
}

void frame_drive_feed(struct frame_drive *d, struct view v)
{
	while (v.len > 0 && !d->is_bad && !d->is_rst) {
		cleanup(err_clear) struct err err = ERR_INIT;
		size_t n = v.len, wants = frame_reader_wants(&d->r);
		enum frame_event e = frame_reader_feed(&d->r, v.p, &n, &err);

		/* it takes no more than it said, unless a head told it to go on */
		assert(n <= v.len && (e != FRAME_NEED_MORE || n == v.len));
		assert(wants > 0 || n == 0);
		assert((e == FRAME_BAD) == (err.kind == ERR_PROTOCOL));
		v.p += n;
		v.len -= n;
		n = on_event(d, e, v, err_msg(&err));
		v.p += n;
		v.len -= n;
	}
}
