/*
 * civil.h - seconds since 1970 as a date and a time of day, and back.
 *
 * The proleptic Gregorian calendar without leap seconds and without time zones:
 * whoever wants local time adds the zone's offset first.  Unlike gmtime_r(3) it
 * takes no lock, reads no environment, and has no year it cannot express.
 */
#ifndef CODEC_CIVIL_H
#define CODEC_CIVIL_H

#include "base/base.h"

struct civil {
	int64_t year;
	int month;   /* 1..12 */
	int day;     /* 1..31 */
	int hour;    /* 0..23 */
	int minute;  /* 0..59 */
	int second;  /* 0..59 */
	int weekday; /* 0 is Sunday */
	int yearday; /* 1..366 */
};

struct civil civil_from_s(int64_t s);
/* Midnight of that day; month must be in range, a day beyond it runs on into the next. */
int64_t civil_day_s(int64_t year, int month, int day);
bool civil_is_leap(int64_t year);

#endif
