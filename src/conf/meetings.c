#include "conf/meetings.h"

#include "base/vec.h"
#include "codec/dsname.h"
#include "conf/checks.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *va, const void *vb)
{
	const struct meeting_rule *a = va, *b = vb;
	int r = path_compare(view_of(a->rule->path), view_of(b->rule->path));

	return r != 0 ? r : (a->job > b->job) - (a->job < b->job);
}

void meetings_find(struct meetings *m, const struct conf_job *jobs, size_t n)
{
	*m = (struct meetings){ .jobs = jobs, .n_jobs = n };
	for (size_t i = 0; i < n; i++) {
		const struct dsfilter_rule *r;

		if (!checks_takes_snapshots(&jobs[i]))
			continue;
		VEC_FOREACH (r, &jobs[i].filesystems) {
			struct meeting_rule rule = { &jobs[i], r };

			/* No dataset has a longer name. */
			if (r->accept && strlen(r->path) <= ZFS_MAX_NAME)
				VEC_PUSH(m, rule);
		}
	}
	if (m->n > 0)
		qsort(m->v, m->n, sizeof(*m->v), compare);
}

void meetings_free(struct meetings *m)
{
	free(m->v);
	*m = (struct meetings){ 0 };
}

/* The first rule that is not before the path. */
static size_t lower_bound(const struct meetings *m, struct view path)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (path_compare(view_of(m->v[mid].rule->path), path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void mark(const struct meetings *m, size_t i, bool *met)
{
	met[m->v[i].job - m->jobs] = true;
}

/* Those that accept what is below the path, or the path if it is not a part of another.
 */
static void mark_at(const struct meetings *m, struct view path, bool is_whole, bool *met)
{
	for (size_t i = lower_bound(m, path); i < m->n; i++) {
		if (path_compare(view_of(m->v[i].rule->path), path) != 0)
			return;
		if (is_whole || m->v[i].rule->subtree)
			mark(m, i, met);
	}
}

static void mark_below(const struct meetings *m, const char *path, bool *met)
{
	for (size_t i = lower_bound(m, view_of(path)); i < m->n; i++) {
		if (!dsname_is_at_or_below(m->v[i].rule->path, path))
			return;
		mark(m, i, met);
	}
}

void meetings_of(const struct meetings *m, const struct conf_job *j, bool *met)
{
	const struct dsfilter_rule *r;

	memset(met, 0, m->n_jobs * sizeof(*met));
	VEC_FOREACH (r, &j->filesystems) {
		struct view path = view_of(r->path);

		if (!r->accept || path.len > ZFS_MAX_NAME)
			continue;
		mark_at(m, (struct view){ path.p, 0 }, path.len == 0, met);
		for (size_t end = 0; end < path.len; end++) {
			end = path_component_end(path, end);
			mark_at(m, (struct view){ path.p, end }, end == path.len, met);
		}
		if (r->subtree)
			mark_below(m, r->path, met);
	}
}
