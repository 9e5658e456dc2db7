#include "job/job.h"

#include "job/active.h"
#include "job/passive.h"
#include "replicate/driver.h"

struct job {
	struct job_core core;
	struct active *active; /* one of these */
	struct passive *passive;
};

bool job_is_passive(const struct job *j)
{
	return j->passive != NULL;
}

struct job *job_new(const struct conf_job *conf, const struct job_surroundings *s)
{
	struct job *j = xcalloc(1, sizeof(*j));

	core_init(&j->core, conf, s);
	if (conf->type == JOB_PUSH || conf->type == JOB_PULL)
		replication_metrics_touch(s->metrics, conf->name);
	switch (conf->type) {
	case JOB_PUSH:
	case JOB_PULL:
	case JOB_SNAP:
		j->active = active_new(&j->core);
		break;
	case JOB_SINK:
	case JOB_SOURCE:
		j->passive = passive_new(&j->core);
		break;
	}
	return j;
}

void job_start(struct job *j, struct ctx *ctx)
{
	if (j->active)
		active_start(j->active, ctx);
	else
		passive_start(j->passive, ctx);
}

void job_stop(struct job *j)
{
	if (j->active)
		active_stop(j->active);
	else
		passive_stop(j->passive);
}

void job_free(struct job *j)
{
	if (!j)
		return;
	active_free(j->active);
	passive_free(j->passive);
	core_fini(&j->core);
	free(j);
}

const struct conf_job *job_conf(const struct job *j)
{
	return j->core.conf;
}

int job_wakeup(struct job *j, struct err *err)
{
	if (j->active && active_wakeup(j->active))
		return 0;
	return err_set(err, ERR_BUSY, "already woken up");
}

int job_reset(struct job *j, struct err *err)
{
	if (j->active && active_reset(j->active))
		return 0;
	return err_set(err, ERR_BUSY, "already reset");
}

int job_snapshot(struct job *j, struct err *err)
{
	return j->active ? active_snapshot(j->active, err)
			 : passive_snapshot(j->passive, err);
}

void job_status(struct job *j, struct job_status *out)
{
	*out = (struct job_status){ .type = j->core.conf->type };
	if (j->active)
		active_status(j->active, out);
	else
		passive_status(j->passive, out);
}

void job_status_free(struct job_status *s)
{
	repl_report_free(&s->replication);
	prune_report_free(&s->prune_sender);
	prune_report_free(&s->prune_receiver);
	prune_report_free(&s->prune);
	snapper_report_free(&s->snapper);
	rpc_server_report_free(&s->listener);
}
