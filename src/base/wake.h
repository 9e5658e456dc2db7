/*
 * wake.h - "something changed, look again": the only thing threads wait on
 * besides file descriptors.
 *
 * A wake holds one bit.  wake_signal() sets it, from any thread, and never
 * blocks; wake_wait() waits until it is set, or the ctx is done, and clears
 * it.  Signals that arrive before the wait are not lost; several of them
 * count as one.  One thread waits at a time.
 */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

#include "base/ctx.h"

struct wake {
	int fd; /* pollable: readable while the bit is set */
};

int wake_open(struct wake *w, struct err *err) must_check; /* no descriptor left */
void wake_init(struct wake *w); /* aborts then: for what is made once, at start */
void wake_fini(struct wake *w);
void wake_signal(struct wake *w);
bool wake_clear(struct wake *w); /* was it set? */

/* 1: was set, and is cleared; 0: timeout_ms passed (< 0: never); -1 with *err. */
int wake_wait(struct wake *w, struct ctx *ctx, int64_t timeout_ms, struct err *err)
	must_check;
/*
 * The same without a ctx, and it cannot fail: for what another thread will do at once,
 * and has to before we may go on.
 */
void wake_await(struct wake *w);

#endif
