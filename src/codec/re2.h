/*
 * re2.h - a regular expression in RE2's syntax, rewritten for PCRE2.
 *
 * Everything that RE2 (as in Go's regexp) understands is spelled out in the output such
 * that it means the same there: \s without the vertical tab, \v as that tab, literals
 * escaped, groups not capturing.  What is not understood is an error, so nothing that
 * only PCRE2 knows gets through.  Names of snapshots are ASCII, and for ASCII the meaning
 * is exact; beyond, it is but for \p{Lu} and \p{Ll} under (?i), which take all letters
 * with a case, even the few that have no partner.
 *
 * The output is to be compiled with PCRE2_UTF, PCRE2_DOLLAR_ENDONLY and
 * PCRE2_ALT_CIRCUMFLEX, and without PCRE2_UCP.
 */
#ifndef CODEC_RE2_H
#define CODEC_RE2_H

#include "base/buf.h"
#include "base/err.h"

/* out[.out ...] comes from pattern[.in ...], up to the next mark. */
struct re2_mark {
	size_t out, in;
};

struct re2_marks {
	struct re2_mark *v;
	size_t n, cap;
};

/* Appends to out; ERR_INVALID names the offset in the pattern. */
int re2_to_pcre(const char *pattern, struct buf *out, struct re2_marks *marks,
		struct err *err) must_check;
/* Where in the pattern the byte at offset `out` of the output comes from. */
size_t re2_origin(const struct re2_marks *marks, size_t out);
void re2_marks_free(struct re2_marks *m);

#endif
