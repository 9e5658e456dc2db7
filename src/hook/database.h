/*
 * database.h - what the hooks for databases have in common: a server of several
 * addresses, and how its errors are told.
 */
#ifndef HOOK_DATABASE_H
#define HOOK_DATABASE_H

#include "base/ctx.h"

/*
 * Connects to the i-th address; an error of it is that of this address alone, and the
 * next one is tried unless *is_final was set.
 */
typedef int database_connect_fn(struct ctx *ctx, void *arg, size_t i, bool *is_final,
				struct err *err);

/*
 * One address after the other, each with its share of the time that is left until end_ms
 * (now_ms()), so that one that swallows everything does not take it all.  The error has
 * the messages of all of them, and the kind of the last.
 */
int database_connect(struct ctx *ctx, size_t n, int64_t end_ms, database_connect_fn *fn,
		     void *arg, struct err *err) must_check;

/* Sentences of a library or a server in one line, the password replaced should it be in
 * them.  The caller frees. */
char *database_said(const char *text, const char *password) must_check;

#endif
