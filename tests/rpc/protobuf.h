/*
 * protobuf.h - protobufs by hand, so that tests can make what no encoder would; and hex.
 */
#ifndef TESTS_RPC_PROTOBUF_H
#define TESTS_RPC_PROTOBUF_H

#include "base/buf.h"

#include <stdio.h>

static inline void pb_varint(struct buf *b, uint64_t v)
{
	do {
		char c = (char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));

		buf_put(b, &c, 1);
		v >>= 7;
	} while (v > 0);
}

static inline void pb_number(struct buf *b, unsigned field, uint64_t v)
{
	pb_varint(b, field << 3);
	pb_varint(b, v);
}

static inline void pb_bytes(struct buf *b, unsigned field, struct view v)
{
	pb_varint(b, field << 3 | 2);
	pb_varint(b, v.len);
	buf_put(b, v.p, v.len);
}

static inline void pb_text(struct buf *b, unsigned field, const char *s)
{
	pb_bytes(b, field, view_of(s));
}

/* Takes what `part` has, and leaves it empty. */
static inline void pb_part(struct buf *b, unsigned field, struct buf *part)
{
	pb_bytes(b, field, buf_view(part));
	buf_free(part);
}

/* Blanks in it are fine. */
static inline void hex_put(struct buf *out, const char *hex)
{
	unsigned byte;
	int n;

	for (; sscanf(hex, " %2x%n", &byte, &n) == 1; hex += n) {
		char c = (char)byte;

		buf_put(out, &c, 1);
	}
}

static inline char *hex_of(struct view v)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < v.len; i++)
		buf_printf(&b, "%02x", (unsigned char)v.p[i]);
	return buf_take(&b);
}

#endif
