#include "zfs/stream.h"

#include "base/pump.h"
#include "fake.h"
#include "output.h"
#include "zfs/cmd.h"

#include <errno.h>

static const struct conf_send plain;

static const struct zfs_send_args full = { .fs = "p/a", .to = "@1", .flags = &plain };
static const struct zfs_recv_args into = { .fs = "q/a", .snap = "1", .resumable = true };

static bool is_gone(const char *file)
{
	cleanup(str_freep) char *text = fake_read(file);
	long pid = strtol(text, NULL, 10);

	return pid > 1 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

/* Reads until the end, or `max` bytes; returns how many. */
static size_t drain(struct fake *f, int fd, size_t max)
{
	static char bytes[65536];
	size_t n = 0;

	while (n < max) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t r;

		if (ctx_poll(f->ctx, &p, 1, 20000, &f->e) <= 0)
			break;
		r = read(fd, bytes, max - n < sizeof(bytes) ? max - n : sizeof(bytes));
		if (r <= 0)
			break;
		n += (size_t)r;
	}
	return n;
}

/* ---- send ---- */

TEST(stream_send_is_called_as_asked)
{
	static const struct conf_send all = {
		.encrypted = true,
		.raw = true,
		.send_properties = true,
		.backup_properties = true,
		.large_blocks = true,
		.compressed = true,
		.embedded_data = true,
		.saved = true,
	};
	static const struct zfs_send_args sends[] = {
		{ .fs = "p/a", .to = "@1", .flags = &plain },
		{ .fs = "p/a", .from = "@0 x", .to = "@1", .flags = &all },
		{ .fs = "p/a", .from = "#b", .to = "@1", .flags = &plain },
		{ .fs = "p/a", .to = "@1", .token = "1-ab-cd", .flags = &all },
	};
	cleanup(fake_free) struct fake f = fake_new("");

	for (size_t i = 0; i < ARRAY_LEN(sends); i++) {
		struct zfs_send *s = zfs_send_start(fake_z(&f), &sends[i], &f.e);

		REQUIRE(s != NULL);
		CHECK_INT(drain(&f, zfs_send_fd(s), 1), 0);
		CHECK_INT(zfs_send_finish(s, &f.e), 0);
	}
	CHECK_CALLS("zfs send p/a@1\n"
		    "zfs send -w -p -b -L -c -e -S -i p/a@0 x p/a@1\n"
		    "zfs send -i p/a#b p/a@1\n"
		    "zfs send -t 1-ab-cd\n");
	CHECK_INT(zfs_process_count(f.z), 4);
}

TEST(stream_send_names_and_tokens_are_checked)
{
	static const struct zfs_send_args bad[] = {
		{ .fs = "-p", .to = "@1", .flags = &plain },
		{ .fs = "p", .to = "@1%2", .flags = &plain },
		{ .fs = "p", .to = "#1", .flags = &plain },
		{ .fs = "p", .from = "1", .to = "@1", .flags = &plain },
		{ .fs = "p", .from = "@1,2", .to = "@1", .flags = &plain },
		{ .fs = "p", .to = "@1", .token = "-n", .flags = &plain },
		{ .fs = "p", .to = "@1", .token = "1;x", .flags = &plain },
	};
	cleanup(fake_free) struct fake f = fake_new("");
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK(zfs_send_start(fake_z(&f), &bad[i], &f.e) == NULL);
		CHECK_INT(f.e.kind, ERR_INVALID);
		CHECK_INT(zfs_send_estimate(f.ctx, f.z, &bad[i], &bytes, &f.e), -1);
	}
	CHECK_INT(zfs_process_count(f.z), 0);
}

TEST(stream_send_that_is_blocked_on_a_full_pipe_is_ended_at_once)
{
	cleanup(fake_free) struct fake f =
		fake_new("echo $$ >$D/out; exec cat /dev/zero");
	struct zfs_send *s = zfs_send_start(fake_z(&f), &full, &f.e);
	int64_t start;

	REQUIRE(s != NULL);
	CHECK_INT(drain(&f, zfs_send_fd(s), 1000), 1000);
	start = now_ms();
	CHECK_INT(zfs_send_finish(s, &f.e), -1);
	CHECK(now_ms() - start < 1000);
	CHECK_INT(f.e.kind, ERR_CANCELLED);
	CHECK_STR(err_msg(&f.e), "zfs send p/a@1: ended before it had sent everything");
	CHECK(is_gone("out"));
}

TEST(stream_send_that_ignores_signals_but_not_the_pipe_is_ended_at_once)
{
	cleanup(fake_free) struct fake f = fake_new(
		"trap '' TERM; echo $$ >$D/out; while echo much; do :; done 2>/dev/null");
	struct zfs_send *s = zfs_send_start(fake_z(&f), &full, &f.e);

	REQUIRE(s != NULL);
	CHECK_INT(drain(&f, zfs_send_fd(s), 5), 5);
	CHECK_INT(zfs_send_finish(s, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_CANCELLED);
	CHECK(is_gone("out"));
}

TEST(stream_send_that_dies_in_the_middle_tells_why)
{
	cleanup(fake_free) struct fake f =
		fake_new("echo some bytes; echo \"cannot send 'p/a@1': I/O error\" >&2\n"
			 "exit 1");
	struct zfs_send *s = zfs_send_start(fake_z(&f), &full, &f.e);

	REQUIRE(s != NULL);
	CHECK_INT(drain(&f, zfs_send_fd(s), 1000), 11);
	CHECK_INT(zfs_send_finish(s, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	CHECK_INT(f.e.sys, 1);
	CHECK_STR(err_msg(&f.e), "zfs send p/a@1: exited with status 1: cannot send "
				 "'p/a@1': I/O error");
}

TEST(stream_send_that_a_signal_killed_is_a_failure)
{
	cleanup(fake_free) struct fake f = fake_new("echo some bytes; kill -SEGV $$");
	struct zfs_send *s = zfs_send_start(fake_z(&f), &full, &f.e);

	REQUIRE(s != NULL);
	CHECK_INT(drain(&f, zfs_send_fd(s), 1000), 11);
	CHECK_INT(zfs_send_finish(s, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	CHECK_STR(err_msg(&f.e), "zfs send p/a@1: killed by SIGSEGV");
}

TEST(stream_send_may_flood_stderr_while_its_stream_is_read)
{
	cleanup(fake_free) struct fake f = fake_new(
		"seq 1 300000 >&2; head -c 3000000 /dev/zero; seq 1 9 >&2; exit 1");
	struct zfs_send *s;

	f.env.send_stderr_max = 1000;
	s = zfs_send_start(fake_z(&f), &full, &f.e);
	REQUIRE(s != NULL);
	CHECK_INT(drain(&f, zfs_send_fd(s), 5000000), 3000000);
	CHECK_INT(zfs_send_finish(s, &f.e), -1);
	CHECK(strlen(err_msg(&f.e)) < 1100);
	CHECK_STR(err_msg(&f.e) + strlen(err_msg(&f.e)) - 8, "\n6\n7\n8\n9");
}

TEST(stream_send_pipes_are_as_large_as_allowed_and_ours_are_non_blocking)
{
	cleanup(fake_free) struct fake f = fake_new("");
	struct zfs_send *s;

	f.env.send_pipe_bytes = 262144;
	s = zfs_send_start(fake_z(&f), &full, &f.e);
	REQUIRE(s != NULL);
	CHECK_INT(fcntl(zfs_send_fd(s), F_GETPIPE_SZ), 262144);
	CHECK(fcntl(zfs_send_fd(s), F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(zfs_send_fd(s), F_GETFD) & FD_CLOEXEC);
	CHECK_INT(drain(&f, zfs_send_fd(s), 1), 0);
	CHECK_INT(zfs_send_finish(s, &f.e), 0);
}

static void note_argv(void *arg, const char *const *argv, struct timespec started)
{
	char **seen = arg;

	(void)started;
	free(*seen);
	if (asprintf(seen, "%s %s %s", argv[0], argv[1], argv[2]) < 0)
		abort();
}

TEST(stream_send_is_active_until_it_is_finished)
{
	cleanup(fake_free) struct fake f = fake_new("exec tail -f /dev/null");
	cleanup(str_freep) char *seen = NULL;
	struct zfs_send *s = zfs_send_start(fake_z(&f), &full, &f.e);

	REQUIRE(s != NULL);
	zfs_each_active(f.z, note_argv, &seen);
	CHECK_STR(seen, "zfs send p/a@1");
	CHECK_INT(zfs_send_finish(s, &f.e), -1);
	free(seen);
	seen = NULL;
	zfs_each_active(f.z, note_argv, &seen);
	CHECK(seen == NULL);
}

TEST(stream_send_that_cannot_be_started_leaves_nothing_behind)
{
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(str_freep) char *path = xstrdup(getenv("PATH"));
	cleanup(str_freep) char *seen = NULL;

	setenv("PATH", "/nowhere", 1);
	CHECK(zfs_send_start(fake_z(&f), &full, &f.e) == NULL);
	CHECK_INT(f.e.kind, ERR_SYSTEM);
	CHECK(zfs_recv_start(f.z, &into, &f.e) == NULL);
	CHECK_INT(f.e.kind, ERR_SYSTEM);
	setenv("PATH", path, 1);
	zfs_each_active(f.z, note_argv, &seen);
	CHECK(seen == NULL);
}

/* ---- estimates ---- */

TEST(stream_estimates_are_one_process_and_none_from_a_bookmark)
{
	cleanup(fake_free) struct fake f =
		fake_new("printf 'full\\tp/a@1\\t5389768\\nsize\\t5389768\\n'");
	static const struct conf_send flags = { .raw = true, .large_blocks = true };
	struct zfs_send_args a = { .fs = "p/a", .to = "@1", .flags = &flags };
	uint64_t bytes = 1;

	CHECK_INT(zfs_send_estimate(f.ctx, fake_z(&f), &a, &bytes, &f.e), 0);
	CHECK_INT(bytes, 5389768);
	a.from = "@0";
	CHECK_INT(zfs_send_estimate(f.ctx, f.z, &a, &bytes, &f.e), 0);
	a.from = "#0";
	CHECK_INT(zfs_send_estimate(f.ctx, f.z, &a, &bytes, &f.e), 0);
	CHECK_INT(bytes, 0);
	a.token = "1-2";
	CHECK_INT(zfs_send_estimate(f.ctx, f.z, &a, &bytes, &f.e), 0);
	CHECK_CALLS("zfs send -n -v -P -w -L p/a@1\n"
		    "zfs send -n -v -P -w -L -i p/a@0 p/a@1\n"
		    "zfs send -n -v -P -t 1-2\n");
}

TEST(stream_absurd_estimates_are_unknown)
{
	cleanup(fake_free) struct fake f =
		fake_new("printf 'full\\tp/a@1\\t18446744073709551000\\n'");
	uint64_t bytes = 1;

	CHECK_INT(zfs_send_estimate(f.ctx, fake_z(&f), &full, &bytes, &f.e), 0);
	CHECK_INT(bytes, 0);
	f.env.size_estimate_incorrect_threshold = 0;
	CHECK_INT(zfs_send_estimate(f.ctx, f.z, &full, &bytes, &f.e), 0);
	CHECK(bytes == 18446744073709551000u);
}

TEST(stream_estimates_that_fail_tell_why)
{
	cleanup(fake_free) struct fake f = fake_new(
		"echo \"cannot open 'p/a@1': dataset does not exist\" >&2; exit 1");
	uint64_t bytes;

	CHECK_INT(zfs_send_estimate(f.ctx, fake_z(&f), &full, &bytes, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_NOT_FOUND);
	fake_script("zfs", "echo garbage");
	CHECK_INT(zfs_send_estimate(f.ctx, f.z, &full, &bytes, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_PROTOCOL);
}

/* ---- receive ---- */

static int finish(struct fake *f, struct zfs_recv *r, bool complete,
		  enum zfs_recv_failure *why)
{
	return zfs_recv_finish(r, f->ctx, complete, why, &f->e);
}

TEST(stream_receive_is_called_as_asked)
{
	static const char *inherit[] = { "mountpoint", "canmount" };
	static struct conf_property override[] = { { "org.x:y", "a b=c" },
						   { "readonly", "on" } };
	static const struct conf_recv props = {
		.inherit = inherit,
		.n_inherit = 2,
		.override = override,
		.n_override = 2,
	};
	static const struct zfs_recv_args recvs[] = {
		{ .fs = "q/a", .snap = "1" },
		{ .fs = "q/a",
		  .snap = "1",
		  .force = true,
		  .resumable = true,
		  .props = &props },
	};
	cleanup(fake_free) struct fake f = fake_new("exec cat >/dev/null");
	enum zfs_recv_failure why;

	for (size_t i = 0; i < ARRAY_LEN(recvs); i++) {
		struct zfs_recv *r = zfs_recv_start(fake_z(&f), &recvs[i], &f.e);

		REQUIRE(r != NULL);
		CHECK(fcntl(zfs_recv_fd(r), F_GETFL) & O_NONBLOCK);
		CHECK_INT(finish(&f, r, true, &why), 0);
	}
	CHECK_CALLS("zfs recv q/a@1\n"
		    "zfs recv -F -s -x mountpoint -x canmount -o org.x:y=a b=c -o "
		    "readonly=on q/a@1\n");
}

TEST(stream_receive_names_and_properties_are_checked)
{
	static const char *inherit[] = { "-F" };
	static const struct conf_recv props = { .inherit = inherit, .n_inherit = 1 };
	static const struct zfs_recv_args bad[] = {
		{ .fs = "-q", .snap = "1" },
		{ .fs = "q", .snap = "1@2" },
		{ .fs = "q", .snap = "" },
		{ .fs = "q", .snap = "1", .props = &props },
	};
	cleanup(fake_free) struct fake f = fake_new("");

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK(zfs_recv_start(fake_z(&f), &bad[i], &f.e) == NULL);
		CHECK_INT(f.e.kind, ERR_INVALID);
	}
	CHECK_INT(zfs_process_count(f.z), 0);
}

TEST(stream_two_hundred_mebibytes_arrive_as_they_were_sent)
{
	static const char *const expect[] = {
		"sh", "-c", "yes 0123456789abcdefg | head -c 209715200 | cksum", NULL
	};
	cleanup(fake_free) struct fake f =
		fake_new("case $1 in send) yes 0123456789abcdefg | head -c 209715200;;\n"
			 "recv) exec cksum >$D/out;; esac");
	cleanup(buf_free) struct buf want = { 0 };
	cleanup(str_freep) char *got = NULL;
	struct zfs_send *s = zfs_send_start(fake_z(&f), &full, &f.e);
	struct zfs_recv *r = zfs_recv_start(f.z, &into, &f.e);
	atomic_uint_fast64_t moved = 0;
	enum zfs_recv_failure why;
	enum pump_end end;

	REQUIRE(s && r);
	CHECK_INT(pump(f.ctx, zfs_send_fd(s), zfs_recv_fd(r),
		       &(struct pump_opts){ .moved = &moved, .stall_ms = 20000 }, &end,
		       &f.e),
		  0);
	CHECK_INT(end, PUMP_EOF);
	CHECK_INT(moved, 209715200);
	CHECK_INT(zfs_send_finish(s, &f.e), 0);
	CHECK_INT(finish(&f, r, true, &why), 0);
	REQUIRE(output_of(expect, &want));
	got = fake_read("out");
	CHECK_STR(got, buf_str(&want));
}

TEST(stream_receive_that_dies_early_closes_the_pump_and_tells_why)
{
	cleanup(fake_free) struct fake f =
		fake_new("case $1 in send) exec cat /dev/zero;;\n"
			 "recv) head -c 100000 >/dev/null\n"
			 "echo 'cannot receive new filesystem stream: out of space' >&2; "
			 "exit 1;;\n"
			 "esac");
	struct zfs_send *s = zfs_send_start(fake_z(&f), &full, &f.e);
	struct zfs_recv *r = zfs_recv_start(f.z, &into, &f.e);
	enum zfs_recv_failure why;
	enum pump_end end;

	REQUIRE(s && r);
	CHECK_INT(pump(f.ctx, zfs_send_fd(s), zfs_recv_fd(r),
		       &(struct pump_opts){ .stall_ms = 20000 }, &end, &f.e),
		  0);
	CHECK_INT(end, PUMP_CLOSED);
	CHECK_INT(finish(&f, r, true, &why), -1);
	CHECK_INT(why, ZFS_RECV_FAILED);
	CHECK_INT(f.e.kind, ERR_CHILD);
	CHECK_STR(err_msg(&f.e),
		  "zfs recv -s q/a@1: exited with status 1: cannot receive "
		  "new filesystem stream: out of space");
	CHECK_INT(zfs_send_finish(s, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_CANCELLED);
}

TEST(stream_receive_that_stops_reading_and_succeeds_is_a_success)
{
	cleanup(fake_free) struct fake f = fake_new("head -c 10 >/dev/null");
	struct zfs_recv *r = zfs_recv_start(fake_z(&f), &into, &f.e);
	struct pollfd p;
	enum zfs_recv_failure why;

	REQUIRE(r != NULL);
	CHECK_INT(write(zfs_recv_fd(r), "0123456789", 10), 10);
	p = (struct pollfd){ .fd = zfs_recv_fd(r) };
	CHECK_INT(ctx_poll(f.ctx, &p, 1, 20000, &f.e), 1); /* POLLERR: closed */
	CHECK_INT(finish(&f, r, true, &why), 0);
}

static void check_failure(const char *message, enum zfs_recv_failure want)
{
	cleanup(fake_free) struct fake f =
		fake_new("cat >/dev/null; cat $D/out >&2; exit 1");
	struct zfs_recv *r;
	enum zfs_recv_failure why = ZFS_RECV_FAILED;

	fake_write("out", message, 0600);
	r = zfs_recv_start(fake_z(&f), &into, &f.e);
	REQUIRE(r != NULL);
	CHECK_INT(finish(&f, r, true, &why), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	CHECK_INT(why, want);
}

TEST(stream_receive_failures_are_told_apart)
{
	check_failure("cannot receive new filesystem stream: checksum mismatch or "
		      "incomplete stream.\nPartially received snapshot is saved.\n"
		      "A resuming stream can be generated on the sending system by "
		      "running:\n    zfs send -t 1-88e685b87-b0-789c\n",
		      ZFS_RECV_STATE_SAVED);
	check_failure("cannot receive: failed to read from stream\n",
		      ZFS_RECV_STREAM_ENDED);
	check_failure("cannot receive new filesystem stream: zfs receive -F cannot be "
		      "used to destroy an encrypted filesystem or overwrite an "
		      "unencrypted one with an encrypted one\n",
		      ZFS_RECV_ENCRYPTION_REFUSED);
	check_failure("cannot receive: invalid stream (bad magic number)\n",
		      ZFS_RECV_FAILED);
}

TEST(stream_receive_of_a_cut_off_stream_may_save_its_state_and_has_failed)
{
	cleanup(fake_free) struct fake f = fake_new(
		"cat >/dev/null; echo 'A resuming stream can be generated on the sending "
		"system by running:' >&2; echo '    zfs send -t 1-2' >&2; exit 1");
	struct zfs_recv *r = zfs_recv_start(fake_z(&f), &into, &f.e);
	enum zfs_recv_failure why = ZFS_RECV_FAILED;

	REQUIRE(r != NULL);
	CHECK_INT(finish(&f, r, false, &why), -1);
	CHECK_INT(why, ZFS_RECV_STATE_SAVED);
	CHECK_INT(f.e.kind, ERR_CHILD);
}

TEST(stream_receive_of_a_cut_off_stream_fails_whatever_it_says)
{
	cleanup(fake_free) struct fake f = fake_new("cat >/dev/null");
	struct zfs_recv *r = zfs_recv_start(fake_z(&f), &into, &f.e);
	enum zfs_recv_failure why;

	REQUIRE(r != NULL);
	CHECK_INT(finish(&f, r, false, &why), -1);
	CHECK_INT(f.e.kind, ERR_CANCELLED);
	CHECK_STR(err_msg(&f.e), "zfs recv -s q/a@1: its stream was cut off");
}

TEST(stream_receive_that_hangs_ends_with_its_ctx)
{
	cleanup(fake_free) struct fake f =
		fake_new("echo $$ >$D/out; exec tail -f /dev/null");
	struct zfs_recv *r = zfs_recv_start(fake_z(&f), &into, &f.e);
	enum zfs_recv_failure why;

	REQUIRE(r != NULL);
	ctx_set_timeout(f.ctx, 200);
	CHECK_INT(finish(&f, r, true, &why), -1);
	CHECK_INT(f.e.kind, ERR_TIMEOUT);
	CHECK_INT(why, ZFS_RECV_FAILED);
	CHECK(is_gone("out"));
}

TEST(stream_receive_that_is_never_done_is_given_up)
{
	cleanup(fake_free) struct fake f = fake_new("exec tail -f /dev/null");
	struct zfs_recv *r = zfs_recv_start(fake_z(&f), &into, &f.e);
	enum zfs_recv_failure why;

	REQUIRE(r != NULL);
	f.env.stream_stall_ms = 50;
	CHECK_INT(finish(&f, r, true, &why), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	CHECK_STR(err_msg(&f.e),
		  "zfs recv -s q/a@1: not done 50 ms after the end of its stream");
}

TEST(stream_a_descendant_that_keeps_stderr_is_not_waited_for)
{
	cleanup(fake_free) struct fake f = fake_new(
		"cat >/dev/null; tail -f /dev/null >/dev/null & echo $! >$D/out");
	cleanup(str_freep) char *pid = NULL;
	struct zfs_recv *r = zfs_recv_start(fake_z(&f), &into, &f.e);
	enum zfs_recv_failure why;

	REQUIRE(r != NULL);
	CHECK_INT(finish(&f, r, true, &why), 0);
	pid = fake_read("out");
	CHECK_INT(kill((pid_t)strtol(pid, NULL, 10), SIGKILL), 0);
}

/* ---- partial receives ---- */

TEST(stream_aborting_what_is_not_there_is_a_success)
{
	cleanup(fake_free) struct fake f = fake_new(
		"echo \"'q/a' does not have any resumable receive state to abort\" >&2\n"
		"exit 1");

	CHECK_INT(zfs_recv_abort(f.ctx, fake_z(&f), "q/a", &f.e), 0);
	CHECK_INT(zfs_recv_abort(f.ctx, f.z, "q/b", &f.e), -1);
	fake_script("zfs", "echo \"cannot open 'q/a': dataset does not exist\" >&2\n"
			   "echo usage: >&2; exit 2");
	CHECK_INT(zfs_recv_abort(f.ctx, f.z, "q/a", &f.e), 0);
	CHECK_INT(zfs_recv_abort(f.ctx, f.z, "q/b", &f.e), -1);
	CHECK_CALLS("zfs recv -A q/a\nzfs recv -A q/b\nzfs recv -A q/a\n"
		    "zfs recv -A q/b\n");
}

TEST(stream_a_pool_is_asked_once_whether_it_can_resume)
{
	cleanup(fake_free) struct fake f = fake_new("");
	bool yes = false;

	fake_script("zpool", "case $7 in new) echo active;; able) echo enabled;;\n"
			     "old) echo -;; *) echo no such pool >&2; exit 1;; esac");
	CHECK_INT(zfs_recv_can_resume(f.ctx, fake_z(&f), "new/a", &yes, &f.e), 0);
	CHECK(yes);
	CHECK_INT(zfs_recv_can_resume(f.ctx, f.z, "new", &yes, &f.e), 0);
	CHECK(yes);
	CHECK_INT(zfs_recv_can_resume(f.ctx, f.z, "old/x", &yes, &f.e), 0);
	CHECK(!yes);
	CHECK_INT(zfs_recv_can_resume(f.ctx, f.z, "old/y", &yes, &f.e), 0);
	CHECK(!yes);
	CHECK_INT(zfs_recv_can_resume(f.ctx, f.z, "able", &yes, &f.e), 0);
	CHECK(yes);
	CHECK_INT(zfs_recv_can_resume(f.ctx, f.z, "none", &yes, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	CHECK_CALLS("zpool get -H -p -o value feature@extensible_dataset new\n"
		    "zpool get -H -p -o value feature@extensible_dataset old\n"
		    "zpool get -H -p -o value feature@extensible_dataset able\n"
		    "zpool get -H -p -o value feature@extensible_dataset none\n");
}

TEST(stream_a_pool_that_could_not_resume_is_asked_again_later)
{
	cleanup(fake_free) struct fake f = fake_new("");
	bool yes = true;

	fake_script("zpool", "cat $D/out");
	fake_write("out", "disabled\n", 0600);
	CHECK_INT(zfs_recv_can_resume(f.ctx, fake_z(&f), "p", &yes, &f.e), 0);
	CHECK(!yes);
	fake_write("out", "active\n", 0600);
	f.z->pools.v[0].asked_ms -= 29000;
	CHECK_INT(zfs_recv_can_resume(f.ctx, f.z, "p", &yes, &f.e), 0);
	CHECK(!yes);
	f.z->pools.v[0].asked_ms -= 1001;
	CHECK_INT(zfs_recv_can_resume(f.ctx, f.z, "p", &yes, &f.e), 0);
	CHECK(yes);
	CHECK_INT(zfs_process_count(f.z), 2);
}

TEST(stream_tokens_are_decoded_also_where_the_datasets_are_not)
{
	cleanup(fake_free) struct fake f = fake_new(
		"printf 'resume token contents:\\nnvlist version: 0\\n\\tobject = "
		"0x2\\n'\n"
		"printf '\\ttoguid = 0x482dc1f7d4d93280\\n\\ttoname = p/src@1\\n'\n"
		"echo \"cannot resume send: 'p/src@1' used in the initial send no longer "
		"exists\" >&2; exit 255");
	struct resume_token t = { 0 };

	REQUIRE(zfs_decode_token(f.ctx, fake_z(&f), "1-ab-cd", &t, &f.e) == 0);
	CHECK_CALLS("zfs send -nvt 1-ab-cd\n");
	CHECK(t.to_guid == 0x482dc1f7d4d93280);
	CHECK_STR(t.to_name, "p/src@1");
	resume_token_free(&t);
}

TEST(stream_tokens_that_do_not_decode_are_errors)
{
	cleanup(fake_free) struct fake f = fake_new(
		"echo 'cannot resume send: resume token is corrupt (incorrect checksum)' "
		">&2; exit 255");
	struct resume_token t = { 0 };

	CHECK_INT(zfs_decode_token(f.ctx, fake_z(&f), "1-ab-cd", &t, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_INVALID);
	fake_script("zfs", "kill -KILL $$");
	CHECK_INT(zfs_decode_token(f.ctx, f.z, "1-ab-cd", &t, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	CHECK_INT(zfs_decode_token(f.ctx, f.z, "--help", &t, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_INVALID);
	CHECK_INT(zfs_process_count(f.z), 2);
}

TEST_MAIN()
