/*
 * certs.h - for tests: a directory with what make-certs makes.
 *
 * Made when it is asked for first; it goes when the program ends.
 */
#ifndef CERTS_H
#define CERTS_H

#include "base/proc.h"
#include "tap.h"

#include <ftw.h>
#include <unistd.h>

static char certs_path[64];

static inline int certs_remove_one(const char *path, const struct stat *st, int type,
				   struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void certs_remove(void)
{
	nftw(certs_path, certs_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline const char *certs_dir(void)
{
	const char *argv[] = { MAKE_CERTS, certs_path, NULL };
	struct proc_opts o = { .argv = argv, .in = -1, .out = -1, .errfd = 2 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct err e = ERR_INIT;
	struct proc p;

	if (*certs_path)
		return certs_path;
	snprintf(certs_path, sizeof(certs_path), "/tmp/zrepl-certs-XXXXXX");
	if (!mkdtemp(certs_path))
		abort();
	atexit(certs_remove);
	if (proc_start(&p, &o, &e) < 0 || proc_wait(&p, ctx, 1000, &e) < 0) {
		printf("# %s: %s\n", MAKE_CERTS, err_msg(&e));
		abort();
	}
	return certs_path;
}

static inline char *certs_file(const char *name)
{
	return xasprintf("%s/%s", certs_dir(), name);
}

#endif
