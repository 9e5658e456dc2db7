/*
 * cron.h - a cron specification: when it is next time.
 *
 *	[TZ=ZONE | CRON_TZ=ZONE] [second] minute hour day-of-month month day-of-week
 *
 * Five fields or six; ranges, lists, steps; names of months and weekdays.  Descriptors
 * such as @daily are refused.  If one of the two day fields is an unrestricted star, both
 * must match, otherwise one of them is enough.  Without a zone: the clock on this host's
 * wall.  A time of day that a change of the clock skips does not happen on that day, one
 * that it repeats happens twice; where midnight is skipped, the day begins with its first
 * hour.  compat: zrepl 0.7.
 *
 * A specification is immutable and may be used by several threads at once.
 */
#ifndef CODEC_CRON_H
#define CODEC_CRON_H

#include "base/err.h"

enum { CRON_MAX_YEARS = 5 }; /* it is looked ahead */

struct cron;

/*
 * NULL with ERR_INVALID, which names the field: syntax, a value out of range, an unknown
 * zone, or nothing within CRON_MAX_YEARS after now_s.
 */
struct cron *cron_new(const char *spec, int64_t now_s, struct err *err) must_check;
/* As written; borrowed. */
const char *cron_text(const struct cron *c);
/* The first time strictly after after_s (Unix time, as the result); false: none within
 * CRON_MAX_YEARS. */
bool cron_next(const struct cron *c, int64_t after_s, int64_t *next_s) must_check;
void cron_free(struct cron *c);
DEFINE_CLEANUP(cron_free, struct cron *);

#endif
