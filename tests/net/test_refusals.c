#include "net/refusals.h"

#include "tap.h"

enum { MINUTE = 60000 };

TEST(one_origin_is_mentioned_once_a_minute_for_the_same_reason)
{
	struct refusals r = { 0 };
	uint64_t unsaid = 99;

	CHECK(refusals_say(&r, "192.0.2.7", "no", 5, &unsaid));
	CHECK_INT(unsaid, 0);
	for (int i = 0; i < 1000; i++)
		CHECK(!refusals_say(&r, "192.0.2.7", "no", 5 + i, &unsaid));
	CHECK(!refusals_say(&r, "192.0.2.7", "no", 4 + MINUTE, &unsaid));
	CHECK(refusals_say(&r, "192.0.2.7", "no", 5 + MINUTE, &unsaid));
	CHECK_INT(unsaid, 1001);
	CHECK(!refusals_say(&r, "192.0.2.7", "no", 6 + MINUTE, &unsaid));
}

TEST(another_origin_is_mentioned_at_once)
{
	struct refusals r = { 0 };
	uint64_t unsaid;

	CHECK(refusals_say(&r, "192.0.2.7", "no", 0, &unsaid));
	CHECK(!refusals_say(&r, "192.0.2.7", "no", 1, &unsaid));
	CHECK(refusals_say(&r, "192.0.2.70", "no", 2, &unsaid));
	CHECK_INT(unsaid, 1);
	CHECK(refusals_say(&r, "", "no", 3, &unsaid));
	CHECK_INT(unsaid, 0);
	CHECK(!refusals_say(&r, "", "no", 4, &unsaid));
}

TEST(another_reason_is_mentioned_at_once)
{
	struct refusals r = { 0 };
	uint64_t unsaid;

	CHECK(refusals_say(&r, "192.0.2.7", "192.0.2.7:40122: no banner", 0, &unsaid));
	CHECK(!refusals_say(&r, "192.0.2.7", "192.0.2.7:512: no banner", 1, &unsaid));
	CHECK(refusals_say(&r, "192.0.2.7", "192.0.2.7:40124: no label", 2, &unsaid));
	CHECK_INT(unsaid, 1);
	CHECK(!refusals_say(&r, "192.0.2.7", "192.0.2.7:40125: no label", 3, &unsaid));
	CHECK(refusals_say(&r, "192.0.2.7", "192.0.2.7:40126: no banner", MINUTE,
			   &unsaid));
}

TEST(an_origin_with_many_reasons_leaves_room_for_others)
{
	struct refusals r = { 0 };
	uint64_t unsaid;
	char reason[2] = "A";
	int said = 0;

	for (; *reason <= 'Z'; (*reason)++)
		said += refusals_say(&r, "192.0.2.7", reason, 0, &unsaid);
	CHECK_INT(said, REFUSALS_PER_ORIGIN);
	CHECK(refusals_say(&r, "192.0.2.8", "A", 0, &unsaid));
	CHECK_INT(unsaid, 26 - REFUSALS_PER_ORIGIN);
}

TEST(a_crowd_of_origins_does_not_fill_the_log)
{
	struct refusals r = { 0 };
	uint64_t unsaid, unsaid_in_all = 0;
	int said = 0;
	char origin[32];

	for (int i = 0; i < 60000; i++) {
		snprintf(origin, sizeof(origin), "2001:db8::%x", (unsigned)i);
		if (refusals_say(&r, origin, "no", i * 10, &unsaid)) {
			said++;
			unsaid_in_all += unsaid;
		}
	}
	CHECK_INT(said, 10 * REFUSALS_PER_MINUTE);
	CHECK_INT((uint64_t)said + unsaid_in_all + r.unsaid, 60000);
}

TEST(an_origin_of_any_length_is_bounded)
{
	struct refusals r = { 0 };
	char origin[300];
	uint64_t unsaid;

	memset(origin, 'x', sizeof(origin) - 1);
	origin[sizeof(origin) - 1] = '\0';
	CHECK(refusals_say(&r, origin, "no", 0, &unsaid));
	CHECK(!refusals_say(&r, origin, "no", 1, &unsaid));
}

TEST_MAIN()
