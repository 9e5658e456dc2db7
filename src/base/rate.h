/*
 * rate.h - a token bucket: no more than so many bytes a second.
 *
 * Starts full, fills at bytes_per_s up to `capacity`.  Who has moved bytes says so
 * afterwards, and then waits until the bucket is no longer overdrawn; so bursts of
 * `capacity` and one read are possible, and no read is ever too large for the bucket.
 *
 * Thread safety: several streams may share one.  A NULL rate limits nothing.
 */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include "base/base.h"

#include <pthread.h>

struct rate {
	pthread_mutex_t lock;
	int64_t bytes_per_s, capacity; /* both > 0 */
	int64_t tokens;                /* < 0: overdrawn; guarded by lock */
	int64_t at_us;                 /* when that was true; guarded by lock */
};

struct rate *rate_new(int64_t bytes_per_s, int64_t capacity) must_check;
void rate_free(struct rate *r); /* NULL is fine */

/* now_us: CLOCK_MONOTONIC in microseconds, here and everywhere. */
void rate_spend(struct rate *r, size_t bytes, int64_t now_us);
/* How long until the next byte may be moved, in ms, rounded up; 0: at once. */
int64_t rate_wait_ms(struct rate *r, int64_t now_us);

#endif
