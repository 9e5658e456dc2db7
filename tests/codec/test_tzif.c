#include "codec/civil.h"
#include "codec/tzif.h"
#include "codec/tzrule.h"
#include "tap.h"

static int64_t at(int64_t year, int month, int day, int hour, int minute)
{
	return civil_day_s(year, month, day) + hour * 3600 + minute * 60;
}

static void check_at(const struct tzif *z, int64_t s, int32_t offset_s,
		     const char *abbrev)
{
	struct tzif_time t = tzif_at(z, s);

	CHECK_INT(t.offset_s, offset_s);
	CHECK_STR(t.abbrev, abbrev);
}

static struct tzif *rule(const char *text)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct tzif *z = tzif_from_rule(view_of(text), &e);

	if (!CHECK(z))
		printf("# %s: %s\n", text, err_msg(&e));
	return z;
}

TEST(central_europe_changes_on_the_last_sundays_of_march_and_october)
{
	cleanup(tzif_freep) struct tzif *z = rule("CET-1CEST,M3.5.0,M10.5.0/3");

	REQUIRE(z);
	check_at(z, at(2024, 1, 1, 0, 0), 3600, "CET");
	check_at(z, at(2024, 3, 31, 1, 0) - 1, 3600, "CET");
	check_at(z, at(2024, 3, 31, 1, 0), 7200, "CEST");
	check_at(z, at(2024, 10, 27, 1, 0) - 1, 7200, "CEST");
	check_at(z, at(2024, 10, 27, 1, 0), 3600, "CET");
	check_at(z, at(2300, 7, 1, 0, 0), 7200, "CEST");
}

TEST(summer_spans_the_new_year_in_the_south)
{
	cleanup(tzif_freep) struct tzif *z = rule("AEST-10AEDT,M10.1.0,M4.1.0/3");

	REQUIRE(z);
	check_at(z, at(2023, 12, 31, 20, 0), 39600, "AEDT");
	check_at(z, at(2024, 4, 6, 16, 0) - 1, 39600, "AEDT");
	check_at(z, at(2024, 4, 6, 16, 0), 36000, "AEST");
	check_at(z, at(2024, 10, 5, 16, 0) - 1, 36000, "AEST");
	check_at(z, at(2024, 10, 5, 16, 0), 39600, "AEDT");
}

TEST(summer_may_be_the_time_that_is_set_back)
{
	cleanup(tzif_freep) struct tzif *z = rule("IST-1GMT0,M10.5.0,M3.5.0/1");

	REQUIRE(z);
	check_at(z, at(2024, 7, 1, 0, 0), 3600, "IST");
	check_at(z, at(2024, 12, 1, 0, 0), 0, "GMT");
}

TEST(times_of_change_may_lie_on_another_day)
{
	cleanup(tzif_freep) struct tzif *nuuk = rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
	cleanup(tzif_freep) struct tzif *gaza = rule("EET-2EEST,M3.4.4/50,M10.4.4/50");

	REQUIRE(nuuk && gaza);
	check_at(nuuk, at(2024, 3, 31, 1, 0) - 1, -7200, "-02");
	check_at(nuuk, at(2024, 3, 31, 1, 0), -3600, "-01");
	check_at(nuuk, at(2024, 10, 27, 1, 0), -7200, "-02");
	check_at(gaza, at(2024, 3, 30, 0, 0) - 1, 7200, "EET");
	check_at(gaza, at(2024, 3, 30, 0, 0), 10800, "EEST");
}

TEST(days_of_the_year_are_counted_with_and_without_the_leap_day)
{
	cleanup(tzif_freep) struct tzif *julian = rule("AAA0BBB,J60/0,J61/0");
	cleanup(tzif_freep) struct tzif *counted = rule("AAA0BBB,59/0,60/0");

	REQUIRE(julian && counted);
	check_at(julian, at(2023, 3, 1, 0, 0), 3600, "BBB");
	check_at(julian, at(2024, 3, 1, 0, 0), 3600, "BBB");
	check_at(julian, at(2024, 2, 29, 0, 0), 0, "AAA");
	check_at(counted, at(2023, 3, 1, 0, 0), 3600, "BBB");
	check_at(counted, at(2024, 2, 29, 0, 0), 3600, "BBB");
}

TEST(summer_all_the_year_has_no_gap)
{
	cleanup(tzif_freep) struct tzif *z = rule("EST5EDT,0/0,J365/25");

	REQUIRE(z);
	for (int64_t s = at(2023, 12, 30, 0, 0); s < at(2024, 1, 3, 0, 0); s += 1800)
		check_at(z, s, -14400, "EDT");
}

TEST(zones_without_summer_have_one_offset)
{
	cleanup(tzif_freep) struct tzif *z = rule("<+0545>-5:45");

	REQUIRE(z);
	check_at(z, 0, 5 * 3600 + 45 * 60, "+0545");
}

TEST(malformed_rules_are_refused)
{
	static const char *const cases[] = {
		"",
		"CET",
		"C1",
		"CET-",
		"CET-25",
		"CET-1CEST",
		"CET-1CEST,",
		"CET-1CEST,M3.5.0",
		"CET-1CEST,M13.5.0,M10.5.0",
		"<CET-1",
		"CET-1CEST,M3.6.0,M10.5.0",
		"CET-1CEST,M3.5.7,M10.5.0",
		"CET-1:60",
		"CET-1CEST,J0,J1",
		"CET-1CEST,366,1",
		"CET-1 ",
		"CET-1CEST,M3.5.0,M10.5.0/168",
		"CET-1CEST,M3.5.0,M10.5.0x",
		"ABCDEFGHIJKLMNOPQRS1",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(tzif_freep) struct tzif *z =
			tzif_from_rule(view_of(cases[i]), &e);

		if (!CHECK(!z))
			printf("# '%s'\n", cases[i]);
		CHECK_INT(e.kind, ERR_INVALID);
	}
}

/* Two changes, at 100 and at 200; types AAA (+1 h) and BBB (-1 h). */
#define HEADER(version, timecnt)                        \
	"TZif" version "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
	"\0\0\0\0"                                      \
	"\0\0\0\0"                                      \
	"\0\0\0\0"                                      \
	"\0\0\0" timecnt "\0\0\0\2"                     \
	"\0\0\0\10"
#define TYPES                  \
	"\0\0\16\20\0\0"       \
	"\377\377\361\360\1\4" \
	"AAA\0BBB\0"
#define V1_BLOCK           \
	HEADER("\0", "\2") \
	"\0\0\0\144"       \
	"\0\0\0\310"       \
	"\1\0" TYPES
#define V2_HEAD HEADER("2", "\0") TYPES HEADER("2", "\2")
#define V2_BODY              \
	"\0\0\0\0\0\0\0\144" \
	"\0\0\0\0\0\0\0\310" \
	"\1\0" TYPES
#define V2 V2_HEAD V2_BODY

TEST(old_files_end_with_their_last_change)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(tzif_freep) struct tzif *z = tzif_parse(VIEW(V1_BLOCK), &e);

	REQUIRE(CHECK(z));
	check_at(z, -1000, 3600, "AAA");
	check_at(z, 99, 3600, "AAA");
	check_at(z, 100, -3600, "BBB");
	check_at(z, 199, -3600, "BBB");
	check_at(z, 200, 3600, "AAA");
	check_at(z, 1 << 30, 3600, "AAA");
}

TEST(newer_files_go_on_with_the_rule_in_their_footer)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(tzif_freep) struct tzif *z = tzif_parse(VIEW(V2 "\nCCC2\n"), &e);
	cleanup(tzif_freep) struct tzif *bare = tzif_parse(VIEW(V2 "\n\n"), &e);

	REQUIRE(CHECK(z) && CHECK(bare));
	check_at(z, 99, 3600, "AAA");
	check_at(z, 199, -3600, "BBB");
	check_at(z, 200, -7200, "CCC");
	check_at(bare, 200, 3600, "AAA");
}

TEST(a_file_that_is_cut_anywhere_is_refused)
{
	static const char file[] = V2 "\nCCC2\n";

	for (size_t len = 0; len < sizeof(file) - 1; len++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(tzif_freep) struct tzif *z =
			tzif_parse((struct view){ file, len }, &e);

		if (!CHECK(!z))
			printf("# cut at %zu\n", len);
		CHECK_INT(e.kind, ERR_INVALID);
	}
}

TEST(a_file_whose_numbers_make_no_sense_is_refused)
{
	static const struct {
		size_t at;
		char byte;
	} cases[] = {
		{ 0, 'X' },     /* magic */
		{ 32, '\100' }, /* far too many changes */
		{ 39, '\0' },   /* no types */
		{ 43, '\0' },   /* no names */
		{ 51, '\50' },  /* changes out of order */
		{ 52, '\2' },   /* no such type */
		{ 54, '\177' }, /* offset of years */
		{ 59, '\10' },  /* name behind the names */
	};
	static const char file[] = V1_BLOCK;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(tzif_freep) struct tzif *z = NULL;
		char copy[sizeof(file)];

		memcpy(copy, file, sizeof(file));
		copy[cases[i].at] = cases[i].byte;
		z = tzif_parse((struct view){ copy, sizeof(file) - 1 }, &e);
		if (!CHECK(!z))
			printf("# byte %zu\n", cases[i].at);
	}
}

TEST(utc_needs_no_file)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(tzif_freep) struct tzif *empty = tzif_load("", &e);
	cleanup(tzif_freep) struct tzif *utc = tzif_load("UTC", &e);

	REQUIRE(CHECK(empty) && CHECK(utc));
	check_at(empty, 1e9, 0, "UTC");
	check_at(utc, 1e9, 0, "UTC");
}

TEST(berlin_has_summer_time_in_the_past_and_in_the_far_future)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(tzif_freep) struct tzif *z = tzif_load("Europe/Berlin", &e);

	REQUIRE(CHECK(z));
	check_at(z, at(1975, 7, 1, 0, 0), 3600, "CET");
	check_at(z, at(1981, 7, 1, 0, 0), 7200, "CEST");
	check_at(z, at(2020, 6, 1, 0, 0), 7200, "CEST");
	check_at(z, at(2020, 12, 1, 0, 0), 3600, "CET");
	check_at(z, at(2050, 7, 1, 0, 0), 7200, "CEST");
	check_at(z, at(2050, 12, 1, 0, 0), 3600, "CET");
}

TEST(names_that_are_no_zones_are_refused)
{
	static const char *const cases[] = {
		"Europe/Atlantis", "Europe",         "/etc/localtime", "../zoneinfo/UTC",
		"Europe/../UTC",   "Europe/Berlin ", "tzdata.zi",      "CET-1CEST\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(tzif_freep) struct tzif *z = tzif_load(cases[i], &e);

		if (!CHECK(!z))
			printf("# %s\n", cases[i]);
		CHECK_INT(e.kind, ERR_INVALID);
	}
}

static void check_local(const char *tz, int32_t offset_s, const char *abbrev)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(tzif_freep) struct tzif *z = NULL;

	setenv("TZ", tz, 1);
	z = tzif_load("Local", &e);
	unsetenv("TZ");
	if (CHECK(z))
		check_at(z, at(2020, 6, 1, 0, 0), offset_s, abbrev);
}

TEST(local_is_what_tz_says)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	check_local("Europe/Berlin", 7200, "CEST");
	check_local(":Europe/Berlin", 7200, "CEST");
	check_local("/usr/share/zoneinfo/Europe/Berlin", 7200, "CEST");
	check_local("XYZ-3", 10800, "XYZ");
	check_local("", 0, "UTC");
	check_local("UTC", 0, "UTC");
	setenv("TZ", "No/Where", 1);
	CHECK(!tzif_load("Local", &e));
	CHECK_INT(e.kind, ERR_INVALID);
	unsetenv("TZ");
}

TEST_MAIN()
