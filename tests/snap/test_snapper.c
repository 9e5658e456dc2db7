/* The snapper on a clock of its own, and on a zfs that is a table. */
#include "base/thread.h"
#include "fixture.h"

#include <stdatomic.h>

/* ---- when ---- */

TEST(the_rhythm_of_earlier_snapshots_goes_on_and_all_get_one_name)
{
	const struct fake_fs fs[] = {
		{ .name = "p/c", .snaps = "man=-60" },
		{ .name = "p/a", .snaps = "z_1=-900 z_2=-300" },
		{ .name = "p/b", .snaps = "z_1=-480 man=-10" },
	};
	struct fixture t;

	setup(&t, fs, 3);
	run(&t);
	check_list(&t.events, "SyncUp until +120\n"
			      "+120 p/a@z_20200601_120200_000 p/b@z_20200601_120200_000 "
			      "p/c@z_20200601_120200_000\n"
			      "Waiting until +720\n"
			      "+720 p/a@z_20200601_121200_000 p/b@z_20200601_121200_000 "
			      "p/c@z_20200601_121200_000\n"
			      "Waiting until +1320");
	check_list(&t.log, "warn p/c@: no snapshot yet, and none will be taken until the "
			   "others are due at 2020-06-01T12:02:00Z: \n"
			   "info @z_20200601_120200_000: took 3 snapshots: \n"
			   "info @z_20200601_121200_000: took 3 snapshots: ");
	CHECK_INT(t.n_cycles, 2);
	teardown(&t);
}

TEST(what_is_overdue_is_taken_at_once_and_nobody_is_warned)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a", .snaps = "z_1=-1200" },
		{ .name = "p/b" },
	};
	struct fixture t;

	setup(&t, fs, 2);
	t.end_s = 5 * MINUTE;
	run(&t);
	check_list(&t.events, "+0 p/a@z_20200601_120000_000 p/b@z_20200601_120000_000\n"
			      "Waiting until +600");
	CHECK_INT(t.log.n, 1);
	teardown(&t);
}

TEST(the_newest_snapshot_is_the_one_with_the_highest_createtxg)
{
	const struct fake_fs fs[] = { { .name = "p/a", .snaps = "z_1=-100 z_2=-300" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.end_s = 4 * MINUTE;
	run(&t);
	check_list(&t.events, "SyncUp until +300");
	teardown(&t);
}

TEST(a_delay_that_is_too_short_is_nothing_to_warn_of)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a", .snaps = "z_1=-599" },
		{ .name = "p/b" },
	};
	struct fixture t;

	setup(&t, fs, 2);
	t.end_s = 0;
	run(&t);
	check_list(&t.events, "SyncUp until +1");
	CHECK_INT(t.log.n, 0);
	teardown(&t);
}

TEST(a_snapshot_from_the_future_is_warned_of_and_does_not_count)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a", .snaps = "z_1=7000" },
		{ .name = "p/b", .snaps = "z_1=-300" },
		{ .name = "p/gone", .snaps = "z_1=-500", .is_gone = true },
	};
	struct fixture t;

	setup(&t, fs, 3);
	t.end_s = 4 * MINUTE;
	run(&t);
	check_list(&t.events, "SyncUp until +300");
	check_list(&t.log, "warn p/a@: latest snapshot is in the future, not considered "
			   "for sync-up: ");
	teardown(&t);
}

TEST(after_a_failed_sync_up_the_first_snapshots_come_one_interval_later)
{
	const struct fake_fs fs[] = { { .name = "p/a", .snaps = "z_1=-300" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.zfs.fail_lists = 1;
	run(&t);
	check_list(&t.events, "SyncUpErrWait until +600\n"
			      "+600 p/a@z_20200601_121000_000\n"
			      "Waiting until +1200");
	check_list(&t.log, "error @: cannot sync up: no pools\n"
			   "info @z_20200601_121000_000: took 1 snapshots: ");
	CHECK_STR(t.in_list.error, "cannot sync up: no pools");
	CHECK(!t.report.error);
	teardown(&t);
}

TEST(if_all_history_is_in_the_future_the_sync_up_has_failed)
{
	const struct fake_fs fs[] = { { .name = "p/a", .snaps = "z_1=10" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.end_s = 5 * MINUTE;
	run(&t);
	check_list(&t.events, "SyncUpErrWait until +600");
	CHECK(t.report.error && strstr(t.report.error, "p/a by 10 seconds"));
	CHECK_INT(t.log.n, 2);
	teardown(&t);
}

TEST(no_nap_is_longer_than_the_knob_says)
{
	const struct fake_fs fs[] = { { .name = "p/a" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.env.wallclock_max_delay_ms = 7000;
	t.now.tv_nsec = 999999999;
	run(&t);
	CHECK_INT(t.longest_sleep_ms, 7000);
	CHECK_INT(t.n_sleeps, 86 + 43);
	CHECK_INT(t.n_cycles, 2);
	teardown(&t);
}

TEST(after_a_suspend_what_was_missed_is_taken_once_and_at_once)
{
	const struct fake_fs fs[] = { { .name = "p/a" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.oversleep_s = 3 * INTERVAL;
	t.end_s = 4 * INTERVAL;
	run(&t);
	check_list(&t.events, "+0 p/a@z_20200601_120000_000\n"
			      "Waiting until +600\n"
			      "+1810 p/a@z_20200601_123010_000\n"
			      "Waiting until +2410");
	teardown(&t);
}

TEST(a_cycle_that_takes_longer_than_the_interval_is_followed_by_the_next_at_once)
{
	const struct fake_fs fs[] = { { .name = "p/a" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.snapshots_take_s = 25 * MINUTE;
	t.max_cycles = 3;
	run(&t);
	check_list(&t.events, "+0 p/a@z_20200601_120000_000\n"
			      "+1500 p/a@z_20200601_122500_000\n"
			      "+3000 p/a@z_20200601_125000_000");
	teardown(&t);
}

TEST(when_the_clock_is_set_back_the_rhythm_starts_anew)
{
	const struct fake_fs fs[] = { { .name = "p/a" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.oversleep_s = -86400;
	t.end_s = -86400 + 12 * MINUTE;
	run(&t);
	check_list(&t.events, "+0 p/a@z_20200601_120000_000\n"
			      "Waiting until +600\n"
			      "Waiting until -85790\n"
			      "-85790 p/a@z_20200531_121010_000\n"
			      "Waiting until -85190");
	teardown(&t);
}

/* ---- cycles ---- */

TEST(one_filesystem_that_fails_does_not_stop_the_others)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a" },
		{ .name = "p/b" },
	};
	struct fixture t;

	setup(&t, fs, 2);
	t.zfs.unsnapable = "p/a@";
	t.zfs.fail_unsnapable = 1;
	t.end_s = 5 * MINUTE;
	run(&t);
	check_list(&t.events, "+0 p/a@z_20200601_120000_000 p/b@z_20200601_120000_000\n"
			      "ErrorWait until +600");
	check_list(&t.log, "error p/a@z_20200601_120000_000: cannot create snapshot: "
			   "dataset already exists\n"
			   "info @z_20200601_120000_000: took 1 snapshots: ");
	CHECK_STR(t.report.error,
		  "one or more snapshots could not be created, 1 of 2 failed, "
		  "first p/a: dataset already exists");
	REQUIRE(t.report.n_fs == 2);
	CHECK_INT(t.report.fs[0].state, SNAP_ERROR);
	CHECK_STR(t.report.fs[0].error, "dataset already exists");
	CHECK_INT(t.report.fs[1].state, SNAP_DONE);
	CHECK_STR(t.report.fs[1].snap_name, "z_20200601_120000_000");
	CHECK(!t.report.fs[1].error);
	CHECK_INT(t.n_cycles, 1);
	teardown(&t);
}

TEST(a_cycle_without_errors_clears_the_error_of_the_one_before)
{
	const struct fake_fs fs[] = { { .name = "p/a" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.zfs.unsnapable = "p/a@";
	t.zfs.fail_unsnapable = 1;
	run(&t);
	CHECK_STR(t.events.v[1], "ErrorWait until +600");
	CHECK_STR(t.events.v[3], "Waiting until +1200");
	CHECK(t.in_list.error); /* when the second cycle began */
	CHECK(!t.in_snapshot.error);
	CHECK(!t.report.error);
	teardown(&t);
}

TEST(when_nothing_can_be_run_that_is_logged_once_for_all)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a" },
		{ .name = "p/b" },
	};
	struct fixture t;

	setup(&t, fs, 2);
	t.zfs.fail_snapshots = 1;
	t.end_s = 5 * MINUTE;
	run(&t);
	CHECK_INT(t.log.n, 1);
	CHECK(strstr(t.log.v[0],
		     "error @z_20200601_120000_000: cannot create snapshots"));
	CHECK_INT(t.report.fs[0].state, SNAP_ERROR);
	CHECK_INT(t.report.fs[1].state, SNAP_ERROR);
	CHECK_INT(t.n_cycles, 1);
	teardown(&t);
}

TEST(when_filesystems_cannot_be_listed_there_was_no_cycle)
{
	const struct fake_fs fs[] = { { .name = "p/a", .snaps = "z_1=-300" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.zfs.fail_lists = 2; /* the sync-up's and the first cycle's */
	t.end_s = 25 * MINUTE;
	run(&t);
	check_list(&t.events, "SyncUpErrWait until +600\n"
			      "ErrorWait until +1200\n"
			      "+1200 p/a@z_20200601_122000_000\n"
			      "Waiting until +1800");
	CHECK_STR(t.log.v[1], "error @: cannot list filesystems: no pools");
	CHECK_INT(t.n_cycles, 1);
	CHECK(!t.report.error);
	teardown(&t);
}

TEST(a_name_that_is_too_long_fails_alone_and_is_not_asked_for)
{
	char name[255];
	const struct fake_fs fs[] = { { .name = name }, { .name = "p/z" } };
	struct fixture t;

	memset(name, 'x', sizeof(name));
	memcpy(name, "p/a", 3);
	name[240] = '\0';
	setup(&t, fs, 2);
	t.end_s = 5 * MINUTE;
	run(&t);
	check_list(&t.events, "+0 p/z@z_20200601_120000_000\nErrorWait until +600");
	REQUIRE(t.report.n_fs == 2);
	CHECK_INT(t.report.fs[0].state, SNAP_ERROR);
	CHECK(t.report.fs[0].error);
	CHECK_INT(t.report.fs[1].state, SNAP_DONE);
	teardown(&t);
}

TEST(only_what_the_filter_accepts_is_listed_and_taken)
{
	const struct fake_fs fs[] = {
		{ .name = "p" },
		{ .name = "p/no" },
		{ .name = "p/no/way" },
	};
	struct fixture t;

	setup(&t, fs, 3);
	t.end_s = 5 * MINUTE;
	run(&t);
	check_list(&t.zfs.roots, "p");
	check_list(&t.events,
		   "+0 p@z_20200601_120000_000 p/no/way@z_20200601_120000_000\n"
		   "Waiting until +600");
	teardown(&t);
}

TEST(without_filesystems_the_cycle_is_empty_and_still_counts)
{
	struct fixture t;

	setup(&t, NULL, 0);
	t.end_s = 5 * MINUTE;
	run(&t);
	check_list(&t.events, "Waiting until +600");
	CHECK_INT(t.n_cycles, 1);
	CHECK_INT(t.report.n_fs, 0);
	teardown(&t);
}

TEST(the_report_shows_what_is_going_on)
{
	const struct fake_fs fs[] = { { .name = "p/a" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.snapshots_take_s = 5;
	t.end_s = 5 * MINUTE;
	run(&t);
	CHECK_INT(t.in_list.state, SNAPPER_PLANNING);
	CHECK_INT(t.in_list.sleep_until.tv_sec, 0);
	CHECK_INT(t.in_list.n_fs, 0);
	CHECK_INT(t.in_snapshot.state, SNAPPER_SNAPSHOTTING);
	REQUIRE(t.in_snapshot.n_fs == 1);
	CHECK_INT(t.in_snapshot.fs[0].state, SNAP_STARTED);
	CHECK_STR(t.in_snapshot.fs[0].snap_name, "z_20200601_120000_000");
	CHECK_INT(t.in_snapshot.fs[0].start.tv_sec, NOON);
	CHECK_INT(t.in_snapshot.fs[0].done.tv_sec, 0);
	CHECK_INT(t.report.fs[0].state, SNAP_DONE);
	CHECK_INT(t.report.fs[0].done.tv_sec, NOON + 5);
	teardown(&t);
}

/* ---- beginning and end ---- */

TEST(a_manual_snapper_does_nothing)
{
	struct fixture t;

	setup(&t, NULL, 0);
	t.conf.type = SNAPSHOTTING_MANUAL;
	run(&t);
	CHECK_INT(t.report.type, SNAPSHOTTING_MANUAL);
	CHECK_INT(t.events.n + t.log.n + t.n_cycles, 0);
	teardown(&t);
}

TEST(cancelled_while_taking_snapshots_it_stops_without_complaint)
{
	const struct fake_fs fs[] = { { .name = "p/a" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.zfs.cancel_in_snapshot = true;
	run(&t);
	check_list(&t.events, "+0 p/a@z_20200601_120000_000");
	CHECK_INT(t.log.n, 0);
	CHECK_INT(t.n_cycles, 0);
	CHECK_INT(t.report.fs[0].state, SNAP_ERROR);
	teardown(&t);
}

TEST(without_a_clock_it_uses_the_systems)
{
	const struct fake_fs fs[] = { { .name = "p/a" } };
	struct fixture t;

	setup(&t, fs, 1);
	t.max_cycles = 1;
	t.snapper = make(&t, NULL);
	snapper_report(t.snapper, &t.report);
	CHECK_INT(t.report.state, SNAPPER_SYNC_UP);
	snapper_report_free(&t.report);
	snapper_run(t.ctx, t.snapper);
	snapper_report(t.snapper, &t.report);
	CHECK_INT(t.report.state, SNAPPER_STOPPED);
	REQUIRE(t.report.n_fs == 1);
	CHECK(t.report.fs[0].start.tv_sec > NOON);
	CHECK_INT(t.n_cycles, 1);
	teardown(&t);
}

static void cancel_from_outside(void *arg)
{
	ctx_cancel(arg);
}

TEST(the_systems_clock_does_not_outlast_the_end_of_the_ctx)
{
	const struct fake_fs fs[] = { { .name = "p/a" } };
	struct thread canceller = { 0 };
	struct fixture t;

	setup(&t, fs, 1);
	t.snapper = make(&t, NULL);
	thread_start(&canceller, "canceller", cancel_from_outside, t.ctx);
	snapper_run(t.ctx, t.snapper);
	thread_join(&canceller);
	snapper_report(t.snapper, &t.report);
	CHECK_INT(t.report.state, SNAPPER_STOPPED);
	teardown(&t);
}

TEST(states_have_the_names_and_values_of_the_status_document)
{
	const struct {
		enum snapper_state s;
		int value;
		const char *name;
	} states[] = {
		{ SNAPPER_SYNC_UP, 1, "SyncUp" },
		{ SNAPPER_SYNC_UP_ERR_WAIT, 2, "SyncUpErrWait" },
		{ SNAPPER_PLANNING, 4, "Planning" },
		{ SNAPPER_SNAPSHOTTING, 8, "Snapshotting" },
		{ SNAPPER_WAITING, 16, "Waiting" },
		{ SNAPPER_ERROR_WAIT, 32, "ErrorWait" },
		{ SNAPPER_STOPPED, 64, "Stopped" },
	};

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		CHECK_INT(states[i].s, states[i].value);
		CHECK_STR(snapper_state_name(states[i].s), states[i].name);
	}
	CHECK_STR(snap_fs_state_name(SNAP_PENDING), "SnapPending");
	CHECK_STR(snap_fs_state_name(SNAP_STARTED), "SnapStarted");
	CHECK_STR(snap_fs_state_name(SNAP_DONE), "SnapDone");
	CHECK_STR(snap_fs_state_name(SNAP_ERROR), "SnapError");
}

/* ---- reports from another thread ---- */

struct running {
	struct fixture *t;
	atomic_bool has_ended;
};

static void run_to_the_end(void *arg)
{
	struct running *r = arg;

	snapper_run(r->t->ctx, r->t->snapper);
	atomic_store(&r->has_ended, true);
}

TEST(reports_can_be_read_by_another_thread_all_the_time)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a" },
		{ .name = "p/b" },
		{ .name = "p/c" },
	};
	struct thread runner = { 0 };
	struct fixture t;
	struct running r = { .t = &t };
	const struct snapper_clock clock = { fake_now, fake_sleep, &t };

	setup(&t, fs, 3);
	t.zfs.unsnapable = "p/b@";
	t.zfs.fail_unsnapable = 20;
	t.end_s = 40 * INTERVAL;
	t.snapper = make(&t, &clock);
	thread_start(&runner, "snapper", run_to_the_end, &r);
	do {
		struct snapper_report copy = { 0 };

		snapper_report(t.snapper, &copy);
		CHECK(copy.n_fs == 0 || copy.n_fs == 3);
		snapper_report_free(&copy);
	} while (!atomic_load(&r.has_ended));
	thread_join(&runner);
	CHECK_INT(t.n_cycles, 41);
	teardown(&t);
}

TEST_MAIN()
