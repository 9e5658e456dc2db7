#include "conf/source.h"

#include "codec/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *source_find(const char *const *candidates, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct stat st;

		if (stat(candidates[i], &st) < 0)
			continue;
		if (S_ISREG(st.st_mode))
			return candidates[i];
		err_set(err, ERR_INVALID, "%s: not a regular file", candidates[i]);
		return NULL;
	}
	cleanup(buf_free) struct buf all = { 0 };

	for (size_t i = 0; i < n; i++)
		buf_printf(&all, "%s%s", i ? " nor " : "", candidates[i]);
	err_sys(err, ENOENT, "no configuration file, neither %s", buf_str(&all));
	return NULL;
}

int source_read(const char *path, struct buf *out, struct err *err)
{
	enum { STEP = 64 << 10 };
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_sys(err, errno, "%s: cannot open", path);
	buf_free(out);
	for (;;) {
		ssize_t n = read(fd, buf_reserve(out, STEP), STEP);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "%s: cannot read", path);
		if (n == 0)
			return 0;
		buf_added(out, (size_t)n);
		if (out->len > YAML_MAX_BYTES)
			return err_set(
				err, ERR_INVALID,
				"%s:1:1: the file is longer than %d bytes; is it a "
				"configuration file?",
				path, YAML_MAX_BYTES);
	}
}

static bool has_extension(const char *name)
{
	size_t len = strlen(name);

	return len >= 4 && strcmp(name + len - 4, ".yml") == 0;
}

static int list_directory(const char *path, struct strs *files, struct err *err)
{
	cleanup(strs_free) struct strs names = { 0 };
	const struct dirent *e;
	DIR *dir = opendir(path);

	if (!dir)
		return err_sys(err, errno, "cannot open directory \"%s\"", path);
	while (errno = 0, (e = readdir(dir)) != NULL && names.n <= SOURCE_MAX_INCLUDED)
		if (has_extension(e->d_name))
			strs_add(&names, e->d_name);
	int failed = e ? 0 : errno;

	closedir(dir);
	if (failed)
		return err_sys(err, failed, "cannot read directory \"%s\"", path);
	strs_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		strs_addf(files, "%s/%s", path, names.v[i]);
	return 0;
}

static char *beside(const char *main, const char *entry)
{
	const char *slash = strrchr(main, '/');
	struct buf b = { 0 };

	if (slash && entry[0] != '/')
		buf_put(&b, main, (size_t)(slash - main) + 1);
	buf_printf(&b, "%s", entry);
	return buf_take(&b);
}

int source_expand(const char *main, const char *entry, struct strs *files, bool *from_cwd,
		  struct err *err)
{
	cleanup(str_freep) char *path = beside(main, entry);
	struct stat st;

	*from_cwd = false;
	if (stat(path, &st) < 0) {
		int why = errno;

		if (why != ENOENT || stat(entry, &st) < 0)
			return err_sys(err, why, "\"%s\"", path);
		free(path);
		path = xstrdup(entry);
		*from_cwd = true;
	}
	if (S_ISDIR(st.st_mode)) {
		if (list_directory(path, files, err) < 0)
			return -1;
	} else if (!S_ISREG(st.st_mode)) {
		return err_set(err, ERR_INVALID,
			       "\"%s\" is neither a file nor a directory", path);
	} else if (!has_extension(path)) {
		return err_set(err, ERR_INVALID, "\"%s\" does not end in .yml", path);
	} else {
		strs_add(files, path);
	}
	if (files->n > SOURCE_MAX_INCLUDED)
		return err_set(err, ERR_INVALID, "more than %d files are included",
			       SOURCE_MAX_INCLUDED);
	return 0;
}
