/*
 * problems.h - what was found wrong, or odd, in the files of a configuration.
 *
 * Each is a whole line, "FILE:LINE:COLUMN: PATH: what", and its place to sort it by.
 * PROBLEMS_MAX of them are kept, the others are counted.  A zeroed list is a valid
 * empty one.
 */
#ifndef CONF_PROBLEMS_H
#define CONF_PROBLEMS_H

#include "base/err.h"
#include "base/strs.h"

enum { PROBLEMS_MAX = 2000 };

struct problem {
	size_t file;           /* its number in the order of loading */
	unsigned line, column; /* 0: about the file */
	size_t seq;            /* in order of being found */
	char *text;
};

struct problems {
	struct problem *v;
	size_t n, cap;
	size_t n_more;
};

/* Further ones would only be counted. */
bool problems_are_full(const struct problems *p);
/* text is owned by the list from now on; .seq need not be set. */
void problems_add(struct problems *p, struct problem what);
/* By place; each text once. */
void problems_sort(struct problems *p);
/* The texts, one a line, `max` at most, then "and N more problems". */
int problems_to_err(const struct problems *p, size_t max, struct err *err);
void problems_to_strs(const struct problems *p, struct strs *out);
void problems_free(struct problems *p); /* leaves an empty list */

#endif
