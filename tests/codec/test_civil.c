#include "codec/civil.h"
#include "tap.h"

#include <time.h>

TEST(dates_agree_with_libc_for_every_day_of_1200_years)
{
	for (int64_t s = -(int64_t)600 * 366 * 86400; s < (int64_t)600 * 366 * 86400;
	     s += 86399) {
		time_t t = s;
		struct civil c = civil_from_s(s);
		struct tm tm;

		REQUIRE(gmtime_r(&t, &tm));
		if (!CHECK(c.year == tm.tm_year + 1900 && c.month == tm.tm_mon + 1 &&
			   c.day == tm.tm_mday && c.hour == tm.tm_hour &&
			   c.minute == tm.tm_min && c.second == tm.tm_sec &&
			   c.weekday == tm.tm_wday && c.yearday == tm.tm_yday + 1))
			printf("# at %" PRId64 "\n", s);
	}
}

TEST(a_date_gives_back_its_midnight)
{
	for (int64_t day = -800000; day < 3000000; day += 61) {
		struct civil c = civil_from_s(day * 86400 + 12345);

		CHECK_INT(civil_day_s(c.year, c.month, c.day), day * 86400);
	}
}

TEST(the_ends_of_time_are_dates_too)
{
	struct civil first = civil_from_s(INT64_MIN), last = civil_from_s(INT64_MAX);

	CHECK_INT(first.year, -292277022657);
	CHECK_INT(first.month, 1);
	CHECK_INT(first.day, 27);
	CHECK_INT(first.second, 52);
	CHECK_INT(first.weekday, 0);
	CHECK_INT(last.year, 292277026596);
	CHECK_INT(last.month, 12);
	CHECK_INT(last.day, 4);
	CHECK_INT(last.yearday, 339);
	CHECK_INT(last.second, 7);
}

TEST(leap_years_are_divisible_by_4_but_not_by_100_unless_by_400)
{
	CHECK(civil_is_leap(2024));
	CHECK(!civil_is_leap(2023));
	CHECK(!civil_is_leap(1900));
	CHECK(civil_is_leap(2000));
}

TEST_MAIN()
