#include "codec/dsfilter.h"

#include "base/vec.h"
#include "codec/dsname.h"
#include "codec/quote.h"

#include <assert.h>
#include <string.h>

/* ---- finding rules: a hash table, as a file may have tens of thousands ---- */

#define HASH_START UINT64_C(0xcbf29ce484222325) /* FNV-1a */

static uint64_t hash_step(uint64_t h, char c)
{
	return (h ^ (unsigned char)c) * UINT64_C(0x100000001b3);
}

static size_t slot_of(const struct dsfilter *f, uint64_t hash)
{
	return (size_t)(hash ^ hash >> 32) & (f->n_slots - 1);
}

/* The rule for the first len bytes of path, whose hash that is, or NULL. */
static struct dsfilter_rule *find(const struct dsfilter *f, uint64_t hash,
				  const char *path, size_t len, bool subtree)
{
	if (f->n_slots == 0)
		return NULL;
	for (size_t i = slot_of(f, hash); f->slots[i]; i = (i + 1) & (f->n_slots - 1)) {
		struct dsfilter_rule *r = &f->v[f->slots[i] - 1];

		if (r->subtree == subtree && strncmp(r->path, path, len) == 0 &&
		    r->path[len] == '\0')
			return r;
	}
	return NULL;
}

static uint64_t hash_of(const char *path)
{
	uint64_t h = HASH_START;

	for (; *path; path++)
		h = hash_step(h, *path);
	return h;
}

static void put_slot(struct dsfilter *f, size_t index)
{
	size_t i = slot_of(f, hash_of(f->v[index].path));

	while (f->slots[i])
		i = (i + 1) & (f->n_slots - 1);
	f->slots[i] = (uint32_t)(index + 1);
}

static void add_rule(struct dsfilter *f, struct dsfilter_rule rule)
{
	assert(f->n < UINT32_MAX / 4);
	VEC_PUSH(f, rule);
	if (f->n * 2 <= f->n_slots) {
		put_slot(f, f->n - 1);
		return;
	}
	f->n_slots = f->n_slots ? f->n_slots * 2 : 16;
	free(f->slots);
	f->slots = xcalloc(f->n_slots, sizeof(*f->slots));
	for (size_t i = 0; i < f->n; i++)
		put_slot(f, i);
}

int dsfilter_add(struct dsfilter *f, const char *pattern, bool accept, struct err *err)
{
	cleanup(str_freep) char *path = xstrdup(pattern), *shown = NULL;
	size_t len = strlen(pattern);
	bool subtree = len > 0 && pattern[len - 1] == '<';

	if (subtree)
		path[--len] = '\0';
	if (dsname_check_lenient(path, err) < 0)
		return -1;
	if (find(f, hash_of(path), path, len, subtree)) {
		shown = quote_str(pattern);
		return err_set(err, ERR_INVALID, "%s is there twice; remove one of them",
			       shown);
	}
	add_rule(f, (struct dsfilter_rule){ TAKE(path), subtree, accept });
	return 0;
}

/* ---- asking ---- */

/*
 * What decides about the path or, with is_child, about a dataset below it that no rule
 * names: the exact rule, or the subtree rule with the longest path.
 */
static const struct dsfilter_rule *decide(const struct dsfilter *f, const char *path,
					  bool is_child)
{
	const struct dsfilter_rule *best = find(f, HASH_START, "", 0, true), *r;
	uint64_t h = HASH_START;
	size_t i = 0;

	for (;; i++) {
		if (i > 0 && (path[i] == '/' || path[i] == '\0')) {
			r = find(f, h, path, i, true);
			best = r ? r : best;
		}
		if (path[i] == '\0')
			break;
		h = hash_step(h, path[i]);
	}
	r = is_child ? NULL : find(f, h, path, i, false);
	return r ? r : best;
}

static bool accepts(const struct dsfilter *f, const char *path, bool is_child)
{
	const struct dsfilter_rule *r = decide(f, path, is_child);

	return r && r->accept;
}

bool dsfilter_accepts(const struct dsfilter *f, const char *dataset)
{
	return accepts(f, dataset, false);
}

void dsfilter_free(struct dsfilter *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].path);
	free(f->v);
	free(f->slots);
	*f = (struct dsfilter){ 0 };
}

/* ---- all names there could be ---- */

/*
 * What a set of filters answers is the same for all datasets between the paths of their
 * rules.  So it is enough to ask about each path, and about one dataset below it that no
 * rule names.
 */

/* Can a dataset have that path, or lie below it? */
static bool is_possible(const char *path, bool is_child)
{
	cleanup(err_clear) struct err ignored = ERR_INIT;

	if (path[0] == '\0')
		return is_child;
	return dsname_check_dataset(path, &ignored) == 0 &&
	       (!is_child || strlen(path) + 2 <= ZFS_MAX_NAME);
}

static bool answer(const char *path, bool is_child, char **example)
{
	if (example)
		*example = xasprintf("%s%s", path, is_child ? "<" : "");
	return true;
}

static bool both_accept(const struct dsfilter *a, const struct dsfilter *b,
			const char *path, char **example)
{
	for (int is_child = 1; is_child >= 0; is_child--)
		if (accepts(a, path, is_child) && accepts(b, path, is_child) &&
		    is_possible(path, is_child))
			return answer(path, is_child, example);
	return false;
}

bool dsfilter_overlap(const struct dsfilter *a, const struct dsfilter *b, char **example)
{
	const struct dsfilter_rule *r;

	VEC_FOREACH (r, a)
		if (both_accept(a, b, r->path, example))
			return true;
	VEC_FOREACH (r, b)
		if (both_accept(a, b, r->path, example))
			return true;
	return false;
}

bool dsfilter_reaches_below(const struct dsfilter *f, const char *root, char **example)
{
	const struct dsfilter_rule *r;

	if (accepts(f, root, true) && is_possible(root, true))
		return answer(root, true, example);
	VEC_FOREACH (r, f) {
		if (!dsname_is_below(r->path, root))
			continue;
		if (both_accept(f, f, r->path, example))
			return true;
	}
	return false;
}

/* ---- where to look ---- */

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
	uint64_t h = HASH_START;

	for (const char *p = rule->path;; h = hash_step(h, *p), p++) {
		const struct dsfilter_rule *r;

		if (p > rule->path && *p && *p != '/')
			continue;
		r = find(f, h, rule->path, (size_t)(p - rule->path), true);
		if (r && r->accept && r != rule)
			return true;
		if (!*p)
			return false;
	}
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
