#include "codec/dsname.h"
#include "tap.h"

typedef int check_fn(const char *name, struct err *err);

static void check_all(check_fn *check, const char *const *names, size_t n, int want)
{
	for (size_t i = 0; i < n; i++) {
		cleanup(err_clear) struct err e = ERR_INIT;

		if (!CHECK_INT(check(names[i], &e), want))
			printf("# '%s': %s\n", names[i], err_msg(&e));
		CHECK_INT(e.kind, want < 0 ? ERR_INVALID : ERR_NONE);
	}
}

#define ALL_PASS(check, ...)                                     \
	check_all((check), (const char *const[]){ __VA_ARGS__ }, \
		  ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })), 0)
#define ALL_FAIL(check, ...)                                     \
	check_all((check), (const char *const[]){ __VA_ARGS__ }, \
		  ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })), -1)

/* n times 'a', in a buffer that the next call overwrites. */
static const char *as(size_t n)
{
	static char text[1024];

	memset(text, 'a', n);
	text[n] = '\0';
	return text;
}

TEST(lenient_paths_refuse_only_what_cannot_be_a_path)
{
	ALL_PASS(dsname_check_lenient, "", "tank", "tank/a b/c", "/tank", "a//b", "p%q");
	ALL_FAIL(dsname_check_lenient, "tank/", "/", "a@b", "a#b", "a|b", "a\tb", "a<",
		 ">a", "*");
}

TEST(components_are_of_a_few_ascii_characters)
{
	ALL_PASS(dsname_check_component, "a", "with space", "a.b:c-d_e", "...", "0");
	ALL_FAIL(dsname_check_component, "", ".", "..", "a/b", "a@b", "a#b", "a%b", "a+b",
		 "\xc3\xa4", "a\n", "a\x7f");
	ALL_PASS(dsname_check_component, as(255));
	ALL_FAIL(dsname_check_component, as(256));
}

TEST(job_names_fit_into_bookmarks_and_holds)
{
	ALL_PASS(dsname_check_job, "validjobname", "valid with spaces", "a.b:c-d_e");
	ALL_FAIL(dsname_check_job, "with\ttab", "a#b", "a@b", "a/", "a/b", "/", "a\n",
		 "\na", "a\nb", "\xc3\xa4", "a%b", "a+b", ".", "..", "", "_internal");
	ALL_PASS(dsname_check_job, as(203));
	ALL_FAIL(dsname_check_job, as(204));
}

TEST(datasets_are_components_joined_by_slashes)
{
	ALL_PASS(dsname_check_dataset, "tank", "tank/a b/c");
	ALL_FAIL(dsname_check_dataset, "", "/", "/tank", "tank/", "a//b", "a/../b", "a/.",
		 "a@b", "a%b");
	ALL_PASS(dsname_check_dataset, as(255));
	ALL_FAIL(dsname_check_dataset, as(256));
}

static int check_snapshot(const char *name, struct err *err)
{
	return dsname_check_version(name, '@', err);
}

static int check_bookmark(const char *name, struct err *err)
{
	return dsname_check_version(name, '#', err);
}

TEST(versions_have_one_delimiter_in_the_last_component)
{
	ALL_PASS(check_snapshot, "tank@a", "tank/x y@z 1");
	ALL_FAIL(check_snapshot, "", "tank", "@", "tank@", "@a", "tank#a", "tank@a@b",
		 "tank@a#b", "tank@a/b", "ta@nk/b", "tank/@a", "tank@a%b", "tank@..");
	ALL_PASS(check_bookmark, "tank#a");
	ALL_FAIL(check_bookmark, "tank@a", "tank#a#b", "tank#a@b");
}

TEST(versions_are_at_most_255_bytes)
{
	char full[1100];

	snprintf(full, sizeof(full), "tank@%s", as(250));
	ALL_PASS(check_snapshot, full);
	snprintf(full, sizeof(full), "tank@%s", as(251));
	ALL_FAIL(check_snapshot, full);
}

TEST(property_names_do_not_look_like_options)
{
	ALL_PASS(dsname_check_property, "mountpoint", "zrepl:placeholder", "a-b_c.d:9");
	ALL_FAIL(dsname_check_property, "", "-o", "a b", "a=b", "\xc3\xa4", "a,b");
	ALL_PASS(dsname_check_property, as(256));
	ALL_FAIL(dsname_check_property, as(257));
}

TEST(messages_show_the_name_on_one_line)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK_INT(dsname_check_job("a\n'\xff", &e), -1);
	CHECK_STR(err_msg(&e), "job name \"a\\x0a'\\xff\" contains other characters than "
			       "letters, digits, - _ . : and space");
	CHECK_INT(dsname_check_component(as(1000), &e), -1);
	CHECK(strlen(err_msg(&e)) < 400);
}

TEST(below_goes_by_whole_components)
{
	CHECK(dsname_is_at_or_below("tank", "tank"));
	CHECK(dsname_is_at_or_below("tank/a/b", "tank/a"));
	CHECK(!dsname_is_at_or_below("tank2", "tank"));
	CHECK(!dsname_is_at_or_below("tank", "tank/a"));
	CHECK(!dsname_is_at_or_below("a/b", "a/"));
	CHECK(dsname_is_at_or_below("tank", ""));
	CHECK(dsname_is_at_or_below("", ""));
	CHECK(!dsname_is_below("tank", "tank"));
	CHECK(dsname_is_below("tank/a", "tank"));
	CHECK(!dsname_is_below("tanka", "tank"));
	CHECK(dsname_is_below("tank", ""));
	CHECK(!dsname_is_below("", ""));
}

TEST(ancestors_come_from_the_pool_downwards)
{
	cleanup(strs_free) struct strs l = { 0 };
	cleanup(str_freep) char *joined = NULL;

	dsname_ancestors("a/b/c", &l);
	dsname_ancestors("x", &l);
	dsname_ancestors("", &l);
	joined = strs_join(&l, ",");
	CHECK_STR(joined, "a,a/b");
}

TEST_MAIN()
