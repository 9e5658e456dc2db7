#include "net/fdio.h"

#include "net/conn_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WANT_MAX = 1024 * 1024 /* a peer's frame must not pin down more in the kernel */ };

enum fdio_kind fdio_kind(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return FDIO_OTHER;
	if (S_ISSOCK(st.st_mode))
		return FDIO_SOCKET;
	return S_ISFIFO(st.st_mode) ? FDIO_PIPE : FDIO_OTHER;
}

enum conn_result fdio_send(int to, const struct iovec *iov, int n, bool more, size_t *put,
			   struct err *err)
{
	const struct msghdr m = {
		.msg_iov = (struct iovec *)iov, /* which it only reads */
		.msg_iovlen = (size_t)(n < FDIO_IOV_USED ? n : FDIO_IOV_USED),
	};
	ssize_t w;

	do
		w = sendmsg(to, &m, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
	while (w < 0 && errno == EINTR);
	if (w < 0)
		return errno == EAGAIN ? CONN_AGAIN : conn_failed(errno, err);
	*put = (size_t)w;
	return CONN_OK;
}

enum conn_result fdio_splice_from(int pipe, int to, size_t n, bool more, size_t *put,
				  struct err *err)
{
	const unsigned flags =
		SPLICE_F_NONBLOCK | SPLICE_F_MOVE | (more ? SPLICE_F_MORE : 0);
	struct pollfd left = { .fd = pipe, .events = POLLIN };
	ssize_t r;

	do
		r = splice(pipe, NULL, to, NULL, n, flags);
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

void fdio_want(int socket, size_t n, int *stands)
{
	int want = n < WANT_MAX ? (int)n : WANT_MAX;

	if (want != *stands &&
	    setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &want, sizeof(want)) == 0)
		*stands = want;
}
