#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64, CONNECT_SECONDS = 10 };

static int set_address(struct sockaddr_un *a, const char *path, struct err *err)
{
	size_t n = strlen(path);

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n == 0 || n >= sizeof(a->sun_path))
		return err_set(err, ERR_INVALID,
			       "socket path \"%s\" must have 1 to %zu bytes", path,
			       sizeof(a->sun_path) - 1);
	memcpy(a->sun_path, path, n + 1);
	return 0;
}

int socket_connect(const char *path, struct err *err)
{
	const struct timeval patience = { .tv_sec = CONNECT_SECONDS };
	cleanup(fd_closep) int fd = -1;
	struct sockaddr_un a;

	if (set_address(&a, path, err) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "socket");
	/* A listener that no longer accepts would have us wait for ever. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_sys(err, errno, "connect to %s", path);
	return take_fd(&fd);
}

static int check_directory(const char *path, struct err *err)
{
	cleanup(str_freep) char *copy = xstrdup(path);
	const char *dir = dirname(copy);
	struct stat st;

	if (stat(dir, &st) < 0)
		return err_sys(err, errno, "directory %s of the socket", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is not a directory", dir);
	if (st.st_mode & 0007)
		return err_set(
			err, ERR_DENIED,
			"directory %s is open to all users (mode %04o): use chmod o-rwx",
			dir, st.st_mode & 07777);
	return 0;
}

/*
 * Held while one of several daemons that start at the same time looks whether another
 * one listens, and while it starts to listen itself.  Where a file system knows no such
 * locks, that is a race.
 */
static int lock_directory(const char *path, struct err *err)
{
	cleanup(str_freep) char *copy = xstrdup(path);
	const char *dir = dirname(copy);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "open directory %s", dir);
	flock(fd, LOCK_EX);
	return fd;
}

static int remove_stale(const char *path, struct err *err)
{
	cleanup(err_clear) struct err refused = ERR_INIT;
	cleanup(fd_closep) int fd = -1;
	struct stat st;

	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(err, errno, "%s", path);
	}
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_EXISTS, "%s is in the way and is not a socket",
			       path);
	fd = socket_connect(path, &refused);
	if (fd >= 0 || refused.sys == EAGAIN)
		return err_set(err, ERR_BUSY,
			       "%s: another daemon is listening there: stop it first",
			       path);
	if (refused.sys != ECONNREFUSED && refused.sys != ENOENT) {
		err_move(err, &refused);
		return -1;
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(err, errno, "remove stale socket %s", path);
	return 0;
}

int socket_listen_private(const char *path, struct err *err)
{
	cleanup(fd_closep) int fd = -1, lock = -1;
	struct sockaddr_un a;

	if (set_address(&a, path, err) < 0 || check_directory(path, err) < 0)
		return -1;
	lock = lock_directory(path, err);
	if (lock < 0 || remove_stale(path, err) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, errno, "socket");
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_sys(err, errno, "bind %s", path);
	if (listen(fd, BACKLOG) < 0)
		return err_sys(err, errno, "listen at %s", path);
	return take_fd(&fd);
}
