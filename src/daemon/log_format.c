#include "daemon/log_format.h"

#include "base/vec.h"
#include "codec/jsonw.h"

#include <stdio.h>
#include <time.h>

static const char *const short_levels[] = {
	[LOG_DEBUG] = "DEBG",
	[LOG_INFO] = "INFO",
	[LOG_WARN] = "WARN",
	[LOG_ERROR] = "ERRO",
};

static const char *const colors[] = {
	[LOG_DEBUG] = "\033[94m",
	[LOG_INFO] = "\033[32m",
	[LOG_WARN] = "\033[33m",
	[LOG_ERROR] = "\033[31m",
};

static void put_colored(struct buf *out, const struct log_style *style,
			const struct log_entry *e, const char *text)
{
	if (style->color)
		buf_printf(out, "%s%s\033[0m", colors[e->level], text);
	else
		buf_printf(out, "%s", text);
}

/* RFC 3339 with the local offset; with nanoseconds if asked for. */
static void put_time(struct buf *out, struct timespec t, bool nanoseconds)
{
	struct tm tm;
	char text[64];
	char sign = '+';
	long offset;

	localtime_r(&t.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(out, "%s", text);
	if (nanoseconds)
		buf_printf(out, ".%09ld", t.tv_nsec);
	offset = tm.tm_gmtoff;
	if (offset == 0) {
		buf_printf(out, "Z");
		return;
	}
	if (offset < 0) {
		sign = '-';
		offset = -offset;
	}
	buf_printf(out, "%c%02ld:%02ld", sign, offset / 3600, offset / 60 % 60);
}

/* Up to the first byte that is not printable or in `but`, which is returned. */
static const char *put_plain(struct buf *out, const char *s, const char *but)
{
	size_t n = 0;

	while ((unsigned char)s[n] >= 0x20 && s[n] != 0x7f && !strchr(but, s[n]))
		n++;
	buf_put(out, s, n);
	return s + n;
}

/* In double quotes, one line: what is not printable becomes an escape. */
static void put_quoted(struct buf *out, const char *s)
{
	buf_printf(out, "\"");
	for (;; s++) {
		unsigned char c;

		s = put_plain(out, s, "\"\\");
		c = (unsigned char)*s;
		if (c == '\0')
			break;
		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c == '\n')
			buf_printf(out, "\\n");
		else if (c == '\t')
			buf_printf(out, "\\t");
		else if (c == '\r')
			buf_printf(out, "\\r");
		else
			buf_printf(out, "\\x%02x", c);
	}
	buf_printf(out, "\"");
}

/* A message may quote what a child said: keep it on one line, and the terminal safe. */
static void put_line(struct buf *out, const char *s)
{
	for (;; s++) {
		s = put_plain(out, s, "");
		if (*s == '\0')
			break;
		if (*s == '\n')
			buf_printf(out, "\\n");
		else if (*s == '\t')
			buf_put(out, s, 1);
		else
			buf_printf(out, "\\x%02x", (unsigned char)*s);
	}
}

static void format_human(struct buf *out, const struct log_style *style,
			 const struct log_entry *e)
{
	const char *const context[] = { e->job, e->subsystem };

	if (style->time) {
		put_time(out, e->time, false);
		buf_printf(out, " ");
	}
	if (style->level) {
		buf_printf(out, "[");
		put_colored(out, style, e, short_levels[e->level]);
		buf_printf(out, "]");
	}
	for (size_t i = 0; i < ARRAY_LEN(context); i++) {
		if (!context[i])
			continue;
		buf_printf(out, "[");
		put_colored(out, style, e, context[i]);
		buf_printf(out, "]");
	}
	if (style->level || e->job || e->subsystem)
		buf_printf(out, ": ");
	put_line(out, e->msg);
	for (size_t i = 0; i < e->n_fields; i++) {
		buf_printf(out, " ");
		put_colored(out, style, e, e->fields[i].key);
		buf_printf(out, "=");
		put_quoted(out, e->fields[i].value);
	}
}

static void put_logfmt(struct buf *out, const char *key, const char *value)
{
	const char *plain =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"-_.:/@#+%,";

	buf_printf(out, "%s%s=", out->len ? " " : "", key);
	if (*value && value[strspn(value, plain)] == '\0')
		buf_printf(out, "%s", value);
	else
		put_quoted(out, value);
}

static void format_logfmt(struct buf *out, const struct log_style *style,
			  const struct log_entry *e)
{
	cleanup(buf_free) struct buf line = { 0 };

	if (style->time) {
		buf_printf(&line, "time=");
		put_time(&line, e->time, true);
	}
	if (style->level)
		put_logfmt(&line, "level", log_level_name(e->level));
	if (e->job)
		put_logfmt(&line, "job", e->job);
	if (e->job && e->subsystem)
		put_logfmt(&line, "subsystem", e->subsystem);
	put_logfmt(&line, "msg", e->msg);
	if (!e->job && e->subsystem)
		put_logfmt(&line, "subsystem", e->subsystem);
	for (size_t i = 0; i < e->n_fields; i++)
		put_logfmt(&line, e->fields[i].key, e->fields[i].value);
	buf_put(out, line.p, line.len);
}

struct fields {
	struct log_field *v;
	size_t n, cap;
};

static int by_key(const void *a, const void *b)
{
	const struct log_field *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void format_json(struct buf *out, const struct log_entry *e)
{
	cleanup(buf_free) struct buf time = { 0 };
	struct fields all = { 0 };
	struct jsonw w;

	put_time(&time, e->time, true);
	VEC_PUSH(&all, ((struct log_field){ "time", time.p }));
	VEC_PUSH(&all, ((struct log_field){ "level", log_level_name(e->level) }));
	VEC_PUSH(&all, ((struct log_field){ "msg", e->msg }));
	if (e->job)
		VEC_PUSH(&all, ((struct log_field){ "job", e->job }));
	if (e->subsystem)
		VEC_PUSH(&all, ((struct log_field){ "subsystem", e->subsystem }));
	for (size_t i = 0; i < e->n_fields; i++)
		VEC_PUSH(&all, e->fields[i]);
	qsort(all.v, all.n, sizeof(*all.v), by_key);

	jsonw_init(&w, out);
	jsonw_object(&w);
	for (size_t i = 0; i < all.n; i++)
		jsonw_member_str(&w, all.v[i].key, all.v[i].value);
	jsonw_end(&w);
	free(all.v);
}

void log_format(struct buf *out, const struct log_style *style, const struct log_entry *e)
{
	switch (style->format) {
	case LOG_FORMAT_HUMAN:
		format_human(out, style, e);
		break;
	case LOG_FORMAT_LOGFMT:
		format_logfmt(out, style, e);
		break;
	case LOG_FORMAT_JSON:
		format_json(out, e);
		break;
	}
}
