/* Two bulks that talk to each other. */
#include "bulk_check.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct both {
	struct ctx *ctx;
	struct bulk *client, *server;
};

static struct both start_both(void)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct conn *a = NULL, *b = NULL;
	struct both two = { .ctx = ctx_new(NULL) };

	CHECK(conn_pair(&a, &b, &e) == 0);
	two.client = bulk_start(a, &e);
	two.server = bulk_start(b, &e);
	CHECK(two.client && two.server);
	return two;
}

/* Each reads to the other's end, so none waits for the time limit of a farewell. */
static void close_both(struct both *two)
{
	struct closer c;

	closer_start(&c, two->server);
	bulk_close(two->client);
	thread_join(&c.thread);
	ctx_free(two->ctx);
}

static void ask(struct both *two, const char *endpoint)
{
	bulk_put(two->client, FRAME_REQUEST_HEAD, view_of(endpoint));
	bulk_put(two->client, FRAME_REQUEST, VIEW("a request"));
	check_message(two->server, FRAME_REQUEST_HEAD, endpoint);
	check_message(two->server, FRAME_REQUEST, "a request");
}

static void answer(struct both *two)
{
	bulk_put(two->server, FRAME_RESPONSE_HEAD, VIEW("HANDLER OK\n"));
	bulk_put(two->server, FRAME_RESPONSE, (struct view){ NULL, 0 });
}

static void check_answer(struct both *two)
{
	check_message(two->client, FRAME_RESPONSE_HEAD, "HANDLER OK\n");
	check_message(two->client, FRAME_RESPONSE, "");
}

TEST(a_request_is_answered)
{
	struct both two = start_both();

	ask(&two, "/v1/ping");
	answer(&two);
	check_answer(&two);
	close_both(&two);
}

TEST(an_answer_may_be_expected_before_the_request_is_put)
{
	struct both two = start_both();

	bulk_expect(two.client, FRAME_RESPONSE_HEAD, FRAME_RESPONSE_HEAD_MAX);
	ask(&two, "/v1/ping");
	answer(&two);
	check_event(two.client, BULK_MESSAGE);
	CHECK(view_eq(bulk_message(two.client), VIEW("HANDLER OK\n")));
	check_message(two.client, FRAME_RESPONSE, "");
	close_both(&two);
}

/* ---- a stream from one to the other ---- */

/* A user of b: sends what comes out of fd, and its end. */
struct sender {
	struct thread thread;
	struct bulk *b;
	int fd;
	const char *source_error;
	atomic_uint_fast64_t moved;
};

static void send_stream(void *arg)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct sender *s = arg;

	bulk_put_stream(s->b,
			&(struct bulk_source){ .fd = s->fd, .opts.moved = &s->moved });
	check_event(s->b, BULK_SOURCE_ENDED);
	bulk_put_end(s->b, s->source_error);
	CHECK_INT(bulk_flush(ctx, s->b, &e), 0);
}

static void sender_start(struct sender *s, struct bulk *b, int fd)
{
	*s = (struct sender){ .b = b, .fd = fd, .source_error = s->source_error };
	thread_start(&s->thread, "sender", send_stream, s);
}

/* n bytes from two's server to its client. */
struct transfer {
	struct ends in, out;
	struct writer writer;
	struct reader reader;
	struct sender sender;
};

static void transfer_start(struct transfer *t, struct both *two, size_t n, size_t peeked)
{
	t->in = pipe_to_read();
	t->out = pipe_to_write();
	writer_start(&t->writer, take_fd(&t->in.w), n);
	reader_start(&t->reader, t->out.r, peeked);
	sender_start(&t->sender, two->server, t->in.r);
}

static void transfer_end(struct transfer *t)
{
	fd_closep(&t->out.w);
	thread_join(&t->sender.thread);
	fd_closep(&t->in.r);
	thread_join(&t->writer.thread);
	thread_join(&t->reader.thread);
	ends_close(&t->in);
	ends_close(&t->out);
}

static void check_stream(size_t n)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	atomic_uint_fast64_t moved = 0;
	struct both two = start_both();
	struct transfer t = { 0 };
	enum pump_end end = PUMP_CLOSED;

	transfer_start(&t, &two, n, 0);
	CHECK_INT(bulk_pump(two.ctx, two.client, t.out.w,
			    &(struct pump_opts){ .moved = &moved }, &end, &e),
		  0);
	CHECK_INT(end, PUMP_EOF);
	transfer_end(&t);
	CHECK_INT(t.reader.n, n);
	CHECK(t.reader.is_right);
	CHECK_INT(moved, n);
	CHECK_INT(t.sender.moved, n);
	close_both(&two);
}

TEST(streams_of_every_length_arrive_whole)
{
	static const size_t sizes[] = { 0,
					2,
					3,
					100000,
					FRAME_PAYLOAD_MAX - 1,
					FRAME_PAYLOAD_MAX,
					FRAME_PAYLOAD_MAX + 1,
					FRAME_PAYLOAD_MAX + 2,
					2 * FRAME_PAYLOAD_MAX + 1,
					(size_t)20 << 20 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		check_stream(sizes[i]);
}

/* A source that has a byte or a few at any moment. */
static void write_little(void *arg)
{
	struct writer *w = arg;
	cleanup(buf_free) struct buf all = { 0 };

	put_nth(&all, w->n);
	for (size_t at = 0; at < w->n;) {
		const size_t left = w->n - at, want = 1 + at % 5;
		ssize_t n = write(w->fd, all.p + at, want < left ? want : left);

		if (n < 0)
			break;
		at += (size_t)n;
	}
	fd_closep(&w->fd);
}

TEST(a_stream_that_comes_byte_by_byte_arrives_whole)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct both two = start_both();
	struct transfer t = { .in = pipe_to_read(), .out = pipe_to_write() };
	enum pump_end end = PUMP_CLOSED;

	t.writer = (struct writer){ .fd = take_fd(&t.in.w), .n = 200001 };
	thread_start(&t.writer.thread, "writer", write_little, &t.writer);
	reader_start(&t.reader, t.out.r, 0);
	sender_start(&t.sender, two.server, t.in.r);
	CHECK_INT(bulk_pump(two.ctx, two.client, t.out.w, &(struct pump_opts){ 0 }, &end,
			    &e),
		  0);
	CHECK_INT(end, PUMP_EOF);
	transfer_end(&t);
	CHECK_INT(t.reader.n, 200001);
	CHECK(t.reader.is_right);
	close_both(&two);
}

TEST(a_message_may_follow_a_stream)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct both two = start_both();
	struct transfer t = { 0 };
	enum pump_end end;

	transfer_start(&t, &two, 5000, 0);
	CHECK_INT(bulk_pump(two.ctx, two.client, t.out.w, &(struct pump_opts){ 0 }, &end,
			    &e),
		  0);
	transfer_end(&t);
	answer(&two);
	check_answer(&two);
	close_both(&two);
}

static void check_peek(size_t n, size_t max)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf first = { .max = max };
	cleanup(buf_free) struct buf want = { 0 };
	struct both two = start_both();
	struct transfer t = { 0 };
	enum pump_end end = PUMP_CLOSED;
	size_t peeked = n < max ? n : max;
	bool at_end = n >= max;

	transfer_start(&t, &two, n, peeked);
	put_nth(&want, peeked);
	CHECK_INT(bulk_peek(two.ctx, two.client, &first, &at_end, &e), 0);
	CHECK(view_eq(buf_view(&first), buf_view(&want)));
	if (n != max) /* where it fits exactly, the end may not have been seen */
		CHECK_INT(at_end, n < max);
	CHECK_INT(bulk_pump(two.ctx, two.client, t.out.w, &(struct pump_opts){ 0 }, &end,
			    &e),
		  0);
	CHECK_INT(end, PUMP_EOF);
	transfer_end(&t);
	CHECK_INT(t.reader.n, n - peeked);
	CHECK(t.reader.is_right);
	close_both(&two);
}

TEST(what_is_peeked_is_filled_and_not_pumped_again)
{
	check_peek(0, 1000);
	check_peek(999, 1000);
	check_peek(1000, 1000);
	check_peek(1001, 1000);
	check_peek(3 << 20, 1 << 20);
	check_peek(3 << 20, 5 << 20);
}

TEST(the_reason_of_a_failed_source_comes_after_all_its_bytes)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct both two = start_both();
	struct transfer t = { .sender.source_error = "cannot send: I/O error" };
	enum pump_end end;

	transfer_start(&t, &two, 700001, 0);
	CHECK_INT(bulk_pump(two.ctx, two.client, t.out.w, &(struct pump_opts){ 0 }, &end,
			    &e),
		  -1);
	CHECK_INT(e.kind, ERR_REMOTE);
	CHECK_STR(err_msg(&e), "cannot send: I/O error");
	transfer_end(&t);
	CHECK_INT(t.reader.n, 700001);
	CHECK(t.reader.is_right);
	/* and the connection can still be used */
	answer(&two);
	check_answer(&two);
	close_both(&two);
}

TEST(a_peek_that_comes_to_the_end_of_a_failed_source_fails)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf first = { .max = 1000 };
	struct both two = start_both();
	struct transfer t = { .sender.source_error = "" };
	enum pump_end end;
	bool at_end;

	transfer_start(&t, &two, 10, 0);
	CHECK_INT(bulk_peek(two.ctx, two.client, &first, &at_end, &e), -1);
	CHECK_INT(e.kind, ERR_REMOTE);
	CHECK_STR(err_msg(&e), "the source failed and does not say why");
	CHECK_INT(first.len, 10);
	CHECK_INT(bulk_pump(two.ctx, two.client, t.out.w, &(struct pump_opts){ 0 }, &end,
			    &e),
		  -1);
	CHECK_INT(e.kind, ERR_REMOTE);
	transfer_end(&t);
	close_both(&two);
}

/* ---- a source that does not end well ---- */

/* What the client sees of a stream whose sender gives up with that text. */
static void check_source_error(struct both *two, const char *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct ends out = pipe_to_write();
	enum pump_end end;

	CHECK_INT(bulk_pump(two->ctx, two->client, out.w, &(struct pump_opts){ 0 }, &end,
			    &e),
		  -1);
	CHECK_INT(e.kind, ERR_REMOTE);
	CHECK_STR(err_msg(&e), want);
	ends_close(&out);
}

TEST(a_source_that_cannot_be_read_is_an_error_of_its_own)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct both two = start_both();
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	bulk_put_stream(two.server, &(struct bulk_source){ .fd = dir });
	CHECK_INT(bulk_wait(two.ctx, two.server, &e), BULK_FAILED);
	CHECK_INT(e.kind, ERR_SYSTEM);
	CHECK_INT(e.sys, EISDIR);
	close(dir);
	bulk_put_end(two.server, "no luck");
	check_source_error(&two, "no luck");
	close_both(&two);
}

TEST(a_stream_of_one_byte_is_none)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct both two = start_both();
	struct ends in = pipe_to_read();

	CHECK(write(in.w, "x", 1) == 1);
	fd_closep(&in.w);
	bulk_put_stream(two.server, &(struct bulk_source){ .fd = in.r });
	CHECK_INT(bulk_wait(two.ctx, two.server, &e), BULK_FAILED);
	CHECK_INT(e.kind, ERR_INVALID);
	CHECK_STR(err_msg(&e), "the stream is one byte long");
	bulk_put_end(two.server, NULL); /* even so */
	check_source_error(&two, "the stream was not read to its end");
	ends_close(&in);
	close_both(&two);
}

TEST(a_stream_may_be_ended_before_its_end)
{
	struct both two = start_both();
	struct ends in = pipe_to_read();
	char back[3] = "";

	CHECK(write(in.w, "ab", 2) == 2);
	bulk_put_stream(two.server, &(struct bulk_source){ .fd = in.r });
	bulk_put_end(two.server, "cancelled");
	/* from here on nobody reads it any more */
	CHECK(write(in.w, "cd", 2) == 2);
	check_source_error(&two, "cancelled");
	while (read(in.r, back, 2) == 2 && strcmp(back, "ab") == 0)
		; /* which may not have been read */
	CHECK_STR(back, "cd");
	ends_close(&in);
	close_both(&two);
}

TEST(a_stream_that_is_closed_before_its_end_is_no_whole_stream)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct both two = start_both();
	struct ends in = pipe_to_read(), out = pipe_to_write();
	struct writer w;
	struct reader r;
	struct closer c;
	enum pump_end end;

	writer_start(&w, take_fd(&in.w), SIZE_MAX);
	reader_start(&r, out.r, 0);
	bulk_put_stream(two.server, &(struct bulk_source){ .fd = in.r });
	closer_start(&c, two.server);
	CHECK_INT(
		bulk_pump(two.ctx, two.client, out.w, &(struct pump_opts){ 0 }, &end, &e),
		-1);
	CHECK_INT(e.kind, ERR_NETWORK);
	CHECK_STR(err_msg(&e), "the peer closed the connection");
	bulk_close(two.client);
	thread_join(&c.thread);
	ends_close(&in);
	thread_join(&w.thread);
	fd_closep(&out.w);
	thread_join(&r.thread);
	ends_close(&out);
	ctx_free(two.ctx);
}

/* ---- early answers ---- */

/*
 * A receiver that fails at once, while a stream without end is being sent: who only
 * reads after having sent everything would wait for ever.
 */
TEST(an_early_answer_arrives_while_the_stream_is_still_being_sent)
{
	struct both two = start_both();
	struct ends in = pipe_to_read();
	struct writer w;
	struct closer c;

	writer_start(&w, take_fd(&in.w), SIZE_MAX);
	bulk_put(two.client, FRAME_REQUEST_HEAD, VIEW("/v1/recv"));
	bulk_put_stream(two.client, &(struct bulk_source){ .fd = in.r });
	bulk_expect(two.client, FRAME_RESPONSE_HEAD, FRAME_RESPONSE_HEAD_MAX);
	check_message(two.server, FRAME_REQUEST_HEAD, "/v1/recv");
	bulk_put(two.server, FRAME_RESPONSE_HEAD, VIEW("HANDLER ERROR:\ndisk full"));
	closer_start(&c, two.server);
	check_event(two.client, BULK_MESSAGE);
	CHECK(view_eq(bulk_message(two.client), VIEW("HANDLER ERROR:\ndisk full")));
	bulk_close(two.client);
	ends_close(&in); /* which the writer notices */
	thread_join(&w.thread);
	thread_join(&c.thread);
	ctx_free(two.ctx);
	CHECK(w.fd == -1);
}

TEST(whoever_has_no_use_for_the_rest_closes)
{
	struct both two = start_both();
	struct ends in = pipe_to_read();
	struct writer w;
	struct closer c;

	writer_start(&w, take_fd(&in.w), SIZE_MAX);
	bulk_put_stream(two.server, &(struct bulk_source){ .fd = in.r });
	closer_start(&c, two.client);
	check_fails(two.server, ERR_NETWORK, "the peer closed the connection");
	ends_close(&in); /* the source is ours again */
	thread_join(&w.thread);
	bulk_close(two.server);
	thread_join(&c.thread);
	ctx_free(two.ctx);
}

TEST(nobody_reads_the_pipe_any_more)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct both two = start_both();
	struct ends in = pipe_to_read(), out = pipe_to_write();
	struct writer w;
	struct closer c;
	enum pump_end end = PUMP_EOF;

	writer_start(&w, take_fd(&in.w), SIZE_MAX);
	bulk_put_stream(two.server, &(struct bulk_source){ .fd = in.r });
	fd_closep(&out.r);
	CHECK_INT(
		bulk_pump(two.ctx, two.client, out.w, &(struct pump_opts){ 0 }, &end, &e),
		0);
	CHECK_INT(end, PUMP_CLOSED);
	closer_start(&c, two.client);
	check_fails(two.server, ERR_NETWORK, "the peer closed the connection");
	ends_close(&in);
	thread_join(&w.thread);
	bulk_close(two.server);
	thread_join(&c.thread);
	ends_close(&out);
	ctx_free(two.ctx);
}

TEST(a_pipe_that_closes_while_nothing_comes_is_noticed)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct both two = start_both();
	struct ends out = pipe_to_write();
	enum pump_end end = PUMP_EOF;

	fd_closep(&out.r);
	CHECK_INT(
		bulk_pump(two.ctx, two.client, out.w, &(struct pump_opts){ 0 }, &end, &e),
		0);
	CHECK_INT(end, PUMP_CLOSED);
	ends_close(&out);
	close_both(&two);
}

/* ---- cancelling ---- */

struct canceller {
	struct thread thread;
	struct ctx *ctx;
	int fd; /* readable: now */
};

static void cancel_on_byte(void *arg)
{
	struct canceller *c = arg;
	char byte;

	CHECK_INT(read(c->fd, &byte, 1), 1);
	ctx_cancel(c->ctx);
}

static void canceller_start(struct canceller *c, struct ctx *ctx, int fd)
{
	*c = (struct canceller){ .ctx = ctx, .fd = fd };
	thread_start(&c->thread, "canceller", cancel_on_byte, c);
}

TEST(waiting_can_be_cancelled_and_gives_the_source_back)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct both two = start_both();
	struct ends in = pipe_to_read();
	char back[3] = "";

	bulk_put_stream(two.server, &(struct bulk_source){ .fd = in.r });
	ctx_cancel(two.ctx);
	CHECK_INT(bulk_wait(two.ctx, two.server, &e), BULK_FAILED);
	CHECK_INT(e.kind, ERR_CANCELLED);
	CHECK(write(in.w, "ab", 2) == 2);
	CHECK_INT(read(in.r, back, 2), 2);
	CHECK_STR(back, "ab");
	ends_close(&in);
	close_both(&two);
}

TEST(a_pump_can_be_cancelled_while_it_waits_for_the_peer)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct both two = start_both();
	struct ends out = pipe_to_write();
	atomic_uint_fast64_t moved = 0;
	struct canceller c;
	struct ends in = pipe_to_read();
	enum pump_end end;

	CHECK(write(in.w, "abc", 3) == 3);
	fd_closep(&in.w);
	bulk_put_stream(two.server, &(struct bulk_source){ .fd = in.r });
	check_event(two.server, BULK_SOURCE_ENDED);
	/* its bytes arrive, its end does not */
	canceller_start(&c, two.ctx, out.r);
	CHECK_INT(bulk_pump(two.ctx, two.client, out.w,
			    &(struct pump_opts){ .moved = &moved }, &end, &e),
		  -1);
	CHECK_INT(e.kind, ERR_CANCELLED);
	CHECK_INT(moved, 3);
	thread_join(&c.thread);
	ends_close(&in);
	ends_close(&out);
	close_both(&two);
}

TEST(a_pump_can_be_cancelled_while_it_waits_for_the_pipe)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct both two = start_both();
	cleanup(ctx_freep) struct ctx *calm = ctx_new(NULL);
	struct transfer t = { .in = pipe_to_read(), .out = pipe_to_write() };
	struct canceller c;
	enum pump_end end;

	writer_start(&t.writer, take_fd(&t.in.w), SIZE_MAX);
	bulk_put_stream(two.server, &(struct bulk_source){ .fd = t.in.r });
	canceller_start(&c, two.ctx, t.out.r); /* reads one byte, and no more */
	CHECK_INT(bulk_pump(two.ctx, two.client, t.out.w, &(struct pump_opts){ 0 }, &end,
			    &e),
		  -1);
	CHECK_INT(e.kind, ERR_CANCELLED);
	thread_join(&c.thread);
	bulk_abort(two.client);
	CHECK_INT(bulk_wait(calm, two.server, &e), BULK_FAILED);
	CHECK_INT(e.kind, ERR_NETWORK); /* found out by reading, or by writing */
	bulk_abort(two.server);
	ends_close(&t.in);
	thread_join(&t.writer.thread);
	ends_close(&t.out);
	ctx_free(two.ctx);
}

TEST(peeking_can_be_cancelled)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf into = { .max = 1000 };
	struct both two = start_both();
	bool at_end;

	ctx_cancel(two.ctx);
	CHECK_INT(bulk_peek(two.ctx, two.client, &into, &at_end, &e), -1);
	CHECK_INT(e.kind, ERR_CANCELLED);
	close_both(&two);
}

TEST(flushing_can_be_cancelled)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf big = { 0 };
	struct both two = start_both();

	put_nth(&big, FRAME_REQUEST_MAX); /* more than a socket pair takes */
	bulk_put(two.client, FRAME_REQUEST, buf_view(&big));
	ctx_cancel(two.ctx);
	CHECK_INT(bulk_flush(two.ctx, two.client, &e), -1);
	CHECK_INT(e.kind, ERR_CANCELLED);
	bulk_abort(two.client);
	bulk_abort(two.server);
	bulk_abort(NULL);
	bulk_close(NULL);
	ctx_free(two.ctx);
}

TEST(what_was_put_before_closing_arrives)
{
	cleanup(buf_free) struct buf big = { 0 };
	struct both two = start_both();
	struct closer c;

	put_nth(&big, FRAME_REQUEST_MAX);
	bulk_put(two.client, FRAME_REQUEST, buf_view(&big));
	bulk_put(two.client, FRAME_REQUEST_HEAD, VIEW("more"));
	closer_start(&c, two.client);
	bulk_expect(two.server, FRAME_REQUEST, FRAME_REQUEST_MAX);
	check_event(two.server, BULK_MESSAGE);
	CHECK(view_eq(bulk_message(two.server), buf_view(&big)));
	check_message(two.server, FRAME_REQUEST_HEAD, "more");
	check_fails(two.server, ERR_NETWORK, "the peer closed the connection");
	bulk_close(two.server);
	thread_join(&c.thread);
	ctx_free(two.ctx);
}

TEST_MAIN()
