/*
 * sides.h - the two sides of an active job, and how it gets at them.
 *
 *	push  this host sends, the peer receives
 *	pull  the peer sends, this host receives
 *	snap  this host alone
 *
 * What outlives a single run (where the peer is, who may create placeholders here) is in
 * struct sides_maker; a pair of endpoints is opened for each run.
 */
#ifndef JOB_SIDES_H
#define JOB_SIDES_H

#include "job/core.h"

struct sides_maker {
	const struct job_core *core;
	struct receiver *receiver;     /* pull */
	struct connector *connector;   /* push, pull; NULL: local */
	struct rpc_client_opts remote; /* with connector */
};

struct sides {
	struct endpoint *sender, *receiver; /* snap: no receiver */
};

/* core, of an active job, is borrowed.  Connects to nobody. */
void sides_maker_init(struct sides_maker *m, const struct job_core *core);
void sides_maker_fini(struct sides_maker *m); /* all sides are closed */

/* Connects to nobody either: the first question does. */
int sides_open(const struct sides_maker *m, struct sides *s, struct err *err) must_check;
void sides_close(struct sides *s); /* also what a failed sides_open() leaves */

/* How that side of the job is pruned; snap has PRUNE_LOCAL, the others the two others. */
struct pruner_opts sides_pruner_opts(const struct job_core *core, const struct sides *s,
				     enum prune_side side);

#endif
