/*
 * invocation.h - one pass of an active job: replicate, prune one side, prune the other.
 *
 * What status shows between invocations is the last one, so it is counted: the job holds
 * one reference, everyone who is just copying its reports another.  The phases appear one
 * by one (NULL: not begun) and never change afterwards.
 */
#ifndef JOB_INVOCATION_H
#define JOB_INVOCATION_H

#include "job/sides.h"
#include "replicate/driver.h"

#include <pthread.h>

struct invocation;

struct invocation *invocation_new(void) must_check; /* one reference */
struct invocation *invocation_ref(struct invocation *i);
void invocation_unref(struct invocation *i); /* NULL is fine */
DEFINE_CLEANUP(invocation_unref, struct invocation *);

/*
 * The whole of it, for push and pull, and for snap.  Everything that fails is logged and
 * in the reports.  Ends early when ctx is done: later phases are skipped then, and only
 * then.  The sides are the caller's, who may close them afterwards.
 */
void invocation_replicate(struct ctx *ctx, struct invocation *i,
			  const struct job_core *core, const struct sides *sides);
void invocation_prune(struct ctx *ctx, struct invocation *i, const struct job_core *core,
		      const struct sides *sides);

void invocation_status(struct invocation *i, struct job_status *out);

#endif
