/*
 * state.h - what a snapper is made of: its report, and who may ask it for a cycle.
 *
 * The thread of snapper_run() writes the report, under the lock, and reads it without.
 * Everyone else copies it.
 */
#ifndef SNAP_STATE_H
#define SNAP_STATE_H

#include "base/wake.h"
#include "hook/hook.h"
#include "snap/snapper.h"

#include <pthread.h>

struct snapper {
	struct snapper_opts o;
	struct snapper_clock clock;
	struct hooks_opts hooks_opts;
	struct hooks *hooks;          /* NULL: none */
	struct strs pools_in_batches; /* the log has warned of them */
	struct wake wake;             /* is_asked was set */
	pthread_mutex_t lock;         /* guards the rest */
	struct snapper_report report;
	bool is_asked; /* for a cycle that has not begun */
	/* cron: what is due after that, while a cycle runs, is missed */
	int64_t count_missed_s;
};

struct timespec snapper_now(const struct snapper *s);

void state_set(struct snapper *s, enum snapper_state state, struct timespec sleep_until);
void state_set_error(struct snapper *s, const char *error); /* NULL: none */
/* What ends a cycle or the sync-up as a whole: consumes e, logs it unless ctx is done. */
void state_failed(struct ctx *ctx, struct snapper *s, const char *what, struct err *e);

/* A cycle begins, whoever asked for one: Planning. */
void state_begin(struct snapper *s, struct timespec t, int64_t count_missed_s);
/* It was the latest one to miss activations, so many. */
void state_missed(struct snapper *s, uint64_t n);

/* The report's list from now on: one of new filesystems that wait for their turn. */
void state_set_filesystems(struct snapper *s, const struct strs *paths);
void state_fs_started(struct snapper *s, struct snap_report_fs *fs, const char *name);
void state_fs_hooks(struct snapper *s, struct snap_report_fs *fs,
		    const struct hook_report *r);
/* e->kind ERR_NONE: all went well.  taken: there is a snapshot, in any case. */
void state_fs_done(struct snapper *s, struct snap_report_fs *fs, bool taken,
		   const struct err *e);

#endif
