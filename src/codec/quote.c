#include "codec/quote.h"

#include "codec/utf8.h"

/* How many bytes to copy as they are; 0: show the first one by its number. */
static size_t printable(struct view v)
{
	/* The control characters beyond ASCII are U+0080 to U+009F. */
	if ((unsigned char)v.p[0] < ' ' || v.p[0] == 0x7f ||
	    (v.p[0] == '\xc2' && v.len > 1 && (unsigned char)v.p[1] < 0xa0))
		return 0;
	return utf8_char_len(v);
}

char *quote(struct view text)
{
	struct buf b = { 0 };
	size_t len;

	buf_put(&b, "\"", 1);
	for (size_t i = 0; i < text.len; i += len) {
		if (i >= QUOTE_MAX) {
			buf_put(&b, "...", 3);
			break;
		}
		len = printable((struct view){ text.p + i, text.len - i });
		if (len > 0) {
			buf_put(&b, text.p + i, len);
			continue;
		}
		buf_printf(&b, "\\x%02x", (unsigned char)text.p[i]);
		len = 1;
	}
	buf_put(&b, "\"", 1);
	return buf_take(&b);
}

char *quote_str(const char *text)
{
	return quote(view_of(text));
}
