#include "codec/yaml.h"

#include "base/parse.h"

enum { MAX_NUMBER_TEXT = 64 }; /* no number that fits is longer, '_' not counted */

bool yaml_bool(const struct yaml_node *n, bool *out)
{
	static const char *const yes[] = { "y",    "Y",    "yes", "Yes", "YES", "true",
					   "True", "TRUE", "on",  "On",  "ON" };
	static const char *const no[] = { "n",     "N",     "no",  "No",  "NO", "false",
					  "False", "FALSE", "off", "Off", "OFF" };

	if (n->kind != YAML_SCALAR || !n->is_plain)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcmp(n->text, yes[i]) == 0 || strcmp(n->text, no[i]) == 0) {
			*out = strcmp(n->text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

static bool apply_sign(bool is_negative, uint64_t magnitude, int64_t *out)
{
	if (magnitude > (uint64_t)INT64_MAX + is_negative)
		return false;
	if (is_negative)
		*out = magnitude == 0 ? 0 : -(int64_t)(magnitude - 1) - 1;
	else
		*out = (int64_t)magnitude;
	return true;
}

/* s without sign. */
static bool parse_integer(const char *s, uint64_t *out)
{
	unsigned base = 10;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		base = 16, s += 2;
	else if (s[0] == '0' && (s[1] == 'b' || s[1] == 'B'))
		base = 2, s += 2;
	else if (s[0] == '0' && (s[1] == 'o' || s[1] == 'O'))
		base = 8, s += 2;
	else if (s[0] == '0' && s[1])
		base = 8, s += 1;
	return parse_digits(view_of(s), base, out);
}

/* "e", a sign if there is one, digits up to the end. */
static bool parse_exponent(const char *s, int *out)
{
	bool is_negative = s[1] == '-';
	int n = 0;

	s += 1 + (s[1] == '-' || s[1] == '+');
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		if (n < 10000)
			n = n * 10 + (*s - '0');
	}
	*out = is_negative ? -n : n;
	return true;
}

/*
 * The integer part of digits[.digits][e[sign]digits], without going through a
 * double: exact, and no locale has a say in it.
 */
static bool parse_float(const char *s, uint64_t *out)
{
	char digits[MAX_NUMBER_TEXT];
	int n_digits = 0, point = -1, exponent = 0;
	uint64_t n = 0;

	for (; *s && *s != 'e' && *s != 'E'; s++) {
		if (*s == '.' && point < 0)
			point = n_digits;
		else if (*s >= '0' && *s <= '9')
			digits[n_digits++] = *s;
		else
			return false;
	}
	if (n_digits == 0 || (*s && !parse_exponent(s, &exponent)))
		return false;
	int end = (point < 0 ? n_digits : point) + exponent;

	for (int i = 0; i < end; i++) {
		unsigned d = i < n_digits ? (unsigned)(digits[i] - '0') : 0;

		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, d, &n))
			return false;
	}
	*out = n;
	return true;
}

bool yaml_int(const struct yaml_node *n, int64_t *out)
{
	char text[MAX_NUMBER_TEXT];
	size_t len = 0;
	uint64_t magnitude;

	if (n->kind != YAML_SCALAR || !n->is_plain || n->text[0] == '_')
		return false;
	for (const char *s = n->text; *s; s++) {
		if (*s == '_')
			continue;
		if (len == sizeof(text) - 1)
			return false;
		text[len++] = *s;
	}
	text[len] = '\0';
	bool is_negative = text[0] == '-';
	const char *digits = text + (is_negative || text[0] == '+');

	if (!parse_integer(digits, &magnitude) && !parse_float(digits, &magnitude))
		return false;
	return apply_sign(is_negative, magnitude, out);
}
