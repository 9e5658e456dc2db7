/*
 * plan.h - what a pruner would destroy: one list of filesystems with their snapshots,
 * each marked with what becomes of it and why.
 *
 * Two listings of filesystems (one if target and sender are the same), one of versions,
 * at most one of cursors, whatever the number of filesystems.  Destroys nothing.
 */
#ifndef PRUNE_PLAN_H
#define PRUNE_PLAN_H

#include "prune/pruner.h"

struct prune_plan_fs {
	struct prune_report_fs report; /* .error is not set */
	/* Why nothing is destroyed here, or a rule that failed; ERR_NONE: all is well */
	struct err err;
};

struct prune_plan {
	struct prune_plan_fs *v; /* by path, ascending */
	size_t n, cap;
};

int prune_plan(struct ctx *ctx, const struct pruner_opts *o, struct prune_plan *out,
	       struct err *err) must_check;
void prune_plan_free(struct prune_plan *p);

#endif
