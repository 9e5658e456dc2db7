/*
 * passive.h - a job that answers: sink, source.
 *
 *	sink    a receiver, and for each client a view of it
 *	source  takes snapshots; for each client a sender
 *
 * With the local transport it offers itself in this process; with any other a server
 * listens, in a thread of its own.  Clients at the same time share what the job has: its
 * limit, and the turn to create placeholders.
 */
#ifndef JOB_PASSIVE_H
#define JOB_PASSIVE_H

#include "job/core.h"

struct passive;
struct passive *passive_new(const struct job_core *core) must_check; /* borrowed */
void passive_free(struct passive *p);                                /* NULL is fine */

/* As job_start() and so on. */
void passive_start(struct passive *p, struct ctx *ctx);
void passive_stop(struct passive *p);
/* As job_snapshot(). */
int passive_snapshot(struct passive *p, struct err *err) must_check;
void passive_status(struct passive *p, struct job_status *out);

#endif
