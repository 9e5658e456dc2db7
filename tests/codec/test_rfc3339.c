#include "codec/rfc3339.h"
#include "tap.h"

TEST(times_have_as_many_decimals_as_needed_and_can_be_read_back)
{
	static const struct {
		struct timespec t;
		const char *want;
	} cases[] = {
		{ { 0, 0 }, "0001-01-01T00:00:00Z" },
		{ { 0, 1 }, "1970-01-01T00:00:00.000000001Z" },
		{ { -1, 0 }, "1969-12-31T23:59:59Z" },
		{ { 1590969600, 123000000 }, "2020-06-01T00:00:00.123Z" },
		{ { 951782399, 0 }, "2000-02-28T23:59:59Z" },
		{ { 951782400, 500 }, "2000-02-29T00:00:00.0000005Z" },
		{ { 253402300799, 999999999 }, "9999-12-31T23:59:59.999999999Z" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(buf_free) struct buf b = { 0 };
		struct timespec t;

		rfc3339_format(&b, cases[i].t);
		CHECK_STR(b.p, cases[i].want);
		REQUIRE(rfc3339_parse(b.p, &t, &e) == 0);
		CHECK_INT(t.tv_sec, cases[i].t.tv_sec);
		CHECK_INT(t.tv_nsec, cases[i].t.tv_nsec);
	}
}

TEST(times_beyond_four_digits_of_years_are_the_zero_time)
{
	static const int64_t seconds[] = { 253402300800, -62135596801, INT64_MIN,
					   INT64_MAX };

	for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
		cleanup(buf_free) struct buf b = { 0 };

		rfc3339_format(&b, (struct timespec){ .tv_sec = seconds[i] });
		CHECK_STR(b.p, "0001-01-01T00:00:00Z");
	}
}

TEST(offsets_and_small_letters_are_understood)
{
	static const char *const same[] = {
		"2020-06-01T00:00:00.5Z",         "2020-06-01t00:00:00.500z",
		"2020-06-01T02:00:00.5+02:00",    "2020-05-31T20:30:00.5-03:30",
		"2020-05-31T23:59:60.5000-00:00",
	};

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct timespec t = { 0 };

		CHECK_INT(rfc3339_parse(same[i], &t, &e), 0);
		CHECK_INT(t.tv_sec, 1590969600);
		CHECK_INT(t.tv_nsec, 500000000);
	}
}

TEST(what_is_no_time_is_refused)
{
	static const char *const bad[] = {
		"",
		"2020-06-01",
		"2020-06-01T00:00:00",
		"2020-06-01 00:00:00Z",
		"2020-06-01T00:00:00.Z",
		"2020-06-01T00:00:00Z ",
		"2020-6-01T00:00:00Z",
		"2020-00-01T00:00:00Z",
		"2020-13-01T00:00:00Z",
		"2020-06-00T00:00:00Z",
		"2020-06-31T00:00:00Z",
		"2019-02-29T00:00:00Z",
		"2020-06-01T24:00:00Z",
		"2020-06-01T00:60:00Z",
		"2020-06-01T00:00:61Z",
		"2020-06-01T00:00:00+24:00",
		"2020-06-01T00:00:00+0200",
		"-020-06-01T00:00:00Z",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct timespec t = { 42, 42 };

		if (!CHECK_INT(rfc3339_parse(bad[i], &t, &e), -1))
			printf("# '%s'\n", bad[i]);
		CHECK_INT(e.kind, ERR_INVALID);
		CHECK_INT(t.tv_sec, 42);
	}
}

TEST_MAIN()
