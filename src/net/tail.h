/*
 * tail.h - the end of what a child says on its stderr.
 *
 * A thread reads it, so that the child never waits for us, whatever its connection does.
 * It does not wait for the end of the pipe: a descendant of the child may keep that open.
 */
#ifndef NET_TAIL_H
#define NET_TAIL_H

#include "base/buf.h"
#include "base/err.h"

enum { TAIL_MAX = 32 * 1024 };

struct tail;

/* Takes fd, the reading end of a pipe. */
struct tail *tail_start(int fd, struct err *err) must_check;
/*
 * Reads what is there by now, and no more.  The last TAIL_MAX bytes, borrowed; again the
 * same when called again.
 */
struct view tail_stop(struct tail *t);
void tail_free(struct tail *t); /* NULL is fine */
DEFINE_CLEANUP(tail_free, struct tail *);

#endif
