#include "codec/duration.h"
#include "tap.h"

#define M (60 * NS_PER_S)
#define H (60 * M)

TEST(a_zdur_is_one_number_and_one_unit)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "10s", 10 * NS_PER_S },
		{ "10m", 10 * M },
		{ "3h", 3 * H },
		{ "1d", 24 * H },
		{ "2w", 14 * 24 * H },
		{ " 1 d ", 24 * H },
		{ "+3w", 21 * 24 * H },
		{ "-1h", -H },
		{ "0", 0 },
		{ "0s", 0 },
		{ "-0", 0 },
		{ "\t007\tm\n", 7 * M },
		{ "106751d", 106751 * 24 * H },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		int64_t ns = -99;

		if (!CHECK_INT(zdur_parse(cases[i].text, &ns, &e), 0))
			printf("# %s: %s\n", cases[i].text, err_msg(&e));
		CHECK_INT(ns, cases[i].ns);
	}
}

TEST(a_zdur_that_is_malformed_or_too_long_is_refused)
{
	static const char *const cases[] = {
		"",
		" ",
		"s",
		"10",
		"1h30m",
		"1.5h",
		"1ms",
		"1 y",
		"1ss",
		"- 1s",
		"--1s",
		"0x10s",
		"1S",
		"1h,",
		"106752d",
		"15251w",
		"99999999999999999999s",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		int64_t ns = 42;

		if (!CHECK_INT(zdur_parse(cases[i], &ns, &e), -1))
			printf("# %s\n", cases[i]);
		CHECK_INT(e.kind, ERR_INVALID);
		CHECK_INT(ns, 42);
	}
}

static void check_message(int (*parse)(const char *, int64_t *, struct err *),
			  const char *text, const char *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int64_t ns;

	CHECK_INT(parse(text, &ns, &e), -1);
	CHECK_STR(err_msg(&e), want);
}

TEST(messages_say_what_to_write)
{
	check_message(zdur_parse, "10", "\"10\" lacks a unit; write e.g. 10m");
	check_message(zdur_parse, " +7 ", "\" +7 \" lacks a unit; write e.g. +7m");
	check_message(zdur_parse, "ten",
		      "\"ten\" is not a duration; write e.g. 10m or 1d");
	check_message(zdur_parse, "1h30m",
		      "\"1h30m\" is not one number and one of s, m, h, d and w; write "
		      "e.g. 90m or 1d");
	check_message(zdur_parse, "99999w",
		      "\"99999w\" is too long; the longest is 292 years");
	check_message(gdur_parse, "10", "\"10\" lacks a unit; write e.g. 10s");
	check_message(gdur_parse, "1h30", "\"1h30\" lacks a unit; write e.g. 1h30s");
	check_message(gdur_parse, "1d",
		      "\"1d\" has another unit than ns, us, ms, s, m and h; write e.g. "
		      "30s or 24h");
	check_message(gdur_parse, "1h\n",
		      "\"1h\\x0a\" lacks a number; write e.g. 30s or 1m30s");
	check_message(gdur_parse, "", "\"\" lacks a number; write e.g. 30s or 1m30s");
}

TEST(a_gdur_is_a_sum_of_numbers_with_units)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "0", 0 },
		{ "+0", 0 },
		{ "-0", 0 },
		{ "0s", 0 },
		{ "5s", 5 * NS_PER_S },
		{ "1h30m", H + 30 * M },
		{ "1.5s", 1500 * NS_PER_MS },
		{ "350ms", 350 * NS_PER_MS },
		{ "-1.5h", -(H + 30 * M) },
		{ "+5.s", 5 * NS_PER_S },
		{ ".5s", 500 * NS_PER_MS },
		{ "11us", 11000 },
		{ "11\xc2\xb5s", 11000 },
		{ "11\xce\xbcs", 11000 },
		{ "3.0000001s", 3 * NS_PER_S + 100 },
		{ "1s1h", H + NS_PER_S },
		{ "39h9m14.425s", 39 * H + 9 * M + 14425 * NS_PER_MS },
		{ "0.3333333333333333333h", 20 * M },
		{ "0.100000000000000000000h", 6 * M },
		{ "9223372036854775807ns", INT64_MAX },
		{ "-9223372036854775808ns", INT64_MIN },
		{ "-9223372036854775.808us", INT64_MIN },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		int64_t ns = -99;

		if (!CHECK_INT(gdur_parse(cases[i].text, &ns, &e), 0))
			printf("# %s: %s\n", cases[i].text, err_msg(&e));
		CHECK_INT(ns, cases[i].ns);
	}
}

TEST(a_gdur_that_is_malformed_or_too_long_is_refused)
{
	static const char *const cases[] = {
		"",
		"3",
		"-",
		"s",
		".",
		"-.",
		".s",
		"1d",
		"1w",
		"1h 30m",
		" 1s",
		"1s ",
		"1e3",
		"1S",
		"1.2.3s",
		"--1s",
		"\xffs",
		"9223372036854775808ns",
		"9223372036854775.808us",
		"3000000h",
		"-9223372036854775809ns",
		"9223372036854775807ns1ns",
		"99999999999999999999s",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		int64_t ns = 42;

		if (!CHECK_INT(gdur_parse(cases[i], &ns, &e), -1))
			printf("# %s\n", cases[i]);
		CHECK_INT(e.kind, ERR_INVALID);
		CHECK_INT(ns, 42);
	}
}

TEST(durations_are_shown_as_go_shows_them)
{
	static const struct {
		int64_t ns;
		const char *want;
	} cases[] = {
		{ 0, "0s" },
		{ 1, "1ns" },
		{ 1100, "1.1\xc2\xb5s" },
		{ 2200 * 1000, "2.2ms" },
		{ 350 * NS_PER_MS, "350ms" },
		{ 3300 * NS_PER_MS, "3.3s" },
		{ H + 2 * M + 3 * NS_PER_S, "1h2m3s" },
		{ 4 * M + 5001 * NS_PER_MS, "4m5.001s" },
		{ 5 * H + 6 * M + 7001 * NS_PER_MS, "5h6m7.001s" },
		{ 8 * M + 1, "8m0.000000001s" },
		{ H, "1h0m0s" },
		{ -1500 * NS_PER_MS, "-1.5s" },
		{ INT64_MAX, "2562047h47m16.854775807s" },
		{ INT64_MIN, "-2562047h47m16.854775808s" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(buf_free) struct buf b = { 0 };

		gdur_format(&b, cases[i].ns);
		CHECK_STR(b.p, cases[i].want);
	}
}

TEST(what_is_shown_reads_back_as_the_same_duration)
{
	for (int64_t ns = 1; ns < INT64_MAX / 7; ns *= 7) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(buf_free) struct buf b = { 0 };
		int64_t back = 0;

		gdur_format(&b, ns);
		CHECK_INT(gdur_parse(b.p, &back, &e), 0);
		CHECK_INT(back, ns);
	}
}

TEST(byte_counts_have_one_decimal_above_1023)
{
	static const struct {
		uint64_t n;
		const char *want;
	} cases[] = {
		{ 0, "0 B" },
		{ 512, "512 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1280, "1.2 KiB" }, /* a half goes to the even digit */
		{ 1792, "1.8 KiB" },
		{ 277558067, "264.7 MiB" },
		{ 1048575, "1024.0 KiB" },
		{ (uint64_t)3 << 40, "3.0 TiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(buf_free) struct buf b = { 0 };

		bytes_format(&b, cases[i].n);
		CHECK_STR(b.p, cases[i].want);
	}
}

TEST_MAIN()
