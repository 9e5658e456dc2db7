/*
 * world.h - a replication between fakes, and what must hold of its report.
 *
 * All static, since the counters of tap.h belong to one file.
 */
#ifndef TESTS_REPLICATE_WORLD_H
#define TESTS_REPLICATE_WORLD_H

#include "base/thread.h"
#include "fake_endpoint.h"
#include "replicate/driver.h"
#include "tap.h"

struct world {
	struct fake w;
	struct ctx *ctx;
	struct replication *r;
	struct thread thread;
	int rc;
	struct err err;
	struct repl_report rep;
};

static inline void setup(struct world *t)
{
	*t = (struct world){ 0 };
	fake_init(&t->w);
	t->ctx = ctx_new(NULL);
	t->r = fake_replication(&t->w);
}

static inline void teardown(struct world *t)
{
	CHECK_INT(t->w.open_streams, 0);
	CHECK_INT(t->w.violations, 0);
	repl_report_free(&t->rep);
	replication_free(t->r);
	ctx_free(t->ctx);
	err_clear(&t->err);
	fake_fini(&t->w);
}

static inline void run_now(void *arg)
{
	struct world *t = arg;

	t->rc = replication_run(t->ctx, t->r, &t->err);
}

/* A report is the same thing all the way down, whenever it is made. */
static inline void check_fs(const struct report_fs *f)
{
	CHECK(f->current_step <= f->n_steps);
	CHECK((f->state == FS_PLANNING_ERROR) == (f->plan_error.text != NULL));
	CHECK((f->state == FS_STEP_ERROR) == (f->step_error.text != NULL));
	CHECK(f->state != FS_DONE || f->current_step == f->n_steps);
	CHECK(f->state != FS_STEPPING || f->current_step < f->n_steps);
}

static inline void check_report(const struct repl_report *r, bool is_over)
{
	for (size_t i = 0; i < r->n_attempts; i++) {
		const struct report_attempt *a = &r->attempts[i];
		bool has_failed = false;

		for (size_t k = 0; k < a->n_fs; k++) {
			check_fs(&a->fs[k]);
			has_failed |=
				a->fs[k].plan_error.text || a->fs[k].step_error.text;
			CHECK(a->state != ATTEMPT_DONE || a->fs[k].state == FS_DONE);
			CHECK(!is_over || a->fs[k].state != FS_STEPPING);
		}
		CHECK((a->state == ATTEMPT_PLANNING_ERROR) ==
		      (a->plan_error.text != NULL));
		CHECK((a->state == ATTEMPT_FILESYSTEM_ERROR) ==
		      (has_failed && a->finish.tv_sec > 0));
		CHECK(a->start.tv_sec > 0);
		CHECK(!is_over || a->finish.tv_sec > 0);
	}
	CHECK((r->finish.tv_sec > 0) == is_over);
}

/* Filesystems that failed in the last attempt. */
static inline size_t n_failed(const struct repl_report *r)
{
	const struct report_attempt *a = &r->attempts[r->n_attempts - 1];
	size_t n = 0;

	for (size_t i = 0; i < a->n_fs; i++)
		n += a->fs[i].plan_error.text || a->fs[i].step_error.text;
	return n;
}

static inline void report_over(struct world *t)
{
	repl_report_free(&t->rep);
	replication_report(t->r, &t->rep);
	check_report(&t->rep, true);
}

static inline void run(struct world *t)
{
	run_now(t);
	report_over(t);
}

static inline char *calls(struct world *t)
{
	return strs_join(&t->w.calls, "; ");
}

#define CHECK_CALLS(t, want)                              \
	do {                                              \
		cleanup(str_freep) char *got = calls(&t); \
		CHECK_STR(got, want);                     \
	} while (0)

#define CHECK_HAS(t, fs, want)                                                \
	do {                                                                  \
		cleanup(str_freep) char *got = fake_has(&t.w.receiver, (fs)); \
		CHECK_STR(got, want);                                         \
	} while (0)

#endif
