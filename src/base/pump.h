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

#include <stdatomic.h>

enum pump_end {
	PUMP_EOF,    /* the source ended; everything went through */
	PUMP_CLOSED, /* nobody reads the target any more */
};

/*
 * moved: counts as it goes, for other threads to watch; may be NULL.
 * stall_ms: when no byte moves for so long, ERR_TIMEOUT; 0: for ever.
 * -1: ctx done, stalled, or ERR_SYSTEM.
 */
int pump(struct ctx *ctx, int from, int to, atomic_uint_fast64_t *moved, int64_t stall_ms,
	 enum pump_end *end, struct err *err);

#endif
