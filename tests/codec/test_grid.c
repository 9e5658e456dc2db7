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
	cleanup(err_clear) struct err e = ERR_INIT;
	struct grid g;

	check_bad("1x1h(keep=-2)");
	check_bad("1x1h(keep=-9223372036854775808)");
	CHECK_INT(grid_parse("24x1h | 1x2h(keep=0)", &g, &e), -1);
	CHECK_STR(err_msg(&e),
		  "retention grid: interval ' 1x2h(keep=0)': keep must be at "
		  "least 1");
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
