/*
 * quote.h - a piece of somebody's text in a message.
 *
 * In double quotes, on one line and not endless: control characters, and bytes that are
 * no UTF-8, are shown as \x1b, and what is longer than QUOTE_MAX bytes ends in "...".
 */
#ifndef CODEC_QUOTE_H
#define CODEC_QUOTE_H

#include "base/buf.h"

enum { QUOTE_MAX = 300 };

char *quote(struct view text) must_check; /* the caller frees */
char *quote_str(const char *text) must_check;

#endif
