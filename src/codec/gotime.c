#include "codec/gotime.h"

#include "base/parse.h"
#include "codec/civil.h"

#include <inttypes.h>
#include <stdio.h>

enum what {
	LITERAL,
	YEAR, /* numbers, up to SECOND */
	YEAR_OF_CENTURY,
	MONTH,
	DAY,
	YEARDAY,
	HOUR,
	HOUR12,
	MINUTE,
	SECOND,
	MONTH_NAME,
	WEEKDAY_NAME,
	HALF,
	FRACTION,
	ZONE_NAME,
	ZONE_OFFSET,
};

struct token {
	const char *text;
	enum what what;
	int width; /* of a number, at least; of a name, at most */
	char pad;
};

/* Where one begins with another, the longer stands first. */
static const struct token tokens[] = {
	{ "January", MONTH_NAME, 9, 0 },
	{ "Jan", MONTH_NAME, 3, 0 },
	{ "Monday", WEEKDAY_NAME, 9, 0 },
	{ "Mon", WEEKDAY_NAME, 3, 0 },
	{ "MST", ZONE_NAME, 0, 0 },
	{ "002", YEARDAY, 3, '0' },
	{ "01", MONTH, 2, '0' },
	{ "02", DAY, 2, '0' },
	{ "03", HOUR12, 2, '0' },
	{ "04", MINUTE, 2, '0' },
	{ "05", SECOND, 2, '0' },
	{ "06", YEAR_OF_CENTURY, 2, '0' },
	{ "15", HOUR, 2, '0' },
	{ "1", MONTH, 1, '0' },
	{ "2006", YEAR, 4, '0' },
	{ "2", DAY, 1, '0' },
	{ "__2", YEARDAY, 3, ' ' },
	{ "_2", DAY, 2, ' ' },
	{ "3", HOUR12, 1, '0' },
	{ "4", MINUTE, 1, '0' },
	{ "5", SECOND, 1, '0' },
	{ "PM", HALF, 0, 0 },
	{ "pm", HALF, 0, 0 },
	{ "-070000", ZONE_OFFSET, 0, 0 },
	{ "-07:00:00", ZONE_OFFSET, 0, 0 },
	{ "-0700", ZONE_OFFSET, 0, 0 },
	{ "-07:00", ZONE_OFFSET, 0, 0 },
	{ "-07", ZONE_OFFSET, 0, 0 },
	{ "Z070000", ZONE_OFFSET, 0, 0 },
	{ "Z07:00:00", ZONE_OFFSET, 0, 0 },
	{ "Z0700", ZONE_OFFSET, 0, 0 },
	{ "Z07:00", ZONE_OFFSET, 0, 0 },
	{ "Z07", ZONE_OFFSET, 0, 0 },
};

static const struct token literal = { "", LITERAL, 0, 0 };
static const struct token fraction = { "", FRACTION, 0, 0 };

static const char *const months[] = {
	"January", "February", "March",     "April",   "May",      "June",
	"July",    "August",   "September", "October", "November", "December",
};

static const char *const weekdays[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
};

struct moment {
	struct civil c;
	long ns;
	struct tzif_time zone;
};

/* ".000" or ",999" with no further digit behind; its length, or 0. */
static size_t fraction_len(struct view v)
{
	size_t n = 2;

	if (v.len < 2 || (v.p[0] != '.' && v.p[0] != ',') ||
	    (v.p[1] != '0' && v.p[1] != '9'))
		return 0;
	while (n < v.len && v.p[n] == v.p[1])
		n++;
	return n < v.len && v.p[n] >= '0' && v.p[n] <= '9' ? 0 : n;
}

/* What is at the front of v, and its length. */
static const struct token *next_token(struct view v, size_t *len)
{
	*len = fraction_len(v);
	if (*len > 0)
		return &fraction;
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		const struct token *t = &tokens[i];
		size_t n = strlen(t->text);

		if (!view_starts(v, t->text))
			continue;
		/* "Janus" and "Money" are words. */
		if ((t->what == MONTH_NAME || t->what == WEEKDAY_NAME) && n == 3 &&
		    v.len > n && v.p[n] >= 'a' && v.p[n] <= 'z')
			continue;
		/* An underscore before a year is just that. */
		if (view_starts(v, "_2006"))
			break;
		*len = n;
		return t;
	}
	*len = 1;
	return &literal;
}

static int64_t number(enum what what, const struct civil *c)
{
	switch (what) {
	case YEAR:
		return c->year;
	case YEAR_OF_CENTURY:
		return c->year % 100;
	case MONTH:
		return c->month;
	case DAY:
		return c->day;
	case YEARDAY:
		return c->yearday;
	case HOUR:
		return c->hour;
	case HOUR12:
		return c->hour % 12 == 0 ? 12 : c->hour % 12;
	case MINUTE:
		return c->minute;
	case SECOND:
		return c->second;
	case LITERAL:
	case MONTH_NAME:
	case WEEKDAY_NAME:
	case HALF:
	case FRACTION:
	case ZONE_NAME:
	case ZONE_OFFSET:
		break;
	}
	abort();
}

static void put_number(struct buf *out, int64_t n, int width, char pad)
{
	if (pad == '0')
		buf_printf(out, "%0*" PRId64, width, n);
	else
		buf_printf(out, "%*" PRId64, width, n);
}

static void put_fraction(struct buf *out, struct view text, long ns)
{
	size_t n = text.len - 1 < 9 ? text.len - 1 : 9;
	char digits[24];

	snprintf(digits, sizeof(digits), "%09ld", ns);
	if (text.p[1] == '9')
		while (n > 0 && digits[n - 1] == '0')
			n--;
	if (n == 0)
		return;
	buf_put(out, text.p, 1);
	buf_put(out, digits, n);
}

static void put_offset(struct buf *out, struct view text, int32_t offset_s)
{
	int32_t s = offset_s < 0 ? -offset_s : offset_s;
	const char *colon = memchr(text.p, ':', text.len) ? ":" : "";

	if (text.p[0] == 'Z' && offset_s == 0) {
		buf_put(out, "Z", 1);
		return;
	}
	/* The sign is that of the whole minutes. */
	buf_printf(out, "%c%02d", offset_s <= -60 ? '-' : '+', s / 3600);
	if (text.len > strlen("-07"))
		buf_printf(out, "%s%02d", colon, s / 60 % 60);
	if (text.len > strlen("-07:00"))
		buf_printf(out, "%s%02d", colon, s % 60);
}

static void put_token(struct buf *out, const struct token *t, struct view text,
		      const struct moment *m)
{
	switch (t->what) {
	case LITERAL:
		buf_put(out, text.p, text.len);
		break;
	case YEAR:
	case YEAR_OF_CENTURY:
	case MONTH:
	case DAY:
	case YEARDAY:
	case HOUR:
	case HOUR12:
	case MINUTE:
	case SECOND:
		put_number(out, number(t->what, &m->c), t->width, t->pad);
		break;
	case MONTH_NAME:
		buf_printf(out, "%.*s", t->width, months[m->c.month - 1]);
		break;
	case WEEKDAY_NAME:
		buf_printf(out, "%.*s", t->width, weekdays[m->c.weekday]);
		break;
	case HALF:
		buf_put(out, m->c.hour < 12 ? (text.p[0] == 'P' ? "AM" : "am") : text.p,
			2);
		break;
	case FRACTION:
		put_fraction(out, text, m->ns);
		break;
	case ZONE_NAME:
		buf_put(out, m->zone.abbrev, strlen(m->zone.abbrev));
		break;
	case ZONE_OFFSET:
		put_offset(out, text, m->zone.offset_s);
		break;
	}
}

void gotime_format(struct buf *out, const char *layout, struct timespec t,
		   const struct tzif *z)
{
	const int64_t first = civil_day_s(1, 1, 2), last = civil_day_s(9999, 12, 31) - 1;
	int64_t s = t.tv_sec < first ? first : t.tv_sec > last ? last : t.tv_sec;
	struct moment m = { .ns = t.tv_nsec, .zone = tzif_at(z, s) };
	struct view rest = view_of(layout);

	m.c = civil_from_s(s + m.zone.offset_s);
	while (rest.len > 0) {
		size_t len;
		const struct token *token = next_token(rest, &len);

		put_token(out, token, (struct view){ rest.p, len }, &m);
		rest.p += len;
		rest.len -= len;
	}
}
