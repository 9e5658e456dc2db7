/* A snapper that is asked to take snapshots now. */
#include "fixture.h"

#include "base/thread.h"

static const struct fake_fs one[] = { { .name = "p/a", .snaps = "z_1=-300" } };

TEST(asked_while_it_waits_it_takes_snapshots_and_the_schedule_stays)
{
	struct fixture t;

	setup(&t, one, 1);
	t.ask_at_s = 450;
	run(&t);
	check_list(&t.events, "SyncUp until +300\n"
			      "+300 p/a@z_20200601_120500_000\n"
			      "Waiting until +900\n"
			      "+450 p/a@z_20200601_120730_000\n"
			      "Waiting until +900\n"
			      "+900 p/a@z_20200601_121500_000\n"
			      "Waiting until +1500");
	CHECK_INT(t.n_cycles, 3);
	teardown(&t);
}

TEST(asked_during_the_sync_up_it_takes_snapshots_and_the_rhythm_stays)
{
	struct fixture t;

	setup(&t, one, 1);
	t.ask_at_s = 120;
	t.end_s = 5 * MINUTE;
	run(&t);
	check_list(&t.events, "SyncUp until +300\n"
			      "+120 p/a@z_20200601_120200_000\n"
			      "Waiting until +300\n"
			      "+300 p/a@z_20200601_120500_000\n"
			      "Waiting until +900");
	teardown(&t);
}

TEST(asked_while_it_waits_after_an_error_it_takes_snapshots)
{
	struct fixture t;

	setup(&t, one, 1);
	t.zfs.fail_lists = 2;
	t.ask_at_s = 700;
	run(&t);
	check_list(&t.events, "SyncUpErrWait until +600\n"
			      "ErrorWait until +1200\n"
			      "+700 p/a@z_20200601_121140_000\n"
			      "Waiting until +1200");
	CHECK(!t.report.error);
	teardown(&t);
}

TEST(after_a_cycle_that_was_asked_for_and_failed_it_waits_with_an_error)
{
	struct fixture t;

	setup(&t, one, 1);
	t.zfs.unsnapable = "p/a@";
	t.zfs.fail_unsnapable = 1;
	t.ask_at_s = 100;
	t.end_s = 4 * MINUTE;
	run(&t);
	check_list(&t.events, "SyncUp until +300\n"
			      "+100 p/a@z_20200601_120140_000\n"
			      "ErrorWait until +300");
	CHECK_INT(t.n_cycles, 1);
	teardown(&t);
}

TEST(asked_before_it_runs_it_begins_with_that)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct fixture t;
	const struct snapper_clock clock = { fake_now, fake_sleep, &t };

	setup(&t, one, 1);
	t.end_s = 4 * MINUTE;
	t.snapper = make(&t, &clock);
	CHECK_INT(snapper_trigger(t.snapper, &e), 0);
	snapper_run(t.ctx, t.snapper);
	check_list(&t.events, "+0 p/a@z_20200601_120000_000\nWaiting until +300");
	teardown(&t);
}

static void ask_in_vain(struct fixture *t)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK_INT(snapper_trigger(t->snapper, &e), -1);
	CHECK_INT(e.kind, ERR_BUSY);
	CHECK_STR(err_msg(&e), "already snapshotting");
}

TEST(asked_while_it_takes_them_it_says_so_and_nothing_is_queued)
{
	struct fixture t;

	setup(&t, one, 1);
	t.in_snapshot_ask = ask_in_vain;
	t.end_s = 6 * MINUTE;
	run(&t);
	check_list(&t.events, "SyncUp until +300\n"
			      "+300 p/a@z_20200601_120500_000\n"
			      "Waiting until +900");
	teardown(&t);
}

TEST(what_becomes_due_during_a_cycle_that_was_asked_for_follows_it)
{
	struct fixture t;

	setup(&t, one, 1);
	t.ask_at_s = 290;
	t.snapshots_take_s = 30;
	t.end_s = 10 * MINUTE;
	run(&t);
	check_list(&t.events, "SyncUp until +300\n"
			      "+290 p/a@z_20200601_120450_000\n"
			      "+320 p/a@z_20200601_120520_000\n"
			      "Waiting until +920");
	teardown(&t);
}

TEST(by_cron_what_follows_was_not_missed)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct fixture t;

	setup(&t, one, 1);
	t.conf.type = SNAPSHOTTING_CRON;
	t.conf.cron = cron_new("TZ=UTC * * * * *", NOON, &e);
	REQUIRE(t.conf.cron != NULL);
	t.ask_at_s = 50;
	t.snapshots_take_s = 30;
	t.end_s = 119;
	run(&t);
	check_list(&t.events, "Waiting until +60\n"
			      "+50 p/a@z_20200601_120050_000\n"
			      "+80 p/a@z_20200601_120120_000\n"
			      "Waiting until +120");
	CHECK_INT(t.log.n, 2); /* no warning */
	teardown(&t);
}

TEST(a_manual_snapper_says_what_it_lacks)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct fixture t;

	setup(&t, NULL, 0);
	t.conf.type = SNAPSHOTTING_MANUAL;
	run(&t);
	CHECK_INT(snapper_trigger(t.snapper, &e), -1);
	CHECK_INT(e.kind, ERR_INVALID);
	CHECK_STR(err_msg(&e),
		  "snapshotting is manual, so there is no prefix to name snapshots with; "
		  "take them with zfs snapshot, or configure snapshotting of type "
		  "periodic or cron");
	teardown(&t);
}

TEST(a_snapper_that_has_ended_takes_no_more)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct fixture t;

	setup(&t, one, 1);
	t.end_s = 0;
	run(&t);
	CHECK_INT(snapper_trigger(t.snapper, &e), -1);
	CHECK_INT(e.kind, ERR_CANCELLED);
	teardown(&t);
}

static void ask_from_outside(void *arg)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK_INT(snapper_trigger(arg, &e), 0);
}

/* Its schedule would let it wait for five minutes. */
TEST(on_the_systems_clock_it_is_woken_up_by_another_thread)
{
	char spec[64];
	struct fake_fs fs[] = { { .name = "p/a", .snaps = spec } };
	struct timespec wall;
	struct thread asker = { 0 };
	struct fixture t;

	clock_gettime(CLOCK_REALTIME, &wall);
	snprintf(spec, sizeof(spec), "z_1=%" PRId64, (int64_t)wall.tv_sec - NOON - 300);
	setup(&t, fs, 1);
	t.max_cycles = 1;
	t.snapper = make(&t, NULL);
	thread_start(&asker, "asker", ask_from_outside, t.snapper);
	snapper_run(t.ctx, t.snapper);
	thread_join(&asker);
	CHECK_INT(t.n_cycles, 1);
	teardown(&t);
}

TEST_MAIN()
