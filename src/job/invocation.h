/*
 * invocation.h - one pass of an active job: replicate, prune one side, prune the other.
 *
 * What status shows between invocations is the last one, so it is counted: the job holds
 * one reference, everyone who is just copying its reports another.  The phases appear one
 * by one (NULL: not begun) and never change afterwards.
 */
#ifndef JOB_INVOCATION_H
#define JOB_INVOCATION_H

#include "job/job.h"
#include "replicate/driver.h"

#include <pthread.h>

struct invocation;

struct invocation *invocation_new(void) must_check; /* one reference */
struct invocation *invocation_ref(struct invocation *i);
void invocation_unref(struct invocation *i); /* NULL is fine */
DEFINE_CLEANUP(invocation_unref, struct invocation *);

/*
 * The whole of it, for push and for snap.  Everything that fails is logged and in the
 * reports.  Ends early when ctx is done: later phases are skipped then, and only then.
 */
void invocation_push(struct ctx *ctx, struct invocation *i, const struct conf_job *conf,
		     const struct job_surroundings *s, const struct log *log);
void invocation_snap(struct ctx *ctx, struct invocation *i, const struct conf_job *conf,
		     const struct job_surroundings *s, const struct log *log);

void invocation_status(struct invocation *i, struct job_status *out);

#endif
