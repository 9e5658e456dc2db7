#include "codec/dsfilter.h"
#include "tap.h"

struct rule {
	const char *pattern;
	bool accept;
};

#define FILTER(...) make_filter((const struct rule[]){ __VA_ARGS__, { NULL, 0 } })

static struct dsfilter make_filter(const struct rule *rules)
{
	struct dsfilter f = { 0 };

	for (; rules->pattern; rules++) {
		cleanup(err_clear) struct err e = ERR_INIT;

		CHECK_INT(dsfilter_add(&f, rules->pattern, rules->accept, &e), 0);
	}
	return f;
}

TEST(the_deepest_subtree_decides_unless_there_is_an_exact_rule)
{
	cleanup(dsfilter_free) struct dsfilter f = FILTER(
		{ "tank<", true }, { "tank/foo<", false }, { "tank/foo/bar", true });

	CHECK(dsfilter_accepts(&f, "tank"));
	CHECK(dsfilter_accepts(&f, "tank/bar"));
	CHECK(!dsfilter_accepts(&f, "tank/foo"));
	CHECK(dsfilter_accepts(&f, "tank/foo/bar"));
	CHECK(!dsfilter_accepts(&f, "tank/foo/bar/loo"));
	CHECK(!dsfilter_accepts(&f, "tank2"));
	CHECK(!dsfilter_accepts(&f, "zroot"));
}

TEST(an_exact_rule_beats_the_subtree_of_the_same_name)
{
	cleanup(dsfilter_free) struct dsfilter f =
		FILTER({ "tank/home/bob", true }, { "tank/home/bob<", false });

	CHECK(dsfilter_accepts(&f, "tank/home/bob"));
	CHECK(!dsfilter_accepts(&f, "tank/home/bob/dl"));
}

TEST(an_exact_rule_reaches_into_a_refused_subtree)
{
	cleanup(dsfilter_free) struct dsfilter f = FILTER(
		{ "tank/home/x/1", true }, { "tank/home/x<", false }, { "tank<", true });

	CHECK(dsfilter_accepts(&f, "tank/home/x/1"));
	CHECK(!dsfilter_accepts(&f, "tank/home/x/2"));
	CHECK(dsfilter_accepts(&f, "tank/home/y"));
}

TEST(everything_but_one_dataset)
{
	cleanup(dsfilter_free) struct dsfilter f =
		FILTER({ "<", true }, { "secret", false });

	CHECK(!dsfilter_accepts(&f, "secret"));
	CHECK(dsfilter_accepts(&f, "secret/child"));
	CHECK(dsfilter_accepts(&f, "any/thing"));
}

TEST(an_empty_filter_accepts_nothing)
{
	struct dsfilter f = { 0 };

	CHECK(!dsfilter_accepts(&f, "tank"));
	dsfilter_free(&f);
}

TEST(malformed_patterns_are_refused)
{
	static const char *const cases[] = { "*",      "tank/*", "tank/<", "a<b",  "<<",
					     "tank<<", "a@b",    "a#b",    "tank/" };
	cleanup(dsfilter_free) struct dsfilter f = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;

		if (!CHECK_INT(dsfilter_add(&f, cases[i], true, &e), -1))
			printf("# %s\n", cases[i]);
		CHECK_INT(e.kind, ERR_INVALID);
	}
	CHECK_INT(f.n, 0);
}

TEST(a_pattern_may_be_there_once)
{
	cleanup(dsfilter_free) struct dsfilter f =
		FILTER({ "tank<", true }, { "tank", false }, { "", true });
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK_INT(dsfilter_add(&f, "tank<", true, &e), -1);
	CHECK_STR(err_msg(&e), "filter pattern 'tank<' is there twice");
	CHECK_INT(dsfilter_add(&f, "tank", false, &e), -1);
	CHECK_INT(f.n, 3);
}

static void check_roots(const struct dsfilter *f, const char *subtrees, const char *exact)
{
	cleanup(strs_free) struct strs s = { 0 }, x = { 0 };
	cleanup(str_freep) char *s_joined = NULL, *x_joined = NULL;

	dsfilter_roots(f, &s, &x);
	s_joined = strs_join(&s, ",");
	x_joined = strs_join(&x, ",");
	CHECK_STR(s_joined, subtrees);
	CHECK_STR(x_joined, exact);
}

TEST(roots_are_the_topmost_accepted_subtrees_and_what_lies_outside)
{
	cleanup(dsfilter_free) struct dsfilter f =
		FILTER({ "tank/a<", true }, { "tank/a/b<", false },
		       { "tank/a/b/c<", true }, { "tank/a/x", true }, { "tank/ab", true },
		       { "tank/z<", true }, { "tank/z", true }, { "pool<", false },
		       { "pool/y", true }, { "pool/n", false });

	check_roots(&f, "tank/a,tank/z", "tank/ab,pool/y");
}

TEST(the_root_of_everything_covers_all_others)
{
	cleanup(dsfilter_free) struct dsfilter f =
		FILTER({ "tank<", true }, { "<", true }, { "x", true }, { "y<", false });

	check_roots(&f, "", "");
	CHECK(dsfilter_accepts(&f, "tank"));
}

TEST(patterns_that_no_dataset_can_have_are_no_roots)
{
	cleanup(dsfilter_free) struct dsfilter f =
		FILTER({ "/tank<", true }, { "a//b", true }, { "", true }, { "b", true });

	check_roots(&f, "", "b");
}

TEST_MAIN()
