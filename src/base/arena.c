#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>

enum { CHUNK_SIZE = 16 << 10 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	max_align_t data[];
};

struct arena_deferred {
	struct arena_deferred *next;
	arena_free_fn *fn;
	void *p;
};

static size_t round_up(size_t n)
{
	const size_t align = _Alignof(max_align_t);

	return (n + align - 1) / align * align;
}

static struct arena_chunk *add_chunk(struct arena *a, size_t at_least)
{
	size_t size = at_least > CHUNK_SIZE ? at_least : CHUNK_SIZE;
	struct arena_chunk *c = xcalloc(1, sizeof(*c) + size);

	c->size = size;
	/* a chunk made for one large block must not hide a half-empty one */
	if (a->chunks && at_least > CHUNK_SIZE) {
		c->next = a->chunks->next;
		a->chunks->next = c;
	} else {
		c->next = a->chunks;
		a->chunks = c;
	}
	return c;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	struct arena_chunk *c = a->chunks;
	size_t total;

	if (__builtin_mul_overflow(n, size, &total) || total > SIZE_MAX / 2)
		abort(); /* sizes are checked before they come here */
	total = round_up(total ? total : 1);
	if (!c || c->size - c->used < total)
		c = add_chunk(a, total);
	void *p = (char *)c->data + c->used;

	c->used += total;
	return p;
}

char *arena_dup(struct arena *a, struct view v)
{
	char *s = arena_alloc(a, v.len + 1, 1);

	if (v.len)
		memcpy(s, v.p, v.len);
	return s;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_dup(a, view_of(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	cleanup(str_freep) char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return arena_strdup(a, s);
}

void arena_defer(struct arena *a, arena_free_fn *fn, void *p)
{
	struct arena_deferred *d = arena_alloc(a, 1, sizeof(*d));

	*d = (struct arena_deferred){ a->deferred, fn, p };
	a->deferred = d;
}

void arena_free(struct arena *a)
{
	for (struct arena_deferred *d = a->deferred; d; d = d->next)
		d->fn(d->p);
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	*a = (struct arena){ 0 };
}
