/*
 * loopback.h - connected TCP sockets on this host, for tests, past the code under test.
 */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "tap.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* A blocking listener at a port of the system's choice, which is told. */
static inline int loopback_listen(int backlog, struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CHECK(bind(fd, (struct sockaddr *)at, sizeof(*at)) == 0);
	CHECK(listen(fd, backlog) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)at, &len) == 0);
	return fd;
}

static inline void loopback_set_nonblocking(int fd)
{
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
}

/* Two ends of a connection, non-blocking. */
static inline void loopback_pair(int *a, int *b)
{
	struct sockaddr_in at;
	int l = loopback_listen(1, &at);

	*a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(connect(*a, (struct sockaddr *)&at, sizeof(at)) == 0);
	*b = accept4(l, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	CHECK(*b >= 0);
	loopback_set_nonblocking(*a);
	close(l);
}

#endif
