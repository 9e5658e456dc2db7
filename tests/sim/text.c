#include "sim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

_Noreturn void usage(const char *text)
{
	fprintf(stderr, "missing argument or bad option\nusage:\n%s\n", text);
	exit(2);
}

_Noreturn void die_missing(const char *name)
{
	die("cannot open '%s': dataset does not exist", name);
}

void say_missing(const char *name)
{
	fprintf(stderr, "cannot open '%s': dataset does not exist\n", name);
}

char *dup_text(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(grow(NULL, n), s, n);
}

char *format(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		die("out of memory");
	return s;
}

void *grow(void *p, size_t n)
{
	p = realloc(p, n);
	if (p == NULL)
		die("out of memory");
	return p;
}

void buf_put(struct buf *b, const char *s, size_t n)
{
	if (b->cap - b->len < n) {
		b->cap = b->cap * 2 + n + 4096;
		b->data = grow(b->data, b->cap);
	}
	memcpy(b->data + b->len, s, n);
	b->len += n;
}

void buf_str(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_u64(struct buf *b, uint64_t v)
{
	char text[24], *p = text + sizeof(text);

	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	buf_put(b, p, (size_t)(text + sizeof(text) - p));
}

void buf_flush(struct buf *b, int fd)
{
	for (size_t off = 0; off < b->len;) {
		ssize_t n = write(fd, b->data + off, b->len - off);

		if (n < 0)
			die("write: %s", strerrordesc_np(errno));
		off += (size_t)n;
	}
	b->len = 0;
}

uint64_t parse_size(const char *s)
{
	char *end;
	uint64_t v = strtoull(s, &end, 10);
	const char *units = "KMGT", *u;

	if (*end != '\0' && (u = strchr(units, *end)) != NULL)
		v <<= 10 * (u - units + 1);
	return v;
}

uint64_t mix64(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}
