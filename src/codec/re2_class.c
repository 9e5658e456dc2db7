#include "base/parse.h"
#include "codec/re2_scan.h"

#include <stdio.h>

enum { MAX_CODE_POINT = 0x10ffff };

static bool is_hex(char c)
{
	return re2_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* \x41 or \x{41}; at the x. */
static int take_hex(struct re2_scan *s)
{
	const char *at = s->rest.p;
	struct view digits;
	bool braces = s->rest.len > 1 && s->rest.p[1] == '{';
	uint32_t value = 0;

	re2_skip(s, braces ? 2 : 1);
	digits = (struct view){ s->rest.p, 0 };
	while (s->rest.len > 0 && is_hex(s->rest.p[0]) && (braces || digits.len < 2)) {
		char c = s->rest.p[0];

		value = value * 16 +
			(uint32_t)(re2_is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
		if (value > MAX_CODE_POINT)
			return re2_bad_at(s, at, "\\x is beyond Unicode");
		digits.len++;
		re2_skip(s, 1);
	}
	if (digits.len < (braces ? 1 : 2) ||
	    (braces && (s->rest.len == 0 || s->rest.p[0] != '}')))
		return re2_bad_at(s, at, "\\x wants two digits, or digits in braces");
	if (braces)
		re2_skip(s, 1);
	buf_printf(s->out, "\\x{%x}", (unsigned)value);
	return 0;
}

/* \0, \07, \012, \123; at the first digit. */
static int take_octal(struct re2_scan *s)
{
	const char *at = s->rest.p;
	unsigned value = 0;
	size_t n = 0;

	while (n < 3 && n < s->rest.len && at[n] >= '0' && at[n] <= '7')
		value = value * 8 + (unsigned)(at[n++] - '0');
	if (n == 0 || (n == 1 && at[0] != '0'))
		return re2_foreign(s, at, (struct view){ at - 1, 2 }, "a back reference");
	re2_skip(s, n);
	buf_printf(s->out, "\\x{%x}", value);
	return 0;
}

/* An escape that stands for one character; behind the backslash. */
int re2_take_char_escape(struct re2_scan *s)
{
	static const char from[] = "afnrtv", to[] = "\a\f\n\r\t\v";
	char c;

	if (s->rest.len == 0)
		return re2_bad(s, "backslash at the end");
	c = s->rest.p[0];
	if (c == 'x')
		return take_hex(s);
	if (c != '\0' && strchr(from, c)) {
		buf_printf(s->out, "\\x{%x}", (unsigned)to[strchr(from, c) - from]);
		re2_skip(s, 1);
		return 0;
	}
	if (re2_is_digit(c))
		return take_octal(s);
	if (c == 'k' || c == 'g')
		return re2_foreign(s, s->rest.p, (struct view){ s->rest.p - 1, 2 },
				   "a back reference");
	if (re2_is_letter(c) || (unsigned char)c >= 0x80)
		return re2_foreign(
			s, s->rest.p,
			(struct view){ s->rest.p - 1,
				       (unsigned char)c < 0x80 ? 2 : s->rest.len + 1 },
			"an escape");
	re2_put_literal(s);
	return 0;
}

/* Titlecase letters. */
#define LT                                                                       \
	"\\x{1c5}\\x{1c8}\\x{1cb}\\x{1f2}\\x{1f88}-\\x{1f8f}\\x{1f98}-\\x{1f9f}" \
	"\\x{1fa8}-\\x{1faf}\\x{1fbc}\\x{1fcc}\\x{1ffc}"

/*
 * Under (?i), a class contains what folds into it, too.  That matters for letters, of
 * which nearly all with a case have a partner.  (A few beyond ASCII have none, and U+0345
 * is a mark that folds to a letter: no snapshot has those in its name.)
 *
 * C is without what is not assigned; a script is what has it as its Script, where PCRE2
 * by itself would take Script_Extensions.
 */
static void put_property(struct re2_scan *s, struct view name, bool negated,
			 bool in_class)
{
	const char *open = in_class ? "" : negated ? "[^" : "[";
	const char *close = in_class ? "" : "]";
	char p = negated ? 'P' : 'p';
	bool fold = s->fold[s->depth];

	if (fold && (view_eq(name, VIEW("Lu")) || view_eq(name, VIEW("Ll"))))
		buf_printf(s->out, "\\%c{L&}", p);
	else if (fold && view_eq(name, VIEW("Lt")) && !(in_class && negated))
		buf_printf(s->out, "%s" LT "%s", open, close);
	else if (view_eq(name, VIEW("C")) && in_class && negated)
		re2_put(s, "\\P{C}\\p{Cn}");
	else if (view_eq(name, VIEW("C")))
		buf_printf(s->out, "%s\\p{Cc}\\p{Cf}\\p{Co}%s", open, close);
	else if (name.len <= 2 || view_eq(name, VIEW("Any")))
		buf_printf(s->out, "\\%c{%.*s}", p, (int)name.len, name.p);
	else
		buf_printf(s->out, "\\%c{sc:%.*s}", p, (int)name.len, name.p);
}

static bool is_property(struct view name)
{
	static const char categories[] =
		" C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi "
		"Po Ps S Sc Sk Sm So Z Zl Zp Zs ";
	char word[8];

	if (name.len == 0 || name.p[0] < 'A' || name.p[0] > 'Z')
		return false;
	if (name.len > 2)
		return true; /* PCRE2 knows which scripts there are */
	snprintf(word, sizeof(word), " %.*s ", (int)name.len, name.p);
	return strstr(categories, word);
}

/* \pL, \p{Greek}, \p{^Greek}, \P...; at the p. */
static int take_property(struct re2_scan *s, bool in_class)
{
	const char *at = s->rest.p;
	bool negated = s->rest.p[0] == 'P';
	struct view name;

	re2_skip(s, 1);
	name = (struct view){ s->rest.p, s->rest.len > 0 };
	if (s->rest.len > 0 && s->rest.p[0] == '{') {
		re2_skip(s, 1);
		if (s->rest.len > 0 && s->rest.p[0] == '^') {
			negated = !negated;
			re2_skip(s, 1);
		}
		name = (struct view){ s->rest.p, 0 };
		while (name.len < s->rest.len &&
		       (re2_is_letter(name.p[name.len]) || name.p[name.len] == '_'))
			name.len++;
		if (name.len == s->rest.len || name.p[name.len] != '}')
			return re2_bad_at(s, at, "\\p{ wants a name and a '}'");
		re2_skip(s, 1);
	}
	if (!is_property(name))
		return re2_bad_at(
			s, at,
			"\\p wants a class or a script of Unicode, such as \\pL, "
			"\\p{Lu} or \\p{Greek}");
	re2_skip(s, name.len);
	put_property(s, name, negated, in_class);
	return 0;
}

/*
 * \d \D \s \S \w \W, outside and inside of brackets.  RE2's \s has no vertical tab, so
 * its \S has it.
 */
static const struct perl_class {
	char letter;
	const char *outside, *inside;
} perl_classes[] = {
	{ 'd', "[0-9]", "0-9" },
	{ 'D', "[^0-9]", "\\D" },
	{ 's', "[\\x{9}\\x{a}\\x{c}\\x{d} ]", "\\x{9}\\x{a}\\x{c}\\x{d} " },
	{ 'S', "[^\\x{9}\\x{a}\\x{c}\\x{d} ]", "\\S\\x{b}" },
	{ 'w', "[0-9A-Za-z_]", "0-9A-Za-z_" },
	{ 'W', "[^0-9A-Za-z_]", "\\W" },
};

static const struct perl_class *perl_class(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(perl_classes); i++)
		if (perl_classes[i].letter == letter)
			return &perl_classes[i];
	return NULL;
}

/* A set of characters by escape, if there is one at the front: 1, else 0, or -1. */
int re2_take_set_escape(struct re2_scan *s, bool in_class)
{
	const struct perl_class *perl;

	if (s->rest.len < 2 || s->rest.p[0] != '\\')
		return 0;
	perl = perl_class(s->rest.p[1]);
	if (perl) {
		re2_put(s, in_class ? perl->inside : perl->outside);
		re2_skip(s, 2);
		return 1;
	}
	if (s->rest.p[1] == 'p' || s->rest.p[1] == 'P') {
		re2_skip(s, 1);
		return take_property(s, in_class) < 0 ? -1 : 1;
	}
	return 0;
}

/* [:alpha:] if there is one at the front: 1, else 0, or -1. */
static int take_posix_class(struct re2_scan *s)
{
	static const char *const names[] = {
		"alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph",
		"lower", "print", "punct", "space", "upper", "word",  "xdigit",
	};
	struct view name = s->rest;
	const char *end;
	bool negated;

	if (!view_starts(s->rest, "[:"))
		return 0;
	end = memmem(name.p + 2, name.len - 2, ":]", 2);
	if (!end)
		return 0;
	negated = name.p[2] == '^';
	name.p += negated ? 3 : 2;
	name.len = end >= name.p ? (size_t)(end - name.p) : 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!view_eq(name, view_of(names[i])))
			continue;
		buf_printf(s->out, "[:%s%s:]", negated ? "^" : "", names[i]);
		re2_skip(s, (size_t)(end + 2 - s->rest.p));
		return 1;
	}
	return re2_bad(s,
		       "unknown character class; write e.g. [[:alpha:]] or [[:digit:]]");
}

static int take_class_char(struct re2_scan *s)
{
	if (s->rest.len == 0)
		return re2_bad(s, "']' is missing");
	if (s->rest.p[0] != '\\') {
		re2_put_literal(s);
		return 0;
	}
	re2_skip(s, 1);
	return re2_take_char_escape(s);
}

static int take_class_range(struct re2_scan *s)
{
	if (take_class_char(s) < 0)
		return -1;
	if (s->rest.len < 2 || s->rest.p[0] != '-' || s->rest.p[1] == ']')
		return 0;
	re2_put(s, "-");
	re2_skip(s, 1);
	return take_class_char(s);
}

int re2_take_class(struct re2_scan *s)
{
	const char *at = s->rest.p;
	bool first = true;

	re2_put(s, "[");
	re2_skip(s, 1);
	if (s->rest.len > 0 && s->rest.p[0] == '^') {
		re2_put(s, "^");
		re2_skip(s, 1);
	}
	/* A ']' at the very beginning is a member. */
	for (; s->rest.len > 0 && (first || s->rest.p[0] != ']'); first = false) {
		int r = take_posix_class(s);

		if (r == 0)
			r = re2_take_set_escape(s, true);
		if (r == 0)
			r = take_class_range(s);
		if (r < 0)
			return -1;
	}
	if (s->rest.len == 0)
		return re2_bad_at(s, at, "']' is missing");
	re2_put(s, "]");
	re2_skip(s, 1);
	return 0;
}
