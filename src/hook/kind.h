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
	size_t number; /* of the hook, for logs; from 1 */
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

#endif
