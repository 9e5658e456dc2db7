/*
 * regex.h - regular expressions on snapshot names.
 *
 * The syntax is RE2's, unanchored search; the engine is PCRE2.  What RE2 does
 * not know, or means otherwise, is refused when compiled (back references,
 * look-around, possessive quantifiers, atomic groups, recursion, callouts,
 * \C \R \X \K \G \Z \h and the like), so that a pattern never means something
 * else here.  Matching has a limit; a match that hits it is an error, never a
 * "no".
 *
 * A compiled regex is immutable and may be used by several threads at once.
 */
#ifndef CODEC_REGEX_H
#define CODEC_REGEX_H

#include "base/err.h"

struct regex;

/* NULL with ERR_INVALID, which names the offset in the pattern.  Pattern at most 4 KiB.
 */
struct regex *regex_new(const char *pattern, struct err *err) must_check;
const char *regex_pattern(const struct regex *r);
/* 1: matches, 0: does not, -1 with ERR_INTERNAL: could not be evaluated. */
int regex_matches(const struct regex *r, const char *text, struct err *err) must_check;
void regex_free(struct regex *r);
DEFINE_CLEANUP(regex_free, struct regex *);

#endif
