/*
 * pump.h - move bytes from one descriptor to another until the first one ends.
 *
 * Pipes (and sockets, where the kernel can) are spliced: the bytes do not pass through
 * our memory.  Both descriptors must be non-blocking.  SIGPIPE must be ignored or
 * blocked.
 */
#ifndef BASE_PUMP_H
#define BASE_PUMP_H

#include "base/ctx.h"
#include "base/rate.h"

#include <stdatomic.h>

struct pump_opts {
	atomic_uint_fast64_t *moved; /* counts as it goes, for others to watch; or NULL */
	int64_t stall_ms;            /* no byte for so long: ERR_TIMEOUT; 0: for ever */
	struct rate *limits[2];      /* no faster than either; NULL: no limit */
};

enum pump_end {
	PUMP_EOF,    /* the source ended; everything went through */
	PUMP_CLOSED, /* nobody reads the target any more */
};

/*
 * Time in which a limit holds it back is no stall.  -1: ctx done, stalled, or ERR_SYSTEM.
 */
int pump(struct ctx *ctx, int from, int to, const struct pump_opts *o, enum pump_end *end,
	 struct err *err);

/* ---- the same rules, for who moves bytes in other ways ---- */

/* At a time, under a limit: what goes through beyond its capacity. */
enum { PUMP_LIMITED_MAX = 64 * 1024 };

/* How many of n bytes to move at a time. */
size_t pump_portion(const struct pump_opts *o, size_t n);
/* So many have moved.  now_us, here and below: as in rate.h. */
void pump_count(const struct pump_opts *o, size_t n, int64_t now_us);
/* How long until the limits let another byte through, in ms; 0: at once. */
int64_t pump_wait_ms(const struct pump_opts *o, int64_t now_us);
/* None has moved for stall_ms: ERR_TIMEOUT. */
int pump_stalled(const struct pump_opts *o, struct err *err);
/* Until fd is ready, or that.  0, or -1. */
int pump_poll(struct ctx *ctx, int fd, short events, const struct pump_opts *o,
	      struct err *err) must_check;

#endif
