/*
 * plan.h - the steps that bring one filesystem up to date.  Pure.
 *
 * A plan is a value: it owns its versions and does not look back at the listings it was
 * made from.  What is printed, reported and executed is this one object.
 */
#ifndef REPLICATE_PLAN_H
#define REPLICATE_PLAN_H

#include "codec/resume_token.h"
#include "conf/config.h"
#include "endpoint/endpoint.h"

struct step {
	bool has_from;
	struct version from;     /* snapshot or bookmark */
	struct version to;       /* snapshot */
	char *token;             /* resumed: only the first step; else NULL */
	uint64_t bytes_expected; /* 0: unknown */
};

struct plan {
	struct step *v; /* oldest first */
	size_t n, cap;
};

/* Everything a plan depends on; all borrowed. */
struct plan_input {
	const struct ep_filesystem *sender;       /* not NULL */
	const struct ep_filesystem *receiver;     /* NULL: no such path there */
	const struct versions *sender_versions;   /* sorted */
	const struct versions *receiver_versions; /* sorted; empty for a placeholder */
	const struct resume_token *token;         /* decoded, or NULL */
	enum initial_replication initial_replication;
	struct ep_protection protection;
};

/*
 * 0, also when there is nothing to do (n == 0); -1 with ERR_INVALID: a conflict that
 * needs a person; the message names both sides.
 *
 * A token whose snapshot is gone on the sender is ignored (and so dropped by the first
 * step) if the protection that applied to its step did not promise resumability;
 * otherwise it is a conflict, whose message says how to clear it.
 */
int plan_make(const struct plan_input *in, struct plan *out, struct err *err) must_check;

/*
 * A new attempt must not do more than the one before intended: cut `plan` behind the step
 * that was the last one of `before` from index `from_step` on.  ERR_INVALID when none of
 * those is in the new plan; a plan, or remains, without steps is left as it is.
 */
int plan_limit(struct plan *plan, const struct plan *before, size_t from_step,
	       struct err *err) must_check;

void plan_free(struct plan *p); /* leaves an empty plan */

#endif
