#include "base/pump.h"

#include "base/thread.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

struct ends {
	int r, w;
};

static void set_nonblocking(int fd)
{
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
}

static struct ends make_pipe(void)
{
	int fds[2] = { -1, -1 };

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	return (struct ends){ fds[0], fds[1] };
}

static void close_ends(struct ends *e)
{
	fd_closep(&e->r);
	fd_closep(&e->w);
}

/* The n-th byte of what goes through in these tests. */
static unsigned char nth(size_t n)
{
	return (unsigned char)(n * 7 + n / 251);
}

struct writer {
	struct thread thread;
	int fd;
	size_t n;
};

static void write_pattern(void *arg)
{
	struct writer *w = arg;
	unsigned char chunk[3000];

	for (size_t at = 0; at < w->n;) {
		size_t want = w->n - at < sizeof(chunk) ? w->n - at : sizeof(chunk);
		ssize_t n;

		for (size_t i = 0; i < want; i++)
			chunk[i] = nth(at + i);
		n = write(w->fd, chunk, want);
		if (n < 0)
			break;
		at += (size_t)n;
	}
	fd_closep(&w->fd);
}

struct reader {
	struct thread thread;
	int fd;
	size_t n;
	bool is_right;
};

static void read_pattern(void *arg)
{
	struct reader *r = arg;
	unsigned char chunk[5000];
	ssize_t n;

	r->is_right = true;
	while ((n = read(r->fd, chunk, sizeof(chunk))) > 0)
		for (ssize_t i = 0; i < n; i++)
			if (chunk[i] != nth(r->n++))
				r->is_right = false;
}

static void check_goes_through(struct ends in, struct ends out, size_t bytes)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct writer w = { .fd = in.w, .n = bytes };
	struct reader r = { .fd = out.r };
	atomic_uint_fast64_t moved = 0;
	enum pump_end end = PUMP_CLOSED;

	set_nonblocking(in.r);
	set_nonblocking(out.w);
	thread_start(&w.thread, "writer", write_pattern, &w);
	thread_start(&r.thread, "reader", read_pattern, &r);
	CHECK_INT(
		pump(ctx, in.r, out.w, &(struct pump_opts){ .moved = &moved }, &end, &e),
		0);
	CHECK_STR(err_msg(&e), "no error");
	CHECK_INT(end, PUMP_EOF);
	close(out.w);
	thread_join(&w.thread);
	thread_join(&r.thread);
	close(in.r);
	close(out.r);
	CHECK_INT(moved, bytes);
	CHECK_INT(r.n, bytes);
	CHECK(r.is_right);
}

TEST(pump_moves_everything_from_a_pipe_to_a_pipe)
{
	check_goes_through(make_pipe(), make_pipe(), (size_t)16 << 20);
}

TEST(pump_moves_nothing_and_says_that_it_was_everything)
{
	check_goes_through(make_pipe(), make_pipe(), 0);
}

static struct ends make_socket(void)
{
	int fds[2] = { -1, -1 };

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	return (struct ends){ fds[0], fds[1] };
}

TEST(pump_moves_everything_from_a_pipe_to_a_socket)
{
	check_goes_through(make_pipe(), make_socket(), (size_t)4 << 20);
}

TEST(pump_moves_everything_from_a_socket_to_a_pipe)
{
	check_goes_through(make_socket(), make_pipe(), (size_t)4 << 20);
}

TEST(pump_copies_where_the_kernel_cannot_join_the_descriptors)
{
	check_goes_through(make_socket(), make_socket(), (size_t)4 << 20);
}

static void check_closed(struct ends in, struct ends out)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	enum pump_end end = PUMP_EOF;

	set_nonblocking(in.r);
	set_nonblocking(out.w);
	fd_closep(&out.r);
	CHECK_INT(pump(ctx, in.r, out.w, &(struct pump_opts){ 0 }, &end, &e), 0);
	CHECK_INT(end, PUMP_CLOSED);
	CHECK_STR(err_msg(&e), "no error");
	close_ends(&in);
	close_ends(&out);
}

TEST(pump_notices_a_closed_target_when_it_writes)
{
	struct ends in = make_pipe();

	REQUIRE(write(in.w, "x", 1) == 1);
	check_closed(in, make_pipe());
}

TEST(pump_notices_a_closed_target_while_the_source_is_silent)
{
	check_closed(make_pipe(), make_pipe());
}

TEST(pump_notices_a_closed_target_when_it_copies)
{
	struct ends in = make_socket();

	REQUIRE(write(in.w, "x", 1) == 1);
	check_closed(in, make_socket());
}

struct canceller {
	struct ctx *ctx;
	int moved_fd; /* readable when something has come through */
};

static void cancel_after_first_byte(void *arg)
{
	struct canceller *c = arg;
	char byte;

	CHECK_INT(read(c->moved_fd, &byte, 1), 1);
	ctx_cancel(c->ctx);
}

static void check_cancelled(struct ends in, struct ends out)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct canceller c = { ctx, out.r };
	struct thread t = { 0 };
	enum pump_end end;

	set_nonblocking(in.r);
	set_nonblocking(out.w);
	REQUIRE(write(in.w, "x", 1) == 1);
	thread_start(&t, "canceller", cancel_after_first_byte, &c);
	CHECK_INT(pump(ctx, in.r, out.w, &(struct pump_opts){ 0 }, &end, &e), -1);
	CHECK_INT(e.kind, ERR_CANCELLED);
	thread_join(&t);
	close_ends(&in);
	close_ends(&out);
}

TEST(pump_ends_when_it_is_cancelled_while_it_waits)
{
	check_cancelled(make_pipe(), make_pipe());
	check_cancelled(make_socket(), make_socket());
}

static void write_for_ever(void *arg)
{
	struct writer *w = arg;
	char chunk[4096] = "";

	while (write(w->fd, chunk, sizeof(chunk)) > 0)
		;
}

static void read_for_ever(void *arg)
{
	struct reader *r = arg;
	char chunk[4096];

	while (read(r->fd, chunk, sizeof(chunk)) > 0)
		;
}

TEST(pump_ends_at_the_deadline_although_bytes_keep_coming)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct ends in = make_pipe(), out = make_pipe();
	struct writer w = { .fd = in.w };
	struct reader r = { .fd = out.r };
	enum pump_end end;

	set_nonblocking(in.r);
	set_nonblocking(out.w);
	thread_start(&w.thread, "writer", write_for_ever, &w);
	thread_start(&r.thread, "reader", read_for_ever, &r);
	ctx_set_timeout(ctx, 50);
	CHECK_INT(pump(ctx, in.r, out.w, &(struct pump_opts){ 0 }, &end, &e), -1);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	fd_closep(&in.r);
	fd_closep(&out.w);
	thread_join(&w.thread);
	thread_join(&r.thread);
	close_ends(&in);
	close_ends(&out);
}

TEST(pump_gives_up_when_no_byte_moves_for_too_long)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct ends in = make_pipe(), out = make_pipe();
	enum pump_end end;

	set_nonblocking(in.r);
	set_nonblocking(out.w);
	CHECK_INT(pump(ctx, in.r, out.w, &(struct pump_opts){ .stall_ms = 30 }, &end, &e),
		  -1);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	CHECK_STR(err_msg(&e), "no byte moved for 30 ms");
	close_ends(&in);
	close_ends(&out);
}

/* To the last byte; non-blocking from now on. */
static void fill(int fd)
{
	static const char chunk[4096];

	set_nonblocking(fd);
	while (write(fd, chunk, sizeof(chunk)) > 0)
		;
}

TEST(pump_gives_up_when_nobody_empties_the_target)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct ends in = make_pipe(), out = make_pipe();
	atomic_uint_fast64_t moved = 0;
	enum pump_end end;
	char room[4096];

	set_nonblocking(in.r);
	fill(in.w);
	fill(out.w);
	REQUIRE(read(out.r, room, sizeof(room)) == sizeof(room));
	CHECK_INT(pump(ctx, in.r, out.w,
		       &(struct pump_opts){ .moved = &moved, .stall_ms = 30 }, &end, &e),
		  -1);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	CHECK(moved > 0);
	close_ends(&in);
	close_ends(&out);
}

/* 64 KiB at once, and the rest as fast as the limit says: the time is the proof. */
static void check_limited(struct ends in, struct ends out, size_t which)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct writer w = { .fd = in.w, .n = 192 << 10 };
	struct reader r = { .fd = out.r };
	struct rate *limit = rate_new(1 << 20, 64 << 10);
	struct pump_opts o = { .stall_ms = 5000 };
	enum pump_end end = PUMP_CLOSED;
	int64_t start = now_ms();

	o.limits[which] = limit;
	set_nonblocking(in.r);
	set_nonblocking(out.w);
	thread_start(&w.thread, "writer", write_pattern, &w);
	thread_start(&r.thread, "reader", read_pattern, &r);
	CHECK_INT(pump(ctx, in.r, out.w, &o, &end, &e), 0);
	CHECK_INT(end, PUMP_EOF);
	CHECK(now_ms() - start >= 125 - 1); /* 128 KiB at 1 MiB a second */
	close(out.w);
	thread_join(&w.thread);
	thread_join(&r.thread);
	CHECK_INT(r.n, 192 << 10);
	CHECK(r.is_right);
	close(in.r);
	close(out.r);
	rate_free(limit);
}

TEST(pump_is_no_faster_than_its_limits)
{
	check_limited(make_pipe(), make_pipe(), 0);
	check_limited(make_pipe(), make_pipe(), 1);
	check_limited(make_socket(), make_socket(), 0);
}

TEST(a_limit_that_holds_it_back_is_no_stall)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct ends in = make_pipe(), out = make_pipe();
	struct rate *limit = rate_new(1000, 1);
	enum pump_end end = PUMP_CLOSED;

	set_nonblocking(in.r);
	set_nonblocking(out.w);
	REQUIRE(write(in.w, "x", 1) == 1);
	fd_closep(&in.w);
	rate_spend(limit, 51, now_in_us());
	CHECK_INT(pump(ctx, in.r, out.w,
		       &(struct pump_opts){ .stall_ms = 10, .limits = { limit } }, &end,
		       &e),
		  0);
	CHECK_INT(end, PUMP_EOF);
	rate_free(limit);
	close_ends(&in);
	close_ends(&out);
}

TEST(pump_notices_a_closed_target_while_a_limit_holds_it_back)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct ends in = make_pipe(), out = make_pipe();
	struct rate *limit = rate_new(1, 1);
	enum pump_end end = PUMP_EOF;

	set_nonblocking(in.r);
	set_nonblocking(out.w);
	fd_closep(&out.r);
	rate_spend(limit, 1 << 20, now_in_us());
	CHECK_INT(pump(ctx, in.r, out.w, &(struct pump_opts){ .limits = { limit } }, &end,
		       &e),
		  0);
	CHECK_INT(end, PUMP_CLOSED);
	rate_free(limit);
	close_ends(&in);
	close_ends(&out);
}

TEST(pump_reports_a_descriptor_that_is_none)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct ends in = make_pipe();
	enum pump_end end;

	set_nonblocking(in.r);
	CHECK_INT(pump(ctx, in.r, -1, &(struct pump_opts){ 0 }, &end, &e), -1);
	CHECK_INT(e.kind, ERR_SYSTEM);
	CHECK_INT(e.sys, EBADF);
	close_ends(&in);
}

int main(int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	return tap_run(argc > 1 ? argv[1] : NULL);
}
