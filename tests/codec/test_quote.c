#include "codec/quote.h"
#include "tap.h"

static void check(const char *text, const char *want)
{
	cleanup(str_freep) char *got = quote_str(text);

	CHECK_STR(got, want);
}

TEST(text_is_shown_as_it_is)
{
	check("", "\"\"");
	check("24x1", "\"24x1\"");
	check("a \"b\" \\d 'c'", "\"a \"b\" \\d 'c'\"");
	check("b\xc3\xa4r", "\"b\xc3\xa4r\"");
}

TEST(what_would_disturb_a_terminal_is_shown_by_its_number)
{
	check("a\tb\nc", "\"a\\x09\x62\\x0a\x63\"");
	check("\x1b[31m\x7f", "\"\\x1b[31m\\x7f\"");
	check("\xc2\x9b", "\"\\xc2\\x9b\"");
	check("\xc2\xa0", "\"\xc2\xa0\"");
	check("\xff\xc3", "\"\\xff\\xc3\"");
}

TEST(a_long_text_is_cut)
{
	char text[QUOTE_MAX + 2], want[QUOTE_MAX + 6];

	memset(text, 'x', sizeof(text));
	text[QUOTE_MAX] = '\0';
	snprintf(want, sizeof(want), "\"%s\"", text);
	check(text, want);
	text[QUOTE_MAX] = 'x';
	text[QUOTE_MAX + 1] = '\0';
	snprintf(want, sizeof(want), "\"%.*s...\"", QUOTE_MAX, text);
	check(text, want);
}

TEST(only_the_view_is_quoted)
{
	cleanup(str_freep) char *got = quote((struct view){ "abc\xc3\xa4", 4 });

	CHECK_STR(got, "\"abc\\xc3\"");
}

TEST_MAIN()
