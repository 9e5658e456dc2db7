/*
 * parse.h - numbers out of text: the whole text, nothing but the text; and views of
 * parts of a text.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Decimal digits only (and one leading '-' for the signed one): no blanks, no
 * '+', no base prefix.  ERR_INVALID otherwise, and when it does not fit.
 */
int parse_u64(struct view text, uint64_t *out, struct err *err) must_check;
int parse_i64(struct view text, int64_t *out, struct err *err) must_check;

/* Digits of a base up to 16; false: something else, or it does not fit. */
bool parse_digits(struct view text, unsigned base, uint64_t *out) must_check;
/* 1 t T true True TRUE, 0 f F false False FALSE, as in Go; false: something else. */
bool parse_bool(struct view text, bool *out) must_check;

/*
 * The text before the next `sep`, and *rest moved behind it.  At the end of
 * the text *rest becomes { NULL, 0 }; a view with p == NULL is at its end.
 */
struct view parse_field(struct view *rest, char sep);
struct view view_trim(struct view v); /* blanks, tabs, CR and LF at both ends */
bool view_starts(struct view v, const char *prefix);
bool view_skip(struct view *v, const char *prefix); /* takes it off, if it is there */
char *view_dup(struct view v) must_check;           /* NUL-terminated; the caller frees */

#endif
