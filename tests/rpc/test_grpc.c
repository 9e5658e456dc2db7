#include "rpc/grpc.h"
#include "tap.h"

/* ---- messages ---- */

TEST(a_prefix_is_a_zero_and_the_length)
{
	uint8_t p[GRPC_PREFIX_LEN];

	grpc_put_prefix(p, 0x01020304);
	CHECK(memcmp(p, "\0\1\2\3\4", 5) == 0);
}

TEST(a_body_is_one_message)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct view m = { 0 };

	CHECK_INT(grpc_get_message(VIEW("\0\0\0\0\3abc"), &m, &e), 0);
	CHECK(view_eq(m, VIEW("abc")));
	CHECK_INT(grpc_get_message(VIEW("\0\0\0\0\0"), &m, &e), 0);
	CHECK_INT(m.len, 0);
}

TEST(what_is_not_one_message_is_an_error)
{
	const struct {
		struct view body;
		const char *why;
	} bad[] = {
		{ VIEW(""), "message of 0 bytes has no prefix" },
		{ VIEW("\0\0\0\0"), "message of 4 bytes has no prefix" },
		{ VIEW("\1\0\0\0\0"), "message is compressed" },
		{ VIEW("\0\0\0\0\1"), "message of 1 bytes in a body of 0" },
		{ VIEW("\0\0\0\0\0a"), "message of 0 bytes in a body of 1" },
		{ VIEW("\0\0\0\0\0\0\0\0\0\0"), "message of 0 bytes in a body of 5" },
		{ VIEW("\0\0\x40\0\1"),
		  "message of 4194305 bytes is larger than 4194304" },
		{ VIEW("\0\xff\xff\xff\xff"),
		  "message of 4294967295 bytes is larger than 4194304" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct view m;

		CHECK_INT(grpc_get_message(bad[i].body, &m, &e), -1);
		CHECK_INT(e.kind, ERR_PROTOCOL);
		CHECK_STR(err_msg(&e), bad[i].why);
	}
}

TEST(the_largest_message_passes)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct buf b = { 0 };
	uint8_t prefix[GRPC_PREFIX_LEN];
	struct view m = { 0 };

	grpc_put_prefix(prefix, GRPC_MESSAGE_MAX);
	buf_put(&b, prefix, sizeof(prefix));
	memset(buf_reserve(&b, GRPC_MESSAGE_MAX), 'x', GRPC_MESSAGE_MAX);
	buf_added(&b, GRPC_MESSAGE_MAX);
	CHECK_INT(grpc_get_message(buf_view(&b), &m, &e), 0);
	CHECK_INT(m.len, GRPC_MESSAGE_MAX);
	buf_free(&b);
}

TEST(content_types_are_the_one_and_its_kinds)
{
	CHECK(grpc_is_content_type(VIEW("application/grpc")));
	CHECK(grpc_is_content_type(VIEW("application/grpc+proto")));
	CHECK(grpc_is_content_type(VIEW("application/grpc;charset=utf-8")));
	CHECK(!grpc_is_content_type(VIEW("application/grpc-web")));
	CHECK(!grpc_is_content_type(VIEW("application/grp")));
	CHECK(!grpc_is_content_type(VIEW("text/html")));
	CHECK(!grpc_is_content_type(VIEW("")));
}

/* ---- text ---- */

static void check_text(const char *text, const char *encoded)
{
	struct buf there = { 0 }, back = { 0 };

	grpc_put_text(&there, text);
	CHECK_STR(buf_str(&there), encoded);
	grpc_get_text(&back, buf_view(&there));
	CHECK_STR(buf_str(&back), text);
	buf_free(&there);
	buf_free(&back);
}

TEST(text_is_percent_encoded_and_comes_back)
{
	check_text("boom: 100% bad\nsecond line \xc3\xa9",
		   "boom: 100%25 bad%0Asecond line %C3%A9");
	check_text("", "");
	check_text("a b", "a b");
	check_text("!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~",
		   "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~");
	check_text("\x7f\x01\t", "%7F%01%09");
}

TEST(blanks_at_the_ends_survive_those_who_trim)
{
	check_text(" a ", "%20a%20");
	check_text(" ", "%20");
	check_text("  ", "%20%20");
}

TEST(text_that_is_not_utf8_is_made_so)
{
	struct buf b = { 0 };

	grpc_put_text(&b, "a\xff");
	CHECK_STR(buf_str(&b), "a%EF%BF%BD");
	buf_free(&b);
	grpc_get_text(&b, VIEW("%FFa%00b\xc3"));
	CHECK_STR(buf_str(&b), "\xef\xbf\xbd"
			       "a\xef\xbf\xbd"
			       "b\xef\xbf\xbd");
	buf_free(&b);
}

TEST(text_is_decoded_leniently)
{
	const struct {
		struct view in;
		const char *out;
	} t[] = {
		{ VIEW("%"), "%" },
		{ VIEW("%4"), "%4" },
		{ VIEW("%4g"), "%4g" },
		{ VIEW("%%41"), "%A" },
		{ VIEW("%c3%a9"), "\xc3\xa9" },
		{ VIEW("a+b"), "a+b" },
		{ VIEW("%41%"), "A%" },
		{ VIEW("% 1"), "% 1" },
		{ VIEW("%-1"), "%-1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf b = { 0 };

		grpc_get_text(&b, t[i].in);
		CHECK_STR(buf_str(&b), t[i].out);
		buf_free(&b);
	}
}

TEST(long_text_is_cut_at_a_character)
{
	struct buf text = { 0 }, b = { 0 }, back = { 0 };

	for (int i = 0; i < GRPC_TEXT_MAX; i++)
		buf_put(&text, "\xc3\xa9", 2);
	buf_drop(&text, 1); /* so that the limit falls into a character */
	text.p[0] = 'a';
	grpc_put_text(&b, buf_str(&text));
	grpc_get_text(&back, buf_view(&b));
	CHECK_INT(back.len, GRPC_TEXT_MAX - 1);
	CHECK(memcmp(back.p, text.p, back.len) == 0);
	buf_free(&text);
	buf_free(&b);
	buf_free(&back);
}

/* ---- timeouts ---- */

TEST(timeouts_are_read_in_every_unit_rounded_up)
{
	const struct {
		struct view in;
		int64_t ms;
	} t[] = {
		{ VIEW("29999936u"), 30000 },
		{ VIEW("1n"), 1 },
		{ VIEW("0n"), 0 },
		{ VIEW("1000000n"), 1 },
		{ VIEW("1000001n"), 2 },
		{ VIEW("250m"), 250 },
		{ VIEW("3S"), 3000 },
		{ VIEW("2M"), 120000 },
		{ VIEW("1H"), 3600000 },
		{ VIEW("99999999H"), 359999996400000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		int64_t ms = -1;

		CHECK_INT(grpc_get_timeout(t[i].in, &ms, &e), 0);
		CHECK_INT(ms, t[i].ms);
	}
}

TEST(what_is_no_timeout_is_an_error)
{
	const struct view bad[] = {
		VIEW(""),    VIEW("u"),  VIEW("1"),   VIEW("123456789u"), VIEW("-1u"),
		VIEW("1 u"), VIEW("1s"), VIEW("1uu"), VIEW("0x1u"),       VIEW("1u "),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		int64_t ms;

		CHECK_INT(grpc_get_timeout(bad[i], &ms, &e), -1);
		CHECK_INT(e.kind, ERR_PROTOCOL);
	}
}

TEST(timeouts_are_written_with_at_most_eight_digits)
{
	static const struct {
		int64_t ms;
		const char *text;
	} t[] = {
		{ -5, "0m" },
		{ 0, "0m" },
		{ 30000, "30000m" },
		{ 99999999, "99999999m" },
		{ 100000000, "100000S" },
		{ 100000001, "100001S" },
		{ 99999999000, "99999999S" },
		{ 99999999001, "1666667M" },
		{ INT64_MAX, "99999999H" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf b = { 0 };

		grpc_put_timeout(&b, t[i].ms);
		CHECK_STR(buf_str(&b), t[i].text);
		buf_free(&b);
	}
}

/* ---- status ---- */

TEST(each_status_is_an_error_that_can_be_acted_on)
{
	static const struct {
		int status;
		const char *text;
		enum err_kind kind;
		const char *msg;
	} t[] = {
		{ GRPC_UNKNOWN, "no such dataset", ERR_REMOTE, "no such dataset" },
		{ GRPC_UNKNOWN, "", ERR_REMOTE, "peer failed without a reason" },
		{ GRPC_UNAVAILABLE, "", ERR_NETWORK, "peer is not available" },
		{ GRPC_UNAVAILABLE, "x", ERR_NETWORK, "peer is not available: x" },
		{ GRPC_CANCELLED, "x", ERR_REMOTE, "cancelled by the peer: x" },
		{ GRPC_DEADLINE_EXCEEDED, "x", ERR_TIMEOUT, "deadline exceeded: x" },
		{ GRPC_RESOURCE_EXHAUSTED, "x", ERR_REMOTE, "resource exhausted: x" },
		{ GRPC_UNIMPLEMENTED, "x", ERR_PROTOCOL,
		  "not implemented by the peer: x" },
		{ GRPC_INTERNAL, "x", ERR_REMOTE, "internal error of the peer: x" },
		{ 7, "x", ERR_REMOTE, "status 7: x" },
		{ 4711, "", ERR_REMOTE, "status 4711" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;

		CHECK_INT(grpc_status_err(t[i].status, t[i].text, &e), -1);
		CHECK_INT(e.kind, t[i].kind);
		CHECK_STR(err_msg(&e), t[i].msg);
	}
}

TEST(ok_is_no_error)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK_INT(grpc_status_err(GRPC_OK, "whatever", &e), 0);
	CHECK_INT(e.kind, ERR_NONE);
}

TEST_MAIN()
