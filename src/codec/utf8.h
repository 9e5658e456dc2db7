/*
 * utf8.h - text that others will take, of bytes that may be anything.
 *
 * Who reads protobuf or JSON refuses text that is not UTF-8, and with it whatever it was
 * part of.  Pure.
 */
#ifndef CODEC_UTF8_H
#define CODEC_UTF8_H

#include "base/buf.h"

/* Stands for what is no character: U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/*
 * How many bytes the character has that text, which is not empty, begins with: 1 to 4;
 * 0: it begins with none.  RFC 3629: shortest forms only, no surrogates, nothing beyond
 * U+10FFFF.
 */
size_t utf8_char_len(struct view text);
bool utf8_is_valid(struct view text);

/*
 * Appends text with each byte that belongs to no character replaced, cut at a
 * character so that at most max bytes are added.
 */
void utf8_put(struct buf *out, struct view text, size_t max);

#endif
