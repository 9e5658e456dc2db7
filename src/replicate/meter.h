/*
 * meter.h - what a replication tells its metrics: see docs/metrics.md.
 */
#ifndef REPLICATE_METER_H
#define REPLICATE_METER_H

#include "replicate/attempt.h"

/* So many more have gone to the receiver; 0: the series is there. */
void meter_bytes(const struct attempt *a, size_t fs, uint64_t n);
/* The attempt was in that state since *start_us (now_in_us()), which becomes now. */
void meter_state(const struct attempt *a, enum attempt_state s, int64_t *start_us);
/* How the last attempt ended. */
void meter_outcome(const struct attempt *last);

#endif
