#include "replicate/meter.h"

static const struct metric_desc bytes_desc = {
	.type = METRIC_COUNTER,
	.name = "zrepl_replication_bytes_replicated",
	.help = "number of bytes replicated from sender to receiver per filesystem",
	.labels = { "zrepl_job", "filesystem" },
};
static const struct metric_desc errors_desc = {
	.type = METRIC_GAUGE,
	.name = "zrepl_replication_filesystem_errors",
	.help = "number of filesystems that failed replication in the latest attempt, or "
		"-1 if the job failed before any",
	.labels = { "zrepl_job" },
};
static const struct metric_desc last_successful_desc = {
	.type = METRIC_GAUGE,
	.name = "zrepl_replication_last_successful",
	.help = "timestamp of last successful replication",
	.labels = { "zrepl_job" },
};
static const struct metric_desc state_time_desc = {
	.type = METRIC_HISTOGRAM,
	.name = "zrepl_replication_state_time",
	.help = "seconds spent during replication",
	.labels = { "zrepl_job", "state" },
	.bounds = metric_default_bounds,
	.n_bounds = METRIC_DEFAULT_BOUNDS,
};

static const char *job_of(const struct attempt *a)
{
	return a->o->log.job ? a->o->log.job : "";
}

void replication_metrics_touch(struct metrics *m, const char *job)
{
	metric_set(metric_of(m, &errors_desc), METRIC_LABELS(job), 0);
	metric_set(metric_of(m, &last_successful_desc), METRIC_LABELS(job), 0);
}

void meter_bytes(const struct attempt *a, size_t fs, uint64_t n)
{
	metric_add(metric_of(a->o->metrics, &bytes_desc),
		   METRIC_LABELS(job_of(a), a->fs[fs].path), (double)n);
}

void meter_state(const struct attempt *a, enum attempt_state s, int64_t *start_us)
{
	int64_t now = now_in_us();

	metric_observe(metric_of(a->o->metrics, &state_time_desc),
		       METRIC_LABELS(job_of(a), attempt_state_name(s)),
		       (double)(now - *start_us) / 1e6);
	*start_us = now;
}

void meter_outcome(const struct attempt *last)
{
	struct metrics *m = last->o->metrics;
	struct timespec now;

	metric_set(metric_of(m, &errors_desc), METRIC_LABELS(job_of(last)),
		   last->plan_error.text ? -1 : (double)last->n_failed);
	if (attempt_state(last) != ATTEMPT_DONE)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	metric_set(metric_of(m, &last_successful_desc), METRIC_LABELS(job_of(last)),
		   (double)now.tv_sec);
}
