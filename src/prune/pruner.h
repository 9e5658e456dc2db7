/*
 * pruner.h - prune one side of a job: list, decide, destroy.
 *
 * All listings are made before anything is destroyed, in a constant number of requests.
 * What is destroyed is what the report says beforehand, nothing else.  The snapshot at
 * the replication cursor is never destroyed on a receiver: it is the common base.  Where
 * there is none, the newest one stays in its place.
 *
 * report() may be called from any thread at any time.
 */
#ifndef PRUNE_PRUNER_H
#define PRUNE_PRUNER_H

#include "conf/config.h"
#include "endpoint/endpoint.h"

enum prune_side { PRUNE_SENDER, PRUNE_RECEIVER, PRUNE_LOCAL };

struct pruner_opts { /* borrowed until pruner_free() */
	enum prune_side side;
	struct endpoint *target; /* where snapshots are destroyed */
	struct endpoint *sender; /* who knows the filesystems and the cursors; PRUNE_LOCAL
				    and PRUNE_SENDER: the same as target */
	const struct conf_keeps *rules;
	/* guarantee_nothing keeps no cursor: treat "no cursor" as "nothing replicated" */
	bool cursor_may_be_missing;
	struct log log; /* subsystem pruning */
};

enum pruner_state {
	PRUNER_PLAN,
	PRUNER_PLAN_ERR,
	PRUNER_EXEC,
	PRUNER_EXEC_ERR,
	PRUNER_DONE
};

enum prune_skip {
	PRUNE_NOT_SKIPPED,
	PRUNE_SKIP_PLACEHOLDER,
	PRUNE_SKIP_NO_CORRESPONDENCE
};

struct prune_report_snap {
	char *name;
	bool replicated;
	int64_t creation_s;
	bool destroy;
	char *reason; /* prune_reason_text() */
};

struct prune_report_fs {
	char *path;
	enum prune_skip skip;
	char *error;                     /* NULL: none */
	struct prune_report_snap *snaps; /* all, by createtxg */
	size_t n_snaps;
	size_t n_destroy;
	bool completed;
};

struct prune_report {
	enum pruner_state state;
	char *error; /* of the planning as a whole, or why it was stopped; NULL: none */
	struct prune_report_fs *fs; /* empty before PRUNER_EXEC; by path, ascending */
	size_t n_fs;
};

struct pruner;
struct pruner *pruner_new(const struct pruner_opts *o) must_check;
/* 0: PRUNER_DONE; -1 with the first error (logged).  Call once. */
int pruner_run(struct ctx *ctx, struct pruner *p, struct err *err);
void pruner_report(struct pruner *p, struct prune_report *out); /* a copy; caller frees */
void pruner_free(struct pruner *p);
DEFINE_CLEANUP(pruner_free, struct pruner *);

const char *pruner_state_name(enum pruner_state s); /* "Plan", "PlanErr", "Exec", ... */
const char *prune_skip_name(enum prune_skip s);     /* "" or the sentence of the report */
const char *prune_side_name(enum prune_side s);     /* "sender", "receiver", "local" */
void prune_report_free(struct prune_report *r);

#endif
