#include "job/invocation.h"

#include "zfs/stream.h"

struct invocation {
	atomic_uint refs;
	pthread_mutex_t lock;          /* guards the pointers, not what they point to */
	struct replication *repl;      /* push, pull */
	struct pruner *prune_sender;   /* push, pull */
	struct pruner *prune_receiver; /* push, pull */
	struct pruner *prune;          /* snap */
};

struct invocation *invocation_new(void)
{
	struct invocation *i = xcalloc(1, sizeof(*i));

	atomic_init(&i->refs, 1);
	pthread_mutex_init(&i->lock, NULL);
	return i;
}

struct invocation *invocation_ref(struct invocation *i)
{
	atomic_fetch_add(&i->refs, 1);
	return i;
}

void invocation_unref(struct invocation *i)
{
	if (!i || atomic_fetch_sub(&i->refs, 1) > 1)
		return;
	replication_free(i->repl);
	pruner_free(i->prune_sender);
	pruner_free(i->prune_receiver);
	pruner_free(i->prune);
	pthread_mutex_destroy(&i->lock);
	free(i);
}

static int decode_token(struct ctx *ctx, void *zfs, const char *token,
			struct resume_token *out, struct err *err)
{
	return zfs_decode_token(ctx, zfs, token, out, err);
}

static void replicate(struct ctx *ctx, struct invocation *i,
		      const struct replication_opts *o)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	struct replication *r = replication_new(o);

	pthread_mutex_lock(&i->lock);
	i->repl = r;
	pthread_mutex_unlock(&i->lock);
	replication_run(ctx, r, &err); /* logs what fails, and reports it */
}

static const struct metric_desc pruning_time_desc = {
	.type = METRIC_HISTOGRAM,
	.name = "zrepl_pruning_time",
	.help = "seconds spent in pruner",
	.labels = { "zrepl_job", "prune_side" },
	.bounds = metric_default_bounds,
	.n_bounds = METRIC_DEFAULT_BOUNDS,
};

static void prune(struct ctx *ctx, struct invocation *i, struct pruner **slot,
		  const struct pruner_opts *o, struct metrics *metrics)
{
	const char *const labels[] = { o->log.job, prune_side_name(o->side) };
	cleanup(err_clear) struct err err = ERR_INIT;
	struct pruner *p = pruner_new(o);
	int64_t start_us = now_in_us();

	pthread_mutex_lock(&i->lock);
	*slot = p;
	pthread_mutex_unlock(&i->lock);
	pruner_run(ctx, p, &err); /* logs what fails, and reports it */
	metric_observe(metric_of(metrics, &pruning_time_desc), labels,
		       (double)(now_in_us() - start_us) / 1e6);
}

void invocation_replicate(struct ctx *ctx, struct invocation *i,
			  const struct job_core *core, const struct sides *sides)
{
	struct pruner_opts side;

	replicate(ctx, i,
		  &(struct replication_opts){
			  .sender = sides->sender,
			  .receiver = sides->receiver,
			  .conf = &core->conf->replication,
			  .env = core->s->env,
			  .log = log_with_subsystem(&core->log, "repl"),
			  .metrics = core->s->metrics,
			  .decode_token = decode_token,
			  .decode_arg = core->zfs,
		  });
	if (ctx_done(ctx))
		return;
	side = sides_pruner_opts(core, sides, PRUNE_SENDER);
	prune(ctx, i, &i->prune_sender, &side, core->s->metrics);
	if (ctx_done(ctx))
		return;
	side = sides_pruner_opts(core, sides, PRUNE_RECEIVER);
	prune(ctx, i, &i->prune_receiver, &side, core->s->metrics);
}

void invocation_prune(struct ctx *ctx, struct invocation *i, const struct job_core *core,
		      const struct sides *sides)
{
	const struct pruner_opts local = sides_pruner_opts(core, sides, PRUNE_LOCAL);

	prune(ctx, i, &i->prune, &local, core->s->metrics);
}

void invocation_status(struct invocation *i, struct job_status *out)
{
	struct replication *repl;
	struct pruner *sender, *receiver, *local;

	pthread_mutex_lock(&i->lock);
	repl = i->repl;
	sender = i->prune_sender;
	receiver = i->prune_receiver;
	local = i->prune;
	pthread_mutex_unlock(&i->lock);

	if ((out->has_replication = repl != NULL))
		replication_report(repl, &out->replication);
	if ((out->has_prune_sender = sender != NULL))
		pruner_report(sender, &out->prune_sender);
	if ((out->has_prune_receiver = receiver != NULL))
		pruner_report(receiver, &out->prune_receiver);
	if ((out->has_prune = local != NULL))
		pruner_report(local, &out->prune);
}
