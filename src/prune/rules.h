/*
 * rules.h - which snapshots of one filesystem the keep rules let go.  Pure.
 *
 * A snapshot is destroyed only if every rule would destroy it.  Beyond the rules, and
 * whatever they say: a snapshot that is held is kept, the one at the cursor is kept where
 * the caller says so (`pinned`), and one about which a rule could not be evaluated is
 * kept. `now` of a grid is the date of the youngest snapshot that its regex matches.
 */
#ifndef PRUNE_RULES_H
#define PRUNE_RULES_H

#include "conf/config.h"

enum prune_why {
	PRUNE_NO_RULE_KEEPS, /* destroyed */
	PRUNE_KEPT_BY_RULE,  /* the first one that does */
	PRUNE_HELD,
	PRUNE_COMMON_BASE,
	PRUNE_RULE_FAILED,
	PRUNE_NO_RULES, /* there are none at all */
};

struct prune_reason {
	enum prune_why why;
	size_t rule;     /* PRUNE_KEPT_BY_RULE: its place in the list, from 1 */
	uint64_t bucket; /* of a grid, from 1, the youngest first; 0: none */
};

struct prune_snap {
	const char *name; /* short */
	int64_t creation_s;
	bool replicated;
	bool held;   /* has holds, as far as is known */
	bool pinned; /* never destroy: the common base */

	/* result */
	bool destroy;
	struct prune_reason reason;
};

/* snaps: by createtxg, ascending.  -1: some rule could not be evaluated for some snapshot
 * (which is kept; all results are valid all the same). */
int prune_decide(const struct conf_keeps *rules, struct prune_snap *snaps, size_t n,
		 struct err *err) must_check;

/*
 * "kept by rule 2 (grid 24x1h ^zrepl_), bucket 14", "held", "common base", "no rule keeps
 * it"; the caller frees.
 */
char *prune_reason_text(const struct conf_keeps *rules, const struct prune_reason *r)
	must_check;

#endif
