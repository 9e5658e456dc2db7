/*
 * core.h - what every job has, and what jobs are made of.
 *
 * All the streams of a job share its limit, whoever asks for them and for how long.
 */
#ifndef JOB_CORE_H
#define JOB_CORE_H

#include "endpoint/receiver.h"
#include "job/job.h"

struct job_core {
	const struct conf_job *conf;
	const struct job_surroundings *s;
	struct log log;
	struct zfs *zfs;    /* the job's own view of it */
	struct rate *limit; /* NULL: none */
};

void core_init(struct job_core *c, const struct conf_job *conf,
	       const struct job_surroundings *s);
void core_fini(struct job_core *c); /* nothing made of it is left */

/* These are the caller's, and borrow from c. */
struct endpoint *core_sender(const struct job_core *c) must_check;
struct receiver *core_receiver(const struct job_core *c) must_check;
struct snapper *core_snapper(const struct job_core *c, snapper_cycle_fn *on_cycle,
			     void *arg) must_check;

/* As job_snapshot(); snapper NULL: the job has none. */
int core_snapshot(const struct job_core *c, struct snapper *snapper, struct err *err)
	must_check;

#endif
