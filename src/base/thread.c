#include "base/thread.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>

enum { STACK_SIZE = 256 * 1024, NAME_SIZE = 16 };

struct start {
	char name[NAME_SIZE];
	thread_fn *fn;
	void *arg;
};

static void *run(void *p)
{
	struct start s = *(struct start *)p;

	free(p);
	pthread_setname_np(pthread_self(), s.name);
	s.fn(s.arg);
	return NULL;
}

void thread_start(struct thread *t, const char *name, thread_fn *fn, void *arg)
{
	struct start *s = xcalloc(1, sizeof(*s));
	pthread_attr_t attr;
	sigset_t all;

	assert(!t->running);
	s->fn = fn;
	s->arg = arg;
	snprintf(s->name, sizeof(s->name), "%s", name);
	sigfillset(&all);
	if (pthread_attr_init(&attr) != 0 ||
	    pthread_attr_setstacksize(&attr, STACK_SIZE) != 0 ||
	    pthread_attr_setsigmask_np(&attr, &all) != 0 ||
	    pthread_create(&t->id, &attr, run, s) != 0) {
		fprintf(stderr, "cannot start thread %s\n", name);
		abort();
	}
	pthread_attr_destroy(&attr);
	t->running = true;
}

void thread_join(struct thread *t)
{
	if (t->running)
		pthread_join(t->id, NULL);
	t->running = false;
}
