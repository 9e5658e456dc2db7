#include "replicate/plan.h"

#include "base/vec.h"
#include "replicate/diff.h"

#include <inttypes.h>

static void plan_add(struct plan *p, const struct version *from, const struct version *to,
		     const char *token)
{
	struct step s = { .to = version_dup(to), .token = xstrdup_or_null(token) };

	if (from) {
		s.has_from = true;
		s.from = version_dup(from);
	}
	VEC_PUSH(p, s);
}

/* Increments over the snapshots behind index `at`, which is where the plan stands. */
static void plan_add_snapshots(struct plan *p, const struct versions *l, size_t at)
{
	const struct version *last = &l->v[at];

	for (size_t i = at + 1; i < l->n; i++) {
		if (l->v[i].type != VERSION_SNAPSHOT)
			continue;
		plan_add(p, last, &l->v[i], NULL);
		last = &l->v[i];
	}
}

/* ---- the receiver has nothing of it ---- */

static size_t count_snapshots(const struct versions *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->v[i].type == VERSION_SNAPSHOT;
	return n;
}

static int plan_initial(const struct plan_input *in, struct plan *out, struct err *err)
{
	const struct versions *l = in->sender_versions;
	size_t oldest = 0, newest = l->n;

	while (oldest < l->n && l->v[oldest].type != VERSION_SNAPSHOT)
		oldest++;
	if (oldest == l->n)
		return err_set(err, ERR_INVALID, "no snapshots available on sender side");
	while (l->v[newest - 1].type != VERSION_SNAPSHOT)
		newest--;

	switch (in->initial_replication) {
	case INITIAL_MOST_RECENT:
		plan_add(out, NULL, &l->v[newest - 1], NULL);
		return 0;
	case INITIAL_ALL:
		plan_add(out, NULL, &l->v[oldest], NULL);
		plan_add_snapshots(out, l, oldest);
		return 0;
	case INITIAL_FAIL:
		break;
	}
	return err_set(err, ERR_INVALID,
		       "automatic conflict resolution for initial replication is "
		       "disabled in config");
}

/* ---- the receiver has some ---- */

static int plan_conflict(const struct plan_input *in, const struct diff *d,
			 struct err *err)
{
	cleanup(str_freep) char *who =
		diff_explain(d, in->sender_versions, in->receiver_versions);

	if (d->outcome == DIFF_DIVERGED)
		return err_set(err, ERR_INVALID, "sender and receiver diverged: %s", who);
	return err_set(err, ERR_INVALID,
		       "no common snapshot or bookmark of sender and receiver: %s", who);
}

static int plan_by_diff(const struct plan_input *in, struct plan *out, struct err *err)
{
	cleanup(diff_free) struct diff d;

	diff_versions(in->sender_versions, in->receiver_versions, &d);
	switch (d.outcome) {
	case DIFF_PATH:
		for (size_t i = 1; i < d.n; i++)
			plan_add(out, d.path[i - 1], d.path[i], NULL);
		return 0;
	case DIFF_UP_TO_DATE:
		return 0;
	case DIFF_NO_COMMON:
		if (count_snapshots(in->receiver_versions) == 0)
			return plan_initial(in, out, err);
		break;
	case DIFF_DIVERGED:
		break;
	case DIFF_NO_SENDER_VERSIONS:
		return err_set(err, ERR_INVALID, "sender does not have any versions");
	}
	return plan_conflict(in, &d, err);
}

/* ---- the receiver has the first part of a stream ---- */

static int token_is_stale(const struct plan_input *in, uint64_t guid, struct err *err)
{
	const struct resume_token *t = in->token;

	return err_set(
		err, ERR_INVALID,
		"cannot resume the partial receive of %s: the sender does not have "
		"its %s, guid %" PRIu64 ", any more; zfs receive -A of that "
		"filesystem on the receiver drops what was received of it",
		t->to_name ? t->to_name : in->sender->path,
		guid == t->to_guid ? "snapshot" : "incremental source", guid);
}

static int plan_by_token(const struct plan_input *in, struct plan *out, struct err *err)
{
	const struct resume_token *t = in->token;
	const struct versions *l = in->sender_versions;
	const struct version *to = versions_find_guid(l, t->to_guid), *from = NULL;
	enum protection p =
		t->has_from_guid ? in->protection.incremental : in->protection.initial;

	if (t->has_from_guid) {
		if (t->from_guid == t->to_guid)
			return err_set(err, ERR_INVALID,
				       "resume token goes from guid %" PRIu64
				       " to itself",
				       t->to_guid);
		from = versions_find_guid(l, t->from_guid);
	}
	if (to && to->type != VERSION_SNAPSHOT)
		to = NULL;
	if (!to || (t->has_from_guid && !from)) {
		/* Nothing was promised: start over, which drops the partial receive. */
		if (p != PROTECTION_RESUMABILITY)
			return plan_by_diff(in, out, err);
		return token_is_stale(in, to ? t->from_guid : t->to_guid, err);
	}
	plan_add(out, from, to, in->receiver->resume_token);
	plan_add_snapshots(out, l, (size_t)(to - l->v));
	return 0;
}

int plan_make(const struct plan_input *in, struct plan *out, struct err *err)
{
	*out = (struct plan){ 0 };
	if (in->sender->is_placeholder) {
		if (in->receiver && !in->receiver->is_placeholder)
			return err_set(err, ERR_INVALID,
				       "sender filesystem is placeholder, but receiver "
				       "filesystem is not");
		return 0;
	}
	if (in->token && in->sender_versions->n > 0)
		return plan_by_token(in, out, err);
	return plan_by_diff(in, out, err);
}

/* ---- after an attempt that failed ---- */

static bool is_same_step(const struct step *a, const struct step *b)
{
	return a->to.guid == b->to.guid && a->has_from == b->has_from &&
	       (!a->has_from || a->from.guid == b->from.guid);
}

static void step_fini(struct step *s)
{
	if (s->has_from)
		version_fini(&s->from);
	version_fini(&s->to);
	free(s->token);
}

int plan_limit(struct plan *plan, const struct plan *before, size_t from_step,
	       struct err *err)
{
	if (plan->n == 0 || from_step >= before->n)
		return 0;
	for (size_t u = before->n; u-- > from_step;) {
		for (size_t q = plan->n; q-- > 0;) {
			if (!is_same_step(&before->v[u], &plan->v[q]))
				continue;
			while (plan->n > q + 1)
				step_fini(&plan->v[--plan->n]);
			return 0;
		}
	}
	return err_set(err, ERR_INVALID,
		       "cannot correlate previously failed attempt to current plan");
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		step_fini(&p->v[i]);
	free(p->v);
	*p = (struct plan){ 0 };
}
