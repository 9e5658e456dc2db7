#include "codec/cron.h"
#include "codec/rfc3339.h"
#include "tap.h"

#include <time.h>

static int64_t at(const char *text)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct timespec t = { 0 };

	if (!CHECK_INT(rfc3339_parse(text, &t, &e), 0))
		printf("# %s\n", err_msg(&e));
	return t.tv_sec;
}

/* 2024-01-01 */
static const int64_t now_s = 1704067200;

/* From `after` on it comes at the given times, which end with NULL. */
static void check_times(const char *spec, const char *after, const char *const *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int64_t t = at(after), next;
	cleanup(cron_freep) struct cron *c = cron_new(spec, t, &e);

	if (!CHECK(c)) {
		printf("# '%s': %s\n", spec, err_msg(&e));
		return;
	}
	CHECK_STR(cron_text(c), spec);
	for (; *want; want++) {
		if (!CHECK(cron_next(c, t, &next)) || !CHECK_INT(next, at(*want)))
			printf("# '%s' after %" PRId64 ", want %s\n", spec, t, *want);
		t = next;
	}
}

#define CHECK_CRON(spec, after, ...) \
	check_times((spec), (after), (const char *const[]){ __VA_ARGS__, NULL })

static void check_bad(const char *spec, const char *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(cron_freep) struct cron *c = cron_new(spec, now_s, &e);

	if (!CHECK(!c)) {
		printf("# '%s'\n", spec);
		return;
	}
	CHECK_INT(e.kind, ERR_INVALID);
	CHECK_STR(err_msg(&e), want);
}

/* ---- syntax ---- */

TEST(five_fields_begin_with_the_minute_six_with_the_second)
{
	CHECK_CRON("TZ=UTC 0 3 * * *", "2024-05-14T03:00:00Z", "2024-05-15T03:00:00Z",
		   "2024-05-16T03:00:00Z");
	CHECK_CRON("TZ=UTC 0 3 * * *", "2024-05-14T02:59:59Z", "2024-05-14T03:00:00Z");
	CHECK_CRON("TZ=UTC */10 0 3 * * *", "2024-05-14T03:00:40Z",
		   "2024-05-14T03:00:50Z", "2024-05-15T03:00:00Z",
		   "2024-05-15T03:00:10Z");
	CHECK_CRON("TZ=UTC * * * * * *", "2024-12-31T23:59:58Z", "2024-12-31T23:59:59Z",
		   "2025-01-01T00:00:00Z");
	CHECK_CRON("TZ=UTC  \t1  2\t3 4 ? ", "2024-01-01T00:00:00Z",
		   "2024-04-03T02:01:00Z");
}

TEST(lists_ranges_and_steps_combine)
{
	CHECK_CRON("TZ=UTC 5,10-12,50/4 0 * * *", "2024-05-14T00:00:00Z",
		   "2024-05-14T00:05:00Z", "2024-05-14T00:10:00Z", "2024-05-14T00:11:00Z",
		   "2024-05-14T00:12:00Z", "2024-05-14T00:50:00Z", "2024-05-14T00:54:00Z",
		   "2024-05-14T00:58:00Z", "2024-05-15T00:05:00Z");
	CHECK_CRON("TZ=UTC 0 0-23/6 * * *", "2024-05-14T00:00:00Z",
		   "2024-05-14T06:00:00Z", "2024-05-14T12:00:00Z", "2024-05-14T18:00:00Z",
		   "2024-05-15T00:00:00Z");
	CHECK_CRON("TZ=UTC 0 5-5/2 * * *", "2024-05-14T00:00:00Z", "2024-05-14T05:00:00Z",
		   "2024-05-15T05:00:00Z");
	CHECK_CRON("TZ=UTC */100 007 * * *", "2024-05-14T00:00:00Z",
		   "2024-05-14T07:00:00Z", "2024-05-15T07:00:00Z");
	CHECK_CRON("TZ=UTC 0/999999999999999999 7 * * *", "2024-05-14T00:00:00Z",
		   "2024-05-14T07:00:00Z", "2024-05-15T07:00:00Z");
	CHECK_CRON("TZ=UTC ,7,,9, 1 * * *", "2024-05-14T00:00:00Z",
		   "2024-05-14T01:07:00Z", "2024-05-14T01:09:00Z",
		   "2024-05-15T01:07:00Z");
}

TEST(months_and_weekdays_have_names)
{
	CHECK_CRON("TZ=UTC 0 3 * * MON-FRI", "2024-05-16T03:00:00Z",
		   "2024-05-17T03:00:00Z", "2024-05-20T03:00:00Z");
	CHECK_CRON("TZ=UTC 0 0 1 Feb,aPr,dec *", "2024-01-01T00:00:00Z",
		   "2024-02-01T00:00:00Z", "2024-04-01T00:00:00Z", "2024-12-01T00:00:00Z",
		   "2025-02-01T00:00:00Z");
	CHECK_CRON("TZ=UTC 0 0 * jan sun", "2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z",
		   "2024-01-14T00:00:00Z");
	CHECK_CRON("TZ=UTC 0 0 1 oct/2 ?", "2024-01-01T00:00:00Z", "2024-10-01T00:00:00Z",
		   "2024-12-01T00:00:00Z", "2025-10-01T00:00:00Z");
	CHECK_CRON("TZ=UTC 0 0 * * 0,sat", "2024-05-14T00:00:00Z", "2024-05-18T00:00:00Z",
		   "2024-05-19T00:00:00Z", "2024-05-25T00:00:00Z");
}

TEST(a_star_takes_what_follows_a_hyphen_for_nothing)
{
	CHECK_CRON("TZ=UTC *-5 0 * * *", "2024-05-14T00:05:00Z", "2024-05-14T00:06:00Z",
		   "2024-05-14T00:07:00Z");
	CHECK_CRON("TZ=UTC ?-5/30 0 * * *", "2024-05-14T00:00:00Z",
		   "2024-05-14T00:30:00Z", "2024-05-15T00:00:00Z");
}

TEST(zones_have_two_prefixes)
{
	CHECK_CRON("TZ=Europe/Berlin 0 3 * * *", "2024-01-01T00:00:00Z",
		   "2024-01-01T02:00:00Z");
	CHECK_CRON("CRON_TZ=America/New_York 0 3 * * *", "2024-01-01T00:00:00Z",
		   "2024-01-01T08:00:00Z");
	CHECK_CRON("TZ=Asia/Kathmandu 0 0 * * *", "2024-01-01T00:00:00Z",
		   "2024-01-01T18:15:00Z");
	CHECK_CRON("TZ= 0 3 * * *", "2024-01-01T00:00:00Z", "2024-01-01T03:00:00Z");
}

TEST(without_a_zone_it_is_the_clock_of_this_host)
{
	setenv("TZ", "Asia/Tokyo", 1);
	CHECK_CRON("0 3 * * *", "2024-01-01T00:00:00Z", "2024-01-01T18:00:00Z");
	setenv("TZ", "UTC", 1);
	CHECK_CRON("0 3 * * *", "2024-01-01T00:00:00Z", "2024-01-01T03:00:00Z");
	unsetenv("TZ");
}

/* ---- days ---- */

TEST(both_days_must_match_if_one_of_them_is_a_star_else_one_is_enough)
{
	/* Monday or the 13th */
	CHECK_CRON("TZ=UTC 0 0 13 * 1", "2024-05-12T00:00:00Z", "2024-05-13T00:00:00Z",
		   "2024-05-20T00:00:00Z", "2024-05-27T00:00:00Z", "2024-06-03T00:00:00Z",
		   "2024-06-10T00:00:00Z", "2024-06-13T00:00:00Z");
	CHECK_CRON("TZ=UTC 0 0 13 * *", "2024-05-12T00:00:00Z", "2024-05-13T00:00:00Z",
		   "2024-06-13T00:00:00Z");
	CHECK_CRON("TZ=UTC 0 0 13 * */1", "2024-05-12T00:00:00Z", "2024-05-13T00:00:00Z",
		   "2024-06-13T00:00:00Z");
	CHECK_CRON("TZ=UTC 0 0 ? * 1", "2024-05-12T00:00:00Z", "2024-05-13T00:00:00Z",
		   "2024-05-20T00:00:00Z");
	CHECK_CRON("TZ=UTC 0 0 5,* * 1", "2024-05-12T00:00:00Z", "2024-05-13T00:00:00Z",
		   "2024-05-20T00:00:00Z");
}

TEST(a_star_with_a_step_is_no_star)
{
	/* odd days or Mondays; 2024-05-20 is a Monday */
	CHECK_CRON("TZ=UTC 0 3 */2 * 1", "2024-05-17T04:00:00Z", "2024-05-19T03:00:00Z",
		   "2024-05-20T03:00:00Z", "2024-05-21T03:00:00Z", "2024-05-23T03:00:00Z",
		   "2024-05-25T03:00:00Z", "2024-05-27T03:00:00Z");
	/* 1-31 is all days, but not a star: any day */
	CHECK_CRON("TZ=UTC 0 3 1-31 * 1", "2024-05-20T04:00:00Z", "2024-05-21T03:00:00Z");
	CHECK_CRON("TZ=UTC 0 3 * * 0-6", "2024-05-20T04:00:00Z", "2024-05-21T03:00:00Z");
}

TEST(days_that_a_month_lacks_are_skipped)
{
	CHECK_CRON("TZ=UTC 0 0 31 * *", "2024-01-31T00:00:00Z", "2024-03-31T00:00:00Z",
		   "2024-05-31T00:00:00Z", "2024-07-31T00:00:00Z", "2024-08-31T00:00:00Z",
		   "2024-10-31T00:00:00Z", "2024-12-31T00:00:00Z",
		   "2025-01-31T00:00:00Z");
	CHECK_CRON("TZ=UTC 0 0 29 2 *", "2023-03-01T00:00:00Z", "2024-02-29T00:00:00Z",
		   "2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z");
	CHECK_CRON("TZ=UTC 0 0 30 2,4 *", "2024-01-01T00:00:00Z", "2024-04-30T00:00:00Z",
		   "2025-04-30T00:00:00Z");
}

TEST(it_looks_five_years_ahead)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(cron_freep) struct cron *c = cron_new("TZ=UTC 0 0 29 2 *", now_s, &e);
	int64_t next;

	REQUIRE(CHECK(c));
	CHECK(!cron_next(c, at("2096-03-01T00:00:00Z"), &next)); /* 2100 has none */
	CHECK(cron_next(c, at("2099-01-01T00:00:00Z"), &next));
	CHECK_INT(next, at("2104-02-29T00:00:00Z"));
	CHECK(!cron_next(c, at("2098-12-31T23:59:58Z"), &next));
	CHECK(!cron_next(c, INT64_MAX, &next));
	CHECK(!cron_next(c, INT64_MIN, &next));
}

TEST(a_search_over_years_takes_no_time)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(cron_freep) struct cron *c =
		cron_new("TZ=Europe/Berlin 0 0 29 2 *", now_s, &e);
	int64_t t = at("2024-03-01T00:00:00Z"), next;
	clock_t begin = clock();

	REQUIRE(CHECK(c));
	for (int i = 0; i < 100; i++)
		CHECK(cron_next(c, t, &next));
	CHECK_INT(next, at("2028-02-28T23:00:00Z"));
	/* 100 of them; by the second it would be minutes */
	CHECK((double)(clock() - begin) / CLOCKS_PER_SEC < 1);
}

/* ---- when clocks change ---- */

TEST(a_time_that_is_skipped_does_not_happen_one_that_is_repeated_does_twice)
{
	CHECK_CRON("TZ=Europe/Berlin 30 2 * * *", "2024-03-29T12:00:00Z",
		   "2024-03-30T01:30:00Z", "2024-04-01T00:30:00Z");
	CHECK_CRON("TZ=Europe/Berlin 30 2 * * *", "2024-10-26T12:00:00Z",
		   "2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z",
		   "2024-10-28T01:30:00Z");
	CHECK_CRON("TZ=America/New_York 30 1 * * *", "2024-11-03T00:00:00Z",
		   "2024-11-03T05:30:00Z", "2024-11-03T06:30:00Z",
		   "2024-11-04T06:30:00Z");
}

TEST(each_real_hour_is_an_hour)
{
	CHECK_CRON("TZ=Europe/Berlin 0 * * * *", "2024-10-26T23:30:00Z",
		   "2024-10-27T00:00:00Z", "2024-10-27T01:00:00Z", "2024-10-27T02:00:00Z",
		   "2024-10-27T03:00:00Z");
	CHECK_CRON("TZ=Europe/Berlin 0 * * * *", "2024-03-30T23:30:00Z",
		   "2024-03-31T00:00:00Z", "2024-03-31T01:00:00Z",
		   "2024-03-31T02:00:00Z");
	/* half an hour */
	CHECK_CRON("TZ=Australia/Lord_Howe 0 * * * *", "2024-04-06T13:30:00Z",
		   "2024-04-06T14:00:00Z", "2024-04-06T15:30:00Z",
		   "2024-04-06T16:30:00Z");
	CHECK_CRON("TZ=Australia/Lord_Howe 45 1 * * *", "2024-04-06T00:00:00Z",
		   "2024-04-06T14:45:00Z", "2024-04-06T15:15:00Z",
		   "2024-04-07T15:15:00Z");
}

TEST(where_midnight_is_skipped_the_day_begins_with_its_first_hour)
{
	/* 2017-10-15 began at 01:00 -02, which is 03:00 UTC */
	CHECK_CRON("TZ=America/Sao_Paulo 0 * 15 10 *", "2017-10-14T12:00:00Z",
		   "2017-10-15T03:00:00Z", "2017-10-15T04:00:00Z");
	CHECK_CRON("TZ=America/Sao_Paulo 0 0 * * *", "2017-10-14T12:00:00Z",
		   "2017-10-16T02:00:00Z");
	CHECK_CRON("TZ=America/Sao_Paulo 0 9 * * *", "2017-10-14T13:00:00Z",
		   "2017-10-15T11:00:00Z", "2017-10-16T11:00:00Z");
	/* 2022-03-27 began at 01:00 +03 */
	CHECK_CRON("TZ=Asia/Beirut * * 27 3 *", "2022-03-26T12:00:00Z",
		   "2022-03-26T22:00:00Z", "2022-03-26T22:01:00Z");
	CHECK_CRON("TZ=Asia/Beirut 0 0 * * sun", "2022-03-26T12:00:00Z",
		   "2022-04-02T21:00:00Z");
}

TEST(a_zone_that_skips_a_day_has_no_such_day)
{
	CHECK_CRON("TZ=Pacific/Apia 0 12 30,31 12 *", "2011-12-01T00:00:00Z",
		   "2011-12-30T22:00:00Z", "2012-12-29T22:00:00Z");
}

/* ---- refusals ---- */

TEST(what_is_out_of_range_is_refused)
{
	check_bad("0 3 * * 7", "day-of-week: 7 is above 6 (Saturday); Sunday is 0");
	check_bad("0 24 * * *", "hour: 24 is above 23; midnight is 0");
	check_bad("60 * * * *", "minute: 60 is above 59; want 0 to 59");
	check_bad("60 0 * * * *", "second: 60 is above 59; want 0 to 59");
	check_bad("0 0 0 * *", "day-of-month: 0 is below 1; want 1 to 31");
	check_bad("0 0 1-32 * *", "day-of-month: 32 is above 31; want 1 to 31");
	check_bad("0 0 * 13 *", "month: 13 is above 12 (December); January is 1");
	check_bad("0 0 * 0 *", "month: 0 is below 1; want 1 to 12 or jan to dec");
	check_bad("99999999999999999999 * * * *",
		  "minute: 99999999999999999999 is above 59; want 0 to 59");
}

TEST(malformed_fields_are_refused)
{
	check_bad("1-2-3 * * * *",
		  "minute: \"1-2-3\" has more than one '-'; write e.g. 1-5");
	check_bad("*-1-2 * * * *",
		  "minute: \"*-1-2\" has more than one '-'; write e.g. 1-5");
	check_bad("*/5/2 * * * *",
		  "minute: \"*/5/2\" has more than one '/'; write e.g. */5");
	check_bad("*/0 * * * *",
		  "minute: \"*/0\" has no step of at least 1; write e.g. */5");
	check_bad("*/ * * * *",
		  "minute: \"*/\" has no step of at least 1; write e.g. */5");
	check_bad("0 */x * * *",
		  "hour: \"*/x\" has no step of at least 1; write e.g. */5");
	check_bad("* 22-5 * * *",
		  "hour: \"22-5\" ends before it begins; write 22-23,0-5");
	check_bad("0 0 * * fri-mon",
		  "day-of-week: \"fri-mon\" ends before it begins; write 5-6,0-1");
	check_bad("x * * * *", "minute: \"x\" is not a number; want 0 to 59");
	check_bad("-5 * * * *", "minute: \"\" is not a number; want 0 to 59");
	check_bad("1- * * * *", "minute: \"\" is not a number; want 0 to 59");
	check_bad("1.5 * * * *", "minute: \"1.5\" is not a number; want 0 to 59");
	check_bad("0 0 * january *", "month: \"january\" is not a number or name; want 1 "
				     "to 12 or jan to dec");
	check_bad("0 0 * mon *", "month: \"mon\" is not a number or name; want 1 to 12 "
				 "or jan to dec");
	check_bad("0 0 * * L",
		  "day-of-week: \"L\" is not a number or name; want 0 to 6 or "
		  "sun to sat");
	check_bad(", * * * *", "minute: \",\" names no time; want 0 to 59");
	check_bad("\x1b[1m * * * *",
		  "minute: \"\\x1b[1m\" is not a number; want 0 to 59");
}

TEST(the_number_of_fields_is_checked)
{
	static const char want[] = "; want five (minute hour day-of-month month "
				   "day-of-week), or six with the second first";
	static const struct {
		const char *spec, *n;
	} cases[] = {
		{ "", "0 fields" },
		{ " \t\n", "0 fields" },
		{ "0", "1 field" },
		{ "* * * *", "4 fields" },
		{ "* * * * * * *", "7 fields" },
		{ "TZ=UTC ", "0 fields" },
		{ "TZ=UTC * * * *", "4 fields" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(str_freep) char *msg = xasprintf("%s%s", cases[i].n, want);

		check_bad(cases[i].spec, msg);
	}
}

TEST(descriptors_are_refused_with_the_fields_to_write)
{
	check_bad("@daily", "\"@daily\" is a descriptor; write \"0 0 * * *\"");
	check_bad("@hourly", "\"@hourly\" is a descriptor; write \"0 * * * *\"");
	check_bad("TZ=UTC @weekly", "\"@weekly\" is a descriptor; write \"0 0 * * 0\"");
	check_bad("@every 1h", "\"@every 1h\" is a descriptor; write fields, e.g. \"0 3 "
			       "* * *\", or use the type periodic");
	check_bad("@reboot", "\"@reboot\" is a descriptor; write fields, e.g. \"0 3 * * "
			     "*\", or use the type periodic");
}

TEST(a_zone_must_be_known_and_followed_by_fields)
{
	static const char want[] = " has no fields after the zone; write e.g. "
				   "\"TZ=Europe/Berlin 0 3 * * *\"";
	cleanup(str_freep) char *tz = xasprintf("\"TZ=UTC\"%s", want);
	cleanup(str_freep) char *cron_tz = xasprintf("\"CRON_TZ=\"%s", want);

	check_bad("TZ=UTC", tz);
	check_bad("CRON_TZ=", cron_tz);
	check_bad("TZ=../x 0 3 * * *",
		  "unknown time zone \"../x\": not the name of a zone; write e.g. UTC "
		  "or Europe/Berlin");
	check_bad("TZ=Nowhere 0 3 * * *",
		  "unknown time zone \"Nowhere\": /usr/share/zoneinfo/Nowhere: No such "
		  "file or directory; write e.g. UTC or Europe/Berlin");
	check_bad(" TZ=UTC 0 3 * * *",
		  "second: \"TZ=UTC\" is not a number; want 0 to 59");
}

TEST(what_never_happens_is_refused)
{
	static const char want[] =
		"day-of-month: there is no such day in these months within 5 years, so "
		"it would never run; choose a day that they have";

	check_bad("0 0 30 2 *", want);
	check_bad("TZ=Europe/Berlin 0 0 30 2 *", want);
	check_bad("0 0 31 2,4,6,9,11 ?", want);
	check_bad("0 0 31 4 */1", want);
	/* these happen: on Sundays of February */
	CHECK_CRON("TZ=UTC 0 0 30 2 0", "2024-01-01T00:00:00Z", "2024-02-04T00:00:00Z");
}

TEST_MAIN()
