#include "endpoint/path_index.h"

#include "base/vec.h"

#include <string.h>

void path_index_add(struct path_index *x, const char *path)
{
	VEC_PUSH(x, ((struct path_entry){ path, x->n }));
}

static int compare(const void *a, const void *b)
{
	const struct path_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

const char *path_index_sort(struct path_index *x)
{
	if (x->n > 1)
		qsort(x->v, x->n, sizeof(*x->v), compare);
	for (size_t i = 1; i < x->n; i++)
		if (strcmp(x->v[i - 1].path, x->v[i].path) == 0)
			return x->v[i].path;
	return NULL;
}

static int compare_view(struct view a, const char *b)
{
	int c = strncmp(a.p, b, a.len);

	return c ? c : b[a.len] ? -1 : 0;
}

bool path_index_find(const struct path_index *x, struct view path, size_t *number)
{
	size_t lo = 0, hi = x->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = compare_view(path, x->v[mid].path);

		if (c == 0) {
			*number = x->v[mid].number;
			return true;
		}
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

bool path_index_above(const struct path_index *x, const char *path, size_t *number)
{
	struct view v = view_of(path);
	const char *slash;

	while ((slash = memrchr(v.p, '/', v.len))) {
		v.len = (size_t)(slash - v.p);
		if (path_index_find(x, v, number))
			return true;
	}
	return false;
}

void path_index_free(struct path_index *x)
{
	free(x->v);
	*x = (struct path_index){ 0 };
}
