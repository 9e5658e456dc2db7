#include "base/proc.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static const char *const for_ever[] = { "tail", "-f", "/dev/null", NULL };

TEST(proc_output_returns_stdout)
{
	const char *argv[] = { "echo", "hello", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	CHECK_INT(proc_output(ctx, argv, &out, &e), 0);
	CHECK_STR(buf_str(&out), "hello\n");
}

TEST(proc_output_carries_stderr_in_the_error)
{
	const char *argv[] = { "sh", "-c", "echo 'dataset is busy' >&2; exit 3", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	CHECK_INT(proc_output(ctx, argv, &out, &e), -1);
	CHECK_STR(err_msg(&e), "sh: exited with status 3: dataset is busy");
	CHECK_INT(e.kind, ERR_CHILD);
	CHECK_INT(e.sys, 3);
}

TEST(proc_output_keeps_the_end_of_a_long_stderr)
{
	const char *argv[] = { "sh", "-c", "seq 1 20000 >&2; exit 1", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	CHECK_INT(proc_output(ctx, argv, &out, &e), -1);
	CHECK(strlen(err_msg(&e)) < 4200);
	CHECK(strcmp(err_msg(&e) + strlen(err_msg(&e)) - 6, "\n20000") == 0);
}

TEST(proc_output_names_the_signal_that_killed_the_child)
{
	const char *named[] = { "sh", "-c", "kill -KILL $$", NULL };
	const char *nameless[] = { "sh", "-c", "kill -40 $$", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	CHECK_INT(proc_output(ctx, named, &out, &e), -1);
	CHECK_STR(err_msg(&e), "sh: killed by SIGKILL");
	CHECK_INT(e.sys, 128 + SIGKILL);
	CHECK_INT(proc_output(ctx, nameless, &out, &e), -1);
	CHECK_STR(err_msg(&e), "sh: killed by signal 40");
}

TEST(proc_output_says_when_the_program_does_not_exist)
{
	const char *argv[] = { "no-such-program", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	CHECK_INT(proc_output(ctx, argv, &out, &e), -1);
	CHECK_STR(err_msg(&e), "run no-such-program: No such file or directory");
}

TEST(proc_output_ends_at_the_deadline)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	ctx_set_timeout(ctx, 50);
	CHECK_INT(proc_output(ctx, for_ever, &out, &e), -1);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	CHECK_STR(err_msg(&e), "tail: timed out");
}

TEST(proc_output_takes_exactly_as_much_as_the_buffer_allows)
{
	const char *fits[] = { "printf", "12345678", NULL };
	const char *more[] = { "printf", "123456789", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { .max = 8 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	CHECK_INT(proc_output(ctx, fits, &out, &e), 0);
	CHECK_STR(buf_str(&out), "12345678");
	buf_free(&out);
	CHECK_INT(proc_output(ctx, more, &out, &e), -1);
	CHECK_STR(err_msg(&e), "printf: output larger than 8 bytes");
	CHECK_INT(e.kind, ERR_CHILD);
}

TEST(proc_output_stops_a_child_that_said_too_much_and_then_lingers)
{
	const char *argv[] = { "sh", "-c", "echo much; exec tail -f /dev/null", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { .max = 2 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	CHECK_INT(proc_output(ctx, argv, &out, &e), -1);
	CHECK_STR(err_msg(&e), "sh: output larger than 2 bytes");
}

TEST(proc_output_does_not_wait_for_a_grandchild_that_keeps_the_pipes)
{
	const char *argv[] = { "sh", "-c", "tail -f /dev/null & echo $!", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	pid_t grandchild;

	ctx_set_timeout(ctx, 30000);
	CHECK_INT(proc_output(ctx, argv, &out, &e), 0);
	grandchild = (pid_t)strtol(buf_str(&out), NULL, 10);
	REQUIRE(grandchild > 1);
	CHECK_INT(kill(grandchild, SIGKILL), 0);
}

TEST(proc_wait_reports_the_status_of_a_child_that_ended_before_the_ctx)
{
	const char *argv[] = { "true", NULL };
	struct proc_opts o = { .argv = argv, .in = -1, .out = -1, .errfd = -1 };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct proc p;

	REQUIRE(proc_start(&p, &o, &e) == 0);
	struct pollfd ended = { .fd = p.pidfd, .events = POLLIN };
	CHECK_INT(poll(&ended, 1, -1), 1);
	ctx_cancel(ctx);
	CHECK_INT(proc_wait(&p, ctx, 1000, &e), 0);
	CHECK_INT(p.pidfd, -1);
	CHECK_INT(e.kind, ERR_NONE);
}

TEST(proc_wait_kills_a_child_that_ignores_the_polite_signal)
{
	const char *argv[] = { "sh", "-c", "trap '' TERM; echo; while :; do read x; done",
			       NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	int in[2], out[2];
	struct proc p;
	char c;

	REQUIRE(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	struct proc_opts o = { .argv = argv, .in = in[0], .out = out[1], .errfd = -1 };
	REQUIRE(proc_start(&p, &o, &e) == 0);
	CHECK_INT(read(out[0], &c, 1), 1); /* now the trap is set */
	ctx_cancel(ctx);
	CHECK_INT(proc_wait(&p, ctx, 100, &e), -1);
	CHECK_STR(err_msg(&e), "cancelled");
	CHECK_INT(kill(p.pid, 0), -1);
	CHECK_INT(errno, ESRCH);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
}

TEST(proc_wait_says_so_when_the_exit_status_is_lost)
{
	const char *argv[] = { "cat", NULL };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct proc p;
	int in[2];

	REQUIRE(pipe2(in, O_CLOEXEC) == 0);
	sigaction(SIGCHLD, &ignore, &before);
	struct proc_opts o = { .argv = argv, .in = in[0], .out = -1, .errfd = -1 };
	if (CHECK_INT(proc_start(&p, &o, &e), 0)) {
		close(in[1]);
		CHECK_INT(proc_wait(&p, ctx, 1000, &e), -1);
		CHECK_STR(err_msg(&e), "exit status lost: is SIGCHLD ignored?");
	}
	sigaction(SIGCHLD, &before, NULL);
	close(in[0]);
}

TEST(proc_start_gets_crossed_standard_descriptors_right)
{
	const char *argv[] = { "sh", "-c", "read x; echo \"out $x\"; echo \"err $x\" >&2",
			       NULL };
	int saved[3], in[2], out[2], errs[2];
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	char from_out[32] = "", from_err[32] = "";
	struct proc p;
	int r;

	REQUIRE(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
		pipe2(errs, O_CLOEXEC) == 0);
	REQUIRE(write(in[1], "x\n", 2) == 2);
	fflush(stdout);
	for (int i = 0; i < 3; i++)
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
	dup2(out[1], 0);
	dup2(errs[1], 1);
	dup2(in[0], 2);
	struct proc_opts o = { .argv = argv, .in = 2, .out = 0, .errfd = 1 };
	r = proc_start(&p, &o, &e);
	for (int i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	REQUIRE(r == 0);
	CHECK_INT(proc_wait(&p, ctx, 1000, &e), 0);
	CHECK_INT(read(out[0], from_out, sizeof(from_out) - 1), 6);
	CHECK_INT(read(errs[0], from_err, sizeof(from_err) - 1), 6);
	CHECK_STR(from_out, "out x\n");
	CHECK_STR(from_err, "err x\n");
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
		close(errs[i]);
	}
}

TEST(proc_start_gives_the_child_its_directory_and_environment)
{
	const char *argv[] = { "sh", "-c",
			       "test \"$PWD:$A\" = /usr:b && test -z \"$HOME\"", NULL };
	const char *envp[] = { "A=b", NULL };
	struct proc_opts o = { .argv = argv,
			       .envp = envp,
			       .cwd = "/usr",
			       .in = -1,
			       .out = -1,
			       .errfd = -1 };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct proc p;

	REQUIRE(proc_start(&p, &o, &e) == 0);
	CHECK_INT(proc_wait(&p, ctx, 1000, &e), 0);
	CHECK_STR(err_msg(&e), "no error");
}

TEST(proc_stop_ends_a_child)
{
	struct proc_opts o = { .argv = for_ever, .in = -1, .out = -1, .errfd = -1 };
	cleanup(err_clear) struct err e = ERR_INIT;
	struct proc p;

	REQUIRE(proc_start(&p, &o, &e) == 0);
	CHECK(proc_stop(&p, 5000));
	CHECK_INT(p.pidfd, -1);
	CHECK_INT(kill(p.pid, 0), -1);
}

TEST_MAIN()
