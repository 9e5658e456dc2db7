#include "keeps.h"

#include <inttypes.h>
#include <stdarg.h>

enum { MAX_SNAPS = 40, NAME = 24 };

struct snap_at {
	const char *name;
	int64_t age_s;
	bool replicated;
};

/* In the order given, which stands for createtxg. */
static void fill(struct prune_snap *s, const struct snap_at *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s[i] = (struct prune_snap){ .name = at[i].name,
					    .creation_s = 1700000000 - at[i].age_s,
					    .replicated = at[i].replicated };
}

/* Names of the destroyed ones; rules end with NULL. */
static char *decide(const struct snap_at *at, size_t n, ...)
{
	struct prune_snap s[MAX_SNAPS];
	struct keeps k = { 0 };
	struct err e = ERR_INIT;
	const char *rule;
	va_list ap;
	char *r;

	va_start(ap, n);
	while ((rule = va_arg(ap, const char *)))
		keeps_add(&k, rule);
	va_end(ap);
	fill(s, at, n);
	CHECK_INT(prune_decide(&k.conf, s, n, &e), 0);
	for (size_t i = 0; i < n; i++)
		CHECK(s[i].destroy == (s[i].reason.why == PRUNE_NO_RULE_KEEPS));
	r = destroyed(s, n);
	keeps_free(&k);
	return r;
}

#define CHECK_DESTROYED(want, at, ...)                                \
	do {                                                          \
		cleanup(str_freep) char *got_ =                       \
			decide(at, ARRAY_LEN(at), __VA_ARGS__, NULL); \
		CHECK_STR(got_, want);                                \
	} while (0)

static void check_reason(const struct conf_keeps *rules, const struct prune_snap *s,
			 const char *want)
{
	cleanup(str_freep) char *got = prune_reason_text(rules, &s->reason);

	CHECK_STR(got, want);
}

enum { M = 60, H = 60 * M, D = 24 * H };

TEST(a_full_bucket_of_a_grid_loses_its_youngest)
{
	const struct snap_at at[] = {
		{ "e", 60, 0 }, { "d", 59, 0 }, { "c", 20, 0 },
		{ "b", 10, 0 }, { "a", 0, 0 },
	};

	CHECK_DESTROYED("e b a", at, "grid 1x1m(keep=2)");
}

TEST(a_grid_destroys_the_lower_createtxg_first_among_equal_dates)
{
	const struct snap_at at[] = { { "a", 0, 0 }, { "b", 0, 0 }, { "c", 0, 0 } };

	CHECK_DESTROYED("a b", at, "grid 1x1m");
}

TEST(a_grid_never_ages_out_the_youngest_whatever_the_time_is)
{
	const struct snap_at at[] = { { "a", 999999, 0 } };

	CHECK_DESTROYED("", at, "grid 1x1h|1x1d");
}

TEST(a_grid_of_three_intervals_keeps_the_oldest_of_each_bucket)
{
	const struct snap_at at[] = {
		{ "15d1h", 15 * D + H, 0 }, { "15d", 15 * D, 0 },
		{ "26h", 26 * H, 0 },       { "25h", 25 * H, 0 },
		{ "119m", 119 * M, 0 },     { "90m", 90 * M, 0 },
		{ "60m", 60 * M, 0 },       { "59m", 59 * M, 0 },
		{ "15m", 15 * M, 0 },       { "0m", 0, 0 },
	};

	CHECK_DESTROYED("15d1h 25h 90m 60m", at, "grid 1x1h(keep=all)|24x1h|14x1d");
}

static const struct snap_at worked[] = {
	{ "man_1", 5000 * M, 0 }, { "z_j", 480 * M, 0 }, { "z_i", 300 * M, 0 },
	{ "z_h", 290 * M, 0 },    { "z_g", 180 * M, 0 }, { "z_f", 179 * M, 0 },
	{ "z_e", 100 * M, 0 },    { "z_d", 60 * M, 0 },  { "z_c", 59 * M, 0 },
	{ "z_b", 25 * M, 0 },     { "z_a", 0, 0 },
};

TEST(a_grid_destroys_what_its_regex_does_not_match)
{
	CHECK_DESTROYED("man_1 z_j z_g z_e z_d", worked,
			"grid 1x1h(keep=all)|2x2h|1x3h ^z_");
}

TEST(a_negated_regex_keeps_what_a_grid_would_let_go)
{
	CHECK_DESTROYED("z_j z_g z_e z_d", worked, "grid 1x1h(keep=all)|2x2h|1x3h ^z_",
			"!regex ^z_");
}

/* What becomes of each: "a- b=1.2 c=2": rule 1, bucket 2; rule 2; '-': destroyed. */
static char *fates(const struct snap_at *at, size_t n, const char *rule, const char *more)
{
	struct prune_snap s[MAX_SNAPS];
	cleanup(buf_free) struct buf b = { 0 };
	struct keeps k = { 0 };
	struct err e = ERR_INIT;

	keeps_add(&k, rule);
	if (more)
		keeps_add(&k, more);
	fill(s, at, n);
	CHECK_INT(prune_decide(&k.conf, s, n, &e), 0);
	for (size_t i = 0; i < n; i++) {
		const struct prune_reason *r = &s[i].reason;

		buf_printf(&b, "%s%s", i ? " " : "", s[i].name);
		if (r->why == PRUNE_KEPT_BY_RULE && r->bucket)
			buf_printf(&b, "=%zu.%" PRIu64, r->rule, r->bucket);
		else if (r->why == PRUNE_KEPT_BY_RULE)
			buf_printf(&b, "=%zu", r->rule);
		else
			buf_printf(&b, "%s", s[i].destroy ? "-" : "?");
	}
	keeps_free(&k);
	return buf_take(&b);
}

TEST(each_snapshot_that_a_grid_keeps_knows_its_rule_and_its_bucket)
{
	static const struct snap_at equal[] = { { "a", 0, 0 },
						{ "b", 0, 0 },
						{ "c", 0, 0 } };
	static const struct snap_at full[] = {
		{ "e", 60, 0 }, { "d", 59, 0 }, { "c", 20, 0 },
		{ "b", 10, 0 }, { "a", 0, 0 },
	};
	static const struct snap_at three[] = {
		{ "15d1h", 15 * D + H, 0 }, { "15d", 15 * D, 0 },
		{ "26h", 26 * H, 0 },       { "25h", 25 * H, 0 },
		{ "119m", 119 * M, 0 },     { "90m", 90 * M, 0 },
		{ "60m", 60 * M, 0 },       { "59m", 59 * M, 0 },
		{ "15m", 15 * M, 0 },       { "0m", 0, 0 },
	};
	static const struct {
		const struct snap_at *at;
		size_t n;
		const char *rule, *more; /* more may be NULL */
		const char *want;
	} rows[] = {
		{ full, ARRAY_LEN(full), "grid 1x1m(keep=2)", NULL,
		  "e- d=1.1 c=1.1 b- a-" },
		{ equal, ARRAY_LEN(equal), "grid 1x1m", NULL, "a- b- c=1.1" },
		{ equal, 1, "grid 1x1h|1x1d", NULL, "a=1.1" },
		{ three, ARRAY_LEN(three), "grid 1x1h(keep=all)|24x1h|14x1d", NULL,
		  "15d1h- 15d=1.39 26h=1.26 25h- 119m=1.2 90m- 60m- 59m=1.1 15m=1.1 "
		  "0m=1.1" },
		{ worked, ARRAY_LEN(worked), "grid 1x1h(keep=all)|2x2h|1x3h ^z_", NULL,
		  "man_1- z_j- z_i=1.4 z_h=1.3 z_g- z_f=1.2 z_e- z_d- z_c=1.1 z_b=1.1 "
		  "z_a=1.1" },
		{ worked, ARRAY_LEN(worked), "grid 1x1h(keep=all)|2x2h|1x3h ^z_",
		  "!regex ^z_",
		  "man_1=2 z_j- z_i=1.4 z_h=1.3 z_g- z_f=1.2 z_e- z_d- z_c=1.1 z_b=1.1 "
		  "z_a=1.1" },
		{ worked, ARRAY_LEN(worked), "last_n 2",
		  "grid 1x1h(keep=all)|2x2h|1x3h ^z_",
		  "man_1- z_j- z_i=2.4 z_h=2.3 z_g- z_f=2.2 z_e- z_d- z_c=2.1 z_b=1 "
		  "z_a=1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup(str_freep) char *got =
			fates(rows[i].at, rows[i].n, rows[i].rule, rows[i].more);

		CHECK_STR(got, rows[i].want);
	}
}

TEST(the_text_of_a_reason_names_the_rule_its_number_and_the_bucket)
{
	struct keeps k = { 0 };
	struct prune_snap s = { .reason = { PRUNE_KEPT_BY_RULE, 2, 14 } };

	keeps_add(&k, "not_replicated");
	keeps_add(&k, "grid 24x1h ^zrepl_");
	check_reason(&k.conf, &s, "kept by rule 2 (grid 24x1h ^zrepl_), bucket 14");
	s.reason.why = PRUNE_RULE_FAILED;
	check_reason(&k.conf, &s, "kept because a rule failed");
	keeps_free(&k);
}

TEST(the_anchor_of_a_grid_is_the_youngest_that_matches_not_the_youngest)
{
	const struct snap_at at[] = {
		{ "z_1", 30 * D + 2 * H, 0 },
		{ "z_2", 30 * D, 0 },
		{ "man", 0, 0 },
	};

	CHECK_DESTROYED("z_1 man", at, "grid 1x1h(keep=all) ^z_");
}

TEST(a_grid_that_matches_nothing_lets_all_go)
{
	const struct snap_at at[] = { { "a", 1, 0 }, { "b", 0, 0 } };

	CHECK_DESTROYED("a b", at, "grid 1x1h ^z_");
}

TEST(last_n_goes_by_date_not_by_order)
{
	const struct snap_at at[] = {
		{ "1", 20 * M, 0 }, { "2", 10 * M, 0 }, { "3", 15 * M, 0 },
		{ "4", 0, 0 },      { "5", 0, 0 },
	};

	CHECK_DESTROYED("1 2 3", at, "last_n 2");
	CHECK_DESTROYED("1 3", at, "last_n 3");
	CHECK_DESTROYED("", at, "last_n 5");
	CHECK_DESTROYED("", at, "last_n 9223372036854775807");
}

TEST(last_n_keeps_the_greater_name_among_equal_dates)
{
	const struct snap_at at[] = { { "5", 0, 0 }, { "4", 0, 0 } };

	CHECK_DESTROYED("4", at, "last_n 1");
}

TEST(last_n_counts_only_what_its_regex_matches)
{
	const struct snap_at at[] = {
		{ "a1", 6, 0 }, { "b1", 5, 0 }, { "a2", 4, 0 },
		{ "b2", 3, 0 }, { "a3", 2, 0 }, { "b3", 1, 0 },
	};

	CHECK_DESTROYED("a1 b1", at, "last_n 2 ^a", "last_n 2 ^b");
	CHECK_DESTROYED("a1 b1 b2 b3", at, "last_n 2 ^a");
}

TEST(not_replicated_keeps_what_is_not)
{
	const struct snap_at at[] = { { "a", 3, true },
				      { "b", 2, true },
				      { "c", 1, false } };

	CHECK_DESTROYED("a b", at, "not_replicated", "last_n 1");
	CHECK_DESTROYED("a b", at, "not_replicated");
	CHECK_DESTROYED("a", at, "not_replicated", "last_n 2");
}

TEST(a_regex_keeps_what_it_matches_anywhere_in_the_name)
{
	const struct snap_at at[] = { { "auto_1", 3, 0 },
				      { "my_auto", 2, 0 },
				      { "x", 1, 0 } };

	CHECK_DESTROYED("x", at, "regex auto");
	CHECK_DESTROYED("my_auto x", at, "regex ^auto");
	CHECK_DESTROYED("auto_1 my_auto", at, "!regex auto");
	CHECK_DESTROYED("", at, "regex auto", "!regex auto");
}

TEST(without_rules_nothing_is_destroyed)
{
	struct prune_snap s[] = { { .name = "a" }, { .name = "b", .replicated = true } };
	const struct conf_keeps none = { 0 };
	struct err e = ERR_INIT;

	CHECK_INT(prune_decide(&none, s, 2, &e), 0);
	CHECK(!s[0].destroy && !s[1].destroy);
	check_reason(&none, &s[0], "kept because there are no rules");
	CHECK_INT(prune_decide(&none, NULL, 0, &e), 0);
}

TEST(the_first_rule_that_keeps_is_named_then_what_protects_beyond_rules)
{
	struct prune_snap s[] = {
		{ .name = "gone", .creation_s = 1, .replicated = true },
		{ .name = "held", .creation_s = 2, .replicated = true, .held = true },
		{ .name = "base", .creation_s = 3, .replicated = true, .pinned = true },
		{ .name = "last", .creation_s = 4, .replicated = true, .held = true },
		{ .name = "new", .creation_s = 5 },
	};
	struct keeps k = { 0 };
	struct err e = ERR_INIT;

	keeps_add(&k, "not_replicated");
	keeps_add(&k, "last_n 2");
	CHECK_INT(prune_decide(&k.conf, s, ARRAY_LEN(s), &e), 0);
	CHECK(s[0].destroy);
	check_reason(&k.conf, &s[0], "no rule keeps it");
	check_reason(&k.conf, &s[1], "held");
	check_reason(&k.conf, &s[2], "common base");
	check_reason(&k.conf, &s[3], "kept by rule 2 (last_n 2)");
	check_reason(&k.conf, &s[4], "kept by rule 1 (not_replicated)");
	keeps_free(&k);
}

/* ---- properties, on random snapshots; the seeds are fixed ---- */

static uint32_t random_below(uint64_t *state, uint32_t n)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*state >> 33) % n;
}

static const char *const rule_texts[] = {
	"not_replicated",
	"last_n 1",
	"last_n 3 ^a",
	"last_n 5 1",
	"regex ^b",
	"!regex [0-4]$",
	"grid 1x1m(keep=all)|3x5m|2x1h(keep=2)",
	"grid 5x10m ^[ab]",
	"grid 1x1d(keep=4) 2",
};

static size_t random_snaps(uint64_t *rnd, struct prune_snap *s, char names[][NAME])
{
	size_t n = random_below(rnd, MAX_SNAPS);
	int64_t t = 1700000000;
	uint32_t replicated = random_below(rnd, MAX_SNAPS);

	for (size_t i = 0; i < n; i++) {
		t += random_below(rnd, 3) ? random_below(rnd, 900) : 0;
		snprintf(names[i], NAME, "%c%zu", 'a' + (char)random_below(rnd, 3), i);
		s[i] = (struct prune_snap){ .name = names[i],
					    .creation_s = t,
					    .replicated = i < replicated,
					    .held = random_below(rnd, 10) == 0,
					    .pinned = random_below(rnd, 20) == 0 };
	}
	return n;
}

static void random_rules(uint64_t *rnd, struct keeps *k)
{
	size_t n = 1 + random_below(rnd, MAX_KEEPS - 1);

	for (size_t i = 0; i < n; i++)
		keeps_add(k, rule_texts[random_below(rnd, ARRAY_LEN(rule_texts))]);
}

static void snapshot_of(bool *destroy, const struct prune_snap *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		destroy[i] = s[i].destroy;
}

TEST(held_and_pinned_snapshots_are_never_destroyed)
{
	size_t protected_ones = 0, destroyed_ones = 0;

	for (uint64_t seed = 1; seed <= 300; seed++) {
		uint64_t rnd = seed;
		struct prune_snap s[MAX_SNAPS];
		char names[MAX_SNAPS][NAME];
		struct keeps k = { 0 };
		struct err e = ERR_INIT;
		size_t n = random_snaps(&rnd, s, names);

		random_rules(&rnd, &k);
		CHECK_INT(prune_decide(&k.conf, s, n, &e), 0);
		for (size_t i = 0; i < n; i++) {
			protected_ones += s[i].held || s[i].pinned;
			destroyed_ones += s[i].destroy;
			CHECK(!(s[i].destroy && (s[i].held || s[i].pinned)));
		}
		keeps_free(&k);
	}
	CHECK(protected_ones > 100);
	CHECK(destroyed_ones > 100);
}

TEST(one_more_rule_never_destroys_more)
{
	size_t spared = 0;

	for (uint64_t seed = 1; seed <= 300; seed++) {
		uint64_t rnd = seed;
		struct prune_snap s[MAX_SNAPS];
		char names[MAX_SNAPS][NAME];
		bool before[MAX_SNAPS];
		struct keeps k = { 0 };
		struct err e = ERR_INIT;
		size_t n = random_snaps(&rnd, s, names);

		random_rules(&rnd, &k);
		CHECK_INT(prune_decide(&k.conf, s, n, &e), 0);
		snapshot_of(before, s, n);
		keeps_add(&k, rule_texts[random_below(&rnd, ARRAY_LEN(rule_texts))]);
		CHECK_INT(prune_decide(&k.conf, s, n, &e), 0);
		for (size_t i = 0; i < n; i++) {
			CHECK(before[i] || !s[i].destroy);
			spared += before[i] && !s[i].destroy;
		}
		keeps_free(&k);
	}
	CHECK(spared > 50);
}

TEST(the_order_of_rules_does_not_change_what_is_destroyed)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		uint64_t rnd = seed;
		struct prune_snap s[MAX_SNAPS];
		char names[MAX_SNAPS][NAME];
		bool before[MAX_SNAPS];
		struct keeps k = { 0 };
		struct err e = ERR_INIT;
		size_t n = random_snaps(&rnd, s, names);

		random_rules(&rnd, &k);
		CHECK_INT(prune_decide(&k.conf, s, n, &e), 0);
		snapshot_of(before, s, n);
		for (size_t i = k.conf.n; i-- > 1;) {
			size_t j = random_below(&rnd, (uint32_t)i + 1);
			struct conf_keep tmp = k.v[i];

			k.v[i] = k.v[j];
			k.v[j] = tmp;
		}
		CHECK_INT(prune_decide(&k.conf, s, n, &e), 0);
		for (size_t i = 0; i < n; i++)
			CHECK(before[i] == s[i].destroy);
		keeps_free(&k);
	}
}

TEST(deciding_again_after_the_destroys_leaves_a_last_n_as_it_is)
{
	for (uint64_t seed = 1; seed <= 100; seed++) {
		uint64_t rnd = seed;
		struct prune_snap s[MAX_SNAPS];
		char names[MAX_SNAPS][NAME];
		struct keeps k = { 0 };
		struct err e = ERR_INIT;
		size_t n = random_snaps(&rnd, s, names), left = 0;

		keeps_add(&k, "last_n 4");
		CHECK_INT(prune_decide(&k.conf, s, n, &e), 0);
		for (size_t i = 0; i < n; i++)
			if (!s[i].destroy)
				s[left++] = s[i];
		CHECK_INT(prune_decide(&k.conf, s, left, &e), 0);
		for (size_t i = 0; i < left; i++)
			CHECK(!s[i].destroy);
		keeps_free(&k);
	}
}

TEST_MAIN()
