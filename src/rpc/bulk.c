/* The user's half: wishes, and waiting. */
#include "rpc/bulk_io.h"

#include <assert.h>

struct bulk *bulk_start_at(struct conn *c, const atomic_int_fast64_t *clock,
			   struct err *err)
{
	struct bulk *b = xcalloc(1, sizeof(*b));

	b->conn = c;
	b->clock = clock;
	b->work.fd = b->news.fd = -1;
	b->told.is_idle = true;
	b->forever = ctx_new(NULL);
	/* the descriptor that a ctx waits with is made by its first wait */
	if (wake_open(&b->work, err) < 0 || wake_open(&b->news, err) < 0 ||
	    ctx_poll(b->forever, NULL, 0, 0, err) < 0) {
		fd_closep(&b->work.fd);
		fd_closep(&b->news.fd);
		ctx_free(b->forever);
		conn_close(c);
		free(b);
		return NULL;
	}
	pthread_mutex_init(&b->lock, NULL);
	b->scratch = xcalloc(1, BULK_SCRATCH);
	b->out.flush_ms = BULK_CLOSE_MS;
	liveness_start(&b->live, bulk_now_us(b) / 1000);
	thread_start(&b->thread, "bulk", bulk_run, b);
	return b;
}

struct bulk *bulk_start(struct conn *c, struct err *err)
{
	return bulk_start_at(c, NULL, err);
}

void bulk_tick(struct bulk *b)
{
	wake_signal(&b->work);
}

/* Wishes are uttered between these two. */
static void lock(struct bulk *b)
{
	pthread_mutex_lock(&b->lock);
}

static void unlock_and_ask(struct bulk *b)
{
	pthread_mutex_unlock(&b->lock);
	wake_signal(&b->work);
}

/* ---- sending ---- */

void bulk_put(struct bulk *b, enum frame_type type, struct view payload)
{
	lock(b);
	assert(b->told.source == BULK_SOURCE_NONE && !b->ask.gives_end);
	frame_put_message(&b->ask.put, type, payload);
	b->told.is_idle = false;
	unlock_and_ask(b);
}

void bulk_put_stream(struct bulk *b, const struct bulk_source *s)
{
	lock(b);
	assert(b->told.source == BULK_SOURCE_NONE);
	b->ask.gives_source = true;
	b->ask.source = *s;
	b->told.source = BULK_SOURCE_READING;
	b->told.is_idle = false;
	unlock_and_ask(b);
}

/* When it returns the source is the user's again. */
static void withdraw_source(struct bulk *b)
{
	bool is_reading;

	lock(b);
	is_reading = b->told.source == BULK_SOURCE_READING;
	b->ask.withdraws_source = is_reading;
	unlock_and_ask(b);
	while (is_reading) { /* nothing can keep the connection's thread from answering */
		wake_await(&b->news);
		lock(b);
		is_reading = b->told.source == BULK_SOURCE_READING;
		pthread_mutex_unlock(&b->lock);
	}
}

void bulk_put_end(struct bulk *b, const char *source_error)
{
	withdraw_source(b);
	lock(b);
	assert(b->told.source != BULK_SOURCE_NONE && !b->ask.gives_end);
	/* to call a part of a stream the whole would be the worst of mistakes */
	if (!source_error && b->told.source != BULK_SOURCE_AT_END)
		source_error = "the stream was not read to its end";
	b->ask.gives_end = true;
	b->ask.end_error = xstrdup_or_null(source_error);
	b->told.is_idle = false;
	unlock_and_ask(b);
}

int bulk_flush(struct ctx *ctx, struct bulk *b, struct err *err)
{
	for (;;) {
		bool is_idle, is_lost;

		lock(b);
		is_idle = b->told.is_idle;
		is_lost = !is_idle && b->told.is_dead && b->told.has_failed;
		if (is_lost)
			err_copy(err, &b->told.err);
		pthread_mutex_unlock(&b->lock);
		if (is_idle)
			return 0;
		if (is_lost || wake_wait(&b->news, ctx, -1, err) < 0)
			return -1;
	}
}

/* ---- waiting ---- */

void bulk_expect(struct bulk *b, enum frame_type type, size_t max)
{
	lock(b);
	b->ask.expects = true;
	b->ask.type = type;
	b->ask.max = max;
	b->told.has_message = false;
	b->message = (struct view){ 0 };
	unlock_and_ask(b);
}

/* Returns whether there is one. */
static bool take_event(struct bulk *b, enum bulk_event *event, struct err *err)
{
	*event = BULK_FAILED;
	if (b->told.has_message) {
		b->told.has_message = false;
		b->message = b->told.message;
		*event = BULK_MESSAGE;
	} else if (b->told.source_is_news && b->told.source == BULK_SOURCE_AT_END) {
		b->told.source_is_news = false;
		*event = BULK_SOURCE_ENDED;
	} else if (b->told.source_is_news) {
		b->told.source_is_news = false;
		err_move(err, &b->told.source_err);
	} else if (b->told.has_failed) {
		err_copy(err, &b->told.err);
	} else {
		return false;
	}
	return true;
}

enum bulk_event bulk_wait(struct ctx *ctx, struct bulk *b, struct err *err)
{
	enum bulk_event event;
	bool has_one;

	for (;;) {
		lock(b);
		has_one = take_event(b, &event, err);
		pthread_mutex_unlock(&b->lock);
		if (has_one)
			return event;
		if (wake_wait(&b->news, ctx, -1, err) < 0) {
			withdraw_source(b);
			return BULK_FAILED;
		}
	}
}

struct view bulk_message(const struct bulk *b)
{
	return b->message;
}

/* ---- the stream that comes ---- */

static bool has_sink(struct bulk *b)
{
	bool has;

	lock(b);
	has = b->told.has_sink;
	pthread_mutex_unlock(&b->lock);
	return has;
}

/* Until it is done; when it returns the sink is the user's again. */
static int deliver(struct ctx *ctx, struct bulk *b, const struct bulk_sink *s,
		   struct err *err)
{
	int r = 0;

	lock(b);
	b->ask.gives_sink = true;
	b->ask.sink = *s;
	b->told.has_sink = true;
	unlock_and_ask(b);
	while (has_sink(b) && r >= 0)
		r = wake_wait(&b->news, ctx, -1, err);
	if (r < 0) {
		lock(b);
		b->ask.withdraws_sink = true;
		unlock_and_ask(b);
		while (has_sink(b))
			wake_await(&b->news);
		return -1;
	}
	lock(b);
	r = b->told.sink_err.kind == ERR_NONE ? 0 : -1;
	if (r < 0)
		err_move(err, &b->told.sink_err);
	pthread_mutex_unlock(&b->lock);
	return r;
}

int bulk_peek(struct ctx *ctx, struct bulk *b, struct buf *into, bool *at_end,
	      struct err *err)
{
	struct bulk_sink s = { .kind = BULK_PEEK, .into = into, .pipe = -1 };

	if (deliver(ctx, b, &s, err) < 0)
		return -1;
	*at_end = b->told.at_end;
	return 0;
}

int bulk_pump(struct ctx *ctx, struct bulk *b, int pipe, const struct pump_opts *o,
	      enum pump_end *end, struct err *err)
{
	struct bulk_sink s = { .kind = BULK_PUMP, .pipe = pipe, .opts = *o };

	if (deliver(ctx, b, &s, err) < 0)
		return -1;
	*end = b->told.pump_end;
	return 0;
}

/* ---- the end ---- */

static void end(struct bulk *b, bool abort)
{
	if (!b)
		return;
	lock(b);
	b->ask.closes = true;
	b->ask.aborts = abort;
	unlock_and_ask(b);
	thread_join(&b->thread);

	wake_fini(&b->work);
	wake_fini(&b->news);
	ctx_free(b->forever);
	pthread_mutex_destroy(&b->lock);
	buf_free(&b->ask.put);
	free(b->ask.end_error);
	err_clear(&b->told.source_err);
	err_clear(&b->told.sink_err);
	err_clear(&b->told.err);
	frame_reader_fini(&b->in.reader);
	err_clear(&b->in.ended_err);
	buf_free(&b->out.queue);
	free(b->out.bytes);
	free(b->out.end_error);
	err_clear(&b->out.dead_err);
	free(b->scratch);
	free(b);
}

void bulk_close(struct bulk *b)
{
	end(b, false);
}

void bulk_abort(struct bulk *b)
{
	end(b, true);
}
