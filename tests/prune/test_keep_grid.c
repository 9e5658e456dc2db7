#include "prune/keep_grid.h"

#include "tap.h"

enum { MAX = 16, MINUTE = 60 };

/* What is kept, as a string of 1 and 0; ages in minutes, youngest first. */
static const char *kept(const char *grid, const int *ages, size_t n)
{
	static char out[MAX + 1];
	const int64_t now_s = 1700000000;
	struct grid g = { 0 };
	struct err e = ERR_INIT;
	int64_t dates[MAX];
	bool keep[MAX];
	uint64_t bucket[MAX];

	if (!CHECK(grid_parse(grid, &g, &e) == 0))
		return err_msg(&e);
	for (size_t i = 0; i < n; i++)
		dates[i] = now_s - ages[i] * MINUTE;
	keep_grid(&g, now_s, dates, n, keep, bucket);
	for (size_t i = 0; i < n; i++)
		out[i] = keep[i] ? '1' : '0';
	out[n] = '\0';
	grid_free(&g);
	return out;
}

TEST(a_grid_with_a_fixed_now_keeps_the_future_and_the_oldest_of_each_bucket)
{
	const int ages[] = { -3, 6, 8, 9, 11, 19, 25, 26, 30, 75, 90, 91, 120 };

	CHECK_STR(kept("1x10m(keep=all)|1x10m|1x10m(keep=2)|1x1h", ages, ARRAY_LEN(ages)),
		  "1111011101000");
}

TEST(buckets_are_numbered_from_the_youngest_and_what_is_in_none_has_no_number)
{
	const int ages[] = { -3, 6, 8, 9, 11, 19, 25, 26, 30, 75, 89, 90, 120 };
	const uint64_t want[] = { 0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 0, 0 };
	const int64_t now_s = 1700000000;
	int64_t dates[ARRAY_LEN(ages)];
	bool keep[ARRAY_LEN(ages)];
	uint64_t bucket[ARRAY_LEN(ages)];
	struct grid g = { 0 };
	struct err e = ERR_INIT;

	REQUIRE(grid_parse("1x10m(keep=all)|1x10m|1x10m(keep=2)|1x1h", &g, &e) == 0);
	for (size_t i = 0; i < ARRAY_LEN(ages); i++)
		dates[i] = now_s - ages[i] * MINUTE;
	keep_grid(&g, now_s, dates, ARRAY_LEN(ages), keep, bucket);
	for (size_t i = 0; i < ARRAY_LEN(ages); i++)
		CHECK_INT(bucket[i], want[i]);
	grid_free(&g);
}

TEST(a_buckets_younger_edge_is_inside_and_its_older_edge_is_not)
{
	const int ages[] = { 0, 9, 10, 19, 20 };

	CHECK_STR(kept("2x10m(keep=all)", ages, ARRAY_LEN(ages)), "11110");
	CHECK_STR(kept("2x10m", ages, ARRAY_LEN(ages)), "01010");
}

TEST(a_bucket_that_is_not_full_keeps_all_it_has)
{
	const int ages[] = { 1, 2 };

	CHECK_STR(kept("1x10m(keep=3)", ages, ARRAY_LEN(ages)), "11");
	CHECK_STR(kept("1x10m(keep=2)", ages, ARRAY_LEN(ages)), "11");
	CHECK_STR(kept("1x10m(keep=1)", ages, ARRAY_LEN(ages)), "01");
}

TEST(empty_buckets_in_between_do_not_shift_the_others)
{
	const int ages[] = { 0, 31, 39, 95 };

	CHECK_STR(kept("10x10m", ages, ARRAY_LEN(ages)), "1011");
}

TEST(no_snapshots_and_an_empty_grid_are_fine)
{
	const struct grid none = { 0 };
	const int64_t date = 5;
	bool keep = true;
	uint64_t bucket = 5;

	CHECK_STR(kept("1x1h", NULL, 0), "");
	keep_grid(&none, 5, &date, 1, &keep, &bucket);
	CHECK(!keep);
	CHECK_INT(bucket, 0);
}

TEST(dates_at_the_ends_of_time_do_not_overflow)
{
	struct grid_interval day = { .repeat = 1, .length_s = 86400, .keep = 1 };
	const struct grid g = { &day, 1, 1 };
	const int64_t dates[] = { INT64_MAX, INT64_MIN };
	bool keep[2];
	uint64_t bucket[2];

	keep_grid(&g, INT64_MAX, dates, 2, keep, bucket);
	CHECK(keep[0]);
	CHECK(!keep[1]);
}

TEST_MAIN()
