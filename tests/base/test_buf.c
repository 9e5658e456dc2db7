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

TEST_MAIN()
