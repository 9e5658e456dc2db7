#include "codec/jsonw.h"
#include "tap.h"

#include <json-c/json.h>

TEST(commas_and_colons_come_by_themselves)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct jsonw w;

	jsonw_init(&w, &b);
	jsonw_object(&w);
	jsonw_key(&w, "a");
	jsonw_array(&w);
	jsonw_u64(&w, UINT64_MAX);
	jsonw_i64(&w, INT64_MIN);
	jsonw_array(&w);
	jsonw_end(&w);
	jsonw_object(&w);
	jsonw_end(&w);
	jsonw_bool(&w, true);
	jsonw_end(&w);
	jsonw_key(&w, "b");
	jsonw_null(&w);
	jsonw_key(&w, "c");
	jsonw_str(&w, NULL);
	jsonw_key(&w, "d");
	jsonw_bool(&w, false);
	jsonw_end(&w);
	CHECK_STR(b.p, "{\"a\":[18446744073709551615,-9223372036854775808,[],{},true],"
		       "\"b\":null,\"c\":null,\"d\":false}");
}

TEST(nesting_goes_as_deep_as_promised)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct jsonw w;

	jsonw_init(&w, &b);
	for (int i = 0; i < JSONW_MAX_DEPTH - 1; i++)
		jsonw_array(&w);
	for (int i = 0; i < JSONW_MAX_DEPTH - 1; i++)
		jsonw_end(&w);
	CHECK_INT(b.len, 2 * (JSONW_MAX_DEPTH - 1));
}

static char *quoted(const char *s)
{
	struct buf b = { 0 };
	struct jsonw w;

	jsonw_init(&w, &b);
	jsonw_str(&w, s);
	return buf_take(&b);
}

TEST(strings_are_escaped)
{
	cleanup(str_freep) char *s = quoted("a\"b\\c\n\t\r\x01\x1f<&\x7f");

	CHECK_STR(s, "\"a\\\"b\\\\c\\n\\t\\r\\u0001\\u001f<&\x7f\"");
}

TEST(bytes_that_are_not_utf8_are_replaced_one_by_one)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "\xff", "\"\xef\xbf\xbd\"" },
		{ "\x80"
		  "a",
		  "\"\xef\xbf\xbd"
		  "a\"" },
		{ "\xc3", "\"\xef\xbf\xbd\"" },
		{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xf4\x90\x80\x80",
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xf5", "\"\xef\xbf\xbd\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(str_freep) char *s = quoted(cases[i].text);

		CHECK_STR(s, cases[i].want);
	}
}

TEST(another_reader_gets_back_what_was_written)
{
	static const char text[] = "\x01\x02\b\f\n\"\\/ \xc3\xa4";
	cleanup(str_freep) char *s = quoted(text);
	struct json_object *o = json_tokener_parse(s);

	CHECK_STR(json_object_get_string(o), text);
	json_object_put(o);
}

TEST(times_are_quoted)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct jsonw w;

	jsonw_init(&w, &b);
	jsonw_time(&w, (struct timespec){ 1590969600, 123000000 });
	CHECK_STR(b.p, "\"2020-06-01T00:00:00.123Z\"");
}

TEST_MAIN()
