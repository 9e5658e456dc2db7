#include "net/wrapped.h"

static struct conn *inner(const struct conn *c)
{
	return CONTAINER_OF(c, const struct wrapped, base)->inner;
}

enum conn_result wrapped_read(struct conn *c, void *p, size_t n, size_t *got,
			      struct err *err)
{
	struct conn *i = inner(c);

	return i->ops->read(i, p, n, got, err);
}

enum conn_result wrapped_splice(struct conn *c, int pipe, size_t n, size_t *got,
				struct err *err)
{
	struct conn *i = inner(c);

	return i->ops->splice(i, pipe, n, got, err);
}

enum conn_result wrapped_write(struct conn *c, const struct iovec *iov, int n,
			       size_t *put, struct err *err)
{
	struct conn *i = inner(c);

	i->more = c->more;
	return i->ops->write(i, iov, n, put, err);
}

enum conn_result wrapped_splice_from(struct conn *c, int pipe, size_t n, size_t *put,
				     struct err *err)
{
	struct conn *i = inner(c);

	i->more = c->more;
	return i->ops->splice_from(i, pipe, n, put, err);
}

enum conn_result wrapped_finish(struct conn *c, struct err *err)
{
	struct conn *i = inner(c);

	return i->ops->finish(i, err);
}

nfds_t wrapped_poll(const struct conn *c, bool read, bool write, struct pollfd *fds)
{
	return conn_poll(inner(c), read, write, fds);
}

bool wrapped_ready(const struct conn *c)
{
	return conn_ready(inner(c));
}

void wrapped_want(struct conn *c, size_t n)
{
	conn_want(inner(c), n);
}

bool wrapped_is_flushed(const struct conn *c)
{
	return conn_is_flushed(inner(c));
}
