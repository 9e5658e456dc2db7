#include "codec/re2.h"

#include "base/parse.h"
#include "base/vec.h"

enum {
	MAX_REPEAT = 1000,
	MAX_DEPTH = 200, /* of groups; PCRE2 itself stops at 250 */
	MAX_CODE_POINT = 0x10ffff,
};

/* What a quantifier would apply to. */
enum before { NOTHING, ATOM, QUANTIFIER };

struct scan {
	const char *start;
	struct view rest;
	struct buf *out;
	struct re2_marks *marks;
	struct err *err;
	enum before before;
	unsigned depth;
	bool fold[MAX_DEPTH + 1]; /* (?i) is in force, by depth */
};

static int bad_at(struct scan *s, const char *at, const char *why)
{
	return err_set(s->err, ERR_INVALID, "regular expression: at offset %zu: %s",
		       (size_t)(at - s->start), why);
}

static int bad(struct scan *s, const char *why)
{
	return bad_at(s, s->rest.p, why);
}

static void skip(struct scan *s, size_t n)
{
	s->rest.p += n;
	s->rest.len -= n;
}

static void put(struct scan *s, const char *text)
{
	buf_put(s->out, text, strlen(text));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
	return is_digit(c) || is_letter(c) || c == '_';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Bytes of the UTF-8 sequence that starts with c; PCRE2 checks that it is one. */
static size_t sequence_len(char c)
{
	unsigned char u = (unsigned char)c;

	return u < 0xc0 ? 1 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
}

/* The character at the front as itself, in or outside of a class. */
static void put_literal(struct scan *s)
{
	unsigned char c = (unsigned char)s->rest.p[0];
	size_t n = sequence_len(s->rest.p[0]);

	if (n > s->rest.len)
		n = s->rest.len;
	if (c > ' ' && c <= '~' && !is_word((char)c))
		put(s, "\\");
	if (c < ' ' || c == 0x7f)
		buf_printf(s->out, "\\x{%x}", (unsigned)c);
	else
		buf_put(s->out, s->rest.p, n);
	skip(s, n);
}

/* \x41 or \x{41}; at the x. */
static int take_hex(struct scan *s)
{
	const char *at = s->rest.p;
	struct view digits;
	bool braces = s->rest.len > 1 && s->rest.p[1] == '{';
	uint32_t value = 0;

	skip(s, braces ? 2 : 1);
	digits = (struct view){ s->rest.p, 0 };
	while (s->rest.len > 0 && is_hex(s->rest.p[0]) && (braces || digits.len < 2)) {
		char c = s->rest.p[0];

		value = value * 16 +
			(uint32_t)(is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
		if (value > MAX_CODE_POINT)
			return bad_at(s, at, "\\x is beyond Unicode");
		digits.len++;
		skip(s, 1);
	}
	if (digits.len < (braces ? 1 : 2) ||
	    (braces && (s->rest.len == 0 || s->rest.p[0] != '}')))
		return bad_at(s, at, "\\x wants two digits, or digits in braces");
	if (braces)
		skip(s, 1);
	buf_printf(s->out, "\\x{%x}", (unsigned)value);
	return 0;
}

/* An escape that stands for one character; behind the backslash. */
static int take_char_escape(struct scan *s)
{
	static const char from[] = "afnrtv", to[] = "\a\f\n\r\t\v";
	char c;

	if (s->rest.len == 0)
		return bad(s, "backslash at the end");
	c = s->rest.p[0];
	if (c == 'x')
		return take_hex(s);
	if (c != '\0' && strchr(from, c)) {
		buf_printf(s->out, "\\x{%x}", (unsigned)to[strchr(from, c) - from]);
		skip(s, 1);
		return 0;
	}
	if ((unsigned char)c >= 0x80 || is_digit(c) || is_letter(c))
		return bad(
			s,
			"unknown escape (back references, octal escapes, \\C, \\R, \\Z "
			"and the like are not supported)");
	put_literal(s);
	return 0;
}

/* \pL, \p{Greek}, \p{^Greek}, \P...; at the p. */
static int take_property(struct scan *s)
{
	const char *at = s->rest.p;
	bool negated = s->rest.p[0] == 'P';
	struct view name;

	if (s->fold[s->depth])
		return bad(s, "\\p is not supported under (?i)");
	skip(s, 1);
	name = (struct view){ s->rest.p, 1 };
	if (s->rest.len > 0 && s->rest.p[0] == '{') {
		skip(s, 1);
		if (s->rest.len > 0 && s->rest.p[0] == '^') {
			negated = !negated;
			skip(s, 1);
		}
		name = (struct view){ s->rest.p, 0 };
		while (name.len < s->rest.len &&
		       (is_letter(name.p[name.len]) || name.p[name.len] == '_'))
			name.len++;
		if (name.len == s->rest.len || name.p[name.len] != '}')
			return bad_at(s, at, "\\p{ wants a name and a '}'");
		skip(s, 1);
	}
	if (s->rest.len == 0 || name.len == 0 || name.p[0] < 'A' || name.p[0] > 'Z')
		return bad_at(s, at, "\\p wants the name of a class or a script");
	skip(s, name.len);
	buf_printf(s->out, "\\%c{%.*s}", negated ? 'P' : 'p', (int)name.len, name.p);
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
static int take_set_escape(struct scan *s, bool in_class)
{
	const struct perl_class *perl;

	if (s->rest.len < 2 || s->rest.p[0] != '\\')
		return 0;
	perl = perl_class(s->rest.p[1]);
	if (perl) {
		put(s, in_class ? perl->inside : perl->outside);
		skip(s, 2);
		return 1;
	}
	if (s->rest.p[1] == 'p' || s->rest.p[1] == 'P') {
		skip(s, 1);
		return take_property(s) < 0 ? -1 : 1;
	}
	return 0;
}

/* [:alpha:] if there is one at the front: 1, else 0, or -1. */
static int take_posix_class(struct scan *s)
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
		skip(s, (size_t)(end + 2 - s->rest.p));
		return 1;
	}
	return bad(s, "unknown character class");
}

static int take_class_char(struct scan *s)
{
	if (s->rest.len == 0)
		return bad(s, "']' is missing");
	if (s->rest.p[0] != '\\') {
		put_literal(s);
		return 0;
	}
	skip(s, 1);
	return take_char_escape(s);
}

static int take_class_range(struct scan *s)
{
	if (take_class_char(s) < 0)
		return -1;
	if (s->rest.len < 2 || s->rest.p[0] != '-' || s->rest.p[1] == ']')
		return 0;
	put(s, "-");
	skip(s, 1);
	return take_class_char(s);
}

static int take_class(struct scan *s)
{
	const char *at = s->rest.p;
	bool first = true;

	put(s, "[");
	skip(s, 1);
	if (s->rest.len > 0 && s->rest.p[0] == '^') {
		put(s, "^");
		skip(s, 1);
	}
	/* A ']' at the very beginning is a member. */
	for (; s->rest.len > 0 && (first || s->rest.p[0] != ']'); first = false) {
		int r = take_posix_class(s);

		if (r == 0)
			r = take_set_escape(s, true);
		if (r == 0)
			r = take_class_range(s);
		if (r < 0)
			return -1;
	}
	if (s->rest.len == 0)
		return bad_at(s, at, "']' is missing");
	put(s, "]");
	skip(s, 1);
	s->before = ATOM;
	return 0;
}

/* An assertion; as a group, because RE2 lets one be repeated. */
static void take_assertion(struct scan *s, const char *pcre, size_t len)
{
	buf_printf(s->out, "(?:%s)", pcre);
	skip(s, len);
	s->before = ATOM;
}

/* \Q...\E, or to the end. */
static void take_quoted(struct scan *s)
{
	s->before = NOTHING; /* if it is empty */
	skip(s, 2);
	while (s->rest.len > 0) {
		if (view_starts(s->rest, "\\E")) {
			skip(s, 2);
			return;
		}
		put_literal(s);
		s->before = ATOM;
	}
}

static int take_escape(struct scan *s)
{
	static const char *const assertions[] = { "\\A", "\\z", "\\b", "\\B" };
	int r;

	for (size_t i = 0; i < ARRAY_LEN(assertions); i++) {
		if (view_starts(s->rest, assertions[i])) {
			take_assertion(s, assertions[i], 2);
			return 0;
		}
	}
	if (view_starts(s->rest, "\\Q")) {
		take_quoted(s);
		return 0;
	}
	r = take_set_escape(s, false);
	if (r == 0) {
		skip(s, 1);
		r = take_char_escape(s);
	}
	s->before = ATOM;
	return r < 0 ? -1 : 0;
}

/* (?P<name> and (?<name>; the name is of no use to us. */
static int take_group_name(struct scan *s, size_t head)
{
	const char *at = s->rest.p;
	size_t n = 0;

	skip(s, head);
	while (n < s->rest.len && is_word(s->rest.p[n]))
		n++;
	if (n == 0 || n == s->rest.len || s->rest.p[n] != '>')
		return bad_at(s, at, "unknown kind of group");
	skip(s, n + 1);
	put(s, "(?:");
	return 0;
}

static int enter_group(struct scan *s)
{
	if (s->depth == MAX_DEPTH)
		return bad(s, "too many nested groups");
	s->fold[s->depth + 1] = s->fold[s->depth];
	s->depth++;
	s->before = NOTHING;
	return 0;
}

/*
 * (?i) for the rest of the group we are in, or (?i:...) for a group of its own, of which
 * (?:...) is the simplest.  Behind the "(?".
 */
static int take_flags(struct scan *s, const char *at)
{
	bool negative = false, seen = false, fold = s->fold[s->depth];

	put(s, "(?");
	for (; s->rest.len > 0; skip(s, 1)) {
		char c = s->rest.p[0];

		if (c == ':' || c == ')') {
			if (negative && !seen)
				break;
			buf_put(s->out, &c, 1);
			skip(s, 1);
			s->before = NOTHING;
			if (c == ':' && enter_group(s) < 0)
				return -1;
			s->fold[s->depth] = fold;
			return 0;
		}
		if (c == '-' && !negative) {
			negative = true;
			seen = false;
		} else if (c == 'i' || c == 'm' || c == 's' || c == 'U') {
			seen = true;
			fold = c == 'i' ? !negative : fold;
		} else {
			break;
		}
		buf_put(s->out, &c, 1);
	}
	return bad_at(s, at, "unknown kind of group");
}

static int take_group(struct scan *s)
{
	const char *at = s->rest.p;

	if (view_starts(s->rest, "(?P<")) {
		if (take_group_name(s, 4) < 0)
			return -1;
	} else if (view_starts(s->rest, "(?<")) {
		if (take_group_name(s, 3) < 0)
			return -1;
	} else if (view_starts(s->rest, "(?")) {
		skip(s, 2);
		return take_flags(s, at);
	} else {
		put(s, "(?:");
		skip(s, 1);
	}
	return enter_group(s);
}

/* A count in {}: no leading zeros, and -1 if it is none. */
static int64_t count(struct view v)
{
	cleanup(err_clear) struct err ignored = ERR_INIT;
	uint64_t n;

	if (v.len == 0 || (v.len > 1 && v.p[0] == '0'))
		return -1;
	for (size_t i = 0; i < v.len; i++)
		if (!is_digit(v.p[i]))
			return -1;
	return parse_u64(v, &n, &ignored) < 0 || n > MAX_REPEAT ? MAX_REPEAT + 1
								: (int64_t)n;
}

/*
 * {n}, {n,} or {n,m} at the front: its length, and 0 for a '{' that is just that.
 * -1: the counts are no good.
 */
static int64_t braces_len(struct view v)
{
	const char *end = memchr(v.p, '}', v.len);
	struct view inner, first;
	int64_t min, max;

	if (!end)
		return 0;
	inner = (struct view){ v.p + 1, (size_t)(end - v.p) - 1 };
	first = parse_field(&inner, ',');
	min = max = count(first);
	if (inner.p)
		max = inner.len == 0 ? MAX_REPEAT : count(inner);
	if (min < 0 || max < 0)
		return 0;
	if (max > MAX_REPEAT || min > max)
		return -1;
	return end + 1 - v.p;
}

static int take_quantifier(struct scan *s, size_t len)
{
	if (s->before == NOTHING)
		return bad(s, "there is nothing to repeat");
	if (s->before == QUANTIFIER)
		return bad(s, "a repetition cannot be repeated");
	buf_put(s->out, s->rest.p, len);
	skip(s, len);
	if (s->rest.len > 0 && s->rest.p[0] == '?') {
		put(s, "?");
		skip(s, 1);
	}
	s->before = QUANTIFIER;
	return 0;
}

static int take_brace(struct scan *s)
{
	int64_t len = braces_len(s->rest);

	if (len < 0)
		return bad(s, "repetition counts are at most 1000, and in order");
	if (len > 0)
		return take_quantifier(s, (size_t)len);
	put_literal(s);
	s->before = ATOM;
	return 0;
}

static int take_one(struct scan *s)
{
	switch (s->rest.p[0]) {
	case '*':
	case '+':
	case '?':
		return take_quantifier(s, 1);
	case '{':
		return take_brace(s);
	case '[':
		return take_class(s);
	case '(':
		return take_group(s);
	case ')':
		if (s->depth == 0)
			return bad(s, "')' without '('");
		s->depth--;
		put(s, ")");
		s->before = ATOM;
		break;
	case '|':
		put(s, "|");
		s->before = NOTHING;
		break;
	case '.':
		put(s, ".");
		s->before = ATOM;
		break;
	case '^':
	case '$':
		take_assertion(s, s->rest.p[0] == '^' ? "^" : "$", 1);
		return 0;
	case '\\':
		return take_escape(s);
	default:
		put_literal(s);
		s->before = ATOM;
		return 0;
	}
	skip(s, 1);
	return 0;
}

int re2_to_pcre(const char *pattern, struct buf *out, struct re2_marks *marks,
		struct err *err)
{
	struct scan s = {
		.start = pattern,
		.rest = view_of(pattern),
		.out = out,
		.marks = marks,
		.err = err,
	};

	while (s.rest.len > 0) {
		struct re2_mark mark = { out->len, (size_t)(s.rest.p - s.start) };

		VEC_PUSH(marks, mark);
		if (take_one(&s) < 0)
			return -1;
	}
	return s.depth == 0 ? 0 : bad(&s, "')' is missing");
}

size_t re2_origin(const struct re2_marks *marks, size_t out)
{
	size_t in = 0;

	for (size_t i = 0; i < marks->n && marks->v[i].out <= out; i++)
		in = marks->v[i].in;
	return in;
}

void re2_marks_free(struct re2_marks *m)
{
	free(m->v);
	*m = (struct re2_marks){ 0 };
}
