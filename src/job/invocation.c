#include "job/invocation.h"

#include "endpoint/sender.h"
#include "zfs/stream.h"

struct invocation {
	atomic_uint refs;
	pthread_mutex_t lock;          /* guards the pointers, not what they point to */
	struct replication *repl;      /* push */
	struct pruner *prune_sender;   /* push */
	struct pruner *prune_receiver; /* push */
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

static void prune(struct ctx *ctx, struct invocation *i, struct pruner **slot,
		  const struct pruner_opts *o)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	struct pruner *p = pruner_new(o);

	pthread_mutex_lock(&i->lock);
	*slot = p;
	pthread_mutex_unlock(&i->lock);
	pruner_run(ctx, p, &err); /* logs what fails, and reports it */
}

static struct endpoint *open_sender(const struct conf_job *conf,
				    const struct job_surroundings *s,
				    const struct log *log)
{
	return sender_new(&(struct sender_opts){
		.job = conf->name,
		.filter = &conf->filesystems,
		.flags = &conf->send,
		.zfs = s->zfs,
		.log = log_with_subsystem(log, "endpoint"),
	});
}

void invocation_push(struct ctx *ctx, struct invocation *i, const struct conf_job *conf,
		     const struct job_surroundings *s, const struct log *log)
{
	cleanup(ep_closep) struct endpoint *sender = open_sender(conf, s, log);
	cleanup(ep_closep) struct endpoint *receiver = NULL;
	cleanup(err_clear) struct err err = ERR_INIT;
	/* Only guarantee_nothing leaves no cursor; it is enough if either step may. */
	bool no_cursor = conf->replication.protect_initial == PROTECTION_NOTHING ||
			 conf->replication.protect_incremental == PROTECTION_NOTHING;

	receiver = local_connect(s->local, &conf->connect, &err);
	if (!receiver) {
		log_at(log, LOG_ERROR, LOG_FIELDS({ "err", err_msg(&err) }),
		       "cannot connect");
		return;
	}
	replicate(ctx, i,
		  &(struct replication_opts){
			  .sender = sender,
			  .receiver = receiver,
			  .conf = &conf->replication,
			  .env = s->env,
			  .log = log_with_subsystem(log, "repl"),
			  .decode_token = decode_token,
			  .decode_arg = s->zfs,
		  });
	if (ctx_done(ctx))
		return;
	prune(ctx, i, &i->prune_sender,
	      &(struct pruner_opts){
		      .side = PRUNE_SENDER,
		      .target = sender,
		      .sender = sender,
		      .rules = &conf->keep_sender,
		      .cursor_may_be_missing = no_cursor,
		      .log = log_with_subsystem(log, "pruning"),
	      });
	if (ctx_done(ctx))
		return;
	prune(ctx, i, &i->prune_receiver,
	      &(struct pruner_opts){
		      .side = PRUNE_RECEIVER,
		      .target = receiver,
		      .sender = sender,
		      .rules = &conf->keep_receiver,
		      .cursor_may_be_missing = no_cursor,
		      .log = log_with_subsystem(log, "pruning"),
	      });
}

void invocation_snap(struct ctx *ctx, struct invocation *i, const struct conf_job *conf,
		     const struct job_surroundings *s, const struct log *log)
{
	cleanup(ep_closep) struct endpoint *local = open_sender(conf, s, log);

	prune(ctx, i, &i->prune,
	      &(struct pruner_opts){
		      .side = PRUNE_LOCAL,
		      .target = local,
		      .sender = local,
		      .rules = &conf->keep,
		      .log = log_with_subsystem(log, "pruning"),
	      });
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
