#include "codec/rfc3339.h"

#include "codec/civil.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char zero_time[] = "0001-01-01T00:00:00Z";

void rfc3339_format(struct buf *out, struct timespec t)
{
	struct civil c = civil_from_s(t.tv_sec);
	char fraction[24] = "";

	if ((t.tv_sec == 0 && t.tv_nsec == 0) || c.year < 1 || c.year > 9999) {
		buf_printf(out, "%s", zero_time);
		return;
	}
	if (t.tv_nsec != 0) {
		snprintf(fraction, sizeof(fraction), ".%09ld", t.tv_nsec);
		for (size_t n = strlen(fraction); fraction[n - 1] == '0'; n--)
			fraction[n - 1] = '\0';
	}
	buf_printf(out, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d%sZ", c.year, c.month,
		   c.day, c.hour, c.minute, c.second, fraction);
}

/* Exactly n digits at *p, which moves behind them; -1: something else. */
static int digits(const char **p, int n)
{
	int value = 0;

	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

static bool skip(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* Seconds since 1970. */
static bool parse_clock(const char **p, int64_t *seconds)
{
	int year, month, day, h, m, s;
	int64_t midnight;

	if ((year = digits(p, 4)) < 0 || !skip(p, '-') || (month = digits(p, 2)) < 1 ||
	    month > 12 || !skip(p, '-') || (day = digits(p, 2)) < 1 ||
	    (!skip(p, 'T') && !skip(p, 't')) || (h = digits(p, 2)) < 0 || h > 23 ||
	    !skip(p, ':') || (m = digits(p, 2)) < 0 || m > 59 || !skip(p, ':') ||
	    (s = digits(p, 2)) < 0 || s > 60)
		return false;
	midnight = civil_day_s(year, month, day);
	*seconds = midnight + h * 3600 + m * 60 + s;
	return civil_from_s(midnight).month == month; /* or it has not so many days */
}

static bool parse_fraction(const char **p, long *ns)
{
	long unit = 100000000;

	*ns = 0;
	if (!skip(p, '.'))
		return true;
	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
		*ns += (**p - '0') * unit;
	return true;
}

static bool parse_offset(const char **p, int *seconds)
{
	int sign = **p == '-' ? -1 : 1;
	int hours, minutes;

	*seconds = 0;
	if (skip(p, 'Z') || skip(p, 'z'))
		return true;
	if (!skip(p, '+') && !skip(p, '-'))
		return false;
	hours = digits(p, 2);
	if (hours < 0 || hours > 23 || !skip(p, ':'))
		return false;
	minutes = digits(p, 2);
	if (minutes < 0 || minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

int rfc3339_parse(const char *text, struct timespec *out, struct err *err)
{
	const char *p = text;
	int64_t seconds;
	int offset;
	long ns;

	if (strcmp(text, zero_time) == 0) {
		*out = (struct timespec){ 0 };
		return 0;
	}
	if (!parse_clock(&p, &seconds) || !parse_fraction(&p, &ns) ||
	    !parse_offset(&p, &offset) || *p)
		return err_set(err, ERR_INVALID, "\"%.64s\" is not an RFC 3339 time",
			       text);
	*out = (struct timespec){ .tv_sec = seconds - offset, .tv_nsec = ns };
	return 0;
}
