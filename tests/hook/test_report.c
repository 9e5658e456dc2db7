#include "hook/hook.h"
#include "tap.h"

#define STEP(e, s, ms, w, ...)                                                   \
	{                                                                        \
		.edge = e, .status = s, .start = { 1000, 999600000 },            \
		.end = { (ms) < 0 ? 0 : 1000 + ((ms)*1000 + 999600) / 1000000,   \
			 (ms) < 0 ? 0 : ((ms)*1000 + 999600) % 1000000 * 1000 }, \
		.what = w, __VA_ARGS__                                           \
	}

static void check_text(struct hook_step *v, size_t n, const char *want)
{
	cleanup(buf_free) struct buf out = { 0 };
	const struct hook_report r = { .v = v, .n = n };

	buf_printf(&out, "> ");
	hook_report_text(&out, &r);
	CHECK_STR(buf_str(&out) + 2, want);
}

TEST(a_report_is_a_table_with_a_line_each_step)
{
	static char cmd[] = "command /x.sh", snap[] = "snapshot",
		    pg[] = "postgres-checkpoint";
	static char why[] = "exited with status 3: one\ntwo\nthree";
	struct hook_step v[] = {
		STEP(HOOK_PRE, HOOK_OK, 1250, cmd, .error = NULL),
		STEP(HOOK_PRE, HOOK_ERR, 7, pg, .error = why),
		STEP(HOOK_SNAPSHOT, HOOK_EXEC, -1, snap, .error = NULL),
		STEP(HOOK_POST, HOOK_SKIPPED_PRE, -1, pg, .error = NULL),
		STEP(HOOK_POST, HOOK_PENDING, -1, cmd, .error = NULL),
	};

	check_text(
		v, ARRAY_LEN(v),
		"1  Ok                  1.25s  before: command /x.sh\n"
		"2  Err                   7ms  before: postgres-checkpoint: exited with "
		"status 3: one\n"
		"                              two\n"
		"                              three\n"
		"3  Exec                  ...  snapshot\n"
		"4  SkippedDueToPreErr    ...  after: postgres-checkpoint\n"
		"5  Pending               ...  after: command /x.sh\n");
}

TEST(columns_are_as_wide_as_what_is_in_them)
{
	static char snap[] = "snapshot", cmd[] = "command c";
	struct hook_step v[11] = { 0 };

	check_text(
		&(struct hook_step)STEP(HOOK_SNAPSHOT, HOOK_OK, 0, snap, .error = NULL),
		1, "1  Ok  0s  snapshot\n");
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		v[i] = (struct hook_step)STEP(HOOK_PRE, HOOK_SKIPPED_FATAL, -1, cmd,
					      .error = NULL);
	check_text(v + 1, 10,
		   " 1  SkippedDueToFatalErr  ...  before: command c\n"
		   " 2  SkippedDueToFatalErr  ...  before: command c\n"
		   " 3  SkippedDueToFatalErr  ...  before: command c\n"
		   " 4  SkippedDueToFatalErr  ...  before: command c\n"
		   " 5  SkippedDueToFatalErr  ...  before: command c\n"
		   " 6  SkippedDueToFatalErr  ...  before: command c\n"
		   " 7  SkippedDueToFatalErr  ...  before: command c\n"
		   " 8  SkippedDueToFatalErr  ...  before: command c\n"
		   " 9  SkippedDueToFatalErr  ...  before: command c\n"
		   "10  SkippedDueToFatalErr  ...  before: command c\n");
}

TEST(run_times_are_rounded_to_milliseconds)
{
	static char snap[] = "snapshot";
	struct hook_step s = { .edge = HOOK_SNAPSHOT,
			       .status = HOOK_OK,
			       .what = snap,
			       .start = { 5, 0 },
			       .end = { 5, 1499999 } };

	check_text(&s, 1, "1  Ok  1ms  snapshot\n");
	s.end.tv_nsec = 1500000;
	check_text(&s, 1, "1  Ok  2ms  snapshot\n");
}

TEST(statuses_have_the_names_of_zrepl_0_7)
{
	CHECK_STR(hook_status_name(HOOK_PENDING), "Pending");
	CHECK_STR(hook_status_name(HOOK_EXEC), "Exec");
	CHECK_STR(hook_status_name(HOOK_OK), "Ok");
	CHECK_STR(hook_status_name(HOOK_ERR), "Err");
	CHECK_STR(hook_status_name(HOOK_SKIPPED_FATAL), "SkippedDueToFatalErr");
	CHECK_STR(hook_status_name(HOOK_SKIPPED_PRE), "SkippedDueToPreErr");
}

TEST(an_empty_report_is_no_text)
{
	check_text(NULL, 0, "");
}

TEST_MAIN()
