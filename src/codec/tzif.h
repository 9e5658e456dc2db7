/*
 * tzif.h - time zones from the system's zoneinfo: what the clock on the wall shows.
 *
 * Files are read by us (RFC 8536), not by libc, because libc knows one zone per
 * process and changing it is not thread-safe.  Instants after the last one in the
 * file follow the rule in its footer.  Leap seconds in a file are ignored.
 *
 * A loaded zone is immutable and may be used by several threads at once.
 */
#ifndef CODEC_TZIF_H
#define CODEC_TZIF_H

#include "base/buf.h"
#include "base/err.h"

struct tzif;

struct tzif_time {
	int32_t offset_s;   /* east of UTC */
	const char *abbrev; /* "CEST"; borrowed from the zone */
};

/*
 * "" and "UTC" (no file needed), "Local" (TZ if it is set, else /etc/localtime, else
 * UTC), or a zone below /usr/share/zoneinfo.  NULL with ERR_INVALID: no such zone, not a
 * zone's name, or its file is damaged.
 */
struct tzif *tzif_load(const char *name, struct err *err) must_check;
/* The bytes of a zone file. */
struct tzif *tzif_parse(struct view file, struct err *err) must_check;
/* A POSIX TZ string such as "CET-1CEST,M3.5.0,M10.5.0/3". */
struct tzif *tzif_from_rule(struct view rule, struct err *err) must_check;
void tzif_free(struct tzif *z);
DEFINE_CLEANUP(tzif_free, struct tzif *);

/* At unix_s seconds since 1970, within the years 1 to 9999. */
struct tzif_time tzif_at(const struct tzif *z, int64_t unix_s);
/* The next time after unix_s at which the offset may change; INT64_MAX: none. */
int64_t tzif_next_change(const struct tzif *z, int64_t unix_s);

#endif
