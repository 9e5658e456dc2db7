#include "base/thread.h"
#include "job/activity.h"
#include "tap.h"

TEST(a_trigger_is_accepted_once_and_refused_until_the_run_has_ended)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *root = ctx_new(NULL);
	struct activity a;
	struct ctx *run;

	activity_init(&a);
	CHECK(activity_trigger(&a));
	CHECK(!activity_trigger(&a));
	run = activity_begin(&a, root, &e);
	REQUIRE(run != NULL);
	CHECK(!activity_trigger(&a));
	activity_end(&a, run);
	CHECK(activity_trigger(&a));
	run = activity_begin(&a, root, &e);
	REQUIRE(run != NULL);
	activity_end(&a, run);
	activity_fini(&a);
}

TEST(what_is_queued_while_busy_is_one_more_run)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *root = ctx_new(NULL);
	struct activity a;
	struct ctx *run;

	activity_init(&a);
	CHECK_INT(activity_queue(&a), ACTIVITY_STARTS);
	CHECK_INT(activity_queue(&a), ACTIVITY_WAITS);
	run = activity_begin(&a, root, &e);
	REQUIRE(run != NULL);
	CHECK_INT(activity_queue(&a), ACTIVITY_QUEUED);
	CHECK_INT(activity_queue(&a), ACTIVITY_WAITS);
	CHECK(!activity_trigger(&a));
	activity_end(&a, run);
	CHECK(!activity_trigger(&a));
	CHECK_INT(activity_queue(&a), ACTIVITY_WAITS);
	run = activity_begin(&a, root, &e); /* at once */
	REQUIRE(run != NULL);
	activity_end(&a, run);
	CHECK(activity_trigger(&a));
	run = activity_begin(&a, root, &e);
	REQUIRE(run != NULL);
	activity_end(&a, run);
	activity_fini(&a);
}

TEST(a_reset_does_not_take_back_what_is_queued)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *root = ctx_new(NULL);
	struct activity a;
	struct ctx *run;

	activity_init(&a);
	CHECK(activity_trigger(&a));
	run = activity_begin(&a, root, &e);
	REQUIRE(run != NULL);
	CHECK_INT(activity_queue(&a), ACTIVITY_QUEUED);
	CHECK(activity_reset(&a));
	activity_end(&a, run);
	run = activity_begin(&a, root, &e);
	REQUIRE(run != NULL);
	CHECK(!ctx_done(run));
	activity_end(&a, run);
	activity_fini(&a);
}

TEST(a_reset_cancels_the_run_and_only_the_run)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *root = ctx_new(NULL);
	struct activity a;
	struct ctx *run;

	activity_init(&a);
	CHECK(!activity_reset(&a));
	CHECK(activity_trigger(&a));
	CHECK(!activity_reset(&a));
	run = activity_begin(&a, root, &e);
	REQUIRE(run != NULL);
	CHECK(!ctx_done(run));
	CHECK(activity_reset(&a));
	CHECK(ctx_done(run));
	CHECK(!ctx_done(root));
	activity_end(&a, run);
	CHECK(!activity_reset(&a));
	activity_fini(&a);
}

TEST(waiting_for_a_trigger_ends_with_the_ctx)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *root = ctx_new(NULL);
	struct activity a;

	activity_init(&a);
	ctx_cancel(root);
	CHECK(activity_begin(&a, root, &e) == NULL);
	CHECK_INT(e.kind, ERR_CANCELLED);
	activity_fini(&a);
}

enum { ROUNDS = 200 };

struct hammer {
	struct activity a;
	struct ctx *root;
	atomic_int accepted, begun;
};

static void trigger_and_reset(void *arg)
{
	struct hammer *h = arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (activity_trigger(&h->a))
			atomic_fetch_add(&h->accepted, 1);
		activity_reset(&h->a);
	}
}

static void work(void *arg)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct hammer *h = arg;
	struct ctx *run;

	while ((run = activity_begin(&h->a, h->root, &e)) != NULL) {
		atomic_fetch_add(&h->begun, 1);
		activity_end(&h->a, run);
	}
}

TEST(every_accepted_trigger_is_one_run_whatever_other_threads_do)
{
	cleanup(ctx_freep) struct ctx *root = ctx_new(NULL);
	struct hammer h = { .root = root };
	struct thread worker = { 0 }, callers[4] = { 0 };

	activity_init(&h.a);
	thread_start(&worker, "worker", work, &h);
	for (size_t i = 0; i < ARRAY_LEN(callers); i++)
		thread_start(&callers[i], "caller", trigger_and_reset, &h);
	for (size_t i = 0; i < ARRAY_LEN(callers); i++)
		thread_join(&callers[i]);
	/* Whoever is accepted now comes after all others have begun. */
	while (!activity_trigger(&h.a))
		;
	ctx_cancel(root);
	thread_join(&worker);
	CHECK(atomic_load(&h.accepted) > 0);
	CHECK(atomic_load(&h.begun) >= atomic_load(&h.accepted));
	CHECK(atomic_load(&h.begun) <= atomic_load(&h.accepted) + 1);
	activity_fini(&h.a);
}

TEST_MAIN()
