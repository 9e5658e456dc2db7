#include "job/preview.h"

#include "job/sides.h"

static int no_pruning(const struct conf_job *job, const char *who, struct err *err)
{
	return err_set(
		err, ERR_INVALID,
		"job \"%s\": %s jobs prune nothing themselves; ask the job that %s",
		job->name, job_type_name(job->type), who);
}

static int check_side(const struct conf_job *job, enum prune_side side, struct err *err)
{
	switch (job->type) {
	case JOB_SINK:
		return no_pruning(job, "pushes to it", err);
	case JOB_SOURCE:
		return no_pruning(job, "pulls from it", err);
	case JOB_SNAP:
		if (side == PRUNE_LOCAL)
			return 0;
		break;
	case JOB_PUSH:
	case JOB_PULL:
		if (side != PRUNE_LOCAL)
			return 0;
		break;
	}
	return err_set(err, ERR_INVALID,
		       "job \"%s\": %s jobs have no side \"%s\"; want %s", job->name,
		       job_type_name(job->type), prune_side_name(side),
		       job->type == JOB_SNAP ? "local" : "sender or receiver");
}

/* The job that the local transport leads to; NULL: there is none, or it is not local. */
static struct job *local_peer(const struct config *config, const struct conf_job *job,
			      const struct job_surroundings *s)
{
	if (job->type == JOB_SNAP)
		return NULL;
	for (size_t i = 0; i < config->n_jobs; i++)
		if (conf_job_serves(&config->jobs[i], &job->connect))
			return job_new(&config->jobs[i], s);
	return NULL;
}

static int plan(struct ctx *ctx, const struct preview_opts *p,
		const struct job_surroundings *s, struct prune_plan *out, struct err *err)
{
	cleanup(core_fini) struct job_core core;
	cleanup(sides_maker_fini) struct sides_maker maker = { 0 };
	cleanup(sides_close) struct sides sides = { 0 };
	struct pruner_opts o;

	core_init(&core, p->job, s);
	sides_maker_init(&maker, &core);
	if (sides_open(&maker, &sides, err) < 0)
		return -1;
	o = sides_pruner_opts(&core, &sides, p->side);
	return prune_plan(ctx, &o, out, err);
}

int preview_prune(struct ctx *ctx, const struct preview_opts *o, struct prune_plan *out,
		  struct err *err)
{
	struct job_surroundings s = *o->s;
	struct offers offers = { 0 };
	struct job *peer;
	int r;

	if (check_side(o->job, o->side, err) < 0)
		return -1;
	s.offers = &offers;
	peer = local_peer(o->config, o->job, &s);
	r = plan(ctx, o, &s, out, err);
	job_free(peer);
	offers_free(&offers);
	return r;
}
