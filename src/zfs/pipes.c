#include "zfs/pipes.h"

#include "base/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

enum { READ_CHUNK = 16 * 1024 };

int zfs_pipe(enum zfs_pipe_end ours, int64_t bytes, int *our_fd, int *child_fd,
	     struct err *err)
{
	int we = ours == ZFS_WE_READ ? 0 : 1, fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	*our_fd = fds[we];
	*child_fd = fds[1 - we];
	if (fcntl(fds[we], F_SETFL, O_NONBLOCK) < 0) {
		err_sys(err, errno, "fcntl");
		fd_closep(our_fd);
		fd_closep(child_fd);
		*our_fd = *child_fd = -1;
		return -1;
	}
	if (bytes > 0) /* a wish */
		fcntl(fds[we], F_SETPIPE_SZ, bytes > INT_MAX ? INT_MAX : (int)bytes);
	return 0;
}

/* Returns 1: some; 0: nothing there now; -1: never again. */
static int read_some(struct zfs_tail *t)
{
	ssize_t n = read(t->fd, buf_reserve(&t->text, READ_CHUNK), READ_CHUNK);

	if (n > 0) {
		buf_added(&t->text, (size_t)n);
		if (t->text.len > t->keep)
			buf_drop(&t->text, t->text.len - t->keep);
		return 1;
	}
	if (n < 0 && errno == EINTR)
		return 1;
	return n < 0 && errno == EAGAIN ? 0 : -1;
}

static void keep_reading(void *arg)
{
	struct zfs_tail *t = arg;
	struct pollfd p[2] = {
		{ .fd = t->fd, .events = POLLIN },
		{ .fd = t->stop.fd, .events = POLLIN },
	};
	int r = 1;

	while (r >= 0) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		r = read_some(t);
		if (r == 0 && p[1].revents != 0)
			return;
	}
}

int zfs_tail_start(struct zfs_tail *t, size_t keep, int *write_end, struct err *err)
{
	int fd;

	if (zfs_pipe(ZFS_WE_READ, 0, &fd, write_end, err) < 0)
		return -1;
	*t = (struct zfs_tail){ .fd = fd, .keep = keep };
	t->text.max = keep + READ_CHUNK;
	if (wake_open(&t->stop, err) < 0) {
		fd_closep(&fd);
		fd_closep(write_end);
		return -1;
	}
	thread_start(&t->thread, "zfs-stderr", keep_reading, t);
	return 0;
}

char *zfs_tail_stop(struct zfs_tail *t)
{
	char *said;

	wake_signal(&t->stop);
	thread_join(&t->thread);
	wake_fini(&t->stop);
	fd_closep(&t->fd);
	said = view_dup(view_trim(buf_view(&t->text)));
	buf_free(&t->text);
	return said;
}
