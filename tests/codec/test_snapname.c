#include "base/thread.h"
#include "codec/snapname.h"
#include "tap.h"

/* 2020-06-01T00:00:00.123456789Z */
static const struct timespec june = { 1590969600, 123456789 };

static void check_name(const char *prefix, const char *format, const char *location,
		       struct timespec t, const char *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(snapname_freep) struct snapname *s =
		snapname_new(prefix, format, location, &e);
	cleanup(str_freep) char *name = NULL;

	if (!CHECK(s)) {
		printf("# %s in %s: %s\n", format, location, err_msg(&e));
		return;
	}
	name = snapname_at(s, t);
	CHECK_STR(name, want);
}

TEST(named_formats_make_the_names_they_always_made)
{
	check_name("", "dense", "UTC", june, "20200601_000000_000");
	check_name("", "dense", "", june, "20200601_000000_000");
	check_name("zrepl_", "human", "UTC", june, "zrepl_2020-06-01_00:00:00");
	check_name("", "iso-8601", "UTC", june, "2020-06-01T00:00:00.123Z");
	check_name("", "ISO-8601", "Europe/Berlin", june, "2020-06-01T02:00:00.123_0200");
	check_name("", "Unix-Seconds", "UTC", june, "1590969600");
	check_name("", "DENSE", "", (struct timespec){ 1715721383, 0 },
		   "20240514_211623_000");
	check_name("", "human", "", (struct timespec){ 1715721383, 0 },
		   "2024-05-14_21:16:23");
	check_name("", "unix-seconds", "", (struct timespec){ 1715721383, 0 },
		   "1715721383");
}

TEST(layouts_are_shown_in_the_location)
{
	check_name("", "2006-01-02T15:04:05Z07:00", "America/New_York", june,
		   "2020-05-31T20:00:00-04:00");
	check_name("p_", "2006-01-02_15:04:05-07:00:00", "Europe/Berlin",
		   (struct timespec){ 1715721383, 0 }, "p_2024-05-14_23:16:23_02:00:00");
	check_name("", "2006", "Etc/UTC", june, "2020");
}

TEST(a_plus_is_replaced_in_summer_and_in_winter)
{
	check_name("", "-0700", "Europe/London", june, "_0100");
	check_name("", "-0700", "Europe/London", (struct timespec){ 1606780800, 0 },
		   "_0000");
	check_name("", "Z0700", "Europe/London", (struct timespec){ 1606780800, 0 }, "Z");
	check_name("", "-07 -07", "Asia/Kathmandu", june, "_05 _05");
}

static void check_refused(const char *prefix, const char *format, const char *location)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(snapname_freep) struct snapname *s =
		snapname_new(prefix, format, location, &e);

	if (!CHECK(!s))
		printf("# '%s' '%s' in '%s'\n", prefix, format, location);
	CHECK_INT(e.kind, ERR_INVALID);
}

TEST(formats_without_zone_must_be_utc)
{
	check_refused("", "dense", "Local");
	check_refused("", "dense", "Etc/UTC");
	check_refused("", "dense", "Europe/Berlin");
	check_refused("", "dense", "utc");
	check_refused("", "Human", "Local");
	check_refused("", "unix-seconds", "Europe/Berlin");
}

TEST(unknown_zones_are_refused)
{
	check_refused("", "iso-8601", "Europe/Atlantis");
	check_refused("", "iso-8601", "../../../etc/passwd");
	check_refused("", "iso-8601", "/usr/share/zoneinfo/Europe/Berlin");
}

TEST(names_that_zfs_does_not_allow_are_refused)
{
	check_refused("", "a+b", "UTC");
	check_refused("", "", "UTC");
	check_refused("", "2006/01/02", "UTC");
	check_refused("", "2006@01", "UTC");
	check_refused("p@", "dense", "UTC");
	check_refused("p+", "dense", "UTC");
	check_refused("p\xc3\xa4", "dense", "UTC");
}

TEST(names_must_fit_in_december_too)
{
	char prefix[256], want[300];

	memset(prefix, 'a', sizeof(prefix));
	prefix[255 - strlen("December")] = '\0';
	snprintf(want, sizeof(want), "%sJune", prefix);
	check_name(prefix, "January", "UTC", june, want);
	prefix[255 - strlen("December")] = 'a';
	prefix[255 - strlen("December") + 1] = '\0';
	check_refused(prefix, "January", "UTC");
}

static const struct timespec hours[] = { { 1711846800 - 1, 0 }, { 1711846800, 0 } };

static void name_many(void *arg)
{
	const struct snapname *s = arg;

	for (int i = 0; i < 2000; i++) {
		cleanup(str_freep) char *name = snapname_at(s, hours[i % 2]);

		CHECK_STR(name, i % 2 ? "03:00:00 CEST" : "01:59:59 CET");
	}
}

TEST(threads_share_a_name_maker)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(snapname_freep) struct snapname *s =
		snapname_new("", "15:04:05 MST", "Europe/Berlin", &e);
	struct thread t[2] = { 0 };

	REQUIRE(CHECK(s));
	thread_start(&t[0], "one", name_many, s);
	thread_start(&t[1], "two", name_many, s);
	thread_join(&t[0]);
	thread_join(&t[1]);
}

TEST_MAIN()
