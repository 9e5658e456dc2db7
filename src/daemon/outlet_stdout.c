#include "daemon/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

struct outlet_stdout {
	struct outlet outlet;
	int fd;
	bool is_stuck; /* the last entry could not be written in time */
	struct buf line;
};

/*
 * Whoever reads our output may have stopped to.  The jobs must not stop with him, so
 * after a second of waiting the rest of an entry is dropped, and until he reads again so
 * is every entry that does not fit at once.  poll(2) promises room for PIPE_BUF bytes.
 */
int outlet_write_all(int fd, struct view bytes, bool *is_stuck, size_t *put,
		     struct err *err)
{
	const char *p = bytes.p;
	size_t n = bytes.len;

	for (*put = 0; n > 0; *put = bytes.len - n) {
		struct pollfd pfd = { .fd = fd, .events = POLLOUT };
		int ready = poll(&pfd, 1, *is_stuck ? 0 : OUTLET_STUCK_MS);
		ssize_t r;

		if (ready < 0 && errno == EINTR)
			continue;
		*is_stuck = ready == 0;
		if (ready < 0)
			return err_sys(err, errno, "poll");
		if (ready == 0)
			return err_set(err, ERR_TIMEOUT, "nobody reads");
		r = write(fd, p, n < PIPE_BUF ? n : PIPE_BUF);
		if (r < 0 && errno != EINTR && errno != EAGAIN)
			return err_sys(err, errno, "write");
		if (r > 0) {
			p += r;
			n -= (size_t)r;
		}
	}
	return 0;
}

static int write_line(struct outlet *outlet, enum log_level level, struct view line,
		      struct err *err)
{
	struct outlet_stdout *o = CONTAINER_OF(outlet, struct outlet_stdout, outlet);
	size_t put;

	(void)level;
	o->line.len = 0;
	buf_put(&o->line, line.p, line.len);
	buf_put(&o->line, "\n", 1);
	return outlet_write_all(o->fd, buf_view(&o->line), &o->is_stuck, &put, err);
}

static void close_stdout(struct outlet *outlet)
{
	struct outlet_stdout *o = CONTAINER_OF(outlet, struct outlet_stdout, outlet);

	buf_free(&o->line);
	free(o);
}

struct outlet *outlet_stdout_new(int fd)
{
	static const struct outlet_ops ops = { write_line, NULL, close_stdout };
	struct outlet_stdout *o = xcalloc(1, sizeof(*o));

	o->outlet.ops = &ops;
	o->fd = fd;
	return &o->outlet;
}
