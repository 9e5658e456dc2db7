/*
 * size.h - amounts of data as a user writes them: "128 KiB", "10.5 Mb", "23 bit".
 *
 * NUMBER UNIT, with blanks allowed between.  Units: "bit", or "b" (bits) and "B"
 * (bytes) after one of K M G T (powers of 1000), Ki Mi Gi Ti (powers of 1024), or
 * nothing.  A number may be negative, and have decimals except before "bit".
 */
#ifndef CODEC_SIZE_H
#define CODEC_SIZE_H

#include "base/err.h"

/* Whole bytes, truncated towards zero.  ERR_INVALID: syntax, or does not fit. */
int size_parse(const char *text, int64_t *bytes, struct err *err) must_check;

#endif
