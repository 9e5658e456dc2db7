/*
 * wrapped.h - a conn around another one, for transports that add something to plain
 * descriptors.  The transport's table of operations has these, or its own around them.
 * The inner conn is one of conn_of_fds().
 */
#ifndef NET_WRAPPED_H
#define NET_WRAPPED_H

#include "net/conn_impl.h"

struct wrapped {
	struct conn base;
	struct conn *inner; /* owned */
};

enum conn_result wrapped_read(struct conn *c, void *p, size_t n, size_t *got,
			      struct err *err);
enum conn_result wrapped_splice(struct conn *c, int pipe, size_t n, size_t *got,
				struct err *err);
enum conn_result wrapped_write(struct conn *c, const struct iovec *iov, int n,
			       size_t *put, struct err *err);
enum conn_result wrapped_splice_from(struct conn *c, int pipe, size_t n, size_t *put,
				     struct err *err);
enum conn_result wrapped_finish(struct conn *c, struct err *err);
nfds_t wrapped_poll(const struct conn *c, bool read, bool write, struct pollfd *fds);
bool wrapped_ready(const struct conn *c);
void wrapped_want(struct conn *c, size_t n);
bool wrapped_is_flushed(const struct conn *c);

#endif
