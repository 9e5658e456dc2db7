/*
 * re2_scan.h - inside of re2: the pattern as it is read, and the output as it grows.
 */
#ifndef CODEC_RE2_SCAN_H
#define CODEC_RE2_SCAN_H

#include "base/strs.h"
#include "codec/re2.h"

enum { RE2_MAX_DEPTH = 200 }; /* of groups; PCRE2 itself stops at 250 */

/* What a quantifier would apply to. */
enum re2_before {
	RE2_NOTHING,
	RE2_ATOM,
	RE2_REPEATED, /* an atom, its quantifier, and something empty behind: a*(?i) */
	RE2_QUANTIFIER,
};

struct re2_scan {
	const char *start;
	struct view rest;
	struct buf *out;
	struct re2_marks *marks;
	struct err *err;
	enum re2_before before;
	size_t atom;       /* where the last one begins in out */
	struct buf flags;  /* "(?i)", to be put before the next atom */
	struct strs names; /* of groups */
	unsigned depth;
	size_t group[RE2_MAX_DEPTH + 1]; /* where they begin in out, by depth */
	bool fold[RE2_MAX_DEPTH + 1];    /* (?i) is in force */
};

int re2_bad_at(struct re2_scan *s, const char *at, const char *why);
int re2_bad(struct re2_scan *s, const char *why); /* where we are */
/* The text, at or around `at`, is a construct of other engines. */
int re2_foreign(struct re2_scan *s, const char *at, struct view text, const char *what);
void re2_skip(struct re2_scan *s, size_t n);
void re2_put(struct re2_scan *s, const char *text);
/* The character at the front as itself, in or outside of a class. */
void re2_put_literal(struct re2_scan *s);

bool re2_is_digit(char c);
bool re2_is_letter(char c);

/* An escape that stands for one character; behind the backslash. */
int re2_take_char_escape(struct re2_scan *s) must_check;
/* A set of characters by escape, if there is one at the front: 1, else 0, or -1. */
int re2_take_set_escape(struct re2_scan *s, bool in_class) must_check;
int re2_take_class(struct re2_scan *s) must_check; /* at its '[' */

#endif
