#include "replicate/attempt.h"

#include "replicate/meter.h"

#include <inttypes.h>
#include <stdio.h>

struct attempt *attempt_new(const struct replication_opts *o, pthread_mutex_t *lock,
			    size_t number)
{
	struct attempt *a = xcalloc(1, sizeof(*a));

	a->o = o;
	a->lock = lock;
	a->number = number;
	clock_gettime(CLOCK_REALTIME, &a->start);
	return a;
}

void attempt_free(struct attempt *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n; i++) {
		struct attempt_fs *f = &a->fs[i];

		free(f->path);
		plan_free(&f->plan);
		free(f->moved);
		timed_error_fini(&f->plan_error);
		timed_error_fini(&f->step_error);
	}
	free(a->fs);
	queue_free(a->queue);
	path_index_free(&a->index);
	timed_error_fini(&a->plan_error);
	err_clear(&a->first);
	free(a);
}

struct ep_protection attempt_protection(const struct attempt *a)
{
	return (struct ep_protection){
		.initial = a->o->conf->protect_initial,
		.incremental = a->o->conf->protect_incremental,
	};
}

/* ---- what happens to it ---- */

void attempt_fan_out(struct attempt *a, struct strs *paths)
{
	pthread_mutex_lock(a->lock);
	a->n = paths->n;
	a->fs = xcalloc(a->n, sizeof(*a->fs));
	for (size_t i = 0; i < a->n; i++) {
		a->fs[i].path = TAKE(paths->v[i]);
		path_index_add(&a->index, a->fs[i].path);
	}
	path_index_sort(&a->index);
	a->queue = queue_new(&a->index);
	pthread_mutex_unlock(a->lock);
}

void attempt_planned(struct attempt *a, size_t fs, struct plan *plan)
{
	struct attempt_fs *f = &a->fs[fs];

	pthread_mutex_lock(a->lock);
	f->plan = *plan;
	*plan = (struct plan){ 0 };
	f->moved = xcalloc(f->plan.n, sizeof(*f->moved));
	f->is_planned = true;
	queue_planned(a->queue, fs, &f->plan);
	pthread_mutex_unlock(a->lock);
	meter_bytes(a, fs, 0);
}

static bool is_news(const struct attempt *a, const struct err *e)
{
	return !(err_is(e, ERR_CANCELLED) && ctx_done(a->ctx));
}

/* Locked. */
static void note(struct attempt *a, const char *path, const struct err *e)
{
	a->last = e->kind;
	if (a->first.kind != ERR_NONE)
		return;
	err_copy(&a->first, e);
	if (path)
		err_wrap(&a->first, "%s", path);
}

static void log_failure(const struct attempt *a, const char *path, const struct err *e,
			const char *what)
{
	if (is_news(a, e))
		log_at(&a->o->log, LOG_ERROR,
		       LOG_FIELDS({ "filesystem", path }, { "err", err_msg(e) }), "%s",
		       what);
}

void attempt_fs_plan_failed(struct attempt *a, size_t fs, const struct err *e)
{
	struct attempt_fs *f = &a->fs[fs];

	pthread_mutex_lock(a->lock);
	timed_error_set(&f->plan_error, err_msg(e));
	queue_plan_failed(a->queue, fs);
	a->n_failed++;
	note(a, f->path, e);
	pthread_mutex_unlock(a->lock);
	log_failure(a, f->path, e, "cannot plan the replication of this filesystem");
}

void attempt_fs_step_failed(struct attempt *a, size_t fs, const struct err *e,
			    enum step_failure why)
{
	struct attempt_fs *f = &a->fs[fs];

	pthread_mutex_lock(a->lock);
	timed_error_set(&f->step_error, err_msg(e));
	a->n_failed++;
	if (why == STEP_FAILED)
		note(a, f->path, e);
	pthread_mutex_unlock(a->lock);
	log_failure(a, f->path, e, "replication of this filesystem failed");
}

static void plan_failed(struct attempt *a, const struct err *e)
{
	pthread_mutex_lock(a->lock);
	timed_error_set(&a->plan_error, err_msg(e));
	note(a, NULL, e);
	pthread_mutex_unlock(a->lock);
	if (is_news(a, e))
		log_at(&a->o->log, LOG_ERROR, LOG_FIELDS({ "err", err_msg(e) }),
		       "cannot plan the replication");
}

void attempt_run(struct ctx *ctx, struct attempt *a, const struct attempt *before)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char number[24], n[24], failed[24];
	int64_t start_us = now_in_us();
	int r;

	a->ctx = ctx;
	snprintf(number, sizeof(number), "%zu", a->number);
	log_at(&a->o->log, LOG_INFO, LOG_FIELDS({ "attempt_number", number }),
	       "start replication attempt");
	r = attempt_plan(ctx, a, before, &e);
	meter_state(a, ATTEMPT_PLANNING, &start_us);
	if (r < 0) {
		plan_failed(a, &e);
	} else {
		attempt_step(ctx, a);
		meter_state(a, ATTEMPT_FAN_OUT_FILESYSTEMS, &start_us);
	}

	pthread_mutex_lock(a->lock);
	clock_gettime(CLOCK_REALTIME, &a->finish);
	pthread_mutex_unlock(a->lock);

	snprintf(n, sizeof(n), "%zu", a->n);
	snprintf(failed, sizeof(failed), "%zu", a->n_failed);
	log_at(&a->o->log, LOG_INFO,
	       LOG_FIELDS({ "attempt_number", number },
			  { "state", attempt_state_name(attempt_state(a)) },
			  { "filesystems", n }, { "failed", failed }),
	       "replication attempt finished");
}

/* ---- how it stands ---- */

enum attempt_state attempt_state(const struct attempt *a)
{
	if (a->plan_error.text)
		return ATTEMPT_PLANNING_ERROR;
	if (!a->fs)
		return ATTEMPT_PLANNING;
	if (a->finish.tv_sec == 0)
		return ATTEMPT_FAN_OUT_FILESYSTEMS;
	return a->n_failed > 0 ? ATTEMPT_FILESYSTEM_ERROR : ATTEMPT_DONE;
}

static enum fs_state fs_state(const struct attempt_fs *f, size_t done)
{
	if (f->plan_error.text)
		return FS_PLANNING_ERROR;
	if (!f->is_planned)
		return FS_PLANNING;
	if (f->step_error.text)
		return FS_STEP_ERROR;
	return done < f->plan.n ? FS_STEPPING : FS_DONE;
}

static struct report_step report_of_step(const struct step *s,
					 const atomic_uint_fast64_t *moved)
{
	return (struct report_step){
		.from = s->has_from ? version_relname(&s->from) : xstrdup(""),
		.to = version_relname(&s->to),
		.resumed = s->token != NULL,
		.bytes_expected = s->bytes_expected,
		.bytes_replicated = atomic_load(moved),
	};
}

void attempt_report(const struct attempt *a, struct report_attempt *out)
{
	*out = (struct report_attempt){
		.state = attempt_state(a),
		.start = a->start,
		.finish = a->finish,
		.plan_error = timed_error_dup(&a->plan_error),
		.fs = xcalloc(a->n, sizeof(*out->fs)),
		.n_fs = a->n,
	};
	for (size_t i = 0; i < a->n; i++) {
		const struct attempt_fs *f = &a->fs[i];
		size_t done = queue_steps_done(a->queue, i);
		struct report_fs *r = &out->fs[i];

		*r = (struct report_fs){
			.path = xstrdup(f->path),
			.state = fs_state(f, done),
			.blocked_on = queue_blocked_on(a->queue, i),
			.plan_error = timed_error_dup(&f->plan_error),
			.step_error = timed_error_dup(&f->step_error),
			.current_step = done,
			.steps = xcalloc(f->plan.n, sizeof(*r->steps)),
			.n_steps = f->plan.n,
		};
		for (size_t k = 0; k < r->n_steps; k++)
			r->steps[k] = report_of_step(&f->plan.v[k], &f->moved[k]);
	}
}
