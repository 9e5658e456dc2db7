#include "base/parse.h"
#include "tap.h"

TEST(unsigned_numbers_are_decimal_digits_only)
{
	static const struct {
		const char *text;
		uint64_t want;
	} good[] = {
		{ "0", 0 },
		{ "007", 7 },
		{ "18446744073709551615", UINT64_MAX },
		{ "00000000000000000000018446744073709551615", UINT64_MAX },
	};
	static const char *const bad[] = {
		"",
		" 1",
		"1 ",
		"+1",
		"-1",
		"-0",
		"0x1",
		"1.0",
		"a",
		"1a",
		"1\n",
		"\xb2",
		"18446744073709551616",
		"99999999999999999999",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		uint64_t n = 42;

		CHECK_INT(parse_u64(view_of(good[i].text), &n, &e), 0);
		CHECK(n == good[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		uint64_t n = 42;

		if (!CHECK_INT(parse_u64(view_of(bad[i]), &n, &e), -1))
			printf("# '%s'\n", bad[i]);
		CHECK_INT(e.kind, ERR_INVALID);
		CHECK_INT(n, 42);
	}
}

TEST(digits_are_of_one_base)
{
	static const struct {
		const char *text;
		unsigned base;
		uint64_t want;
	} good[] = {
		{ "0", 2, 0 },
		{ "101", 2, 5 },
		{ "017", 8, 15 },
		{ "99", 10, 99 },
		{ "fF", 16, 255 },
		{ "ffffffffffffffff", 16, UINT64_MAX },
		{ "1777777777777777777777", 8, UINT64_MAX },
	};
	static const struct {
		const char *text;
		unsigned base;
	} bad[] = {
		{ "", 10 },
		{ "2", 2 },
		{ "8", 8 },
		{ "a", 10 },
		{ "g", 16 },
		{ "0x1", 16 },
		{ "-1", 10 },
		{ "1 ", 10 },
		{ "10000000000000000", 16 },
		{ "2000000000000000000000", 8 },
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint64_t n = 42;

		CHECK(parse_digits(view_of(good[i].text), good[i].base, &n));
		CHECK(n == good[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t n = 42;

		if (!CHECK(!parse_digits(view_of(bad[i].text), bad[i].base, &n)))
			printf("# '%s'\n", bad[i].text);
		CHECK_INT(n, 42);
	}
}

TEST(booleans_have_six_names_each)
{
	static const char *const yes[] = { "1", "t", "T", "true", "True", "TRUE" };
	static const char *const no[] = { "0", "f", "F", "false", "False", "FALSE" };
	static const char *const bad[] = { "", "yes", "tRUE", "true ", "2", "01" };
	bool b;

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		CHECK(parse_bool(view_of(yes[i]), &b) && b);
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		CHECK(parse_bool(view_of(no[i]), &b) && !b);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!parse_bool(view_of(bad[i]), &b));
}

TEST(signed_numbers_may_have_one_minus)
{
	static const struct {
		const char *text;
		int64_t want;
	} good[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "-7", -7 },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775807", -INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
	};
	static const char *const bad[] = {
		"",
		"-",
		"--1",
		"+1",
		"- 1",
		"-1-",
		"9223372036854775808",
		"-9223372036854775809",
		"18446744073709551616",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		int64_t n = 42;

		CHECK_INT(parse_i64(view_of(good[i].text), &n, &e), 0);
		CHECK_INT(n, good[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		int64_t n = 42;

		if (!CHECK_INT(parse_i64(view_of(bad[i]), &n, &e), -1))
			printf("# '%s'\n", bad[i]);
		CHECK_INT(e.kind, ERR_INVALID);
		CHECK_INT(n, 42);
	}
}

TEST(only_the_view_is_read)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	uint64_t u;
	int64_t i;

	CHECK_INT(parse_u64((struct view){ "123456", 3 }, &u, &e), 0);
	CHECK_INT(u, 123);
	CHECK_INT(parse_i64((struct view){ "-123456", 3 }, &i, &e), 0);
	CHECK_INT(i, -12);
	CHECK_INT(parse_u64((struct view){ NULL, 0 }, &u, &e), -1);
	CHECK_STR(err_msg(&e), "\"\" is not a number");
}

TEST(messages_do_not_repeat_all_of_a_long_text)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char text[1000];
	uint64_t n;

	memset(text, '9', sizeof(text));
	CHECK_INT(parse_u64((struct view){ text, sizeof(text) }, &n, &e), -1);
	CHECK(strlen(err_msg(&e)) < 200);
	CHECK(strstr(err_msg(&e), "is too large"));
}

TEST(fields_include_empty_ones_and_the_last)
{
	struct view rest = VIEW("a\tbc\t\td");
	static const char *const want[] = { "a", "bc", "", "d" };

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		REQUIRE(rest.p);
		CHECK(view_eq(parse_field(&rest, '\t'), view_of(want[i])));
	}
	CHECK(rest.p == NULL);
	CHECK_INT(rest.len, 0);
}

TEST(a_separator_at_the_end_leaves_an_empty_field)
{
	struct view rest = VIEW("a\n");

	CHECK(view_eq(parse_field(&rest, '\n'), VIEW("a")));
	REQUIRE(CHECK(rest.p));
	CHECK_INT(parse_field(&rest, '\n').len, 0);
	CHECK(rest.p == NULL);
}

TEST(trimming_takes_blanks_at_both_ends_only)
{
	CHECK(view_eq(view_trim(VIEW(" \t\r\na b\n ")), VIEW("a b")));
	CHECK_INT(view_trim(VIEW(" \n ")).len, 0);
	CHECK_INT(view_trim((struct view){ NULL, 0 }).len, 0);
}

TEST(a_view_starts_with_its_prefixes)
{
	CHECK(view_starts(VIEW("abc"), "ab"));
	CHECK(view_starts(VIEW("abc"), ""));
	CHECK(!view_starts(VIEW("abc"), "abcd"));
	CHECK(!view_starts(VIEW("abc"), "b"));
	CHECK(!view_starts((struct view){ "abc", 1 }, "ab"));
}

TEST(a_prefix_is_taken_off_a_view_if_it_is_there)
{
	struct view v = VIEW("abc");

	CHECK(!view_skip(&v, "b"));
	CHECK(view_eq(v, VIEW("abc")));
	CHECK(view_skip(&v, "ab"));
	CHECK(view_eq(v, VIEW("c")));
	CHECK(view_skip(&v, "c"));
	CHECK(!view_skip(&v, "c"));
}

TEST(a_duplicate_is_terminated)
{
	cleanup(str_freep) char *s = view_dup((struct view){ "abc", 2 });
	cleanup(str_freep) char *empty = view_dup((struct view){ NULL, 0 });

	CHECK_STR(s, "ab");
	CHECK_STR(empty, "");
}

TEST_MAIN()
