/*
 * The thread of a connection: it takes its user's wishes, reads, writes, keeps time, and
 * waits only when none of that gets any further.
 *
 *	OPEN --- failure ---> FAILED            (tells the user, lets go of what is his)
 *	  |                     |
 *	  +---- bulk_close() ---+--> FAREWELL: RST, half-close, read to the end, 10 s
 *	  +---- bulk_abort() --------------------------------------------------> gone
 *
 * Closed while OPEN, what is queued goes out first.
 */
#include "rpc/bulk_io.h"

static int64_t now_of(const struct bulk *b)
{
	return b->clock ? atomic_load(b->clock) : now_ms();
}

int64_t bulk_now_us(const struct bulk *b)
{
	return b->clock ? atomic_load(b->clock) * 1000 : now_in_us();
}

bool bulk_gate_open(struct bulk_gate *g, int64_t now)
{
	if (g->is_blocked && now - g->tried_at < BULK_RETRY_MS)
		return false;
	g->is_blocked = false;
	g->tried_at = now;
	return true;
}

void bulk_news(struct bulk *b)
{
	wake_signal(&b->news);
}

void bulk_fail(struct bulk *b, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;

	if (b->has_failed)
		return;
	/* what happened first is the reason */
	err_move(&why, b->out.dead_err.kind != ERR_NONE ? &b->out.dead_err : err);
	b->has_failed = true;
	b->in.at = BULK_IN_OVER;
	bulk_in_sink_done(b, PUMP_CLOSED, false, &why);
	bulk_out_withdraw(b);
	pthread_mutex_lock(&b->lock);
	b->told.has_failed = true;
	err_move(&b->told.err, &why);
	pthread_mutex_unlock(&b->lock);
	bulk_news(b);
}

/* ---- wishes ---- */

static void take_messages(struct bulk *b)
{
	if (b->ask.put.len == 0)
		return;
	if (b->out.queue.len == 0) {
		struct buf mine = b->out.queue;

		b->out.queue = b->ask.put;
		b->ask.put = mine;
	} else {
		buf_put(&b->out.queue, b->ask.put.p, b->ask.put.len);
		buf_free(&b->ask.put);
	}
}

static void take_wishes(struct bulk *b, int64_t now)
{
	struct bulk_ask ask;

	pthread_mutex_lock(&b->lock);
	take_messages(b);
	ask = b->ask;
	b->ask = (struct bulk_ask){ .put = ask.put };
	pthread_mutex_unlock(&b->lock);

	if (ask.expects)
		bulk_in_expect(b, ask.type, ask.max);
	if (ask.gives_source)
		bulk_out_source(b, &ask.source, now);
	if (ask.withdraws_source || ask.closes)
		bulk_out_withdraw(b);
	if (ask.gives_end)
		bulk_out_end(b, ask.end_error);
	if (ask.gives_sink)
		bulk_in_sink(b, &ask.sink, now);
	if (ask.withdraws_sink)
		bulk_in_sink_done(b, PUMP_CLOSED, false, NULL);
	if (ask.closes && !b->is_closing) {
		b->is_closing = true;
		b->closing_at = now;
	}
	b->is_aborted = b->is_aborted || ask.aborts;
}

static void tell_output(struct bulk *b)
{
	struct bulk_told *t = &b->told;
	bool is_news = false;

	pthread_mutex_lock(&b->lock);
	if (b->out.is_dead) { /* what is lost is not written */
		is_news = !t->is_dead;
		t->is_dead = true;
	} else if (bulk_out_is_idle(b) && !t->is_idle && b->ask.put.len == 0 &&
		   !b->ask.gives_source && !b->ask.gives_end) {
		t->is_idle = is_news = true;
		t->source = BULK_SOURCE_NONE; /* its end has gone out */
	}
	pthread_mutex_unlock(&b->lock);
	if (is_news)
		bulk_news(b);
}

/* ---- time ---- */

static void time_out(struct bulk *b, const char *what)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	err_set(&e, ERR_TIMEOUT, "%s: %s for %d s", conn_peer(b->conn), what,
		LIVENESS_IDLE_MS / 1000);
	b->out.is_dead = true;
	bulk_fail(b, &e);
}

/* What we wait for to count against the peer. */
static void set_liveness(struct bulk *b, int64_t now)
{
	liveness_reading(&b->live, b->in.at == BULK_IN_CONN, now);
	liveness_writing(&b->live, bulk_out_is_pending(b), now);
}

/* Did something happen? */
static bool check_liveness(struct bulk *b, int64_t now)
{
	switch (liveness_due(&b->live, now)) {
	case LIVENESS_NOTHING:
		return false;
	case LIVENESS_SEND_HEARTBEAT:
		if (b->has_failed || b->out.is_dead)
			liveness_sent_frame(&b->live, now); /* so to speak */
		else
			frame_put_empty(&b->out.queue, FRAME_HEARTBEAT);
		break;
	case LIVENESS_READ_TIMEOUT:
		if (b->in.gate.tried_at != now) { /* it may have sent less than we want */
			b->in.gate.is_blocked = false;
			break;
		}
		b->farewell = BULK_BRIEF_FAREWELL;
		time_out(b, "silent");
		break;
	case LIVENESS_WRITE_TIMEOUT:
		b->farewell = BULK_NO_FAREWELL; /* it could not be said */
		time_out(b, "took nothing");
		break;
	}
	return true;
}

static int64_t flush_deadline(const struct bulk *b)
{
	const int64_t since =
		b->out.moved_at > b->closing_at ? b->out.moved_at : b->closing_at;

	return b->is_closing && b->out.flush_ms > 0 ? since + b->out.flush_ms : INT64_MAX;
}

static bool check_times(struct bulk *b, int64_t now)
{
	const bool had_failed = b->has_failed;

	bulk_in_check_stall(b, now);
	bulk_out_check_stall(b, now);
	set_liveness(b, now);
	if (now >= flush_deadline(b) && bulk_out_is_pending(b)) {
		b->farewell = BULK_NO_FAREWELL;
		time_out(b, "took nothing of the end");
	}
	return check_liveness(b, now) || had_failed != b->has_failed;
}

static void sooner(int64_t *t, bool is_due, int64_t other)
{
	if (is_due && other < *t)
		*t = other;
}

static int64_t next_time(const struct bulk *b)
{
	const struct bulk_in *in = &b->in;
	const struct bulk_out *out = &b->out;
	int64_t t = liveness_next(&b->live);

	sooner(&t, in->at == BULK_IN_LIMIT, in->resume_at);
	sooner(&t, in->at == BULK_IN_CONN && in->reader.payload_left > 0,
	       in->gate.tried_at + BULK_LOOK_MS);
	sooner(&t, in->sink.kind != BULK_NO_SINK && in->sink.opts.stall_ms > 0,
	       in->moved_at + in->sink.opts.stall_ms);
	sooner(&t, out->resume_at > 0, out->resume_at);
	sooner(&t, out->state == BULK_SOURCE_READING && out->source.opts.stall_ms > 0,
	       out->moved_at + out->source.opts.stall_ms);
	sooner(&t, bulk_out_is_pending(b), flush_deadline(b));
	return t;
}

/* ---- waiting ---- */

struct waiting {
	struct pollfd fds[CTX_POLL_MAX];
	nfds_t n, conn_end, source, pipe; /* places in fds; n: none */
};

static nfds_t watch(struct waiting *w, int fd, short events)
{
	w->fds[w->n] = (struct pollfd){ .fd = fd, .events = events };
	return w->n++;
}

static void prepare(struct bulk *b, struct waiting *w)
{
	const bool reads = b->in.at == BULK_IN_CONN;
	const bool fills = b->out.state == BULK_SOURCE_READING &&
			   !bulk_out_is_pending(b) && b->out.resume_at == 0;

	*w = (struct waiting){ .source = CTX_POLL_MAX, .pipe = CTX_POLL_MAX };
	watch(w, b->work.fd, POLLIN);
	w->n += conn_poll(b->conn, reads, bulk_out_is_pending(b), w->fds + w->n);
	w->conn_end = w->n;
	if (fills)
		w->source = watch(w, b->out.source.fd, POLLIN);
	if (b->in.sink.kind == BULK_PUMP) /* without events: has its reader gone? */
		w->pipe =
			watch(w, b->in.sink.pipe, b->in.at == BULK_IN_PIPE ? POLLOUT : 0);
	/* what is left of a payload, not each of its segments */
	if (reads)
		conn_want(b->conn, b->in.reader.head_have == FRAME_HEAD_LEN &&
						   b->in.reader.payload_left > 0
					   ? b->in.reader.payload_left
					   : 1);
}

static void look(struct bulk *b, const struct waiting *w)
{
	bool has_conn = false;

	if (w->fds[0].revents)
		wake_clear(&b->work);
	for (nfds_t i = 1; i < w->conn_end; i++)
		has_conn = has_conn || w->fds[i].revents;
	if (has_conn)
		b->in.gate.is_blocked = b->out.gate.is_blocked = false;
	if (w->source < w->n && w->fds[w->source].revents)
		b->out.fill.is_blocked = false;
	if (w->pipe >= w->n || !w->fds[w->pipe].revents)
		return;
	b->in.gate.is_blocked = false;
	/* unless what the peer says next is that this was all */
	if (!has_conn && (w->fds[w->pipe].revents & (POLLERR | POLLHUP | POLLNVAL)))
		bulk_in_sink_done(b, PUMP_CLOSED, false, NULL);
}

/* What a limit held back may go on, and what is slow is looked at. */
static void resume(struct bulk *b, int64_t now)
{
	if (b->in.at == BULK_IN_LIMIT && now >= b->in.resume_at)
		b->in.gate.is_blocked = false;
	if (b->in.at == BULK_IN_CONN && now - b->in.gate.tried_at >= BULK_LOOK_MS)
		b->in.gate.is_blocked = false;
	if (b->out.resume_at > 0 && now >= b->out.resume_at)
		b->out.fill.is_blocked = false;
}

static void wait_for_something(struct bulk *b, int64_t now)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	const int64_t next = next_time(b);
	struct waiting w;

	if (b->in.at == BULK_IN_CONN && conn_ready(b->conn)) {
		b->in.gate.is_blocked = false;
		return;
	}
	prepare(b, &w);
	if (ctx_poll(b->forever, w.fds, w.n, next > now ? next - now : 0, &e) < 0) {
		b->out.is_dead = true;
		bulk_fail(b, &e);
		return;
	}
	look(b, &w);
	resume(b, now_of(b));
}

/* ---- the end ---- */

/* Returns false when the time is up, or the connection gone. */
static bool wait_for_conn(struct bulk *b, bool reads, int64_t until)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct pollfd fds[CONN_FDS + 1] = { { .fd = b->work.fd, .events = POLLIN } };
	int64_t left = until - now_of(b);
	nfds_t n = 1;

	if (left <= 0)
		return false;
	if (reads && conn_ready(b->conn))
		return true;
	n += conn_poll(b->conn, reads, !reads, fds + 1);
	if (ctx_poll(b->forever, fds, n, left, &e) < 0)
		return false;
	if (fds[0].revents)
		wake_clear(&b->work);
	return true;
}

static bool flush_until(struct bulk *b, int64_t until)
{
	while (bulk_out_is_pending(b)) {
		b->out.gate.is_blocked = false;
		if (!bulk_out_step(b, now_of(b)) && !wait_for_conn(b, false, until))
			return false;
	}
	return !b->out.is_dead;
}

static bool half_close(struct bulk *b, int64_t until)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	enum conn_result r;

	while ((r = conn_finish(b->conn, &e)) == CONN_AGAIN)
		if (!wait_for_conn(b, false, until))
			return false;
	return r == CONN_OK;
}

/* A socket that is closed with unread input resets the connection, and our last words
 * may be lost with it. */
static void discard(struct bulk *b, int64_t until)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	enum conn_result r;
	size_t got;

	conn_want(b->conn, 1);
	for (;;) {
		r = conn_read(b->conn, b->scratch, BULK_SCRATCH, &got, &e);
		if (r == CONN_AGAIN ? !wait_for_conn(b, true, until)
				    : r != CONN_OK || now_of(b) >= until)
			return;
	}
}

static void say_goodbye(struct bulk *b)
{
	const int64_t until = now_of(b) + BULK_CLOSE_MS;

	if (b->farewell == BULK_NO_FAREWELL)
		return;
	/* A peer that closes, too, or is mistaken, reads no more than where our frames
	 * end: what is under way is completed, so that RST is seen as one. */
	b->out.is_dead = false;
	free(TAKE(b->out.end_error));
	b->out.state = BULK_SOURCE_NONE;
	frame_put_empty(&b->out.queue, FRAME_RST);
	if (b->farewell == BULK_BRIEF_FAREWELL) {
		b->out.gate.is_blocked = false;
		bulk_out_step(b, now_of(b));
		return;
	}
	if (flush_until(b, until) && half_close(b, until))
		discard(b, until);
}

static bool is_finished(const struct bulk *b)
{
	if (b->is_aborted)
		return true;
	return b->is_closing && !bulk_out_is_pending(b) &&
	       (!b->out.has_end || b->out.is_dead);
}

void bulk_run(void *arg)
{
	struct bulk *b = arg;

	for (;;) {
		const int64_t now = now_of(b);
		bool moved;

		take_wishes(b, now);
		if (is_finished(b))
			break;
		moved = bulk_in_step(b, now);
		moved = bulk_out_step(b, now) || moved;
		tell_output(b);
		moved = check_times(b, now) || moved;
		if (!moved)
			wait_for_something(b, now);
	}
	if (!b->is_aborted)
		say_goodbye(b);
	conn_close(TAKE(b->conn));
}
