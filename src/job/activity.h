/*
 * activity.h - when a job works: idle until triggered, then busy until done.
 *
 *	idle --trigger--> woken --begin--> busy --end--> idle
 *	                                    | reset: its ctx is cancelled
 *
 * A trigger while woken or busy is refused (compat: zrepl 0.7).  activity_queue() is the
 * trigger that is remembered while busy, once: from busy to woken.  One thread runs the
 * activity; any thread may trigger and reset.
 */
#ifndef JOB_ACTIVITY_H
#define JOB_ACTIVITY_H

#include "base/ctx.h"
#include "base/wake.h"

#include <pthread.h>

enum activity_state { ACTIVITY_IDLE, ACTIVITY_WOKEN, ACTIVITY_BUSY };

struct activity {
	pthread_mutex_t lock;
	enum activity_state state; /* guarded by lock */
	struct ctx *run;           /* while busy, guarded by lock */
	bool is_queued;            /* while busy: once more; guarded by lock */
	struct wake wake;
};

void activity_init(struct activity *a);
void activity_fini(struct activity *a);

bool activity_trigger(struct activity *a); /* false: woken or busy already */
enum activity_queued {
	ACTIVITY_STARTS, /* was idle, is woken */
	ACTIVITY_QUEUED, /* is busy, and will be again */
	ACTIVITY_WAITS,  /* has not begun, or is queued already */
};
enum activity_queued activity_queue(struct activity *a);
bool activity_reset(struct activity *a); /* false: not busy */

/*
 * Wait for a trigger, then become busy.  The ctx of this run, a child of ctx, is the
 * caller's until activity_end(); NULL with *err when ctx is done first.
 */
struct ctx *activity_begin(struct activity *a, struct ctx *ctx, struct err *err)
	must_check;
void activity_end(struct activity *a, struct ctx *run); /* frees run */

#endif
