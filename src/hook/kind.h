/*
 * kind.h - one kind of hook: what it does on either edge.
 *
 * A session lives from a successful pre edge to the end of the post edge of the same
 * snapshot, and holds what has to be held in between (a locked connection).
 */
#ifndef HOOK_KIND_H
#define HOOK_KIND_H

#include "hook/hook.h"

struct hook_call {
	const struct conf_hook *conf;
	const struct env *env;
	const struct log *log;
	const char *fs, *snap;
	enum hook_edge edge;
	size_t number;    /* of the hook in its job, for logs; from 1 */
	const char *what; /* "command /etc/zrepl/h.sh" */
};

struct hook_kind {
	/*
	 * Both end when ctx does, which has the hook's timeout.  pre: *session is NULL
	 * before, and stays NULL after a failure; post frees it, whatever happens.
	 */
	int (*pre)(struct ctx *ctx, const struct hook_call *c, void **session,
		   struct err *err);
	int (*post)(struct ctx *ctx, const struct hook_call *c, void *session,
		    struct err *err);
};

extern const struct hook_kind hook_command;
#if HAVE_LIBPQ
extern const struct hook_kind hook_postgres_checkpoint;
#endif
#if HAVE_LIBMARIADB
extern const struct hook_kind hook_mysql_lock_tables;
#endif

/* Logs msg with who says it: the hook, its number, fs and snap; and with `more`, unless
 * its key is NULL. */
void hook_log(const struct hook_call *c, enum log_level level, struct log_field more,
	      const char *msg);

/* Makes "... timed out" of a ctx "... timed out after 30s".  Other errors stay. */
void hook_timed_out(const struct hook_call *c, struct err *err);

/* For tests: kinds of their own. */
typedef const struct hook_kind *hook_kind_fn(enum hook_type type);
struct hooks *hooks_new_of(const struct hooks_opts *o, hook_kind_fn *kind_of) must_check;

#endif
