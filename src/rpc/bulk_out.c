/*
 * Writing: one frame after the other, whole.
 *
 *	queue      whole messages, heartbeats, the end of a stream, RST
 *	frame      of the stream, begun when the queue is empty
 *
 * A stream goes out of the source's pipe by splice, in frames of what is there, where the
 * connection can do that; elsewhere it is read into memory, and a frame is full before it
 * goes out.  Either way two bytes are held back until the end is known, so that no frame
 * has only one; when splicing, those are read into memory as soon as they are all that is
 * there, so that poll(2) speaks of what comes after them.
 *
 * A frame that has begun is finished before anything else, so a heartbeat may wait behind
 * it; whether the peer takes its bytes is for liveness to judge.
 */
#include "rpc/bulk_io.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	HELD_BACK = 2,
	SOURCE_MAX = FRAME_PAYLOAD_MAX + HELD_BACK,
	SPLICE_LEAST = 2 * HELD_BACK, /* fewer bytes are read */
	KEEP_QUEUE = 64 * 1024,
};

/* ---- the source ---- */

void bulk_out_source(struct bulk *b, const struct bulk_source *s, int64_t now)
{
	b->out.state = BULK_SOURCE_READING;
	b->out.source = *s;
	b->out.splices = conn_can_splice_from(b->conn, s->fd);
	b->out.room = b->out.splices ? SPLICE_LEAST : SOURCE_MAX;
	b->out.bytes = xcalloc(1, b->out.room);
	b->out.moved_at = now;
	b->out.flush_ms = s->opts.stall_ms;
	if (b->has_failed || b->out.is_dead)
		bulk_out_withdraw(b);
}

static size_t frame_in_memory(const struct bulk_out *o)
{
	return FRAME_HEAD_LEN + o->frame_in_bytes;
}

/*
 * The pipe is about to be its user's again, and part of the frame under way is in it: it
 * becomes the first thing in the queue.
 */
static void take_rest_of_frame(struct bulk_out *o)
{
	const size_t in_memory = frame_in_memory(o), at = o->frame_at;
	size_t left = o->frame_len - (at > in_memory ? at : in_memory);
	cleanup(buf_free) struct buf rest = { 0 };

	if (o->frame_len == 0 || left == 0)
		return;
	if (at < FRAME_HEAD_LEN)
		buf_put(&rest, o->head + at, FRAME_HEAD_LEN - at);
	if (at < in_memory) {
		size_t sent = at > FRAME_HEAD_LEN ? at - FRAME_HEAD_LEN : 0;

		buf_put(&rest, o->bytes + sent, o->frame_in_bytes - sent);
	}
	while (left > 0) {
		ssize_t n = read(o->source.fd, buf_reserve(&rest, left), left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) { /* somebody else has read it */
			o->is_dead = true;
			return;
		}
		buf_added(&rest, (size_t)n);
		left -= (size_t)n;
	}
	buf_put(&rest, o->queue.p, o->queue.len);
	buf_free(&o->queue);
	o->queue = rest;
	rest = (struct buf){ 0 };
	o->frame_len = 0;
	o->have = 0;
}

/* It is the user's again; err: why, if that is news. */
static void give_back(struct bulk *b, enum bulk_source_state state, struct err *err)
{
	take_rest_of_frame(&b->out);
	b->out.in_pipe = 0;
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
	pump_stalled(&b->out.source.opts, &e);
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

/* By a limit. */
static bool is_held(struct bulk *b, int64_t now)
{
	const int64_t held = pump_wait_ms(&b->out.source.opts, bulk_now_us(b));

	b->out.resume_at = held > 0 ? now + held : 0;
	b->out.fill.is_blocked = held > 0;
	return held > 0;
}

/* One read.  Returns whether the source may have more at once. */
static bool fill(struct bulk *b, int64_t now)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct bulk_out *o = &b->out;
	ssize_t n;

	if (is_held(b, now))
		return false;
	n = read(o->source.fd, o->bytes + o->have,
		 pump_portion(&o->source.opts, o->room - o->have));
	if (n > 0) {
		o->have += (size_t)n;
		o->moved_at = now;
		pump_count(&o->source.opts, (size_t)n, bulk_now_us(b));
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

/* Is there enough in the pipe to be left there? */
static bool look_into_pipe(struct bulk *b, int64_t now)
{
	struct bulk_out *o = &b->out;
	int n = 0;

	if (!o->splices || is_held(b, now) || ioctl(o->source.fd, FIONREAD, &n) < 0 ||
	    o->have + (size_t)n < SPLICE_LEAST)
		return false;
	o->in_pipe = pump_portion(&o->source.opts, (size_t)n);
	o->moved_at = now;
	return true;
}

/* Until it is full, or blocked.  Did something happen? */
static bool fill_up(struct bulk *b, int64_t now)
{
	struct bulk_out *o = &b->out;
	const size_t before = o->have;

	if (o->state != BULK_SOURCE_READING || before == o->room ||
	    !bulk_gate_open(&o->fill, now))
		return false;
	if (look_into_pipe(b, now))
		return true;
	while (o->have < o->room && !o->fill.is_blocked && fill(b, now))
		;
	return o->have > before || o->state != BULK_SOURCE_READING;
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

	/* of a stream that ends with an error one byte may be left over: see frame.h */
	frame_put_end(&o->queue, o->end_error);
	free(TAKE(o->end_error));
	free(TAKE(o->bytes));
	o->have = 0;
	o->has_end = false;
	o->state = BULK_SOURCE_NONE;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The next thing to write, once there is nothing under way. */
static void begin(struct bulk *b)
{
	struct bulk_out *o = &b->out;
	const bool at_end = o->state == BULK_SOURCE_AT_END || o->has_end;
	size_t n;

	if (!has_stream(b) || bulk_out_is_pending(b))
		return;
	if (o->splices && !at_end && o->have + o->in_pipe >= SPLICE_LEAST)
		n = least(o->have + o->in_pipe - HELD_BACK, FRAME_PAYLOAD_MAX);
	else
		n = frame_stream_chunk(o->have, at_end);
	if (n > 0) {
		frame_put_head(o->head, FRAME_STREAM, (uint32_t)n);
		o->frame_len = FRAME_HEAD_LEN + n;
		o->frame_at = 0;
		o->frame_in_bytes = least(o->have, n);
		pump_count(&o->source.opts, n - o->frame_in_bytes, bulk_now_us(b));
		o->in_pipe = 0;
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
		iov[n++] = (struct iovec){ o->bytes, o->frame_in_bytes };
	} else {
		iov[n++] = (struct iovec){ o->bytes + (at - FRAME_HEAD_LEN),
					   frame_in_memory(o) - at };
	}
	return n;
}

/* Bytes have gone out.  Does that complete what was under way? */
static bool advance(struct bulk_out *o, size_t n)
{
	if (o->frame_len > 0) {
		o->frame_at += n;
		if (o->frame_at < o->frame_len)
			return false;
		o->have -= o->frame_in_bytes;
		memmove(o->bytes, o->bytes + o->frame_in_bytes, o->have);
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

/* It was but a heartbeat, and what the peer has said our user has not asked for yet. */
static bool is_nobodys_loss(struct bulk *b)
{
	bool is_idle;

	pthread_mutex_lock(&b->lock);
	is_idle = b->told.is_idle;
	pthread_mutex_unlock(&b->lock);
	return is_idle && b->in.at == BULK_IN_HELD;
}

/*
 * Nothing goes out any more, but what the peer has said before it left may still be read:
 * a failed receiver answers, closes, and resets what we send.  Its answer says more than
 * our error.  A sender that is through leaves ten seconds later, and its stream may be
 * all in our kernel.
 */
static void die(struct bulk *b, struct err *err)
{
	b->out.is_dead = true;
	b->farewell = BULK_NO_FAREWELL;
	if (b->in.at == BULK_IN_OVER ||
	    (b->in.reader.want == FRAME_WANT_NOTHING && !is_nobodys_loss(b))) {
		bulk_fail(b, err);
		return;
	}
	err_move(&b->out.dead_err, err);
	b->in.gate.is_blocked = false;
	bulk_out_withdraw(b);
}

/* What is under way: from memory, and then from the source's pipe. */
static enum conn_result put_some(struct bulk *b, size_t *put, struct err *err)
{
	struct bulk_out *o = &b->out;
	const size_t in_memory = frame_in_memory(o);
	struct iovec iov[2];
	int n;

	if (o->frame_len == 0) {
		iov[0] = (struct iovec){ o->queue.p + o->queue_at,
					 o->queue.len - o->queue_at };
		return conn_write(b->conn, iov, 1, put, err);
	}
	if (o->frame_at >= in_memory)
		return conn_splice_from(b->conn, o->source.fd, o->frame_len - o->frame_at,
					put, err);
	n = frame_iov(o, iov);
	conn_more(b->conn, o->frame_len > in_memory);
	const enum conn_result r = conn_write(b->conn, iov, n, put, err);

	conn_more(b->conn, false);
	return r;
}

static bool write_some(struct bulk *b, int64_t now)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct bulk_out *o = &b->out;
	size_t put = 0;

	switch (put_some(b, &put, &e)) {
	case CONN_OK:
		o->moved_at = now;
		liveness_wrote_bytes(&b->live, now);
		if (advance(o, put))
			liveness_sent_frame(&b->live, now);
		return true;
	case CONN_FAILED:
		die(b, &e);
		return true;
	case CONN_PIPE_EMPTY:
		err_set(&e, ERR_INTERNAL, "somebody else reads the stream");
		die(b, &e);
		return true;
	case CONN_AGAIN:
	case CONN_PIPE_FULL: /* these three are of reading */
	case CONN_PIPE_CLOSED:
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
