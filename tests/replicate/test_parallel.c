#include "replicate/parallel.h"

#include "tap.h"

#include <stdatomic.h>
#include <unistd.h>

enum { N = 1000 };

struct counts {
	atomic_int of[N];
	atomic_int running, most;
};

static void count(struct ctx *ctx, void *arg, size_t i)
{
	struct counts *c = arg;
	int now = atomic_fetch_add(&c->running, 1) + 1;
	int most = atomic_load(&c->most);

	while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now))
		;
	if (!ctx_done(ctx))
		atomic_fetch_add(&c->of[i], 1);
	atomic_fetch_sub(&c->running, 1);
}

TEST(each_one_is_done_once_and_no_more_at_once_than_was_asked_for)
{
	static const int64_t widths[] = { -1, 0, 1, 3, 64, 1000000 };

	for (size_t k = 0; k < ARRAY_LEN(widths); k++) {
		cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
		static struct counts c;

		c = (struct counts){ 0 };
		parallel_each(ctx, N, widths[k], count, &c);
		for (size_t i = 0; i < N; i++)
			CHECK_INT(atomic_load(&c.of[i]), 1);
		CHECK(atomic_load(&c.most) <= (widths[k] < 1 ? 1 : widths[k]));
	}
}

TEST(none_is_none)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	static struct counts c;

	parallel_each(ctx, 0, 4, count, &c);
	CHECK_INT(atomic_load(&c.most), 0);
}

/* What each side is to do. */
struct sides {
	enum { FINE, FAIL, WAIT } does[SIDES];
};

static int act(struct ctx *ctx, void *arg, enum side s, struct err *err)
{
	const struct sides *p = arg;

	switch (p->does[s]) {
	case FINE:
		return 0;
	case FAIL:
		return err_set(err, s == SENDER ? ERR_DENIED : ERR_BUSY, "%s",
			       s == SENDER ? "sender" : "receiver");
	case WAIT:
		break;
	}
	return ctx_sleep(ctx, -1, err);
}

static char *sides_text(struct sides p, struct ctx *ctx)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	return xstrdup(parallel_sides(ctx, act, &p, &e) == 0 ? "fine" : err_msg(&e));
}

TEST(both_sides_must_be_fine_and_what_failed_by_itself_is_told)
{
	static const struct {
		struct sides does;
		const char *want;
	} all[] = {
		{ { { FINE, FINE } }, "fine" },
		{ { { FAIL, FINE } }, "sender" },
		{ { { FINE, FAIL } }, "receiver" },
		{ { { FAIL, WAIT } }, "sender" },
		{ { { WAIT, FAIL } }, "receiver" },
		{ { { FAIL, FAIL } }, "sender; receiver" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
		cleanup(str_freep) char *got = sides_text(all[i].does, ctx);

		CHECK_STR(got, all[i].want);
	}
}

TEST(at_the_deadline_both_sides_say_that_it_has_passed)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(str_freep) char *got = NULL;

	ctx_set_timeout(ctx, 1);
	got = sides_text((struct sides){ { WAIT, WAIT } }, ctx);
	CHECK_STR(got, "timed out; timed out");
}

TEST(a_caller_who_is_cancelled_hears_just_that)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(str_freep) char *got = NULL;

	ctx_cancel(ctx);
	got = sides_text((struct sides){ { WAIT, WAIT } }, ctx);
	CHECK_STR(got, "cancelled");
}

TEST_MAIN()
