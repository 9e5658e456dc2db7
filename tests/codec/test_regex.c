#include "base/buf.h"
#include "base/thread.h"
#include "codec/regex.h"
#include "tap.h"

static void check_match(const char *pattern, const char *text, int want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(regex_freep) struct regex *r = regex_new(pattern, &e);

	if (!CHECK(r) || !CHECK_INT(regex_matches(r, text, &e), want))
		printf("# /%s/ on '%s': %s\n", pattern, text, err_msg(&e));
}

struct match {
	const char *pattern, *text;
	int want;
};

static void check_matches(const struct match *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_match(m[i].pattern, m[i].text, m[i].want);
}

static void check_refused(const char *pattern, size_t offset)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(regex_freep) struct regex *r = regex_new(pattern, &e);
	cleanup(buf_free) struct buf want = { 0 };

	buf_printf(&want, "regular expression: at offset %zu: ", offset);
	CHECK_INT(e.kind, ERR_INVALID);
	if (!CHECK(!r) || !CHECK(strncmp(err_msg(&e), want.p, want.len) == 0))
		printf("# /%s/ want offset %zu: %s\n", pattern, offset, err_msg(&e));
}

TEST(a_match_may_be_anywhere)
{
	static const struct match cases[] = {
		{ "", "", 1 },
		{ "", "a", 1 },
		{ "b", "abc", 1 },
		{ "^b", "abc", 0 },
		{ "^zrepl_.*", "zrepl_20200601_000000_000", 1 },
		{ "^zrepl_.*", "a_zrepl_2020", 0 },
		{ "a|b|", "c", 1 },
		{ "^(daily|hourly)_", "hourly_1", 1 },
		{ "^(daily|hourly)_", "weekly_1", 0 },
		{ "^[0-9]{4}-[0-9]{2}$", "2020-06", 1 },
		{ "^[0-9]{4}-[0-9]{2}$", "2020-061", 0 },
		{ "(?P<year>\\d+)_(?<month>\\d+)", "2020_06", 1 },
	};

	check_matches(cases, ARRAY_LEN(cases));
}

TEST(the_dollar_is_the_end_of_the_text_and_not_a_newline_before_it)
{
	static const struct match cases[] = {
		{ "a$", "a", 1 },         { "a$", "a\n", 0 },
		{ "a\\z", "a", 1 },       { "a\\z", "a\n", 0 },
		{ "(?m)a$", "a\nb", 1 },  { "(?m)a$", "a\n", 1 },
		{ "a$", "a\nb", 0 },      { "(?m)^b", "a\nb", 1 },
		{ "(?m)^$", "a\n", 1 },   { "^b", "a\nb", 0 },
		{ "(?m:^b)", "a\nb", 1 }, { "(?m)\\Ab", "a\nb", 0 },
		{ "a.b", "a\nb", 0 },     { "(?s)a.b", "a\nb", 1 },
		{ "a.b", "a\rb", 1 },     { "(?s-s)a.b", "a\nb", 0 },
	};

	check_matches(cases, ARRAY_LEN(cases));
}

TEST(flags_hold_until_their_group_ends)
{
	static const struct match cases[] = {
		{ "(?i)abc", "ABC", 1 },       { "abc", "ABC", 0 },
		{ "((?i)a)b", "Ab", 1 },       { "((?i)a)b", "AB", 0 },
		{ "(?i:a)b", "Ab", 1 },        { "(?i:a)b", "AB", 0 },
		{ "(?i)a(?-i)b", "Ab", 1 },    { "(?i)a(?-i)b", "AB", 0 },
		{ "^(?:a(?i)b|c)$", "C", 1 },  { "(?i)[a-c]", "B", 1 },
		{ "(?i)[[:upper:]]", "a", 1 }, { "(?U)^a+?$", "aa", 1 },
		{ "(?i-sm)A", "a", 1 },        { "(?)a", "a", 1 },
		{ "(?:a)+", "aaa", 1 },        { "(?imsU)A.B", "a\nb", 1 },
	};

	check_matches(cases, ARRAY_LEN(cases));
}

TEST(classes_are_those_of_re2)
{
	static const struct match cases[] = {
		{ "^\\d+$", "0123456789", 1 },
		{ "\\D", "0123456789", 0 },
		{ "^\\w+$", "azAZ09_", 1 },
		{ "\\w", "-.: ", 0 },
		{ "^\\W$", "-", 1 },
		{ "^\\s+$", "\t\n\f\r ", 1 },
		{ "\\s", "\v", 0 },
		{ "\\S", "\v", 1 },
		{ "[\\s]", "\v", 0 },
		{ "[\\S]", "\v", 1 },
		{ "[^\\S]", "\v", 0 },
		{ "[[:space:]]", "\v", 1 },
		{ "\\v", "\v", 1 },
		{ "\\v", "\n", 0 },
		{ "[\\v]", "\n", 0 },
		{ "^[\\w-]+$", "a-b", 1 },
		{ "^[\\d-z]+$", "0-z", 1 },
		{ "^[\\d-z]+$", "a", 0 },
		{ "^[]a]+$", "]a", 1 },
		{ "^[^]a]$", "b", 1 },
		{ "[^]a]", "]", 0 },
		{ "^[a-]+$", "a-", 1 },
		{ "^[-a]+$", "a-", 1 },
		{ "^[+--]+$", "+,-", 1 },
		{ "^[a-c-e]+$", "b-e", 1 },
		{ "[a-c-e]", "d", 0 },
		{ "[[:digit:]]", "5", 1 },
		{ "[[:^digit:]]", "5", 0 },
		{ "^[[:alpha:]_]+$", "a_Z", 1 },
		{ "[[:word:]]", "_", 1 },
		{ "^[[.a]+$", "[.a", 1 },
		{ "^[[:]+$", "[:", 1 },
		{ "[\\x41-\\x43]", "B", 1 },
		{ "[^a]", "\n", 1 },
		{ "^[a^]+$", "a^", 1 },
		{ "^[#&&[]$", "&", 1 },
		{ "\\pL", "a", 1 },
		{ "\\p{Lu}", "a", 0 },
		{ "\\p{Lu}", "A", 1 },
		{ "\\p{^Lu}", "a", 1 },
		{ "\\P{^Lu}", "A", 1 },
		{ "\\PN", "1", 0 },
		{ "^[\\pN_]+$", "1_", 1 },
		{ "\\p{Greek}", "a", 0 },
		{ "\\P{L}*\\P{N}", "::", 1 },
	};

	check_matches(cases, ARRAY_LEN(cases));
}

TEST(escapes_and_quotes_are_literal)
{
	static const struct match cases[] = {
		{ "^\\.\\*\\_\\-$", ".*_-", 1 },
		{ "a\\.b", "axb", 0 },
		{ "\\x41", "A", 1 },
		{ "\\x{41}", "A", 1 },
		{ "\\x412", "A2", 1 },
		{ "^\\t\\n\\f\\r\\a$", "\t\n\f\r\a", 1 },
		{ "^\\Qa.b*\\E+$", "a.b**", 1 },
		{ "\\Qa.b", "axb", 0 },
		{ "\\Qa\\\\E", "a\\", 1 },
		{ "^\\Q$^\\E$", "$^", 1 },
		{ "a{", "a{", 1 },
		{ "a{,2}", "a{,2}", 1 },
		{ "^a{,2}$", "aa", 0 },
		{ "a{1", "a{1", 1 },
		{ "a{01}", "a{01}", 1 },
		{ "a{x}", "a{x}", 1 },
		{ "a{}", "a{}", 1 },
		{ "]}", "]}", 1 },
		{ "a#b c", "a#b c", 1 },
		{ "\xc3\xa4", "\xc3\xa4", 1 },
		{ "^[\xc3\xa4]$", "\xc3\xa4", 1 },
		{ "^.$", "\xc3\xa4", 1 },
		{ "\\ a", " a", 1 },
		{ "~@%&=!<>,;:'\"`/", "~@%&=!<>,;:'\"`/", 1 },
	};

	check_matches(cases, ARRAY_LEN(cases));
}

TEST(word_boundaries_are_ascii)
{
	static const struct match cases[] = {
		{ "\\bab\\b", "x ab.", 1 },
		{ "\\bab\\b", "x_ab.", 0 },
		{ "\\Bb", "ab", 1 },
		{ "\\bb",
		  "\xc3\xa4"
		  "b",
		  1 },
	};

	check_matches(cases, ARRAY_LEN(cases));
}

TEST(repetitions_count)
{
	static const struct match cases[] = {
		{ "^a{2}$", "aa", 1 },      { "^a{2}$", "aaa", 0 },
		{ "^a{2,}$", "aaaa", 1 },   { "^a{2,3}$", "aaaa", 0 },
		{ "^a{0}$", "", 1 },        { "^a??b$", "ab", 1 },
		{ "^a*?$", "aaa", 1 },      { "^a+?$", "", 0 },
		{ "^a{1,2}?$", "aa", 1 },   { "^*a", "ba", 1 },
		{ "^(a|b*)*$", "abba", 1 }, { "^(|a)+$", "aaa", 1 },
		{ "\\b+a", "a", 1 },        { "^(?:)*$", "", 1 },
		{ "^a{1000}$", "a", 0 },    { "^()?$", "", 1 },
	};

	check_matches(cases, ARRAY_LEN(cases));
}

TEST(what_only_other_engines_know_is_refused)
{
	static const struct {
		const char *pattern;
		size_t offset;
	} cases[] = {
		{ "(a)\\1", 4 },  { "\\8", 1 },       { "\\1a", 1 },
		{ "a(?=b)", 1 },  { "(?!a)", 0 },     { "(?<=a)b", 0 },
		{ "(?<!a)b", 0 }, { "(?>a)", 0 },     { "(?|a)", 0 },
		{ "(?#a)", 0 },   { "(?R)", 0 },      { "(?1)", 0 },
		{ "(?&n)", 0 },   { "(?P>n)", 0 },    { "(?P=n)", 0 },
		{ "(?C)", 0 },    { "(?(1)a)", 0 },   { "(?'n'a)", 0 },
		{ "(?x)a b", 0 }, { "(?^i)a", 0 },    { "(?J)a", 0 },
		{ "(*UTF)a", 1 }, { "(*ACCEPT)", 1 }, { "a++", 2 },
		{ "a*+", 2 },     { "a?+", 2 },       { "a{2}+", 4 },
		{ "a**", 2 },     { "a{2}{3}", 4 },   { "a???", 3 },
		{ "\\C", 1 },     { "\\R", 1 },       { "\\X", 1 },
		{ "\\K", 1 },     { "\\G", 1 },       { "a\\Z", 2 },
		{ "\\h", 1 },     { "\\H", 1 },       { "\\V", 1 },
		{ "\\N", 1 },     { "\\k<n>", 1 },    { "\\g1", 1 },
		{ "\\o{12}", 1 }, { "\\cA", 1 },      { "\\e", 1 },
		{ "\\u0041", 1 }, { "\\E", 1 },       { "\\\xc3\xa4", 1 },
		{ "[\\b]", 2 },   { "[[:<:]]", 1 },   { "[[:foo:]]", 1 },
		{ "[a-\\d]", 4 }, { "[\\Qa\\E]", 2 }, { "[\\18]", 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_refused(cases[i].pattern, cases[i].offset);
}

TEST(malformed_patterns_are_refused_with_their_offset)
{
	static const struct {
		const char *pattern;
		size_t offset;
	} cases[] = {
		{ "*a", 0 },          { "a|*", 2 },
		{ "(*a)", 1 },        { "a(", 2 },
		{ "a)", 1 },          { "(a))", 3 },
		{ "[a", 0 },          { "[]", 0 },
		{ "[^]", 0 },         { "x[z-a]", 1 },
		{ "a\\", 2 },         { "\\x", 1 },
		{ "\\x4", 1 },        { "\\x{", 1 },
		{ "\\x{}", 1 },       { "\\x{41", 1 },
		{ "\\x{110000}", 1 }, { "\\x{ffffffffff}", 1 },
		{ "a{1001}", 1 },     { "a{2,1}", 1 },
		{ "a{2000,}", 1 },    { "a{99999999999999999999}", 1 },
		{ "(?i-)a", 0 },      { "(?i", 0 },
		{ "(?P<>a)", 0 },     { "(?P<n", 0 },
		{ "(?P<a-b>c)", 0 },  { "\\p", 1 },
		{ "\\p{", 1 },        { "\\p{}", 1 },
		{ "\\p{Lu", 1 },      { "\\pl", 1 },
		{ "a\\p{Foo}", 1 },   { "a\xff", 1 },
		{ "(?", 0 },          { "\\Q\\E*", 4 },
		{ "\\x{d800}", 0 },   { "[a", 0 },
		{ "[\\", 2 },         { "[a-", 0 },
		{ "[[:alpha:]", 0 },  { "[a-\\", 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_refused(cases[i].pattern, cases[i].offset);
}

TEST(groups_nest_two_hundred_deep_and_no_deeper)
{
	cleanup(buf_free) struct buf b = { 0 };

	for (int i = 0; i < 200; i++)
		buf_put(&b, "(", 1);
	buf_put(&b, "a", 1);
	for (int i = 0; i < 200; i++)
		buf_put(&b, ")", 1);
	check_match(b.p, "a", 1);
	buf_free(&b);
	for (int i = 0; i < 201; i++)
		buf_put(&b, "(", 1);
	check_refused(b.p, 201);
}

TEST(patterns_are_at_most_4_kib)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char *text = xcalloc(4098, 1);

	memset(text, 'a', 4096);
	check_match(text, "a", 0);
	text[4096] = 'a';
	CHECK(!regex_new(text, &e));
	CHECK_STR(err_msg(&e), "regular expression: longer than 4096 bytes");
	free(text);
}

TEST(a_match_that_takes_too_long_is_an_error_and_not_a_no)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(regex_freep) struct regex *r = regex_new("^(a+)+$", &e);

	REQUIRE(CHECK(r));
	CHECK_INT(regex_matches(r, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", &e),
		  -1);
	CHECK_INT(e.kind, ERR_INTERNAL);
	CHECK_STR(err_msg(&e), "regular expression \"^(a+)+$\" on "
			       "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\": match "
			       "limit exceeded");
}

TEST(a_text_that_is_not_utf8_is_an_error)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(regex_freep) struct regex *r = regex_new("a", &e);

	REQUIRE(CHECK(r));
	CHECK_INT(regex_matches(r, "a\xff", &e), -1);
	CHECK_INT(e.kind, ERR_INTERNAL);
	CHECK_STR(regex_pattern(r), "a");
}

static void match_many(void *arg)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	for (int i = 0; i < 2000; i++)
		CHECK_INT(regex_matches(arg, i % 2 ? "zrepl_1" : "other", &e), i % 2);
}

TEST(threads_share_a_regex)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(regex_freep) struct regex *r = regex_new("^zrepl_(\\d+)$", &e);
	struct thread t[2] = { 0 };

	REQUIRE(CHECK(r));
	thread_start(&t[0], "one", match_many, r);
	thread_start(&t[1], "two", match_many, r);
	thread_join(&t[0]);
	thread_join(&t[1]);
}

TEST_MAIN()
