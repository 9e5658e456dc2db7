/*
 * driver.h - replicate from one endpoint to another: plan, do, retry.
 *
 * An attempt lists both sides (a constant number of requests), plans every filesystem,
 * then runs the steps: `concurrency_steps` at a time, globally the oldest snapshot first,
 * a child only once its parents exist on the receiver.  A filesystem that fails does not
 * stop the others.  When an attempt fails because a side could not be reached
 * (ERR_NETWORK, ERR_TIMEOUT), or a token was stale (ERR_BUSY), the driver waits until
 * both answer, up to env.reconnect_hard_fail_ms, and tries again,
 * env.replication_max_attempts times in all; steps done stay done.
 *
 * Threads: run() is the scheduler; each running step (and size estimate) is a thread,
 * joined by run().  report() may be called from any thread at any time.
 */
#ifndef REPLICATE_DRIVER_H
#define REPLICATE_DRIVER_H

#include "base/metric.h"
#include "conf/env.h"
#include "endpoint/endpoint.h"
#include "replicate/report.h"

struct resume_token;

/* What a token says; zfs_decode_token() in the program. */
typedef int decode_token_fn(struct ctx *ctx, void *arg, const char *token,
			    struct resume_token *out, struct err *err);

struct replication_opts { /* all borrowed until replication_free() */
	struct endpoint *sender, *receiver;
	const struct conf_replication *conf;
	const struct env *env;
	struct log log;          /* subsystem repl; its job is that of the metrics */
	struct metrics *metrics; /* or NULL */
	decode_token_fn *decode_token;
	void *decode_arg;
};

/* Makes those metrics of a job be there, before it has replicated anything. */
void replication_metrics_touch(struct metrics *m, const char *job);

struct replication;
struct replication *replication_new(const struct replication_opts *o) must_check;

/*
 * 0: the last attempt is done, without any error; -1: the first error of the last
 * attempt, or ERR_CANCELLED.  Errors have been logged.  Call once.
 */
int replication_run(struct ctx *ctx, struct replication *r, struct err *err);

/* A copy; the caller frees it with repl_report_free(). */
void replication_report(struct replication *r, struct repl_report *out);
void replication_free(struct replication *r);
DEFINE_CLEANUP(replication_free, struct replication *);

#endif
