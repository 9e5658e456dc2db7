#include "net/refusals.h"

#include "tap.h"

enum { MINUTE = 60000 };

TEST(one_origin_is_mentioned_once_a_minute)
{
	struct refusals r = { 0 };
	uint64_t unsaid = 99;

	CHECK(refusals_say(&r, "192.0.2.7", 5, &unsaid));
	CHECK_INT(unsaid, 0);
	for (int i = 0; i < 1000; i++)
		CHECK(!refusals_say(&r, "192.0.2.7", 5 + i, &unsaid));
	CHECK(!refusals_say(&r, "192.0.2.7", 4 + MINUTE, &unsaid));
	CHECK(refusals_say(&r, "192.0.2.7", 5 + MINUTE, &unsaid));
	CHECK_INT(unsaid, 1001);
	CHECK(!refusals_say(&r, "192.0.2.7", 6 + MINUTE, &unsaid));
}

TEST(another_origin_is_mentioned_at_once)
{
	struct refusals r = { 0 };
	uint64_t unsaid;

	CHECK(refusals_say(&r, "192.0.2.7", 0, &unsaid));
	CHECK(!refusals_say(&r, "192.0.2.7", 1, &unsaid));
	CHECK(refusals_say(&r, "192.0.2.70", 2, &unsaid));
	CHECK_INT(unsaid, 1);
	CHECK(refusals_say(&r, "", 3, &unsaid));
	CHECK_INT(unsaid, 0);
	CHECK(!refusals_say(&r, "", 4, &unsaid));
}

TEST(a_crowd_of_origins_does_not_fill_the_log)
{
	struct refusals r = { 0 };
	uint64_t unsaid, unsaid_in_all = 0;
	int said = 0;
	char origin[32];

	for (int i = 0; i < 60000; i++) {
		snprintf(origin, sizeof(origin), "2001:db8::%x", (unsigned)i);
		if (refusals_say(&r, origin, i * 10, &unsaid)) {
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
	CHECK(refusals_say(&r, origin, 0, &unsaid));
	CHECK(!refusals_say(&r, origin, 1, &unsaid));
}

TEST_MAIN()
