#include "net/conn_impl.h"
#include "net/fdio.h"
#include "net/kept.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COPY_SIZE = 64 * 1024 /* of the buffer where the kernel cannot splice */ };

struct fd_conn {
	struct conn base;
	int in, out; /* may be the same; out: -1 once a pipe is finished */
	enum fdio_kind out_kind;
	bool cannot_splice; /* the kernel has said so */
	bool can_want;      /* see fd_want() */
	int want;           /* see fdio_want() */
	struct kept kept;
};

static struct fd_conn *of(struct conn *c)
{
	return CONTAINER_OF(c, struct fd_conn, base);
}

static const struct fd_conn *of_const(const struct conn *c)
{
	return CONTAINER_OF(c, const struct fd_conn, base);
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

	if (!kept_has(&f->kept))
		return read_in(f, p, n, got, err);
	kept_read(&f->kept, p, n, got);
	return CONN_OK;
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
	struct kept *k = &f->kept;

	if (!kept_has(k)) {
		size_t have = 0;
		enum conn_result r;

		if (!k->p)
			k->p = xcalloc(1, COPY_SIZE);
		k->at = k->end = 0;
		r = read_in(f, k->p, n < COPY_SIZE ? n : COPY_SIZE, &have, err);
		if (r != CONN_OK)
			return r;
		k->end = have;
	}
	return kept_put(k, pipe, n, got, err);
}

static enum conn_result fd_splice(struct conn *c, int pipe, size_t n, size_t *got,
				  struct err *err)
{
	struct fd_conn *f = of(c);
	ssize_t r;

	if (f->cannot_splice || kept_has(&f->kept))
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

static enum conn_result after_end(struct err *err)
{
	err_set(err, ERR_INTERNAL, "written to after its end");
	return CONN_FAILED;
}

static enum conn_result fd_write(struct conn *c, const struct iovec *iov, int n,
				 size_t *put, struct err *err)
{
	struct fd_conn *f = of(c);
	ssize_t w;

	if (f->out < 0)
		return after_end(err);
	if (f->out_kind == FDIO_SOCKET)
		return fdio_send(f->out, iov, n, c->more, put, err);
	do
		w = writev(f->out, iov, n < FDIO_IOV_USED ? n : FDIO_IOV_USED);
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

	if (f->out < 0)
		return after_end(err);
	return fdio_splice_from(pipe, f->out, n, c->more, put, err);
}

static enum conn_result fd_finish(struct conn *c, struct err *err)
{
	struct fd_conn *f = of(c);

	if (f->out < 0)
		return CONN_OK;
	if (f->out_kind == FDIO_SOCKET)
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
	return kept_has(&of_const(c)->kept);
}

/* TCP keeps it within the receive buffer, and ends the wait when that is full, at the end
 * of input, and when the connection breaks.  Unix sockets do not. */
static void fd_want(struct conn *c, size_t n)
{
	struct fd_conn *f = of(c);

	if (f->can_want)
		fdio_want(f->in, n, &f->want);
}

static bool fd_is_flushed(const struct conn *c)
{
	const struct fd_conn *f = of_const(c);
	unsigned long what = f->out_kind == FDIO_SOCKET ? SIOCOUTQ : FIONREAD;
	int left = 0;

	if (f->out < 0 || f->out_kind == FDIO_OTHER)
		return true;
	return ioctl(f->out, what, &left) < 0 || left == 0;
}

static void fd_close(struct conn *c)
{
	struct fd_conn *f = of(c);

	if (f->out != f->in)
		fd_closep(&f->out);
	fd_closep(&f->in);
	free(f->kept.p);
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
	f->out_kind = fdio_kind(out);
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
