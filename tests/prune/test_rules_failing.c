/*
 * What becomes of snapshots when a pattern cannot be evaluated.  The real engine hardly
 * ever fails, so this test brings its own: a pattern is a prefix, and names that contain
 * '!' cannot be evaluated.
 */
#include "keeps.h"

struct regex {
	char *prefix;
};

struct regex *regex_new(const char *pattern, struct err *err)
{
	struct regex *r = xcalloc(1, sizeof(*r));

	(void)err;
	r->prefix = xstrdup(pattern);
	return r;
}

const char *regex_pattern(const struct regex *r)
{
	return r->prefix;
}

int regex_matches(const struct regex *r, const char *text, struct err *err)
{
	if (strchr(text, '!'))
		return err_set(err, ERR_INTERNAL, "match limit");
	return strncmp(text, r->prefix, strlen(r->prefix)) == 0;
}

void regex_free(struct regex *r)
{
	if (r)
		free(r->prefix);
	free(r);
}

enum { N = 5 };

/* Ages 40, 30, 20, 10 and 0 minutes; the names are given. */
static char *decide(const char *rule, const char *const names[N], struct err *e)
{
	struct prune_snap s[N];
	struct keeps k = { 0 };
	char *r;

	for (int i = 0; i < N; i++)
		s[i] = (struct prune_snap){ .name = names[i],
					    .creation_s = 600 * (i + 1) };
	keeps_add(&k, rule);
	CHECK_INT(prune_decide(&k.conf, s, N, e), -1);
	for (int i = 0; i < N; i++)
		if (strchr(names[i], '!'))
			CHECK_INT(s[i].reason.why, PRUNE_RULE_FAILED);
	r = destroyed(s, N);
	keeps_free(&k);
	return r;
}

TEST(a_snapshot_about_which_a_regex_fails_is_kept_and_the_rest_decided)
{
	const char *const names[N] = { "a1", "b2", "b!3", "b4", "a5" };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *got = decide("regex a", names, &e);

	CHECK_STR(got, "b2 b4");
	CHECK_INT(e.kind, ERR_INTERNAL);
	CHECK_STR(err_msg(&e), "rule regex a: snapshot b!3: match limit");
}

TEST(the_first_of_several_failures_is_reported)
{
	const char *const names[N] = { "a1", "x!2", "x!3", "x!4", "a5" };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *got = decide("!regex a", names, &e);

	CHECK_STR(got, "a1 a5");
	CHECK_STR(err_msg(&e), "rule !regex a: snapshot x!2: match limit");
}

TEST(last_n_does_not_count_what_it_cannot_evaluate)
{
	const char *const names[N] = { "a1", "a2", "a3", "a!4", "a5" };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *got = decide("last_n 2 a", names, &e);

	CHECK_STR(got, "a1 a2");
}

TEST(a_grid_goes_on_when_the_unknown_one_is_not_the_youngest)
{
	const char *const names[N] = { "a1", "a2", "a!3", "a4", "a5" };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *got = decide("grid 1x1h a", names, &e);

	CHECK_STR(got, "a2 a4 a5");
}

TEST(a_grid_whose_anchor_is_unknown_keeps_all_that_matches)
{
	const char *const names[N] = { "a1", "x2", "a3", "a4", "a!5" };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *got = decide("grid 1x1h a", names, &e);

	CHECK_STR(got, "x2");
}

TEST(of_several_unknown_ones_the_youngest_tells_whether_the_anchor_is_known)
{
	const char *const names[N] = { "a!1", "x2", "a3", "a4", "a!5" };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *got = decide("grid 1x1h a", names, &e);

	CHECK_STR(got, "x2");
}

TEST(another_rule_that_keeps_it_is_named_instead_of_the_failure)
{
	struct prune_snap s = { .name = "a!" };
	struct keeps k = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;

	keeps_add(&k, "regex a");
	keeps_add(&k, "last_n 1");
	CHECK_INT(prune_decide(&k.conf, &s, 1, &e), -1);
	CHECK_INT(s.reason.why, PRUNE_KEPT_BY_RULE);
	CHECK_INT(s.reason.rule, 2);
	keeps_free(&k);
}

TEST_MAIN()
