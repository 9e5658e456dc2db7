/*
 * output.h - what a program prints, for tests that need a real one.
 */
#ifndef TAP_OUTPUT_H
#define TAP_OUTPUT_H

#include "base/buf.h"
#include "base/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Appends its stdout; its stderr is ours.  false, after saying why: it did not succeed.
 */
static inline bool output_of(const char *const *argv, struct buf *out)
{
	cleanup(fd_closep) int from = -1, to = -1;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err err = ERR_INIT;
	struct proc p;
	int fds[2];
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC) < 0)
		abort();
	from = fds[0];
	to = fds[1];
	if (proc_start(
		    &p,
		    &(struct proc_opts){ .argv = argv, .in = -1, .out = to, .errfd = 2 },
		    &err) == 0) {
		fd_closep(&to);
		while ((n = read(from, buf_reserve(out, 4096), 4096)) > 0)
			buf_added(out, (size_t)n);
		if (proc_wait(&p, ctx, 1000, &err) == 0)
			return true;
	}
	printf("# %s: %s\n", argv[0], err_msg(&err));
	return false;
}

#endif
