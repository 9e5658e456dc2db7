#include "base/buf.h"
#include "tap.h"

TEST(buf_grows_and_stays_terminated)
{
	cleanup(buf_free) struct buf b = { 0 };

	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i);
	CHECK_INT(b.len, 3890);
	CHECK_INT(b.p[b.len], 0);
	buf_drop(&b, 2);
	CHECK(memcmp(b.p, "1,2,", 4) == 0);
}

TEST(an_empty_buf_is_an_empty_string)
{
	cleanup(buf_free) struct buf b = { 0 };

	CHECK_STR(buf_str(&b), "");
	CHECK(view_eq(buf_view(&b), VIEW("")));
	buf_put(&b, NULL, 0);
	CHECK_STR(buf_str(&b), "");
}

TEST(buf_room_counts_down_to_the_maximum_and_not_below)
{
	cleanup(buf_free) struct buf b = { .max = 10 };

	CHECK_INT(buf_room(&b), 10);
	buf_put(&b, "0123456789", 10);
	CHECK_INT(buf_room(&b), 0);
	CHECK_STR(buf_str(&b), "0123456789");
	b.max = 5;
	CHECK_INT(buf_room(&b), 0);
}

TEST(buf_take_hands_over_the_bytes_and_leaves_an_empty_buf)
{
	cleanup(buf_free) struct buf b = { .max = 100 };
	cleanup(str_freep) char *none = buf_take(&b);

	CHECK_STR(none, "");
	buf_printf(&b, "%s", "x");
	cleanup(str_freep) char *x = buf_take(&b);
	CHECK_STR(x, "x");
	CHECK_INT(b.len, 0);
	CHECK_INT(b.max, 100);
	buf_put(&b, "y", 1);
	CHECK_STR(buf_str(&b), "y");
}

TEST(views_compare_by_content)
{
	CHECK(view_eq(view_of("tank/a"), VIEW("tank/a")));
	CHECK(!view_eq(view_of("tank/a"), VIEW("tank/b")));
	CHECK(!view_eq(view_of("tank/a"), VIEW("tank/")));
	CHECK(view_eq((struct view){ 0 }, VIEW("")));
}

TEST_MAIN()
