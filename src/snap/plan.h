/*
 * plan.h - what a cycle takes snapshots of.
 */
#ifndef SNAP_PLAN_H
#define SNAP_PLAN_H

#include "snap/state.h"

/* All filesystems of the job, sorted.  Appends. */
int plan_filesystems(struct ctx *ctx, struct snapper *s, struct strs *out,
		     struct err *err) must_check;

/*
 * For skip_unchanged: those of `all` that need one.  The others have nothing written to
 * them since their latest snapshot, and that is one of ours: somebody else's may be
 * destroyed by a rule that is none of ours.  Where that cannot be learned all need one.
 * Appends; logs what is skipped.
 */
void plan_changed(struct ctx *ctx, struct snapper *s, const struct strs *all,
		  struct strs *out);

/* Is that a snapshot of ours, by its name? */
bool plan_is_ours(const struct snapper *s, const struct version *v);

#endif
