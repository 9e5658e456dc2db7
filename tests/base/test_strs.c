#include "base/strs.h"
#include "tap.h"

static char *joined(const struct strs *l)
{
	return strs_join(l, "|");
}

TEST(a_list_keeps_its_own_copies_in_order)
{
	cleanup(strs_free) struct strs l = { 0 };
	cleanup(str_freep) char *text = NULL;
	char word[] = "b";

	strs_add(&l, word);
	word[0] = 'x';
	strs_addf(&l, "%s-%d", "a", 7);
	strs_take(&l, xstrdup("c"));
	text = joined(&l);
	CHECK_STR(text, "b|a-7|c");
	CHECK(strs_has(&l, "a-7"));
	CHECK(!strs_has(&l, "a"));
}

TEST(an_empty_list_is_usable)
{
	cleanup(strs_free) struct strs l = { 0 };
	cleanup(str_freep) char *text = joined(&l);

	CHECK_STR(text, "");
	CHECK(!strs_has(&l, ""));
	strs_sort(&l);
	CHECK(strs_argv(&l)[0] == NULL);
	CHECK_INT(l.n, 0);
}

TEST(sorting_goes_by_bytes)
{
	cleanup(strs_free) struct strs l = { 0 };
	cleanup(str_freep) char *text = NULL;

	strs_add(&l, "b");
	strs_add(&l, "\xc3\xa4");
	strs_add(&l, "a/b");
	strs_add(&l, "B");
	strs_add(&l, "a");
	strs_sort(&l);
	text = joined(&l);
	CHECK_STR(text, "B|a|a/b|b|\xc3\xa4");
}

TEST(copying_appends)
{
	cleanup(strs_free) struct strs from = { 0 }, to = { 0 };
	cleanup(str_freep) char *text = NULL;

	strs_add(&to, "a");
	strs_add(&from, "b");
	strs_add(&from, "c");
	strs_copy(&to, &from);
	text = joined(&to);
	CHECK_STR(text, "a|b|c");
	CHECK(to.v[1] != from.v[0]);
}

TEST(argv_ends_with_null_at_every_length)
{
	cleanup(strs_free) struct strs l = { 0 };

	for (size_t n = 0; n < 40; n++) {
		const char *const *argv = strs_argv(&l);

		CHECK(argv[n] == NULL);
		CHECK_INT(l.n, n);
		if (n > 0)
			CHECK_STR(argv[n - 1], l.v[n - 1]);
		strs_addf(&l, "%zu", n);
	}
}

TEST(freeing_leaves_an_empty_list)
{
	struct strs l = { 0 };

	strs_add(&l, "a");
	strs_free(&l);
	CHECK(l.v == NULL);
	CHECK_INT(l.n, 0);
	strs_free(&l);
}

TEST_MAIN()
