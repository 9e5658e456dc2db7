#include "replicate/plan.h"

#include "base/buf.h"
#include "fake_endpoint.h"
#include "tap.h"

struct world {
	struct ep_filesystem sender, receiver;
	struct versions s, r;
	struct resume_token token;
	struct plan_input in;
};

/* receiver NULL: it does not have the path */
static void setup(struct world *w, const char *sender, const char *receiver)
{
	static char path[] = "tank/a";

	*w = (struct world){ .sender = { .path = path },
			     .receiver = { .path = path },
			     .s = fake_versions(sender),
			     .r = fake_versions(receiver ? receiver : "") };
	w->in = (struct plan_input){
		.sender = &w->sender,
		.receiver = receiver ? &w->receiver : NULL,
		.sender_versions = &w->s,
		.receiver_versions = &w->r,
		.initial_replication = INITIAL_MOST_RECENT,
		.protection = { PROTECTION_RESUMABILITY, PROTECTION_RESUMABILITY },
	};
}

static void teardown(struct world *w)
{
	versions_free(&w->s);
	versions_free(&w->r);
}

static void set_token(struct world *w, uint64_t from, uint64_t to)
{
	static char text[] = "1-abc", name[] = "tank/a@half";

	w->receiver.resume_token = text;
	w->token = (struct resume_token){ .has_from_guid = from > 0,
					  .from_guid = from,
					  .to_guid = to,
					  .to_name = name };
	w->in.token = &w->token;
}

/* "@a1>@b2 @b2>@c3", "full>@a1", "resume:@a1>@b2" */
static char *plan_text(const struct plan *p)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		const struct step *s = &p->v[i];

		buf_printf(&b, "%s%s", i ? " " : "", s->token ? "resume:" : "");
		if (s->has_from)
			buf_printf(&b, "%c%s%d", version_sigil(&s->from), s->from.name,
				   (int)s->from.guid);
		else
			buf_printf(&b, "full");
		buf_printf(&b, ">%c%s%d", version_sigil(&s->to), s->to.name,
			   (int)s->to.guid);
	}
	return b.p ? buf_take(&b) : xstrdup("nothing");
}

/* The plan, or the error; the caller frees. */
static char *outcome(const struct world *w)
{
	cleanup(plan_free) struct plan p = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;

	if (plan_make(&w->in, &p, &e) == 0)
		return plan_text(&p);
	CHECK_INT(e.kind, ERR_INVALID);
	CHECK_INT(p.n, 0);
	return xstrdup(err_msg(&e));
}

#define CHECK_PLAN(w, want)                                 \
	do {                                                \
		cleanup(str_freep) char *got = outcome(&w); \
		CHECK_STR(got, want);                       \
	} while (0)

#define CHECK_FAILS(w, text)                                              \
	do {                                                              \
		cleanup(str_freep) char *got = outcome(&w);               \
		if (!CHECK(strstr(got, text) != NULL))                    \
			printf("# got \"%s\"\n# no \"%s\"\n", got, text); \
	} while (0)

TEST(what_the_receiver_lacks_is_sent_in_increments)
{
	cleanup(teardown) struct world w;

	setup(&w, "@a1 @b2 #b2 @c3 @d4", "@a1 @b2");
	CHECK_PLAN(w, "@b2>@c3 @c3>@d4");
}

TEST(a_bookmark_starts_the_first_increment_when_its_snapshot_is_gone)
{
	cleanup(teardown) struct world w;

	setup(&w, "#a1 @b2 @c3", "@a1");
	CHECK_PLAN(w, "#a1>@b2 @b2>@c3");
}

TEST(nothing_new_is_nothing_to_do)
{
	cleanup(teardown) struct world w;

	setup(&w, "@a1 @b2", "@a1 @b2");
	CHECK_PLAN(w, "nothing");
}

TEST(initial_replication_follows_its_setting)
{
	cleanup(teardown) struct world w;

	setup(&w, "@a1 #b2 @c3 @d4 #d5", NULL);
	CHECK_PLAN(w, "full>@d4");
	w.in.initial_replication = INITIAL_ALL;
	CHECK_PLAN(w, "full>@a1 @a1>@c3 @c3>@d4");
	w.in.initial_replication = INITIAL_FAIL;
	CHECK_PLAN(w, "automatic conflict resolution for initial replication is disabled "
		      "in config");
}

TEST(all_goes_by_createtxg_even_if_names_sort_differently)
{
	cleanup(teardown) struct world w;

	setup(&w, "@z1 @a2 @m3", NULL);
	w.in.initial_replication = INITIAL_ALL;
	CHECK_PLAN(w, "full>@z1 @z1>@a2 @a2>@m3");
}

TEST(a_receiver_with_only_bookmarks_or_a_placeholder_is_empty)
{
	cleanup(teardown) struct world w, p;

	setup(&w, "@a1 @b2", "#a1");
	CHECK_PLAN(w, "full>@b2");
	setup(&p, "@a1 @b2", "");
	p.receiver.is_placeholder = true;
	CHECK_PLAN(p, "full>@b2");
}

TEST(a_sender_with_only_bookmarks_has_nothing_to_begin_with)
{
	static const enum initial_replication all[] = { INITIAL_MOST_RECENT, INITIAL_ALL,
							INITIAL_FAIL };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		cleanup(teardown) struct world w;

		setup(&w, "#a1 #b2", NULL);
		w.in.initial_replication = all[i];
		CHECK_PLAN(w, "no snapshots available on sender side");
	}
}

TEST(a_sender_without_versions_is_an_error)
{
	cleanup(teardown) struct world w;

	setup(&w, "", "@a1");
	CHECK_PLAN(w, "sender does not have any versions");
	set_token(&w, 0, 1);
	CHECK_PLAN(w, "sender does not have any versions");
}

TEST(conflicts_name_both_sides)
{
	cleanup(teardown) struct world none, diverged;

	setup(&none, "@c3 @d4", "@a1 @b2");
	CHECK_FAILS(none,
		    "no common snapshot or bookmark of sender and receiver: only the "
		    "sender has @c (guid 3), @d (guid 4); only the receiver has @a");
	setup(&diverged, "@a1 @b3", "@a1 @b2");
	CHECK_FAILS(diverged, "diverged: the newest common version is @a (guid 1)");
}

TEST(a_placeholder_is_sent_only_to_a_placeholder_or_nowhere)
{
	cleanup(teardown) struct world w;

	setup(&w, "", NULL);
	w.sender.is_placeholder = true;
	CHECK_PLAN(w, "nothing");
	w.in.receiver = &w.receiver;
	w.receiver.is_placeholder = true;
	CHECK_PLAN(w, "nothing");
	w.receiver.is_placeholder = false;
	CHECK_PLAN(w, "sender filesystem is placeholder, but receiver filesystem is not");
}

/* ---- resume tokens ---- */

TEST(a_token_is_the_first_step_and_increments_follow)
{
	cleanup(teardown) struct world w;

	setup(&w, "@a1 @b2 #b2 @c3 @d4", "@a1");
	set_token(&w, 1, 2);
	CHECK_PLAN(w, "resume:@a1>@b2 @b2>@c3 @c3>@d4");
}

TEST(a_token_wins_over_the_setting_for_initial_replication)
{
	cleanup(teardown) struct world w;

	setup(&w, "@a1 @b2 @c3", "");
	w.in.initial_replication = INITIAL_FAIL;
	set_token(&w, 0, 2);
	CHECK_PLAN(w, "resume:full>@b2 @b2>@c3");
}

TEST(a_token_may_start_at_a_bookmark_but_prefers_the_snapshot)
{
	cleanup(teardown) struct world b, s;

	setup(&b, "#a1 @b2", "@a1");
	set_token(&b, 1, 2);
	CHECK_PLAN(b, "resume:#a1>@b2");
	setup(&s, "#a1 @a1 @b2", "@a1");
	set_token(&s, 1, 2);
	CHECK_PLAN(s, "resume:@a1>@b2");
}

TEST(a_token_from_a_guid_to_itself_is_refused)
{
	cleanup(teardown) struct world w;

	setup(&w, "@a1 @b2", "@a1");
	set_token(&w, 2, 2);
	CHECK_FAILS(w, "to itself");
}

TEST(a_token_whose_snapshot_is_gone_is_a_conflict_if_resumability_was_promised)
{
	cleanup(teardown) struct world w;

	setup(&w, "@a1 #b2 @c3", "@a1");
	set_token(&w, 1, 2);
	CHECK_FAILS(w, "tank/a@half");
	CHECK_FAILS(w, "guid 2");
	CHECK_FAILS(w, "zfs receive -A");
}

TEST(a_token_whose_snapshot_is_gone_is_dropped_if_nothing_was_promised)
{
	cleanup(teardown) struct world w;

	setup(&w, "@a1 @c3", "@a1");
	set_token(&w, 1, 2);
	w.in.protection.incremental = PROTECTION_INCREMENTAL;
	CHECK_PLAN(w, "@a1>@c3");
	w.in.protection.incremental = PROTECTION_NOTHING;
	CHECK_PLAN(w, "@a1>@c3");
}

TEST(the_promise_for_initial_steps_rules_full_tokens)
{
	cleanup(teardown) struct world w;

	setup(&w, "@c3", "");
	set_token(&w, 0, 2);
	w.in.protection.initial = PROTECTION_NOTHING;
	CHECK_PLAN(w, "full>@c3");
	w.in.protection.initial = PROTECTION_RESUMABILITY;
	w.in.protection.incremental = PROTECTION_NOTHING;
	CHECK_FAILS(w, "guid 2");
}

TEST(a_token_whose_incremental_source_is_gone_is_treated_alike)
{
	cleanup(teardown) struct world w;

	setup(&w, "@b2 @c3", "");
	set_token(&w, 1, 2);
	CHECK_FAILS(w, "incremental source, guid 1");
	w.in.protection.incremental = PROTECTION_NOTHING;
	CHECK_PLAN(w, "full>@c3");
}

TEST(a_plan_owns_what_it_says)
{
	cleanup(plan_free) struct plan p = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *text = NULL;
	struct world w;

	setup(&w, "@a1 @b2", "@a1");
	set_token(&w, 1, 2);
	REQUIRE(plan_make(&w.in, &p, &e) == 0);
	teardown(&w);
	text = plan_text(&p);
	CHECK_STR(text, "resume:@a1>@b2");
	CHECK_STR(p.v[0].token, "1-abc");
}

/* ---- after an attempt that failed ---- */

static struct plan make(const char *sender, const char *receiver)
{
	cleanup(teardown) struct world w;
	cleanup(err_clear) struct err e = ERR_INIT;
	struct plan p = { 0 };

	setup(&w, sender, receiver);
	w.in.initial_replication = INITIAL_ALL;
	CHECK_INT(plan_make(&w.in, &p, &e), 0);
	return p;
}

/* The new plan after it was limited, or the error. */
static char *limited(const char *sender, const char *receiver, const struct plan *before,
		     size_t from_step)
{
	cleanup(plan_free) struct plan p = make(sender, receiver);
	cleanup(err_clear) struct err e = ERR_INIT;

	if (plan_limit(&p, before, from_step, &e) < 0) {
		CHECK_INT(e.kind, ERR_INVALID);
		return xstrdup(err_msg(&e));
	}
	return plan_text(&p);
}

static const char *const cannot =
	"cannot correlate previously failed attempt to current plan";

static const struct {
	const char *what;
	const char *sender_before, *receiver_before;
	size_t from_step;
	const char *sender, *receiver, *want;
} limits[] = {
	{ "new snapshots wait, the last intended step is kept", "@a1 @b2 @c3", "@a1", 1,
	  "@a1 @b2 @c3 @d4", "@a1 @b2", "@b2>@c3" },
	{ "a single step that is left is done again", "@a1 @b2", "@a1", 0, "@a1 @b2",
	  "@a1", "@a1>@b2" },
	{ "an initial step that is left is done again", "@a1", NULL, 0, "@a1 @b2", NULL,
	  "full>@a1" },
	{ "all that was left has arrived after all", "@a1 @b2", "@a1", 0, "@a1 @b2",
	  "@a1 @b2", "nothing" },
	{ "a part of what was left has arrived", "@a1 @b2 @c3", "@a1", 0,
	  "@a1 @b2 @c3 @d4", "@a1 @b2", "@b2>@c3" },
	{ "nothing was left", "@a1 @b2", "@a1", 1, "@a1 @b2 @c3", "@a1 @b2", "@b2>@c3" },
	{ "a snapshot in the middle is gone", "@a1 @b2 @c3", "@a1", 0, "@a1 @c3 @d4",
	  "@a1", cannot },
};

TEST(a_new_plan_goes_no_further_than_the_one_before)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		cleanup(plan_free) struct plan before =
			make(limits[i].sender_before, limits[i].receiver_before);
		cleanup(str_freep) char *got =
			limited(limits[i].sender, limits[i].receiver, &before,
				limits[i].from_step);

		if (!CHECK_STR(got, limits[i].want))
			printf("# %s\n", limits[i].what);
	}
}

TEST_MAIN()
