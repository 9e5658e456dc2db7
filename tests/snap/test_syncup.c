#include "snap/syncup.h"

#include "tap.h"

enum { MINUTE = 60, NOON = 1591012800 };

static int64_t when(const struct syncup_fs *fs, size_t n)
{
	struct err e = ERR_INIT;
	int64_t t = -1;

	CHECK_INT(syncup_when(fs, n, NOON, 10 * MINUTE, &t, &e), 0);
	return t - NOON;
}

TEST(the_earliest_due_filesystem_with_history_decides)
{
	const struct syncup_fs fs[] = {
		{ "a", true, NOON - 5 * MINUTE },
		{ "b", true, NOON - 8 * MINUTE },
		{ "c", false, 0 },
	};

	CHECK_INT(when(fs, 3), 2 * MINUTE);
	CHECK_INT(when(fs, 1), 5 * MINUTE);
}

TEST(one_that_is_overdue_makes_it_start_in_the_past)
{
	const struct syncup_fs fs[] = {
		{ "a", true, NOON - 5 * MINUTE },
		{ "b", true, NOON - 20 * MINUTE },
		{ "c", false, 0 },
	};

	CHECK_INT(when(fs, 3), -10 * MINUTE);
}

TEST(without_any_history_or_filesystem_it_starts_now)
{
	const struct syncup_fs fs[] = { { "a", false, 0 }, { "b", false, 0 } };

	CHECK_INT(when(fs, 2), 0);
	CHECK_INT(when(NULL, 0), 0);
}

TEST(history_counts_even_if_it_is_due_later_than_now)
{
	const struct syncup_fs fs[] = { { "new", false, 0 }, { "old", true, NOON } };

	CHECK_INT(when(fs, 2), 10 * MINUTE);
}

TEST(a_snapshot_from_the_future_is_not_considered)
{
	const struct syncup_fs fs[] = {
		{ "a", true, NOON + 1 },
		{ "b", true, NOON - 1 * MINUTE },
	};
	const struct syncup_fs with_new[] = { { "a", true, NOON + 1 },
					      { "c", false, 0 } };

	CHECK_INT(when(fs, 2), 9 * MINUTE);
	CHECK_INT(when(with_new, 2), 0);
}

TEST(if_all_are_from_the_future_there_is_no_rhythm_to_follow)
{
	const struct syncup_fs fs[] = { { "p/a", true, NOON + 90 },
					{ "p/b", true, NOON + 7 } };
	cleanup(err_clear) struct err e = ERR_INIT;
	int64_t t = -1;

	CHECK_INT(syncup_when(fs, 2, NOON, 600, &t, &e), -1);
	CHECK_INT(e.kind, ERR_INVALID);
	CHECK(strstr(err_msg(&e), "p/a by 90 seconds"));
	CHECK_INT(t, -1);
}

TEST(dates_at_the_end_of_time_do_not_overflow)
{
	const struct syncup_fs fs[] = { { "a", true, INT64_MAX } };
	struct err e = ERR_INIT;
	int64_t t = -1;

	CHECK_INT(syncup_when(fs, 1, INT64_MAX, 600, &t, &e), 0);
	CHECK(t == INT64_MAX);
}

TEST(who_is_unchanged_is_as_new_as_the_newest)
{
	struct syncup_fs fs[] = {
		{ "idle", true, NOON - 86400 },   { "a", true, NOON - 5 * MINUTE },
		{ "b", true, NOON - 8 * MINUTE }, { "new", false, 0 },
		{ "future", true, NOON + 1 },
	};

	syncup_level(fs, 5, NOON);
	for (size_t i = 0; i < 3; i++)
		CHECK_INT(fs[i].latest_s, NOON - 5 * MINUTE);
	CHECK(!fs[3].has_snapshot);
	CHECK_INT(fs[4].latest_s, NOON + 1);
	CHECK_INT(when(fs, 5), 5 * MINUTE);
	syncup_level(NULL, 0, NOON);
}

TEST_MAIN()
