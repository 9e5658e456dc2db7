/*
 * dsfilter.h - the `filesystems` filter: which datasets a job is about.
 *
 * A set of rules "PATTERN: bool".  A pattern without '<' matches exactly that
 * dataset; "PATH<" matches PATH and everything below; "<" everything.  For one
 * dataset, an exact rule decides; else the subtree rule with the most
 * components; else the answer is no.  Order does not matter.
 */
#ifndef CODEC_DSFILTER_H
#define CODEC_DSFILTER_H

#include "base/err.h"
#include "base/strs.h"

struct dsfilter_rule {
	char *path; /* without '<' */
	bool subtree;
	bool accept;
};

/* A zeroed filter accepts nothing. */
struct dsfilter {
	struct dsfilter_rule *v; /* as added */
	size_t n, cap;
	uint32_t *slots; /* a hash table of 1 + index; 0: free */
	size_t n_slots;
};

/* ERR_INVALID: pattern malformed, or already there. */
int dsfilter_add(struct dsfilter *f, const char *pattern, bool accept, struct err *err)
	must_check;
bool dsfilter_accepts(const struct dsfilter *f, const char *dataset);
void dsfilter_free(struct dsfilter *f); /* leaves an empty filter */

/*
 * May there be a dataset that both accept; one strictly below `root` that f accepts?
 * Exact: it is about all names there could be.  *example, if not NULL and the answer is
 * yes, gets a pattern to show, such as "tank/data<"; the caller frees.
 */
bool dsfilter_overlap(const struct dsfilter *a, const struct dsfilter *b, char **example);
bool dsfilter_reaches_below(const struct dsfilter *f, const char *root, char **example);

/*
 * Where to look for what the filter may accept, so that listing need not walk the whole
 * system: `subtrees` get the roots of accepting subtree rules (none of them below
 * another; "" stands for everything and is then the only one), `exact` the exactly
 * accepted datasets outside of those.  Both are appended to.
 */
void dsfilter_roots(const struct dsfilter *f, struct strs *subtrees, struct strs *exact);

#endif
