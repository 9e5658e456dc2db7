/*
 * cycle.h - one cycle: a snapshot of each filesystem, all by one name.
 *
 * First those without hooks, together; then the others, each by itself.
 */
#ifndef SNAP_CYCLE_H
#define SNAP_CYCLE_H

#include "snap/state.h"

enum cycle_outcome { CYCLE_DONE, CYCLE_FAILED, CYCLE_NOT_LISTED };

/* Everything that fails is logged and in the report. */
enum cycle_outcome cycle_run(struct ctx *ctx, struct snapper *s);

#endif
