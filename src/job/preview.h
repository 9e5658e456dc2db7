/*
 * preview.h - what a job's pruning would destroy now, without destroying it.
 *
 * Made in the process that asks, not in the daemon, from the configuration alone: the
 * local side is listed with zfs(8), the other over the job's own transport, which only
 * questions go over; a passive job that is reached by the local transport is set up for
 * the purpose, and not started.
 */
#ifndef JOB_PREVIEW_H
#define JOB_PREVIEW_H

#include "job/job.h"
#include "prune/plan.h"

struct preview_opts { /* borrowed for the call */
	const struct config *config;
	const struct conf_job *job;
	enum prune_side side;
	const struct job_surroundings *s; /* its offers are not used */
};

/*
 * ERR_INVALID: the job does not prune, or not that side (a snap job has PRUNE_LOCAL, push
 * and pull have the two others).
 */
int preview_prune(struct ctx *ctx, const struct preview_opts *o, struct prune_plan *out,
		  struct err *err) must_check;

#endif
