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

#endif
