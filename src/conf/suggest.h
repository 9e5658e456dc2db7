/*
 * suggest.h - which of the known words a misspelt one was probably meant to be.
 *
 *	struct suggest s = suggest_start("conect");
 *	suggest_try(&s, "connect"); ...
 *	suggest_result(&s)                  "connect"
 */
#ifndef CONF_SUGGEST_H
#define CONF_SUGGEST_H

#include "base/base.h"

struct suggest {
	const char *word; /* borrowed, and so are the known ones */
	const char *best;
	size_t distance;
};

struct suggest suggest_start(const char *word);
void suggest_try(struct suggest *s, const char *known);
/* The nearest so far; NULL: none is near enough to be meant. */
const char *suggest_result(const struct suggest *s);

#endif
