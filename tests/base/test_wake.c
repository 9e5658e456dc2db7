#include "base/thread.h"
#include "base/wake.h"
#include "tap.h"

#include <signal.h>

TEST(signals_before_the_wait_are_kept_and_count_as_one)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct wake w;

	wake_init(&w);
	CHECK_INT(wake_wait(&w, ctx, 0, &e), 0);
	wake_signal(&w);
	wake_signal(&w);
	CHECK_INT(wake_wait(&w, ctx, -1, &e), 1);
	CHECK_INT(wake_wait(&w, ctx, 0, &e), 0);
	wake_fini(&w);
}

TEST(clearing_tells_whether_it_was_set)
{
	struct wake w;

	wake_init(&w);
	CHECK(!wake_clear(&w));
	wake_signal(&w);
	CHECK(wake_clear(&w));
	CHECK(!wake_clear(&w));
	wake_fini(&w);
	CHECK_INT(w.fd, -1);
}

TEST(a_wait_ends_when_the_ctx_is_cancelled)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct wake w;

	wake_init(&w);
	ctx_cancel(ctx);
	CHECK_INT(wake_wait(&w, ctx, -1, &e), -1);
	CHECK_INT(e.kind, ERR_CANCELLED);
	wake_fini(&w);
}

TEST(a_wait_ends_after_its_timeout)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	int64_t start = now_ms();
	struct wake w;

	wake_init(&w);
	CHECK_INT(wake_wait(&w, ctx, 20, &e), 0);
	CHECK(now_ms() - start >= 20);
	wake_fini(&w);
}

struct ping_pong {
	struct wake ping, pong;
	struct ctx *ctx;
	int rounds; /* of the other thread */
};

static void answer(void *arg)
{
	struct ping_pong *p = arg;
	cleanup(err_clear) struct err e = ERR_INIT;

	while (wake_wait(&p->ping, p->ctx, -1, &e) == 1) {
		p->rounds++;
		wake_signal(&p->pong);
	}
	CHECK_INT(e.kind, ERR_CANCELLED);
}

TEST(threads_wake_each_other)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct ping_pong p = { .ctx = ctx };
	struct thread t = { 0 };

	wake_init(&p.ping);
	wake_init(&p.pong);
	thread_start(&t, "answer", answer, &p);
	for (int i = 0; i < 1000; i++) {
		wake_signal(&p.ping);
		CHECK_INT(wake_wait(&p.pong, ctx, -1, &e), 1);
	}
	ctx_cancel(ctx);
	thread_join(&t);
	CHECK_INT(p.rounds, 1000);
	wake_fini(&p.ping);
	wake_fini(&p.pong);
}

TEST(who_awaits_a_wake_needs_no_ctx)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct ping_pong p = { .ctx = ctx };
	struct thread t = { 0 };

	wake_init(&p.ping);
	wake_init(&p.pong);
	thread_start(&t, "answer", answer, &p);
	for (int i = 0; i < 100; i++) {
		wake_signal(&p.ping);
		wake_await(&p.pong);
		CHECK(!wake_clear(&p.pong));
	}
	ctx_cancel(ctx);
	thread_join(&t);
	CHECK_INT(p.rounds, 100);
	wake_fini(&p.ping);
	wake_fini(&p.pong);
}

struct look {
	char name[16];
	size_t stack;
	bool all_blocked;
};

static void look_around(void *arg)
{
	struct look *l = arg;
	pthread_attr_t attr;
	sigset_t mask;

	pthread_getname_np(pthread_self(), l->name, sizeof(l->name));
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	l->all_blocked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGINT) &&
			 sigismember(&mask, SIGCHLD) && sigismember(&mask, SIGPIPE);
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstacksize(&attr, &l->stack);
	pthread_attr_destroy(&attr);
}

TEST(a_thread_has_a_name_a_small_stack_and_no_signals)
{
	struct look l = { 0 };
	struct thread t = { 0 };

	thread_start(&t, "a name that is too long", look_around, &l);
	CHECK(t.running);
	thread_join(&t);
	CHECK(!t.running);
	CHECK_STR(l.name, "a name that is ");
	CHECK(l.all_blocked);
	CHECK(l.stack >= 256 * 1024);
	CHECK(l.stack <= 1024 * 1024); /* sanitizers add to it */
}

TEST(joining_what_never_ran_does_nothing)
{
	struct thread t = { 0 };

	thread_join(&t);
	CHECK(!t.running);
}

TEST(a_thread_that_was_joined_can_be_started_again)
{
	struct look l = { 0 };
	struct thread t = { 0 };

	for (int i = 0; i < 3; i++) {
		l = (struct look){ 0 };
		thread_start(&t, "again", look_around, &l);
		thread_join(&t);
		CHECK_STR(l.name, "again");
	}
}

TEST_MAIN()
