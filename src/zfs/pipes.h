/*
 * pipes.h - what connects us with a running zfs send or receive: the pipe of its
 * stream, and the end of what it says on stderr, which a thread reads, so that the
 * child never blocks on it.
 */
#ifndef ZFS_PIPES_H
#define ZFS_PIPES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/thread.h"
#include "base/wake.h"

/*
 * Our end is non-blocking, the child's is not.  bytes: its size; the system may have
 * its own mind.
 */
enum zfs_pipe_end { ZFS_WE_READ, ZFS_WE_WRITE };
int zfs_pipe(enum zfs_pipe_end ours, int64_t bytes, int *our_fd, int *child_fd,
	     struct err *err) must_check;

struct zfs_tail {
	struct thread thread;
	struct wake stop;
	int fd;
	size_t keep;
	struct buf text; /* the thread's until it has been joined */
};

/* *write_end is for the child; the caller closes it. */
int zfs_tail_start(struct zfs_tail *t, size_t keep, int *write_end, struct err *err)
	must_check;
/*
 * Once the child has ended: what it said, trimmed.  A descendant that keeps its stderr
 * is not waited for.  Afterwards t is empty.
 */
char *zfs_tail_stop(struct zfs_tail *t) must_check;

#endif
