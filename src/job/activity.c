#include "job/activity.h"

#include <assert.h>

void activity_init(struct activity *a)
{
	*a = (struct activity){ .state = ACTIVITY_IDLE };
	pthread_mutex_init(&a->lock, NULL);
	wake_init(&a->wake);
}

void activity_fini(struct activity *a)
{
	assert(!a->run);
	wake_fini(&a->wake);
	pthread_mutex_destroy(&a->lock);
}

bool activity_trigger(struct activity *a)
{
	bool was_idle;

	pthread_mutex_lock(&a->lock);
	was_idle = a->state == ACTIVITY_IDLE;
	if (was_idle)
		a->state = ACTIVITY_WOKEN;
	pthread_mutex_unlock(&a->lock);
	if (was_idle)
		wake_signal(&a->wake);
	return was_idle;
}

enum activity_queued activity_queue(struct activity *a)
{
	enum activity_queued r = ACTIVITY_WAITS;

	pthread_mutex_lock(&a->lock);
	if (a->state == ACTIVITY_BUSY && !a->is_queued) {
		a->is_queued = true;
		r = ACTIVITY_QUEUED;
	} else if (a->state == ACTIVITY_IDLE) {
		a->state = ACTIVITY_WOKEN;
		r = ACTIVITY_STARTS;
	}
	pthread_mutex_unlock(&a->lock);
	if (r == ACTIVITY_STARTS)
		wake_signal(&a->wake);
	return r;
}

bool activity_reset(struct activity *a)
{
	bool was_busy;

	pthread_mutex_lock(&a->lock);
	was_busy = a->state == ACTIVITY_BUSY;
	if (was_busy)
		ctx_cancel(a->run);
	pthread_mutex_unlock(&a->lock);
	return was_busy;
}

struct ctx *activity_begin(struct activity *a, struct ctx *ctx, struct err *err)
{
	struct ctx *run;

	if (wake_wait(&a->wake, ctx, -1, err) < 0)
		return NULL;
	run = ctx_new(ctx);
	pthread_mutex_lock(&a->lock);
	assert(a->state == ACTIVITY_WOKEN);
	a->state = ACTIVITY_BUSY;
	a->run = run;
	pthread_mutex_unlock(&a->lock);
	return run;
}

void activity_end(struct activity *a, struct ctx *run)
{
	bool again;

	pthread_mutex_lock(&a->lock);
	assert(a->run == run);
	again = a->is_queued;
	a->state = again ? ACTIVITY_WOKEN : ACTIVITY_IDLE;
	a->is_queued = false;
	a->run = NULL;
	pthread_mutex_unlock(&a->lock);
	if (again)
		wake_signal(&a->wake);
	ctx_free(run);
}
