#include "replicate/driver.h"

#include "base/vec.h"
#include "replicate/attempt.h"
#include "replicate/meter.h"
#include "replicate/parallel.h"
#include "replicate/step.h"

#include <pthread.h>

enum {
	ATTEMPTS_KEPT = 16,   /* for the report, when their number is unlimited */
	ATTEMPTS_AT_ONCE = 5, /* then, a pause before each */
	PAUSE_MAX_MS = 60 * 1000,
};

struct replication {
	struct replication_opts o;
	pthread_mutex_t lock; /* for what follows; run() changes it, and reads without */
	struct timespec start, finish;
	struct timespec wait_since, wait_until;
	struct timed_error wait_error;
	struct attempt *attempts[ATTEMPTS_KEPT]; /* oldest first */
	size_t n;
};

struct replication *replication_new(const struct replication_opts *o)
{
	struct replication *r = xcalloc(1, sizeof(*r));

	r->o = *o;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void replication_free(struct replication *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		attempt_free(r->attempts[i]);
	timed_error_fini(&r->wait_error);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* ---- between attempts ---- */

static int ping(struct ctx *ctx, void *arg, enum side s, struct err *err)
{
	struct replication *r = arg;
	struct endpoint *e = s == SENDER ? r->o.sender : r->o.receiver;

	if (e->ops->ping(ctx, e, err) < 0)
		return err_wrap(err, "cannot reach the %s", e->label);
	return 0;
}

static struct timespec later(struct timespec t, int64_t ms)
{
	int64_t ns = t.tv_nsec + ms % 1000 * 1000000;

	return (struct timespec){ .tv_sec = t.tv_sec + ms / 1000 + ns / 1000000000,
				  .tv_nsec = ns % 1000000000 };
}

static int reconnect(struct ctx *parent, struct replication *r)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(parent);
	cleanup(err_clear) struct err e = ERR_INIT;

	ctx_set_timeout(ctx, r->o.env->reconnect_hard_fail_ms);
	pthread_mutex_lock(&r->lock);
	clock_gettime(CLOCK_REALTIME, &r->wait_since);
	r->wait_until = later(r->wait_since, r->o.env->reconnect_hard_fail_ms);
	pthread_mutex_unlock(&r->lock);

	log_info(&r->o.log, "a side could not be reached, wait until both answer");
	if (parallel_sides(ctx, ping, r, &e) == 0)
		return 0;
	pthread_mutex_lock(&r->lock);
	timed_error_set(&r->wait_error, err_msg(&e));
	pthread_mutex_unlock(&r->lock);
	if (!ctx_done(parent))
		log_at(&r->o.log, LOG_ERROR, LOG_FIELDS({ "err", err_msg(&e) }),
		       "no connection, give up");
	return -1;
}

/* Sides that answer, and fail again at once, must not keep us busy for ever. */
static int pause_before(struct ctx *ctx, const struct replication *r, size_t number)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int64_t ms = 1000;

	if (number < ATTEMPTS_AT_ONCE)
		return 0;
	for (size_t i = ATTEMPTS_AT_ONCE; i < number && ms < PAUSE_MAX_MS; i++)
		ms *= 2;
	log_debug(&r->o.log, "pause before the next attempt");
	return ctx_sleep(ctx, ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS, &e);
}

/* ---- attempts ---- */

static struct attempt *add_attempt(struct replication *r, size_t number)
{
	struct attempt *a = attempt_new(&r->o, &r->lock, number);
	struct attempt *oldest = NULL;

	pthread_mutex_lock(&r->lock);
	r->wait_since = r->wait_until = (struct timespec){ 0 };
	timed_error_fini(&r->wait_error);
	if (r->n == ATTEMPTS_KEPT) {
		oldest = r->attempts[0];
		r->n--;
		for (size_t i = 0; i < r->n; i++)
			r->attempts[i] = r->attempts[i + 1];
	}
	r->attempts[r->n++] = a;
	pthread_mutex_unlock(&r->lock);
	attempt_free(oldest);
	return a;
}

/* The last attempt. */
static const struct attempt *run_attempts(struct ctx *ctx, struct replication *r)
{
	int64_t max = r->o.env->replication_max_attempts;
	struct attempt *a = NULL;

	for (size_t number = 0;; number++) {
		const struct attempt *before = a;

		a = add_attempt(r, number);
		attempt_run(ctx, a, before);
		if (ctx_done(ctx) || attempt_state(a) == ATTEMPT_DONE)
			return a;
		if (!err_is_temporary(a->last))
			return a;
		if (max >= 0 && (int64_t)number + 1 >= max)
			return a;
		if (reconnect(ctx, r) < 0 || pause_before(ctx, r, number + 1) < 0)
			return a;
	}
}

int replication_run(struct ctx *ctx, struct replication *r, struct err *err)
{
	const struct attempt *last;

	pthread_mutex_lock(&r->lock);
	clock_gettime(CLOCK_REALTIME, &r->start);
	pthread_mutex_unlock(&r->lock);

	last = run_attempts(ctx, r);

	pthread_mutex_lock(&r->lock);
	clock_gettime(CLOCK_REALTIME, &r->finish);
	pthread_mutex_unlock(&r->lock);

	meter_outcome(last);
	if (attempt_state(last) == ATTEMPT_DONE) {
		if (last->n == 0)
			log_warn(&r->o.log, "no filesystem was considered: does the "
					    "filesystems filter match any?");
		return 0;
	}
	if (ctx_done(ctx))
		return err_set(err, ERR_CANCELLED, "replication cancelled");
	err_copy(err, &last->first);
	return -1;
}

/* ---- how it stands ---- */

void replication_report(struct replication *r, struct repl_report *out)
{
	pthread_mutex_lock(&r->lock);
	*out = (struct repl_report){
		.start = r->start,
		.finish = r->finish,
		.wait_reconnect_since = r->wait_since,
		.wait_reconnect_until = r->wait_until,
		.wait_reconnect_error = timed_error_dup(&r->wait_error),
		.attempts = xcalloc(r->n, sizeof(*out->attempts)),
		.n_attempts = r->n,
	};
	for (size_t i = 0; i < r->n; i++)
		attempt_report(r->attempts[i], &out->attempts[i]);
	pthread_mutex_unlock(&r->lock);
}
