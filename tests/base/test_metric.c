#include "base/metric.h"

#include "base/thread.h"
#include "tap.h"

static const double bounds[] = { 0.5, 2 };
static const struct metric_desc counter = { .type = METRIC_COUNTER,
					    .name = "b_counter",
					    .help = "counts",
					    .labels = { "job", "fs" } };
static const struct metric_desc gauge = { .type = METRIC_GAUGE,
					  .name = "a_gauge",
					  .help = "is" };
static const struct metric_desc histogram = { .type = METRIC_HISTOGRAM,
					      .name = "c_hist",
					      .help = "lasts",
					      .labels = { "job" },
					      .bounds = bounds,
					      .n_bounds = 2 };

static const char *text(struct buf *b, struct metrics *m)
{
	CHECK(metrics_write(m, b));
	return buf_str(b);
}

TEST(without_a_registry_there_is_nothing_to_count)
{
	CHECK(metric_of(NULL, &counter) == NULL);
	metric_add(NULL, METRIC_LABELS("a", "b"), 1);
	metric_set(NULL, METRIC_NO_LABELS, 1);
	metric_observe(NULL, METRIC_LABELS("a"), 1);
}

TEST(metrics_come_sorted_with_help_and_type_and_those_without_series_not_at_all)
{
	cleanup(metrics_freep) struct metrics *m = metrics_new();
	cleanup(buf_free) struct buf b = { 0 };

	metric_of(m, &histogram);
	metric_add(metric_of(m, &counter), METRIC_LABELS("y", "b"), 1);
	metric_add(metric_of(m, &counter), METRIC_LABELS("x", "c"), 0);
	metric_add(metric_of(m, &counter), METRIC_LABELS("x", "a"), 2);
	metric_add(metric_of(m, &counter), METRIC_LABELS("x", "a"), 0.5);
	metric_set(metric_of(m, &gauge), METRIC_NO_LABELS, 7);
	metric_set(metric_of(m, &gauge), METRIC_NO_LABELS, -1);
	CHECK_STR(text(&b, m), "# HELP a_gauge is\n"
			       "# TYPE a_gauge gauge\n"
			       "a_gauge -1\n"
			       "# HELP b_counter counts\n"
			       "# TYPE b_counter counter\n"
			       "b_counter{job=\"x\",fs=\"a\"} 2.5\n"
			       "b_counter{job=\"x\",fs=\"c\"} 0\n"
			       "b_counter{job=\"y\",fs=\"b\"} 1\n");
}

TEST(a_histogram_counts_what_is_up_to_each_bound)
{
	cleanup(metrics_freep) struct metrics *m = metrics_new();
	cleanup(buf_free) struct buf b = { 0 };
	struct metric *h = metric_of(m, &histogram);

	metric_observe(h, METRIC_LABELS("j"), 0.5);
	metric_observe(h, METRIC_LABELS("j"), 0.75);
	metric_observe(h, METRIC_LABELS("j"), 100);
	CHECK_STR(text(&b, m), "# HELP c_hist lasts\n"
			       "# TYPE c_hist histogram\n"
			       "c_hist_bucket{job=\"j\",le=\"0.5\"} 1\n"
			       "c_hist_bucket{job=\"j\",le=\"2\"} 2\n"
			       "c_hist_bucket{job=\"j\",le=\"+Inf\"} 3\n"
			       "c_hist_sum{job=\"j\"} 101.25\n"
			       "c_hist_count{job=\"j\"} 3\n");
}

TEST(what_is_in_a_label_cannot_break_the_format)
{
	cleanup(metrics_freep) struct metrics *m = metrics_new();
	cleanup(buf_free) struct buf b = { 0 };

	metric_observe(metric_of(m, &histogram), METRIC_LABELS("\"\\\n\xff}"), 0);
	CHECK(strstr(text(&b, m), "c_hist_count{job=\"\\\"\\\\??}\"} 1\n") != NULL);
}

TEST(numbers_are_not_rounded)
{
	cleanup(metrics_freep) struct metrics *m = metrics_new();
	cleanup(buf_free) struct buf b = { 0 };
	struct metric *c = metric_of(m, &counter);

	metric_add(c, METRIC_LABELS("1", ""), 1763126400);
	metric_add(c, METRIC_LABELS("2", ""), 0.1 + 0.2);
	metric_add(c, METRIC_LABELS("3", ""), 4503599627370497.0);
	metric_add(c, METRIC_LABELS("4", ""), 0.1);
	text(&b, m);
	CHECK(strstr(b.p, "\"1\",fs=\"\"} 1763126400\n") != NULL);
	CHECK(strstr(b.p, "\"2\",fs=\"\"} 0.30000000000000004\n") != NULL);
	CHECK(strstr(b.p, "\"3\",fs=\"\"} 4503599627370497\n") != NULL);
	CHECK(strstr(b.p, "\"4\",fs=\"\"} 0.1\n") != NULL);
}

TEST(a_metric_has_no_more_series_than_it_may_and_the_sum_stays_right)
{
	cleanup(metrics_freep) struct metrics *m = metrics_new();
	cleanup(buf_free) struct buf b = { 0 };
	struct metric *c = metric_of(m, &counter);
	size_t lines = 0;

	for (int i = 0; i < METRIC_SERIES_MAX + 50; i++) {
		cleanup(str_freep) char *fs = xasprintf("tank/%d", i);

		metric_add(c, METRIC_LABELS("j", fs), 2);
	}
	metric_add(c, METRIC_LABELS("j", "tank/0"), 1);
	text(&b, m);
	for (const char *p = b.p; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	CHECK_INT(lines, METRIC_SERIES_MAX + 3);
	CHECK(strstr(b.p, "{job=\"j\",fs=\"_other\"} 100\n") != NULL);
	CHECK(strstr(b.p, "{job=\"j\",fs=\"tank/0\"} 3\n") != NULL);
}

TEST(what_does_not_fit_is_said_so)
{
	cleanup(metrics_freep) struct metrics *m = metrics_new();
	cleanup(buf_free) struct buf b = { .max = 1000 };

	for (int i = 0; i < 100; i++) {
		cleanup(str_freep) char *fs = xasprintf("tank/%d", i);

		metric_add(metric_of(m, &counter), METRIC_LABELS("j", fs), 2);
	}
	CHECK(!metrics_write(m, &b));
}

static void count_much(void *m)
{
	for (int i = 0; i < 2000; i++) {
		const char *const fs[] = { "a", "b", "c" };

		metric_add(metric_of(m, &counter), METRIC_LABELS("j", fs[i % 3]), 1);
		metric_observe(metric_of(m, &histogram), METRIC_LABELS("j"), i % 3);
	}
}

TEST(several_threads_count_while_others_read)
{
	cleanup(metrics_freep) struct metrics *m = metrics_new();
	cleanup(buf_free) struct buf b = { 0 };
	struct thread t[3] = { 0 };

	for (size_t i = 0; i < 3; i++)
		thread_start(&t[i], "count", count_much, m);
	for (int i = 0; i < 50; i++) {
		b.len = 0;
		text(&b, m);
	}
	for (size_t i = 0; i < 3; i++)
		thread_join(&t[i]);
	b.len = 0;
	text(&b, m);
	CHECK(strstr(b.p, "b_counter{job=\"j\",fs=\"c\"} 1998\n") != NULL);
	CHECK(strstr(b.p, "c_hist_count{job=\"j\"} 6000\n") != NULL);
}

TEST_MAIN()
