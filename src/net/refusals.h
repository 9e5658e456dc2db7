/*
 * refusals.h - what to say of strangers, and how often.
 *
 * Whoever can reach a port decides how often somebody is refused there, so not every
 * refusal goes to the log: one origin's for the same reason once a minute, for a few
 * reasons at most, and those of all origins together a few times a minute.  How many were
 * passed over is said with the next one.  So whoever mends one thing, and is refused for
 * another, learns that at once.
 *
 * Reasons that differ in nothing but digits are the same: ports, times.
 *
 * A zeroed struct refusals is a valid one.  Pure; the time comes from the caller.
 */
#ifndef NET_REFUSALS_H
#define NET_REFUSALS_H

#include "base/base.h"

enum { REFUSALS_PER_MINUTE = 10, REFUSALS_PER_ORIGIN = 3 };

struct refusal {
	char origin[64]; /* what fits of it; "": never used */
	uint64_t reason; /* a hash of it */
	int64_t at_ms;
};

struct refusals {
	struct refusal said[REFUSALS_PER_MINUTE]; /* the latest ones */
	uint64_t unsaid;                          /* since the last one that was said */
};

/* Is this one to be said?  If so *unsaid is how many were not, since the last one. */
bool refusals_say(struct refusals *r, const char *origin, const char *reason,
		  int64_t now_ms, uint64_t *unsaid) must_check;

#endif
