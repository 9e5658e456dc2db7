/*
 * rfc3339.h - times in documents: "2024-05-14T21:16:23.123456789+02:00".
 */
#ifndef CODEC_RFC3339_H
#define CODEC_RFC3339_H

#include "base/err.h"

#include <time.h>

/* "0001-01-01T00:00:00Z", Go's zero time, is the zero timespec. */
int rfc3339_parse(const char *text, struct timespec *out, struct err *err) must_check;

#endif
