#include "net/ssh.h"

#include "base/thread.h"
#include "net/stdinserver.h"
#include "net/tail.h"
#include "scratch.h"
#include "talk.h"

#include <errno.h>
#include <signal.h>

/* ---- a shell script in the place of ssh(1) ---- */

#define HELLO "printf '%-31s' SSHCON_HELO | tr ' ' '\\0'; head -c 31 >$D/begin\n"

static struct conf_connect fake(const char *body)
{
	static char command[200];
	cleanup(str_freep) char *path = scratch_path("ssh");
	cleanup(str_freep) char *text =
		xasprintf("#!/bin/sh\nD='%s'\necho $$ >$D/pid\n%s", scratch_dir, body);
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	scratch_forget("begin");
	scratch_forget("pid");
	scratch_write("ssh", text, 0755);
	snprintf(command, sizeof(command), "%s", path);
	return (struct conf_connect){
		.type = CONNECT_SSH,
		.dial_timeout_ms = PATIENCE_MS,
		.ssh_host = "backup.example.com",
		.ssh_user = "root",
		.ssh_port = 22,
		.ssh_identity_file = "/etc/zrepl/id",
		.ssh_command = command,
	};
}

static bool is_gone(void)
{
	cleanup(str_freep) char *pid = scratch_read("pid");

	return pid && kill((pid_t)strtol(pid, NULL, 10), 0) < 0 && errno == ESRCH;
}

static struct conn *dial(const char *body)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	const struct conf_connect conf = fake(body);
	struct conn *c = ssh_dial(ctx, &conf, &e);

	CHECK_STR(err_msg(&e), "no error");
	CHECK(c);
	return c;
}

static void check_dial_fails(const char *body, enum err_kind kind, const char *text)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	const struct conf_connect conf = fake(body);

	CHECK(!ssh_dial(ctx, &conf, &e));
	CHECK_INT(e.kind, kind);
	CHECK_STR(err_msg(&e), text);
	CHECK(is_gone());
}

/* The connection breaks: the next read, or what `body` still says before it, ends so. */
static void check_breaks(const char *body, const char *text)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(conn_closep) struct conn *c = dial(body);
	char got[16];
	size_t n;

	REQUIRE(c);
	CHECK_INT(wait_read(c, got, sizeof(got), &n, &e), CONN_FAILED);
	CHECK_INT(e.kind, ERR_NETWORK);
	CHECK_INT(e.sys, 0);
	CHECK_STR(err_msg(&e), text);
}

/* ---- how it is run ---- */

TEST(the_arguments_are_those_that_forced_commands_expect_and_the_environment_is_empty)
{
	static const char *options[] = { "Compression=yes", "LogLevel=ERROR" };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct conf_connect conf =
		fake("for a in \"$@\"; do echo \"$a\"; done >$D/args\n"
		     "cat /proc/$$/environ >$D/environ\n" HELLO "exec cat");
	cleanup(conn_closep) struct conn *c = NULL;
	cleanup(str_freep) char *args = NULL, *env = NULL;

	conf.ssh_port = 2222;
	conf.ssh_options = options;
	conf.n_ssh_options = ARRAY_LEN(options);
	c = ssh_dial(ctx, &conf, &e);
	CHECK_STR(err_msg(&e), "no error");
	args = scratch_read("args");
	CHECK_STR(args,
		  "-p\n2222\n-T\n-i\n/etc/zrepl/id\n-o\nBatchMode=yes\n"
		  "-o\nCompression=yes\n-o\nLogLevel=ERROR\nroot@backup.example.com\n");
	env = scratch_read("environ");
	CHECK_STR(env, "");
}

TEST(without_ssh_command_it_is_the_ssh_of_our_path)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct conf_connect conf = fake(HELLO "exec cat");
	cleanup(str_freep) char *old = xstrdup(getenv("PATH"));
	cleanup(str_freep) char *path = xasprintf("%s:%s", scratch_dir, old);
	cleanup(conn_closep) struct conn *c = NULL;

	setenv("PATH", path, 1);
	conf.ssh_command = NULL;
	c = ssh_dial(ctx, &conf, &e);
	setenv("PATH", old, 1);
	CHECK_STR(err_msg(&e), "no error");
	REQUIRE(c);
	CHECK_STR(conn_peer(c), "ssh root@backup.example.com");
	CHECK(!conn_identity(c));
}

TEST(a_command_that_does_not_exist_is_named)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct conf_connect conf = fake("");

	conf.ssh_command = "/nowhere/ssh";
	CHECK(!ssh_dial(ctx, &conf, &e));
	CHECK_STR(err_msg(&e),
		  "ssh root@backup.example.com: run /nowhere/ssh: No such file "
		  "or directory");
}

/* ---- the greeting ---- */

TEST(after_the_greeting_bytes_go_both_ways_and_the_half_close_too)
{
	cleanup(conn_closep) struct conn *c = dial(HELLO "exec cat");
	cleanup(str_freep) char *begin = NULL;

	REQUIRE(c);
	check_writes(c, "over and ");
	check_reads(c, "over and ");
	check_writes(c, "out");
	check_finishes(c);
	check_reads(c, "out");
	check_ends(c);
	begin = scratch_read("begin");
	CHECK_STR(begin, "SSHCON_BEGIN");
}

TEST(the_greeting_is_31_bytes_padded_with_nul_and_nothing_behind_it_is_lost)
{
	/* The peer may go on at once. */
	cleanup(conn_closep) struct conn *c =
		dial("printf '%-31s%s' SSHCON_HELO banner | tr ' ' '\\0'\n"
		     "head -c 31 | od -An -v -tx1 | tr -d ' \\n' >$D/begin; exec cat");
	cleanup(str_freep) char *begin = NULL;

	REQUIRE(c);
	check_reads(c, "banner");
	check_finishes(c);
	check_ends(c);
	begin = scratch_read("begin");
	CHECK_STR(begin,
		  "535348434f4e5f424547494e00000000000000000000000000000000000000");
}

TEST(a_login_message_is_shown)
{
	check_dial_fails(
		"printf 'Welcome to \\033[1mbackup\\033[0m!\\nHave a nice day\\n'\n"
		"exec cat",
		ERR_PROTOCOL,
		"ssh root@backup.example.com: instead of a greeting came \"Welcome to "
		"?[1mbackup?[0m!; Have\": does a login print that?");
}

TEST(a_short_message_is_shown_when_ssh_ends)
{
	check_dial_fails(
		"echo 'no account'; exit 1", ERR_CHILD,
		"ssh root@backup.example.com: exited with status 1: printed \"no "
		"account\"");
	check_dial_fails("exit 0", ERR_CHILD,
			 "ssh root@backup.example.com: exited with status 0");
}

TEST(an_early_end_is_reported_with_stderr_and_status)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	const struct conf_connect conf =
		fake("printf 'Pseudo-terminal will not be allocated.\\r\\n' >&2\n"
		     "printf 'root@backup: Permission denied (publickey).\\r\\n' >&2; "
		     "exit 255");

	CHECK(!ssh_dial(ctx, &conf, &e));
	CHECK_INT(e.kind, ERR_NETWORK); /* it may work later */
	CHECK_STR(err_msg(&e),
		  "ssh root@backup.example.com: exited with status 255: Pseudo-terminal "
		  "will not be allocated.; root@backup: Permission denied (publickey).");
	check_dial_fails("kill -KILL $$", ERR_CHILD,
			 "ssh root@backup.example.com: killed by SIGKILL");
}

TEST(the_error_of_the_peers_proxy_is_told_from_noise)
{
	check_dial_fails(
		"printf '%-31s' SSHCON_PROXY_ERROR | tr ' ' '\\0'\n"
		"echo 'connect to /run/x: No such file or directory' >&2; exit 1",
		ERR_NETWORK,
		"ssh root@backup.example.com: the peer's stdinserver cannot reach its "
		"daemon: connect to /run/x: No such file or directory");
}

/* ---- time ---- */

TEST(a_dial_timeout_of_0_has_passed_before_anything_is_run)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct conf_connect conf = fake(HELLO "exec cat");
	cleanup(str_freep) char *pid = NULL;

	conf.dial_timeout_ms = 0;
	CHECK(!ssh_dial(ctx, &conf, &e));
	CHECK_INT(e.kind, ERR_TIMEOUT);
	CHECK_STR(err_msg(&e), "ssh root@backup.example.com: timed out");
	pid = scratch_read("pid");
	CHECK(!pid);
}

TEST(an_ssh_that_hangs_is_given_up_at_the_dial_timeout)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct conf_connect conf = fake("exec tail -f /dev/null");

	conf.dial_timeout_ms = 300;
	CHECK(!ssh_dial(ctx, &conf, &e));
	CHECK_INT(e.kind, ERR_TIMEOUT);
	CHECK_STR(err_msg(&e), "ssh root@backup.example.com: timed out");
}

/* Cancels once the fake has said what it has to say. */
static void cancel_when_told(void *ctx)
{
	cleanup(str_freep) char *told = scratch_path("told");
	cleanup(fd_closep) int fd = open(told, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	ctx_cancel(ctx);
}

TEST(an_ssh_that_hangs_is_ended_with_the_ctx_and_what_it_said_is_shown)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(str_freep) char *told = scratch_path("told");
	const struct conf_connect conf = fake(
		"echo 'waiting for the bus' >&2; : >$D/told; exec tail -f /dev/null");
	struct thread t = { 0 };

	CHECK(mkfifo(told, 0600) == 0);
	thread_start(&t, "cancel", cancel_when_told, ctx);
	CHECK(!ssh_dial(ctx, &conf, &e));
	thread_join(&t);
	CHECK_INT(e.kind, ERR_CANCELLED);
	CHECK_STR(err_msg(&e),
		  "ssh root@backup.example.com: cancelled: waiting for the bus");
	CHECK(is_gone());
}

/* ---- the end ---- */

TEST(a_lost_connection_is_no_end_but_an_error_with_what_ssh_said)
{
	check_breaks(HELLO "echo 'Connection closed by remote host' >&2; exit 255",
		     "read from ssh root@backup.example.com: exited with status 255: "
		     "Connection closed by remote host");
	check_breaks(HELLO "kill -KILL $$",
		     "read from ssh root@backup.example.com: killed by SIGKILL");
}

TEST(what_came_before_the_connection_was_lost_is_read_first)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(conn_closep) struct conn *c = dial(HELLO "echo abc; exit 255");
	cleanup(fd_closep) int r = -1, w = -1;
	char got[16];
	int fds[2];
	size_t n;

	REQUIRE(c && pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
	r = fds[0];
	w = fds[1];
	check_reads(c, "abc\n");
	while (conn_splice(c, w, 1, &n, &e) == CONN_AGAIN)
		wait_readable(c);
	CHECK_STR(err_msg(&e),
		  "read from ssh root@backup.example.com: exited with status 255");
	CHECK_INT(wait_read(c, got, 1, &n, &e), CONN_FAILED);
}

TEST(status_0_is_an_end)
{
	cleanup(conn_closep) struct conn *c = dial(HELLO "echo abc; exit 0");

	REQUIRE(c);
	check_reads(c, "abc\n");
	check_ends(c);
	check_ends(c);
}

TEST(an_output_that_ends_while_ssh_goes_on_is_the_peers_half_close)
{
	cleanup(str_freep) char *done = scratch_path("done");
	cleanup(fd_closep) int fd = -1;
	cleanup(str_freep) char *taken = NULL;
	cleanup(conn_closep) struct conn *c =
		dial(HELLO "exec >/dev/null; cat >$D/taken; : >$D/done");

	REQUIRE(c && mkfifo(done, 0600) == 0);
	check_ends(c);
	check_writes(c, "still there");
	check_finishes(c);
	check_ends(c);
	fd = open(done, O_RDONLY | O_CLOEXEC);
	taken = scratch_read("taken");
	CHECK_STR(taken, "still there");
}

TEST(writing_to_an_ssh_that_has_died_says_why_it_did)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(conn_closep) struct conn *c =
		dial(HELLO "echo 'Timeout, server not responding.' >&2; exit 255");
	char bytes[4096] = "";
	struct iovec v = { bytes, sizeof(bytes) };
	enum conn_result r;
	struct pollfd fds[CONN_FDS];
	size_t n;

	REQUIRE(c);
	while ((r = conn_write(c, &v, 1, &n, &e)) == CONN_OK || r == CONN_AGAIN)
		CHECK(poll(fds, conn_poll(c, false, true, fds), PATIENCE_MS) > 0);
	CHECK_INT(r, CONN_FAILED);
	CHECK_INT(e.kind, ERR_NETWORK);
	CHECK_STR(
		err_msg(&e),
		"write to ssh root@backup.example.com: exited with status 255: Timeout, "
		"server not responding.");
}

TEST(an_ssh_that_says_very_much_is_not_held_up_and_the_end_of_it_is_kept)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(conn_closep) struct conn *c = dial(
		HELLO
		"head -c 1000000 /dev/zero | tr '\\0' x >&2; echo the end >&2; exit 1");
	const char *text, *x;
	char byte;
	size_t n;

	REQUIRE(c);
	CHECK_INT(wait_read(c, &byte, 1, &n, &e), CONN_FAILED);
	text = err_msg(&e);
	x = strchr(text, 'x');
	CHECK(strncmp(text,
		      "read from ssh root@backup.example.com: exited with status 1: ",
		      40) == 0);
	REQUIRE(x);
	CHECK_STR(text + strlen(text) - 8, "xthe end");
	CHECK(strlen(text) > TAIL_MAX && strlen(text) < TAIL_MAX + 100);
}

TEST(a_descendant_of_ssh_that_keeps_stderr_open_keeps_nobody_waiting)
{
	cleanup(str_freep) char *pid = NULL;

	check_breaks(
		HELLO "sleep 1000 </dev/null >/dev/null &\n"
		      "echo $! >$D/pid; echo lost >&2; exit 255",
		"read from ssh root@backup.example.com: exited with status 255: lost");
	pid = scratch_read("pid");
	CHECK(kill((pid_t)strtol(pid, NULL, 10), SIGKILL) == 0);
}

TEST(closing_ends_an_ssh_that_is_idle)
{
	conn_close(dial(HELLO "exec tail -f /dev/null"));
	CHECK(is_gone());
}

TEST(closing_kills_an_ssh_that_does_not_listen_after_a_second)
{
	struct conn *c = dial("trap '' TERM\n" HELLO "exec sleep 1000");
	int64_t start = now_ms();

	conn_close(c);
	CHECK(now_ms() - start >= 1000);
	CHECK(is_gone());
}

TEST_MAIN()
