/*
 * queue.h - which filesystem's next step may run.  Pure: no clock, no thread, no I/O.
 *
 *	unplanned -> plan failed
 *	    |
 *	    +-> planned -> waiting -> ready <-> running -> done
 *	                      |                    |
 *	                      +-> orphaned         +-> failed
 *
 * Of the ready ones, that with the earliest target date (creation of the `to` of its next
 * step) runs first; the earlier in the sender's listing first if dates are equal.
 *
 * A filesystem waits until all filesystems above it in the same attempt are present on
 * the receiver: planned, and without steps, or starting with an increment, or with one
 * step done.  It is orphaned when one of them cannot become present any more.  One
 * without steps waits for nobody.  (compat: zrepl 0.7)
 *
 * Not thread safe: the caller locks.
 */
#ifndef REPLICATE_QUEUE_H
#define REPLICATE_QUEUE_H

#include "endpoint/path_index.h"
#include "replicate/plan.h"
#include "replicate/report.h"

struct queue;

/* Filesystems are known by their number in x; x's paths must outlive the queue. */
struct queue *queue_new(const struct path_index *x) must_check;
void queue_free(struct queue *q);
DEFINE_CLEANUP(queue_free, struct queue *);

/* First, one of these for each filesystem; plans are borrowed for the queue's life. */
void queue_planned(struct queue *q, size_t fs, const struct plan *plan);
void queue_plan_failed(struct queue *q, size_t fs);
void queue_start(struct queue *q); /* all are planned */

/* Then: take a filesystem whose next step is to run now ... */
bool queue_next(struct queue *q, size_t *fs);
/* ... and say how that ended. */
void queue_step_done(struct queue *q, size_t fs);
void queue_step_failed(struct queue *q, size_t fs);

/* Take a filesystem that fails because of those above it. */
bool queue_orphan(struct queue *q, size_t *fs);
/* Which they are, the topmost first: "a a/b".  The caller frees. */
char *queue_missing_parents(const struct queue *q, size_t fs) must_check;

enum fs_blocked queue_blocked_on(const struct queue *q, size_t fs);
size_t queue_steps_done(const struct queue *q, size_t fs);
bool queue_is_finished(const struct queue *q, size_t fs); /* done, failed or orphaned */

#endif
