#include "base/parse.h"
#include "base/vec.h"
#include "codec/quote.h"
#include "codec/re2_scan.h"

enum { MAX_REPEAT = 1000 };

int re2_bad_at(struct re2_scan *s, const char *at, const char *why)
{
	return err_set(s->err, ERR_INVALID, "regular expression: at offset %zu: %s",
		       (size_t)(at - s->start), why);
}

int re2_bad(struct re2_scan *s, const char *why)
{
	return re2_bad_at(s, s->rest.p, why);
}

int re2_foreign(struct re2_scan *s, const char *at, struct view text, const char *what)
{
	cleanup(str_freep) char *shown = quote(text);

	return err_set(
		s->err, ERR_INVALID,
		"regular expression: at offset %zu: %s is %s, which Go's syntax does "
		"not have",
		(size_t)(at - s->start), shown, what);
}

void re2_skip(struct re2_scan *s, size_t n)
{
	s->rest.p += n;
	s->rest.len -= n;
}

void re2_put(struct re2_scan *s, const char *text)
{
	buf_put(s->out, text, strlen(text));
}

bool re2_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool re2_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
	return re2_is_digit(c) || re2_is_letter(c) || c == '_';
}

/* Bytes of the UTF-8 sequence that starts with c; PCRE2 checks that it is one. */
static size_t sequence_len(char c)
{
	unsigned char u = (unsigned char)c;

	return u < 0xc0 ? 1 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
}

/* The character at the front as itself, in or outside of a class. */
void re2_put_literal(struct re2_scan *s)
{
	unsigned char c = (unsigned char)s->rest.p[0];
	size_t n = sequence_len(s->rest.p[0]);

	if (n > s->rest.len)
		n = s->rest.len;
	if (c > ' ' && c <= '~' && !is_word((char)c))
		re2_put(s, "\\");
	if (c < ' ' || c == 0x7f)
		buf_printf(s->out, "\\x{%x}", (unsigned)c);
	else
		buf_put(s->out, s->rest.p, n);
	re2_skip(s, n);
}

/* What follows is new, and may be repeated. */
static void begin_atom(struct re2_scan *s)
{
	buf_put(s->out, buf_str(&s->flags), s->flags.len);
	s->flags.len = 0;
	s->atom = s->out->len;
	s->before = RE2_ATOM;
}

/* There was something empty: what is before it can be repeated, even once more. */
static void skip_empty(struct re2_scan *s)
{
	if (s->before == RE2_QUANTIFIER)
		s->before = RE2_REPEATED;
}

/* An assertion; as a group, because RE2 lets one be repeated. */
static void take_assertion(struct re2_scan *s, const char *pcre, size_t len)
{
	begin_atom(s);
	buf_printf(s->out, "(?:%s)", pcre);
	re2_skip(s, len);
}

/* \Q...\E, or to the end. */
static void take_quoted(struct re2_scan *s)
{
	skip_empty(s); /* if it is */
	re2_skip(s, 2);
	while (s->rest.len > 0) {
		if (view_starts(s->rest, "\\E")) {
			re2_skip(s, 2);
			return;
		}
		begin_atom(s);
		re2_put_literal(s);
	}
}

static int take_escape(struct re2_scan *s)
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
	begin_atom(s);
	r = re2_take_set_escape(s, false);
	if (r == 0) {
		re2_skip(s, 1);
		r = re2_take_char_escape(s);
	}
	return r < 0 ? -1 : 0;
}

static int enter_group(struct re2_scan *s)
{
	if (s->depth == RE2_MAX_DEPTH)
		return re2_bad(s, "too many nested groups");
	s->fold[s->depth + 1] = s->fold[s->depth];
	s->depth++;
	s->group[s->depth] = s->atom;
	s->before = RE2_NOTHING;
	return 0;
}

/* What comes after "(?" and is none of ours. */
static int refuse_group(struct re2_scan *s, const char *at)
{
	static const struct {
		const char *head, *what;
	} known[] = {
		{ "=", "a look-ahead" },
		{ "!", "a look-ahead" },
		{ "<=", "a look-behind" },
		{ "<!", "a look-behind" },
		{ ">", "an atomic group" },
		{ "|", "a branch reset" },
		{ "#", "a comment" },
		{ "R", "a recursion" },
		{ "&", "a recursion" },
		{ "P>", "a recursion" },
		{ "P=", "a back reference" },
		{ "C", "a callout" },
		{ "(", "a condition" },
		{ "'", "a group's name in quotes" },
		{ "x", "a flag" },
		{ "J", "a flag" },
		{ "^", "a reset of all flags" },
	};
	struct view head = view_of(at + 2);

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (view_starts(head, known[i].head))
			return re2_foreign(s, at,
					   (struct view){ at, 2 + strlen(known[i].head) },
					   known[i].what);
	if (re2_is_digit(*head.p))
		return re2_foreign(s, at, (struct view){ at, 3 }, "a recursion");
	return re2_bad_at(s, at,
			  "malformed group; write (?:...), (?P<name>...), or (?i) with "
			  "flags out of i, m, s and U");
}

/* (?P<name> and (?<name>; the name is of no use to us. */
static int take_group_name(struct re2_scan *s, size_t head)
{
	const char *at = s->rest.p;
	cleanup(str_freep) char *name = NULL;
	size_t n = 0;

	re2_skip(s, head);
	while (n < s->rest.len && is_word(s->rest.p[n]))
		n++;
	if (n == 0 || n == s->rest.len || s->rest.p[n] != '>')
		return refuse_group(s, at);
	name = view_dup((struct view){ s->rest.p, n });
	if (strs_has(&s->names, name))
		return re2_bad_at(s, at, "another group has that name already");
	strs_add(&s->names, name);
	re2_skip(s, n + 1);
	begin_atom(s);
	re2_put(s, "(?:");
	return enter_group(s);
}

/* The end of (?i) or of (?i: whose text that is. */
static int end_flags(struct re2_scan *s, struct view text, bool fold)
{
	if (s->rest.p[0] == ')') {
		re2_skip(s, 1);
		buf_put(&s->flags, text.p, text.len);
		buf_put(&s->flags, ")", 1);
		skip_empty(s);
	} else {
		re2_skip(s, 1);
		begin_atom(s);
		buf_put(s->out, text.p, text.len);
		re2_put(s, ":");
		if (enter_group(s) < 0)
			return -1;
	}
	s->fold[s->depth] = fold;
	return 0;
}

/*
 * (?i) for the rest of the group we are in, or (?i:...) for a group of its own, of which
 * (?:...) is the simplest.
 */
static int take_flags(struct re2_scan *s)
{
	bool negative = false, seen = false, fold = s->fold[s->depth];
	const char *at = s->rest.p;

	for (re2_skip(s, 2); s->rest.len > 0; re2_skip(s, 1)) {
		char c = s->rest.p[0];

		if ((c == ':' || c == ')') && (seen || !negative))
			return end_flags(s, (struct view){ at, (size_t)(s->rest.p - at) },
					 fold);
		if (c == '-' && !negative) {
			negative = true;
			seen = false;
		} else if (c == 'i' || c == 'm' || c == 's' || c == 'U') {
			seen = true;
			fold = c == 'i' ? !negative : fold;
		} else {
			break;
		}
	}
	return refuse_group(s, at);
}

static int take_group(struct re2_scan *s)
{
	if (view_starts(s->rest, "(?P<"))
		return take_group_name(s, 4);
	if (view_starts(s->rest, "(?<"))
		return take_group_name(s, 3);
	if (view_starts(s->rest, "(?"))
		return take_flags(s);
	begin_atom(s);
	re2_put(s, "(?:");
	re2_skip(s, 1);
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
		if (!re2_is_digit(v.p[i]))
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

/* Makes a group of the last atom and its quantifier. */
static void enclose(struct re2_scan *s)
{
	static const char head[] = "(?:";
	const size_t n = sizeof(head) - 1;
	size_t len = s->out->len - s->atom;

	char *atom = buf_reserve(s->out, n) - len;

	memmove(atom + n, atom, len);
	memcpy(atom, head, n);
	buf_added(s->out, n);
	for (size_t i = s->marks->n; i > 0 && s->marks->v[i - 1].out > s->atom; i--)
		s->marks->v[i - 1].out += n;
	re2_put(s, ")");
}

static int take_quantifier(struct re2_scan *s, size_t len)
{
	if (s->before == RE2_NOTHING)
		return re2_bad(s, "there is nothing to repeat");
	if (s->before == RE2_QUANTIFIER && s->rest.p[0] == '+')
		return re2_foreign(s, s->rest.p, (struct view){ s->rest.p - 1, 2 },
				   "a possessive repetition");
	if (s->before == RE2_QUANTIFIER)
		return re2_bad(s, "a repetition cannot be repeated; write (?:...) around "
				  "it");
	if (s->before == RE2_REPEATED)
		enclose(s);
	buf_put(s->out, s->rest.p, len);
	re2_skip(s, len);
	if (s->rest.len > 0 && s->rest.p[0] == '?') {
		re2_put(s, "?");
		re2_skip(s, 1);
	}
	s->before = RE2_QUANTIFIER;
	return 0;
}

static int take_brace(struct re2_scan *s)
{
	int64_t len = braces_len(s->rest);

	if (len < 0)
		return re2_bad(s, "repetition counts are at most 1000, and in order");
	if (len > 0)
		return take_quantifier(s, (size_t)len);
	begin_atom(s);
	re2_put_literal(s);
	return 0;
}

static int leave_group(struct re2_scan *s)
{
	if (s->depth == 0)
		return re2_bad(s, "')' without '('");
	begin_atom(s);
	s->atom = s->group[s->depth--];
	re2_put(s, ")");
	re2_skip(s, 1);
	return 0;
}

static int take_one(struct re2_scan *s)
{
	switch (s->rest.p[0]) {
	case '*':
	case '+':
	case '?':
		return take_quantifier(s, 1);
	case '{':
		return take_brace(s);
	case '(':
		return take_group(s);
	case ')':
		return leave_group(s);
	case '^':
	case '$':
		take_assertion(s, s->rest.p[0] == '^' ? "^" : "$", 1);
		return 0;
	case '\\':
		return take_escape(s);
	default:
		break;
	}
	begin_atom(s);
	switch (s->rest.p[0]) {
	case '[':
		return re2_take_class(s);
	case '|':
		s->before = RE2_NOTHING;
		re2_put(s, "|");
		re2_skip(s, 1);
		return 0;
	case '.':
		re2_put(s, ".");
		re2_skip(s, 1);
		return 0;
	default:
		re2_put_literal(s);
		return 0;
	}
}

static void scan_fini(struct re2_scan *s)
{
	buf_free(&s->flags);
	strs_free(&s->names);
}

int re2_to_pcre(const char *pattern, struct buf *out, struct re2_marks *marks,
		struct err *err)
{
	cleanup(scan_fini) struct re2_scan s = {
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
	return s.depth == 0 ? 0 : re2_bad(&s, "')' is missing");
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
