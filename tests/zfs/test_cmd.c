#include "zfs/cmd.h"

#include "base/parse.h"
#include "fake.h"

#include <errno.h>

/* The processes of a fake, by what it wrote into `out`: are they gone? */
static bool is_gone(const char *pid_text)
{
	long pid = strtol(pid_text, NULL, 10);

	return pid > 1 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static const char *const list[] = { "zfs", "list", NULL };

static int run(struct fake *f)
{
	return zfs_run_simple(f->ctx, fake_z(f), list, &f->e);
}

TEST(cmd_a_success_says_nothing)
{
	cleanup(fake_free) struct fake f = fake_new("echo warning >&2");

	CHECK_INT(run(&f), 0);
	CHECK_INT(f.e.kind, ERR_NONE);
	CHECK_INT(zfs_process_count(f.z), 1);
}

TEST(cmd_a_success_that_prints_where_zfs_is_silent_is_not_believed)
{
	cleanup(fake_free) struct fake f = fake_new("echo done, honestly");

	CHECK_INT(run(&f), -1);
	CHECK_INT(f.e.kind, ERR_PROTOCOL);
	CHECK_STR(err_msg(&f.e),
		  "zfs list: printed \"done, honestly\" where nothing was expected");
}

TEST(cmd_a_failure_carries_the_command_the_status_and_stderr)
{
	cleanup(fake_free) struct fake f =
		fake_new("echo \"cannot open 'p': I/O error\" >&2; exit 1");

	CHECK_INT(run(&f), -1);
	CHECK_STR(err_msg(&f.e),
		  "zfs list: exited with status 1: cannot open 'p': I/O error");
	CHECK_INT(f.e.kind, ERR_CHILD);
	CHECK_INT(f.e.sys, 1);
}

TEST(cmd_the_kind_of_a_failure_follows_from_its_message)
{
	cleanup(fake_free) struct fake f = fake_new(
		"echo \"cannot open 'p': dataset does not exist\" >&2; exit 255");

	CHECK_INT(run(&f), -1);
	CHECK_INT(f.e.kind, ERR_NOT_FOUND);
	CHECK_INT(f.e.sys, 255);
}

TEST(cmd_zfs_that_is_not_installed_is_a_system_error)
{
	cleanup(fake_free) struct fake f = fake_new("");
	static const char *const argv[] = { "zfs-is-not-installed", NULL };

	CHECK_INT(zfs_run_simple(f.ctx, fake_z(&f), argv, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_SYSTEM);
	CHECK_STR(err_msg(&f.e), "run zfs-is-not-installed: No such file or directory");
	CHECK_INT(zfs_process_count(f.z), 0);
}

TEST(cmd_a_child_that_a_signal_killed_did_not_end_by_itself)
{
	cleanup(fake_free) struct fake f = fake_new("echo dying >&2; kill -KILL $$");

	CHECK_INT(run(&f), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	CHECK_STR(err_msg(&f.e), "zfs list: killed by SIGKILL: dying");
}

TEST(cmd_the_locale_is_c)
{
	cleanup(fake_free) struct fake f = fake_new("echo $LC_ALL $HOME_OF_TEST");
	cleanup(buf_free) struct buf said = { 0 };
	int status;

	setenv("LC_ALL", "de_DE.UTF-8", 1);
	setenv("HOME_OF_TEST", "kept", 1);
	CHECK_INT(zfs_run_text(f.ctx, fake_z(&f), list, &said, &status, &f.e), 0);
	CHECK_STR(buf_str(&said), "C kept\n");
	unsetenv("LC_ALL");
}

TEST(cmd_a_hanging_child_is_given_up_and_reaped)
{
	cleanup(fake_free) struct fake f =
		fake_new("echo $$ >$D/out; exec tail -f /dev/null");
	cleanup(str_freep) char *pid = NULL;
	int64_t start = now_ms();

	f.env.zfs_command_ms = 100;
	CHECK_INT(run(&f), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	CHECK_STR(err_msg(&f.e), "zfs list: silent for 100 ms: given up");
	CHECK(now_ms() - start < 5000);
	pid = fake_read("out");
	CHECK(is_gone(pid));
}

TEST(cmd_a_hanging_child_that_ignores_the_polite_signal_is_killed)
{
	cleanup(fake_free) struct fake f = fake_new(
		"trap '' TERM; echo $$ >$D/out; while :; do read x <$D/fifo; done");
	cleanup(str_freep) char *fifo = fake_path("fifo"), *pid = NULL;

	REQUIRE(mkfifo(fifo, 0600) == 0);
	f.env.zfs_command_ms = 100;
	CHECK_INT(run(&f), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	pid = fake_read("out");
	CHECK(is_gone(pid));
	unlink(fifo);
}

TEST(cmd_a_child_that_closes_its_output_and_hangs_is_given_up)
{
	cleanup(fake_free) struct fake f =
		fake_new("exec >/dev/null 2>&1; exec tail -f /dev/null");

	f.env.zfs_command_ms = 100;
	CHECK_INT(run(&f), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
}

struct when_running {
	struct zfs *z;
	struct ctx *ctx;
	char *seen;
};

static void note_active(void *arg, const char *const *argv, struct timespec started)
{
	struct when_running *w = arg;

	CHECK(started.tv_sec > 1000000000);
	free(w->seen);
	if (asprintf(&w->seen, "%s %s", argv[0], argv[1]) < 0)
		abort();
}

static int cancel_at_first_line(void *arg, struct view line, struct err *err)
{
	struct when_running *w = arg;

	(void)err;
	CHECK(view_eq(line, VIEW("ready")));
	zfs_each_active(w->z, note_active, w);
	ctx_cancel(w->ctx);
	return 0;
}

TEST(cmd_a_running_command_is_active_and_can_be_cancelled)
{
	cleanup(fake_free) struct fake f =
		fake_new("echo $$ >$D/out; echo ready; exec tail -f /dev/null");
	struct when_running w = { .z = fake_z(&f), .ctx = f.ctx };
	struct zfs_cmd cmd = { .argv = list, .line = cancel_at_first_line, .arg = &w };
	cleanup(str_freep) char *pid = NULL;
	struct zfs_exit x;

	CHECK_INT(zfs_run(f.ctx, f.z, &cmd, &x, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_CANCELLED);
	CHECK_STR(w.seen, "zfs list");
	pid = fake_read("out");
	CHECK(is_gone(pid));
	free(w.seen);
	w.seen = NULL;
	zfs_each_active(f.z, note_active, &w);
	CHECK(w.seen == NULL);
}

TEST(cmd_a_deadline_ends_a_command)
{
	cleanup(fake_free) struct fake f = fake_new("exec tail -f /dev/null");

	ctx_set_timeout(f.ctx, 50);
	CHECK_INT(run(&f), -1);
	CHECK_INT(f.e.kind, ERR_TIMEOUT);
	CHECK_STR(err_msg(&f.e), "zfs list: timed out");
}

static int count_bytes(void *arg, struct view line, struct err *err)
{
	(void)err;
	*(size_t *)arg += line.len;
	return 0;
}

TEST(cmd_megabytes_without_a_newline_are_no_listing)
{
	cleanup(fake_free) struct fake f = fake_new("exec head -c 8000000 /dev/zero");
	size_t n = 0;
	struct zfs_cmd cmd = { .argv = list, .line = count_bytes, .arg = &n };
	struct zfs_exit x;

	CHECK_INT(zfs_run(f.ctx, fake_z(&f), &cmd, &x, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_PROTOCOL);
	CHECK_STR(err_msg(&f.e), "zfs list: printed a line of more than 1048576 bytes");
	CHECK_INT(n, 0);
}

TEST(cmd_lines_come_whole_however_long_and_many)
{
	cleanup(fake_free) struct fake f = fake_new(
		"seq 1 200000; head -c 1000000 /dev/zero | tr '\\0' x; echo; printf end");
	size_t n = 0;
	struct zfs_cmd cmd = { .argv = list, .line = count_bytes, .arg = &n };
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };

	CHECK_INT(zfs_run(f.ctx, fake_z(&f), &cmd, &x, &f.e), 0);
	CHECK_INT(x.status, 0);
	/* 9 * 1 + 90 * 2 + ... digits */
	CHECK_INT(n, 9 + 180 + 2700 + 36000 + 450000 + 600006 + 1000000 + 3);
}

TEST(cmd_a_flood_on_stderr_blocks_nobody_and_its_end_is_kept)
{
	cleanup(fake_free) struct fake f =
		fake_new("seq 1 400000 >&2; seq 1 1000; exit 3");
	size_t n = 0;
	struct zfs_cmd cmd = { .argv = list, .line = count_bytes, .arg = &n };
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };

	CHECK_INT(zfs_run(f.ctx, fake_z(&f), &cmd, &x, &f.e), 0);
	CHECK_INT(x.status, 3);
	CHECK_INT(n, 9 + 180 + 2700 + 4);
	CHECK_INT(x.text.len, ZFS_STDERR_MAX);
	CHECK_STR(buf_str(&x.text) + x.text.len - 8, "\n400000\n");
	CHECK_INT(zfs_exit_err(list, &x, &f.e), -1);
	CHECK(strlen(err_msg(&f.e)) < 4300);
}

TEST(cmd_a_descendant_that_keeps_the_pipes_is_not_waited_for)
{
	cleanup(fake_free) struct fake f =
		fake_new("tail -f /dev/null & echo $! >$D/out; exit 0");
	cleanup(str_freep) char *pid = NULL;

	ctx_set_timeout(f.ctx, 30000);
	CHECK_INT(run(&f), 0);
	pid = fake_read("out");
	CHECK_INT(kill((pid_t)strtol(pid, NULL, 10), SIGKILL), 0);
}

TEST(cmd_long_commands_are_cut_in_messages)
{
	cleanup(fake_free) struct fake f = fake_new("exit 1");
	cleanup(strs_free) struct strs argv = { 0 };

	strs_add(&argv, "zfs");
	for (int i = 0; i < 5000; i++)
		strs_add(&argv, "pool/some/dataset");
	CHECK_INT(zfs_run_simple(f.ctx, fake_z(&f), strs_argv(&argv), &f.e), -1);
	CHECK(strlen(err_msg(&f.e)) < 400);
	CHECK(strstr(err_msg(&f.e), "...: exited with status 1") != NULL);
}

TEST(cmd_too_much_text_is_refused)
{
	cleanup(fake_free) struct fake f = fake_new("echo 12345678");
	cleanup(buf_free) struct buf fits = { .max = 9 }, not = { .max = 8 };
	int status;

	CHECK_INT(zfs_run_text(f.ctx, fake_z(&f), list, &fits, &status, &f.e), 0);
	CHECK_STR(buf_str(&fits), "12345678\n");
	CHECK_INT(zfs_run_text(f.ctx, f.z, list, &not, &status, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_PROTOCOL);
}

TEST_MAIN()
