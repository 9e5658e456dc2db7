/*
 * strs.h - a growing list of strings, each owned by the list.
 *
 * A zeroed strs is a valid empty one.  strs_argv() makes it usable as argv.
 */
#ifndef BASE_STRS_H
#define BASE_STRS_H

#include "base/base.h"

struct strs {
	char **v;
	size_t n, cap;
};

void strs_add(struct strs *l, const char *s);
void strs_addf(struct strs *l, const char *fmt, ...) printf_like(2, 3);
void strs_take(struct strs *l, char *s); /* the list owns s from now on */
void strs_copy(struct strs *to, const struct strs *from); /* appends */
bool strs_has(const struct strs *l, const char *s);
void strs_sort(struct strs *l); /* by bytes, ascending */
void strs_free(struct strs *l); /* leaves an empty list */

/* Joined by sep; the caller frees. */
char *strs_join(const struct strs *l, const char *sep) must_check;

/* The strings followed by NULL, for exec; borrowed until the next change. */
const char *const *strs_argv(struct strs *l);

#endif
