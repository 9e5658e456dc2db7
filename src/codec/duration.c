#include "codec/duration.h"

#include "base/parse.h"
#include "codec/quote.h"

#include <inttypes.h>

struct unit {
	const char *name;
	int64_t ns;
};

/* Longer names first: "ms" is not "m". */
static const struct unit go_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* U+00B5 micro sign */
	{ "\xce\xbcs", 1000 }, /* U+03BC greek mu */
	{ "ms", NS_PER_MS },
	{ "s", NS_PER_S },
	{ "m", 60 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
};

static const struct unit z_units[] = {
	{ "s", NS_PER_S },
	{ "m", 60 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
	{ "d", 24 * 3600 * NS_PER_S },
	{ "w", 7 * 24 * 3600 * NS_PER_S },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take_sign(struct view *v)
{
	bool negative = v->len > 0 && v->p[0] == '-';

	if (negative || (v->len > 0 && v->p[0] == '+')) {
		v->p++;
		v->len--;
	}
	return negative;
}

static struct view take_digits(struct view *v)
{
	struct view digits = { v->p, 0 };

	while (digits.len < v->len && is_digit(v->p[digits.len]))
		digits.len++;
	v->p += digits.len;
	v->len -= digits.len;
	return digits;
}

static int bad(const char *text, const char *why, struct err *err)
{
	cleanup(str_freep) char *shown = quote_str(text);

	return err_set(err, ERR_INVALID, "%s %s", shown, why);
}

static int lacks_unit(const char *text, char example, struct err *err)
{
	cleanup(str_freep) char *shown = quote_str(text);
	struct view v = view_trim(view_of(text));

	return err_set(err, ERR_INVALID, "%s lacks a unit; write e.g. %.*s%c", shown,
		       (int)(v.len < 40 ? v.len : 40), v.p, example);
}

int zdur_parse(const char *text, int64_t *ns, struct err *err)
{
	struct view v = view_trim(view_of(text));
	bool negative = take_sign(&v);
	struct view digits = take_digits(&v);
	int64_t n;

	if (digits.len == 0)
		return bad(text, "is not a duration; write e.g. 10m or 1d", err);
	if (parse_i64(digits, &n, err) < 0)
		return bad(text, "is too long; the longest is 292 years", err);
	v = view_trim(v);
	if (v.len == 0) {
		if (n != 0)
			return lacks_unit(text, 'm', err);
		*ns = 0;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(z_units); i++) {
		if (!view_eq(v, view_of(z_units[i].name)))
			continue;
		if (n > INT64_MAX / z_units[i].ns)
			return bad(text, "is too long; the longest is 292 years", err);
		n *= z_units[i].ns;
		*ns = negative ? -n : n;
		return 0;
	}
	return bad(text,
		   "is not one number and one of s, m, h, d and w; write e.g. 90m or 1d",
		   err);
}

/* Digits behind the point, as many as an int64_t holds: *scale is a power of ten. */
static uint64_t fraction(struct view digits, double *scale)
{
	uint64_t f = 0;

	*scale = 1;
	for (size_t i = 0; i < digits.len && f <= (INT64_MAX - 9) / 10; i++) {
		f = f * 10 + (uint64_t)(digits.p[i] - '0');
		*scale *= 10;
	}
	return f;
}

/* One "1.5h" off the front of *v, added to *sum, which may reach 2^63 (for the sign). */
static int take_term(const char *text, struct view *v, uint64_t *sum, struct err *err)
{
	const uint64_t max = (uint64_t)INT64_MAX + 1;
	struct view whole = take_digits(v);
	struct view part = { NULL, 0 };
	uint64_t n = 0, f;
	double scale;

	if (v->len > 0 && v->p[0] == '.') {
		v->p++;
		v->len--;
		part = take_digits(v);
	}
	if (whole.len == 0 && part.len == 0)
		return bad(text, "lacks a number; write e.g. 30s or 1m30s", err);
	if (whole.len > 0 && parse_u64(whole, &n, err) < 0)
		return bad(text, "is too long; the longest is 292 years", err);
	f = fraction(part, &scale);
	for (size_t i = 0; i < ARRAY_LEN(go_units); i++) {
		const struct unit *u = &go_units[i];

		if (!view_starts(*v, u->name))
			continue;
		if (n > max / (uint64_t)u->ns)
			return bad(text, "is too long; the longest is 292 years", err);
		n *= (uint64_t)u->ns;
		n += (uint64_t)((double)f * ((double)u->ns / scale));
		if (n > max || *sum > max - n)
			return bad(text, "is too long; the longest is 292 years", err);
		*sum += n;
		v->p += strlen(u->name);
		v->len -= strlen(u->name);
		return 0;
	}
	if (v->len == 0)
		return lacks_unit(text, 's', err);
	return bad(text,
		   "has another unit than ns, us, ms, s, m and h; write e.g. 30s or 24h",
		   err);
}

int gdur_parse(const char *text, int64_t *ns, struct err *err)
{
	struct view v = view_of(text);
	bool negative = take_sign(&v);
	uint64_t sum = 0;

	if (view_eq(v, VIEW("0"))) {
		*ns = 0;
		return 0;
	}
	if (v.len == 0)
		return bad(text, "lacks a number; write e.g. 30s or 1m30s", err);
	while (v.len > 0)
		if (take_term(text, &v, &sum, err) < 0)
			return -1;
	if (sum > (uint64_t)INT64_MAX) {
		if (!negative)
			return bad(text, "is too long; the longest is 292 years", err);
		*ns = INT64_MIN;
		return 0;
	}
	*ns = negative ? -(int64_t)sum : (int64_t)sum;
	return 0;
}

/* n / unit, with as many decimals as it takes. */
static void put_decimal(struct buf *out, uint64_t n, uint64_t unit)
{
	uint64_t rest = n % unit;
	char digits[24];
	size_t len = 0;

	buf_printf(out, "%" PRIu64, n / unit);
	if (rest == 0)
		return;
	digits[len++] = '.';
	while (rest > 0) {
		unit /= 10;
		digits[len++] = (char)('0' + rest / unit);
		rest %= unit;
	}
	buf_put(out, digits, len);
}

void gdur_format(struct buf *out, int64_t ns)
{
	uint64_t n = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	uint64_t minutes = n / (60 * (uint64_t)NS_PER_S);

	if (n == 0) {
		buf_put(out, "0s", 2);
		return;
	}
	if (ns < 0)
		buf_put(out, "-", 1);
	if (n < 1000) {
		buf_printf(out, "%" PRIu64 "ns", n);
	} else if (n < (uint64_t)NS_PER_MS) {
		put_decimal(out, n, 1000);
		buf_put(out, "\xc2\xb5s", 3);
	} else if (n < (uint64_t)NS_PER_S) {
		put_decimal(out, n, (uint64_t)NS_PER_MS);
		buf_put(out, "ms", 2);
	} else {
		if (minutes >= 60)
			buf_printf(out, "%" PRIu64 "h", minutes / 60);
		if (minutes > 0)
			buf_printf(out, "%" PRIu64 "m", minutes % 60);
		put_decimal(out, n - minutes * 60 * (uint64_t)NS_PER_S,
			    (uint64_t)NS_PER_S);
		buf_put(out, "s", 1);
	}
}

void bytes_format(struct buf *out, uint64_t n)
{
	static const char prefixes[] = "KMGTPE";
	uint64_t unit = 1024, whole, tenths, rest;
	size_t i = 0;

	if (n < unit) {
		buf_printf(out, "%" PRIu64 " B", n);
		return;
	}
	while (n / unit >= 1024) {
		unit *= 1024;
		i++;
	}
	/* In integers: printf's %f depends on the locale. Halves go to the even digit. */
	whole = n / unit;
	tenths = n % unit * 10 / unit;
	rest = n % unit * 10 % unit;
	if (rest > unit / 2 || (rest == unit / 2 && tenths % 2 == 1))
		tenths++;
	whole += tenths / 10;
	buf_printf(out, "%" PRIu64 ".%" PRIu64 " %ciB", whole, tenths % 10, prefixes[i]);
}
