#include "base/ctx.h"
#include "base/proc.h"
#include "tap.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

enum { JOBS = 16 };

struct job {
	struct ctx *root;
	int started; /* write end: one byte when the child runs */
};

static void *run_until_cancelled(void *arg)
{
	const struct job *j = arg;
	const char *argv[] = { "sh", "-c", "echo >&2; exec tail -f /dev/null", NULL };
	struct proc_opts o = { .argv = argv, .in = -1, .out = -1, .errfd = j->started };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(j->root);
	struct proc p;

	if (CHECK_INT(proc_start(&p, &o, &e), 0)) {
		CHECK_INT(proc_wait(&p, ctx, 5000, &e), -1);
		CHECK_INT(e.kind, ERR_CANCELLED);
	}
	return NULL;
}

TEST(cancelling_the_root_stops_every_child_job)
{
	cleanup(ctx_freep) struct ctx *root = ctx_new(NULL);
	pthread_t t[JOBS];
	int fds[2];
	char c;

	REQUIRE(pipe(fds) == 0);
	struct job j = { root, fds[1] };
	for (int i = 0; i < JOBS; i++)
		REQUIRE(pthread_create(&t[i], NULL, run_until_cancelled, &j) == 0);
	for (int i = 0; i < JOBS; i++)
		CHECK_INT(read(fds[0], &c, 1), 1);
	ctx_cancel(root);
	for (int i = 0; i < JOBS; i++)
		pthread_join(t[i], NULL);
	close(fds[0]);
	close(fds[1]);
}

TEST(cancelling_a_child_leaves_its_parent_and_siblings_alone)
{
	cleanup(ctx_freep) struct ctx *root = ctx_new(NULL);
	cleanup(ctx_freep) struct ctx *a = ctx_new(root);
	cleanup(ctx_freep) struct ctx *b = ctx_new(root);

	ctx_cancel(a);
	CHECK(ctx_done(a));
	CHECK(!ctx_done(b));
	CHECK(!ctx_done(root));
}

TEST(a_child_of_a_cancelled_ctx_is_born_cancelled)
{
	cleanup(ctx_freep) struct ctx *root = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	ctx_cancel(root);
	cleanup(ctx_freep) struct ctx *late = ctx_new(root);
	CHECK(ctx_done(late));
	CHECK_INT(ctx_sleep(late, -1, &e), -1);
	CHECK_INT(e.kind, ERR_CANCELLED);
}

TEST(a_child_inherits_the_earlier_deadline)
{
	cleanup(ctx_freep) struct ctx *root = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	ctx_set_timeout(root, 10);
	cleanup(ctx_freep) struct ctx *child = ctx_new(root);
	ctx_set_timeout(child, 3600000);
	CHECK_INT(ctx_sleep(child, -1, &e), -1);
	CHECK_INT(e.kind, ERR_TIMEOUT);
}

TEST(timeouts_of_any_size_are_accepted)
{
	cleanup(ctx_freep) struct ctx *far = ctx_new(NULL);
	cleanup(ctx_freep) struct ctx *past = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	int fds[2];

	ctx_set_timeout(far, INT64_MAX);
	CHECK(!ctx_done(far));
	ctx_set_timeout(past, INT64_MIN);
	CHECK(ctx_done(past));

	REQUIRE(pipe(fds) == 0);
	struct pollfd p = { .fd = fds[0], .events = POLLIN };
	CHECK_INT(write(fds[1], "x", 1), 1);
	CHECK_INT(ctx_poll(far, &p, 1, INT64_MAX, &e), 1);
	close(fds[0]);
	close(fds[1]);
}

TEST(ctx_poll_reports_ready_descriptors_and_elapsed_time)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	struct pollfd p[CTX_POLL_MAX];
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		p[i] = (struct pollfd){ .fd = -1, .events = POLLIN, .revents = 77 };
	p[CTX_POLL_MAX - 1].fd = fds[0];
	CHECK_INT(ctx_poll(ctx, p, CTX_POLL_MAX, 0, &e), 0);
	CHECK_INT(p[CTX_POLL_MAX - 1].revents, 0);
	CHECK_INT(write(fds[1], "x", 1), 1);
	CHECK_INT(ctx_poll(ctx, p, CTX_POLL_MAX, -1, &e), 1);
	CHECK_INT(p[CTX_POLL_MAX - 1].revents, POLLIN);
	CHECK_INT(p[0].revents, 0);
	close(fds[0]);
	close(fds[1]);
}

TEST(a_done_ctx_wins_over_a_ready_descriptor)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	CHECK_INT(write(fds[1], "x", 1), 1);
	ctx_cancel(ctx);
	struct pollfd p = { .fd = fds[0], .events = POLLIN };
	CHECK_INT(ctx_poll(ctx, &p, 1, -1, &e), -1);
	CHECK_INT(e.kind, ERR_CANCELLED);
	close(fds[0]);
	close(fds[1]);
}

TEST(waiting_without_a_free_descriptor_is_an_error_and_not_the_end)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	struct rlimit full, before;

	REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
	full = before;
	full.rlim_cur = 3;
	REQUIRE(setrlimit(RLIMIT_NOFILE, &full) == 0);
	CHECK_INT(ctx_sleep(ctx, 0, &e), -1);
	CHECK_INT(e.kind, ERR_SYSTEM);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
	CHECK_INT(ctx_sleep(ctx, 0, &e), 0);
}

TEST_MAIN()
