#include "zfs/version.h"

#include "base/vec.h"

#include <stdio.h>
#include <string.h>

struct version version_dup(const struct version *v)
{
	struct version d = *v;

	d.name = xstrdup(v->name);
	return d;
}

void version_fini(struct version *v)
{
	free(v->name);
	*v = (struct version){ 0 };
}

char version_sigil(const struct version *v)
{
	return v->type == VERSION_SNAPSHOT ? '@' : '#';
}

char *version_fullname(const struct version *v, const char *fs)
{
	char *s;

	if (asprintf(&s, "%s%c%s", fs, version_sigil(v), v->name) < 0)
		abort();
	return s;
}

char *version_relname(const struct version *v)
{
	return version_fullname(v, "");
}

void versions_add(struct versions *l, struct version v)
{
	VEC_PUSH(l, v);
}

void versions_copy(struct versions *to, const struct versions *from)
{
	for (size_t i = 0; i < from->n; i++)
		versions_add(to, version_dup(&from->v[i]));
}

static bool is_after(const struct version *a, const struct version *b)
{
	if (a->createtxg != b->createtxg)
		return a->createtxg > b->createtxg;
	return a->type == VERSION_SNAPSHOT && b->type == VERSION_BOOKMARK;
}

/* Merges from[lo, mid) and from[mid, hi) into to. */
static void merge(const struct version *from, struct version *to, size_t lo, size_t mid,
		  size_t hi)
{
	size_t a = lo, b = mid;

	for (size_t i = lo; i < hi; i++) {
		bool second = a == mid || (b < hi && is_after(&from[a], &from[b]));

		to[i] = second ? from[b++] : from[a++];
	}
}

/* A merge sort from below: qsort(3) is not stable. */
void versions_sort(struct versions *l)
{
	struct version *from = l->v, *to;
	bool sorted = true;

	for (size_t i = 1; i < l->n && sorted; i++)
		sorted = !is_after(&l->v[i - 1], &l->v[i]);
	if (sorted)
		return;
	to = xcalloc(l->cap, sizeof(*to));
	for (size_t width = 1; width < l->n; width *= 2) {
		struct version *done = to;

		for (size_t lo = 0; lo < l->n; lo += 2 * width) {
			size_t mid = lo + width < l->n ? lo + width : l->n;
			size_t hi = mid + width < l->n ? mid + width : l->n;

			merge(from, to, lo, mid, hi);
		}
		to = from;
		from = done;
	}
	l->v = from;
	free(to);
}

const struct version *versions_find_guid(const struct versions *l, uint64_t guid)
{
	for (size_t i = l->n; i-- > 0;)
		if (l->v[i].guid == guid)
			return &l->v[i];
	return NULL;
}

const struct version *versions_find(const struct versions *l, enum version_type t,
				    const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].type == t && strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	return NULL;
}

void versions_free(struct versions *l)
{
	for (size_t i = 0; i < l->n; i++)
		version_fini(&l->v[i]);
	free(l->v);
	*l = (struct versions){ 0 };
}
