#include "net/kept.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void kept_read(struct kept *k, void *p, size_t n, size_t *got)
{
	size_t have = k->end - k->at;

	*got = n < have ? n : have;
	memcpy(p, k->p + k->at, *got);
	k->at += *got;
}

enum conn_result kept_put(struct kept *k, int pipe, size_t n, size_t *got,
			  struct err *err)
{
	size_t have = k->end - k->at;
	ssize_t w;

	do
		w = write(pipe, k->p + k->at, n < have ? n : have);
	while (w < 0 && errno == EINTR);
	if (w < 0 && errno == EAGAIN)
		return CONN_PIPE_FULL;
	if (w < 0 && errno == EPIPE)
		return CONN_PIPE_CLOSED;
	if (w < 0) {
		err_sys(err, errno, "write to a pipe");
		return CONN_FAILED;
	}
	k->at += (size_t)w;
	*got = (size_t)w;
	return CONN_OK;
}
