/*
 * Writing: one frame after the other, whole; a source read full before it goes out.
 *
 *	queue      whole messages, heartbeats, the end of a stream, RST
 *	frame      of the stream, begun when the queue is empty and the buffer full
 *
 * A frame that has begun is finished before anything else, so a heartbeat may wait behind
 * it; whether the peer takes its bytes is for liveness to judge.
 */
#include "rpc/bulk_io.h"

#include <errno.h>
#include <unistd.h>

enum { SOURCE_MAX = FRAME_PAYLOAD_MAX + 2, KEEP_QUEUE = 64 * 1024 };

/* ---- limits and counters ---- */

bool bulk_is_limited(const struct pump_opts *o)
{
	return o->limits[0] || o->limits[1];
}

int64_t bulk_limit_ms(const struct bulk *b, const struct pump_opts *o)
{
	int64_t now, first, second;

	if (!bulk_is_limited(o))
		return 0;
	now = bulk_now_us(b);
	first = rate_wait_ms(o->limits[0], now);
	second = rate_wait_ms(o->limits[1], now);
	return first > second ? first : second;
}

void bulk_count(const struct bulk *b, const struct pump_opts *o, size_t n)
{
	if (o->moved)
		atomic_fetch_add_explicit(o->moved, n, memory_order_relaxed);
	if (bulk_is_limited(o)) {
		rate_spend(o->limits[0], n, bulk_now_us(b));
		rate_spend(o->limits[1], n, bulk_now_us(b));
	}
}

/* ---- the source ---- */

void bulk_out_source(struct bulk *b, const struct bulk_source *s, int64_t now)
{
	b->out.state = BULK_SOURCE_READING;
	b->out.source = *s;
	b->out.bytes = xcalloc(1, SOURCE_MAX);
	b->out.moved_at = now;
	b->out.flush_ms = s->opts.stall_ms;
	if (b->has_failed || b->out.is_dead)
		bulk_out_withdraw(b);
}

/* It is the user's again; err: why, if that is news. */
static void give_back(struct bulk *b, enum bulk_source_state state, struct err *err)
{
	b->out.state = state;
	b->out.source = (struct bulk_source){ .fd = -1 };
	b->out.resume_at = 0;
	pthread_mutex_lock(&b->lock);
	b->told.source = state;
	b->told.source_is_news = state != BULK_SOURCE_WITHDRAWN;
	if (err)
		err_move(&b->told.source_err, err);
	pthread_mutex_unlock(&b->lock);
	bulk_news(b);
}

void bulk_out_withdraw(struct bulk *b)
{
	if (b->out.state == BULK_SOURCE_READING)
		give_back(b, BULK_SOURCE_WITHDRAWN, NULL);
}

void bulk_out_end(struct bulk *b, char *source_error)
{
	free(b->out.end_error);
	b->out.has_end = true;
	b->out.end_error = source_error;
	if (source_error) /* nobody needs all of what is incomplete */
		b->out.flush_ms = BULK_CLOSE_MS;
}

void bulk_out_check_stall(struct bulk *b, int64_t now)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	const int64_t stall = b->out.source.opts.stall_ms;

	if (b->out.state != BULK_SOURCE_READING || stall <= 0)
		return;
	if (b->out.resume_at > 0)
		b->out.moved_at = now;
	if (now - b->out.moved_at < stall)
		return;
	err_set(&e, ERR_TIMEOUT, "no byte moved for %lld ms", (long long)stall);
	give_back(b, BULK_SOURCE_BAD, &e);
}

static void at_end_of_source(struct bulk *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	if (frame_stream_chunk(b->out.have, true) > 0 || b->out.have == 0) {
		give_back(b, BULK_SOURCE_AT_END, NULL);
		return;
	}
	err_set(&e, ERR_INVALID, "the stream is one byte long");
	give_back(b, BULK_SOURCE_BAD, &e);
}

/* One read.  Returns whether the source may have more at once. */
static bool fill(struct bulk *b, int64_t now)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct bulk_out *o = &b->out;
	size_t room = SOURCE_MAX - o->have;
	const int64_t held = bulk_limit_ms(b, &o->source.opts);
	ssize_t n;

	o->resume_at = held > 0 ? now + held : 0;
	if (held > 0) {
		o->fill.is_blocked = true;
		return false;
	}
	if (bulk_is_limited(&o->source.opts) && room > BULK_LIMITED_MAX)
		room = BULK_LIMITED_MAX;
	n = read(o->source.fd, o->bytes + o->have, room);
	if (n > 0) {
		o->have += (size_t)n;
		o->moved_at = now;
		bulk_count(b, &o->source.opts, (size_t)n);
		return true;
	}
	if (n == 0) {
		at_end_of_source(b);
	} else if (errno == EAGAIN) {
		o->fill.is_blocked = true;
	} else if (errno != EINTR) {
		err_sys(&e, errno, "read the stream");
		give_back(b, BULK_SOURCE_BAD, &e);
	}
	return false;
}

/* Until it is full, or blocked.  Did something happen? */
static bool fill_up(struct bulk *b, int64_t now)
{
	const size_t before = b->out.have;

	if (b->out.state != BULK_SOURCE_READING || before == SOURCE_MAX ||
	    !bulk_gate_open(&b->out.fill, now))
		return false;
	while (b->out.have < SOURCE_MAX && fill(b, now))
		;
	return b->out.have > before || b->out.state != BULK_SOURCE_READING;
}

/* ---- frames ---- */

static bool has_stream(const struct bulk *b)
{
	return b->out.state != BULK_SOURCE_NONE;
}

bool bulk_out_is_pending(const struct bulk *b)
{
	return !b->out.is_dead &&
	       (b->out.frame_len > 0 || b->out.queue_at < b->out.queue.len);
}

bool bulk_out_is_idle(const struct bulk *b)
{
	return !bulk_out_is_pending(b) && !has_stream(b);
}

static void end_stream(struct bulk *b)
{
	struct bulk_out *o = &b->out;

	/* a byte that could not be sent alone is left over only where there is an error
	 */
	frame_put_end(&o->queue, o->end_error);
	free(TAKE(o->end_error));
	free(TAKE(o->bytes));
	o->have = 0;
	o->has_end = false;
	o->state = BULK_SOURCE_NONE;
}

/* The next thing to write, once there is nothing under way. */
static void begin(struct bulk *b)
{
	struct bulk_out *o = &b->out;
	const bool at_end = o->state == BULK_SOURCE_AT_END || o->has_end;
	size_t n;

	if (!has_stream(b) || bulk_out_is_pending(b))
		return;
	n = frame_stream_chunk(o->have, at_end);
	if (n > 0) {
		frame_put_head(o->head, FRAME_STREAM, (uint32_t)n);
		o->frame_len = FRAME_HEAD_LEN + n;
		o->frame_at = 0;
	} else if (o->has_end) {
		end_stream(b);
	}
}

static int frame_iov(struct bulk_out *o, struct iovec iov[2])
{
	const size_t at = o->frame_at;
	int n = 0;

	if (at < FRAME_HEAD_LEN) {
		iov[n++] = (struct iovec){ o->head + at, FRAME_HEAD_LEN - at };
		iov[n++] = (struct iovec){ o->bytes, o->frame_len - FRAME_HEAD_LEN };
	} else {
		iov[n++] = (struct iovec){ o->bytes + (at - FRAME_HEAD_LEN),
					   o->frame_len - at };
	}
	return n;
}

/* Bytes have gone out.  Does that complete what was under way? */
static bool advance(struct bulk_out *o, size_t n)
{
	if (o->frame_len > 0) {
		size_t sent = o->frame_len - FRAME_HEAD_LEN;

		o->frame_at += n;
		if (o->frame_at < o->frame_len)
			return false;
		o->have -= sent;
		memmove(o->bytes, o->bytes + sent, o->have);
		o->frame_len = 0;
		return true;
	}
	o->queue_at += n;
	if (o->queue_at < o->queue.len)
		return false;
	o->queue_at = 0;
	o->queue.len = 0;
	if (o->queue.cap > KEEP_QUEUE)
		buf_free(&o->queue);
	return true;
}

/*
 * Nothing goes out any more, but what the peer has said before it left may still be read:
 * a failed receiver answers, closes, and resets what we send.  Its answer says more than
 * our error.
 */
static void die(struct bulk *b, struct err *err)
{
	b->out.is_dead = true;
	b->farewell = BULK_NO_FAREWELL;
	if (b->in.at == BULK_IN_OVER || b->in.reader.want == FRAME_WANT_NOTHING) {
		bulk_fail(b, err);
		return;
	}
	err_move(&b->out.dead_err, err);
	b->in.gate.is_blocked = false;
	bulk_out_withdraw(b);
}

static bool write_some(struct bulk *b, int64_t now)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct bulk_out *o = &b->out;
	struct iovec iov[2];
	size_t put = 0;
	int n = 1;

	if (o->frame_len > 0)
		n = frame_iov(o, iov);
	else
		iov[0] = (struct iovec){ o->queue.p + o->queue_at,
					 o->queue.len - o->queue_at };
	switch (conn_write(b->conn, iov, n, &put, &e)) {
	case CONN_OK:
		o->moved_at = now;
		liveness_wrote_bytes(&b->live, now);
		if (advance(o, put))
			liveness_sent_frame(&b->live, now);
		return true;
	case CONN_FAILED:
		die(b, &e);
		return true;
	case CONN_AGAIN:
	case CONN_PIPE_FULL: /* these three are of reading */
	case CONN_PIPE_CLOSED:
	case CONN_PIPE_EMPTY:
	case CONN_END:
		o->gate.is_blocked = true;
		break;
	}
	return false;
}

bool bulk_out_step(struct bulk *b, int64_t now)
{
	bool moved = false;

	if (b->out.is_dead)
		return false;
	if (!bulk_out_is_pending(b)) {
		moved = fill_up(b, now);
		begin(b);
	}
	if (bulk_out_is_pending(b) && bulk_gate_open(&b->out.gate, now))
		moved = write_some(b, now) || moved;
	return moved;
}
