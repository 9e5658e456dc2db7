/*
 * report.h - how a replication stands: a plain value, copied out of the driver at any
 * time and shown by status, logs and metrics.  Names of states as in zrepl 0.7's
 * status document.
 */
#ifndef REPLICATE_REPORT_H
#define REPLICATE_REPORT_H

#include "base/base.h"

#include <time.h>

enum attempt_state {
	ATTEMPT_PLANNING,
	ATTEMPT_PLANNING_ERROR,
	ATTEMPT_FAN_OUT_FILESYSTEMS,
	ATTEMPT_FILESYSTEM_ERROR,
	ATTEMPT_DONE,
};

enum fs_state { FS_PLANNING, FS_PLANNING_ERROR, FS_STEPPING, FS_STEP_ERROR, FS_DONE };

enum fs_blocked {
	BLOCKED_ON_NOTHING,
	BLOCKED_ON_PLAN_QUEUE,
	BLOCKED_ON_PARENT_INITIAL_REPL,
	BLOCKED_ON_REPL_QUEUE,
};

struct timed_error {
	char *text; /* NULL: none */
	struct timespec time;
};

struct report_step {
	char *from; /* "@a", "#b", or "" for a full send */
	char *to;   /* "@c" */
	bool resumed;
	uint64_t bytes_expected; /* 0: unknown */
	uint64_t bytes_replicated;
};

struct report_fs {
	char *path;
	enum fs_state state;
	enum fs_blocked blocked_on;
	struct timed_error plan_error, step_error;
	size_t current_step; /* == n_steps when done */
	struct report_step *steps;
	size_t n_steps;
};

struct report_attempt {
	enum attempt_state state;
	struct timespec start, finish; /* zero: not yet */
	struct timed_error plan_error;
	struct report_fs *fs; /* empty while planning */
	size_t n_fs;
};

struct repl_report {
	struct timespec start, finish;
	struct timespec wait_reconnect_since,
		wait_reconnect_until; /* zero: not waiting */
	struct timed_error wait_reconnect_error;
	struct report_attempt *attempts;
	size_t n_attempts;
};

const char *attempt_state_name(enum attempt_state s);
const char *fs_state_name(enum fs_state s);
const char *fs_blocked_name(enum fs_blocked b);
void repl_report_free(struct repl_report *r); /* leaves an empty report */

void timed_error_set(struct timed_error *e, const char *text); /* as of now */
struct timed_error timed_error_dup(const struct timed_error *e);
void timed_error_fini(struct timed_error *e); /* leaves none */

#endif
