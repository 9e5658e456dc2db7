/*
 * scratch.h - for tests: a directory that is gone at exit, and files in it.
 *
 *	cleanup(str_freep) char *path = scratch_path("name");
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "base/parse.h"
#include "tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_dir[80]; /* short: sockets in it must be, too */

static inline void scratch_remove(void)
{
	DIR *d = opendir(scratch_dir);

	for (struct dirent *e; d && (e = readdir(d));)
		if (unlinkat(dirfd(d), e->d_name, 0) < 0)
			(void)!unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	if (d)
		closedir(d);
	rmdir(scratch_dir);
}

static inline char *scratch_path(const char *name)
{
	if (!scratch_dir[0]) {
		snprintf(scratch_dir, sizeof(scratch_dir), "/tmp/zrepl-test-XXXXXX");
		if (!mkdtemp(scratch_dir) || atexit(scratch_remove) != 0)
			abort();
	}
	return xasprintf("%s/%s", scratch_dir, name);
}

static inline void scratch_write(const char *name, const char *text, mode_t mode)
{
	cleanup(str_freep) char *path = scratch_path(name);
	FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, mode) < 0)
		abort();
}

/* NULL: there is none. */
static inline char *scratch_read(const char *name)
{
	cleanup(str_freep) char *path = scratch_path(name);
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup(buf_free) struct buf b = { 0 };
	ssize_t n;

	if (fd < 0)
		return NULL;
	while ((n = read(fd, buf_reserve(&b, 4096), 4096)) > 0)
		buf_added(&b, (size_t)n);
	return view_dup(buf_view(&b));
}

static inline void scratch_forget(const char *name)
{
	cleanup(str_freep) char *path = scratch_path(name);

	unlink(path);
}

#endif
