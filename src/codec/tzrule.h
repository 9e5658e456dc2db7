/*
 * tzrule.h - POSIX TZ strings: the rule that stands in the footer of zone files.
 *
 *	CET-1CEST,M3.5.0,M10.5.0/3      <-02>2<-01>,M3.5.0/-1,M10.5.0/0      UTC0
 *
 * Grammar and meaning as in tzset(3), with the times of day from -167 to 167 hours
 * that RFC 8536 adds.  A zone with summer time must say when.
 */
#ifndef CODEC_TZRULE_H
#define CODEC_TZRULE_H

#include "base/buf.h"
#include "base/err.h"

enum { TZRULE_ABBREV_SIZE = 16 };

enum tzrule_kind {
	TZRULE_JULIAN,  /* Jn: 1..365, February 29 is never counted */
	TZRULE_YEARDAY, /* n: 0..365, counted */
	TZRULE_MONTH,   /* Mm.w.d: weekday d of week w (5: the last) of month m */
};

struct tzrule_change {
	enum tzrule_kind kind;
	int month, week, day;
	int32_t time_s; /* after midnight, by the clock before the change */
};

struct tzrule {
	char std[TZRULE_ABBREV_SIZE], dst[TZRULE_ABBREV_SIZE];
	int32_t std_s, dst_s; /* east of UTC */
	bool has_dst;
	struct tzrule_change to_dst, to_std;
};

int tzrule_parse(struct view text, struct tzrule *out, struct err *err) must_check;
bool tzrule_is_dst(const struct tzrule *r, int64_t unix_s);
/* The next time after unix_s at which that may change; INT64_MAX: none. */
int64_t tzrule_next_change(const struct tzrule *r, int64_t unix_s);

#endif
