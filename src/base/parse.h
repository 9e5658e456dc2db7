/*
 * parse.h - numbers out of text: the whole text, nothing but the text.
 *
 * Decimal digits only (and one leading '-' for the signed one): no blanks, no
 * '+', no base prefix.  ERR_INVALID otherwise, and when it does not fit.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include "base/buf.h"
#include "base/err.h"

int parse_u64(struct view text, uint64_t *out, struct err *err) must_check;
int parse_i64(struct view text, int64_t *out, struct err *err) must_check;

/*
 * The text before the next `sep`, and *rest moved behind it.  At the end of
 * the text *rest becomes { NULL, 0 }; a view with p == NULL is at its end.
 */
struct view parse_field(struct view *rest, char sep);
struct view view_trim(struct view v); /* blanks, tabs, CR and LF at both ends */
bool view_starts(struct view v, const char *prefix);
char *view_dup(struct view v) must_check; /* NUL-terminated; the caller frees */

#endif
