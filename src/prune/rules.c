#include "prune/rules.h"

#include "prune/keep_grid.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* What one rule says about one snapshot. */
struct verdict {
	enum { LET_GO, KEEP, UNKNOWN } says;
	uint64_t bucket; /* as in struct prune_reason */
};

/* The snapshots that a rule is about, as pointers into the caller's array. */
struct matching {
	const struct prune_snap **v;
	size_t n;
	int64_t unknown_until; /* youngest date among those of which we do not know */
	bool has_unknown;
};

/* Keeps the first error of several; consumes e. */
static void note(struct err *first, struct err *e)
{
	if (first->kind == ERR_NONE)
		err_move(first, e);
	err_clear(e);
}

/* 1, 0 or -1 as regex_matches(); the error goes to *first. */
static int matches(const struct conf_keep *rule, const struct prune_snap *s,
		   struct err *first)
{
	struct err e = ERR_INIT;
	int r;

	if (!rule->regex)
		return 1;
	r = regex_matches(rule->regex, s->name, &e);
	if (r < 0) {
		err_wrap(&e, "rule %s: snapshot %s", rule->text, s->name);
		note(first, &e);
	}
	return r;
}

/* Those that do not match are let go, the unknown ones marked; the rest is in *m. */
static void find_matching(const struct conf_keep *rule, const struct prune_snap *snaps,
			  size_t n, struct matching *m, struct verdict *out,
			  struct err *first)
{
	for (size_t i = 0; i < n; i++) {
		const struct prune_snap *s = &snaps[i];
		int r = matches(rule, s, first);

		out[i] = (struct verdict){ r < 0 ? UNKNOWN : LET_GO, 0 };
		if (r > 0)
			m->v[m->n++] = s;
		if (r < 0 && (!m->has_unknown || s->creation_s > m->unknown_until)) {
			m->has_unknown = true;
			m->unknown_until = s->creation_s;
		}
	}
}

static void judge_not_replicated(const struct prune_snap *snaps, size_t n,
				 struct verdict *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (struct verdict){ snaps[i].replicated ? LET_GO : KEEP, 0 };
}

static void judge_regex(const struct conf_keep *rule, const struct prune_snap *snaps,
			size_t n, struct verdict *out, struct err *first)
{
	for (size_t i = 0; i < n; i++) {
		int r = matches(rule, &snaps[i], first);
		bool keeps = (r > 0) != rule->negate;

		out[i] = (struct verdict){ r < 0 ? UNKNOWN : keeps ? KEEP : LET_GO, 0 };
	}
}

static int younger_first(const struct prune_snap *a, const struct prune_snap *b)
{
	return (a->creation_s < b->creation_s) - (a->creation_s > b->creation_s);
}

static int by_date_then_name(const void *pa, const void *pb)
{
	const struct prune_snap *a = *(const struct prune_snap *const *)pa;
	const struct prune_snap *b = *(const struct prune_snap *const *)pb;
	int r = younger_first(a, b);

	return r ? r : strcmp(b->name, a->name);
}

static int by_date_then_input(const void *pa, const void *pb)
{
	const struct prune_snap *a = *(const struct prune_snap *const *)pa;
	const struct prune_snap *b = *(const struct prune_snap *const *)pb;
	int r = younger_first(a, b);

	return r ? r : (a > b) - (a < b); /* both are of one array */
}

/* An unknown one does not count, so that too many are kept rather than too few. */
static void judge_last_n(const struct conf_keep *rule, const struct prune_snap *snaps,
			 struct matching *m, struct verdict *out)
{
	qsort(m->v, m->n, sizeof(*m->v), by_date_then_name);
	for (size_t i = 0; i < m->n && i < (uint64_t)rule->count; i++)
		out[m->v[i] - snaps].says = KEEP;
}

static void judge_grid(const struct conf_keep *rule, const struct prune_snap *snaps,
		       struct matching *m, struct verdict *out)
{
	int64_t *dates = xcalloc(m->n, sizeof(*dates));
	bool *keep = xcalloc(m->n, sizeof(*keep));
	uint64_t *bucket = xcalloc(m->n, sizeof(*bucket));

	qsort(m->v, m->n, sizeof(*m->v), by_date_then_input);
	for (size_t i = 0; i < m->n; i++)
		dates[i] = m->v[i]->creation_s;
	/* The grid hangs on the youngest that matches: an unknown one may be that one. */
	bool adrift = m->has_unknown && m->unknown_until > dates[0];

	keep_grid(&rule->grid, dates[0], dates, m->n, keep, bucket);
	for (size_t i = 0; i < m->n; i++)
		out[m->v[i] - snaps] = (struct verdict){
			keep[i]  ? KEEP
			: adrift ? UNKNOWN
				 : LET_GO,
			bucket[i],
		};
	free(dates);
	free(keep);
	free(bucket);
}

static void judge(const struct conf_keep *rule, const struct prune_snap *snaps, size_t n,
		  struct verdict *out, struct err *first)
{
	struct matching m = { 0 };

	switch (rule->type) {
	case KEEP_NOT_REPLICATED:
		judge_not_replicated(snaps, n, out);
		return;
	case KEEP_REGEX:
		judge_regex(rule, snaps, n, out, first);
		return;
	case KEEP_LAST_N:
	case KEEP_GRID:
		break;
	}
	m.v = xcalloc(n, sizeof(const struct prune_snap *));
	find_matching(rule, snaps, n, &m, out, first);
	if (m.n > 0 && rule->type == KEEP_LAST_N)
		judge_last_n(rule, snaps, &m, out);
	if (m.n > 0 && rule->type == KEEP_GRID)
		judge_grid(rule, snaps, &m, out);
	free(m.v);
}

/* Beyond the rules. */
static enum prune_why without_rules(const struct prune_snap *s, bool has_rules,
				    bool is_unknown)
{
	if (s->held)
		return PRUNE_HELD;
	if (s->pinned)
		return PRUNE_COMMON_BASE;
	if (is_unknown)
		return PRUNE_RULE_FAILED;
	return has_rules ? PRUNE_NO_RULE_KEEPS : PRUNE_NO_RULES;
}

int prune_decide(const struct conf_keeps *rules, struct prune_snap *snaps, size_t n,
		 struct err *err)
{
	struct err first = ERR_INIT;

	if (n == 0)
		return 0;
	struct verdict *verdicts = xcalloc(n, sizeof(*verdicts));
	bool *unknown = xcalloc(n, sizeof(*unknown));

	for (size_t i = 0; i < n; i++)
		snaps[i].reason = (struct prune_reason){ PRUNE_NO_RULE_KEEPS, 0, 0 };
	for (size_t r = 0; r < rules->n; r++) {
		judge(&rules->v[r], snaps, n, verdicts, &first);
		for (size_t i = 0; i < n; i++) {
			if (verdicts[i].says == KEEP && snaps[i].reason.rule == 0)
				snaps[i].reason = (struct prune_reason){
					PRUNE_KEPT_BY_RULE,
					r + 1,
					verdicts[i].bucket,
				};
			unknown[i] |= verdicts[i].says == UNKNOWN;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (snaps[i].reason.rule == 0)
			snaps[i].reason.why =
				without_rules(&snaps[i], rules->n > 0, unknown[i]);
		snaps[i].destroy = snaps[i].reason.why == PRUNE_NO_RULE_KEEPS;
	}
	free(verdicts);
	free(unknown);
	if (first.kind == ERR_NONE)
		return 0;
	err_move(err, &first);
	return -1;
}

char *prune_reason_text(const struct conf_keeps *rules, const struct prune_reason *r)
{
	static const char *const texts[] = {
		[PRUNE_NO_RULE_KEEPS] = "no rule keeps it",
		[PRUNE_HELD] = "held",
		[PRUNE_COMMON_BASE] = "common base",
		[PRUNE_RULE_FAILED] = "kept because a rule failed",
		[PRUNE_NO_RULES] = "kept because there are no rules",
	};

	if (r->why != PRUNE_KEPT_BY_RULE)
		return xstrdup(texts[r->why]);
	assert(r->rule >= 1 && r->rule <= rules->n);
	if (r->bucket == 0)
		return xasprintf("kept by rule %zu (%s)", r->rule,
				 rules->v[r->rule - 1].text);
	return xasprintf("kept by rule %zu (%s), bucket %" PRIu64, r->rule,
			 rules->v[r->rule - 1].text, r->bucket);
}
