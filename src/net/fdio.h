/*
 * fdio.h - what conns do with descriptors, with the results of conn.h; for transports
 * only.  The descriptors are non-blocking and borrowed.
 */
#ifndef NET_FDIO_H
#define NET_FDIO_H

#include "net/conn.h"

enum fdio_kind { FDIO_SOCKET, FDIO_PIPE, FDIO_OTHER };

enum fdio_kind fdio_kind(int fd);

enum { FDIO_IOV_USED = 64 }; /* of one conn_write(); the rest comes again */

/* Behind conn_write() and conn_splice_from(), to a socket.  more: see conn_more(). */
enum conn_result fdio_send(int to, const struct iovec *iov, int n, bool more, size_t *put,
			   struct err *err);
enum conn_result fdio_splice_from(int pipe, int to, size_t n, bool more, size_t *put,
				  struct err *err);

/* A wish for n bytes, unless it is the one that stands: *stands, 1 at first. */
void fdio_want(int socket, size_t n, int *stands);

#endif
