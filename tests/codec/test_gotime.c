#include "codec/gotime.h"
#include "tap.h"

static void check_layout(const char *zone, struct timespec t, const char *layout,
			 const char *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(tzif_freep) struct tzif *z = tzif_from_rule(view_of(zone), &e);
	cleanup(buf_free) struct buf b = { 0 };

	REQUIRE(CHECK(z));
	buf_put(&b, "", 0);
	gotime_format(&b, layout, t, z);
	if (!CHECK_STR(b.p, want))
		printf("# layout %s\n", layout);
}

/* Wed Feb 4 21:00:57.012345678 PST 2009 */
static const struct timespec feb = { 1233810057, 12345678 };

TEST(every_token_is_replaced)
{
	static const char *const cases[][2] = {
		{ "2006 06", "2009 09" },
		{ "01 1 Jan January", "02 2 Feb February" },
		{ "02 _2 2 002 __2", "04  4 4 035  35" },
		{ "Mon Monday", "Wed Wednesday" },
		{ "15 03 3", "21 09 9" },
		{ "04 4 05 5", "00 0 57 57" },
		{ "PM pm", "PM pm" },
		{ "MST", "PST" },
		{ "-0700 -07:00 -07 -070000 -07:00:00",
		  "-0800 -08:00 -08 -080000 -08:00:00" },
		{ "Z0700 Z07:00 Z07 Z070000 Z07:00:00",
		  "-0800 -08:00 -08 -080000 -08:00:00" },
		{ "Mon Jan _2 15:04:05 2006", "Wed Feb  4 21:00:57 2009" },
		{ "Monday, 02-Jan-06 15:04:05 MST", "Wednesday, 04-Feb-09 21:00:57 PST" },
		{ "2006-01-02T15:04:05Z07:00", "2009-02-04T21:00:57-08:00" },
		{ "3:04PM", "9:00PM" },
		{ "20060102150405", "20090204210057" },
		{ "010203040506", "020409005709" },
		{ GOTIME_DEFAULT, "2009-02-04 21:00:57.012345678 -0800 PST" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_layout("PST8", feb, cases[i][0], cases[i][1]);
}

TEST(what_is_no_token_stands_for_itself)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "daily_", "daily_" },
		{ "Janus Money Month Jan. Mon-", "Janus Money Month Feb. Wed-" },
		{ "_2006 _20060 __2006", "_2009 _20090  35009" },
		{ "00 07 08 0", "00 07 08 0" },
		{ "PmpM P", "PmpM P" },
		{ "-06 -08 Z08 ZZ", "-09 -08 Z08 ZZ" },
		{ "7 8 9", "7 8 9" },
		{ "\xc3\xa4", "\xc3\xa4" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_layout("PST8", feb, cases[i][0], cases[i][1]);
}

TEST(fractions_are_fixed_or_trimmed)
{
	static const char *const cases[][2] = {
		{ ".0", ".0" },
		{ ".00", ".01" },
		{ ".000", ".012" },
		{ ",000000", ",012345" },
		{ ".000000000", ".012345678" },
		{ ".0000000000", ".012345678" },
		{ "05.9", "57" },
		{ "05.99", "57.01" },
		{ "05,999999999", "57,012345678" },
		{ "_000", "_000" },
		{ ".000x", ".012x" },
		{ ".0001", ".0002" },
		{ ".0009", ".0009" },
		{ ".", "." },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_layout("PST8", feb, cases[i][0], cases[i][1]);
	check_layout("PST8", (struct timespec){ 0 }, "05.000", "00.000");
	check_layout("PST8", (struct timespec){ 0 }, "05.999", "00");
}

TEST(z_stands_for_utc_only)
{
	check_layout("UTC0", feb, "Z0700 Z07:00 Z07 -0700", "Z Z Z +0000");
	check_layout("<+0545>-5:45", feb, "Z0700 Z07:00 MST", "+0545 +05:45 +0545");
	check_layout("LMT0:00:30", feb, "-07:00:00 Z07:00", "+00:00:30 +00:00");
	check_layout("LMT-0:53:28", feb, "-070000", "+005328");
}

TEST(hours_of_twelve_have_no_zero)
{
	check_layout("UTC0", (struct timespec){ 0 }, "03 3 PM pm", "12 12 AM am");
	check_layout("UTC0", (struct timespec){ 43200, 0 }, "03 3 PM pm", "12 12 PM pm");
	check_layout("UTC0", (struct timespec){ 46800, 0 }, "03 3 PM pm", "01 1 PM pm");
}

TEST(the_day_of_the_year_counts_to_366)
{
	check_layout("UTC0", (struct timespec){ 1735603200, 0 }, "002 __2", "366 366");
	check_layout("UTC0", (struct timespec){ 0 }, "002 __2", "001   1");
}

TEST(a_clock_gone_mad_does_no_harm)
{
	check_layout("XYZ-3", (struct timespec){ INT64_MAX, 0 }, "2006", "9999");
	check_layout("XYZ3", (struct timespec){ INT64_MIN, 0 }, "2006", "0001");
}

TEST_MAIN()
