/*
 * Cycles with hooks: real ones, each a script that appends to a file, as the snapshots
 * do.
 */
#include "fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/snap-hooks-XXXXXX";
static char *script, *events;

static void remove_dir(void)
{
	unlink(script);
	unlink(events);
	rmdir(dir);
	free(script);
	free(events);
}

static void write_file(const char *path, const char *text, const char *mode)
{
	FILE *f = fopen(path, mode);

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static void make_dir(void)
{
	if (script)
		return;
	if (!mkdtemp(dir))
		abort();
	script = xasprintf("%s/hook", dir);
	events = xasprintf("%s/events", dir);
	atexit(remove_dir);
}

/* The body has $E, to append to, and $W, what happens. */
static void hook_is(const char *body)
{
	cleanup(str_freep) char *text = NULL;

	make_dir();
	text = xasprintf("#!/bin/sh\nE=%s\nW=\"${ZREPL_HOOKTYPE%%_snapshot} "
			 "$ZREPL_FS@$ZREPL_SNAPNAME\"\n%s\n",
			 events, body);
	write_file(script, text, "we");
	write_file(events, "", "we");
	if (chmod(script, 0700) < 0)
		abort();
}

static void check_events(const char *want)
{
	cleanup(str_freep) char *got = NULL;
	size_t cap = 0;
	FILE *f = fopen(events, "re");

	if (!f)
		abort();
	if (getdelim(&got, &cap, '\0', f) < 0) {
		free(got);
		got = xstrdup("");
	}
	fclose(f);
	CHECK_STR(got, want);
}

static void note_snapshot(struct fixture *t)
{
	cleanup(str_freep) char *line = xasprintf("%s\n", t->events.v[t->events.n - 1]);

	write_file(events, line, "ae");
}

static const struct fake_fs three[] = {
	{ .name = "p/a" },
	{ .name = "p/b" },
	{ .name = "p/c" },
};

/* One hook, for p/b and p/c. */
static void setup_hook(struct fixture *t, struct conf_hook *hook)
{
	struct err e = ERR_INIT;

	*hook = (struct conf_hook){ .type = HOOK_COMMAND,
				    .path = script,
				    .timeout_ms = 20000 };
	CHECK_INT(dsfilter_add(&hook->filesystems, "p/b", true, &e), 0);
	CHECK_INT(dsfilter_add(&hook->filesystems, "p/c", true, &e), 0);
	setup(t, three, 3);
	t->env.max_hook_log_bytes = 4096;
	t->conf.hooks = hook;
	t->conf.n_hooks = 1;
	t->in_snapshot_ask = note_snapshot;
	t->max_cycles = 1;
}

static void end(struct fixture *t, struct conf_hook *hook)
{
	teardown(t);
	dsfilter_free(&hook->filesystems);
}

#define NAME "z_20200601_120000_000"

TEST(first_those_without_hooks_then_each_between_its_own)
{
	struct conf_hook hook;
	struct fixture t;

	hook_is("echo $W >>$E");
	setup_hook(&t, &hook);
	t.snapshots_take_s = 2; /* all have one name nevertheless */
	run(&t);
	check_events("+0 p/a@" NAME "\n"
		     "pre p/b@" NAME "\n+2 p/b@" NAME "\npost p/b@" NAME "\n"
		     "pre p/c@" NAME "\n+4 p/c@" NAME "\npost p/c@" NAME "\n");
	check_list(&t.log, "info @" NAME ": took 3 snapshots: ");
	REQUIRE(t.report.n_fs == 3);
	CHECK_STR(t.report.fs[0].hooks, "");
	CHECK_INT(t.report.fs[1].state, SNAP_DONE);
	CHECK(!t.report.fs[1].hooks_had_error);
	CHECK(strstr(t.report.fs[1].hooks, "3  Ok"));
	CHECK(strstr(t.report.fs[1].hooks, script));
	CHECK(t.report.fs[1].hooks[strlen(t.report.fs[1].hooks) - 1] != '\n');
	teardown(&t);
	dsfilter_free(&hook.filesystems);
}

TEST(while_a_hook_runs_the_others_wait_and_the_report_says_so)
{
	struct conf_hook hook;
	struct fixture t;

	hook_is("");
	setup_hook(&t, &hook);
	run(&t);
	/* At the last snapshot, that of p/c. */
	REQUIRE(t.in_snapshot.n_fs == 3);
	CHECK_INT(t.in_snapshot.fs[0].state, SNAP_DONE);
	CHECK_INT(t.in_snapshot.fs[1].state, SNAP_DONE);
	CHECK_INT(t.in_snapshot.fs[2].state, SNAP_STARTED);
	CHECK(strstr(t.in_snapshot.fs[2].hooks, "2  Exec"));
	CHECK(strstr(t.in_snapshot.fs[2].hooks, "3  Pending"));
	end(&t, &hook);
}

TEST(a_hook_that_fails_is_an_error_though_there_is_a_snapshot)
{
	struct conf_hook hook;
	struct fixture t;

	hook_is("echo $W >>$E; [ $ZREPL_FS = p/c ]");
	setup_hook(&t, &hook);
	run(&t);
	check_events("+0 p/a@" NAME "\npre p/b@" NAME "\n+0 p/b@" NAME "\npre p/c@" NAME
		     "\n+0 p/c@" NAME "\npost p/c@" NAME "\n");
	REQUIRE(t.report.n_fs == 3);
	CHECK_INT(t.report.fs[1].state, SNAP_ERROR);
	CHECK(t.report.fs[1].taken && t.report.fs[1].hooks_had_error);
	CHECK(strstr(t.report.fs[1].hooks, "SkippedDueToPreErr"));
	CHECK_INT(t.report.fs[2].state, SNAP_DONE);
	CHECK(strstr(t.report.error, "all snapshots were taken, but not all hooks went "
				     "well, 1 of 3 failed, first p/b: hook 1 "));
	CHECK_STR(t.log.v[t.log.n - 1], "info @" NAME ": took 3 snapshots: ");
	end(&t, &hook);
}

TEST(a_hook_that_is_fatal_leaves_one_without_and_the_others_go_on)
{
	struct conf_hook hook;
	struct fixture t;

	hook_is("echo $W >>$E; [ $ZREPL_FS = p/c ]");
	setup_hook(&t, &hook);
	hook.err_is_fatal = true;
	run(&t);
	check_events("+0 p/a@" NAME "\npre p/b@" NAME "\npre p/c@" NAME "\n+0 p/c@" NAME
		     "\npost p/c@" NAME "\n");
	REQUIRE(t.report.n_fs == 3);
	CHECK_INT(t.report.fs[1].state, SNAP_ERROR);
	CHECK(!t.report.fs[1].taken);
	CHECK(strstr(t.report.error, "one or more snapshots could not be created, 1 of 3 "
				     "failed, first p/b: hook 1 "));
	CHECK_STR(t.log.v[t.log.n - 1], "info @" NAME ": took 2 snapshots: ");
	CHECK_INT(t.n_cycles, 1);
	end(&t, &hook);
}

TEST(a_snapshot_that_fails_between_hooks_is_an_error_of_its_filesystem)
{
	struct conf_hook hook;
	struct fixture t;

	hook_is("echo $W >>$E");
	setup_hook(&t, &hook);
	t.zfs.unsnapable = "p/b@";
	t.zfs.fail_unsnapable = 1;
	run(&t);
	CHECK_STR(t.report.fs[1].error, "dataset already exists");
	CHECK(!t.report.fs[1].taken);
	CHECK_INT(t.report.fs[2].state, SNAP_DONE);
	CHECK_STR(t.log.v[0],
		  "error p/b@" NAME ": cannot create snapshot: dataset already exists");
	CHECK_INT(t.log.n, 2);
	end(&t, &hook);
}

TEST(whoever_is_skipped_runs_no_hooks_and_no_hook_is_missed)
{
	const struct fake_fs fs[] = {
		{ .name = "p/a" },
		{ .name = "p/b", .snaps = "z_1=-700", .is_idle = true },
		{ .name = "p/c", .snaps = "z_1=-700", .is_idle = true },
	};
	struct conf_hook hook;
	struct fixture t;

	hook_is("echo $W >>$E");
	setup_hook(&t, &hook);
	t.zfs.fs = fs;
	t.conf.skip_unchanged = true;
	run(&t);
	check_events("+0 p/a@" NAME "\n");
	CHECK_STR(t.log.v[t.log.n - 1], "info @" NAME ": took 1 snapshots: ");
	end(&t, &hook);
}

TEST(a_hook_that_matches_nothing_is_warned_of_after_the_cycle)
{
	struct conf_hook hook;
	struct fixture t;

	hook_is("echo $W >>$E");
	setup_hook(&t, &hook);
	t.zfs.n = 1;
	run(&t);
	CHECK_INT(t.log.n, 2);
	CHECK(strstr(t.log.v[1], "warn @: the filter of a hook matches none"));
	end(&t, &hook);
}

TEST(a_name_that_cannot_be_runs_no_hooks)
{
	char name[255];
	const struct fake_fs fs[] = { { .name = name } };
	struct conf_hook hook;
	struct fixture t;

	memset(name, 'x', sizeof(name));
	memcpy(name, "p/a", 3);
	name[240] = '\0';
	hook_is("echo $W >>$E");
	setup_hook(&t, &hook);
	CHECK_INT(dsfilter_add(&hook.filesystems, "p<", true, &(struct err){ 0 }), 0);
	t.zfs.fs = fs;
	t.zfs.n = 1;
	run(&t);
	check_events("");
	CHECK_INT(t.report.fs[0].state, SNAP_ERROR);
	CHECK_INT(t.log.n, 1);
	end(&t, &hook);
}

static void cancel_at_b(struct fixture *t)
{
	note_snapshot(t);
	if (strstr(t->events.v[t->events.n - 1], "p/b@"))
		ctx_cancel(t->ctx);
}

TEST(cancelled_between_hooks_what_was_begun_is_ended_and_nothing_more_begins)
{
	struct conf_hook hook;
	struct fixture t;

	hook_is("echo $W >>$E");
	setup_hook(&t, &hook);
	t.in_snapshot_ask = cancel_at_b;
	run(&t);
	check_events("+0 p/a@" NAME "\npre p/b@" NAME "\n+0 p/b@" NAME "\npost p/b@" NAME
		     "\n");
	CHECK_INT(t.n_cycles, 0);
	CHECK_INT(t.report.fs[2].state, SNAP_PENDING);
	CHECK_INT(t.log.n, 0);
	end(&t, &hook);
}

TEST_MAIN()
