/*
 * active.h - a job that does something: push, pull, snap.
 *
 *	snapshots taken (push, snap) --+
 *	interval over (pull) ----------+--> invocation: replicate, prune sender, prune
 *	wakeup ------------------------+              receiver; snap: prune
 *
 * One invocation at a time.  What snapshots or a wakeup ask for while one is under way is
 * refused; an interval that ends meanwhile makes one more follow.
 */
#ifndef JOB_ACTIVE_H
#define JOB_ACTIVE_H

#include "job/core.h"

struct active;
struct active *active_new(const struct job_core *core) must_check; /* borrowed */
void active_free(struct active *a);                                /* NULL is fine */

/* As job_start() and so on. */
void active_start(struct active *a, struct ctx *ctx);
void active_stop(struct active *a);
bool active_wakeup(struct active *a); /* false: woken up already */
bool active_reset(struct active *a);  /* false: nothing to reset */
/* As job_snapshot(). */
int active_snapshot(struct active *a, struct err *err) must_check;
void active_status(struct active *a, struct job_status *out);

#endif
