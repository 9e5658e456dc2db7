/*
 * meetings.h - which jobs may take snapshots of the same datasets.
 *
 * Two filters can accept the same dataset only if an accepting rule of one stands for a
 * path at or above that of an accepting rule of the other.  So rules are sorted by path,
 * and a job looks for those above and below its own, not through all jobs.
 */
#ifndef CONF_MEETINGS_H
#define CONF_MEETINGS_H

#include "conf/config.h"

struct meeting_rule {
	const struct conf_job *job;
	const struct dsfilter_rule *rule; /* an accepting one */
};

struct meetings {
	const struct conf_job *jobs; /* borrowed */
	size_t n_jobs;
	struct meeting_rule *v; /* by path and job */
	size_t n, cap;
};

void meetings_find(struct meetings *m, const struct conf_job *jobs, size_t n);
void meetings_free(struct meetings *m);

/*
 * met[i]: whether jobs[i] and j may; for j itself, too.  It may be true too often
 * (dsfilter_overlap() knows), and is false for jobs that take no snapshots.
 */
void meetings_of(const struct meetings *m, const struct conf_job *j, bool *met);

#endif
