#include "job/job.h"

#include "base/thread.h"
#include "job/activity.h"
#include "job/invocation.h"

enum { RETRY_MS = 10 * 1000 };

struct job {
	const struct conf_job *conf;
	const struct job_surroundings *s;
	struct log log;
	struct ctx *ctx; /* while started; borrowed */

	/* push and snap */
	struct activity activity;
	struct snapper *snapper;
	struct thread snapper_thread, worker_thread;
	pthread_mutex_t lock;
	struct invocation *last; /* the running or the latest one; guarded by lock */

	/* sink */
	struct receiver *receiver;
};

static bool is_active(const struct job *j)
{
	return j->conf->type != JOB_SINK;
}

static void on_snapshots_taken(void *arg)
{
	struct job *j = arg;

	if (!activity_trigger(&j->activity))
		log_warn(&j->log,
			 "snapshots were taken while the job was busy: they wait for "
			 "its next run");
}

static void run_snapper(void *arg)
{
	struct job *j = arg;

	snapper_run(j->ctx, j->snapper);
}

static void publish(struct job *j, struct invocation *i)
{
	struct invocation *before;

	pthread_mutex_lock(&j->lock);
	before = j->last;
	j->last = invocation_ref(i);
	pthread_mutex_unlock(&j->lock);
	invocation_unref(before);
}

static void run_worker(void *arg)
{
	struct job *j = arg;
	struct ctx *run;

	for (;;) {
		cleanup(invocation_unrefp) struct invocation *i = NULL;
		cleanup(err_clear) struct err err = ERR_INIT;

		run = activity_begin(&j->activity, j->ctx, &err);
		if (!run && ctx_done(j->ctx))
			return;
		if (!run) {
			cleanup(err_clear) struct err stopped = ERR_INIT;

			log_at(&j->log, LOG_ERROR, LOG_FIELDS({ "err", err_msg(&err) }),
			       "cannot wait for work, trying again");
			if (ctx_sleep(j->ctx, RETRY_MS, &stopped) < 0)
				return;
			continue;
		}
		i = invocation_new();
		publish(j, i);
		log_debug(&j->log, "invocation starts");
		if (j->conf->type == JOB_PUSH)
			invocation_push(run, i, j->conf, j->s, &j->log);
		else
			invocation_snap(run, i, j->conf, j->s, &j->log);
		log_debug(&j->log, "invocation ends");
		activity_end(&j->activity, run);
	}
}

static void init_active(struct job *j)
{
	activity_init(&j->activity);
	pthread_mutex_init(&j->lock, NULL);
	j->snapper = snapper_new(&(struct snapper_opts){
		.conf = &j->conf->snapshotting,
		.filter = &j->conf->filesystems,
		.zfs = j->s->zfs,
		.env = j->s->env,
		.log = log_with_subsystem(&j->log, "snapshot"),
		.on_cycle = on_snapshots_taken,
		.on_cycle_arg = j,
	});
}

static void init_sink(struct job *j)
{
	j->receiver = receiver_new(&(struct receiver_opts){
		.job = j->conf->name,
		.root_fs = j->conf->root_fs,
		.recv = &j->conf->recv,
		.zfs = j->s->zfs,
		.env = j->s->env,
		.log = log_with_subsystem(&j->log, "endpoint"),
	});
	local_offer(j->s->local, j->conf->serve.listener_name, j->receiver);
}

struct job *job_new(const struct conf_job *conf, const struct job_surroundings *s)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->conf = conf;
	j->s = s;
	j->log = s->log;
	j->log.job = conf->name;
	j->log.subsystem = "job";
	if (is_active(j))
		init_active(j);
	else
		init_sink(j);
	return j;
}

void job_start(struct job *j, struct ctx *ctx)
{
	j->ctx = ctx;
	if (!is_active(j))
		return;
	thread_start(&j->worker_thread, "job", run_worker, j);
	thread_start(&j->snapper_thread, "snapper", run_snapper, j);
}

void job_stop(struct job *j)
{
	thread_join(&j->snapper_thread);
	thread_join(&j->worker_thread);
}

void job_free(struct job *j)
{
	if (!j)
		return;
	if (is_active(j)) {
		snapper_free(j->snapper);
		invocation_unref(j->last);
		pthread_mutex_destroy(&j->lock);
		activity_fini(&j->activity);
	}
	receiver_free(j->receiver);
	free(j);
}

const struct conf_job *job_conf(const struct job *j)
{
	return j->conf;
}

int job_wakeup(struct job *j, struct err *err)
{
	if (is_active(j) && activity_trigger(&j->activity))
		return 0;
	return err_set(err, ERR_BUSY, "already woken up");
}

int job_reset(struct job *j, struct err *err)
{
	if (is_active(j) && activity_reset(&j->activity))
		return 0;
	return err_set(err, ERR_BUSY, "already reset");
}

void job_status(struct job *j, struct job_status *out)
{
	cleanup(invocation_unrefp) struct invocation *last = NULL;

	*out = (struct job_status){ .type = j->conf->type };
	if (!is_active(j))
		return;
	pthread_mutex_lock(&j->lock);
	last = j->last ? invocation_ref(j->last) : NULL;
	pthread_mutex_unlock(&j->lock);
	if (last)
		invocation_status(last, out);
	out->has_snapper = true;
	snapper_report(j->snapper, &out->snapper);
}

void job_status_free(struct job_status *s)
{
	repl_report_free(&s->replication);
	prune_report_free(&s->prune_sender);
	prune_report_free(&s->prune_receiver);
	prune_report_free(&s->prune);
	snapper_report_free(&s->snapper);
}
