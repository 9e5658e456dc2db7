/*
 * ticker.h - every so many milliseconds, the first time after one interval.  Pure.
 *
 * It does not drift: what comes late moves nothing.  What was missed altogether is not
 * made up for.
 */
#ifndef JOB_TICKER_H
#define JOB_TICKER_H

#include <stdbool.h>
#include <stdint.h>

struct ticker {
	int64_t interval_ms, next_ms;
};

struct ticker ticker_start(int64_t interval_ms, int64_t now_ms); /* interval > 0 */
int64_t ticker_wait_ms(const struct ticker *t, int64_t now_ms);
bool ticker_is_due(struct ticker *t, int64_t now_ms); /* once for each time */

#endif
