#include "conf/checks.h"

#include "base/vec.h"
#include "codec/dsname.h"

#include <stdlib.h>

/*
 * Two filters can only accept the same dataset if a rule of one stands for a path at or
 * above that of a rule of the other: so rules are sorted, and each looks for those above
 * it.
 */
struct taken {
	const struct conf_job *job;
	const struct dsfilter_rule *rule; /* an accepting one */
};

struct takens {
	struct taken *v; /* by prefix, path and job */
	size_t n, cap;
};

static int compare_to(const struct taken *t, const char *prefix, struct view path)
{
	int r = strcmp(t->job->snapshotting.prefix, prefix);

	return r != 0 ? r : path_compare(view_of(t->rule->path), path);
}

static int compare(const void *va, const void *vb)
{
	const struct taken *a = va, *b = vb;
	int r = compare_to(a, b->job->snapshotting.prefix, view_of(b->rule->path));

	return r != 0 ? r : (a->job > b->job) - (a->job < b->job);
}

static void find_taken(struct takens *l, const struct checks *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct conf_job *j = &c->jobs[i];
		const struct dsfilter_rule *r;

		if (!checks_takes_snapshots(j))
			continue;
		VEC_FOREACH (r, &j->filesystems) {
			struct taken t = { j, r };

			/* No dataset has a longer name. */
			if (r->accept && strlen(r->path) <= ZFS_MAX_NAME)
				VEC_PUSH(l, t);
		}
	}
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}

static size_t lower_bound(const struct takens *l, const char *prefix, struct view path)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_to(&l->v[mid], prefix, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* of: for each job the first of the earlier ones that it is in conflict with, or NULL. */
static void search_at(const struct checks *c, const struct takens *l,
		      const struct taken *mine, struct view path,
		      const struct conf_job **of)
{
	const char *prefix = mine->job->snapshotting.prefix;

	for (size_t i = lower_bound(l, prefix, path);
	     i < l->n && compare_to(&l->v[i], prefix, path) == 0; i++) {
		const struct conf_job *a = l->v[i].job, *b = mine->job;
		const struct conf_job **known = &of[(a > b ? a : b) - c->jobs];
		const struct conf_job *earlier = a > b ? b : a;

		if (a == b || (*known && *known <= earlier))
			continue;
		if (path.len < strlen(mine->rule->path) && !l->v[i].rule->subtree)
			continue;
		if (!dsfilter_overlap(&a->filesystems, &b->filesystems, NULL))
			continue;
		*known = earlier;
		return;
	}
}

static void search(const struct checks *c, const struct takens *l,
		   const struct taken *mine, const struct conf_job **of)
{
	struct view path = view_of(mine->rule->path);

	search_at(c, l, mine, (struct view){ path.p, 0 }, of);
	for (size_t end = 0; end < path.len; end++) {
		end = path_component_end(path, end);
		search_at(c, l, mine, (struct view){ path.p, end }, of);
	}
}

static void refuse(struct checks *c, const struct conf_job *j, const struct conf_job *o)
{
	cleanup(str_freep) char *example = NULL;

	if (checks_is_copy(j, o) ||
	    !dsfilter_overlap(&j->filesystems, &o->filesystems, &example))
		return;
	checks_refuse(
		c, j, "snapshotting.prefix",
		"job \"%s\" at %s:%u takes snapshots \"%s...\" of the same datasets, "
		"such as \"%s\"; want another prefix, or one job that takes them and "
		"type manual in the other",
		o->name, o->file, o->line, o->snapshotting.prefix,
		example ? example : "");
}

void checks_prefixes(struct checks *c)
{
	const struct conf_job **of = xcalloc(c->n + 1, sizeof(*of));
	struct takens l = { 0 };

	find_taken(&l, c);
	for (size_t i = 0; i < l.n; i++)
		search(c, &l, &l.v[i], of);
	for (size_t i = 0; i < c->n; i++)
		if (of[i])
			refuse(c, &c->jobs[i], of[i]);
	free(l.v);
	free(of);
}
