#include "net/conn_impl.h"
#include "net/fdio.h"

#include <assert.h>
#include <errno.h>

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
	return c->ops->splice_from && fdio_kind(pipe) == FDIO_PIPE;
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
