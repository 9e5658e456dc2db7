/*
 * Reading: frames to messages, streams to where they go.
 *
 * Where the next byte waits (bulk_in.at):
 *
 *	CONN    for the peer: its silence counts
 *	PIPE    for the consumer of the stream; no silence of the peer's
 *	LIMIT   for a limit
 *	HELD    for our user: the next frame is one that nobody has asked for
 *	OVER    nothing comes any more
 *
 * In the last four we read nothing, and so the peer feels that we are slow.
 */
#include "rpc/bulk_io.h"

/* ---- the sink ---- */

void bulk_in_sink_done(struct bulk *b, enum pump_end end, bool at_end,
		       const struct err *err)
{
	if (b->in.sink.kind == BULK_NO_SINK)
		return;
	b->in.sink = (struct bulk_sink){ .kind = BULK_NO_SINK };
	pthread_mutex_lock(&b->lock);
	b->told.has_sink = false;
	b->told.pump_end = end;
	b->told.at_end = at_end;
	err_clear(&b->told.sink_err);
	if (err)
		err_copy(&b->told.sink_err, err);
	pthread_mutex_unlock(&b->lock);
	bulk_news(b);
}

static void stream_ended(struct bulk *b)
{
	const bool is_clean = b->in.ended_err.kind == ERR_NONE;

	bulk_in_sink_done(b, PUMP_EOF, true, is_clean ? NULL : &b->in.ended_err);
}

/* There is somebody who waits, and the end of input has been read. */
static void fail_at_end(struct bulk *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	err_set(&e, ERR_NETWORK, "the peer ended the connection in the middle of it");
	bulk_fail(b, &e);
}

void bulk_in_sink(struct bulk *b, const struct bulk_sink *s, int64_t now)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	b->in.sink = *s;
	b->in.moved_at = now;
	b->in.gate.is_blocked = false;
	if (b->in.has_ended) {
		stream_ended(b);
	} else if (b->has_failed) {
		pthread_mutex_lock(&b->lock);
		err_copy(&e, &b->told.err);
		pthread_mutex_unlock(&b->lock);
		bulk_in_sink_done(b, PUMP_CLOSED, false, &e);
	} else if (!b->in.in_stream) {
		b->in.in_stream = true;
		frame_reader_expect_stream(&b->in.reader);
		if (b->in.at == BULK_IN_OVER)
			fail_at_end(b);
	}
}

void bulk_in_check_stall(struct bulk *b, int64_t now)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	const int64_t stall = b->in.sink.opts.stall_ms;

	if (b->in.sink.kind == BULK_NO_SINK || stall <= 0)
		return;
	if (b->in.at == BULK_IN_LIMIT)
		b->in.moved_at = now;
	if (now - b->in.moved_at < stall)
		return;
	pump_stalled(&b->in.sink.opts, &e);
	bulk_in_sink_done(b, PUMP_CLOSED, false, &e);
}

/* ---- events ---- */

void bulk_in_expect(struct bulk *b, enum frame_type type, size_t max)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	if (b->has_failed)
		return;
	if (b->in.in_stream) {
		err_set(&e, ERR_INTERNAL, "a message expected in the middle of a stream");
		bulk_fail(b, &e);
		return;
	}
	b->in.has_ended = false;
	b->in.gate.is_blocked = false;
	frame_reader_expect_message(&b->in.reader, type, max);
	if (b->in.at == BULK_IN_OVER)
		fail_at_end(b);
}

static void tell_message(struct bulk *b)
{
	pthread_mutex_lock(&b->lock);
	b->told.has_message = !b->ask.expects; /* else it is too late */
	b->told.message = frame_reader_message(&b->in.reader);
	pthread_mutex_unlock(&b->lock);
	bulk_news(b);
}

static void on_stream_end(struct bulk *b, bool is_clean)
{
	b->in.in_stream = false;
	b->in.has_ended = true;
	err_clear(&b->in.ended_err);
	if (!is_clean)
		err_set(&b->in.ended_err, ERR_REMOTE, "%s",
			frame_reader_message(&b->in.reader).p);
	stream_ended(b);
}

static void on_rst(struct bulk *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	err_set(&e, ERR_NETWORK, "the peer closed the connection");
	b->out.is_dead = true; /* it would read nothing */
	bulk_fail(b, &e);
}

static void on_event(struct bulk *b, enum frame_event event, int64_t now, struct err *err)
{
	switch (event) {
	case FRAME_NEED_MORE:
	case FRAME_GOT_STREAM:
	case FRAME_UNEXPECTED:
		break;
	case FRAME_GOT_MESSAGE:
		tell_message(b);
		break;
	case FRAME_GOT_STREAM_END:
	case FRAME_GOT_SOURCE_ERROR:
		on_stream_end(b, event == FRAME_GOT_STREAM_END);
		break;
	case FRAME_GOT_HEARTBEAT:
		liveness_got_heartbeat(&b->live, now);
		break;
	case FRAME_GOT_RST:
		on_rst(b);
		break;
	case FRAME_BAD:
		b->out.is_dead = true;
		bulk_fail(b, err);
		break;
	}
}

/* ---- bytes ---- */

static void blocked(struct bulk *b, enum bulk_in_at at)
{
	b->in.at = at;
	b->in.gate.is_blocked = true;
}

/* What reading came to, when no bytes came. */
static bool on_result(struct bulk *b, enum conn_result r, struct err *err)
{
	switch (r) {
	case CONN_OK:
		return true;
	case CONN_AGAIN:
	case CONN_PIPE_EMPTY: /* is of writing */
		blocked(b, BULK_IN_CONN);
		return false;
	case CONN_PIPE_FULL:
		blocked(b, BULK_IN_PIPE);
		return false;
	case CONN_PIPE_CLOSED:
		bulk_in_sink_done(b, PUMP_CLOSED, false, NULL);
		return true;
	case CONN_END:
		b->in.at = BULK_IN_OVER;
		if (b->in.reader.want != FRAME_WANT_NOTHING || b->in.reader.head_have > 0)
			fail_at_end(b);
		return true;
	case CONN_FAILED:
		b->in.at = BULK_IN_OVER;
		b->farewell = BULK_NO_FAREWELL;
		b->out.is_dead = true;
		bulk_fail(b, err);
		return true;
	}
	return false;
}

static bool read_frame(struct bulk *b, size_t n, int64_t now)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	enum conn_result r;
	size_t got = 0;

	if (n > BULK_SCRATCH)
		n = BULK_SCRATCH;
	r = conn_read(b->conn, b->scratch, n, &got, &e);
	if (r != CONN_OK)
		return on_result(b, r, &e);
	liveness_read_bytes(&b->live, now);
	/* never more than it wants, so it takes all, and has one thing to say */
	on_event(b, frame_reader_feed(&b->in.reader, b->scratch, &got, &e), now, &e);
	return true;
}

static enum conn_result peek(struct bulk *b, size_t n, size_t *got, struct err *err)
{
	struct buf *into = b->in.sink.into;
	enum conn_result r;

	if (n > BULK_SCRATCH)
		n = BULK_SCRATCH;
	r = conn_read(b->conn, buf_reserve(into, n), n, got, err);
	if (r == CONN_OK)
		buf_added(into, *got);
	return r;
}

static bool take_stream(struct bulk *b, int64_t now)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	const struct pump_opts *o = &b->in.sink.opts;
	const bool is_peek = b->in.sink.kind == BULK_PEEK;
	const int64_t held = pump_wait_ms(o, bulk_now_us(b));
	size_t n = b->in.reader.payload_left, got = 0;
	enum conn_result r;

	if (held > 0) {
		b->in.resume_at = now + held;
		blocked(b, BULK_IN_LIMIT);
		return false;
	}
	if (is_peek && n > buf_room(b->in.sink.into))
		n = buf_room(b->in.sink.into);
	n = pump_portion(o, n);
	r = is_peek ? peek(b, n, &got, &e)
		    : conn_splice(b->conn, b->in.sink.pipe, n, &got, &e);
	if (r != CONN_OK)
		return on_result(b, r, &e);
	liveness_read_bytes(&b->live, now);
	frame_reader_took(&b->in.reader, got);
	b->in.moved_at = now;
	pump_count(o, got, bulk_now_us(b));
	return true;
}

bool bulk_in_step(struct bulk *b, int64_t now)
{
	struct bulk_in *in = &b->in;
	const size_t wants = frame_reader_wants(&in->reader);

	if (in->at == BULK_IN_OVER || !bulk_gate_open(&in->gate, now))
		return false;
	in->at = BULK_IN_CONN;
	if (in->sink.kind == BULK_PEEK && buf_room(in->sink.into) == 0) {
		bulk_in_sink_done(b, PUMP_EOF, false, NULL);
		return true;
	}
	if (wants > 0)
		return read_frame(b, wants, now);
	if (!in->reader.in_payload) { /* a head that has been waiting, or still does */
		cleanup(err_clear) struct err e = ERR_INIT;
		size_t none = 0;
		enum frame_event event = frame_reader_feed(&in->reader, "", &none, &e);

		on_event(b, event, now, &e);
		if (event != FRAME_UNEXPECTED)
			return true;
	} else if (in->sink.kind != BULK_NO_SINK) {
		return take_stream(b, now);
	}
	blocked(b, BULK_IN_HELD);
	return false;
}
