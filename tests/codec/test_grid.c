#include "codec/grid.h"
#include "tap.h"

static void check_ok(const char *text, size_t n, const struct grid_interval *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(grid_free) struct grid g = { 0 };

	if (!CHECK_INT(grid_parse(text, &g, &e), 0))
		printf("# '%s': %s\n", text, err_msg(&e));
	REQUIRE(CHECK_INT(g.n, n));
	for (size_t i = 0; i < n; i++) {
		CHECK_INT(g.v[i].repeat, want[i].repeat);
		CHECK_INT(g.v[i].length_s, want[i].length_s);
		CHECK_INT(g.v[i].keep, want[i].keep);
	}
}

#define CHECK_GRID(text, ...)                                                        \
	check_ok((text), ARRAY_LEN(((const struct grid_interval[]){ __VA_ARGS__ })), \
		 (const struct grid_interval[]){ __VA_ARGS__ })

static void check_bad(const char *text)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct grid g = { 0 };

	if (!CHECK_INT(grid_parse(text, &g, &e), -1))
		printf("# '%s'\n", text);
	CHECK_INT(e.kind, ERR_INVALID);
	CHECK_INT(g.n, 0);
	grid_free(&g);
}

TEST(a_grid_is_a_list_of_intervals)
{
	CHECK_GRID("1x1h(keep=all) | 24x1h | 30x1d(keep=2)", { 1, 3600, GRID_KEEP_ALL },
		   { 24, 3600, 1 }, { 30, 86400, 2 });
}

TEST(blanks_and_signs_are_allowed_where_they_always_were)
{
	CHECK_GRID("1 x 1 h ", { 1, 3600, 1 });
	CHECK_GRID("1x1h( keep=2)", { 1, 3600, 2 });
	CHECK_GRID("1x+1h", { 1, 3600, 1 });
	CHECK_GRID("\n 007x1h (keep=+2)\n|1x2h", { 7, 3600, 2 }, { 1, 7200, 1 });
}

TEST(keep_minus_one_means_all)
{
	CHECK_GRID("1x1h(keep=-1)|1x30m", { 1, 3600, GRID_KEEP_ALL }, { 1, 1800, 1 });
}

TEST(malformed_intervals_are_refused)
{
	static const char *const cases[] = {
		"",
		"|",
		"1x1h|",
		"|1x1h",
		"1x1h()",
		"1x1h(keep=all )",
		"1x1h(keep=2 )",
		"1x1h(keep= 2)",
		"1x1h(keep=2,foo=3)",
		"1x1h(keep=2)(keep=3)",
		"1x1h(keep=2))",
		"1x1h(keep=2)x",
		"1x1h(keep=2",
		"1x1h(",
		"1x1h)",
		"1x1h(keep=)",
		"1x1h(keep=ALL)",
		"1x1h(keep=+-1)",
		"1x1h(keep=1.5)",
		"1x1h(foo=2)",
		"0x1h",
		"-1x1h",
		"+1x1h",
		"x1h",
		"1x",
		"1x1",
		"1x0",
		"1x0s",
		"1x-1h",
		"1X1h",
		"1x1h30m",
		"1h",
		"1x2x1h",
		"99999999999999999999x1h",
		"1x99999999999999999999h",
		"1x15251w",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_bad(cases[i]);
}

TEST(keep_must_be_positive)
{
	check_bad("1x1h(keep=-2)");
	check_bad("1x1h(keep=-9223372036854775808)");
	check_bad("24x1h | 1x2h(keep=0)");
}

TEST(messages_say_what_to_write)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "24x1", "\"24x1\" lacks a unit; write e.g. 24x1h" },
		{ "1x1h | 24 x 1 (keep=2) ",
		  "\"24 x 1 (keep=2)\" lacks a unit; write e.g. 24 x 1h (keep=2)" },
		{ "1x2h(keep=0)",
		  "\"1x2h(keep=0)\" keeps nothing; write keep=1 or more, or keep=all" },
		{ "1x1h()", "\"1x1h()\" has something else than keep= in its "
			    "parentheses; write e.g. 24x1h(keep=2)" },
		{ "1x1h(keep=2,foo=3)",
		  "\"1x1h(keep=2,foo=3)\" keeps neither a number nor all; write e.g. "
		  "24x1h(keep=2) or 1x1h(keep=all)" },
		{ "1x1h(keep=2",
		  "\"1x1h(keep=2\" does not end in ')'; write e.g. 24x1h(keep=2)" },
		{ "0x1h", "\"0x1h\" has no number of at least 1 before the 'x'; write "
			  "e.g. 24x1h" },
		{ "1X1h", "\"1X1h\" is not NUMBERxLENGTH; write e.g. 24x1h" },
		{ "1x1h|", "the grid has an empty interval; write e.g. 1x1h | 24x1h" },
		{ "1x", "\"1x\" has no length behind the 'x'; write e.g. 24x1h" },
		{ "1x0", "\"1x0\" has no length above zero; write e.g. 24x1h" },
		{ "1x1h30m", "\"1x1h30m\": \"1h30m\" is not one number and one of s, m, "
			     "h, d and w; write e.g. 90m or 1d" },
		{ "1x1h|1x30m", "\"1x30m\" is shorter than the interval before it; put "
				"the shorter one first, or let all before it have "
				"keep=all" },
		{ "100001x1h",
		  "the grid has more than 100000 buckets; write fewer or longer ones" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct grid g;

		CHECK_INT(grid_parse(cases[i].text, &g, &e), -1);
		CHECK_STR(err_msg(&e), cases[i].want);
	}
}

TEST(intervals_get_no_shorter_unless_all_before_keep_all)
{
	check_bad("1x1h|1x30m");
	check_bad("1x1h(keep=all)|1x30m|1x10m");
	check_bad("1x1m|1x1h(keep=all)|1x30m");
	CHECK_GRID("1x1h(keep=all)|1x30m", { 1, 3600, GRID_KEEP_ALL }, { 1, 1800, 1 });
	CHECK_GRID("1x1h(keep=all)|1x30m(keep=all)|1x10m", { 1, 3600, GRID_KEEP_ALL },
		   { 1, 1800, GRID_KEEP_ALL }, { 1, 600, 1 });
	CHECK_GRID("1x1h|1x1h", { 1, 3600, 1 }, { 1, 3600, 1 });
}

TEST(there_is_a_limit_on_buckets)
{
	CHECK_GRID("99999x1h|1x1h", { 99999, 3600, 1 }, { 1, 3600, 1 });
	check_bad("100000x1h|1x1h");
	check_bad("9223372036854775807x1h|9223372036854775807x1h");
}

TEST_MAIN()
