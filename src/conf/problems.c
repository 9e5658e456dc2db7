#include "conf/problems.h"

#include "base/buf.h"
#include "base/vec.h"

#include <string.h>

bool problems_are_full(const struct problems *p)
{
	return p->n >= PROBLEMS_MAX;
}

void problems_add(struct problems *p, struct problem what)
{
	what.seq = p->n;
	if (!problems_are_full(p)) {
		VEC_PUSH(p, what);
		return;
	}
	free(what.text);
	p->n_more++;
}

static int compare(const void *a, const void *b)
{
	const struct problem *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

void problems_sort(struct problems *p)
{
	size_t kept = 0;

	if (p->n > 1)
		qsort(p->v, p->n, sizeof(*p->v), compare);
	for (size_t i = 0; i < p->n; i++) {
		if (kept && strcmp(p->v[kept - 1].text, p->v[i].text) == 0)
			free(p->v[i].text); /* an alias brings it again */
		else
			p->v[kept++] = p->v[i];
	}
	p->n = kept;
}

int problems_to_err(const struct problems *p, size_t max, struct err *err)
{
	cleanup(buf_free) struct buf all = { 0 };
	size_t n = p->n < max ? p->n : max, more = p->n - n + p->n_more;

	for (size_t i = 0; i < n; i++)
		buf_printf(&all, "%s%s", i ? "\n" : "", p->v[i].text);
	if (more)
		buf_printf(&all, "\nand %zu more problem%s", more, more > 1 ? "s" : "");
	return err_set(err, ERR_INVALID, "%s", buf_str(&all));
}

void problems_to_strs(const struct problems *p, struct strs *out)
{
	for (size_t i = 0; i < p->n; i++)
		strs_add(out, p->v[i].text);
	if (p->n_more)
		strs_addf(out, "and %zu more", p->n_more);
}

void problems_free(struct problems *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].text);
	free(p->v);
	*p = (struct problems){ 0 };
}
