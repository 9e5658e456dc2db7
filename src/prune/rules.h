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

struct prune_snap {
	const char *name; /* short */
	int64_t creation_s;
	bool replicated;
	bool held;   /* has holds, as far as is known */
	bool pinned; /* never destroy: the common base */

	/* result */
	bool destroy;
	const char *kept_by; /* the first rule that keeps it (conf_keep.text), "held",
				"common base", "rule failed", or "no rule" if there are
				none at all; NULL if destroyed */
};

/* snaps: by createtxg, ascending.  -1: some rule could not be evaluated for some snapshot
 * (which is kept; all results are valid all the same). */
int prune_decide(const struct conf_keeps *rules, struct prune_snap *snaps, size_t n,
		 struct err *err) must_check;

#endif
