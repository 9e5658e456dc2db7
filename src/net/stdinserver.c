#include "net/stdinserver.h"

#include "codec/dsname.h"
#include "net/socket.h"
#include "net/wrapped.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PASSED = 2 };

const char ssh_hello[SSH_GREETING_LEN] = "SSHCON_HELO";
const char ssh_proxy_error[SSH_GREETING_LEN] = "SSHCON_PROXY_ERROR";
const char ssh_begin[SSH_GREETING_LEN] = "SSHCON_BEGIN";

/* Room for the descriptors; the kernel says so if there are more, and drops those. */
union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(PASSED * sizeof(int))];
};

static char *socket_path(const char *sockdir, const char *identity)
{
	return xasprintf("%s/%s", sockdir, identity);
}

static int set_nonblocking(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_sys(err, errno, "make descriptor non-blocking");
	return 0;
}

int stdinserver_listen(const char *sockdir, const char *identity, struct err *err)
{
	cleanup(str_freep) char *path = socket_path(sockdir, identity);
	int fd = socket_listen_private(path, err);

	if (fd < 0 && err_is(err, ERR_BUSY))
		err_set(err, ERR_BUSY, "%s: another job or daemon is listening there",
			path);
	return fd;
}

void stdinserver_unlink(const char *sockdir, const char *identity)
{
	cleanup(str_freep) char *path = socket_path(sockdir, identity);

	unlink(path);
}

/* ---- the daemon's side ---- */

struct proxied {
	struct wrapped conn;
	int proxy; /* the proxy waits here until it reads a byte */
};

static void proxied_close(struct conn *c)
{
	struct proxied *p = CONTAINER_OF(c, struct proxied, conn.base);

	/* In this order: when the proxy ends, all is closed. */
	conn_close(p->conn.inner);
	(void)!send(p->proxy, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	fd_closep(&p->proxy);
}

static const struct conn_ops proxied_ops = {
	.read = wrapped_read,
	.splice = wrapped_splice,
	.write = wrapped_write,
	.splice_from = wrapped_splice_from,
	.finish = wrapped_finish,
	.poll = wrapped_poll,
	.ready = wrapped_ready,
	.want = wrapped_want,
	.is_flushed = wrapped_is_flushed,
	.close = proxied_close,
};

/* Takes the descriptors out of m, all of them, into fds as far as they fit. */
static size_t take_descriptors(struct msghdr *m, int fds[PASSED])
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < here; i++, n++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (n < PASSED)
				fds[n] = fd;
			else
				fd_closep(&fd);
		}
	}
	return n;
}

/* 1: they are here; 0: nothing is, after all. */
static int receive_now(int fd, int fds[PASSED], struct err *err)
{
	char bytes[2];
	struct iovec v = { bytes, sizeof(bytes) };
	union control control;
	struct msghdr m = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t r = recvmsg(fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	size_t n;

	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (r < 0) {
		(void)conn_failed(errno, err);
		return err_wrap(err, "receive from the proxy");
	}
	n = take_descriptors(&m, fds);
	if (r == 0)
		return err_set(err, ERR_NETWORK, "the proxy has gone");
	if (r != 1 || n != PASSED || m.msg_flags & MSG_CTRUNC)
		return err_set(
			err, ERR_PROTOCOL,
			"the proxy passed %zu%s descriptors with %zd%s bytes, not 2 with "
			"one",
			n, m.msg_flags & MSG_CTRUNC ? " and more" : "", r,
			r > 1 ? " or more" : "");
	return 1;
}

static int receive_descriptors(struct ctx *ctx, int fd, int fds[PASSED], struct err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	do {
		if (ctx_poll(ctx, &p, 1, -1, err) < 0)
			return -1;
		r = receive_now(fd, fds, err);
	} while (r == 0);
	return r < 0 ? -1 : 0;
}

/* What the client answers is not looked at (compat: zrepl 0.7); what follows will show
 * who it is. */
static int greet(struct ctx *ctx, struct conn *c, struct err *err)
{
	char begin[SSH_GREETING_LEN];

	if (conn_write_all(ctx, c, ssh_hello, SSH_GREETING_LEN, err) < 0 ||
	    conn_read_all(ctx, c, begin, SSH_GREETING_LEN, err) < 0)
		return err_wrap(err, "greeting");
	return 0;
}

struct conn *stdinserver_admit(struct ctx *ctx, int fd, const char *identity,
			       struct err *err)
{
	cleanup(fd_closep) int proxy = fd, in = -1, out = -1;
	int fds[PASSED] = { -1, -1 };
	struct proxied *p;
	int r = receive_descriptors(ctx, fd, fds, err);

	in = fds[0];
	out = fds[1];
	if (r < 0 || set_nonblocking(in, err) < 0 || set_nonblocking(out, err) < 0)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->conn.base = (struct conn){
		.ops = &proxied_ops,
		.peer = xstrdup(identity),
		.identity = xstrdup(identity),
	};
	p->conn.inner = conn_of_fds(take_fd(&in), take_fd(&out), identity, identity);
	p->proxy = take_fd(&proxy);
	if (greet(ctx, &p->conn.base, err) == 0)
		return &p->conn.base;
	conn_close(&p->conn.base);
	return NULL;
}

/* ---- the proxy ---- */

static int pass_descriptors(int fd, int in, int out, struct err *err)
{
	const int fds[PASSED] = { in, out };
	union control control = { 0 };
	char byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t r;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	do
		r = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r == 1 ? 0 : err_sys(err, errno, "pass stdin and stdout to the daemon");
}

/*
 * Non-blocking before they are passed: a daemon that takes them as they are (zrepl 0.7)
 * would have no deadlines on blocking ones.
 */
static int hand_over(const char *sockdir, const char *identity, int in, int out,
		     struct err *err)
{
	cleanup(str_freep) char *path = socket_path(sockdir, identity);
	cleanup(fd_closep) int fd = -1;

	if (dsname_check_component(identity, err) < 0)
		return err_wrap(err, "client identity");
	if ((fd = socket_connect(path, err)) < 0 || set_nonblocking(in, err) < 0 ||
	    set_nonblocking(out, err) < 0 || pass_descriptors(fd, in, out, err) < 0)
		return -1;
	return take_fd(&fd);
}

/* Until the daemon is done, or the one is gone who reads what it writes: one that does
 * not run any more must not keep all who have ever come waiting here. */
static int wait_for_daemon(int fd, int out, struct err *err)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = out } };
	ssize_t r;
	char byte;

	if (ctx_poll(ctx, p, ARRAY_LEN(p), -1, err) < 0)
		return -1;
	if (!p[0].revents)
		return err_set(err, ERR_NETWORK, "the client has gone");
	do
		r = recv(fd, &byte, 1, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(err, errno, "wait for the daemon");
	if (r == 0)
		return err_set(err, ERR_REMOTE, "the daemon has ended the connection");
	if (byte != 0)
		return err_set(err, ERR_PROTOCOL, "the daemon says %d, not 0", byte);
	return 0;
}

int stdinserver_proxy(const char *sockdir, const char *identity, int in, int out,
		      struct err *err)
{
	cleanup(fd_closep) int fd = hand_over(sockdir, identity, in, out, err);

	if (fd < 0) {
		/* The client shows it; 31 bytes fit into the pipe of a new connection. */
		(void)!write(out, ssh_proxy_error, SSH_GREETING_LEN);
		return -1;
	}
	return wait_for_daemon(fd, out, err);
}
