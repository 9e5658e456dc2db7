#include "endpoint/path_index.h"

#include "tap.h"

static void fill(struct path_index *x)
{
	static const char *const paths[] = { "tank", "tank/b", "tank/a/x", "tanker",
					     "tank/a-x" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		path_index_add(x, paths[i]);
	CHECK(path_index_sort(x) == NULL);
}

TEST(paths_are_found_by_the_number_they_were_added_with)
{
	cleanup(path_index_free) struct path_index x = { 0 };
	size_t i = 99;

	fill(&x);
	CHECK(path_index_find(&x, VIEW("tank"), &i));
	CHECK_INT(i, 0);
	CHECK(path_index_find(&x, VIEW("tank/a-x"), &i));
	CHECK_INT(i, 4);
	CHECK(!path_index_find(&x, VIEW("tan"), &i));
	CHECK(!path_index_find(&x, VIEW("tank/a"), &i));
	CHECK(!path_index_find(&x, VIEW(""), &i));
}

TEST(above_means_whole_components)
{
	cleanup(path_index_free) struct path_index x = { 0 };
	size_t i = 99;

	fill(&x);
	CHECK(path_index_above(&x, "tank/a/x", &i));
	CHECK_INT(i, 0);
	CHECK(path_index_above(&x, "tank/a/x/y/z", &i));
	CHECK_INT(i, 2);
	CHECK(!path_index_above(&x, "tanker", &i));
	CHECK(!path_index_above(&x, "tank", &i));
}

TEST(a_path_that_was_added_twice_is_reported)
{
	cleanup(path_index_free) struct path_index x = { 0 };

	path_index_add(&x, "b");
	path_index_add(&x, "a");
	path_index_add(&x, "b");
	CHECK_STR(path_index_sort(&x), "b");
}

TEST(an_empty_index_finds_nothing)
{
	struct path_index x = { 0 };
	size_t i;

	CHECK(path_index_sort(&x) == NULL);
	CHECK(!path_index_find(&x, VIEW("a"), &i));
}

TEST_MAIN()
