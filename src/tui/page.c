#include "tui/page.h"

#include "base/parse.h"
#include "codec/duration.h"
#include "codec/gotime.h"

#include <stdarg.h>
#include <stdio.h>

enum { INDENT = 3 };

/* An error may quote what a child said: keep the terminal safe. */
static void put_line(struct page *p, unsigned depth, struct view line)
{
	if (line.len > 0)
		buf_printf(p->out, "%*s", (int)(depth * INDENT), "");
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			buf_printf(p->out, "\\x%02x", c);
		else
			buf_put(p->out, &line.p[i], 1);
	}
	buf_put(p->out, "\n", 1);
}

void page_line(struct page *p, const char *fmt, ...)
{
	cleanup(str_freep) char *text = NULL;
	struct view rest;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	rest = view_of(text);
	put_line(p, p->depth, parse_field(&rest, '\n'));
	while (rest.p)
		put_line(p, p->depth + 1, parse_field(&rest, '\n'));
}

void page_text(struct page *p, const char *text)
{
	struct view rest = view_of(text);

	while (rest.p)
		put_line(p, p->depth, parse_field(&rest, '\n'));
}

bool page_is_set(struct timespec t)
{
	return t.tv_sec != 0 || t.tv_nsec != 0;
}

char *page_time(const struct page *p, struct timespec t)
{
	struct buf b = { 0 };

	gotime_format(&b, GOTIME_DEFAULT, t, p->zone);
	return buf_take(&b);
}

char *page_between(struct timespec from, struct timespec to)
{
	int64_t s = to.tv_sec - from.tv_sec;
	int64_t ns = to.tv_nsec - from.tv_nsec;
	struct buf b = { 0 };

	if (ns < 0) {
		ns += NS_PER_S;
		s--;
	}
	if (ns >= NS_PER_S / 2)
		s++;
	if (s < 0)
		s = 0;
	if (s > INT64_MAX / NS_PER_S)
		s = INT64_MAX / NS_PER_S;
	gdur_format(&b, s * NS_PER_S);
	return buf_take(&b);
}

char *page_bytes(uint64_t n)
{
	struct buf b = { 0 };

	bytes_format(&b, n);
	return buf_take(&b);
}

void page_bar(struct buf *b, uint64_t done, uint64_t total, int width)
{
	int filled = width;

	if (done < total)
		filled = (int)((double)done / (double)total * width);
	buf_printf(b, "[");
	for (int i = 0; i < width; i++)
		buf_printf(b, "%c", i < filled ? '=' : i == filled ? '>' : '-');
	buf_printf(b, "]");
}
