#include "base/proc.h"
#include "tap.h"

TEST(proc_output_returns_stdout)
{
	const char *argv[] = { "echo", "hello", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	CHECK_INT(proc_output(ctx, argv, &out, &e), 0);
	CHECK_STR(out.p, "hello\n");
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
	const char *argv[] = { "tail", "-f", "/dev/null", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf out = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	int64_t t = now_ms();

	ctx_set_timeout(ctx, 50);
	CHECK_INT(proc_output(ctx, argv, &out, &e), -1);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	CHECK(now_ms() - t < 2000);
}

TEST_MAIN()
