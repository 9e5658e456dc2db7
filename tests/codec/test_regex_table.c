/*
 * Patterns and what Go's regexp makes of them: what a configuration may say, one row
 * each.
 */
#include "codec/regex.h"
#include "tap.h"

#define YES    NULL, 1
#define NO     NULL, 0
#define HAS_NO "which Go's syntax does not have", 0

static const struct row {
	const char *pattern, *text;
	const char *refusal; /* NULL: accepted */
	int matches;
} rows[] = {
	/* what configurations have */
	{ "^zrepl_", "zrepl_20240514_211623_000", YES },
	{ "^zrepl_", "manual_zrepl_", NO },
	{ "^zrepl_.*_000$", "zrepl_20240514_211623_000", YES },
	{ "^(zrepl|zfs-auto-snap)_", "zfs-auto-snap_hourly", YES },
	{ "^((?:daily|weekly)-)?\\d{4}-\\d{2}-\\d{2}$", "weekly-2024-05-14", YES },
	{ "^autosnap_.*_(hourly|frequently)$", "autosnap_2024_daily", NO },
	{ ".*", "", YES },
	{ "", "anything", YES },
	{ "_(?i)keep$", "x_KEEP", YES },

	/* single characters */
	{ ".", "\n", NO },
	{ "(?s).", "\n", YES },
	{ "^.$", "\xe2\x82\xac", YES },
	{ "[xyz]", "y", YES },
	{ "[^xyz]", "y", NO },
	{ "[^x]", "\n", YES },
	{ "\\d", "7", YES },
	{ "\\d", "\xd9\xa3", NO }, /* an Arabic digit */
	{ "\\D", "7", NO },
	{ "\\D", "\xd9\xa3", YES },
	{ "\\s", "\v", NO },
	{ "\\s", "\xc2\xa0", NO },
	{ "\\S", "\v", YES },
	{ "\\w", "\xc3\xa4", NO },
	{ "\\W", "\xc3\xa4", YES },
	{ "^[\\d\\s]+$", "1 2", YES },
	{ "[^\\d\\s]", "1 2", NO },
	{ "[\\D]", "7", NO },
	{ "[^\\D]", "7", YES },
	{ "[\\W_]", "a", NO },

	/* brackets */
	{ "^[]-]+$", "]-", YES },
	{ "^[^]]$", "]", NO },
	{ "^[a\\]b]+$", "a]b", YES },
	{ "^[\\-\\^\\\\]+$", "-^\\", YES },
	{ "[a-c]", "b", YES },
	{ "^[--/]$", ".", YES },
	{ "[c-a]", "", "range out of order", 0 },
	{ "[a-\\w]", "", HAS_NO },
	{ "[a", "", "']' is missing", 0 },
	{ "[]", "", "']' is missing", 0 },
	{ "[[:alpha:]]", "x", YES },
	{ "[[:^alpha:]]", "x", NO },
	{ "[^[:alpha:]]", "x", NO },
	{ "^[[:digit:][:punct:]]+$", "1-2_3", YES },
	{ "^[[:xdigit:]]+$", "09afAF", YES },
	{ "[[:blank:]]", "\n", NO },
	{ "[[:space:]]", "\v", YES },
	{ "[[:ascii:]]", "\xc3\xa4", NO },
	{ "[[:alpha:]]", "\xc3\xa4", NO },
	{ "[[:nope:]]", "", "unknown character class; write e.g. [[:alpha:]]", 0 },
	{ "[[=a=]]", "a]", YES }, /* two ordinary things */
	{ "[:alpha:]", "p", YES },
	{ "[:alpha:]", "z", NO },

	/* Unicode */
	{ "\\pL", "\xc3\xa4", YES },
	{ "\\PL", "\xc3\xa4", NO },
	{ "\\p{Lu}", "\xc3\x84", YES },
	{ "\\p{^Lu}", "\xc3\x84", NO },
	{ "\\P{^Lu}", "\xc3\x84", YES },
	{ "\\p{Greek}", "\xce\xb1", YES },
	{ "\\P{Greek}", "\xce\xb1", NO },
	{ "\\p{Old_Italic}", "\xf0\x90\x8c\x80", YES },
	{ "\\p{Any}", "\n", YES },
	{ "\\p{Han}", "\xe3\x80\x81", NO }, /* of several scripts, so of Common */
	{ "\\pC", "\x01", YES },
	{ "\\pC", "\xcd\xb8", NO }, /* not assigned */
	{ "\\PC", "\xcd\xb8", YES },
	{ "[\\pC]", "\xcd\xb8", NO },
	{ "[\\PC]", "\xcd\xb8", YES },
	{ "[\\PC]", "\x01", NO },
	{ "^[\\p{Lu}\\p{Nd}]+$", "A1", YES },
	{ "[^\\pL]", "a", NO },
	{ "(?i)\\p{Lu}", "a", YES },
	{ "(?i)\\p{Ll}", "A", YES },
	{ "(?i)\\P{Lu}", "a", NO },
	{ "(?i)[\\p{Lu}]", "a", YES },
	{ "(?i)[^\\p{Lu}]", "a", NO },
	{ "(?i)\\pN", "1", YES },
	{ "(?i)\\p{Lt}", "\xc7\x84", YES }, /* the capital of a titlecase letter */
	{ "(?i)\\p{Lt}", "A", NO },
	{ "((?i)a)\\p{Lu}", "Ab", NO },
	{ "\\p{Lx}", "", "\\p wants a class or a script of Unicode", 0 },
	{ "\\pX", "", "\\p wants a class or a script of Unicode", 0 },
	{ "\\p{greek}", "", "\\p wants a class or a script of Unicode", 0 },
	{ "\\p{L&}", "", "\\p{ wants a name and a '}'", 0 },
	{ "\\p{Klingon}", "", "unknown property", 0 },
	{ "\\p{Alphabetic}", "", "unknown property", 0 },
	{ "\\p{Xan}", "", "unknown property", 0 },

	/* repetitions */
	{ "^a*$", "", YES },
	{ "^a+$", "", NO },
	{ "^a?$", "aa", NO },
	{ "^a{2,3}$", "aaaa", NO },
	{ "^a{2,}?$", "aaaa", YES },
	{ "^a{2}?$", "aaa", NO },
	{ "^a*?$", "aaa", YES },
	{ "^(?U)a+$", "aaa", YES },
	{ "^a{0}b$", "b", YES },
	{ "a{,3}", "aaa", NO },
	{ "a{,3}", "a{,3}", YES },
	{ "a{1,2", "a{1,2", YES },
	{ "a{1000}", "", NO },
	{ "a{1001}", "", "repetition counts are at most 1000, and in order", 0 },
	{ "a{5,2}", "", "repetition counts are at most 1000, and in order", 0 },
	{ "*", "", "there is nothing to repeat", 0 },
	{ "a|+", "", "there is nothing to repeat", 0 },
	{ "(?:?)", "", "there is nothing to repeat", 0 },
	{ "(?i)*", "", "there is nothing to repeat", 0 },
	{ "a**", "", "a repetition cannot be repeated; write (?:...) around it", 0 },
	{ "a+*", "", "a repetition cannot be repeated", 0 },
	{ "a++", "", "\"++\" is a possessive repetition, " HAS_NO },
	{ "a*+", "", "\"*+\" is a possessive repetition, " HAS_NO },
	{ "a{2}+", "", "\"}+\" is a possessive repetition, " HAS_NO },
	{ "^a(?i)*b$", "aaB", YES },
	{ "^a(?i)*b$", "aAb", NO },
	{ "^a(?i)(?s){2}.$", "aa\n", YES },
	{ "^(ab)(?i){2}C$", "ababc", YES },
	{ "^a{2}(?i){3}b$", "aaaaaaB", YES },
	{ "^a{2}(?i){3}b$", "aaaaab", NO },
	{ "^[ab]+(?i)?(?-i)?c$", "c", YES },
	{ "^(a(?i))*B$", "aab", NO },
	{ "^a\\Q\\E*b$", "aab", YES },
	{ "\\Q\\E*", "", "there is nothing to repeat", 0 },

	/* groups */
	{ "^(a|b)+$", "abba", YES },
	{ "^(?P<n>a)(?P<m>b)$", "ab", YES },
	{ "^(?<n_1>a)$", "a", YES },
	{ "(?P<n>a)(?P<n>b)", "", "another group has that name already", 0 },
	{ "(?P<n>a)(?<n>b)", "", "another group has that name already", 0 },
	{ "(?P<n-m>a)", "", "malformed group; write (?:...), (?P<name>...)", 0 },
	{ "(?P<>a)", "", "malformed group", 0 },
	{ "(?P<n", "", "malformed group", 0 },
	{ "(?:a", "", "')' is missing", 0 },
	{ "a)", "", "')' without '('", 0 },
	{ "^(|a)b$", "b", YES },
	{ "^(a|)b$", "b", YES },
	{ "^(a||b)$", "", YES },
	{ "^()$", "", YES },
	{ "^(?:)+$", "", YES },

	/* flags */
	{ "(?i)HOURLY", "hourly", YES },
	{ "HOURLY", "hourly", NO },
	{ "(?i:H)OURLY", "hOURLY", YES },
	{ "(?i:H)OURLY", "hourly", NO },
	{ "(?i)a(?-i)B", "Ab", NO },
	{ "(?i)[a-c]", "C", YES },
	{ "(?i)[^a-c]", "C", NO },
	{ "(?i)\xc3\xa4", "\xc3\x84", YES },
	{ "(?i)k", "\xe2\x84\xaa", YES }, /* the sign of Kelvin */
	{ "(?is)A.B", "a\nb", YES },
	{ "(?i-s:A.)b", "a\nb", NO },
	{ "a(?i)|b", "B", YES },
	{ "(?)a", "a", YES },
	{ "(?z)a", "", "malformed group; write (?:...), (?P<name>...), or (?i)", 0 },
	{ "(?-)a", "", "malformed group", 0 },
	{ "(?i-)a", "", "malformed group", 0 },
	{ "(?i--s)a", "", "malformed group", 0 },
	{ "(?i", "", "malformed group", 0 },

	/* where */
	{ "a$", "a\n", NO },
	{ "(?m)a$", "a\n", YES },
	{ "^b", "a\nb", NO },
	{ "(?m)^b", "a\nb", YES },
	{ "(?m)^$", "a\n", YES },
	{ "(?m)\\Ab", "a\nb", NO },
	{ "(?m)a\\z", "a\nb", NO },
	{ "\\Aa\\z", "a", YES },
	{ "\\bsnap\\b", "my-snap-1", YES },
	{ "\\bsnap\\b", "my_snap_1", NO },
	{ "\\Bnap", "snap", YES },
	{ "$^", "", YES },
	{ "^*a", "ba", YES },
	{ "a^b", "ab", NO },

	/* escapes */
	{ "^\\.\\+\\*\\?\\(\\)\\|\\[\\]\\{\\}\\^\\$\\\\$", ".+*?()|[]{}^$\\", YES },
	{ "\\_\\-\\:\\ ", "_-: ", YES },
	{ "^\\a\\f\\t\\n\\r\\v$", "\a\f\t\n\r\v", YES },
	{ "\\x41\\x{42}\\x{000043}", "ABC", YES },
	{ "\\x{20ac}", "\xe2\x82\xac", YES },
	{ "[\\x30-\\x{39}]", "5", YES },
	{ "\\101\\07\\0", "A\a", NO },
	{ "^\\101\\60x$", "A0x", YES },
	{ "^\\0601$", "01", YES },
	{ "^\\1010$", "A0", YES },
	{ "^[\\060-\\071]+$", "0189", YES },
	{ "\\777", "\xc7\xbf", YES },
	{ "^\\Qa.b*\\E$", "a.b*", YES },
	{ "\\Qa.b", "aXb", NO },
	{ "^\\Qab\\E+$", "abb", YES },
	{ "\\x4", "", "\\x wants two digits, or digits in braces", 0 },
	{ "\\x{110000}", "", "\\x is beyond Unicode", 0 },
	{ "a\\", "", "backslash at the end", 0 },
	{ "a\xff", "", "UTF-8 error", 0 },

	/* of other engines */
	{ "(a)\\1", "", "\"\\1\" is a back reference, " HAS_NO },
	{ "\\18", "", "\"\\1\" is a back reference, " HAS_NO },
	{ "\\9", "", "\"\\9\" is a back reference, " HAS_NO },
	{ "\\k<n>", "", "\"\\k\" is a back reference, " HAS_NO },
	{ "\\g{1}", "", "\"\\g\" is a back reference, " HAS_NO },
	{ "(?P=n)", "", "\"(?P=\" is a back reference, " HAS_NO },
	{ "^(?!zrepl_)", "", "\"(?!\" is a look-ahead, " HAS_NO },
	{ "a(?=b)", "", "\"(?=\" is a look-ahead, " HAS_NO },
	{ "(?<=a)b", "", "\"(?<=\" is a look-behind, " HAS_NO },
	{ "(?<!a)b", "", "\"(?<!\" is a look-behind, " HAS_NO },
	{ "(?>a)", "", "\"(?>\" is an atomic group, " HAS_NO },
	{ "(?|a)", "", "\"(?|\" is a branch reset, " HAS_NO },
	{ "(?#x)a", "", "\"(?#\" is a comment, " HAS_NO },
	{ "(?R)", "", "\"(?R\" is a recursion, " HAS_NO },
	{ "(?1)", "", "\"(?1\" is a recursion, " HAS_NO },
	{ "(?&n)", "", "\"(?&\" is a recursion, " HAS_NO },
	{ "(?P>n)", "", "\"(?P>\" is a recursion, " HAS_NO },
	{ "(?C1)", "", "\"(?C\" is a callout, " HAS_NO },
	{ "(?(1)a|b)", "", "\"(?(\" is a condition, " HAS_NO },
	{ "(?'n'a)", "", "\"(?'\" is a group's name in quotes, " HAS_NO },
	{ "(?x) a", "", "\"(?x\" is a flag, " HAS_NO },
	{ "(?^:a)", "", "\"(?^\" is a reset of all flags, " HAS_NO },
	{ "(*UTF)a", "", "there is nothing to repeat", 0 },
	{ "a\\Z", "", "\"\\Z\" is an escape, " HAS_NO },
	{ "\\h", "", "\"\\h\" is an escape, " HAS_NO },
	{ "\\R", "", "\"\\R\" is an escape, " HAS_NO },
	{ "\\X", "", "\"\\X\" is an escape, " HAS_NO },
	{ "\\K", "", "\"\\K\" is an escape, " HAS_NO },
	{ "\\G", "", "\"\\G\" is an escape, " HAS_NO },
	{ "\\C", "", "\"\\C\" is an escape, " HAS_NO },
	{ "\\N", "", "\"\\N\" is an escape, " HAS_NO },
	{ "\\e", "", "\"\\e\" is an escape, " HAS_NO },
	{ "\\cA", "", "\"\\c\" is an escape, " HAS_NO },
	{ "\\u0041", "", "\"\\u\" is an escape, " HAS_NO },
	{ "\\<a\\>", "<a>", YES }, /* no words, just these characters */
	{ "[\\b]", "", "\"\\b\" is an escape, " HAS_NO },
	{ "\\E", "", "\"\\E\" is an escape, " HAS_NO },
};

TEST(each_pattern_means_what_it_means_in_go)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(regex_freep) struct regex *r = regex_new(row->pattern, &e);
		bool ok;

		if (row->refusal)
			ok = CHECK(!r && e.kind == ERR_INVALID &&
				   strstr(err_msg(&e), row->refusal));
		else
			ok = CHECK(r) &&
			     CHECK_INT(regex_matches(r, row->text, &e), row->matches);
		if (!ok)
			printf("# /%s/ on '%s': %s\n", row->pattern, row->text,
			       err_msg(&e));
	}
}

TEST_MAIN()
