#include "codec/civil.h"

#include <assert.h>

/*
 * Years are counted from March, so that the leap day is the last day of a year, and in
 * eras of 400 years, which all have the same number of days.
 */
enum {
	DAY_S = 86400,
	DAYS_PER_ERA = 146097,
	DAYS_TO_1970 = 719468, /* from 0000-03-01 */
};

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

bool civil_is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_since_1970(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
	int64_t day_of_era =
		year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

int64_t civil_day_s(int64_t year, int month, int day)
{
	assert(month >= 1 && month <= 12);
	return days_since_1970(year, month, day) * DAY_S;
}

struct civil civil_from_s(int64_t s)
{
	int64_t days = floor_div(s, DAY_S);
	int64_t of_day = s % DAY_S + (s % DAY_S < 0 ? DAY_S : 0);
	int64_t shifted = days + DAYS_TO_1970;
	int64_t era = floor_div(shifted, DAYS_PER_ERA);
	int64_t day_of_era = shifted - era * DAYS_PER_ERA;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
			       day_of_era / (DAYS_PER_ERA - 1)) /
			      365;
	int64_t day_of_year =
		day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	struct civil c = {
		.day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
		.month = (int)((month_from_march + 2) % 12 + 1),
		.hour = (int)(of_day / 3600),
		.minute = (int)(of_day / 60 % 60),
		.second = (int)(of_day % 60),
		.weekday = (int)(days - floor_div(days + 4, 7) * 7 + 4),
	};

	c.year = year_of_era + era * 400 + (c.month <= 2);
	c.yearday = (int)(days - days_since_1970(c.year, 1, 1)) + 1;
	return c;
}
