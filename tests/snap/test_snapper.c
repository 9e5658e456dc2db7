/* The snapper on a clock of its own, and on a zfs that is a table. */
#include "snap/snapper.h"

#include "base/thread.h"
#include "fake_zfs.h"

#include <stdatomic.h>

enum { MINUTE = 60, INTERVAL = 10 * MINUTE };

/* ---- a snapper with everything around it ---- */

struct fixture {
	struct zfs zfs;
	struct ctx *ctx;
	struct dsfilter filter;
	struct conf_snapshotting conf;
	struct env env;
	struct snapper *snapper;
	struct snapper_report report, in_list, in_snapshot;
	int64_t snapshots_take_s;
	/* the clock */
	struct timespec now;
	int64_t end_s;       /* after noon: cancelled then */
	int64_t oversleep_s; /* the next sleep takes so much longer: a suspend */
	int64_t longest_sleep_ms;
	unsigned n_sleeps;
	unsigned n_cycles;
	unsigned max_cycles; /* cancelled then; 0: no limit */
	struct strs events;  /* sleeps and snapshots */
	struct strs log;
};

static int64_t after_noon(struct timespec t)
{
	return (int64_t)t.tv_sec - NOON;
}

static void event(struct fixture *t, const char *text)
{
	if (t->events.n == 0 || strcmp(t->events.v[t->events.n - 1], text) != 0)
		strs_add(&t->events, text);
}

static struct timespec fake_now(void *arg)
{
	return ((struct fixture *)arg)->now;
}

static int fake_sleep(void *arg, struct ctx *ctx, int64_t ms, struct err *err)
{
	struct fixture *t = arg;
	struct snapper_report r = { 0 };
	cleanup(str_freep) char *text = NULL;

	snapper_report(t->snapper, &r);
	if (asprintf(&text, "%s until %+" PRId64, snapper_state_name(r.state),
		     after_noon(r.sleep_until)) < 0)
		abort();
	snapper_report_free(&r);
	event(t, text);
	CHECK(ms > 0);
	if (ms > t->longest_sleep_ms)
		t->longest_sleep_ms = ms;
	t->n_sleeps++;
	t->now.tv_sec += ms / 1000 + t->oversleep_s;
	t->now.tv_nsec += ms % 1000 * 1000000;
	t->oversleep_s = 0;
	if (t->now.tv_nsec >= 1000000000) {
		t->now.tv_nsec -= 1000000000;
		t->now.tv_sec++;
	}
	if (after_noon(t->now) > t->end_s)
		ctx_cancel(ctx);
	return ctx_sleep(ctx, 0, err);
}

static void on_cycle(void *arg)
{
	struct fixture *t = arg;

	if (++t->n_cycles == t->max_cycles)
		ctx_cancel(t->ctx);
}

static void look(struct fixture *t, struct snapper_report *out)
{
	snapper_report_free(out);
	snapper_report(t->snapper, out);
}

static void on_list(void *arg)
{
	struct fixture *t = arg;

	look(t, &t->in_list);
}

static void on_snapshot(void *arg, const struct strs *full)
{
	struct fixture *t = arg;
	cleanup(str_freep) char *names = strs_join(full, " ");
	cleanup(str_freep) char *text = NULL;

	if (asprintf(&text, "%+" PRId64 " %s", after_noon(t->now), names) < 0)
		abort();
	event(t, text);
	look(t, &t->in_snapshot);
	t->now.tv_sec += t->snapshots_take_s;
}

static const char *field(const struct log_entry *e, const char *key)
{
	for (size_t i = 0; i < e->n_fields; i++)
		if (strcmp(e->fields[i].key, key) == 0)
			return e->fields[i].value;
	return "";
}

static void collect(void *arg, const struct log_entry *e)
{
	struct fixture *t = arg;

	strs_addf(&t->log, "%s %s@%s: %s: %s", log_level_name(e->level), field(e, "fs"),
		  field(e, "snap"), e->msg, field(e, "err"));
}

static void setup(struct fixture *t, const struct fake_fs *fs, size_t n)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	*t = (struct fixture){
		.zfs = { .fs = fs,
			 .n = n,
			 .on_list = on_list,
			 .on_snapshot = on_snapshot,
			 .arg = t },
		.ctx = ctx_new(NULL),
		.conf = { .type = SNAPSHOTTING_PERIODIC,
			  .prefix = "z_",
			  .interval_s = INTERVAL },
		.env = { .syncup_warn_min_ms = 1000, .wallclock_max_delay_ms = 10000 },
		.now = { .tv_sec = NOON },
		.end_s = 15 * MINUTE,
	};
	t->conf.name = snapname_new("z_", "dense", "UTC", &e);
	CHECK(t->conf.name);
	CHECK_INT(dsfilter_add(&t->filter, "p<", true, &e), 0);
	CHECK_INT(dsfilter_add(&t->filter, "p/no", false, &e), 0);
}

static struct snapper *make(struct fixture *t, const struct snapper_clock *clock)
{
	const struct snapper_opts o = {
		.conf = &t->conf,
		.filter = &t->filter,
		.zfs = &t->zfs,
		.env = &t->env,
		.log = { collect, t, "job", "snapshot" },
		.on_cycle = on_cycle,
		.on_cycle_arg = t,
		.clock = clock,
	};

	return snapper_new(&o);
}

static void run(struct fixture *t)
{
	const struct snapper_clock clock = { fake_now, fake_sleep, t };

	t->snapper = make(t, &clock);
	snapper_run(t->ctx, t->snapper);
	snapper_report(t->snapper, &t->report);
	CHECK_INT(t->report.state, SNAPPER_STOPPED);
	CHECK_INT(t->report.sleep_until.tv_sec, 0);
}

static void teardown(struct fixture *t)
{
	snapper_free(t->snapper);
	snapper_report_free(&t->report);
	snapper_report_free(&t->in_list);
	snapper_report_free(&t->in_snapshot);
	snapname_free(t->conf.name);
	dsfilter_free(&t->filter);
	strs_free(&t->zfs.roots);
	strs_free(&t->events);
	strs_free(&t->log);
	ctx_free(t->ctx);
}

static void check_list(const struct strs *l, const char *want)
{
	cleanup(str_freep) char *got = strs_join(l, "\n");

	CHECK_STR(got ? got : "", want);
}

/* ---- when ---- */

TEST(the_rhythm_of_earlier_snapshots_goes_on_and_all_get_one_name)
{
	const struct fake_fs fs[] = {
		{ "p/c", "man=-60", false },
		{ "p/a", "z_1=-900 z_2=-300", false },
		{ "p/b", "z_1=-480 man=-10", false },
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
		{ "p/a", "z_1=-1200", false },
		{ "p/b", NULL, false },
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
	const struct fake_fs fs[] = { { "p/a", "z_1=-100 z_2=-300", false } };
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
		{ "p/a", "z_1=-599", false },
		{ "p/b", NULL, false },
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
		{ "p/a", "z_1=7000", false },
		{ "p/b", "z_1=-300", false },
		{ "p/gone", "z_1=-500", true },
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
	const struct fake_fs fs[] = { { "p/a", "z_1=-300", false } };
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
	const struct fake_fs fs[] = { { "p/a", "z_1=10", false } };
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
	const struct fake_fs fs[] = { { "p/a", NULL, false } };
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
	const struct fake_fs fs[] = { { "p/a", NULL, false } };
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
	const struct fake_fs fs[] = { { "p/a", NULL, false } };
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
	const struct fake_fs fs[] = { { "p/a", NULL, false } };
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
		{ "p/a", NULL, false },
		{ "p/b", NULL, false },
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
	const struct fake_fs fs[] = { { "p/a", NULL, false } };
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
		{ "p/a", NULL, false },
		{ "p/b", NULL, false },
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
	const struct fake_fs fs[] = { { "p/a", "z_1=-300", false } };
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
	const struct fake_fs fs[] = { { name, NULL, false }, { "p/z", NULL, false } };
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
		{ "p", NULL, false },
		{ "p/no", NULL, false },
		{ "p/no/way", NULL, false },
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
	const struct fake_fs fs[] = { { "p/a", NULL, false } };
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
	const struct fake_fs fs[] = { { "p/a", NULL, false } };
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
	const struct fake_fs fs[] = { { "p/a", NULL, false } };
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
	const struct fake_fs fs[] = { { "p/a", NULL, false } };
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
		{ "p/a", NULL, false },
		{ "p/b", NULL, false },
		{ "p/c", NULL, false },
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
