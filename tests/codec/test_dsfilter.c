#include "codec/dsfilter.h"

#include "codec/dsname.h"
#include "tap.h"

#include <time.h>

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
	CHECK_STR(err_msg(&e), "\"tank<\" is there twice; remove one of them");
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

TEST(tens_of_thousands_of_patterns_are_no_matter)
{
	enum { N = 50000 };
	cleanup(dsfilter_free) struct dsfilter f = FILTER({ "tank<", true });
	cleanup(strs_free) struct strs subtrees = { 0 }, exact = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	clock_t begin = clock();
	char name[64];

	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "tank/a/dataset-%d%s", i, i % 2 ? "<" : "");
		if (dsfilter_add(&f, name, i % 3 == 0, &e) < 0)
			break;
	}
	CHECK_INT(f.n, N + 1);
	CHECK_INT(dsfilter_add(&f, "tank/a/dataset-49999<", true, &e), -1);
	CHECK(dsfilter_accepts(&f, "tank/a/dataset-3/x"));
	CHECK(!dsfilter_accepts(&f, "tank/a/dataset-4"));
	CHECK(dsfilter_accepts(&f, "tank/a/dataset-4/x"));
	CHECK(!dsfilter_accepts(&f, "tank/a/dataset-5/x"));
	CHECK(dsfilter_overlap(&f, &f, NULL));
	CHECK(dsfilter_reaches_below(&f, "tank/a", NULL));
	CHECK(!dsfilter_reaches_below(&f, "tank/a/dataset-5", NULL));
	dsfilter_roots(&f, &subtrees, &exact);
	CHECK_INT(subtrees.n, 1);
	/* far from what it takes to compare each with each */
	CHECK((double)(clock() - begin) / CLOCKS_PER_SEC < 1);
}

/* ---- all names there could be ---- */

static void check_overlap(const struct dsfilter *a, const struct dsfilter *b,
			  const char *want)
{
	cleanup(str_freep) char *one = NULL, *other = NULL;

	CHECK_INT(dsfilter_overlap(a, b, &one), want != NULL);
	CHECK_INT(dsfilter_overlap(b, a, &other), want != NULL);
	if (!want)
		CHECK(!one && !other);
	else
		CHECK_STR(one, want);
}

TEST(filters_overlap_where_both_accept)
{
	cleanup(dsfilter_free) struct dsfilter none = { 0 }, all = FILTER({ "<", true }),
					       tank = FILTER({ "tank<", true }),
					       exact = FILTER({ "tank/a/b", true }),
					       without = FILTER({ "tank<", true },
								{ "tank/a<", false }),
					       rest = FILTER({ "<", true },
							     { "tank<", false }),
					       refused = FILTER({ "tank<", false },
								{ "tank/x", false });

	check_overlap(&none, &all, NULL);
	check_overlap(&all, &all, "<");
	check_overlap(&all, &tank, "tank<");
	check_overlap(&tank, &exact, "tank/a/b");
	check_overlap(&exact, &exact, "tank/a/b");
	check_overlap(&without, &exact, NULL);
	check_overlap(&without, &tank, "tank<");
	check_overlap(&rest, &tank, NULL);
	check_overlap(&rest, &all, "<");
	check_overlap(&refused, &all, NULL);
}

TEST(names_that_cannot_be_do_not_overlap)
{
	char longest[ZFS_MAX_NAME + 2], room[ZFS_MAX_NAME];
	cleanup(dsfilter_free) struct dsfilter all = FILTER({ "<", true }),
					       odd = FILTER({ "", true }, { "/a<", true },
							    { "a//b", true },
							    { "\xc3\xa4<", true },
							    { "a/../b<", true });
	cleanup(dsfilter_free) struct dsfilter full = { 0 }, fits = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;

	check_overlap(&odd, &all, NULL);
	memset(longest, 'x', ZFS_MAX_NAME);
	longest[ZFS_MAX_NAME] = '<';
	longest[ZFS_MAX_NAME + 1] = '\0';
	CHECK_INT(dsfilter_add(&full, longest, true, &e), 0);
	longest[ZFS_MAX_NAME] = '\0';
	check_overlap(&full, &all, longest);
	CHECK_INT(dsfilter_add(&full, longest, false, &e), 0);
	check_overlap(&full, &all, NULL); /* a child would be too long */
	memset(room, 'x', sizeof(room) - 2);
	room[sizeof(room) - 2] = '<';
	room[sizeof(room) - 1] = '\0';
	CHECK_INT(dsfilter_add(&fits, room, true, &e), 0);
	check_overlap(&fits, &all, room);
}

static void check_below(const struct dsfilter *f, const char *root, const char *want)
{
	cleanup(str_freep) char *example = NULL;

	CHECK_INT(dsfilter_reaches_below(f, root, &example), want != NULL);
	CHECK_INT(dsfilter_reaches_below(f, root, NULL), want != NULL);
	if (!want)
		CHECK(!example);
	else
		CHECK_STR(example, want);
}

TEST(a_filter_reaches_below_a_root)
{
	cleanup(dsfilter_free) struct dsfilter tank = FILTER({ "tank<", true }),
					       at = FILTER({ "tank/root", true }),
					       below = FILTER({ "tank/root/a", true }),
					       out = FILTER({ "tank<", true },
							    { "tank/root<", false }),
					       in_out =
						       FILTER({ "tank<", true },
							      { "tank/root<", false },
							      { "tank/root/a/b<", true }),
					       beside = FILTER({ "tank/root2<", true }),
					       only_root =
						       FILTER({ "tank/root", true },
							      { "tank/root<", false });

	check_below(&tank, "tank/root", "tank/root<");
	check_below(&at, "tank/root", NULL);
	check_below(&below, "tank/root", "tank/root/a");
	check_below(&out, "tank/root", NULL);
	check_below(&in_out, "tank/root", "tank/root/a/b<");
	check_below(&beside, "tank/root", NULL);
	check_below(&only_root, "tank/root", NULL);
}

/*
 * The n-th name of components out of the first n_words: all of one component, then those
 * of two, and so on.
 */
static void put_name(char *out, size_t size, unsigned n, unsigned n_words)
{
	static const char words[][2] = { "a", "b", "z" };
	char tail[32] = "";

	out[0] = '\0';
	for (; n > 0; n = (n - 1) / n_words) {
		snprintf(out, size, "%s%s%s", words[(n - 1) % n_words], *tail ? "/" : "",
			 tail);
		snprintf(tail, sizeof(tail), "%s", out);
	}
}

/* Rules on "", and paths of a and b of up to three components. */
static struct dsfilter random_filter(unsigned *seed)
{
	struct dsfilter f = { 0 };
	char path[32], pattern[40];

	for (int i = rand_r(seed) % 5; i >= 0; i--) {
		cleanup(err_clear) struct err e = ERR_INIT;
		bool subtree = rand_r(seed) % 2;

		put_name(path, sizeof(path), (unsigned)rand_r(seed) % 15, 2);
		snprintf(pattern, sizeof(pattern), "%s%s", path, subtree ? "<" : "");
		if (dsfilter_add(&f, pattern, rand_r(seed) % 2, &e) < 0)
			CHECK(strstr(err_msg(&e), "twice"));
	}
	return f;
}

TEST(the_answers_are_those_of_all_names_there_are)
{
	enum { N_NAMES = 3 + 9 + 27 + 81 };
	unsigned seed = 1;
	int n_yes = 0;

	for (int round = 0; round < 3000; round++) {
		cleanup(dsfilter_free) struct dsfilter a = random_filter(&seed),
						       b = random_filter(&seed);
		bool overlap = false, below = false;
		char name[32], root[32];

		put_name(root, sizeof(root), 1 + (unsigned)rand_r(&seed) % 6, 2);
		for (unsigned n = 1; n <= N_NAMES; n++) {
			put_name(name, sizeof(name), n, 3);
			if (!dsfilter_accepts(&a, name))
				continue;
			overlap = overlap || dsfilter_accepts(&b, name);
			below = below || dsname_is_below(name, root);
		}
		CHECK_INT(dsfilter_overlap(&a, &b, NULL), overlap);
		CHECK_INT(dsfilter_reaches_below(&a, root, NULL), below);
		n_yes += overlap + below;
	}
	CHECK(n_yes > 500 && n_yes < 5500);
}

TEST_MAIN()
