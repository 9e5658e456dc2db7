/* What takes its time: heartbeats, silence, slow peers and stalls, on a clock of ours. */
#include "bulk_check.h"
#include "tap.h"

#include <errno.h>
#include <unistd.h>

struct stage {
	atomic_int_fast64_t now;
	struct bulk *b;
	struct peer peer;
	struct ctx *ctx;
};

static void begin(struct stage *s)
{
	*s = (struct stage){ .ctx = ctx_new(NULL) };
	atomic_store(&s->now, 1000000);
	s->b = bulk_with_peer(&s->peer, &s->now);
	/* it runs, and waits for the peer, since now */
	peer_send_frame(&s->peer, FRAME_HEARTBEAT, "");
	peer_wait_until_taken(&s->peer);
}

static void end(struct stage *s)
{
	bulk_abort(s->b);
	peer_fini(&s->peer);
	ctx_free(s->ctx);
}

static void pass(struct stage *s, int64_t ms)
{
	atomic_fetch_add(&s->now, ms);
	bulk_tick(s->b);
}

/* Five seconds, at the end of which it says that it is alive. */
static void pass_heartbeat(struct stage *s)
{
	pass(s, 5000);
	peer_check(&s->peer, FRAME_HEARTBEAT, "");
}

static void hear_heartbeat(struct stage *s)
{
	peer_send_frame(&s->peer, FRAME_HEARTBEAT, "");
	peer_wait_until_taken(&s->peer);
}

/* ---- heartbeats and silence ---- */

TEST(a_heartbeat_goes_out_every_five_seconds_though_nothing_is_done)
{
	struct stage s;

	begin(&s);
	for (int i = 0; i < 20; i++) {
		pass_heartbeat(&s);
		hear_heartbeat(&s);
	}
	end(&s);
}

TEST(a_frame_takes_the_place_of_a_heartbeat)
{
	struct stage s;

	begin(&s);
	pass(&s, 4000);
	bulk_put(s.b, FRAME_RESPONSE_HEAD, VIEW("HANDLER OK\n"));
	peer_check(&s.peer, FRAME_RESPONSE_HEAD, "HANDLER OK\n");
	peer_check(&s.peer, FRAME_END, "");
	hear_heartbeat(&s);
	pass(&s, 4999); /* not yet: the next thing to come is what is put now */
	bulk_put(s.b, FRAME_RESPONSE, VIEW("a response"));
	peer_check(&s.peer, FRAME_RESPONSE, "a response");
	peer_check(&s.peer, FRAME_END, "");
	hear_heartbeat(&s);
	pass_heartbeat(&s);
	end(&s);
}

TEST(a_silent_peer_is_given_up_after_ten_seconds_and_told)
{
	struct stage s;

	begin(&s);
	bulk_expect(s.b, FRAME_RESPONSE_HEAD, FRAME_RESPONSE_HEAD_MAX);
	pass_heartbeat(&s);
	pass(&s, 4999);
	pass(&s, 1);
	check_fails(s.b, ERR_TIMEOUT, "local: silent for 10 s");
	check_fails(s.b, ERR_TIMEOUT, "local: silent for 10 s"); /* and so it stays */
	bulk_close(TAKE(s.b)); /* does not wait for it once more */
	/* what it said at its fifth second is all that comes before */
	peer_check_goodbye(&s.peer);
	end(&s);
}

TEST(part_of_a_frame_is_a_sign_of_life)
{
	/* a head, and most of a payload of 16 bytes */
	static const char bytes[] = "\0\0\0\3\0\0\0\20payload of ";
	struct stage s;

	begin(&s);
	bulk_expect(s.b, FRAME_RESPONSE_HEAD, FRAME_RESPONSE_HEAD_MAX);
	for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
		pass_heartbeat(&s);
		peer_send(&s.peer, bytes + i, 1);
		peer_wait_until_taken(&s.peer);
	}
	peer_send(&s.peer, "bytes", 5);
	peer_send_frame(&s.peer, FRAME_END, "");
	check_event(s.b, BULK_MESSAGE);
	CHECK(view_eq(bulk_message(s.b), VIEW("payload of bytes")));
	end(&s);
}

TEST(a_peer_is_not_silent_while_nobody_asks_for_what_it_says)
{
	struct stage s;

	begin(&s);
	peer_send(&s.peer, "\0\0\0\3\0\0\0\4", FRAME_HEAD_LEN);
	peer_wait_until_taken(&s.peer);
	for (int i = 0; i < 20; i++)
		pass_heartbeat(&s);
	peer_send(&s.peer, "text", 4);
	peer_send_frame(&s.peer, FRAME_END, "");
	check_message(s.b, FRAME_RESPONSE_HEAD, "text");
	end(&s);
}

/* ---- streams that come ---- */

struct pumper {
	struct thread thread;
	struct ctx *ctx;
	struct bulk *b;
	int pipe;
	struct pump_opts opts;
	enum pump_end end;
	struct err err;
};

static void run_pump(void *arg)
{
	struct pumper *p = arg;

	if (bulk_pump(p->ctx, p->b, p->pipe, &p->opts, &p->end, &p->err) == 0)
		err_clear(&p->err);
}

static void pumper_start(struct pumper *p, struct stage *s, int pipe)
{
	*p = (struct pumper){ .ctx = s->ctx, .b = s->b, .pipe = pipe, .opts = p->opts };
	thread_start(&p->thread, "pumper", run_pump, p);
}

static void pumper_end(struct pumper *p, enum err_kind want)
{
	thread_join(&p->thread);
	CHECK_INT(p->err.kind, want);
	err_clear(&p->err);
}

static void put_stream_head(struct peer *p, uint32_t len)
{
	uint8_t head[FRAME_HEAD_LEN];

	frame_put_head(head, FRAME_STREAM, len);
	peer_send(p, head, sizeof(head));
}

static void check_pipe(int fd, const char *want)
{
	char got[64] = "";
	size_t n = 0;

	while (n < strlen(want)) {
		ssize_t r = read(fd, got + n, strlen(want) - n);

		if (!CHECK(r > 0))
			return;
		n += (size_t)r;
	}
	CHECK_STR(got, want);
}

TEST(a_peer_that_falls_silent_in_a_stream_is_given_up)
{
	struct ends out = pipe_to_write();
	struct pumper p = { 0 };
	struct stage s;

	begin(&s);
	pumper_start(&p, &s, out.w);
	put_stream_head(&s.peer, 100);
	peer_send(&s.peer, "part", 4);
	check_pipe(out.r, "part");
	pass_heartbeat(&s);
	pass(&s, 5000);
	pumper_end(&p, ERR_TIMEOUT);
	check_fails(s.b, ERR_TIMEOUT, "local: silent for 10 s");
	ends_close(&out);
	end(&s);
}

/* Until nothing goes out any more. */
static void wait_until_dead(struct stage *s)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	bool is_dead = false;

	while (!is_dead && CHECK(wake_wait(&s->b->news, s->ctx, 100, &e) >= 0)) {
		pthread_mutex_lock(&s->b->lock);
		is_dead = s->b->told.is_dead;
		pthread_mutex_unlock(&s->b->lock);
	}
}

TEST(a_stream_that_is_all_there_outlives_its_sender)
{
	struct ends out = pipe_to_write();
	struct pumper p = { 0 };
	struct stage s;

	begin(&s);
	peer_send_frame(&s.peer, FRAME_STREAM, "all of it");
	peer_send_frame(&s.peer, FRAME_END, "");
	peer_hang_up(&s.peer);
	pass(&s, 5000); /* a heartbeat that nobody takes */
	wait_until_dead(&s);
	pumper_start(&p, &s, out.w);
	check_pipe(out.r, "all of it");
	pumper_end(&p, ERR_NONE);
	CHECK_INT(p.end, PUMP_EOF);
	ends_close(&out);
	end(&s);
}

TEST(a_consumer_may_be_slow_for_as_long_as_it_likes)
{
	cleanup(buf_free) struct buf bytes = { 0 };
	struct ends out = pipe_to_write();
	struct pumper p = { 0 };
	ssize_t filled;
	struct reader r;
	struct stage s;

	begin(&s);
	put_nth(&bytes, 300000);
	filled = write(out.w, bytes.p, bytes.len); /* all that goes in */
	REQUIRE(filled > 0 && filled < 200000);
	pumper_start(&p, &s, out.w);
	put_stream_head(&s.peer, (uint32_t)(bytes.len - (size_t)filled));
	peer_wait_until_taken(&s.peer);
	peer_send(&s.peer, bytes.p + filled, 1000); /* and the peer falls silent */
	for (int i = 0; i < 20; i++)
		pass_heartbeat(&s);
	reader_start(&r, out.r, 0);
	peer_send(&s.peer, bytes.p + filled + 1000, bytes.len - (size_t)filled - 1000);
	peer_send_frame(&s.peer, FRAME_END, "");
	pumper_end(&p, ERR_NONE);
	fd_closep(&out.w);
	thread_join(&r.thread);
	CHECK_INT(r.n, bytes.len);
	CHECK(r.is_right);
	ends_close(&out);
	end(&s);
}

/* Over TCP, where the kernel wakes nobody before the rest of a frame is there. */
TEST(a_slow_link_is_not_a_dead_one)
{
	struct stage s = { .ctx = ctx_new(NULL) };
	struct ends out = pipe_to_write();
	struct pumper p = { 0 };

	atomic_store(&s.now, 1000000);
	s.b = bulk_with_tcp_peer(&s.peer, &s.now);
	pumper_start(&p, &s, out.w);
	put_stream_head(&s.peer, 10 * 20);
	for (int i = 0; i < 20; i++) {
		peer_send(&s.peer, "ten bytes.", 10);
		peer_wait_until_taken(&s.peer); /* by the kernel */
		pass_heartbeat(&s);
		check_pipe(out.r, "ten bytes.");
	}
	peer_send_frame(&s.peer, FRAME_END, "");
	pumper_end(&p, ERR_NONE);
	CHECK_INT(p.end, PUMP_EOF);
	ends_close(&out);
	end(&s);
}

TEST(a_stream_that_stalls_is_given_up_and_the_connection_is_not)
{
	struct ends out = pipe_to_write();
	struct pumper p = { .opts.stall_ms = 4000 };
	struct stage s;

	begin(&s);
	pumper_start(&p, &s, out.w);
	put_stream_head(&s.peer, 8);
	peer_send(&s.peer, "part", 4);
	check_pipe(out.r, "part");
	pass(&s, 3999);
	pass(&s, 1);
	pumper_end(&p, ERR_TIMEOUT);
	peer_send(&s.peer, "rest", 4);
	peer_send_frame(&s.peer, FRAME_END, "");
	pumper_start(&p, &s, out.w);
	pumper_end(&p, ERR_NONE);
	check_pipe(out.r, "rest");
	ends_close(&out);
	end(&s);
}

TEST(a_limit_is_kept_and_is_no_stall)
{
	enum { IN_5_S = 32768, TOTAL = 150000 };
	struct rate *limit = rate_new(IN_5_S / 5, IN_5_S);
	cleanup(buf_free) struct buf bytes = { 0 };
	atomic_uint_fast64_t moved = 0;
	struct ends out = pipe_to_write();
	struct pumper p = {
		.opts = { .moved = &moved, .stall_ms = 2000, .limits = { NULL, limit } },
	};
	size_t total = 0, most = IN_5_S + PUMP_LIMITED_MAX; /* one move too many */
	static char got[TOTAL];
	struct stage s;
	ssize_t n;

	begin(&s);
	pumper_start(&p, &s, out.w);
	put_stream_head(&s.peer, TOTAL);
	put_nth(&bytes, TOTAL);
	peer_send(&s.peer, bytes.p, TOTAL);
	peer_send_frame(&s.peer, FRAME_END, "");
	n = read(out.r, got, 1); /* from here on bytes do move */
	CHECK_INT(n, 1);
	total++;
	loopback_set_nonblocking(out.r);
	while (total < TOTAL && CHECK(most < 3 * TOTAL)) {
		while ((n = read(out.r, got, sizeof(got))) > 0)
			total += (size_t)n;
		CHECK(total <= most);
		pass_heartbeat(&s);
		most += IN_5_S + 1;
	}
	CHECK(most > TOTAL); /* it did take its time */
	pumper_end(&p, ERR_NONE);
	CHECK_INT(moved, TOTAL);
	rate_free(limit);
	ends_close(&out);
	end(&s);
}

/* ---- what is sent ---- */

/* A bulk that cannot write a byte, has a message to write, and reads nothing. */
static void begin_blocked(struct stage *s, bool reads)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	static char chunk[65536];
	struct conn *ours = NULL;
	size_t put;

	*s = (struct stage){ .ctx = ctx_new(NULL), .peer.ctx = ctx_new(NULL) };
	atomic_store(&s->now, 1000000);
	REQUIRE(conn_pair(&ours, &s->peer.c, &e) == 0);
	while (conn_write(ours, &(struct iovec){ chunk, sizeof(chunk) }, 1, &put, &e) ==
	       CONN_OK)
		;
	s->b = bulk_start_at(ours, &s->now, &e);
	REQUIRE(s->b);
	bulk_put(s->b, FRAME_REQUEST_HEAD, VIEW("/v1/ping"));
	/* the second one is read by who has seen the message */
	hear_heartbeat(s);
	hear_heartbeat(s);
	if (!reads) {
		peer_send(&s->peer, "\0\0\0\3\0\0\0\4", FRAME_HEAD_LEN);
		peer_wait_until_taken(&s->peer);
	}
}

TEST(a_peer_that_takes_nothing_is_given_up_after_ten_seconds)
{
	struct stage s;

	begin_blocked(&s, false);
	pass(&s, 9999);
	pass(&s, 1);
	check_fails(s.b, ERR_TIMEOUT, "local: took nothing for 10 s");
	bulk_close(TAKE(s.b)); /* at once: there is no way to tell it */
	end(&s);
}

TEST(heartbeats_keep_a_blocked_write_alive)
{
	struct stage s;

	begin_blocked(&s, true);
	for (int i = 0; i < 50; i++) {
		pass(&s, 4900);
		hear_heartbeat(&s);
	}
	bulk_expect(s.b, FRAME_RESPONSE_HEAD, FRAME_RESPONSE_HEAD_MAX);
	peer_send_message(&s.peer, FRAME_RESPONSE_HEAD, "still here");
	check_event(s.b, BULK_MESSAGE); /* read although the write is blocked */
	end(&s);
}

/* Until a source has been asked for: a heartbeat sent now is read by who has seen it. */
static void put_stream(struct stage *s, int fd, int64_t stall_ms)
{
	bulk_put_stream(s->b,
			&(struct bulk_source){ .fd = fd, .opts.stall_ms = stall_ms });
	hear_heartbeat(s);
	hear_heartbeat(s);
}

TEST(a_source_that_stalls_is_an_error_and_the_peer_can_be_told)
{
	struct ends in = pipe_to_read();
	struct stage s;

	begin(&s);
	put_stream(&s, in.r, 4000);
	pass(&s, 3999);
	pass(&s, 1);
	check_fails(s.b, ERR_TIMEOUT, "no byte moved for 4000 ms");
	bulk_put_end(s.b, "stalled");
	peer_check(&s.peer, FRAME_TRAILER, "stalled");
	peer_check(&s.peer, FRAME_END, "");
	ends_close(&in);
	end(&s);
}

TEST(a_slow_source_makes_heartbeats_and_then_a_full_frame)
{
	cleanup(buf_free) struct buf frame = { 0 };
	struct ends in = socket_to_read();
	struct stage s;
	struct writer w;

	begin(&s);
	put_stream(&s, in.r, 0);
	for (int i = 0; i < 10; i++) {
		CHECK(write(in.w, "ab", 2) == 2); /* too little for a frame */
		pass_heartbeat(&s);
		hear_heartbeat(&s);
	}
	writer_start(&w, take_fd(&in.w), FRAME_PAYLOAD_MAX);
	CHECK_INT(peer_read(&s.peer, &frame), FRAME_STREAM);
	CHECK_INT(frame.len, FRAME_PAYLOAD_MAX);
	CHECK(memcmp(frame.p, "abababababababababab", 20) == 0);
	check_event(s.b, BULK_SOURCE_ENDED);
	bulk_put_end(s.b, NULL);
	CHECK_INT(peer_read(&s.peer, &frame), FRAME_STREAM);
	CHECK_INT(frame.len, 20);
	peer_check(&s.peer, FRAME_END, "");
	thread_join(&w.thread);
	ends_close(&in);
	end(&s);
}

/* ---- closing ---- */

TEST(a_peer_that_never_closes_is_left_after_ten_seconds)
{
	struct closer c;
	struct stage s;

	begin(&s);
	closer_start(&c, s.b);
	peer_check_goodbye(&s.peer);
	pass(&s, 10000);
	thread_join(&c.thread);
	s.b = NULL;
	end(&s);
}

TEST(closing_waits_ten_seconds_for_the_peer_to_take_an_answer)
{
	struct stage s;

	begin_blocked(&s, true);
	pthread_mutex_lock(&s.b->lock); /* as bulk_close() begins */
	s.b->ask.closes = true;
	pthread_mutex_unlock(&s.b->lock);
	hear_heartbeat(&s);
	hear_heartbeat(&s); /* it has begun */
	pass(&s, 5000);
	hear_heartbeat(&s); /* which does not prolong it */
	pass(&s, 5000);
	check_fails(s.b, ERR_TIMEOUT, "local: took nothing of the end for 10 s");
	bulk_close(TAKE(s.b)); /* and goes on to its end */
	end(&s);
}

TEST_MAIN()
