/*
 * job.h - a job of the configuration, running.
 *
 *	push    takes snapshots; after each cycle, and when woken: replicates, prunes the
 *	        sender, prunes the receiver
 *	pull    at intervals, and when woken: the same
 *	snap    takes snapshots; after each cycle, and when woken: prunes
 *	sink    answers who pushes
 *	source  takes snapshots, and answers who pulls
 *
 * The first three are active (active.h), the others passive (passive.h).  A job's
 * failures end up in its log and its status; they never end the daemon.  Order: job_new()
 * all, then job_start() all; job_stop() all, then job_free() all; passive ones are
 * stopped and freed last.  Between start and stop any thread may call wakeup, reset and
 * status.
 */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include "job/offers.h"
#include "prune/pruner.h"
#include "replicate/report.h"
#include "snap/snapper.h"

struct job;

struct job_surroundings { /* the same for all jobs; borrowed */
	struct zfs *zfs;
	const struct env *env;
	struct log log; /* job_new() adds the job's name */
	const struct conf_global *global;
	struct offers *offers;
	struct metrics *metrics; /* or NULL */
};

struct job *job_new(const struct conf_job *conf, const struct job_surroundings *s)
	must_check;
void job_start(struct job *j, struct ctx *ctx); /* ends when ctx does */
void job_stop(struct job *j);                   /* ctx is done: wait for its threads */
void job_free(struct job *j);

bool job_is_passive(const struct job *j);
const struct conf_job *job_conf(const struct job *j);

/* ERR_BUSY "already woken up" / "already reset": what zrepl 0.7 says. */
int job_wakeup(struct job *j, struct err *err) must_check;
int job_reset(struct job *j, struct err *err) must_check;
/* As snapper_trigger(); ERR_INVALID: this kind of job takes no snapshots. */
int job_snapshot(struct job *j, struct err *err) must_check;

/* A copy of all reports; has_... false: null in the status document. */
struct job_status {
	enum job_type type;
	bool has_replication, has_prune_sender, has_prune_receiver, has_prune,
		has_snapper, has_listener;
	struct repl_report replication;                   /* push, pull */
	struct prune_report prune_sender, prune_receiver; /* push, pull */
	struct prune_report prune;                        /* snap */
	struct snapper_report snapper;                    /* push, snap, source */
	struct rpc_server_report listener;                /* sink, source; not local */
};

void job_status(struct job *j, struct job_status *out);
void job_status_free(struct job_status *s);

#endif
