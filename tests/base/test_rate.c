#include "base/rate.h"

#include "tap.h"

enum { S = 1000000, MS = 1000 }; /* in microseconds */

TEST(a_bucket_starts_full_and_lets_its_capacity_through_at_once)
{
	struct rate *r = rate_new(1000, 500);

	CHECK_INT(rate_wait_ms(r, 0), 0);
	rate_spend(r, 500, 0);
	CHECK_INT(rate_wait_ms(r, 0), 0);
	rate_spend(r, 100, 0);
	CHECK_INT(rate_wait_ms(r, 0), 100);
	rate_free(r);
}

TEST(an_overdrawn_bucket_says_how_long_rounded_up)
{
	struct rate *r = rate_new(3000, 1);

	rate_spend(r, 2, 10 * S); /* a third of a millisecond */
	CHECK_INT(rate_wait_ms(r, 10 * S), 1);
	CHECK_INT(rate_wait_ms(r, 10 * S + 333), 1);
	CHECK_INT(rate_wait_ms(r, 10 * S + 334), 0);
	rate_spend(r, 3000, 10 * S + 334);
	CHECK_INT(rate_wait_ms(r, 10 * S + 334), 1000);
	CHECK_INT(rate_wait_ms(r, 10 * S + 334 + 999 * MS), 1);
	CHECK_INT(rate_wait_ms(r, 11 * S + 334), 0);
	rate_free(r);
}

TEST(one_read_larger_than_the_bucket_is_possible_and_is_paid_for_afterwards)
{
	struct rate *r = rate_new(1000, 10);

	rate_spend(r, 100010, S);
	CHECK_INT(rate_wait_ms(r, S), 100 * 1000);
	CHECK_INT(rate_wait_ms(r, 51 * S), 50 * 1000);
	CHECK_INT(rate_wait_ms(r, 101 * S), 0);
	rate_free(r);
}

TEST(a_bucket_is_never_fuller_than_its_capacity)
{
	struct rate *r = rate_new(1000, 500);

	rate_spend(r, 500, 0);
	rate_spend(r, 600, 3600LL * S);
	CHECK_INT(rate_wait_ms(r, 3600LL * S), 100);
	rate_free(r);
}

TEST(asking_often_does_not_lose_fractions_of_a_token)
{
	struct rate *r = rate_new(7, 1);

	rate_spend(r, 1 + 7, 0);
	for (int64_t us = 0; us < S; us += 100)
		CHECK(rate_wait_ms(r, us) > 0);
	CHECK_INT(rate_wait_ms(r, S + 7), 0);
	rate_free(r);
}

/* What goes through in 10 s, if somebody moves `chunk` whenever it is allowed. */
static int64_t moved_in_10s(struct rate *r, size_t chunk)
{
	int64_t moved = 0, now = 5 * S, end = now + 10 * S, wait;

	for (; now < end; now += wait * MS) {
		wait = rate_wait_ms(r, now);
		if (wait > 0)
			continue;
		rate_spend(r, chunk, now);
		moved += (int64_t)chunk;
	}
	return moved;
}

TEST(over_time_it_is_the_rate_and_one_burst)
{
	static const size_t chunks[] = { 1000, 65536, 1048576 };

	for (size_t i = 0; i < ARRAY_LEN(chunks); i++) {
		struct rate *r = rate_new(1 << 20, 128 << 10);
		int64_t moved = moved_in_10s(r, chunks[i]);

		CHECK(moved >= 10LL << 20);
		CHECK(moved <= (10LL << 20) + (128 << 10) + (int64_t)chunks[i]);
		rate_free(r);
	}
}

TEST(absurd_numbers_neither_overflow_nor_block_for_ever)
{
	struct rate *r = rate_new(INT64_MAX, INT64_MAX), *slow = rate_new(1, 1);

	rate_spend(r, SIZE_MAX, 0);
	CHECK(rate_wait_ms(r, 0) <= 1000);
	CHECK_INT(rate_wait_ms(r, INT64_MAX), 0);
	rate_spend(slow, SIZE_MAX, 0);
	rate_spend(slow, SIZE_MAX, 0);
	CHECK(rate_wait_ms(slow, 0) > 0);
	CHECK_INT(rate_wait_ms(slow, INT64_MAX), 0);
	rate_free(r);
	rate_free(slow);
}

TEST(no_bucket_is_no_limit)
{
	rate_spend(NULL, 1 << 20, 0);
	CHECK_INT(rate_wait_ms(NULL, 0), 0);
	rate_free(NULL);
}

TEST_MAIN()
