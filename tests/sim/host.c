#include "host.h"

#include "base/strs.h"
#include "output.h"

#include <assert.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char *home; /* bin/zfs, bin/zpool, N/ of the Nth machine */
static unsigned machines;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void remove_home(void)
{
	nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(home);
}

static char *below_home(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", home, name) < 0)
		abort();
	return path;
}

static void link_as(const char *name)
{
	cleanup(str_freep) char *path = below_home(name);

	if (symlink(SIMZFS_PATH, path) < 0)
		abort();
}

static void make_home(void)
{
	cleanup(str_freep) char *bin = NULL, *path = NULL;
	const char *tmp = getenv("TMPDIR");

	if (asprintf(&home, "%s/simzfs.XXXXXX", tmp ? tmp : "/tmp") < 0 || !mkdtemp(home))
		abort();
	atexit(remove_home);
	bin = below_home("bin");
	if (mkdir(bin, 0700) < 0)
		abort();
	link_as("bin/zfs");
	link_as("bin/zpool");
	if (asprintf(&path, "%s:%s", bin, getenv("PATH")) < 0)
		abort();
	setenv("PATH", path, 1);
	/* As the program does: a reader that ends is an error of write(2). */
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
}

void sim_start(void)
{
	cleanup(str_freep) char *dir = NULL;

	if (!home)
		make_home();
	if (asprintf(&dir, "%s/%u", home, ++machines) < 0 || mkdir(dir, 0700) < 0)
		abort();
	setenv("SIMZFS_DIR", dir, 1);
}

void sim_set(const char *name, const char *value)
{
	cleanup(str_freep) char *dir = NULL, *path = NULL;
	FILE *f;

	if (asprintf(&dir, "%s/%u/set", home, machines) < 0 ||
	    asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	mkdir(dir, 0700);
	f = fopen(path, "we");
	if (!f || fputs(value ? value : "", f) < 0 || fclose(f) != 0)
		abort();
}

static char *run(const char *fmt, va_list ap) printf_like(1, 0);
static char *run(const char *fmt, va_list ap)
{
	cleanup(str_freep) char *line = NULL;
	cleanup(strs_free) struct strs argv = { 0 };
	cleanup(buf_free) struct buf out = { 0 };
	char *word, *rest;

	assert(home);
	if (vasprintf(&line, fmt, ap) < 0)
		abort();
	strs_add(&argv, "zfs");
	rest = line;
	while ((word = strsep(&rest, " ")) != NULL)
		strs_add(&argv, word);
	if (!output_of(strs_argv(&argv), &out))
		return NULL;
	if (out.len > 0)
		out.p[--out.len] = '\0';
	return xstrdup(buf_str(&out));
}

bool sim(const char *fmt, ...)
{
	cleanup(str_freep) char *out = NULL;
	va_list ap;

	va_start(ap, fmt);
	out = run(fmt, ap);
	va_end(ap);
	return out != NULL;
}

char *sim_output(const char *fmt, ...)
{
	va_list ap;
	char *out;

	va_start(ap, fmt);
	out = run(fmt, ap);
	va_end(ap);
	return out;
}
