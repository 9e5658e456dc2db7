/*
 * gotime.h - times in Go's layout language, where a layout is an example: how the
 * instant Mon Jan 2 15:04:05 2006 would be shown.
 *
 *	2006 06          year              Jan January 01 1      month
 *	02 _2 2 002 __2  day, day of year  Mon Monday            weekday
 *	15 03 3  04 4  05 5                hour, minute, second
 *	PM pm            half of the day   .000 ,000 .999 ,999   fraction of a second
 *	MST -0700 -07:00 -07 -070000 -07:00:00, and the same with Z for -    zone
 *
 * The longest token wins; all else is literal text.  Numbers that merely look like a
 * token are one: "1" is the month wherever it stands.
 */
#ifndef CODEC_GOTIME_H
#define CODEC_GOTIME_H

#include "base/buf.h"
#include "codec/tzif.h"

#include <time.h>

/* How Go prints a time when it is not told how. */
#define GOTIME_DEFAULT "2006-01-02 15:04:05.999999999 -0700 MST"

/* t as seen in the zone z; beyond the years 1 to 9999 an instant at their end. */
void gotime_format(struct buf *out, const char *layout, struct timespec t,
		   const struct tzif *z);

#endif
