#include "net/stdinserver.h"

#include "base/thread.h"
#include "net/socket.h"
#include "scratch.h"
#include "talk.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

/* ---- helpers ---- */

/* A pipe, [0] for reading; not inherited by anybody. */
static void make_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) < 0)
		abort();
}

static void close_pipe(int fds[2])
{
	fd_closep(&fds[0]);
	fd_closep(&fds[1]);
}

static char *make_sockdir(mode_t mode)
{
	char *dir = scratch_path("sockets");

	if ((mkdir(dir, 0700) < 0 && errno != EEXIST) || chmod(dir, mode) < 0)
		abort();
	return dir;
}

static void remove_sockdir(const char *dir)
{
	cleanup(str_freep) char *path = xasprintf("%s/client1", dir);

	unlink(path);
	rmdir(dir);
}

static int listen_in(const char *dir)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int fd = stdinserver_listen(dir, "client1", &e);

	CHECK_STR(err_msg(&e), "no error");
	return fd;
}

/* Waits for it. */
static int accept_one(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	CHECK(poll(&p, 1, PATIENCE_MS) > 0);
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static struct conn *admit(int fd, int64_t timeout_ms, struct err *err)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	ctx_set_timeout(ctx, timeout_ms);
	return stdinserver_admit(ctx, fd, "client1", err);
}

/* Everything that is needed for one connection; sshd's ends of the pipes are ours. */
struct bench {
	char *dir;
	int listener;
	int in[2], out[2]; /* of the proxy */
	struct thread thread;
	/* What the proxy came to, once joined. */
	int result;
	struct err err;
};

static void run_proxy(void *arg)
{
	struct bench *b = arg;

	b->result = stdinserver_proxy(b->dir, "client1", b->in[0], b->out[1], &b->err);
	fd_closep(&b->in[0]);
	fd_closep(&b->out[1]);
}

static void bench_start(struct bench *b)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	*b = (struct bench){ .dir = make_sockdir(0700) };
	b->listener = listen_in(b->dir);
	make_pipe(b->in);
	make_pipe(b->out);
	thread_start(&b->thread, "proxy", run_proxy, b);
}

static void bench_end(struct bench *b)
{
	thread_join(&b->thread);
	close_pipe(b->in);
	close_pipe(b->out);
	fd_closep(&b->listener);
	err_clear(&b->err);
	remove_sockdir(b->dir);
	free(b->dir);
}

/* What ssh's side of the greeting is; returns the connection. */
static struct conn *bench_connect(struct bench *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char got[SSH_GREETING_LEN + 1];
	struct conn *c;

	CHECK(write(b->in[1], ssh_begin, SSH_GREETING_LEN) == SSH_GREETING_LEN);
	c = admit(accept_one(b->listener), PATIENCE_MS, &e);
	CHECK_STR(err_msg(&e), "no error");
	CHECK_INT(read(b->out[0], got, sizeof(got)), SSH_GREETING_LEN);
	CHECK(memcmp(got, ssh_hello, SSH_GREETING_LEN) == 0);
	return c;
}

/* ---- the greetings ---- */

TEST(the_greetings_are_31_bytes_padded_with_nul)
{
	static const char zeros[SSH_GREETING_LEN];
	static const struct {
		const char *got, *want;
	} rows[] = {
		{ ssh_hello, "SSHCON_HELO" },
		{ ssh_proxy_error, "SSHCON_PROXY_ERROR" },
		{ ssh_begin, "SSHCON_BEGIN" },
	};

	CHECK_INT(sizeof(ssh_hello), 31);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].want);

		CHECK_STR(rows[i].got, rows[i].want);
		CHECK(memcmp(rows[i].got + n, zeros, 31 - n) == 0);
	}
}

/* ---- the socket ---- */

TEST(a_directory_that_others_may_use_or_that_is_missing_is_refused)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *dir = make_sockdir(0701);

	CHECK_INT(stdinserver_listen(dir, "client1", &e), -1);
	CHECK_INT(e.kind, ERR_DENIED);
	remove_sockdir(dir);
	CHECK_INT(stdinserver_listen(dir, "client1", &e), -1);
	CHECK_INT(e.kind, ERR_SYSTEM);
	CHECK_INT(e.sys, ENOENT);
}

TEST(an_old_socket_is_replaced_and_anything_else_stays)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *dir = make_sockdir(0770);
	cleanup(str_freep) char *path = xasprintf("%s/client1", dir);
	int fd = listen_in(dir);

	fd_closep(&fd);
	CHECK_INT(access(path, F_OK), 0);
	fd = listen_in(dir);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK_INT(stdinserver_listen(dir, "client1", &e), -1);
	CHECK_INT(e.kind, ERR_BUSY);
	CHECK(strstr(err_msg(&e), "another job or daemon is listening there"));
	fd_closep(&fd);
	unlink(path);

	CHECK_INT(mkdir(path, 0700), 0);
	CHECK_INT(stdinserver_listen(dir, "client1", &e), -1);
	CHECK_INT(e.kind, ERR_EXISTS);
	rmdir(path);
	remove_sockdir(dir);
}

TEST(an_identity_that_makes_the_path_too_long_is_refused)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char identity[120];

	memset(identity, 'x', sizeof(identity) - 1);
	identity[sizeof(identity) - 1] = '\0';
	CHECK_INT(stdinserver_listen("/tmp", identity, &e), -1);
	CHECK_INT(e.kind, ERR_INVALID);
}

/* ---- proxy and daemon ---- */

TEST(bytes_go_both_ways_and_the_proxy_ends_with_the_connection)
{
	struct bench b;
	struct conn *c;
	char got[64];

	bench_start(&b);
	c = bench_connect(&b);
	if (CHECK(c)) {
		CHECK_STR(conn_identity(c), "client1");
		CHECK_STR(conn_peer(c), "client1");
		CHECK(write(b.in[1], "question", 8) == 8);
		check_reads(c, "question");
		check_writes(c, "answer");
		CHECK_INT(read(b.out[0], got, sizeof(got)), 6);
		fd_closep(&b.in[1]); /* the client's half-close does arrive */
		check_ends(c);
		check_writes(c, "after");
		CHECK_INT(read(b.out[0], got, sizeof(got)), 5);
		conn_close(c);
	}
	CHECK_INT(read(b.out[0], got, sizeof(got)), 0);
	thread_join(&b.thread);
	CHECK_INT(b.result, 0);
	CHECK_STR(err_msg(&b.err), "no error");
	bench_end(&b);
}

TEST(the_daemons_half_close_is_seen_only_when_it_has_closed)
{
	struct bench b;
	struct conn *c;
	struct pollfd p;
	char byte;

	bench_start(&b);
	c = bench_connect(&b);
	if (CHECK(c)) {
		check_finishes(c);
		p = (struct pollfd){ .fd = b.out[0], .events = POLLIN };
		CHECK_INT(poll(&p, 1, 0), 0);
		CHECK(write(b.in[1], "x", 1) == 1);
		check_reads(c, "x");
		conn_close(c);
	}
	CHECK_INT(read(b.out[0], &byte, 1), 0);
	bench_end(&b);
}

TEST(the_daemon_closes_both_descriptors_before_it_lets_the_proxy_go)
{
	/* As the proxy we keep nothing, and so see the daemon's copies. */
	struct bench b;
	struct conn *c;
	struct pollfd p;

	bench_start(&b);
	c = bench_connect(&b);
	conn_close(c);
	thread_join(&b.thread);
	CHECK_INT(b.result, 0);
	/* run_proxy() has closed its own. */
	CHECK_INT(write(b.in[1], "x", 1), -1);
	CHECK_INT(errno, EPIPE);
	p = (struct pollfd){ .fd = b.out[0], .events = POLLIN };
	CHECK_INT(poll(&p, 1, 0), 1);
	CHECK_INT(p.revents, POLLHUP);
	bench_end(&b);
}

TEST(a_client_that_does_not_greet_is_dropped_at_the_deadline)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct bench b;

	bench_start(&b);
	CHECK(!admit(accept_one(b.listener), 50, &e));
	CHECK_INT(e.kind, ERR_TIMEOUT);
	thread_join(&b.thread);
	CHECK_INT(b.result, 0); /* it was told */
	bench_end(&b);
}

TEST(a_client_that_goes_before_the_greeting_is_a_lost_connection)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct bench b;

	bench_start(&b);
	CHECK(write(b.in[1], ssh_begin, SSH_GREETING_LEN - 1) == SSH_GREETING_LEN - 1);
	fd_closep(&b.in[1]);
	CHECK(!admit(accept_one(b.listener), PATIENCE_MS, &e));
	CHECK_INT(e.kind, ERR_NETWORK);
	bench_end(&b);
}

/* ---- the daemon, and a proxy that is none of ours ---- */

static void pass(int fd, const int *fds, size_t n, size_t bytes)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	char data[8] = "";
	struct iovec v = { data, bytes };
	struct msghdr m = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = n ? &control : NULL,
		.msg_controllen = n ? CMSG_SPACE(n * sizeof(int)) : 0,
	};

	if (n) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	CHECK_INT(sendmsg(fd, &m, MSG_NOSIGNAL), bytes);
}

/* n writing ends of one pipe, with so many bytes. */
static void check_refused(size_t n, size_t bytes, const char *text)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int pair[2], p[2], fds[8];
	char byte;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	make_pipe(p);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = p[1];
	pass(pair[0], fds, n, bytes);
	CHECK(!admit(pair[1], PATIENCE_MS, &e));
	CHECK_INT(e.kind, ERR_PROTOCOL);
	CHECK_STR(err_msg(&e), text);
	/* Nobody has kept any. */
	fd_closep(&p[1]);
	CHECK_INT(read(p[0], &byte, 1), 0);
	CHECK_INT(recv(pair[0], &byte, 1, 0), 0);
	close_pipe(p);
	fd_closep(&pair[0]);
}

TEST(anything_but_two_descriptors_and_one_byte_is_refused_and_closed)
{
	check_refused(0, 1,
		      "the proxy passed 0 descriptors with 1 bytes, not 2 with one");
	check_refused(1, 1,
		      "the proxy passed 1 descriptors with 1 bytes, not 2 with one");
	check_refused(
		3, 1,
		"the proxy passed 2 and more descriptors with 1 bytes, not 2 with one");
	check_refused(
		8, 1,
		"the proxy passed 2 and more descriptors with 1 bytes, not 2 with one");
	check_refused(
		2, 2,
		"the proxy passed 2 descriptors with 2 or more bytes, not 2 with one");
}

TEST(a_proxy_that_passes_nothing_is_dropped_when_it_goes_or_at_the_deadline)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	fd_closep(&pair[0]);
	CHECK(!admit(pair[1], PATIENCE_MS, &e));
	CHECK_INT(e.kind, ERR_NETWORK);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(!admit(pair[1], 50, &e));
	CHECK_INT(e.kind, ERR_TIMEOUT);
	fd_closep(&pair[0]);
}

TEST(blocking_descriptors_are_made_non_blocking_and_not_inherited)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int pair[2], in[2], out[2];
	struct pollfd fds[CONN_FDS];
	struct conn *c;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	make_pipe(in);
	make_pipe(out);
	pass(pair[0], (int[]){ in[0], out[1] }, 2, 1);
	CHECK(write(in[1], ssh_begin, SSH_GREETING_LEN) == SSH_GREETING_LEN);
	c = admit(pair[1], PATIENCE_MS, &e);
	if (CHECK(c)) {
		CHECK_INT(conn_poll(c, true, true, fds), 2);
		for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
			CHECK(fcntl(fds[i].fd, F_GETFL) & O_NONBLOCK);
			CHECK(fcntl(fds[i].fd, F_GETFD) & FD_CLOEXEC);
		}
		conn_close(c);
	}
	close_pipe(in);
	close_pipe(out);
	fd_closep(&pair[0]);
}

/* ---- the proxy, and a daemon that is none of ours ---- */

TEST(without_a_daemon_the_proxy_tells_the_client)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *dir = make_sockdir(0700);
	char got[SSH_GREETING_LEN + 1];
	int out[2];

	make_pipe(out);
	CHECK_INT(stdinserver_proxy(dir, "client1", out[0], out[1], &e), -1);
	CHECK_INT(e.kind, ERR_SYSTEM);
	CHECK_INT(e.sys, ENOENT);
	CHECK_INT(read(out[0], got, sizeof(got)), SSH_GREETING_LEN);
	CHECK(memcmp(got, ssh_proxy_error, SSH_GREETING_LEN) == 0);
	close_pipe(out);
	remove_sockdir(dir);
}

TEST(the_proxy_connects_to_identities_only)
{
	static const char *const rows[] = { "", ".", "..", "../control", "a/b", "a@b" };
	char got[SSH_GREETING_LEN + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		int out[2];

		make_pipe(out);
		CHECK_INT(stdinserver_proxy("/nowhere", rows[i], out[0], out[1], &e), -1);
		CHECK_INT(e.kind, ERR_INVALID);
		CHECK_INT(read(out[0], got, sizeof(got)), SSH_GREETING_LEN);
		CHECK(memcmp(got, ssh_proxy_error, SSH_GREETING_LEN) == 0);
		close_pipe(out);
	}
}

/* A zrepl 0.7 daemon takes the descriptors as they are, and needs them non-blocking. */
TEST(the_proxy_passes_stdin_and_then_stdout_non_blocking_with_one_zero_byte)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(8 * sizeof(int))];
	} control;
	char bytes[8] = { 1 };
	struct iovec v = { bytes, sizeof(bytes) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct pollfd p = { .events = POLLIN };
	struct bench b;
	int fds[2] = { -1, -1 };

	bench_start(&b);
	p.fd = accept_one(b.listener);
	CHECK(poll(&p, 1, PATIENCE_MS) > 0);
	CHECK_INT(recvmsg(p.fd, &m, MSG_CMSG_CLOEXEC), 1);
	CHECK_INT(bytes[0], 0);
	if (CHECK(CMSG_FIRSTHDR(&m))) {
		CHECK_INT(CMSG_FIRSTHDR(&m)->cmsg_type, SCM_RIGHTS);
		CHECK_INT(CMSG_FIRSTHDR(&m)->cmsg_len, CMSG_LEN(sizeof(fds)));
		memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fds));
	}
	CHECK_INT(fcntl(fds[0], F_GETFL) & (O_NONBLOCK | O_ACCMODE),
		  O_NONBLOCK | O_RDONLY);
	CHECK_INT(fcntl(fds[1], F_GETFL) & (O_NONBLOCK | O_ACCMODE),
		  O_NONBLOCK | O_WRONLY);
	close_pipe(fds);
	fd_closep(&p.fd);
	bench_end(&b);
}

/* What the proxy makes of what the daemon does once it has the descriptors. */
static void check_proxy(const char *byte, int result, const char *text)
{
	struct bench b;
	int fd;

	bench_start(&b);
	fd = accept_one(b.listener);
	CHECK(!byte || write(fd, byte, 1) == 1);
	/* What is not read would be a reset for the proxy. */
	CHECK(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, PATIENCE_MS) > 0);
	CHECK_INT(read(fd, &(char){ 0 }, 1), 1);
	fd_closep(&fd);
	thread_join(&b.thread);
	CHECK_INT(b.result, result);
	CHECK_STR(err_msg(&b.err), text);
	bench_end(&b);
}

TEST(the_proxy_succeeds_with_a_zero_byte_only)
{
	check_proxy("", 0, "no error");
	check_proxy("\1", -1, "the daemon says 1, not 0");
	check_proxy(NULL, -1, "the daemon has ended the connection");
}

TEST(the_proxy_does_not_outlive_the_client_of_a_daemon_that_hangs)
{
	struct bench b;

	bench_start(&b);
	fd_closep(&b.out[0]); /* sshd closes it when the client has gone */
	thread_join(&b.thread);
	CHECK_INT(b.result, -1);
	CHECK_STR(err_msg(&b.err), "the client has gone");
	bench_end(&b);
}

TEST_MAIN()
