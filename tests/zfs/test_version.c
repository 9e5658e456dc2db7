#include "zfs/version.h"

#include "tap.h"

static struct version make(enum version_type type, const char *name, uint64_t txg,
			   uint64_t guid)
{
	return (struct version){
		.type = type,
		.name = xstrdup(name),
		.guid = guid,
		.createtxg = txg,
	};
}

static void check_order(const struct versions *l, const char *want)
{
	char got[64] = "";
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%c%s",
				      version_sigil(&l->v[i]), l->v[i].name);
	CHECK_STR(got, want);
}

TEST(versions_are_sorted_by_txg_with_bookmarks_before_snapshots)
{
	cleanup(versions_free) struct versions l = { 0 };

	versions_add(&l, make(VERSION_SNAPSHOT, "c", 3, 30));
	versions_add(&l, make(VERSION_SNAPSHOT, "a", 1, 10));
	versions_add(&l, make(VERSION_BOOKMARK, "x", 3, 30));
	versions_add(&l, make(VERSION_SNAPSHOT, "b", 2, 20));
	versions_add(&l, make(VERSION_BOOKMARK, "w", 1, 10));
	versions_sort(&l);
	check_order(&l, "#w@a@b#x@c");
}

TEST(versions_sort_keeps_the_order_of_equals)
{
	cleanup(versions_free) struct versions l = { 0 };

	versions_add(&l, make(VERSION_SNAPSHOT, "z", 9, 1));
	versions_add(&l, make(VERSION_BOOKMARK, "c", 5, 1));
	versions_add(&l, make(VERSION_BOOKMARK, "a", 5, 1));
	versions_add(&l, make(VERSION_BOOKMARK, "b", 5, 1));
	versions_sort(&l);
	check_order(&l, "#c#a#b@z");
}

TEST(versions_sort_orders_two_thousand)
{
	cleanup(versions_free) struct versions l = { 0 };
	bool is_sorted = true;

	for (uint64_t i = 0; i < 2000; i++)
		versions_add(&l, make(VERSION_SNAPSHOT, "s", i * 7919 % 2003, i));
	versions_sort(&l);
	CHECK_INT(l.n, 2000);
	for (size_t i = 1; i < l.n; i++)
		if (l.v[i - 1].createtxg >= l.v[i].createtxg)
			is_sorted = false;
	CHECK(is_sorted);
}

TEST(versions_sort_takes_an_empty_list)
{
	struct versions l = { 0 };

	versions_sort(&l);
	CHECK_INT(l.n, 0);
}

TEST(versions_find_guid_prefers_the_snapshot)
{
	cleanup(versions_free) struct versions l = { 0 };

	versions_add(&l, make(VERSION_SNAPSHOT, "a", 1, 10));
	versions_add(&l, make(VERSION_BOOKMARK, "b", 1, 10));
	versions_sort(&l);
	REQUIRE(versions_find_guid(&l, 10) != NULL);
	CHECK_STR(versions_find_guid(&l, 10)->name, "a");
	CHECK(versions_find_guid(&l, 11) == NULL);
}

TEST(versions_find_tells_snapshots_from_bookmarks)
{
	cleanup(versions_free) struct versions l = { 0 };

	versions_add(&l, make(VERSION_BOOKMARK, "a", 1, 10));
	CHECK(versions_find(&l, VERSION_SNAPSHOT, "a") == NULL);
	CHECK(versions_find(&l, VERSION_BOOKMARK, "a") == &l.v[0]);
	CHECK(versions_find(&l, VERSION_BOOKMARK, "b") == NULL);
}

TEST(versions_have_relative_and_full_names)
{
	cleanup(version_fini) struct version s = make(VERSION_SNAPSHOT, "a b", 1, 1);
	cleanup(version_fini) struct version b = make(VERSION_BOOKMARK, "m", 1, 1);
	cleanup(str_freep) char *rel = version_relname(&s);
	cleanup(str_freep) char *full = version_fullname(&b, "p/x");

	CHECK_STR(rel, "@a b");
	CHECK_STR(full, "p/x#m");
}

TEST(versions_copy_copies_deeply)
{
	cleanup(versions_free) struct versions a = { 0 }, b = { 0 };

	versions_add(&a, make(VERSION_SNAPSHOT, "a", 1, 10));
	versions_copy(&b, &a);
	versions_copy(&b, &a);
	versions_free(&a);
	REQUIRE(b.n == 2);
	CHECK_STR(b.v[1].name, "a");
	CHECK_INT(b.v[1].guid, 10);
}

TEST_MAIN()
