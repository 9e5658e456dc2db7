#include "base/parse.h"

#include <limits.h>

static int not_a_number(struct view t, struct err *err)
{
	return err_set(err, ERR_INVALID, "\"%.*s\" is not a number",
		       (int)(t.len < 80 ? t.len : 80), t.p ? t.p : "");
}

static int too_large(struct view t, struct err *err)
{
	return err_set(err, ERR_INVALID, "\"%.*s\" is too large",
		       (int)(t.len < 80 ? t.len : 80), t.p);
}

int parse_u64(struct view t, uint64_t *out, struct err *err)
{
	uint64_t n = 0;

	if (t.len == 0)
		return not_a_number(t, err);
	for (size_t i = 0; i < t.len; i++) {
		unsigned digit = (unsigned)(t.p[i] - '0');

		if (digit > 9)
			return not_a_number(t, err);
		if (n > (UINT64_MAX - digit) / 10)
			return too_large(t, err);
		n = n * 10 + digit;
	}
	*out = n;
	return 0;
}

int parse_i64(struct view t, int64_t *out, struct err *err)
{
	bool negative = t.len > 0 && t.p[0] == '-';
	struct view digits = { negative ? t.p + 1 : t.p, t.len - negative };
	uint64_t n;

	if (parse_u64(digits, &n, err) < 0)
		return -1;
	if (n > (uint64_t)INT64_MAX + negative)
		return too_large(t, err);
	if (negative)
		*out = n == (uint64_t)INT64_MAX + 1 ? INT64_MIN : -(int64_t)n;
	else
		*out = (int64_t)n;
	return 0;
}

/* 99 for anything else. */
static unsigned value_of_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 99;
}

bool parse_digits(struct view t, unsigned base, uint64_t *out)
{
	uint64_t n = 0;

	if (t.len == 0)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		unsigned digit = value_of_digit(t.p[i]);

		if (digit >= base || n > (UINT64_MAX - digit) / base)
			return false;
		n = n * base + digit;
	}
	*out = n;
	return true;
}

bool parse_bool(struct view t, bool *out)
{
	static const char *const yes[] = { "1", "t", "T", "true", "True", "TRUE" };
	static const char *const no[] = { "0", "f", "F", "false", "False", "FALSE" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (view_eq(t, view_of(yes[i])) || view_eq(t, view_of(no[i]))) {
			*out = view_eq(t, view_of(yes[i]));
			return true;
		}
	}
	return false;
}

struct view parse_field(struct view *rest, char sep)
{
	struct view field = *rest;
	const char *at = field.len ? memchr(field.p, sep, field.len) : NULL;

	if (at) {
		field.len = (size_t)(at - field.p);
		rest->p += field.len + 1;
		rest->len -= field.len + 1;
	} else {
		*rest = (struct view){ NULL, 0 };
	}
	return field;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct view view_trim(struct view v)
{
	while (v.len > 0 && is_blank(v.p[0]))
		v.p++, v.len--;
	while (v.len > 0 && is_blank(v.p[v.len - 1]))
		v.len--;
	return v;
}

bool view_starts(struct view v, const char *prefix)
{
	size_t n = strlen(prefix);

	return v.len >= n && memcmp(v.p, prefix, n) == 0;
}

bool view_skip(struct view *v, const char *prefix)
{
	size_t n = strlen(prefix);

	if (!view_starts(*v, prefix))
		return false;
	*v = (struct view){ v->p + n, v->len - n };
	return true;
}

char *view_dup(struct view v)
{
	char *s = xcalloc(v.len + 1, 1);

	if (v.len)
		memcpy(s, v.p, v.len);
	return s;
}
