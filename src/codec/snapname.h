/*
 * snapname.h - the timestamp in a snapshot's name.
 *
 * dense         20240514_211623_000          UTC only
 * human         2024-05-14_21:16:23          UTC only
 * iso-8601      2024-05-14T21:16:23.123Z or ...+0200 with '_' for '+'
 * unix-seconds  1715721383                   UTC only
 * anything else is a layout in Go's reference-time language ("2006-01-02_15:04").
 *
 * Format names are case-insensitive.  Locations: "" or "UTC", "Local", or an IANA
 * zone of the system's zoneinfo.
 */
#ifndef CODEC_SNAPNAME_H
#define CODEC_SNAPNAME_H

#include "base/buf.h"
#include "base/err.h"

#include <time.h>

struct snapname;

/*
 * NULL with ERR_INVALID: unknown zone, a zone with a format that must be UTC, a '+' in
 * the layout, an empty layout, or prefix plus timestamp is not a valid snapshot name
 * (checked for 2020-06-01 and 2020-12-01).
 */
struct snapname *snapname_new(const char *prefix, const char *format,
			      const char *location, struct err *err) must_check;
/* prefix + timestamp at t; the caller frees.  Thread-safe. */
char *snapname_at(const struct snapname *s, struct timespec t) must_check;
void snapname_free(struct snapname *s);
DEFINE_CLEANUP(snapname_free, struct snapname *);

#endif
