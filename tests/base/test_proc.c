#include "base/proc.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static const char *const for_ever[] = { "tail", "-f", "/dev/null", NULL };

/* Its stdin, stdout and stderr are /dev/null. */
static struct proc start(const char *const *argv)
{
	struct proc_opts o = { .argv = argv, .in = -1, .out = -1, .errfd = -1 };
	struct err e = ERR_INIT;
	struct proc p;

	if (proc_start(&p, &o, &e) < 0)
		abort();
	return p;
}

static int run_shell(const char *command, struct err *err)
{
	const char *argv[] = { "sh", "-c", command, NULL };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct proc p = start(argv);

	return proc_wait(&p, ctx, 1000, err);
}

TEST(proc_wait_reports_the_status)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK_INT(run_shell("exit 0", &e), 0);
	CHECK_INT(e.kind, ERR_NONE);
	CHECK_INT(run_shell("exit 3", &e), -1);
	CHECK_STR(err_msg(&e), "exited with status 3");
	CHECK_INT(e.kind, ERR_CHILD);
	CHECK_INT(e.sys, 3);
}

TEST(proc_wait_names_the_signal_that_killed_the_child)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK_INT(run_shell("kill -KILL $$", &e), -1);
	CHECK_STR(err_msg(&e), "killed by SIGKILL");
	CHECK_INT(e.sys, 128 + SIGKILL);
	CHECK_INT(run_shell("kill -40 $$", &e), -1);
	CHECK_STR(err_msg(&e), "killed by signal 40");
}

TEST(proc_wait_ends_at_the_deadline_and_ends_the_child)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct proc p = start(for_ever);

	CHECK(!proc_ended(&p, 0));
	ctx_set_timeout(ctx, 50);
	CHECK_INT(proc_wait(&p, ctx, 5000, &e), -1);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	CHECK_INT(kill(p.pid, 0), -1);
}

TEST(proc_start_says_when_the_program_does_not_exist)
{
	const char *argv[] = { "no-such-program", NULL };
	struct proc_opts o = { .argv = argv, .in = -1, .out = -1, .errfd = -1 };
	cleanup(err_clear) struct err e = ERR_INIT;
	struct proc p;

	CHECK_INT(proc_start(&p, &o, &e), -1);
	CHECK_STR(err_msg(&e), "run no-such-program: No such file or directory");
}

TEST(proc_wait_reports_the_status_of_a_child_that_ended_before_the_ctx)
{
	const char *argv[] = { "true", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct proc p = start(argv);
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

/* A shell whose child keeps `out` open, once both have said that they run. */
static bool start_pair(struct proc *p, const char *traps, int out[2])
{
	cleanup(str_freep) char *script =
		xasprintf("(%s; echo; exec tail -f /dev/null) & wait", traps);
	const char *argv[] = { "sh", "-c", script, NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	char c;

	if (pipe2(out, O_CLOEXEC) < 0)
		return false;
	struct proc_opts o = {
		.argv = argv, .in = -1, .out = out[1], .errfd = -1, .own_group = true
	};
	if (proc_start(p, &o, &e) < 0)
		return false;
	close(out[1]);
	return read(out[0], &c, 1) == 1;
}

TEST(proc_stop_ends_all_of_a_group_also_who_ignores_the_polite_signal)
{
	static const char *const traps[] = { ":", "trap '' TERM" };

	for (size_t i = 0; i < 2; i++) {
		struct proc p;
		int out[2];
		char c;

		REQUIRE(start_pair(&p, traps[i], out));
		CHECK_INT(getpgid(p.pid), p.pid);
		CHECK(proc_stop(&p, 5000));
		CHECK_INT(read(out[0], &c, 1), 0); /* all of them are gone */
		close(out[0]);
	}
}

TEST(proc_start_leaves_a_child_in_our_group_unless_asked)
{
	struct proc p = start(for_ever);

	CHECK_INT(getpgid(p.pid), getpgid(0));
	CHECK_INT(p.group, 0);
	CHECK(proc_stop(&p, 5000));
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

TEST(proc_start_gives_the_child_its_environment)
{
	const char *argv[] = { "sh", "-c", "test \"$A\" = b && test -z \"$HOME\"", NULL };
	const char *envp[] = { "A=b", NULL };
	struct proc_opts o = {
		.argv = argv, .envp = envp, .in = -1, .out = -1, .errfd = -1
	};
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct proc p;

	REQUIRE(proc_start(&p, &o, &e) == 0);
	CHECK_INT(proc_wait(&p, ctx, 1000, &e), 0);
	CHECK_STR(err_msg(&e), "no error");
}

TEST(proc_stop_ends_a_child)
{
	struct proc p = start(for_ever);

	CHECK(proc_stop(&p, 5000));
	CHECK_INT(p.pidfd, -1);
	CHECK_INT(kill(p.pid, 0), -1);
}

TEST_MAIN()
