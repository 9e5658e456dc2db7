#include "hook/hook.h"
#include "hook/kind.h"
#include "log_text.h"
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory with one script, and what it takes to run it as a hook. */
struct bench {
	char dir[64];
	char *script;
	struct conf_hook conf;
	struct env env;
	struct log_text log_text;
	struct log log;
	struct ctx *ctx;
	struct err e;
};

static char *path_in(const struct bench *b, const char *name)
{
	return xasprintf("%s/%s", b->dir, name);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	cleanup(fd_closep) int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
}

/* In the script, $D is the directory. */
static void bench_init(struct bench *b, const char *script)
{
	cleanup(str_freep) char *text = NULL;

	*b = (struct bench){ .dir = "/tmp/zrepl-hook-XXXXXX", .env = env_defaults() };
	if (!mkdtemp(b->dir))
		abort();
	text = xasprintf("#!/bin/sh\nD=%s\n%s\n", b->dir, script);
	b->script = path_in(b, "hook.sh");
	write_file(b->script, text, 0700);
	b->conf = (struct conf_hook){ .type = HOOK_COMMAND,
				      .timeout_ms = 30000,
				      .path = b->script };
	b->log = log_text_log(&b->log_text);
	b->ctx = ctx_new(NULL);
}

static void bench_free(struct bench *b)
{
	DIR *d = opendir(b->dir);

	for (struct dirent *e; d && (e = readdir(d)) != NULL;)
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(b->dir);
	free(b->script);
	log_text_free(&b->log_text);
	ctx_free(b->ctx);
	err_clear(&b->e);
}

/* One edge, within the timeout, as a plan would. */
static int run(struct bench *b, enum hook_edge edge)
{
	const struct hook_call c = { .conf = &b->conf,
				     .env = &b->env,
				     .log = &b->log,
				     .fs = "p/a b",
				     .snap = "zrepl_1",
				     .edge = edge,
				     .number = 2,
				     .what = "h" };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(b->ctx);
	void *session = NULL;
	int r;

	ctx_set_timeout(ctx, b->conf.timeout_ms);
	err_clear(&b->e);
	if (edge == HOOK_PRE)
		r = hook_command.pre(ctx, &c, &session, &b->e);
	else
		r = hook_command.post(ctx, &c, NULL, &b->e);
	CHECK(session == NULL);
	return r;
}

static void cancel(void *arg)
{
	ctx_cancel(arg);
}

/* Cancels what runs as soon as it prints this line. */
static void cancel_on(struct bench *b, const char *line)
{
	b->log_text.wait_for = line;
	b->log_text.seen = cancel;
	b->log_text.arg = b->ctx;
}

static size_t count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

#define BY " hook=h hook_number=2 fs=p/a b snap=zrepl_1"

/* ---- what it gets ---- */

TEST(a_command_gets_its_environment_on_each_edge)
{
	cleanup(bench_free) struct bench b;

	bench_init(&b, "env | grep ^ZREPL_ | grep -v ^ZREPL_TESTBED_ | sort; echo $OURS");
	b.conf.timeout_ms = 2999;
	setenv("ZREPL_FS", "of somebody else", 1);
	setenv("OURS", "kept", 1);
	CHECK_INT(run(&b, HOOK_PRE), 0);
	CHECK_INT(run(&b, HOOK_POST), 0);
	CHECK_STR(buf_str(&b.log_text.text),
		  "info: hook output" BY " stdout=ZREPL_DRYRUN=\n"
		  "info: hook output" BY " stdout=ZREPL_FS=p/a b\n"
		  "info: hook output" BY " stdout=ZREPL_HOOKTYPE=pre_snapshot\n"
		  "info: hook output" BY " stdout=ZREPL_SNAPNAME=zrepl_1\n"
		  "info: hook output" BY " stdout=ZREPL_TIMEOUT=2\n"
		  "info: hook output" BY " stdout=kept\n"
		  "info: hook output" BY " stdout=ZREPL_DRYRUN=\n"
		  "info: hook output" BY " stdout=ZREPL_FS=p/a b\n"
		  "info: hook output" BY " stdout=ZREPL_HOOKTYPE=post_snapshot\n"
		  "info: hook output" BY " stdout=ZREPL_SNAPNAME=zrepl_1\n"
		  "info: hook output" BY " stdout=ZREPL_TIMEOUT=2\n"
		  "info: hook output" BY " stdout=kept\n");
	unsetenv("ZREPL_FS");
	unsetenv("OURS");
}

TEST(a_command_has_no_arguments_no_stdin_our_directory_and_a_group_of_its_own)
{
	cleanup(str_freep) char *cwd = getcwd(NULL, 0);
	cleanup(bench_free) struct bench b;
	cleanup(str_freep) char *want =
		xasprintf("info: hook output" BY " stdout=0 arguments, in %s\n"
			  "info: hook output" BY " stdout=leader\n",
			  cwd);

	bench_init(&b, "cat; echo $# arguments, in $(pwd)\n"
		       "read -r pid name state ppid pgrp rest </proc/$$/stat\n"
		       "[ $pgrp = $$ ] && echo leader");
	CHECK_INT(run(&b, HOOK_PRE), 0);
	CHECK_STR(buf_str(&b.log_text.text), want);
}

TEST(a_name_without_a_slash_is_looked_for_in_path)
{
	const char *path = getenv("PATH");
	cleanup(str_freep) char *old = xstrdup(path ? path : ""), *longer = NULL;
	cleanup(bench_free) struct bench b;

	bench_init(&b, "echo found");
	longer = xasprintf("%s:%s", b.dir, old);
	setenv("PATH", longer, 1);
	b.conf.path = "hook.sh";
	CHECK_INT(run(&b, HOOK_PRE), 0);
	CHECK_STR(buf_str(&b.log_text.text), "info: hook output" BY " stdout=found\n");
	setenv("PATH", old, 1);
}

/* ---- what it prints ---- */

TEST(output_is_logged_line_by_line_and_errors_are_warnings)
{
	cleanup(bench_free) struct bench b;

	bench_init(&b, "printf 'one\\n\\ntwo'; exec >&-; echo three >&2");
	CHECK_INT(run(&b, HOOK_PRE), 0);
	CHECK(strstr(buf_str(&b.log_text.text), "info: hook output" BY " stdout=one\n"
						"info: hook output" BY " stdout=\n"));
	CHECK(strstr(buf_str(&b.log_text.text), "info: hook output" BY " stdout=two\n"));
	CHECK(strstr(buf_str(&b.log_text.text),
		     "warn: hook output" BY " stderr=three\n"));
	CHECK_INT(b.log_text.n, 4);
}

TEST(long_lines_are_cut_and_bytes_that_end_strings_replaced)
{
	cleanup(buf_free) struct buf want = { 0 };
	cleanup(bench_free) struct bench b;

	bench_init(&b, "head -c 9000 /dev/zero | tr '\\0' x; echo; printf 'a\\000b\\n'");
	CHECK_INT(run(&b, HOOK_PRE), 0);
	buf_printf(&want, "info: hook output" BY " stdout=");
	for (int i = 0; i < 4096; i++)
		buf_printf(&want, "x");
	buf_printf(&want, "(...)\ninfo: hook output" BY " stdout=a?b\n");
	CHECK_STR(buf_str(&b.log_text.text), buf_str(&want));
}

TEST(a_flood_of_output_fills_neither_the_log_nor_the_error)
{
	cleanup(bench_free) struct bench b;

	bench_init(&b, "head -c 3000000 /dev/zero | tr '\\0' '\\n'\n"
		       "yes | head -c 2000000\n"
		       "echo the end; exit 1");
	b.env.max_hook_log_bytes = 6400;
	CHECK_INT(run(&b, HOOK_PRE), -1);
	/* 64 bytes a line beside its text */
	CHECK_INT(b.log_text.n, 101);
	CHECK(strstr(
		buf_str(&b.log_text.text),
		"warn: hook output: 3999901 more lines (1000007 bytes) are left out; "
		"ZREPL_MAX_HOOK_LOG_SIZE is 6400" BY "\n"));
	CHECK(strncmp(err_msg(&b.e), "exited with status 1: (...)", 27) == 0);
	CHECK(strstr(err_msg(&b.e), "y\nthe end") != NULL);
	CHECK(strlen(err_msg(&b.e)) < 4200);
}

TEST(a_limit_of_nothing_logs_nothing)
{
	cleanup(bench_free) struct bench b;

	bench_init(&b, "echo one; exit 4");
	b.env.max_hook_log_bytes = 0;
	CHECK_INT(run(&b, HOOK_PRE), -1);
	CHECK_STR(err_msg(&b.e), "exited with status 4");
	CHECK_STR(buf_str(&b.log_text.text),
		  "warn: hook output: 1 more lines (3 bytes) are left out; "
		  "ZREPL_MAX_HOOK_LOG_SIZE is 0" BY "\n");
}

/* ---- how it fails ---- */

TEST(a_failure_tells_the_status_or_signal_and_what_was_said)
{
	static const struct {
		const char *script, *error;
		int sys;
	} failures[] = {
		{ "exit 3", "exited with status 3", 3 },
		{ "echo; printf 'no space\\nleft\\n' >&2; echo; exit 1", NULL, 1 },
		{ "kill -KILL $$", "killed by SIGKILL", 128 + 9 },
		{ "printf 'a\\377b'; exit 5",
		  "exited with status 5: a\xef\xbf\xbd"
		  "b",
		  5 },
	};

	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		cleanup(bench_free) struct bench b;

		bench_init(&b, failures[i].script);
		CHECK_INT(run(&b, HOOK_POST), -1);
		CHECK_INT(b.e.kind, ERR_CHILD);
		CHECK_INT(b.e.sys, failures[i].sys);
		if (failures[i].error)
			CHECK_STR(err_msg(&b.e), failures[i].error);
		else
			CHECK(strstr(err_msg(&b.e), "no space\nleft") != NULL);
	}
}

/* Fails to start; the error without the directory. */
static void check_start_fails(struct bench *b, const char *name, const char *want)
{
	cleanup(str_freep) char *path = path_in(b, name);
	cleanup(str_freep) char *msg = xasprintf("run %s: %s", path, want);

	b->conf.path = path;
	CHECK_INT(run(b, HOOK_PRE), -1);
	CHECK_INT(b->e.kind, ERR_SYSTEM);
	CHECK_STR(err_msg(&b->e), msg);
}

TEST(a_command_that_cannot_be_started_is_named_with_the_reason)
{
	cleanup(bench_free) struct bench b;
	cleanup(str_freep) char *no_interpreter = NULL, *no_shebang = NULL, *plain = NULL;

	bench_init(&b, "");
	no_interpreter = path_in(&b, "no_interpreter");
	no_shebang = path_in(&b, "no_shebang");
	plain = path_in(&b, "plain");
	write_file(no_interpreter, "#!/no/such/program\n", 0700);
	write_file(no_shebang, "echo hello\n", 0700);
	write_file(plain, "#!/bin/sh\n", 0600);
	check_start_fails(&b, "missing", "No such file or directory");
	check_start_fails(&b, "no_interpreter",
			  "No such file or directory: the program that its first line "
			  "names is missing");
	check_start_fails(&b, "no_shebang",
			  "Exec format error: a script has to begin with a line such as "
			  "#!/bin/sh");
	check_start_fails(&b, "plain",
			  "Permission denied: it has to be an executable file");
	check_start_fails(&b, "", "Permission denied: it has to be an executable file");
	b.conf.path = "no-such-hook";
	CHECK_INT(run(&b, HOOK_PRE), -1);
	CHECK_STR(err_msg(&b.e),
		  "run no-such-hook: No such file or directory: looked for in PATH");
	CHECK_INT(b.log_text.n, 0);
}

TEST(no_descriptor_is_left_open_however_it_ends)
{
	static const char *const scripts[] = { "echo x", "exit 1",
					       "exec tail -f /dev/null" };
	cleanup(bench_free) struct bench missing;
	size_t before = count_fds();

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		cleanup(bench_free) struct bench b;

		bench_init(&b, scripts[i]);
		b.conf.timeout_ms = i == 2 ? 50 : 30000;
		CHECK_INT(run(&b, HOOK_PRE), i == 0 ? 0 : -1);
	}
	bench_init(&missing, "");
	missing.conf.path = "/no/such/hook";
	CHECK_INT(run(&missing, HOOK_PRE), -1);
	ctx_free(TAKE(missing.ctx));
	CHECK_INT(count_fds(), before);
}

/* ---- how it is ended ---- */

TEST(a_command_that_takes_too_long_is_ended_and_what_it_said_is_in_the_error)
{
	cleanup(bench_free) struct bench b;

	bench_init(&b, "echo waiting for godot; exec tail -f /dev/null");
	b.conf.timeout_ms = 1500;
	CHECK_INT(run(&b, HOOK_PRE), -1);
	CHECK_INT(b.e.kind, ERR_TIMEOUT);
	CHECK_STR(err_msg(&b.e), "timed out after 1.5s: waiting for godot");
}

TEST(a_command_that_prints_for_ever_is_ended_in_time)
{
	cleanup(bench_free) struct bench b;

	bench_init(&b, "exec yes");
	b.conf.timeout_ms = 300;
	CHECK_INT(run(&b, HOOK_PRE), -1);
	CHECK(strncmp(err_msg(&b.e), "timed out after 300ms: (...)", 28) == 0);
}

TEST(a_command_may_clean_up_when_it_is_asked_to_end)
{
	cleanup(bench_free) struct bench b;

	bench_init(&b, "trap 'echo cleaned up; exit 1' TERM\n"
		       "tail -f /dev/null & echo ready; wait");
	cancel_on(&b, "ready");
	CHECK_INT(run(&b, HOOK_PRE), -1);
	CHECK_INT(b.e.kind, ERR_CANCELLED);
	CHECK_STR(err_msg(&b.e), "cancelled: ready\ncleaned up");
}

/* Reads the fifo "alive" until the last process that has it open for writing is gone. */
static bool gone(int alive)
{
	struct pollfd p = { .fd = alive, .events = POLLIN };
	char c;

	for (;;) {
		if (poll(&p, 1, 20000) <= 0)
			return false;
		if (read(alive, &c, 1) == 0)
			return true;
	}
}

TEST(all_of_its_group_is_killed_also_who_ignores_the_polite_signal)
{
	static const char *const scripts[] = {
		/* the command itself is stubborn */
		"exec 3>$D/alive; trap '' TERM; tail -f /dev/null & echo ready\n"
		"exec tail -f /dev/null",
		/* it ends at once, its child does not */
		"exec 3>$D/alive; (trap '' TERM; echo ready; exec tail -f /dev/null) &\n"
		"wait",
	};

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		cleanup(str_freep) char *fifo = NULL;
		cleanup(fd_closep) int alive = -1;
		cleanup(bench_free) struct bench b;

		bench_init(&b, scripts[i]);
		fifo = path_in(&b, "alive");
		REQUIRE(mkfifo(fifo, 0600) == 0);
		alive = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		cancel_on(&b, "ready");
		CHECK_INT(run(&b, HOOK_PRE), -1);
		CHECK_STR(err_msg(&b.e), "cancelled: ready");
		CHECK(gone(alive));
	}
}

TEST(a_process_left_behind_that_keeps_the_output_open_does_not_stall)
{
	static const int64_t timeouts[] = { 30000, 800 };

	for (size_t i = 0; i < ARRAY_LEN(timeouts); i++) {
		cleanup(str_freep) char *fifo = NULL;
		cleanup(fd_closep) int end = -1;
		cleanup(bench_free) struct bench b;
		int64_t start = now_ms();

		bench_init(&b, "cat <$D/end & echo done; exit 0");
		fifo = path_in(&b, "end");
		REQUIRE(mkfifo(fifo, 0600) == 0);
		end = open(fifo, O_RDWR | O_CLOEXEC); /* when it is closed, cat ends */
		b.conf.timeout_ms = timeouts[i];
		CHECK_INT(run(&b, HOOK_POST), 0);
		CHECK(now_ms() - start < 20000);
		CHECK_STR(buf_str(&b.log_text.text),
			  "info: hook output" BY " stdout=done\n"
			  "warn: a process that the hook left behind keeps its output "
			  "open; it is closed" BY "\n");
	}
}

TEST(a_process_left_behind_that_ends_soon_is_heard)
{
	cleanup(bench_free) struct bench b;

	bench_init(&b, "mkfifo $D/f; (read x <$D/f; echo later) & echo >$D/f");
	CHECK_INT(run(&b, HOOK_POST), 0);
	CHECK_STR(buf_str(&b.log_text.text), "info: hook output" BY " stdout=later\n");
}

/* ---- in a plan ---- */

static int take(struct ctx *ctx, void *arg, struct err *err)
{
	(void)ctx;
	(void)err;
	*(bool *)arg = true;
	return 0;
}

TEST(cancelled_in_a_pre_edge_the_commands_before_still_run_after)
{
	cleanup(bench_free) struct bench b, slow;
	bool called = false, taken = true;
	const struct hooks_run run = {
		.fs = "p", .snap = "s", .take = take, .arg = &called
	};
	struct conf_hook conf[2];
	struct hooks_opts o = { .conf = conf, .n = 2 };
	struct hooks *h;

	bench_init(&b, "echo first $ZREPL_HOOKTYPE");
	bench_init(&slow, "echo ready; exec tail -f /dev/null");
	conf[0] = b.conf;
	conf[1] = slow.conf;
	for (size_t i = 0; i < 2; i++)
		REQUIRE(dsfilter_add(&conf[i].filesystems, "<", true, &b.e) == 0);
	cancel_on(&b, "ready");
	o.env = &b.env;
	o.log = b.log;
	h = hooks_new(&o);
	CHECK_INT(hooks_run(b.ctx, h, &run, &taken, &b.e), -1);
	CHECK_INT(b.e.kind, ERR_CANCELLED);
	CHECK(!taken && !called);
	CHECK(strstr(buf_str(&b.log_text.text), " stdout=first pre_snapshot\n"));
	CHECK(strstr(buf_str(&b.log_text.text), " stdout=first post_snapshot\n"));
	hooks_free(h);
	for (size_t i = 0; i < 2; i++)
		dsfilter_free(&conf[i].filesystems);
}

TEST_MAIN()
