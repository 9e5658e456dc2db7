/*
 * path_index.h - find a filesystem by its path among thousands.
 *
 * Paths are borrowed, and numbered from 0 as they are added.  Add all, sort once, then
 * find; finding changes nothing and may be done by any thread.
 */
#ifndef ENDPOINT_PATH_INDEX_H
#define ENDPOINT_PATH_INDEX_H

#include "base/buf.h"

struct path_entry {
	const char *path;
	size_t number;
};

struct path_index {
	struct path_entry *v;
	size_t n, cap;
};

void path_index_add(struct path_index *x, const char *path);
const char *
path_index_sort(struct path_index *x); /* a path that is in it twice, or NULL */
bool path_index_find(const struct path_index *x, struct view path, size_t *number);
/* The nearest one above it, by whole components; `path` itself need not be in it. */
bool path_index_above(const struct path_index *x, const char *path, size_t *number);
void path_index_free(struct path_index *x); /* leaves an empty index */

#endif
