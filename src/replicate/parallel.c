#include "replicate/parallel.h"

#include "base/thread.h"

#include <stdatomic.h>

/* ---- many ---- */

struct crew {
	struct ctx *ctx;
	size_t n;
	atomic_size_t next;
	parallel_fn *fn;
	void *arg;
};

static void work(void *arg)
{
	struct crew *c = arg;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(c->ctx);
	size_t i;

	while ((i = atomic_fetch_add(&c->next, 1)) < c->n)
		c->fn(ctx, c->arg, i);
}

void parallel_each(struct ctx *ctx, size_t n, int64_t width, parallel_fn *fn, void *arg)
{
	struct crew c = { .ctx = ctx, .n = n, .fn = fn, .arg = arg };
	struct thread threads[PARALLEL_MAX] = { 0 };
	size_t w = width < 1 ? 1 : width > PARALLEL_MAX ? PARALLEL_MAX : (size_t)width;

	if (w > n)
		w = n;
	for (size_t i = 1; i < w; i++)
		thread_start(&threads[i], "repl-plan", work, &c);
	if (n > 0)
		work(&c);
	for (size_t i = 1; i < w; i++)
		thread_join(&threads[i]);
}

/* ---- two ---- */

struct pair {
	struct ctx *ctx;
	side_fn *fn;
	void *arg;
	int rc[SIDES];
	struct err err[SIDES];
};

static void one_side(struct ctx *ctx, void *arg, size_t i)
{
	struct pair *p = arg;

	p->rc[i] = p->fn(ctx, p->arg, (enum side)i, &p->err[i]);
	if (p->rc[i] < 0 && !ctx_done(p->ctx))
		ctx_cancel(p->ctx);
}

int parallel_sides(struct ctx *ctx, side_fn *fn, void *arg, struct err *err)
{
	cleanup(ctx_freep) struct ctx *both = ctx_new(ctx);
	struct pair p = { .ctx = both, .fn = fn, .arg = arg };
	struct err *s = &p.err[SENDER], *r = &p.err[RECEIVER];

	parallel_each(both, SIDES, SIDES, one_side, &p);
	if (p.rc[SENDER] == 0 && p.rc[RECEIVER] == 0)
		return 0;
	if (r->kind == ERR_NONE || (s->kind != ERR_NONE && err_is(r, ERR_CANCELLED)))
		err_move(err, s);
	else if (s->kind == ERR_NONE || err_is(s, ERR_CANCELLED))
		err_move(err, r);
	else
		err_set(err, s->kind, "%s; %s", err_msg(s), err_msg(r));
	err_clear(s);
	err_clear(r);
	return -1;
}
