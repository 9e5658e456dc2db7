/*
 * parallel.h - do many things at once, and wait for all of them.
 *
 * The caller's thread works too; every other one is joined before the call returns.
 * Each thread works under a ctx of its own, a child of the caller's.
 */
#ifndef REPLICATE_PARALLEL_H
#define REPLICATE_PARALLEL_H

#include "base/ctx.h"

enum { PARALLEL_MAX = 256 }; /* threads, whatever is asked for */

typedef void parallel_fn(struct ctx *ctx, void *arg, size_t i);

/* fn(ctx, arg, i) once for each i below n, `width` at a time.  All are called, even when
 * ctx is done. */
void parallel_each(struct ctx *ctx, size_t n, int64_t width, parallel_fn *fn, void *arg);

enum side { SENDER, RECEIVER, SIDES };

typedef int side_fn(struct ctx *ctx, void *arg, enum side s, struct err *err);

/*
 * fn for both sides.  When one fails the other is cancelled, unless ctx is done, which
 * both see by themselves.  -1: what failed by itself, the sender's first.
 */
int parallel_sides(struct ctx *ctx, side_fn *fn, void *arg, struct err *err) must_check;

#endif
