/*
 * Running the steps of an attempt: a thread each, as many as may run at once.
 */
#include "base/thread.h"
#include "base/wake.h"
#include "replicate/attempt.h"
#include "replicate/meter.h"
#include "replicate/parallel.h"
#include "replicate/step.h"

#include <inttypes.h>
#include <stdio.h>

struct slot {
	bool is_used;
	size_t fs;
	struct step_job job;
	struct ctx *ctx;
	struct thread thread;
	struct wake *wake;
	int rc;
	struct err err;       /* rc < 0 */
	atomic_bool is_ended; /* the thread has nothing left to do but to signal */
};

struct stepping {
	struct attempt *a;
	struct ctx *ctx;
	struct wake wake; /* a step ended */
	struct slot *slots;
	size_t n, used;
};

/* ---- one step ---- */

static void step_thread(void *arg)
{
	struct slot *s = arg;

	s->rc = step_run(s->ctx, &s->job, &s->err);
	atomic_store(&s->is_ended, true);
	wake_signal(s->wake);
}

static void start(struct stepping *st, struct slot *s, size_t fs)
{
	struct attempt *a = st->a;
	size_t step = queue_steps_done(a->queue, fs);

	*s = (struct slot){
		.is_used = true,
		.fs = fs,
		.wake = &st->wake,
		.ctx = ctx_new(st->ctx),
		.job = {
			.sender = a->o->sender,
			.receiver = a->o->receiver,
			.log = &a->o->log,
			.fs = a->fs[fs].path,
			.step = &a->fs[fs].plan.v[step],
			.protection = attempt_protection(a),
			.moved = &a->fs[fs].moved[step],
		},
	};
	st->used++;
	thread_start(&s->thread, "repl-step", step_thread, s);
}

static void log_done(const struct slot *s)
{
	cleanup(str_freep) char *text = step_text(s->job.step);
	char bytes[24];

	snprintf(bytes, sizeof(bytes), "%" PRIu64, (uint64_t)atomic_load(s->job.moved));
	log_at(s->job.log, LOG_INFO,
	       LOG_FIELDS({ "filesystem", s->job.fs }, { "step", text },
			  { "bytes", bytes }),
	       "replicated");
}

static void end(struct stepping *st, struct slot *s)
{
	cleanup(str_freep) char *text = step_text(s->job.step);
	struct attempt *a = st->a;

	thread_join(&s->thread);
	ctx_free(s->ctx);
	meter_bytes(a, s->fs, atomic_load(s->job.moved));
	pthread_mutex_lock(a->lock);
	if (s->rc == 0)
		queue_step_done(a->queue, s->fs);
	else
		queue_step_failed(a->queue, s->fs);
	pthread_mutex_unlock(a->lock);
	if (s->rc == 0) {
		log_done(s);
	} else {
		/* A step that is told to stop may die of that in many ways. */
		if (ctx_done(st->ctx) && !err_is(&s->err, ERR_CANCELLED))
			err_set(&s->err, ERR_CANCELLED, "cancelled; %s",
				err_msg(&s->err));
		err_wrap(&s->err, "step %s", text);
		attempt_fs_step_failed(a, s->fs, &s->err, STEP_FAILED);
	}
	err_clear(&s->err);
	s->is_used = false;
	st->used--;
}

/* ---- all of them ---- */

static void fail_orphans(struct stepping *st)
{
	struct attempt *a = st->a;
	size_t fs;

	for (;;) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(str_freep) char *names = NULL;
		bool has_one;

		pthread_mutex_lock(a->lock);
		has_one = queue_orphan(a->queue, &fs);
		pthread_mutex_unlock(a->lock);
		if (!has_one)
			return;
		names = queue_missing_parents(a->queue, fs);
		if (ctx_done(st->ctx))
			err_set(&e, ERR_CANCELLED, "cancelled");
		else
			err_set(&e, ERR_INVALID,
				"parent(s) failed during initial replication: [%s]",
				names);
		attempt_fs_step_failed(a, fs, &e, STEP_FOLLOWS);
	}
}

static void fill_slots(struct stepping *st)
{
	size_t fs;

	for (size_t i = 0; i < st->n && !ctx_done(st->ctx); i++) {
		bool has_one;

		if (st->slots[i].is_used)
			continue;
		pthread_mutex_lock(st->a->lock);
		has_one = queue_next(st->a->queue, &fs);
		pthread_mutex_unlock(st->a->lock);
		if (!has_one)
			return;
		start(st, &st->slots[i], fs);
	}
}

/* What does not end by itself ends when ctx is done; then, nothing is left. */
static void wait_for_some(struct stepping *st)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	bool is_over = wake_wait(&st->wake, st->ctx, -1, &e) < 0;

	for (size_t i = 0; i < st->n; i++) {
		struct slot *s = &st->slots[i];

		if (s->is_used && (is_over || atomic_load(&s->is_ended)))
			end(st, s);
	}
}

/* Those that never came to run. */
static void fail_rest(struct attempt *a, const struct err *why)
{
	for (size_t i = 0; i < a->n; i++) {
		if (!queue_is_finished(a->queue, i))
			attempt_fs_step_failed(a, i, why, STEP_FAILED);
	}
}

void attempt_step(struct ctx *ctx, struct attempt *a)
{
	int64_t n = a->o->conf->concurrency_steps;
	struct stepping st = { .a = a, .ctx = ctx };
	cleanup(err_clear) struct err e = ERR_INIT;

	if (a->n == 0)
		return;
	if (wake_open(&st.wake, &e) < 0) {
		fail_rest(a, &e);
		return;
	}
	st.n = n < 1 ? 1 : n > PARALLEL_MAX ? PARALLEL_MAX : (size_t)n;
	st.slots = xcalloc(st.n, sizeof(*st.slots));
	pthread_mutex_lock(a->lock);
	queue_start(a->queue);
	pthread_mutex_unlock(a->lock);
	for (;;) {
		fail_orphans(&st);
		fill_slots(&st);
		if (st.used == 0)
			break;
		wait_for_some(&st);
	}
	err_set(&e, ERR_CANCELLED, "cancelled");
	fail_rest(a, &e);
	wake_fini(&st.wake);
	free(st.slots);
}
