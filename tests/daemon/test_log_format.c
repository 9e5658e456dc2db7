#include "daemon/log_format.h"
#include "tap.h"

static const struct log_field fields[] = { { "fs", "tank/a b" },
					   { "err", "line 1\n\"2\"" } };

static struct log_entry entry(void)
{
	return (struct log_entry){
		.level = LOG_WARN,
		.time = { .tv_sec = 1715721383, .tv_nsec = 5000000 },
		.job = "push",
		.subsystem = "repl",
		.msg = "step failed",
		.fields = fields,
		.n_fields = ARRAY_LEN(fields),
	};
}

static const char *format(struct buf *b, struct log_style style,
			  const struct log_entry *e)
{
	setenv("TZ", "UTC", 1);
	log_format(b, &style, e);
	return b->p;
}

TEST(human_lines_have_context_in_brackets_and_quoted_fields)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct log_entry e = entry();

	CHECK_STR(
		format(&b, (struct log_style){ LOG_FORMAT_HUMAN, true, true, false }, &e),
		"2024-05-14T21:16:23Z [WARN][push][repl]: step failed fs=\"tank/a b\" "
		"err=\"line 1\\n\\\"2\\\"\"");
}

TEST(human_lines_without_time_level_and_job_are_the_message)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct log_entry e = { .level = LOG_ERROR, .msg = "hello" };

	CHECK_STR(format(&b, (struct log_style){ LOG_FORMAT_HUMAN, false, false, false },
			 &e),
		  "hello");
}

TEST(human_lines_can_be_colored)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct log_entry e = { .level = LOG_ERROR, .msg = "hello" };

	CHECK_STR(
		format(&b, (struct log_style){ LOG_FORMAT_HUMAN, false, true, true }, &e),
		"[\033[31mERRO\033[0m]: hello");
}

TEST(a_message_cannot_forge_a_second_line_nor_reach_the_terminal)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct log_entry e = { .level = LOG_INFO, .msg = "a\nb\033[2J" };

	CHECK_STR(format(&b, (struct log_style){ LOG_FORMAT_HUMAN, false, false, false },
			 &e),
		  "a\\nb\\x1b[2J");
}

TEST(logfmt_lines_have_time_level_context_message_and_fields_in_this_order)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct log_entry e = entry();

	CHECK_STR(
		format(&b, (struct log_style){ LOG_FORMAT_LOGFMT, true, true, false },
		       &e),
		"time=2024-05-14T21:16:23.005000000Z level=warn job=push subsystem=repl "
		"msg=\"step failed\" fs=\"tank/a b\" err=\"line 1\\n\\\"2\\\"\"");
}

TEST(human_lines_show_the_subsystem_where_there_is_no_job)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct log_entry e = { .level = LOG_INFO, .subsystem = "zfs.cmd", .msg = "m" };

	CHECK_STR(format(&b, (struct log_style){ .level = true }, &e),
		  "[INFO][zfs.cmd]: m");
	b.len = 0;
	CHECK_STR(format(&b, (struct log_style){ 0 }, &e), "[zfs.cmd]: m");
}

TEST(logfmt_has_the_subsystem_behind_the_message_where_there_is_no_job)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct log_entry e = { .level = LOG_DEBUG, .subsystem = "meta", .msg = "" };

	CHECK_STR(format(&b, (struct log_style){ LOG_FORMAT_LOGFMT, true, true, false },
			 &e),
		  "time=1970-01-01T00:00:00.000000000Z level=debug msg=\"\" "
		  "subsystem=meta");
}

TEST(logfmt_leaves_out_time_and_level_where_the_outlet_has_its_own)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct log_entry e = { .level = LOG_DEBUG, .job = "push", .msg = "m" };

	CHECK_STR(format(&b, (struct log_style){ .format = LOG_FORMAT_LOGFMT }, &e),
		  "job=push msg=m");
}

TEST(json_lines_are_one_object_with_sorted_keys)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct log_entry e = entry();

	CHECK_STR(format(&b, (struct log_style){ .format = LOG_FORMAT_JSON }, &e),
		  "{\"err\":\"line 1\\n\\\"2\\\"\",\"fs\":\"tank/a b\",\"job\":\"push\","
		  "\"level\":\"warn\",\"msg\":\"step failed\",\"subsystem\":\"repl\","
		  "\"time\":\"2024-05-14T21:16:23.005000000Z\"}");
}

TEST_MAIN()
