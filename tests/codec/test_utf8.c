#include "codec/utf8.h"

#include "tap.h"

TEST(characters_of_every_length_are_valid)
{
	static const char *const valid[] = {
		"",
		"plain",
		"\x7f",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
	};

	for (size_t i = 0; i < ARRAY_LEN(valid); i++)
		CHECK(utf8_is_valid(view_of(valid[i])));
	CHECK(utf8_is_valid((struct view){ "a\0b", 3 }));
	CHECK(utf8_is_valid((struct view){ NULL, 0 }));
}

/* Each of them, and what becomes of it: '?' stands for U+FFFD. */
static const struct {
	const char *in, *out;
} broken[] = {
	{ "\x80", "?" },
	{ "\xbf", "?" },
	{ "\xc0\xaf", "??" }, /* '/' in too long a form */
	{ "\xc1\xbf", "??" },
	{ "\xc3", "?" },
	{ "a\xc3", "a?" },
	{ "\xc3z", "?z" },
	{ "\xe0\x9f\xbf", "???" },
	{ "\xe2\x82", "??" },
	{ "\xe2\x82z", "??z" },
	{ "\xed\xa0\x80", "???" }, /* a surrogate */
	{ "\xf0\x8f\xbf\xbf", "????" },
	{ "\xf4\x90\x80\x80", "????" }, /* beyond U+10FFFF */
	{ "\xf5\x80\x80\x80", "????" },
	{ "\xf0\x9f\x98", "???" },
	{ "\xff\xfe", "??" },
	{ "caf\xe9 is broken", "caf? is broken" }, /* Latin-1 */
};

TEST(a_byte_that_belongs_to_no_character_is_replaced)
{
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		cleanup(buf_free) struct buf got = { 0 };
		cleanup(buf_free) struct buf want = { 0 };

		for (const char *c = broken[i].out; *c; c++)
			buf_printf(&want, *c == '?' ? "\xef\xbf\xbd" : "%c", *c);
		utf8_put(&got, view_of(broken[i].in), 1000);
		CHECK(!utf8_is_valid(view_of(broken[i].in)));
		CHECK_STR(buf_str(&got), buf_str(&want));
		CHECK(utf8_is_valid(buf_view(&got)));
	}
}

TEST(text_is_cut_at_a_character)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff";
	static const size_t len[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10, 10, 13 };

	for (size_t max = 0; max < ARRAY_LEN(len); max++) {
		cleanup(buf_free) struct buf got = { 0 };

		buf_printf(&got, "before");
		utf8_put(&got, view_of(text), max);
		CHECK_INT(got.len, 6 + len[max]);
		CHECK(utf8_is_valid(buf_view(&got)));
	}
}

TEST_MAIN()
