/*
 * rfc3339.h - times in documents: "2024-05-14T21:16:23.123456789+02:00".
 *
 * "0001-01-01T00:00:00Z", Go's zero time, stands for the zero timespec.
 */
#ifndef CODEC_RFC3339_H
#define CODEC_RFC3339_H

#include "base/buf.h"
#include "base/err.h"

#include <time.h>

/*
 * As Go writes it in UTC: decimals as far as needed, and Z.  What is beyond the years 1
 * to 9999, for which the format has no room, is the zero time.
 */
void rfc3339_format(struct buf *out, struct timespec t);
int rfc3339_parse(const char *text, struct timespec *out, struct err *err) must_check;

#endif
