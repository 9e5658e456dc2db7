#include "replicate/diff.h"

#include "base/buf.h"
#include "fake_endpoint.h"
#include "tap.h"

/* "path @b2 @c3", or the outcome by name */
static char *diff_text(const struct diff *d)
{
	static const char *const names[] = {
		[DIFF_PATH] = "path",
		[DIFF_UP_TO_DATE] = "already present",
		[DIFF_NO_COMMON] = "no common ancestor",
		[DIFF_DIVERGED] = "diverged",
		[DIFF_NO_SENDER_VERSIONS] = "no sender versions",
	};
	struct buf b = { 0 };

	buf_printf(&b, "%s", names[d->outcome]);
	for (size_t i = 0; i < d->n && d->outcome == DIFF_PATH; i++)
		buf_printf(&b, " %c%s%d", version_sigil(d->path[i]), d->path[i]->name,
			   (int)d->path[i]->guid);
	return buf_take(&b);
}

static const struct {
	const char *receiver, *sender, *want;
} vectors[] = {
	{ "@a1 @b2", "@a1 @b2 @c3 @d4", "path @b2 @c3 @d4" },
	{ "", "@a1", "no common ancestor" },
	{ "@a1 @b2", "@c3 @d4", "no common ancestor" },
	{ "@a1 @b'2", "@a1 @b''3", "diverged" },
	{ "@a1 @b2 @c3", "@a1 @c3 @d4", "path @c3 @d4" },
	{ "@a1 @b2", "@a1 @b2", "already present" },
	{ "@c3", "@a1 @b2 @c3", "already present" },
	{ "", "", "no sender versions" },
	{ "@a1", "", "no sender versions" },
	{ "@a1", "#a1 @b2", "path #a1 @b2" },
	{ "@a1", "#a1 #b2 @c3", "path #a1 @c3" },
	{ "@a1", "#a1 @a1 @b2", "path @a1 @b2" },
	{ "@a1", "@a1 #a1 @b2", "path @a1 @b2" },
	{ "@a1 #b2", "@a1 @c3", "path @a1 @c3" },
	{ "#a1", "@a1 @b2", "no common ancestor" },
	{ "@a1", "#a1", "already present" },
	{ "@a1 @b2 @x8 @y9", "@a1 @b2 @c3", "diverged" },
};

TEST(every_pair_of_listings_has_its_outcome)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		cleanup(versions_free) struct versions r =
			fake_versions(vectors[i].receiver);
		cleanup(versions_free) struct versions s =
			fake_versions(vectors[i].sender);
		cleanup(str_freep) char *got = NULL;
		struct diff d;

		diff_versions(&s, &r, &d);
		got = diff_text(&d);
		if (!CHECK_STR(got, vectors[i].want))
			printf("# receiver %s, sender %s\n", vectors[i].receiver,
			       vectors[i].sender);
		diff_free(&d);
	}
}

static char *explain(const char *sender, const char *receiver)
{
	cleanup(versions_free) struct versions s = fake_versions(sender);
	cleanup(versions_free) struct versions r = fake_versions(receiver);
	struct diff d;
	char *text;

	diff_versions(&s, &r, &d);
	text = diff_explain(&d, &s, &r);
	diff_free(&d);
	return text;
}

TEST(a_divergence_is_explained_by_what_comes_after_the_common_version)
{
	cleanup(str_freep) char *text = explain("@a1 @b3", "@a1 @b2");

	CHECK_STR(text,
		  "the newest common version is @a (guid 1); only the sender has @b "
		  "(guid 3); only the receiver has @b (guid 2)");
}

TEST(long_lists_are_explained_by_their_ends_and_number)
{
	cleanup(str_freep) char *text = explain("@a1 #b2 @c3 @d4", "@x7 #y8 @z9");

	CHECK_STR(text, "only the sender has @a (guid 1) ... @d (guid 4), 4 in all; only "
			"the receiver has @x (guid 7), @z (guid 9)");
}

TEST(a_side_that_has_nothing_is_explained_so)
{
	cleanup(str_freep) char *text = explain("@a1", "#b2");

	CHECK_STR(text, "only the sender has @a (guid 1); only the receiver has nothing");
}

static void add_many(struct versions *l, uint64_t first, size_t n)
{
	for (uint64_t i = 0; i < n; i++)
		versions_add(l, (struct version){ .name = xstrdup("s"),
						  .guid = (first + i) * 7919 % 1000003,
						  .createtxg = i + 1 });
}

TEST(the_oldest_snapshots_may_be_the_only_common_ones_of_long_lists)
{
	enum { N = 50000 };
	cleanup(versions_free) struct versions s = { 0 }, r = { 0 };
	struct diff d;

	add_many(&s, 0, 2);
	add_many(&s, 100000, N);
	add_many(&r, 0, 2);
	add_many(&r, 200000, N);
	diff_versions(&s, &r, &d);
	CHECK_INT(d.outcome, DIFF_DIVERGED);
	CHECK(d.common_sender == &s.v[1]);
	CHECK(d.common_receiver == &r.v[1]);
	diff_free(&d);
}

TEST_MAIN()
