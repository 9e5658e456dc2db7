#include "net/conn_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	COPY_SIZE = 64 * 1024,  /* of the buffer where the kernel cannot splice */
	WANT_MAX = 1024 * 1024, /* a peer's frame must not pin down more in the kernel */
	IOV_USED = 64,          /* of one conn_write(); the rest comes again */
};

/* ---- over descriptors ---- */

enum fd_kind { FD_SOCKET, FD_PIPE, FD_OTHER };

struct fd_conn {
	struct conn base;
	int in, out; /* may be the same; out: -1 once a pipe is finished */
	enum fd_kind in_kind, out_kind;
	bool cannot_splice; /* the kernel has said so */
	bool can_want;      /* see fd_want() */
	int want;           /* SO_RCVLOWAT */
	/* Came out of `in`, and the pipe was full. */
	char *kept;
	size_t kept_at, kept_end;
};

static struct fd_conn *of(struct conn *c)
{
	return CONTAINER_OF(c, struct fd_conn, base);
}

static const struct fd_conn *of_const(const struct conn *c)
{
	return CONTAINER_OF(c, const struct fd_conn, base);
}

static enum fd_kind kind_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return FD_OTHER;
	if (S_ISSOCK(st.st_mode))
		return FD_SOCKET;
	return S_ISFIFO(st.st_mode) ? FD_PIPE : FD_OTHER;
}

enum conn_result conn_failed(int errnum, struct err *err)
{
	const char *why = strerrordesc_np(errnum);

	switch (errnum) {
	case EADDRNOTAVAIL: /* no port is left, for now */
	case ECONNABORTED:
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENETDOWN:
	case ENETRESET:
	case ENETUNREACH:
	case ENOTCONN:
	case EPIPE:
	case ETIMEDOUT: /* the kernel gave up: nobody's deadline has passed */
		err_set(err, ERR_NETWORK, "%s", why);
		break;
	default:
		err_sys(err, errnum, "connection");
	}
	return CONN_FAILED;
}

static enum conn_result take_kept(struct fd_conn *f, void *p, size_t n, size_t *got)
{
	size_t have = f->kept_end - f->kept_at;

	*got = n < have ? n : have;
	memcpy(p, f->kept + f->kept_at, *got);
	f->kept_at += *got;
	return CONN_OK;
}

static enum conn_result read_in(struct fd_conn *f, void *p, size_t n, size_t *got,
				struct err *err)
{
	ssize_t r;

	do
		r = read(f->in, p, n);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == EAGAIN ? CONN_AGAIN : conn_failed(errno, err);
	*got = (size_t)r;
	return r > 0 ? CONN_OK : CONN_END;
}

static enum conn_result fd_read(struct conn *c, void *p, size_t n, size_t *got,
				struct err *err)
{
	struct fd_conn *f = of(c);

	if (f->kept_at < f->kept_end)
		return take_kept(f, p, n, got);
	return read_in(f, p, n, got, err);
}

static bool is_tcp(int fd)
{
	int protocol;

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol,
			  &(socklen_t){ sizeof(protocol) }) == 0 &&
	       protocol == IPPROTO_TCP;
}

static short pipe_events(int pipe)
{
	struct pollfd p = { .fd = pipe, .events = POLLOUT };

	return poll(&p, 1, 0) > 0 ? p.revents : 0;
}

/* Through our memory. */
static enum conn_result copy(struct fd_conn *f, int pipe, size_t n, size_t *got,
			     struct err *err)
{
	size_t have;
	ssize_t w;

	if (!f->kept)
		f->kept = xcalloc(1, COPY_SIZE);
	if (f->kept_at == f->kept_end) {
		enum conn_result r;

		f->kept_at = f->kept_end = 0;
		r = read_in(f, f->kept, n < COPY_SIZE ? n : COPY_SIZE, &have, err);
		if (r != CONN_OK)
			return r;
		f->kept_end = have;
	}
	have = f->kept_end - f->kept_at;
	do
		w = write(pipe, f->kept + f->kept_at, n < have ? n : have);
	while (w < 0 && errno == EINTR);
	if (w < 0 && errno == EAGAIN)
		return CONN_PIPE_FULL;
	if (w < 0 && errno == EPIPE)
		return CONN_PIPE_CLOSED;
	if (w < 0) {
		err_sys(err, errno, "write to a pipe");
		return CONN_FAILED;
	}
	f->kept_at += (size_t)w;
	*got = (size_t)w;
	return CONN_OK;
}

static enum conn_result fd_splice(struct conn *c, int pipe, size_t n, size_t *got,
				  struct err *err)
{
	struct fd_conn *f = of(c);
	ssize_t r;

	if (f->cannot_splice || f->kept_at < f->kept_end)
		return copy(f, pipe, n, got, err);
	do
		r = splice(f->in, NULL, pipe, NULL, n, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	while (r < 0 && errno == EINTR);
	if (r >= 0) {
		*got = (size_t)r;
		return r > 0 ? CONN_OK : CONN_END;
	}
	switch (errno) {
	case EAGAIN: /* of which of the two, it does not tell */
		return pipe_events(pipe) ? CONN_AGAIN : CONN_PIPE_FULL;
	case EINVAL:
		f->cannot_splice = true;
		return copy(f, pipe, n, got, err);
	case EPIPE:
		return CONN_PIPE_CLOSED;
	}
	return conn_failed(errno, err);
}

static enum conn_result fd_write(struct conn *c, const struct iovec *iov, int n,
				 size_t *put, struct err *err)
{
	struct fd_conn *f = of(c);
	const struct msghdr m = {
		.msg_iov = (struct iovec *)iov, /* which it only reads */
		.msg_iovlen = (size_t)(n < IOV_USED ? n : IOV_USED),
	};
	ssize_t w;

	if (f->out < 0) {
		err_set(err, ERR_INTERNAL, "written to after its end");
		return CONN_FAILED;
	}
	do
		w = f->out_kind == FD_SOCKET
			    ? sendmsg(f->out, &m, MSG_NOSIGNAL | (c->more ? MSG_MORE : 0))
			    : writev(f->out, m.msg_iov, (int)m.msg_iovlen);
	while (w < 0 && errno == EINTR);
	if (w < 0)
		return errno == EAGAIN ? CONN_AGAIN : conn_failed(errno, err);
	*put = (size_t)w;
	return CONN_OK;
}

static enum conn_result fd_splice_from(struct conn *c, int pipe, size_t n, size_t *put,
				       struct err *err)
{
	struct fd_conn *f = of(c);
	const unsigned more = c->more ? SPLICE_F_MORE : 0;
	struct pollfd left = { .fd = pipe, .events = POLLIN };
	ssize_t r;

	if (f->out < 0) {
		err_set(err, ERR_INTERNAL, "written to after its end");
		return CONN_FAILED;
	}
	do
		r = splice(pipe, NULL, f->out, NULL, n,
			   SPLICE_F_NONBLOCK | SPLICE_F_MOVE | more);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return CONN_PIPE_EMPTY;
	if (r < 0 && errno == EAGAIN) /* of which of the two, it does not tell */
		return poll(&left, 1, 0) > 0 ? CONN_AGAIN : CONN_PIPE_EMPTY;
	if (r < 0)
		return conn_failed(errno, err);
	*put = (size_t)r;
	return CONN_OK;
}

static enum conn_result fd_finish(struct conn *c, struct err *err)
{
	struct fd_conn *f = of(c);

	if (f->out < 0)
		return CONN_OK;
	if (f->out_kind == FD_SOCKET)
		return shutdown(f->out, SHUT_WR) == 0 ? CONN_OK : conn_failed(errno, err);
	if (f->in == f->out) {
		err_set(err, ERR_INTERNAL, "not a socket: it has no end of its own");
		return CONN_FAILED;
	}
	fd_closep(&f->out);
	f->out = -1;
	return CONN_OK;
}

static nfds_t fd_poll(const struct conn *c, bool read, bool write, struct pollfd *fds)
{
	const struct fd_conn *f = of_const(c);
	const short in = read ? POLLIN : 0;
	const short out = write && f->out >= 0 ? POLLOUT : 0;
	nfds_t n = 0;

	/* Nothing is asked of a descriptor for nothing: poll(2) reports its hangup all
	 * the same, again and again. */
	if (f->in == f->out) {
		if (in | out)
			fds[n++] = (struct pollfd){ f->in, (short)(in | out), 0 };
		return n;
	}
	if (in)
		fds[n++] = (struct pollfd){ f->in, in, 0 };
	if (out)
		fds[n++] = (struct pollfd){ f->out, out, 0 };
	return n;
}

static bool fd_ready(const struct conn *c)
{
	const struct fd_conn *f = of_const(c);

	return f->kept_at < f->kept_end;
}

static void fd_want(struct conn *c, size_t n)
{
	struct fd_conn *f = of(c);
	int want = n < WANT_MAX ? (int)n : WANT_MAX;

	if (!f->can_want || want == f->want)
		return;
	/* TCP keeps it within the receive buffer, and ends the wait when that is full, at
	 * the end of input, and when the connection breaks.  Unix sockets do not. */
	if (setsockopt(f->in, SOL_SOCKET, SO_RCVLOWAT, &want, sizeof(want)) == 0)
		f->want = want;
}

static bool fd_is_flushed(const struct conn *c)
{
	const struct fd_conn *f = of_const(c);
	unsigned long what = f->out_kind == FD_SOCKET ? SIOCOUTQ : FIONREAD;
	int left = 0;

	if (f->out < 0 || f->out_kind == FD_OTHER)
		return true;
	return ioctl(f->out, what, &left) < 0 || left == 0;
}

static void fd_close(struct conn *c)
{
	struct fd_conn *f = of(c);

	if (f->out != f->in)
		fd_closep(&f->out);
	fd_closep(&f->in);
	free(f->kept);
}

static const struct conn_ops fd_ops = {
	.read = fd_read,
	.splice = fd_splice,
	.write = fd_write,
	.splice_from = fd_splice_from,
	.finish = fd_finish,
	.poll = fd_poll,
	.ready = fd_ready,
	.want = fd_want,
	.is_flushed = fd_is_flushed,
	.close = fd_close,
};

struct conn *conn_of_fds(int in, int out, const char *peer, const char *identity)
{
	struct fd_conn *f = xcalloc(1, sizeof(*f));

	assert(in >= 0 && out >= 0);
	f->base.ops = &fd_ops;
	f->base.peer = xstrdup(peer);
	f->base.identity = xstrdup_or_null(identity);
	f->in = in;
	f->out = out;
	f->in_kind = kind_of(in);
	f->out_kind = kind_of(out);
	f->can_want = is_tcp(in);
	f->want = 1;
	return &f->base;
}

int conn_pair(struct conn **a, struct conn **b, struct err *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, errno, "socketpair");
	*a = conn_of_fds(fds[0], fds[0], "local", NULL);
	*b = conn_of_fds(fds[1], fds[1], "local", NULL);
	return 0;
}

/* ---- over whatever ---- */

/* Every failure says with whom. */
static enum conn_result result(const struct conn *c, enum conn_result r, const char *what,
			       struct err *err)
{
	if (r == CONN_FAILED)
		err_wrap(err, "%s %s", what, c->peer);
	return r;
}

enum conn_result conn_read(struct conn *c, void *p, size_t n, size_t *got,
			   struct err *err)
{
	assert(n > 0);
	return result(c, c->ops->read(c, p, n, got, err), "read from", err);
}

enum conn_result conn_splice(struct conn *c, int pipe, size_t n, size_t *got,
			     struct err *err)
{
	assert(n > 0);
	return result(c, c->ops->splice(c, pipe, n, got, err), "read from", err);
}

enum conn_result conn_write(struct conn *c, const struct iovec *iov, int n, size_t *put,
			    struct err *err)
{
	assert(n > 0);
	return result(c, c->ops->write(c, iov, n, put, err), "write to", err);
}

enum conn_result conn_splice_from(struct conn *c, int pipe, size_t n, size_t *put,
				  struct err *err)
{
	assert(n > 0);
	return result(c, c->ops->splice_from(c, pipe, n, put, err), "write to", err);
}

bool conn_can_splice_from(const struct conn *c, int pipe)
{
	return c->ops->splice_from && kind_of(pipe) == FD_PIPE;
}

void conn_more(struct conn *c, bool more)
{
	c->more = more;
}

enum conn_result conn_finish(struct conn *c, struct err *err)
{
	return result(c, c->ops->finish(c, err), "end output to", err);
}

nfds_t conn_poll(const struct conn *c, bool read, bool write, struct pollfd *fds)
{
	return c->ops->poll(c, read, write, fds);
}

bool conn_ready(const struct conn *c)
{
	return c->ops->ready(c);
}

void conn_want(struct conn *c, size_t n)
{
	c->ops->want(c, n);
}

bool conn_is_flushed(const struct conn *c)
{
	return c->ops->is_flushed(c);
}

const char *conn_peer(const struct conn *c)
{
	return c->peer;
}

const char *conn_identity(const struct conn *c)
{
	return c->identity;
}

void conn_close(struct conn *c)
{
	if (!c)
		return;
	c->ops->close(c);
	free(c->peer);
	free(c->identity);
	free(c);
}

/* ---- waiting for one thing ---- */

static int wait_for(struct ctx *ctx, const struct conn *c, bool read, struct err *err)
{
	struct pollfd fds[CONN_FDS];
	nfds_t n;

	if (read && conn_ready(c))
		return 0;
	n = conn_poll(c, read, !read, fds);
	return ctx_poll(ctx, fds, n, -1, err) < 0 ? -1 : 0;
}

int conn_read_all(struct ctx *ctx, struct conn *c, void *p, size_t n, struct err *err)
{
	char *at = p;

	while (n > 0) {
		size_t got = 0;
		enum conn_result r = conn_read(c, at, n, &got, err);

		if (r == CONN_FAILED)
			return -1;
		if (r == CONN_END)
			return err_set(err, ERR_NETWORK,
				       "read from %s: the peer has closed the connection",
				       c->peer);
		if (r == CONN_AGAIN) {
			/* an old wish may exceed what is still to come */
			conn_want(c, 1);
			if (wait_for(ctx, c, true, err) < 0)
				return err_wrap(err, "read from %s", c->peer);
		}
		at += got;
		n -= got;
	}
	return 0;
}

int conn_write_all(struct ctx *ctx, struct conn *c, const void *p, size_t n,
		   struct err *err)
{
	struct iovec v = { (void *)p, n };

	while (v.iov_len > 0) {
		size_t put = 0;
		enum conn_result r = conn_write(c, &v, 1, &put, err);

		if (r == CONN_FAILED)
			return -1;
		if (r == CONN_AGAIN && wait_for(ctx, c, false, err) < 0)
			return err_wrap(err, "write to %s", c->peer);
		v.iov_base = (char *)v.iov_base + put;
		v.iov_len -= put;
	}
	return 0;
}
