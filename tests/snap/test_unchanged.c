/* skip_unchanged. */
#include "fixture.h"

static void setup_skip(struct fixture *t, const struct fake_fs *fs, size_t n)
{
	setup(t, fs, n);
	t->conf.skip_unchanged = true;
	t->end_s = 5 * MINUTE;
}

TEST(where_nothing_was_written_since_our_latest_snapshot_none_is_taken)
{
	const struct fake_fs fs[] = {
		{ .name = "p/idle", .snaps = "man=-5000 z_1=-900", .is_idle = true },
		{ .name = "p/written", .snaps = "z_1=-900" },
		{ .name = "p/new", .is_idle = true },
	};
	struct fixture t;

	setup_skip(&t, fs, 3);
	run(&t);
	check_list(&t.events, "+0 p/new@z_20200601_120000_000 "
			      "p/written@z_20200601_120000_000\n"
			      "Waiting until +600");
	check_list(&t.log,
		   "debug p/idle@: nothing was written since the latest snapshot: "
		   "\n"
		   "info @: skips 1 of 3 filesystems: nothing was written since "
		   "their latest snapshots: \n"
		   "info @z_20200601_120000_000: took 2 snapshots: ");
	REQUIRE(t.report.n_fs == 2);
	CHECK_STR(t.report.fs[0].path, "p/new");
	CHECK_STR(t.report.fs[1].path, "p/written");
	CHECK_INT(t.zfs.n_written, 1);
	CHECK_INT(t.zfs.n_versions, 2); /* the other one is the sync-up's */
	CHECK_INT(t.n_cycles, 1);
	teardown(&t);
}

TEST(a_latest_snapshot_of_somebody_else_is_none_of_ours)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a", .snaps = "z_1=-900 man=-800", .is_idle = true },
		{ .name = "p/b", .snaps = "man=-800", .is_idle = true },
	};
	struct fixture t;

	setup_skip(&t, fs, 2);
	run(&t);
	check_list(&t.events, "+0 p/a@z_20200601_120000_000 p/b@z_20200601_120000_000\n"
			      "Waiting until +600");
	teardown(&t);
}

TEST(if_everything_is_skipped_the_cycle_still_counts)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a", .snaps = "z_1=-900", .is_idle = true },
		{ .name = "p/b", .snaps = "z_1=-900", .is_idle = true },
	};
	struct fixture t;

	setup_skip(&t, fs, 2);
	run(&t);
	check_list(&t.events, "Waiting until +600");
	CHECK_INT(t.n_cycles, 1);
	CHECK_INT(t.report.n_fs, 0);
	CHECK(!t.report.error);
	CHECK_INT(t.log.n, 3);
	teardown(&t);
}

TEST(without_it_nobody_asks_what_is_written)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a", .snaps = "z_1=-900", .is_idle = true }
	};
	struct fixture t;

	setup_skip(&t, fs, 1);
	t.conf.skip_unchanged = false;
	run(&t);
	check_list(&t.events, "+0 p/a@z_20200601_120000_000\nWaiting until +600");
	CHECK_INT(t.zfs.n_written, 0);
	CHECK_INT(t.zfs.n_versions, 1);
	teardown(&t);
}

TEST(if_all_are_written_to_no_versions_are_listed)
{
	const struct fake_fs fs[] = { { .name = "p/a", .snaps = "z_1=-900" } };
	struct fixture t;

	setup_skip(&t, fs, 1);
	run(&t);
	CHECK_INT(t.zfs.n_written, 1);
	CHECK_INT(t.zfs.n_versions, 1);
	CHECK_INT(t.log.n, 1);
	teardown(&t);
}

TEST(when_it_cannot_be_learned_everything_is_taken)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a", .snaps = "z_1=-900", .is_idle = true }
	};
	struct fixture t;

	setup_skip(&t, fs, 1);
	t.zfs.fail_written = 1;
	run(&t);
	check_list(&t.events, "+0 p/a@z_20200601_120000_000\nWaiting until +600");
	CHECK_STR(t.log.v[0],
		  "warn @: cannot tell what has changed: takes snapshots of everything: "
		  "no such property");
	teardown(&t);
}

TEST(what_is_gone_is_not_skipped)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a", .snaps = "z_1=-900", .is_idle = true, .is_gone = true }
	};
	struct fixture t;

	setup_skip(&t, fs, 1);
	run(&t);
	check_list(&t.events, "+0 p/a@z_20200601_120000_000\nWaiting until +600");
	teardown(&t);
}

/* p/idle's snapshot would be overdue. */
TEST(after_a_restart_the_newest_snapshot_of_all_carries_on_the_rhythm)
{
	const struct fake_fs fs[] = {
		{ .name = "p/idle", .snaps = "z_1=-86400", .is_idle = true },
		{ .name = "p/written", .snaps = "z_1=-300" },
		{ .name = "p/future", .snaps = "z_1=10" },
	};
	struct fixture t;

	setup_skip(&t, fs, 3);
	t.end_s = 4 * MINUTE;
	run(&t);
	check_list(&t.events, "SyncUp until +300");
	teardown(&t);
}

/* ---- batches ---- */

TEST(batches_are_announced_once_loudly_then_quietly)
{
	const struct fake_fs fs[] = { { .name = "p/a" },
				      { .name = "p/b" },
				      { .name = "p/c" },
				      { .name = "p1/d" } };
	struct fixture t;

	setup(&t, fs, 4);
	CHECK_INT(dsfilter_add(&t.filter, "p1<", true, &(struct err){ 0 }), 0);
	t.zfs.batch_max = 2;
	t.max_cycles = 2;
	run(&t);
	check_list(&t.log, "warn @z_20200601_120000_000: 3 filesystems of pool p are "
			   "snapshotted in 2 batches, not in one transaction: \n"
			   "info @z_20200601_120000_000: took 4 snapshots: \n"
			   "info @z_20200601_121000_000: 3 filesystems of pool p are "
			   "snapshotted in 2 batches, not in one transaction: \n"
			   "info @z_20200601_121000_000: took 4 snapshots: ");
	teardown(&t);
}

TEST(one_batch_for_those_that_can_be_taken_is_one_transaction)
{
	const struct fake_fs fs[] = { { .name = "p/a" },
				      { .name = "p/b" },
				      { .name = "p/c" } };
	struct fixture t;

	setup(&t, fs, 3);
	t.zfs.batch_max = 2;
	t.zfs.unsnapable = "p/c@";
	t.zfs.fail_unsnapable = 1;
	t.max_cycles = 1;
	run(&t);
	CHECK_INT(t.log.n, 2);
	CHECK(strncmp(t.log.v[0], "error p/c@", 10) == 0);
	teardown(&t);
}

TEST_MAIN()
