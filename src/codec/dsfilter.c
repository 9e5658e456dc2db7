#include "codec/dsfilter.h"

#include "base/vec.h"
#include "codec/dsname.h"

#include <string.h>

int dsfilter_add(struct dsfilter *f, const char *pattern, bool accept, struct err *err)
{
	struct dsfilter_rule rule = { .path = xstrdup(pattern), .accept = accept };
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '<') {
		rule.subtree = true;
		rule.path[len - 1] = '\0';
	}
	if (dsname_check_lenient(rule.path, err) < 0) {
		free(rule.path);
		return err_wrap(err, "filter pattern");
	}
	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].subtree != rule.subtree ||
		    strcmp(f->v[i].path, rule.path) != 0)
			continue;
		free(rule.path);
		return err_set(err, ERR_INVALID, "filter pattern '%s' is there twice",
			       pattern);
	}
	VEC_PUSH(f, rule);
	return 0;
}

bool dsfilter_accepts(const struct dsfilter *f, const char *dataset)
{
	const struct dsfilter_rule *best = NULL, *r;
	size_t best_depth = 0;

	VEC_FOREACH (r, f) {
		size_t depth = dsname_depth(r->path);

		if (!r->subtree) {
			if (strcmp(r->path, dataset) == 0)
				return r->accept;
		} else if (dsname_is_at_or_below(dataset, r->path) &&
			   (!best || depth > best_depth)) {
			best = r;
			best_depth = depth;
		}
	}
	return best && best->accept;
}

void dsfilter_free(struct dsfilter *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].path);
	free(f->v);
	*f = (struct dsfilter){ 0 };
}

/*
 * No dataset has such a name, or lies below it.  What is more, zfs(8) would take a
 * path that starts with '/' for a mount point.
 */
static bool has_empty_component(const char *path)
{
	return path[0] == '/' || strstr(path, "//");
}

/* Is there an accepting subtree rule above this one (or, for exact rules, here)? */
static bool is_covered(const struct dsfilter *f, const struct dsfilter_rule *rule)
{
	const struct dsfilter_rule *r;

	VEC_FOREACH (r, f) {
		if (!r->subtree || !r->accept || r == rule)
			continue;
		if (dsname_is_at_or_below(rule->path, r->path))
			return true;
	}
	return false;
}

void dsfilter_roots(const struct dsfilter *f, struct strs *subtrees, struct strs *exact)
{
	const struct dsfilter_rule *r;

	VEC_FOREACH (r, f) {
		if (!r->accept || has_empty_component(r->path) || is_covered(f, r))
			continue;
		if (r->subtree)
			strs_add(subtrees, r->path);
		else if (r->path[0] != '\0')
			strs_add(exact, r->path);
	}
}
