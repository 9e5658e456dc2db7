/*
 * fake.h - shell scripts in the place of zfs(8) and zpool(8).
 *
 *	cleanup(fake_free) struct fake f = fake_new("echo tank; exit 1");
 *
 * puts a `zfs` first in PATH that does this, and writes its arguments, a line each
 * call, to where fake_calls() finds them.  One fake at a time; start it before threads.
 */
#ifndef FAKE_H
#define FAKE_H

#include "conf/env.h"
#include "tap.h"
#include "zfs/zfs.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static char fake_dir[200];

struct fake {
	struct env env; /* may be changed at any time */
	struct zfs *z;
	struct ctx *ctx;
	struct err e;
};

static inline char *fake_path(const char *name)
{
	char *s;

	if (asprintf(&s, "%s/%s", fake_dir, name) < 0)
		abort();
	return s;
}

static inline void fake_remove(void)
{
	static const char *const names[] = { "zfs", "zpool", "log", "out", "flag" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup(str_freep) char *path = fake_path(names[i]);

		unlink(path);
	}
	rmdir(fake_dir);
}

static inline void fake_write(const char *name, const char *text, mode_t mode)
{
	cleanup(str_freep) char *path = fake_path(name);
	FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, mode) < 0)
		abort();
}

static inline void fake_script(const char *name, const char *body)
{
	char *text;

	if (asprintf(&text, "#!/bin/sh\nD='%s'\necho \"%s $*\" >>$D/log\n%s\n", fake_dir,
		     name, body) < 0)
		abort();
	fake_write(name, text, 0755);
	free(text);
}

static inline void fake_setup(void)
{
	const char *tmp = getenv("TMPDIR"), *old = getenv("PATH");
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	char *path;

	if (fake_dir[0])
		return;
	snprintf(fake_dir, sizeof(fake_dir), "%s/zfs-test-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(fake_dir) || asprintf(&path, "%s:%s", fake_dir, old) < 0)
		abort();
	setenv("PATH", path, 1);
	free(path);
	sigaction(SIGPIPE, &ignore, NULL);
	atexit(fake_remove);
}

static inline struct fake fake_new(const char *zfs_body)
{
	struct fake f = { .env = env_defaults() };

	fake_setup();
	fake_script("zfs", zfs_body);
	fake_write("log", "", 0600);
	f.ctx = ctx_new(NULL);
	return f;
}

static inline struct zfs *fake_z(struct fake *f)
{
	static const struct log quiet;

	if (!f->z)
		f->z = zfs_new(&f->env, &quiet);
	return f->z;
}

static inline void fake_free(struct fake *f)
{
	zfs_free(f->z);
	ctx_free(f->ctx);
	err_clear(&f->e);
}

static inline char *fake_read(const char *name)
{
	cleanup(str_freep) char *path = fake_path(name);
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t cap = 0;

	if (!f || getdelim(&text, &cap, '\0', f) < 0) {
		free(text);
		text = xstrdup("");
	}
	if (f)
		fclose(f);
	return text;
}

/* Since fake_new(), a line each: "zfs list -H\n" */
static inline char *fake_calls(void)
{
	return fake_read("log");
}

#define CHECK_CALLS(want)                                      \
	do {                                                   \
		cleanup(str_freep) char *calls = fake_calls(); \
		CHECK_STR(calls, want);                        \
	} while (0)

static inline struct strs strs_of(const char *const *words)
{
	struct strs l = { 0 };

	for (; *words; words++)
		strs_add(&l, *words);
	return l;
}
#define STRS(...) strs_of((const char *const[]){ __VA_ARGS__, NULL })

#endif
