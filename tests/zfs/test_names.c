#include "zfs/names.h"

#include "tap.h"

static bool is_dataset(const char *name)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	bool r = zfs_check_dataset(name, &e) == 0;

	CHECK(r || err_is(&e, ERR_INVALID));
	return r;
}

static bool is_snapshot(const char *name)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	return zfs_check_version(name, '@', &e) == 0;
}

static bool is_token(const char *token)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	return zfs_check_token(token, &e) == 0;
}

TEST(names_of_datasets_cannot_be_taken_for_options)
{
	CHECK(is_dataset("tank"));
	CHECK(is_dataset("tank/a b/-c"));
	CHECK(!is_dataset("-r"));
	CHECK(!is_dataset("1tank"));
	CHECK(!is_dataset(":tank/a"));
	CHECK(!is_dataset(" tank"));
	CHECK(!is_dataset("/tank"));
	CHECK(!is_dataset(""));
	CHECK(!is_dataset("tank@a"));
	CHECK(!is_dataset("tank/a%b"));
}

TEST(names_of_snapshots_cannot_be_taken_for_lists_or_ranges)
{
	CHECK(is_snapshot("tank@a"));
	CHECK(is_snapshot("tank/x@dataset is busy: 1"));
	CHECK(!is_snapshot("tank@a,b"));
	CHECK(!is_snapshot("tank@a%b"));
	CHECK(!is_snapshot("tank@%"));
	CHECK(!is_snapshot("tank"));
	CHECK(!is_snapshot("tank#a"));
	CHECK(!is_snapshot("tank@a@b"));
	CHECK(!is_snapshot("-tank@a"));
	CHECK(!is_snapshot("tank@"));
	CHECK(!is_snapshot("@a"));
}

TEST(names_resume_tokens_are_hexadecimal_digits_and_dashes)
{
	static char longest[40000];

	CHECK(is_token("1-88e685b87-b0-789c636064000310a5"));
	CHECK(!is_token(""));
	CHECK(!is_token("-t"));
	CHECK(!is_token("1-88 e6"));
	CHECK(!is_token("1-88\n"));
	CHECK(!is_token("1;reboot"));
	memset(longest, '1', sizeof(longest) - 1);
	CHECK(!is_token(longest));
}

TEST(names_are_sorted_and_found)
{
	static const char *const all[] = { "p/ab", "p/a", "p", "p/a b", "p/a/c", "p/a" };
	cleanup(strs_free) struct strs in = { 0 }, l = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		strs_add(&in, all[i]);
	CHECK_INT(zfs_check_datasets(&in, &l, &e), 0);
	CHECK_INT(l.n, 5);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		size_t k = zfs_names_find(&l, view_of(all[i]));

		REQUIRE(k < l.n);
		CHECK_STR(l.v[k], all[i]);
	}
	CHECK_INT(zfs_names_find(&l, VIEW("p/abc")), l.n);
	CHECK_INT(zfs_names_find(&l, VIEW("")), l.n);
	CHECK_INT(zfs_names_find(&l, VIEW("q")), l.n);
	/* a view need not end where its text does */
	CHECK_INT(zfs_names_find(&l, (struct view){ "p/abc", 3 }),
		  zfs_names_find(&l, VIEW("p/a")));
}

TEST(names_one_bad_one_spoils_the_set)
{
	cleanup(strs_free) struct strs in = { 0 }, l = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;

	strs_add(&in, "p@a");
	strs_add(&in, "p@b,c");
	CHECK_INT(zfs_check_versions(&in, '@', &l, &e), -1);
	CHECK_INT(e.kind, ERR_INVALID);
}

TEST(names_come_in_batches_of_at_least_five_hundred)
{
	cleanup(strs_free) struct strs l = { 0 };
	char name[256];
	size_t n = 0;

	memset(name, 'x', sizeof(name) - 1);
	name[255] = '\0';
	for (int i = 0; i < 3000; i++)
		strs_add(&l, name);
	for (size_t from = 0, to; from < l.n; from = to, n++) {
		to = zfs_batch_end(&l, from);
		REQUIRE(to > from);
		CHECK(to - from >= 500 || to == l.n);
		CHECK(to - from <= 2000);
	}
	CHECK(n >= 2 && n <= 6);
}

TEST_MAIN()
