/*
 * conn_impl.h - what a transport implements; included by src/net only.
 *
 * conn.c calls these after it has checked arguments; each is described at the function
 * of conn.h that it stands behind.  A transport embeds struct conn first, in a block of
 * its own from xcalloc().  Messages need not say with whom: conn.c puts that in front.
 */
#ifndef NET_CONN_IMPL_H
#define NET_CONN_IMPL_H

#include "net/conn.h"

struct conn_ops {
	enum conn_result (*read)(struct conn *c, void *p, size_t n, size_t *got,
				 struct err *err);
	enum conn_result (*splice)(struct conn *c, int pipe, size_t n, size_t *got,
				   struct err *err);
	enum conn_result (*write)(struct conn *c, const struct iovec *iov, int n,
				  size_t *put, struct err *err);
	/* NULL: it would spare nothing */
	enum conn_result (*splice_from)(struct conn *c, int pipe, size_t n, size_t *put,
					struct err *err);
	enum conn_result (*finish)(struct conn *c, struct err *err);
	nfds_t (*poll)(const struct conn *c, bool read, bool write, struct pollfd *fds);
	bool (*ready)(const struct conn *c);
	void (*want)(struct conn *c, size_t n);
	bool (*is_flushed)(const struct conn *c);
	/* what it added; conn_close() frees the rest, and c */
	void (*close)(struct conn *c);
};

struct conn {
	const struct conn_ops *ops;
	char *peer;
	char *identity; /* or NULL */
	bool more;      /* see conn_more() */
};

/* CONN_FAILED, with ERR_NETWORK where that errno speaks of the network or the peer. */
enum conn_result conn_failed(int errnum, struct err *err);

#endif
