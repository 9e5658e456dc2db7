#include "bench.h"

#include "tap.h"

/* Receives @1, of which 64 KiB may come at once, and the rest at 4 MiB a second. */
static void receive_limited(struct bench *b, bool is_placeholder)
{
	struct version v1 = ver("@1", 1);

	bench_start(b);
	REQUIRE(sim("sim-version tank/a@1 1"));
	REQUIRE(!is_placeholder || (sim("create -p backup/c/tank/a") &&
				    sim("set zrepl:placeholder=on backup/c/tank/a")));
	sim_set("SIMZFS_FULL", "576K");
	CHECK_INT(step(b, NULL, &v1, PROTECTION_NOTHING), 0);
	CHECK_STR(err_msg(&b->err), "no error");
}

TEST(a_stream_is_no_faster_than_the_limit_of_either_side)
{
	for (int side = 0; side < 2; side++) {
		cleanup(bench_end) struct bench b = { 0 };
		int64_t start = now_ms();

		*(side ? &b.send_limit : &b.recv_limit) = rate_new(4 << 20, 64 << 10);
		receive_limited(&b, false);
		CHECK(now_ms() - start >= 100);
	}
}

/* It takes all of the stream, and who comes next pays. */
TEST(what_the_receiver_looks_at_first_counts_as_well)
{
	for (int side = 0; side < 2; side++) {
		cleanup(bench_end) struct bench b = { 0 };
		struct rate *limit = rate_new(1 << 10, 64 << 10);

		*(side ? &b.send_limit : &b.recv_limit) = limit;
		receive_limited(&b, true);
		CHECK(rate_wait_ms(limit, now_in_us()) > 60 * 1000);
	}
}

TEST_MAIN()
