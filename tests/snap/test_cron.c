/* The snapper by cron. */
#include "fixture.h"

static const struct fake_fs one[] = { { .name = "p/a", .snaps = "z_1=-300" } };

static void setup_cron(struct fixture *t, const char *spec)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	setup(t, one, 1);
	t->conf.type = SNAPSHOTTING_CRON;
	t->conf.cron = cron_new(spec, NOON, &e);
	CHECK(t->conf.cron != NULL);
}

TEST(by_cron_there_is_no_sync_up_and_what_is_due_now_is_not_due)
{
	struct fixture t;

	setup_cron(&t, "TZ=UTC */5 * * * *");
	run(&t);
	check_list(&t.events, "Waiting until +300\n"
			      "+300 p/a@z_20200601_120500_000\n"
			      "Waiting until +600\n"
			      "+600 p/a@z_20200601_121000_000\n"
			      "Waiting until +900\n"
			      "+900 p/a@z_20200601_121500_000\n"
			      "Waiting until +1200");
	CHECK_INT(t.n_cycles, 3);
	CHECK_INT(t.report.type, SNAPSHOTTING_CRON);
	CHECK_INT(after_noon(t.report.began), 900);
	CHECK_INT(t.report.n_missed, 0);
	CHECK_INT(t.longest_sleep_ms, 10000);
	teardown(&t);
}

TEST(seconds_are_seconds)
{
	struct fixture t;

	setup_cron(&t, "TZ=UTC 30 1 12 * * *");
	t.now.tv_nsec = 500000000;
	run(&t);
	check_list(&t.events, "Waiting until +90\n"
			      "+90 p/a@z_20200601_120130_000\n"
			      "Waiting until +86490");
	teardown(&t);
}

TEST(activations_during_a_cycle_are_missed_and_counted)
{
	struct fixture t;

	setup_cron(&t, "TZ=UTC * * * * *");
	t.snapshots_take_s = 3 * MINUTE;
	t.end_s = 5 * MINUTE;
	run(&t);
	check_list(&t.events, "Waiting until +60\n"
			      "+60 p/a@z_20200601_120100_000\n"
			      "Waiting until +300\n"
			      "+300 p/a@z_20200601_120500_000\n"
			      "Waiting until +540");
	check_list(&t.log,
		   "info @z_20200601_120100_000: took 1 snapshots: \n"
		   "warn @: cron frequency is too high, 3 activations passed while "
		   "snapshots were taken: \n"
		   "info @z_20200601_120500_000: took 1 snapshots: \n"
		   "warn @: cron frequency is too high, 3 activations passed while "
		   "snapshots were taken: ");
	CHECK_INT(t.report.n_missed, 3);
	CHECK(!t.report.error);
	teardown(&t);
}

TEST(a_cycle_that_misses_nothing_ends_the_complaint)
{
	struct fixture t;

	setup_cron(&t, "TZ=UTC 1,2,10 * * * *");
	t.snapshots_take_s = 2 * MINUTE;
	run(&t);
	CHECK_INT(t.n_cycles, 2);
	CHECK_INT(t.log.n, 3);
	CHECK_INT(t.report.n_missed, 0);
	teardown(&t);
}

static void look_later(struct fixture *t)
{
	t->now.tv_sec += 150;
	look(t, &t->in_snapshot);
}

TEST(what_is_missed_shows_while_it_is_missed)
{
	struct fixture t;

	setup_cron(&t, "TZ=UTC * * * * *");
	t.in_snapshot_ask = look_later;
	t.max_cycles = 1;
	run(&t);
	CHECK_INT(t.in_list.state, SNAPPER_PLANNING);
	CHECK_INT(t.in_list.n_missed, 0);
	CHECK_INT(t.in_snapshot.state, SNAPPER_SNAPSHOTTING);
	CHECK_INT(after_noon(t.in_snapshot.began), 60);
	CHECK_INT(t.in_snapshot.n_missed, 2);
	teardown(&t);
}

TEST(the_count_of_what_is_missed_has_an_end)
{
	struct fixture t;

	setup_cron(&t, "TZ=UTC * * * * * *");
	t.snapshots_take_s = 86400 * 365;
	t.max_cycles = 1;
	run(&t);
	CHECK_INT(t.report.n_missed, SNAPPER_MAX_MISSED);
	CHECK(strstr(t.log.v[1], "at least 1000 activations"));
	teardown(&t);
}

TEST(by_cron_a_run_counts_as_a_cycle_even_if_listing_fails)
{
	struct fixture t;

	setup_cron(&t, "TZ=UTC */10 * * * *");
	t.zfs.fail_lists = 1;
	run(&t);
	check_list(&t.events, "Waiting until +600\nErrorWait until +1200");
	CHECK_INT(t.n_cycles, 1);
	CHECK_STR(t.report.error, "cannot list filesystems: no pools");
	teardown(&t);
}

TEST(by_cron_an_error_is_kept_until_all_goes_well)
{
	struct fixture t;

	setup_cron(&t, "TZ=UTC */5 * * * *");
	t.zfs.unsnapable = "p/a@";
	t.zfs.fail_unsnapable = 1;
	t.max_cycles = 1;
	run(&t);
	CHECK(t.report.error &&
	      strstr(t.report.error, "one or more snapshots could not be created"));
	teardown(&t);
}

TEST(when_the_clock_is_set_back_the_next_activation_is_the_next_one_from_then)
{
	struct fixture t;

	setup_cron(&t, "TZ=UTC */10 * * * *");
	t.oversleep_s = -86400 + 5;
	t.end_s = -86400 + 11 * MINUTE;
	run(&t);
	check_list(&t.events, "Waiting until +600\n"
			      "Waiting until -85800\n"
			      "-85800 p/a@z_20200531_121000_000\n"
			      "Waiting until -85200");
	teardown(&t);
}

TEST(when_the_clock_is_set_forward_what_was_due_is_taken_once_and_at_once)
{
	struct fixture t;

	setup_cron(&t, "TZ=UTC */10 * * * *");
	t.oversleep_s = 3 * 3600 + 5;
	t.end_s = 3 * 3600 + 11 * MINUTE;
	run(&t);
	check_list(&t.events, "Waiting until +600\n"
			      "+10815 p/a@z_20200601_150015_000\n"
			      "Waiting until +11400\n"
			      "+11400 p/a@z_20200601_151000_000\n"
			      "Waiting until +12000");
	CHECK_INT(t.report.n_missed, 0);
	teardown(&t);
}

TEST(when_there_is_no_next_time_it_waits_until_there_is_one)
{
	struct fixture t;

	setup_cron(&t, "TZ=UTC 0 0 29 2 *");
	t.now.tv_sec = 3981614400; /* 2096-03-03: the next one is in 2104 */
	t.end_s = t.now.tv_sec - NOON + 60;
	run(&t);
	CHECK_INT(t.n_cycles, 0);
	CHECK(t.n_sleeps > 1);
	teardown(&t);
}

TEST_MAIN()
