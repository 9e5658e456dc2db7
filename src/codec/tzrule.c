#include "codec/tzrule.h"

#include "base/parse.h"
#include "codec/civil.h"

enum { HOUR_S = 3600, DAY_S = 86400 };

static bool take_char(struct view *v, char c)
{
	if (v->len == 0 || v->p[0] != c)
		return false;
	v->p++;
	v->len--;
	return true;
}

/* 1..max_digits decimal digits, at most max. */
static bool take_number(struct view *v, size_t max_digits, int max, int *out)
{
	size_t n = 0;
	int value = 0;

	while (n < v->len && n < max_digits && v->p[n] >= '0' && v->p[n] <= '9')
		value = value * 10 + (v->p[n++] - '0');
	v->p += n;
	v->len -= n;
	*out = value;
	return n > 0 && value <= max;
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_quotable(char c)
{
	return is_alpha(c) || (c >= '0' && c <= '9') || c == '+' || c == '-';
}

/* "CET", or "<-02>" for names with digits and signs. */
static bool take_abbrev(struct view *v, char out[TZRULE_ABBREV_SIZE])
{
	bool quoted = take_char(v, '<');
	size_t n = 0;

	while (n < v->len && (quoted ? is_quotable(v->p[n]) : is_alpha(v->p[n])))
		n++;
	if (n < 3 || n >= TZRULE_ABBREV_SIZE)
		return false;
	memcpy(out, v->p, n);
	out[n] = '\0';
	v->p += n;
	v->len -= n;
	return !quoted || take_char(v, '>');
}

/* [+-]h[h[h]][:mm[:ss]] */
static bool take_hms(struct view *v, int max_hours, int32_t *out)
{
	bool negative = take_char(v, '-');
	int h, m = 0, s = 0;

	if (!negative)
		take_char(v, '+');
	if (!take_number(v, 3, max_hours, &h))
		return false;
	if (take_char(v, ':')) {
		if (!take_number(v, 2, 59, &m))
			return false;
		if (take_char(v, ':') && !take_number(v, 2, 59, &s))
			return false;
	}
	*out = (h * HOUR_S + m * 60 + s) * (negative ? -1 : 1);
	return true;
}

static bool take_change(struct view *v, struct tzrule_change *c)
{
	*c = (struct tzrule_change){ .time_s = 2 * HOUR_S };
	if (!take_char(v, ','))
		return false;
	if (take_char(v, 'M')) {
		c->kind = TZRULE_MONTH;
		if (!take_number(v, 2, 12, &c->month) || c->month < 1 ||
		    !take_char(v, '.') || !take_number(v, 1, 5, &c->week) ||
		    c->week < 1 || !take_char(v, '.') || !take_number(v, 1, 6, &c->day))
			return false;
	} else if (take_char(v, 'J')) {
		c->kind = TZRULE_JULIAN;
		if (!take_number(v, 3, 365, &c->day) || c->day < 1)
			return false;
	} else {
		c->kind = TZRULE_YEARDAY;
		if (!take_number(v, 3, 365, &c->day))
			return false;
	}
	return !take_char(v, '/') || take_hms(v, 167, &c->time_s);
}

static bool take_rule(struct view v, struct tzrule *r)
{
	if (!take_abbrev(&v, r->std) || !take_hms(&v, 24, &r->std_s))
		return false;
	r->std_s = -r->std_s; /* POSIX counts westwards */
	if (v.len == 0)
		return true;
	r->has_dst = true;
	r->dst_s = r->std_s + HOUR_S;
	if (!take_abbrev(&v, r->dst))
		return false;
	if (v.len > 0 && v.p[0] != ',') {
		if (!take_hms(&v, 24, &r->dst_s))
			return false;
		r->dst_s = -r->dst_s;
	}
	return take_change(&v, &r->to_dst) && take_change(&v, &r->to_std) && v.len == 0;
}

int tzrule_parse(struct view text, struct tzrule *out, struct err *err)
{
	struct tzrule r = { 0 };

	if (!take_rule(text, &r))
		return err_set(err, ERR_INVALID, "\"%.*s\" is not a time zone rule",
			       (int)(text.len < 80 ? text.len : 80), text.p);
	*out = r;
	return 0;
}

/* The day of the change in that year, at midnight. */
static int64_t change_day_s(const struct tzrule_change *c, int64_t year)
{
	int64_t jan1 = civil_day_s(year, 1, 1), first, after;
	int to_weekday, day;

	switch (c->kind) {
	case TZRULE_JULIAN:
		day = c->day - 1 + (civil_is_leap(year) && c->day >= 60);
		return jan1 + (int64_t)day * DAY_S;
	case TZRULE_YEARDAY:
		return jan1 + (int64_t)c->day * DAY_S;
	case TZRULE_MONTH:
		break;
	}
	first = civil_day_s(year, c->month, 1);
	after = c->month == 12 ? civil_day_s(year + 1, 1, 1)
			       : civil_day_s(year, c->month + 1, 1);
	to_weekday = (c->day - civil_from_s(first).weekday + 7) % 7;
	first += (int64_t)(to_weekday + (c->week - 1) * 7) * DAY_S;
	return first < after ? first : first - 7 * DAY_S;
}

/* Where summer time begins and ends in that year. */
static void changes_s(const struct tzrule *r, int64_t year, int64_t *start, int64_t *end)
{
	*start = change_day_s(&r->to_dst, year) + r->to_dst.time_s - r->std_s;
	*end = change_day_s(&r->to_std, year) + r->to_std.time_s - r->dst_s;
}

bool tzrule_is_dst(const struct tzrule *r, int64_t unix_s)
{
	int64_t start, end;

	if (!r->has_dst)
		return false;
	changes_s(r, civil_from_s(unix_s + r->std_s).year, &start, &end);
	if (start < end)
		return start <= unix_s && unix_s < end;
	return !(end <= unix_s && unix_s < start); /* the southern summer */
}

int64_t tzrule_next_change(const struct tzrule *r, int64_t unix_s)
{
	int64_t year, start, end, next;

	if (!r->has_dst)
		return INT64_MAX;
	year = civil_from_s(unix_s + r->std_s).year;
	changes_s(r, year, &start, &end);
	/* Odd rules change with the year, whose changes alone count. */
	next = civil_day_s(year + 1, 1, 1) - r->std_s;
	if (start > unix_s && start < next)
		next = start;
	return end > unix_s && end < next ? end : next;
}
