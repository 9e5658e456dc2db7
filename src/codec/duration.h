/*
 * duration.h - the two grammars for durations, and how durations are shown.
 *
 * zdur  "10m", "1 d", "+3w": one number, one unit of s m h d w.  Intervals and
 *       the lengths of a retention grid.
 * gdur  "1h30m", "1.5s", "350ms", "0": Go's time.ParseDuration.  Timeouts, and
 *       the environment's knobs.
 *
 * Both give nanoseconds in an int64_t and refuse what does not fit.  Signs are
 * part of both grammars; whoever needs a positive duration checks.
 */
#ifndef CODEC_DURATION_H
#define CODEC_DURATION_H

#include "base/buf.h"
#include "base/err.h"

#define NS_PER_MS ((int64_t)1000000)
#define NS_PER_S  ((int64_t)1000000000)

int zdur_parse(const char *text, int64_t *ns, struct err *err) must_check;
int gdur_parse(const char *text, int64_t *ns, struct err *err) must_check;

/* As Go prints a duration: "1h2m3s", "350ms", "0s".  Appends. */
void gdur_format(struct buf *out, int64_t ns);

/* "512 B", "1.5 KiB", "264.7 MiB" ... "EiB".  Appends. */
void bytes_format(struct buf *out, uint64_t n);

#endif
