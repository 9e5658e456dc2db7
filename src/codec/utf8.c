#include "codec/utf8.h"

#include <assert.h>

size_t utf8_char_len(struct view text)
{
	const uint8_t *p = (const uint8_t *)text.p;
	uint8_t low = 0x80, high = 0xbf; /* of the second byte */
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0; /* shorter forms */
	if (p[0] == 0xed)
		high = 0x9f; /* surrogates */
	if (p[0] == 0xf0)
		low = 0x90; /* shorter forms */
	if (p[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (text.len < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

bool utf8_is_valid(struct view text)
{
	for (size_t at = 0, n; at < text.len; at += n) {
		n = utf8_char_len((struct view){ text.p + at, text.len - at });
		if (n == 0)
			return false;
	}
	return true;
}

void utf8_put(struct buf *out, struct view text, size_t max)
{
	size_t most = out->len + max;

	assert(max <= buf_room(out));
	for (size_t at = 0; at < text.len;) {
		size_t n = utf8_char_len((struct view){ text.p + at, text.len - at });
		struct view c =
			n ? (struct view){ text.p + at, n } : VIEW(UTF8_REPLACEMENT);

		if (most - out->len < c.len)
			break;
		buf_put(out, c.p, c.len);
		at += n ? n : 1;
	}
}
