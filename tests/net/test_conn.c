#include "net/conn.h"

#include "base/thread.h"
#include "loopback.h"
#include "talk.h"
#include "tap.h"

#include <errno.h>
#include <signal.h>

struct pair {
	struct conn *a, *b;
};

static struct pair unix_pair(void)
{
	struct err e = ERR_INIT;
	struct pair p = { NULL, NULL };

	CHECK(conn_pair(&p.a, &p.b, &e) == 0);
	return p;
}

static struct pair tcp_pair(void)
{
	int a, b;

	loopback_pair(&a, &b);
	return (struct pair){ conn_of_fds(a, a, "the one", NULL),
			      conn_of_fds(b, b, "the other", "client1") };
}

static void close_pair(struct pair *p)
{
	conn_close(p->a);
	conn_close(p->b);
}

/* Both ends non-blocking, [0] for reading. */
static void make_pipe(int fds[2])
{
	CHECK(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
}

static void close_both(int fds[2])
{
	fd_closep(&fds[0]);
	fd_closep(&fds[1]);
}

static enum conn_result write_pattern(struct conn *c, size_t at, size_t n, size_t *put)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	uint8_t chunk[8 * 1024];
	size_t used = n < sizeof(chunk) ? n : sizeof(chunk);
	struct iovec v[2] = { { chunk, used / 3 },
			      { chunk + used / 3, used - used / 3 } };

	fill_pattern(chunk, used, at);
	return conn_write(c, v, 2, put, &e);
}

/* Until nothing more fits; the number of bytes that did. */
static size_t fill(struct conn *c)
{
	size_t at = 0, put;
	enum conn_result r;

	while ((r = write_pattern(c, at, SIZE_MAX, &put)) == CONN_OK)
		at += put;
	CHECK_INT(r, CONN_AGAIN);
	return at;
}

static size_t fill_pipe(int fd)
{
	char page[4096] = { 0 };
	size_t n = 0;
	ssize_t w;

	while ((w = write(fd, page, sizeof(page))) > 0)
		n += (size_t)w;
	CHECK_INT(errno, EAGAIN);
	return n;
}

static void empty_pipe(int fd, size_t n)
{
	char page[4096];

	while (n > 0) {
		ssize_t r = read(fd, page, n < sizeof(page) ? n : sizeof(page));

		REQUIRE(r > 0);
		n -= (size_t)r;
	}
}

/* Waits, at most until a test run would be ended anyway. */
static bool is_readable_within(const struct conn *c, int ms)
{
	struct pollfd fds[CONN_FDS];
	nfds_t n = conn_poll(c, true, false, fds);

	return poll(fds, n, ms) > 0;
}

TEST(a_half_close_ends_one_direction_after_its_last_byte)
{
	struct pair pairs[] = { unix_pair(), tcp_pair() };

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct pair *p = &pairs[i];
		struct err e = ERR_INIT;

		check_writes(p->a, "last");
		CHECK_INT(conn_finish(p->a, &e), CONN_OK);
		CHECK_INT(conn_finish(p->a, &e), CONN_OK);
		check_reads(p->b, "last");
		check_ends(p->b);
		check_ends(p->b);
		check_writes(p->b, "answer");
		check_reads(p->a, "answer");
		conn_close(TAKE(p->b));
		check_ends(p->a);
		close_pair(p);
	}
}

TEST(where_nothing_has_come_reading_does_not_wait)
{
	struct pair p = tcp_pair();
	struct err e = ERR_INIT;
	char byte;
	int fds[2];
	size_t got;

	make_pipe(fds);
	CHECK_INT(conn_read(p.a, &byte, 1, &got, &e), CONN_AGAIN);
	CHECK_INT(conn_splice(p.a, fds[1], 1, &got, &e), CONN_AGAIN);
	CHECK(!conn_ready(p.a));
	CHECK_INT(e.kind, ERR_NONE);
	close_both(fds);
	close_pair(&p);
}

TEST(polls_for_what_the_owner_would_do_and_for_nothing_else)
{
	struct pair p = unix_pair();
	struct pollfd fds[CONN_FDS];
	int ends[2][2];
	struct conn *c;
	struct err e = ERR_INIT;

	CHECK_INT(conn_poll(p.a, false, false, fds), 0);
	REQUIRE(conn_poll(p.a, true, true, fds) == 1);
	CHECK_INT(fds[0].events, POLLIN | POLLOUT);
	REQUIRE(conn_poll(p.a, false, true, fds) == 1);
	CHECK_INT(fds[0].events, POLLOUT);
	close_pair(&p);

	make_pipe(ends[0]);
	make_pipe(ends[1]);
	c = conn_of_fds(ends[0][0], ends[1][1], "pipes", NULL);
	CHECK_INT(conn_poll(c, false, false, fds), 0);
	REQUIRE(conn_poll(c, true, true, fds) == 2);
	CHECK_INT(fds[0].fd, ends[0][0]);
	CHECK_INT(fds[1].fd, ends[1][1]);
	REQUIRE(conn_poll(c, false, true, fds) == 1);
	CHECK_INT(fds[0].fd, ends[1][1]);
	CHECK_INT(conn_finish(c, &e), CONN_OK);
	CHECK_INT(conn_poll(c, false, true, fds), 0);
	conn_close(c);
	fd_closep(&ends[0][1]);
	fd_closep(&ends[1][0]);
}

/* Sends from a, splices out of b into a small pipe, and compares. */
static void check_transfer(struct pair *p, int pipe[2], size_t total, size_t want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	size_t sent = 0, came = 0, spliced = 0, got;
	uint8_t chunk[4 * 1024];
	bool ended = false;

	while (!ended || came < spliced) {
		struct pollfd fds[2 * CONN_FDS + 1];
		nfds_t n = conn_poll(p->a, false, sent < total, fds);
		ssize_t r;

		n += conn_poll(p->b, !ended, false, fds + n);
		fds[n++] = (struct pollfd){ pipe[0], POLLIN, 0 };
		REQUIRE(conn_ready(p->b) || poll(fds, n, PATIENCE_MS) > 0);
		if (sent < total &&
		    write_pattern(p->a, sent, total - sent, &got) == CONN_OK)
			sent += got;
		if (sent == total)
			CHECK_INT(conn_finish(p->a, &e), CONN_OK);
		/* As the owner of a frame does: never more than what is to come. */
		conn_want(p->b, total - spliced < want ? total - spliced : want);
		if (!ended) {
			enum conn_result s = conn_splice(p->b, pipe[1], want, &got, &e);

			REQUIRE(s != CONN_FAILED && s != CONN_PIPE_CLOSED);
			spliced += s == CONN_OK ? got : 0;
			ended = s == CONN_END;
		}
		while ((r = read(pipe[0], chunk, sizeof(chunk))) > 0) {
			REQUIRE(is_pattern(chunk, (size_t)r, came));
			came += (size_t)r;
		}
	}
	CHECK_INT(came, total);
}

TEST(a_large_transfer_through_a_small_pipe_is_exact)
{
	struct pair pairs[] = { unix_pair(), tcp_pair(), tcp_pair() };
	const size_t wants[] = { 100001, 1, 512 * 1024 };

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		int fds[2];

		make_pipe(fds);
		CHECK(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096);
		/* One byte a time is slow. */
		check_transfer(&pairs[i], fds, wants[i] == 1 ? 20000 : 20000001,
			       wants[i]);
		close_both(fds);
		close_pair(&pairs[i]);
	}
}

TEST(a_transfer_that_the_kernel_cannot_splice_is_exact_too)
{
	struct pair p = tcp_pair();
	int fds[2];

	/* No pipe at either side: splice(2) refuses that. */
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) ==
	      0);
	check_transfer(&p, fds, 9000001, 100001);
	close_both(fds);
	close_pair(&p);
}

TEST(what_finds_the_pipe_full_stays_and_comes_first)
{
	struct pair p = tcp_pair();
	struct err e = ERR_INIT;
	size_t got = 0;
	int fds[2];
	char c[4];

	make_pipe(fds);
	check_writes(p.a, "abcdef");
	CHECK(is_readable_within(p.b, PATIENCE_MS));
	empty_pipe(fds[0], fill_pipe(fds[1]) - 1); /* leaves one byte */
	CHECK_INT(conn_splice(p.b, fds[1], 2, &got, &e), CONN_OK);
	CHECK_INT(got, 2);
	fill_pipe(fds[1]);
	CHECK_INT(conn_splice(p.b, fds[1], 2, &got, &e), CONN_PIPE_FULL);
	CHECK_INT(conn_read(p.b, c, 1, &got, &e), CONN_OK);
	CHECK_INT(c[0], 'c');
	check_reads(p.b, "def");
	close_both(fds);
	close_pair(&p);
}

TEST(what_was_taken_off_the_wire_and_found_no_room_is_kept)
{
	struct pair p = tcp_pair();
	struct err e = ERR_INIT;
	size_t got = 0, filled;
	struct conn *target;
	int fds[2], out;
	char c;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) ==
	      0);
	out = fds[1];
	target = conn_of_fds(fds[1], fds[1], "target", NULL);
	filled = fill(target);
	check_writes(p.a, "abc");
	CHECK(is_readable_within(p.b, PATIENCE_MS));
	CHECK_INT(conn_splice(p.b, out, 9, &got, &e), CONN_PIPE_FULL);
	CHECK(conn_ready(p.b));
	CHECK_INT(conn_read(p.b, &c, 1, &got, &e), CONN_OK);
	CHECK_INT(c, 'a');
	empty_pipe(fds[0], filled);
	CHECK_INT(conn_splice(p.b, out, 1, &got, &e), CONN_OK);
	CHECK_INT(got, 1);
	CHECK(read(fds[0], &c, 1) == 1 && c == 'b');
	CHECK(conn_ready(p.b));
	check_reads(p.b, "c");
	CHECK(!conn_ready(p.b));
	fd_closep(&fds[0]);
	check_writes(p.a, "d");
	CHECK(is_readable_within(p.b, PATIENCE_MS));
	CHECK_INT(conn_splice(p.b, out, 9, &got, &e), CONN_PIPE_CLOSED);
	conn_close(target);
	close_pair(&p);
}

TEST(a_pipe_that_nobody_reads_is_told_from_a_connection_that_broke)
{
	struct pair p = tcp_pair();
	struct err e = ERR_INIT;
	size_t got = 0;
	int fds[2];

	make_pipe(fds);
	fd_closep(&fds[0]);
	CHECK_INT(conn_splice(p.b, fds[1], 9, &got, &e), CONN_PIPE_CLOSED);
	check_writes(p.a, "here");
	CHECK(is_readable_within(p.b, PATIENCE_MS));
	CHECK_INT(conn_splice(p.b, fds[1], 9, &got, &e), CONN_PIPE_CLOSED);
	CHECK_INT(e.kind, ERR_NONE);
	check_reads(p.b, "here");
	close_both(fds);
	close_pair(&p);
}

static void reset(struct conn **c)
{
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	struct pollfd fds[CONN_FDS];

	CHECK(conn_poll(*c, true, false, fds) == 1);
	CHECK(setsockopt(fds[0].fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0);
	conn_close(TAKE(*c));
}

TEST(a_reset_is_an_error_of_the_network_that_names_the_peer)
{
	for (int how = 0; how < 3; how++) {
		struct pair p = tcp_pair();
		cleanup(err_clear) struct err e = ERR_INIT;
		enum conn_result r = CONN_AGAIN;
		size_t got;
		int fds[2];
		char byte;

		make_pipe(fds);
		reset(&p.a);
		CHECK(is_readable_within(p.b, PATIENCE_MS));
		if (how == 0)
			r = conn_read(p.b, &byte, 1, &got, &e);
		else if (how == 1)
			r = conn_splice(p.b, fds[1], 1, &got, &e);
		else
			r = write_pattern(p.b, 0, 1, &got);
		CHECK_INT(r, CONN_FAILED);
		if (how < 2) {
			CHECK_INT(e.kind, ERR_NETWORK);
			CHECK_STR(err_msg(&e),
				  "read from the other: Connection reset by peer");
		}
		close_both(fds);
		close_pair(&p);
	}
}

TEST(writing_to_a_peer_that_is_gone_is_an_error_and_no_signal)
{
	struct pair p = unix_pair();
	cleanup(err_clear) struct err e = ERR_INIT;
	struct iovec v = { (char[]){ "x" }, 1 };
	size_t put;

	conn_close(TAKE(p.b));
	CHECK_INT(conn_write(p.a, &v, 1, &put, &e), CONN_FAILED);
	CHECK_INT(e.kind, ERR_NETWORK);
	CHECK_STR(err_msg(&e), "write to local: Broken pipe");
	close_pair(&p);
}

TEST(a_wish_for_many_bytes_does_not_lose_a_short_tail)
{
	struct pair p = tcp_pair();
	struct err e = ERR_INIT;

	conn_want(p.b, 100000);
	check_writes(p.a, "tail");
	CHECK(!is_readable_within(p.b, 0));
	CHECK_INT(conn_finish(p.a, &e), CONN_OK);
	CHECK(is_readable_within(p.b, PATIENCE_MS));
	check_reads(p.b, "tail");
	check_ends(p.b);
	close_pair(&p);
}

TEST(a_wish_is_over_when_another_one_replaces_it)
{
	struct pair p = tcp_pair();

	conn_want(p.b, 6);
	check_writes(p.a, "abc");
	CHECK(!is_readable_within(p.b, 0));
	conn_want(p.b, 3);
	CHECK(is_readable_within(p.b, PATIENCE_MS));
	conn_want(p.b, 6);
	check_writes(p.a, "def");
	CHECK(is_readable_within(p.b, PATIENCE_MS));
	check_reads(p.b, "abcdef");
	close_pair(&p);
}

/* More than any receive buffer can hold. */
TEST(an_immoderate_wish_ends_when_the_buffer_is_full)
{
	struct pair p = tcp_pair();

	conn_want(p.b, SIZE_MAX);
	CHECK(fill(p.a) > 0);
	CHECK(is_readable_within(p.b, PATIENCE_MS));
	close_pair(&p);
}

TEST(reading_exactly_so_many_bytes_forgets_a_larger_wish)
{
	struct pair p = tcp_pair();

	conn_want(p.b, 1000);
	check_writes(p.a, "few");
	check_reads(p.b, "few");
	close_pair(&p);
}

TEST(reading_so_many_bytes_fails_when_the_end_comes_first)
{
	struct pair p = unix_pair();
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	char got[8];

	check_writes(p.a, "abc");
	conn_close(TAKE(p.a));
	CHECK(conn_read_all(ctx, p.b, got, 4, &e) < 0);
	CHECK_INT(e.kind, ERR_NETWORK);
	CHECK_STR(err_msg(&e), "read from local: the peer has closed the connection");
	close_pair(&p);
}

TEST(waiting_ends_with_the_ctx)
{
	struct pair p = unix_pair();
	cleanup(ctx_freep) struct ctx *late = ctx_new(NULL);
	cleanup(ctx_freep) struct ctx *stopped = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	char byte = 0;

	ctx_set_timeout(late, 1);
	CHECK(conn_read_all(late, p.a, &byte, 1, &e) < 0);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	CHECK_STR(err_msg(&e), "read from local: timed out");
	fill(p.a);
	ctx_cancel(stopped);
	CHECK(conn_write_all(stopped, p.a, &byte, 1, &e) < 0);
	CHECK_INT(e.kind, ERR_CANCELLED);
	CHECK_STR(err_msg(&e), "write to local: cancelled");
	close_pair(&p);
}

struct sender {
	struct thread thread;
	struct conn *c;
	const char *bytes;
	size_t n;
};

static void send_all(void *arg)
{
	struct sender *s = arg;
	struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	CHECK(conn_write_all(ctx, s->c, s->bytes, s->n, &e) == 0);
}

TEST(writing_so_many_bytes_waits_for_room)
{
	enum { N = 3000001 };
	struct pair p = tcp_pair();
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *bytes = xcalloc(1, N), *got = xcalloc(1, N);
	struct sender s = { .c = p.a, .bytes = bytes, .n = N };

	fill_pattern((uint8_t *)bytes, N, 0);
	ctx_set_timeout(ctx, PATIENCE_MS);
	thread_start(&s.thread, "sender", send_all, &s);
	CHECK(conn_read_all(ctx, p.b, got, N, &e) == 0);
	thread_join(&s.thread);
	CHECK(memcmp(bytes, got, N) == 0);
	close_pair(&p);
}

TEST(bytes_are_flushed_when_the_other_kernel_or_reader_has_them)
{
	struct pair p = unix_pair(), t = tcp_pair();
	struct conn *c;
	int ends[2], in;

	CHECK(conn_is_flushed(p.a));
	check_writes(p.a, "abc");
	CHECK(!conn_is_flushed(p.a));
	check_reads(p.b, "abc");
	CHECK(conn_is_flushed(p.a));
	close_pair(&p);

	CHECK(conn_is_flushed(t.a));
	fill(t.a);
	CHECK(!conn_is_flushed(t.a));
	close_pair(&t);

	make_pipe(ends);
	in = dup(ends[0]);
	c = conn_of_fds(ends[0], ends[1], "pipe", NULL);
	check_writes(c, "abc");
	CHECK(!conn_is_flushed(c));
	empty_pipe(in, 3);
	CHECK(conn_is_flushed(c));
	fd_closep(&in);
	conn_close(c);
}

TEST(two_pipes_are_a_connection_too)
{
	struct err e = ERR_INIT;
	cleanup(err_clear) struct err late = ERR_INIT;
	struct iovec v = { (char[]){ "x" }, 1 };
	int there[2], back[2];
	struct pair p;
	size_t put;

	make_pipe(there);
	make_pipe(back);
	p.a = conn_of_fds(back[0], there[1], "ssh root@host", NULL);
	p.b = conn_of_fds(there[0], back[1], "client1", "client1");
	check_writes(p.a, "ping");
	check_reads(p.b, "ping");
	CHECK_INT(conn_finish(p.a, &e), CONN_OK);
	CHECK_INT(conn_finish(p.a, &e), CONN_OK);
	CHECK(conn_is_flushed(p.a));
	check_ends(p.b);
	check_writes(p.b, "pong");
	check_reads(p.a, "pong");
	CHECK_INT(conn_write(p.a, &v, 1, &put, &late), CONN_FAILED);
	CHECK_INT(late.kind, ERR_INTERNAL);
	conn_close(TAKE(p.a));
	CHECK_INT(conn_write(p.b, &v, 1, &put, &late), CONN_FAILED);
	CHECK_INT(late.kind, ERR_NETWORK);
	close_pair(&p);
}

TEST(pipes_splice_into_pipes)
{
	struct pair p = unix_pair();
	int fds[2], to[2];

	close_pair(&p);
	make_pipe(fds);
	make_pipe(to);
	p.a = conn_of_fds(to[0], fds[1], "a", NULL);
	p.b = conn_of_fds(fds[0], to[1], "b", NULL);
	make_pipe(fds);
	check_transfer(&p, fds, 5000001, 70000);
	close_both(fds);
	close_pair(&p);
}

TEST(bytes_go_from_a_pipe_to_the_peer_without_us)
{
	struct pair pairs[] = { unix_pair(), tcp_pair() };

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct pair *p = &pairs[i];
		cleanup(err_clear) struct err e = ERR_INIT;
		size_t put = 0;
		int fds[2];

		make_pipe(fds);
		REQUIRE(conn_can_splice_from(p->a, fds[0]));
		CHECK_INT(conn_splice_from(p->a, fds[0], 9, &put, &e), CONN_PIPE_EMPTY);
		CHECK(write(fds[1], "abcdef", 6) == 6);
		CHECK_INT(conn_splice_from(p->a, fds[0], 4, &put, &e), CONN_OK);
		CHECK_INT(put, 4);
		check_reads(p->b, "abcd");
		CHECK_INT(conn_splice_from(p->a, fds[0], 4, &put, &e), CONN_OK);
		CHECK_INT(put, 2);
		check_reads(p->b, "ef");
		fd_closep(&fds[1]);
		CHECK_INT(conn_splice_from(p->a, fds[0], 4, &put, &e), CONN_PIPE_EMPTY);
		CHECK_INT(e.kind, ERR_NONE);
		close_both(fds);
		close_pair(p);
	}
}

TEST(a_full_connection_leaves_the_rest_in_the_pipe)
{
	struct pair p = tcp_pair();
	cleanup(err_clear) struct err e = ERR_INIT;
	size_t put = 0;
	int fds[2];
	char c;

	make_pipe(fds);
	fill(p.a);
	CHECK(write(fds[1], "x", 1) == 1);
	CHECK_INT(conn_splice_from(p.a, fds[0], 1, &put, &e), CONN_AGAIN);
	reset(&p.b);
	CHECK(is_readable_within(p.a, PATIENCE_MS));
	CHECK_INT(conn_splice_from(p.a, fds[0], 1, &put, &e), CONN_FAILED);
	CHECK_INT(e.kind, ERR_NETWORK);
	CHECK(read(fds[0], &c, 1) == 1 && c == 'x');
	close_both(fds);
	close_pair(&p);
}

TEST(what_is_announced_to_be_followed_goes_out_with_what_follows)
{
	struct pair p = tcp_pair();

	conn_more(p.a, true);
	check_writes(p.a, "head");
	conn_more(p.a, false);
	check_writes(p.a, "body");
	check_reads(p.b, "headbody");
	close_pair(&p);
}

TEST(a_connection_knows_its_peer_and_whom_the_transport_vouches_for)
{
	struct pair p = tcp_pair();

	CHECK_STR(conn_peer(p.b), "the other");
	CHECK_STR(conn_identity(p.b), "client1");
	CHECK(conn_identity(p.a) == NULL);
	close_pair(&p);
	conn_close(NULL);
}

__attribute__((constructor)) static void ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
}

TEST_MAIN()
