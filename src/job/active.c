#include "job/active.h"

#include "base/thread.h"
#include "job/activity.h"
#include "job/invocation.h"
#include "job/sides.h"
#include "job/ticker.h"

enum { RETRY_MS = 10 * 1000 };

struct active {
	const struct job_core *core;
	struct ctx *ctx; /* while started; borrowed */
	struct activity activity;
	struct snapper *snapper; /* push, snap */
	struct sides_maker sides;
	struct thread clock_thread, worker_thread;
	pthread_mutex_t lock;
	struct invocation *last; /* the running or the latest one; guarded by lock */
};

/* ---- when ---- */

static void on_snapshots_taken(void *arg)
{
	struct active *a = arg;

	if (!activity_trigger(&a->activity))
		log_warn(&a->core->log,
			 "snapshots were taken while the job was busy: they wait for "
			 "its next run");
}

static void run_snapper(void *arg)
{
	struct active *a = arg;

	snapper_run(a->ctx, a->snapper);
}

static void on_interval_over(struct active *a)
{
	switch (activity_queue(&a->activity)) {
	case ACTIVITY_STARTS:
	case ACTIVITY_WAITS:
		break;
	case ACTIVITY_QUEUED:
		log_warn(&a->core->log,
			 "a run takes longer than the interval: the next one follows at "
			 "once");
		break;
	}
}

/* compat: zrepl 0.7: the first one is one interval from now. */
static void run_ticker(void *arg)
{
	struct active *a = arg;
	struct ticker t = ticker_start(a->core->conf->interval_s * 1000, now_ms());
	cleanup(err_clear) struct err stopped = ERR_INIT;

	while (ctx_sleep(a->ctx, ticker_wait_ms(&t, now_ms()), &stopped) == 0)
		if (ticker_is_due(&t, now_ms()))
			on_interval_over(a);
}

/* ---- what ---- */

static void publish(struct active *a, struct invocation *i)
{
	struct invocation *before;

	pthread_mutex_lock(&a->lock);
	before = a->last;
	a->last = invocation_ref(i);
	pthread_mutex_unlock(&a->lock);
	invocation_unref(before);
}

static void invoke(struct ctx *ctx, struct active *a)
{
	cleanup(invocation_unrefp) struct invocation *i = invocation_new();
	cleanup(sides_close) struct sides sides = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;

	publish(a, i);
	log_debug(&a->core->log, "invocation starts");
	if (sides_open(&a->sides, &sides, &err) < 0)
		log_at(&a->core->log, LOG_ERROR, LOG_FIELDS({ "err", err_msg(&err) }),
		       "cannot connect");
	else if (sides.receiver)
		invocation_replicate(ctx, i, a->core, &sides);
	else
		invocation_prune(ctx, i, a->core, &sides);
	log_debug(&a->core->log, "invocation ends");
}

static void run_worker(void *arg)
{
	struct active *a = arg;
	struct ctx *run;

	for (;;) {
		cleanup(err_clear) struct err err = ERR_INIT, stopped = ERR_INIT;

		run = activity_begin(&a->activity, a->ctx, &err);
		if (!run && ctx_done(a->ctx))
			return;
		if (run) {
			invoke(run, a);
			activity_end(&a->activity, run);
			continue;
		}
		log_at(&a->core->log, LOG_ERROR, LOG_FIELDS({ "err", err_msg(&err) }),
		       "cannot wait for work, trying again");
		if (ctx_sleep(a->ctx, RETRY_MS, &stopped) < 0)
			return;
	}
}

/* ---- life ---- */

struct active *active_new(const struct job_core *core)
{
	struct active *a = xcalloc(1, sizeof(*a));

	a->core = core;
	activity_init(&a->activity);
	pthread_mutex_init(&a->lock, NULL);
	if (core->conf->type != JOB_PULL)
		a->snapper = core_snapper(core, on_snapshots_taken, a);
	sides_maker_init(&a->sides, core);
	return a;
}

void active_free(struct active *a)
{
	if (!a)
		return;
	snapper_free(a->snapper);
	sides_maker_fini(&a->sides);
	invocation_unref(a->last);
	pthread_mutex_destroy(&a->lock);
	activity_fini(&a->activity);
	free(a);
}

void active_start(struct active *a, struct ctx *ctx)
{
	a->ctx = ctx;
	thread_start(&a->worker_thread, "job", run_worker, a);
	if (a->snapper)
		thread_start(&a->clock_thread, "snapper", run_snapper, a);
	else if (a->core->conf->interval_s > 0)
		thread_start(&a->clock_thread, "ticker", run_ticker, a);
}

void active_stop(struct active *a)
{
	thread_join(&a->clock_thread);
	thread_join(&a->worker_thread);
}

bool active_wakeup(struct active *a)
{
	return activity_trigger(&a->activity);
}

bool active_reset(struct active *a)
{
	return activity_reset(&a->activity);
}

int active_snapshot(struct active *a, struct err *err)
{
	return core_snapshot(a->core, a->snapper, err);
}

void active_status(struct active *a, struct job_status *out)
{
	cleanup(invocation_unrefp) struct invocation *last = NULL;

	pthread_mutex_lock(&a->lock);
	last = a->last ? invocation_ref(a->last) : NULL;
	pthread_mutex_unlock(&a->lock);
	if (last)
		invocation_status(last, out);
	out->has_snapper = a->snapper != NULL;
	if (a->snapper)
		snapper_report(a->snapper, &out->snapper);
}
