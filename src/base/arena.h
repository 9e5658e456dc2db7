/*
 * arena.h - memory for trees that are built once and dropped whole.
 *
 * Blocks are cut from large chunks and never freed one by one.  What a tree
 * refers to and cannot be cut from an arena (a compiled pattern, an array that
 * grows) is handed over with arena_defer(), and freed together with the rest.
 *
 * A zeroed arena is a valid empty one.  One thread at a time allocates; reading
 * what was allocated needs no care.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/buf.h"

struct arena_chunk;
struct arena_deferred;

struct arena {
	struct arena_chunk *chunks;
	struct arena_deferred *deferred;
};

typedef void arena_free_fn(void *p);

/* Zeroed, aligned for everything, n of size bytes each; never NULL. */
void *arena_alloc(struct arena *a, size_t n, size_t size) must_check;
char *arena_strdup(struct arena *a, const char *s) must_check;
char *arena_dup(struct arena *a, struct view v) must_check; /* NUL-terminated */
char *arena_printf(struct arena *a, const char *fmt, ...) must_check printf_like(2, 3);

/* fn(p) when the arena is freed, before its memory goes, last in first out. */
void arena_defer(struct arena *a, arena_free_fn *fn, void *p);

void arena_free(struct arena *a); /* leaves an empty arena */

#endif
