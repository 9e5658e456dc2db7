#include "rpc/frame.h"

#include "codec/utf8.h"

#include <assert.h>

static const char unknown_reason[] = "the source failed and does not say why";

/* ---- writing ---- */

static void put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void frame_put_head(uint8_t head[FRAME_HEAD_LEN], enum frame_type type, uint32_t len)
{
	put_u32(head, (uint32_t)type);
	put_u32(head + 4, len);
}

void frame_put_empty(struct buf *out, enum frame_type type)
{
	uint8_t head[FRAME_HEAD_LEN];

	frame_put_head(head, type, 0);
	buf_put(out, head, sizeof(head));
}

static void put_frame(struct buf *out, enum frame_type type, struct view payload)
{
	uint8_t head[FRAME_HEAD_LEN];

	assert(payload.len > 1 && payload.len <= FRAME_PAYLOAD_MAX);
	frame_put_head(head, type, (uint32_t)payload.len);
	buf_put(out, head, sizeof(head));
	buf_put(out, payload.p, payload.len);
}

static size_t chunk_of_all(size_t have)
{
	if (have <= FRAME_PAYLOAD_MAX)
		return have;
	return have == FRAME_PAYLOAD_MAX + 1 ? FRAME_PAYLOAD_MAX - 1 : FRAME_PAYLOAD_MAX;
}

static void put_frames(struct buf *out, enum frame_type type, struct view rest)
{
	while (rest.len > 0) {
		struct view now = { rest.p, chunk_of_all(rest.len) };

		put_frame(out, type, now);
		rest.p += now.len;
		rest.len -= now.len;
	}
}

void frame_put_message(struct buf *out, enum frame_type type, struct view payload)
{
	char padded[2] = { ' ', ' ' };

	if (payload.len == 1) {
		padded[0] = payload.p[0];
		payload = (struct view){ padded, sizeof(padded) };
	}
	put_frames(out, type, payload);
	frame_put_empty(out, FRAME_END);
}

void frame_put_end(struct buf *out, const char *source_error)
{
	cleanup(buf_free) struct buf text = { 0 };

	if (source_error) {
		/* a bare END would read as success */
		if (!*source_error)
			source_error = unknown_reason;
		utf8_put(&text, view_of(source_error), FRAME_SOURCE_ERROR_MAX);
		if (text.len == 1)
			buf_put(&text, " ", 1);
		put_frames(out, FRAME_TRAILER, buf_view(&text));
	}
	frame_put_empty(out, FRAME_END);
}

size_t frame_stream_chunk(size_t have, bool at_end)
{
	if (at_end)
		return have == 1 ? 0 : chunk_of_all(have);
	return have >= FRAME_PAYLOAD_MAX + 2 ? FRAME_PAYLOAD_MAX : 0;
}

/* ---- reading ----
 *
 *	HEAD      head_have < 8
 *	HEADED    head_have == 8, !in_payload: the head is complete, and is judged by
 *	          what is wanted; it stays so while it is unexpected, and when it is bad
 *	PAYLOAD   head_have == 8, in_payload: payload_left bytes of it are to come
 */

void frame_reader_fini(struct frame_reader *r)
{
	buf_free(&r->message);
	*r = (struct frame_reader){ 0 };
}

static void expect(struct frame_reader *r)
{
	r->message.len = 0;
	r->in_trailer = false;
}

void frame_reader_expect_message(struct frame_reader *r, enum frame_type type, size_t max)
{
	assert(!r->in_payload && max <= buf_room(&r->message) + r->message.len);
	expect(r);
	r->want = FRAME_WANT_MESSAGE;
	r->type = type;
	r->max = max;
}

void frame_reader_expect_stream(struct frame_reader *r)
{
	assert(!r->in_payload);
	expect(r);
	r->want = FRAME_WANT_STREAM;
	r->type = FRAME_STREAM;
}

static bool is_empty_type(uint32_t type)
{
	return type == FRAME_HEARTBEAT || type == FRAME_RST || type == FRAME_END;
}

static bool is_known_type(uint32_t type)
{
	return (type >= FRAME_REQUEST_HEAD && type <= FRAME_STREAM) ||
	       type == FRAME_TRAILER || is_empty_type(type);
}

static enum frame_event bad_type(const struct frame_reader *r, struct err *err)
{
	if (!is_known_type(r->frame_type))
		err_set(err, ERR_PROTOCOL, "a frame of unknown type %#x", r->frame_type);
	else if (r->in_trailer)
		err_set(err, ERR_PROTOCOL, "a frame of type %#x in a trailer",
			r->frame_type);
	else
		err_set(err, ERR_PROTOCOL, "a frame of type %#x, where %#x was to come",
			r->frame_type, (uint32_t)r->type);
	return FRAME_BAD;
}

/* The frame is taken. */
static enum frame_event next_frame(struct frame_reader *r, enum frame_event e)
{
	r->head_have = 0;
	r->in_payload = false;
	return e;
}

static enum frame_event begin_payload(struct frame_reader *r)
{
	r->in_payload = true;
	return r->frame_type == FRAME_STREAM ? FRAME_GOT_STREAM : FRAME_NEED_MORE;
}

static enum frame_event end_of_stream(struct frame_reader *r)
{
	cleanup(buf_free) struct buf text = { 0 };

	if (!r->in_trailer)
		return FRAME_GOT_STREAM_END;
	if (r->message.len == 0)
		buf_put(&r->message, unknown_reason, sizeof(unknown_reason) - 1);
	utf8_put(&text, buf_view(&r->message), FRAME_TRAILER_MAX);
	buf_free(&r->message);
	r->message = text;
	text = (struct buf){ 0 };
	return FRAME_GOT_SOURCE_ERROR;
}

static enum frame_event judge_end(struct frame_reader *r)
{
	enum frame_event e = FRAME_GOT_MESSAGE;

	if (r->want == FRAME_WANT_STREAM)
		e = end_of_stream(r);
	r->want = FRAME_WANT_NOTHING;
	return next_frame(r, e);
}

/* The head is complete, and of a message or a stream.  NEED_MORE: go on. */
static enum frame_event judge_data(struct frame_reader *r, struct err *err)
{
	bool is_trailer = r->want == FRAME_WANT_STREAM && r->frame_type == FRAME_TRAILER;

	if (r->frame_type == FRAME_END)
		return judge_end(r);
	if (!is_trailer && (r->frame_type != (uint32_t)r->type || r->in_trailer))
		return bad_type(r, err);
	if (r->want == FRAME_WANT_MESSAGE && r->payload_left > r->max - r->message.len) {
		err_set(err, ERR_PROTOCOL, "a message of type %#x over %zu bytes",
			r->frame_type, r->max);
		return FRAME_BAD;
	}
	r->in_trailer = is_trailer;
	if (r->payload_left == 0)
		return next_frame(r, FRAME_NEED_MORE);
	return begin_payload(r);
}

static enum frame_event judge(struct frame_reader *r, struct err *err)
{
	if (!is_known_type(r->frame_type))
		return bad_type(r, err);
	if (r->payload_left > FRAME_ACCEPT_MAX ||
	    (is_empty_type(r->frame_type) && r->payload_left > 0)) {
		err_set(err, ERR_PROTOCOL,
			"a frame of type %#x and %zu bytes is too large", r->frame_type,
			r->payload_left);
		return FRAME_BAD;
	}
	if (r->frame_type == FRAME_HEARTBEAT)
		return next_frame(r, FRAME_GOT_HEARTBEAT);
	if (r->frame_type == FRAME_RST)
		return next_frame(r, FRAME_GOT_RST);
	if (r->want == FRAME_WANT_NOTHING)
		return FRAME_UNEXPECTED;
	return judge_data(r, err);
}

/* How many of n bytes the payload takes. */
static size_t keep(struct frame_reader *r, const uint8_t *p, size_t n)
{
	size_t room = n;

	if (n > r->payload_left)
		n = room = r->payload_left;
	if (r->in_trailer && room > FRAME_TRAILER_MAX - r->message.len)
		room = FRAME_TRAILER_MAX - r->message.len;
	buf_put(&r->message, p, room);
	r->payload_left -= n;
	if (r->payload_left == 0)
		next_frame(r, FRAME_NEED_MORE);
	return n;
}

static size_t keep_head(struct frame_reader *r, const uint8_t *p, size_t n)
{
	size_t take = FRAME_HEAD_LEN - r->head_have;

	if (take > n)
		take = n;
	if (take > 0)
		memcpy(r->head + r->head_have, p, take);
	r->head_have += take;
	if (r->head_have == FRAME_HEAD_LEN) {
		r->frame_type = get_u32(r->head);
		r->payload_left = get_u32(r->head + 4);
	}
	return take;
}

enum frame_event frame_reader_feed(struct frame_reader *r, const void *p, size_t *n,
				   struct err *err)
{
	const uint8_t *bytes = p;
	enum frame_event e = FRAME_NEED_MORE;
	size_t at = 0;

	do {
		if (r->head_have < FRAME_HEAD_LEN)
			at += keep_head(r, bytes + at, *n - at);
		if (r->in_payload && r->frame_type == FRAME_STREAM)
			e = FRAME_GOT_STREAM;
		else if (r->in_payload)
			at += keep(r, bytes + at, *n - at);
		else if (r->head_have == FRAME_HEAD_LEN)
			e = judge(r, err);
	} while (e == FRAME_NEED_MORE && at < *n);
	*n = at;
	return e;
}

size_t frame_reader_wants(const struct frame_reader *r)
{
	if (r->head_have < FRAME_HEAD_LEN)
		return FRAME_HEAD_LEN - r->head_have;
	return r->in_payload && r->frame_type != FRAME_STREAM ? r->payload_left : 0;
}

void frame_reader_took(struct frame_reader *r, size_t n)
{
	assert(r->in_payload && r->frame_type == FRAME_STREAM && n <= r->payload_left);
	r->payload_left -= n;
	if (r->payload_left == 0)
		next_frame(r, FRAME_NEED_MORE);
}

struct view frame_reader_message(const struct frame_reader *r)
{
	return buf_view(&r->message);
}
