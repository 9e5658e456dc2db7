/*
 * Connections through a real sshd, which test_sshd has set up: it writes the directory
 * with the keys and the sockets, the port and the user to our stdin.
 */
#include "base/thread.h"
#include "net/ssh.h"
#include "net/stdinserver.h"
#include "talk.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EXCHANGED = 8 * 1024 * 1024 };

static struct {
	char dir[100], user[100];
	int port;
} sshd;

/* ---- both ends ---- */

static struct conn *dial(const char *key, int port, struct err *err)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(str_freep) char *file = xasprintf("%s/%s", sshd.dir, key);
	cleanup(str_freep) char *known =
		xasprintf("UserKnownHostsFile=%s/known_hosts", sshd.dir);
	const char *options[] = {
		known,
		"GlobalKnownHostsFile=/dev/null",
		"StrictHostKeyChecking=yes",
		"IdentitiesOnly=yes",
		"IdentityAgent=none",
	};
	const struct conf_connect conf = {
		.type = CONNECT_SSH,
		.dial_timeout_ms = PATIENCE_MS,
		.ssh_host = "127.0.0.1",
		.ssh_port = port,
		.ssh_user = sshd.user,
		.ssh_identity_file = file,
		.ssh_options = options,
		.n_ssh_options = ARRAY_LEN(options),
	};

	return ssh_dial(ctx, &conf, err);
}

/* The daemon's end: one visitor, whom it lets in, or not. */
struct daemon {
	int listener;
	struct thread thread;
	bool drops; /* it dies instead */
	pid_t proxy;
	struct conn *conn;
};

static void serve(void *arg)
{
	struct daemon *d = arg;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct pollfd p = { .fd = d->listener, .events = POLLIN };
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	int fd;

	CHECK(poll(&p, 1, PATIENCE_MS) > 0);
	fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!CHECK(fd >= 0))
		return;
	CHECK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0);
	d->proxy = who.pid;
	if (d->drops) {
		p.fd = fd;
		CHECK(poll(&p, 1, PATIENCE_MS) > 0);
		CHECK_INT(read(fd, &(char){ 0 }, 1),
			  1); /* closes what it does not take */
		fd_closep(&fd);
		return;
	}
	ctx_set_timeout(ctx, PATIENCE_MS);
	d->conn = stdinserver_admit(ctx, fd, "client1", &e);
	CHECK_STR(err_msg(&e), "no error");
}

static void daemon_start(struct daemon *d)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *dir = xasprintf("%s/sockets", sshd.dir);

	d->listener = stdinserver_listen(dir, "client1", &e);
	CHECK_STR(err_msg(&e), "no error");
	thread_start(&d->thread, "daemon", serve, d);
}

static void daemon_stop(struct daemon *d)
{
	thread_join(&d->thread);
	conn_close(TAKE(d->conn));
	fd_closep(&d->listener);
}

/* A connection, d->conn its other end. */
static struct conn *connect_to(struct daemon *d)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct conn *c;

	daemon_start(d);
	c = dial("client1", sshd.port, &e);
	CHECK_STR(err_msg(&e), "no error");
	thread_join(&d->thread);
	return c && d->conn ? c : (conn_close(c), NULL);
}

/* ---- bytes ---- */

/* Writes and reads EXCHANGED bytes at the same time. */
static void exchange(void *arg)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	uint8_t *out = xcalloc(1, EXCHANGED), *in = xcalloc(1, EXCHANGED);
	size_t sent = 0, got = 0;
	struct conn *c = arg;

	fill_pattern(out, EXCHANGED, 0);
	while (sent < EXCHANGED || got < EXCHANGED) {
		struct iovec v = { out + sent, EXCHANGED - sent };
		enum conn_result r = CONN_AGAIN, w = CONN_AGAIN;
		struct pollfd fds[CONN_FDS];
		size_t n = 0;

		if (got < EXCHANGED &&
		    (r = conn_read(c, in + got, EXCHANGED - got, &n, &e)) == CONN_OK)
			got += n;
		if (sent < EXCHANGED && (w = conn_write(c, &v, 1, &n, &e)) == CONN_OK)
			sent += n;
		if ((r != CONN_OK && r != CONN_AGAIN) ||
		    (w != CONN_OK && w != CONN_AGAIN))
			break;
		if (r == CONN_AGAIN && w == CONN_AGAIN &&
		    !CHECK(poll(fds, conn_poll(c, got < EXCHANGED, sent < EXCHANGED, fds),
				PATIENCE_MS) > 0))
			break;
	}
	CHECK_STR(err_msg(&e), "no error");
	CHECK_INT(sent, EXCHANGED);
	CHECK_INT(got, EXCHANGED);
	CHECK(is_pattern(in, got, 0));
	free(out);
	free(in);
}

TEST(bytes_go_both_ways_at_the_same_time_and_the_clients_end_arrives)
{
	struct thread other = { 0 };
	struct daemon d = { 0 };
	struct conn *c = connect_to(&d);

	if (c) {
		thread_start(&other, "exchange", exchange, d.conn);
		exchange(c);
		thread_join(&other);
		check_finishes(c);
		check_ends(d.conn);
		check_writes(d.conn, "the last word");
		check_reads(c, "the last word");
		conn_close(TAKE(d.conn));
		check_ends(c);
	}
	conn_close(c);
	daemon_stop(&d);
}

TEST(an_end_by_the_daemon_is_an_end_and_its_half_close_is_none)
{
	struct daemon d = { 0 };
	struct conn *c = connect_to(&d);

	if (c) {
		check_writes(d.conn, "answer");
		check_finishes(d.conn);
		check_writes(c, "are you there?");
		check_reads(d.conn, "are you there?");
		check_reads(c, "answer");
		conn_close(TAKE(d.conn));
		check_ends(c); /* only with status 0 of ssh, sshd and proxy */
	}
	conn_close(c);
	daemon_stop(&d);
}

TEST(an_end_by_the_client_without_a_half_close_is_an_end)
{
	struct daemon d = { 0 };
	struct conn *c = connect_to(&d);

	conn_close(c);
	if (CHECK(d.conn))
		check_ends(d.conn);
	daemon_stop(&d);
}

/* ---- trouble ---- */

static pid_t parent_of(pid_t pid)
{
	cleanup(str_freep) char *path = xasprintf("/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	int parent = -1;
	char line[200];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	if (f)
		fclose(f);
	return parent;
}

TEST(a_session_that_is_killed_is_a_lost_connection_to_both)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct daemon d = { 0 };
	struct conn *c = connect_to(&d);
	pid_t session;
	char byte;
	size_t n;

	if (c) {
		session = parent_of(d.proxy);
		if (CHECK(session > 1))
			CHECK(kill(session, SIGKILL) == 0);
		CHECK_INT(wait_read(c, &byte, 1, &n, &e), CONN_FAILED);
		CHECK_INT(e.kind, ERR_NETWORK);
		CHECK(strstr(err_msg(&e), "exited with status 255: "));
		CHECK(strstr(err_msg(&e), "closed by remote host"));
		check_ends(d.conn); /* pipes cannot say more */
	}
	conn_close(c);
	daemon_stop(&d);
}

TEST(a_daemon_that_dies_is_an_error_of_the_client)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct daemon d = { .drops = true };

	daemon_start(&d);
	CHECK(!dial("client1", sshd.port, &e));
	CHECK_INT(e.kind, ERR_CHILD);
	CHECK_INT(e.sys, 1);
	CHECK(strstr(err_msg(&e), "the daemon has ended the connection"));
	daemon_stop(&d);
}

static void check_dial_fails(const char *key, int port, enum err_kind kind,
			     const char *part)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK(!dial(key, port, &e));
	CHECK_INT(e.kind, kind);
	if (!CHECK(strstr(err_msg(&e), part)))
		printf("# %s: %s\n", key, err_msg(&e));
}

TEST(without_a_daemon_the_client_learns_what_the_proxy_said)
{
	check_dial_fails("nobody", sshd.port, ERR_NETWORK,
			 "the peer's stdinserver cannot reach its daemon: ");
	check_dial_fails("nobody", sshd.port, ERR_NETWORK,
			 "/nobody: No such file or directory");
}

TEST(a_login_message_is_shown)
{
	check_dial_fails(
		"noise", sshd.port, ERR_PROTOCOL,
		"instead of a greeting came \"Welcome, and have a very nice d\"");
}

TEST(what_ssh_says_of_a_wrong_key_and_of_a_closed_port_is_in_the_error)
{
	check_dial_fails("stranger", sshd.port, ERR_NETWORK,
			 "Permission denied (publickey)");
	check_dial_fails("client1", 1, ERR_NETWORK, "port 1: Connection refused");
}

int main(int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	if (scanf("%99s %d %99s", sshd.dir, &sshd.port, sshd.user) != 3) {
		fputs("to be run by test_sshd\n", stderr);
		return 1;
	}
	return tap_run(argc > 1 ? argv[1] : NULL);
}
