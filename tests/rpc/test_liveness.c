#include "rpc/liveness.h"

#include "tap.h"

static struct liveness started(int64_t now)
{
	struct liveness l;

	liveness_start(&l, now);
	return l;
}

TEST(a_heartbeat_is_due_five_seconds_after_the_start)
{
	struct liveness l = started(1000);

	CHECK_INT(liveness_next(&l), 6000);
	CHECK_INT(liveness_due(&l, 5999), LIVENESS_NOTHING);
	CHECK_INT(liveness_due(&l, 6000), LIVENESS_SEND_HEARTBEAT);
}

TEST(a_frame_that_we_completed_puts_the_heartbeat_off)
{
	struct liveness l = started(0);

	liveness_sent_frame(&l, 4000);
	CHECK_INT(liveness_due(&l, 8999), LIVENESS_NOTHING);
	CHECK_INT(liveness_next(&l), 9000);
	CHECK_INT(liveness_due(&l, 9000), LIVENESS_SEND_HEARTBEAT);
}

TEST(a_heartbeat_does_not_queue_behind_a_frame_on_its_way)
{
	struct liveness l = started(0);

	liveness_writing(&l, true, 4000);
	CHECK_INT(liveness_due(&l, 13999), LIVENESS_NOTHING);
	CHECK_INT(liveness_next(&l), 14000);
	liveness_writing(&l, false, 13999);
	liveness_sent_frame(&l, 13999);
	CHECK_INT(liveness_next(&l), 18999);
}

TEST(a_peer_is_dead_after_ten_seconds_without_a_byte)
{
	struct liveness l = started(0);

	liveness_reading(&l, true, 100);
	liveness_sent_frame(&l, 9000);
	liveness_reading(&l, true, 5000); /* still: not since then */
	CHECK_INT(liveness_due(&l, 10099), LIVENESS_NOTHING);
	CHECK_INT(liveness_next(&l), 10100);
	CHECK_INT(liveness_due(&l, 10100), LIVENESS_READ_TIMEOUT);
}

TEST(any_byte_is_a_sign_of_life)
{
	struct liveness l = started(0);

	liveness_reading(&l, true, 0);
	liveness_read_bytes(&l, 9999);
	liveness_sent_frame(&l, 19000);
	CHECK_INT(liveness_due(&l, 19998), LIVENESS_NOTHING);
	CHECK_INT(liveness_due(&l, 19999), LIVENESS_READ_TIMEOUT);
}

TEST(time_in_which_we_do_not_read_does_not_count)
{
	struct liveness l = started(0);

	liveness_reading(&l, true, 0);
	liveness_reading(&l, false, 9000);
	liveness_read_bytes(&l, 10000); /* starts nothing */
	liveness_sent_frame(&l, 99000);
	CHECK_INT(liveness_due(&l, 99000), LIVENESS_NOTHING);
	liveness_reading(&l, true, 99000);
	liveness_sent_frame(&l, 108000);
	CHECK_INT(liveness_due(&l, 108999), LIVENESS_NOTHING);
	CHECK_INT(liveness_due(&l, 109000), LIVENESS_READ_TIMEOUT);
}

TEST(a_write_may_take_ten_seconds_for_some_bytes)
{
	struct liveness l = started(0);

	liveness_writing(&l, true, 50);
	CHECK_INT(liveness_due(&l, 10049), LIVENESS_NOTHING);
	CHECK_INT(liveness_due(&l, 10050), LIVENESS_WRITE_TIMEOUT);
	liveness_wrote_bytes(&l, 10040);
	CHECK_INT(liveness_due(&l, 20039), LIVENESS_NOTHING);
	CHECK_INT(liveness_next(&l), 20040);
	CHECK_INT(liveness_due(&l, 20040), LIVENESS_WRITE_TIMEOUT);
}

TEST(each_heartbeat_that_arrives_gives_a_blocked_write_ten_more_seconds)
{
	struct liveness l = started(0);

	liveness_writing(&l, true, 0);
	for (int64_t now = 5000; now <= 300000; now += 5000) {
		CHECK_INT(liveness_due(&l, now), LIVENESS_NOTHING);
		liveness_got_heartbeat(&l, now);
	}
	CHECK_INT(liveness_due(&l, 310000), LIVENESS_WRITE_TIMEOUT);
}

TEST(with_nothing_to_write_no_write_is_late)
{
	struct liveness l = started(0);

	liveness_writing(&l, true, 0);
	liveness_writing(&l, false, 9000);
	liveness_wrote_bytes(&l, 9000);
	liveness_got_heartbeat(&l, 9000);
	liveness_sent_frame(&l, 59000);
	CHECK_INT(liveness_due(&l, 60000), LIVENESS_NOTHING);
}

TEST(a_dead_peer_is_noticed_rather_than_greeted)
{
	struct liveness l = started(0);

	liveness_reading(&l, true, 0);
	CHECK_INT(liveness_due(&l, 10000), LIVENESS_READ_TIMEOUT);
	liveness_reading(&l, false, 10000);
	CHECK_INT(liveness_due(&l, 10000), LIVENESS_SEND_HEARTBEAT);
}

TEST_MAIN()
