#include "replicate/queue.h"

#include "fake_endpoint.h"
#include "tap.h"

enum { MAX_FS = 8 };

struct world {
	struct path_index index;
	struct queue *q;
	struct plan plans[MAX_FS];
};

static void setup(struct world *w, const char *const *paths, size_t n)
{
	*w = (struct world){ 0 };
	for (size_t i = 0; i < n; i++)
		path_index_add(&w->index, paths[i]);
	CHECK(path_index_sort(&w->index) == NULL);
	w->q = queue_new(&w->index);
}

#define SETUP(w, ...)                                               \
	do {                                                        \
		static const char *const paths[] = { __VA_ARGS__ }; \
		setup(w, paths, ARRAY_LEN(paths));                  \
	} while (0)

static void teardown(struct world *w)
{
	queue_free(w->q);
	path_index_free(&w->index);
	for (size_t i = 0; i < MAX_FS; i++)
		plan_free(&w->plans[i]);
}

/* Steps between what is named; the first is full if that is said. */
enum first { FULL, INCREMENT };

static void planned(struct world *w, size_t fs, enum first first, const char *versions)
{
	cleanup(versions_free) struct versions l = fake_versions(versions);
	struct plan *p = &w->plans[fs];

	p->v = xcalloc(l.n, sizeof(*p->v));
	for (size_t i = first == FULL ? 0 : 1; i < l.n; i++) {
		struct step *s = &p->v[p->n++];

		s->to = version_dup(&l.v[i]);
		if (i > 0) {
			s->has_from = true;
			s->from = version_dup(&l.v[i - 1]);
		}
	}
	queue_planned(w->q, fs, p);
}

static int next(struct world *w)
{
	size_t fs;

	return queue_next(w->q, &fs) ? (int)fs : -1;
}

static int orphan(struct world *w)
{
	size_t fs;

	return queue_orphan(w->q, &fs) ? (int)fs : -1;
}

TEST(the_globally_oldest_step_comes_first)
{
	cleanup(teardown) struct world w;

	SETUP(&w, "a", "b");
	planned(&w, 0, INCREMENT, "@x1 @x3 @x4");
	planned(&w, 1, INCREMENT, "@x1 @x2 @x5");
	queue_start(w.q);
	CHECK_INT(next(&w), 1);
	queue_step_done(w.q, 1);
	CHECK_INT(next(&w), 0);
	queue_step_done(w.q, 0);
	CHECK_INT(next(&w), 0);
	queue_step_done(w.q, 0);
	CHECK_INT(next(&w), 1);
	queue_step_done(w.q, 1);
	CHECK_INT(next(&w), -1);
	CHECK(queue_is_finished(w.q, 0) && queue_is_finished(w.q, 1));
}

TEST(equal_dates_go_in_the_order_of_the_listing)
{
	cleanup(teardown) struct world w;

	SETUP(&w, "c", "a", "d", "b");
	for (size_t i = 0; i < 4; i++)
		planned(&w, i, INCREMENT, "@x1 @x2");
	queue_start(w.q);
	for (int i = 0; i < 4; i++)
		CHECK_INT(next(&w), i);
	CHECK_INT(next(&w), -1);
}

TEST(a_filesystem_runs_one_step_at_a_time)
{
	cleanup(teardown) struct world w;

	SETUP(&w, "a");
	planned(&w, 0, INCREMENT, "@x1 @x2 @x3");
	CHECK_INT(queue_blocked_on(w.q, 0), BLOCKED_ON_REPL_QUEUE);
	queue_start(w.q);
	CHECK_INT(next(&w), 0);
	CHECK_INT(queue_blocked_on(w.q, 0), BLOCKED_ON_NOTHING);
	CHECK_INT(next(&w), -1);
	queue_step_done(w.q, 0);
	CHECK_INT(queue_blocked_on(w.q, 0), BLOCKED_ON_REPL_QUEUE);
	CHECK_INT(queue_steps_done(w.q, 0), 1);
	CHECK_INT(next(&w), 0);
}

TEST(a_child_waits_for_the_first_step_of_its_parent_and_a_namesake_does_not)
{
	cleanup(teardown) struct world w;

	SETUP(&w, "a", "a/child", "aa");
	CHECK_INT(queue_blocked_on(w.q, 1), BLOCKED_ON_PLAN_QUEUE);
	planned(&w, 0, FULL, "@x7 @x9");
	planned(&w, 1, FULL, "@x1");
	planned(&w, 2, FULL, "@x8");
	queue_start(w.q);
	CHECK_INT(queue_blocked_on(w.q, 1), BLOCKED_ON_PARENT_INITIAL_REPL);
	CHECK_INT(next(&w), 0);
	CHECK_INT(next(&w), 2);
	CHECK_INT(next(&w), -1);
	queue_step_done(w.q, 0);
	CHECK_INT(next(&w), 1);
	CHECK_INT(next(&w), 0);
}

TEST(a_parent_that_is_there_already_is_not_waited_for)
{
	cleanup(teardown) struct world w;

	SETUP(&w, "a", "a/b", "p", "p/q");
	planned(&w, 0, INCREMENT, "@x8 @x9");
	planned(&w, 1, FULL, "@x1");
	planned(&w, 2, INCREMENT, "");
	planned(&w, 3, FULL, "@x2");
	queue_start(w.q);
	CHECK(queue_is_finished(w.q, 2));
	CHECK_INT(next(&w), 1);
	CHECK_INT(next(&w), 3);
	CHECK_INT(next(&w), 0);
}

TEST(all_above_are_waited_for_not_only_the_nearest)
{
	cleanup(teardown) struct world w;

	SETUP(&w, "a", "a/b/c", "a/b/c/d/e");
	planned(&w, 0, FULL, "@x9");
	planned(&w, 1, INCREMENT, "@x1 @x2");
	planned(&w, 2, FULL, "@x1");
	queue_start(w.q);
	CHECK_INT(next(&w), 0);
	CHECK_INT(next(&w), -1);
	queue_step_done(w.q, 0);
	CHECK_INT(next(&w), 2);
	CHECK_INT(next(&w), 1);
}

TEST(a_parent_that_fails_before_it_is_there_orphans_all_below)
{
	cleanup(teardown) struct world w;
	cleanup(str_freep) char *names = NULL;

	SETUP(&w, "a", "a/b", "a/b/c", "aa");
	for (size_t i = 0; i < 4; i++)
		planned(&w, i, FULL, "@x1");
	queue_start(w.q);
	CHECK_INT(next(&w), 0);
	CHECK_INT(orphan(&w), -1);
	queue_step_failed(w.q, 0);
	CHECK_INT(orphan(&w) + orphan(&w), 1 + 2);
	CHECK_INT(orphan(&w), -1);
	names = queue_missing_parents(w.q, 2);
	CHECK_STR(names, "a");
	CHECK(queue_is_finished(w.q, 2));
	CHECK_INT(next(&w), 3);
	CHECK_INT(next(&w), -1);
}

TEST(a_parent_that_fails_after_its_first_step_orphans_nobody)
{
	cleanup(teardown) struct world w;

	SETUP(&w, "a", "a/b", "a/b/c");
	planned(&w, 0, FULL, "@x1 @x2");
	planned(&w, 1, FULL, "@x9");
	planned(&w, 2, FULL, "@x9");
	queue_start(w.q);
	CHECK_INT(next(&w), 0);
	queue_step_done(w.q, 0);
	CHECK_INT(next(&w), 0);
	queue_step_failed(w.q, 0);
	CHECK_INT(orphan(&w), -1);
	CHECK_INT(next(&w), 1);
	queue_step_done(w.q, 1);
	CHECK_INT(next(&w), 2);
}

TEST(parents_that_cannot_be_planned_are_named_the_topmost_first)
{
	cleanup(teardown) struct world w;
	cleanup(str_freep) char *names = NULL;

	SETUP(&w, "t", "t/u", "t/u/v", "t/x");
	queue_plan_failed(w.q, 0);
	queue_plan_failed(w.q, 1);
	planned(&w, 2, FULL, "@x1");
	planned(&w, 3, INCREMENT, "");
	queue_start(w.q);
	CHECK_INT(orphan(&w), 2);
	CHECK_INT(orphan(&w), -1);
	names = queue_missing_parents(w.q, 2);
	CHECK_STR(names, "t t/u");
	CHECK(queue_is_finished(w.q, 3));
	CHECK_INT(next(&w), -1);
}

TEST(a_heap_of_many_comes_out_in_order)
{
	enum { N = 1000 };
	struct path_index x = { 0 };
	struct plan *plans = xcalloc(N, sizeof(*plans));
	struct step *steps = xcalloc(N, sizeof(*steps));
	char(*paths)[16] = xcalloc(N, sizeof(*paths));
	cleanup(queue_freep) struct queue *q = NULL;
	int64_t last = -1;
	size_t fs, n = 0;

	for (size_t i = 0; i < N; i++) {
		snprintf(paths[i], sizeof(paths[i]), "fs%zu", i);
		path_index_add(&x, paths[i]);
	}
	CHECK(path_index_sort(&x) == NULL);
	q = queue_new(&x);
	for (size_t i = 0; i < N; i++) {
		steps[i].to.creation_s = (int64_t)(i * 7919 % 503);
		plans[i] = (struct plan){ .v = &steps[i], .n = 1 };
		queue_planned(q, i, &plans[i]);
	}
	queue_start(q);
	for (; queue_next(q, &fs); n++) {
		CHECK(steps[fs].to.creation_s >= last);
		last = steps[fs].to.creation_s;
		queue_step_done(q, fs);
	}
	CHECK_INT(n, N);
	free(plans);
	free(steps);
	free(paths);
	path_index_free(&x);
}

TEST_MAIN()
