/*
 * attempt.h - one try to bring the receiver up to date, and all that is known of it.
 *
 *	planning -> planning error
 *	   |
 *	   +-> fan out -> filesystem error | done
 *
 * Threads: one, the scheduler, changes an attempt, and locks `lock` to do so; it reads
 * without.  Others lock to read.  Two things are read without by the threads of steps,
 * and are constant while they run: plans and paths; one is atomic: the bytes moved.
 */
#ifndef REPLICATE_ATTEMPT_H
#define REPLICATE_ATTEMPT_H

#include "endpoint/path_index.h"
#include "replicate/driver.h"
#include "replicate/plan.h"
#include "replicate/queue.h"

struct attempt_fs {
	char *path;
	bool is_planned;
	struct plan plan;
	atomic_uint_fast64_t *moved; /* one for each step */
	struct timed_error plan_error, step_error;
};

struct attempt {
	const struct replication_opts *o;
	pthread_mutex_t *lock;
	const struct ctx *ctx; /* of the run */
	size_t number;
	struct timespec start, finish; /* finish is zero while it runs */
	struct timed_error plan_error;
	struct attempt_fs *fs; /* NULL before fan-out; then in the sender's order */
	size_t n;
	struct queue *queue;     /* with fs; knows how far each one is */
	struct path_index index; /* of fs */
	size_t n_failed;         /* filesystems */
	struct err first;        /* ERR_NONE: no error */
	enum err_kind last;      /* of errors that do not follow from others */
};

struct attempt *attempt_new(const struct replication_opts *o, pthread_mutex_t *lock,
			    size_t number) must_check;
void attempt_free(struct attempt *a);

/* Does everything; before: the attempt that failed before it, or NULL. */
void attempt_run(struct ctx *ctx, struct attempt *a, const struct attempt *before);
enum attempt_state attempt_state(const struct attempt *a);
void attempt_report(const struct attempt *a, struct report_attempt *out); /* locked */

/* ---- between the files that make up an attempt ---- */

/* planning.c: lists both sides, fans out, plans each filesystem.  -1: planning as a
 * whole failed; no filesystem is known. */
int attempt_plan(struct ctx *ctx, struct attempt *a, const struct attempt *before,
		 struct err *err) must_check;
/* stepping.c: runs all steps, or as many as can be. */
void attempt_step(struct ctx *ctx, struct attempt *a);

/* The filesystems of an attempt, once; paths are taken. */
void attempt_fan_out(struct attempt *a, struct strs *paths);
void attempt_planned(struct attempt *a, size_t fs, struct plan *plan); /* takes plan */
/* These log, too, except that we were told to stop. */
void attempt_fs_plan_failed(struct attempt *a, size_t fs, const struct err *e);
enum step_failure { STEP_FAILED, STEP_FOLLOWS /* from another's failure */ };
void attempt_fs_step_failed(struct attempt *a, size_t fs, const struct err *e,
			    enum step_failure why);
struct ep_protection attempt_protection(const struct attempt *a);

#endif
