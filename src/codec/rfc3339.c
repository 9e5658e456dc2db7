#include "codec/rfc3339.h"

#include "base/parse.h"

#include <string.h>

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

static bool parse_clock(const char **p, struct tm *tm)
{
	tm->tm_year = digits(p, 4) - 1900;
	if (tm->tm_year < -1900 || !skip(p, '-'))
		return false;
	tm->tm_mon = digits(p, 2) - 1;
	if (!skip(p, '-'))
		return false;
	tm->tm_mday = digits(p, 2);
	if (!skip(p, 'T') && !skip(p, 't'))
		return false;
	tm->tm_hour = digits(p, 2);
	if (!skip(p, ':'))
		return false;
	tm->tm_min = digits(p, 2);
	if (!skip(p, ':'))
		return false;
	tm->tm_sec = digits(p, 2);
	return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 &&
	       tm->tm_mday <= 31 && tm->tm_hour >= 0 && tm->tm_hour < 24 &&
	       tm->tm_min >= 0 && tm->tm_min < 60 && tm->tm_sec >= 0 && tm->tm_sec <= 60;
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
	struct tm tm = { 0 };
	int offset;
	long ns;

	if (strcmp(text, "0001-01-01T00:00:00Z") == 0) {
		*out = (struct timespec){ 0 };
		return 0;
	}
	if (!parse_clock(&p, &tm) || !parse_fraction(&p, &ns) ||
	    !parse_offset(&p, &offset) || *p)
		return err_set(err, ERR_INVALID, "'%.64s' is not an RFC 3339 time", text);
	*out = (struct timespec){ .tv_sec = timegm(&tm) - offset, .tv_nsec = ns };
	return 0;
}
