#include "job/ticker.h"

#include "tap.h"

TEST(the_first_time_is_one_interval_from_the_start)
{
	struct ticker t = ticker_start(1000, 50);

	CHECK_INT(ticker_wait_ms(&t, 50), 1000);
	CHECK(!ticker_is_due(&t, 50));
	CHECK_INT(ticker_wait_ms(&t, 1049), 1);
	CHECK(!ticker_is_due(&t, 1049));
	CHECK_INT(ticker_wait_ms(&t, 1050), 0);
	CHECK(ticker_is_due(&t, 1050));
	CHECK(!ticker_is_due(&t, 1050));
	CHECK_INT(ticker_wait_ms(&t, 1050), 1000);
}

TEST(what_comes_late_moves_nothing)
{
	struct ticker t = ticker_start(1000, 0);

	CHECK(ticker_is_due(&t, 1700));
	CHECK_INT(ticker_wait_ms(&t, 1700), 300);
	CHECK(ticker_is_due(&t, 2000));
	CHECK_INT(ticker_wait_ms(&t, 2000), 1000);
}

TEST(what_was_missed_is_not_made_up_for)
{
	struct ticker t = ticker_start(1000, 0);

	CHECK(ticker_is_due(&t, 9999));
	CHECK(!ticker_is_due(&t, 9999));
	CHECK_INT(ticker_wait_ms(&t, 9999), 1);
	CHECK(ticker_is_due(&t, 12000));
	CHECK_INT(ticker_wait_ms(&t, 12000), 1000);
}

TEST_MAIN()
