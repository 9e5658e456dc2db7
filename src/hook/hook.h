/*
 * hook.h - what a job runs around the snapshot of a filesystem.
 *
 *	pre 1, pre 2, ... snapshot ... post 2, post 1
 *
 * Every hook whose filter accepts the filesystem takes part, in the order of the
 * configuration, backwards after the snapshot.  A post edge runs once its pre edge has
 * succeeded, whatever happened since: also after a fatal error, a failed snapshot, and
 * when ctx was done meanwhile (then bounded by the hook's own timeout).  A pre edge that
 * fails is logged; if it is fatal, no further pre edge runs and no snapshot is taken.
 * Unlike in zrepl 0.7, where earlier hooks keep their locks after a fatal error.
 *
 *	command              a program, twice, with ZREPL_... in its environment
 *	postgres-checkpoint  CHECKPOINT before
 *	mysql-lock-tables    FLUSH TABLES WITH READ LOCK before, UNLOCK TABLES after, in
 *	                     one session
 *
 * Each edge of each hook ends within the hook's timeout.
 *
 * Thread safety: one thread runs hooks of a set at a time.
 */
#ifndef HOOK_HOOK_H
#define HOOK_HOOK_H

#include "base/buf.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/strs.h"
#include "conf/config.h"
#include "conf/env.h"

enum hook_edge { HOOK_PRE, HOOK_SNAPSHOT, HOOK_POST };

enum hook_status {
	HOOK_PENDING,
	HOOK_EXEC,
	HOOK_OK,
	HOOK_ERR,
	HOOK_SKIPPED_FATAL, /* a hook before failed, fatally */
	HOOK_SKIPPED_PRE,   /* its own pre edge failed */
};

struct hook_step {
	enum hook_edge edge;
	enum hook_status status;
	struct timespec start, end; /* wall clock; zero: not yet */
	char *what;                 /* "command /etc/zrepl/h.sh", "snapshot", ... */
	char *error;                /* NULL: none */
};

struct hook_report {
	struct hook_step *v;
	size_t n;
	bool had_error; /* of any step */
};

struct hooks; /* the hooks of one job */

struct hooks_opts { /* borrowed until hooks_free() */
	const struct conf_hook *conf;
	size_t n;
	const struct env *env;
	struct log log; /* subsystem hook */
};

struct hooks *hooks_new(const struct hooks_opts *o) must_check;
void hooks_free(struct hooks *h); /* NULL is fine */
DEFINE_CLEANUP(hooks_free, struct hooks *);

/* Does any of them take part in snapshots of fs? */
bool hooks_match(const struct hooks *h, const char *fs);
/* After a cycle over these: warns of each hook that matched none of them. */
void hooks_warn_unmatched(const struct hooks *h, const struct strs *fs);

struct hooks_run {
	const char *fs;
	const char *snap; /* short name */
	/* Takes the snapshot. */
	int (*take)(struct ctx *ctx, void *arg, struct err *err);
	/* After each change of the report, in the same thread; or NULL. */
	void (*progress)(void *arg, const struct hook_report *r);
	void *arg;
};

/*
 * The whole plan for one filesystem.  0: the snapshot was taken and no hook failed; -1:
 * the first error, of a hook that is not fatal as well (*taken says whether there is a
 * snapshot all the same).  Everything that fails is logged.
 */
int hooks_run(struct ctx *ctx, struct hooks *h, const struct hooks_run *run, bool *taken,
	      struct err *err) must_check;

/* A line each step: number, status, how long it took, what it said.  Appends. */
void hook_report_text(struct buf *out, const struct hook_report *r);

const char *hook_status_name(enum hook_status s); /* "SkippedDueToPreErr", ... */

#endif
