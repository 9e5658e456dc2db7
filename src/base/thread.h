/*
 * thread.h - a named thread, joined by whoever started it.
 *
 * Every thread has all signals blocked (the main thread reads them from a
 * signalfd) and a 256 KiB stack.  Failure to start one is like failure to
 * allocate: it aborts.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include "base/base.h"

#include <pthread.h>

typedef void thread_fn(void *arg);

struct thread {
	pthread_t id;
	bool running;
};

/* name: at most 15 bytes are kept, for ps(1) and gdb. */
void thread_start(struct thread *t, const char *name, thread_fn *fn, void *arg);
void thread_join(struct thread *t); /* nothing if it never ran */

#endif
