#include "base/strs.h"

#include "base/buf.h"
#include "base/vec.h"

#include <stdarg.h>
#include <string.h>

void strs_take(struct strs *l, char *s)
{
	VEC_PUSH(l, s);
}

void strs_add(struct strs *l, const char *s)
{
	strs_take(l, xstrdup(s));
}

void strs_addf(struct strs *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strs_take(l, xvasprintf(fmt, ap));
	va_end(ap);
}

void strs_copy(struct strs *to, const struct strs *from)
{
	for (size_t i = 0; i < from->n; i++)
		strs_add(to, from->v[i]);
}

bool strs_has(const struct strs *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strs_sort(struct strs *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}

void strs_free(struct strs *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strs){ 0 };
}

char *strs_join(const struct strs *l, const char *sep)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < l->n; i++)
		buf_printf(&b, "%s%s", i ? sep : "", l->v[i]);
	return buf_take(&b);
}

const char *const *strs_argv(struct strs *l)
{
	VEC_PUSH(l, NULL);
	l->n--;
	return (const char *const *)l->v;
}
