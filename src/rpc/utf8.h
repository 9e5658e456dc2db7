/*
 * utf8.h - text that a peer will take, of bytes that may be anything.
 *
 * Peers refuse text that is not UTF-8, and with it whatever it was part of.  Pure.
 */
#ifndef RPC_UTF8_H
#define RPC_UTF8_H

#include "base/buf.h"

/* RFC 3629: shortest forms only, no surrogates, nothing beyond U+10FFFF. */
bool utf8_is_valid(struct view text);

/*
 * Appends text with each byte that belongs to no character replaced by U+FFFD, cut at a
 * character so that at most max bytes are added.
 */
void utf8_put(struct buf *out, struct view text, size_t max);

#endif
