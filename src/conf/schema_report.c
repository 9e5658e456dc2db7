#include "conf/schema.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

enum { MAX_MESSAGE = 2000 };

static void put_formatted(struct buf *out, const char *fmt, va_list ap) printf_like(2, 0);
static void put_formatted(struct buf *out, const char *fmt, va_list ap)
{
	cleanup(str_freep) char *s = xvasprintf(fmt, ap);

	buf_printf(out, "%s", s);
}

/* "FILE:LINE:COLUMN: PATH: " */
static void put_place(struct schema *s, struct buf *out, const struct yaml_node *at)
{
	buf_printf(out, "%s:%u:%u: ", s->file, at->line, at->column);
	if (s->path.len)
		buf_printf(out, "%s: ", buf_str(&s->path));
}

/* Messages quote what the file says; whatever that is, they stay one readable line. */
static void make_printable(struct buf *b)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < b->len && out.len < MAX_MESSAGE; i++) {
		unsigned char c = (unsigned char)b->p[i];

		if (c == '\n')
			buf_printf(&out, "\\n");
		else if (c == '\t')
			buf_printf(&out, "\\t");
		else if (c < 0x20 || c == 0x7f)
			buf_printf(&out, "\\x%02x", c);
		else
			buf_put(&out, &b->p[i], 1);
	}
	buf_free(b);
	*b = out;
}

/* The whole line, the caller's. */
static struct buf message(struct schema *s, const struct yaml_node *at, const char *fmt,
			  va_list ap) printf_like(3, 0);
static struct buf message(struct schema *s, const struct yaml_node *at, const char *fmt,
			  va_list ap)
{
	struct buf msg = { 0 };

	put_place(s, &msg, at);
	put_formatted(&msg, fmt, ap);
	make_printable(&msg);
	return msg;
}

static void note(struct schema *s, struct problems *to, const struct yaml_node *at,
		 struct buf *text)
{
	size_t file = 0;

	while (s->files && file < s->files->n && strcmp(s->files->v[file], s->file) != 0)
		file++;
	problems_add(to, (struct problem){
				 .file = file,
				 .line = at->line,
				 .column = at->column,
				 .text = buf_take(text),
			 });
}

int schema_fail(struct schema *s, const struct yaml_node *at, const char *fmt, ...)
{
	struct buf msg;
	va_list ap;

	va_start(ap, fmt);
	msg = message(s, at, fmt, ap);
	va_end(ap);
	note(s, s->problems, at, &msg);
	return -1;
}

int schema_fail_err(struct schema *s, const struct yaml_node *at, const struct err *why)
{
	return schema_fail(s, at, "%s", err_msg(why));
}

int schema_fail_want(struct schema *s, const struct yaml_node *at, const struct err *why,
		     const char *want)
{
	if (strstr(err_msg(why), "; "))
		return schema_fail_err(s, at, why);
	return schema_fail(s, at, "%s; want %s", err_msg(why), want);
}

char *schema_excerpt(const char *text)
{
	size_t len = strnlen(text, 60), end = strcspn(text, ":=@");
	bool is_secret = strchr(text, '@') || strcasestr(text, "pass");

	if (is_secret && end < len)
		return xasprintf("%.*s...", (int)end, text);
	return xasprintf("%.*s", (int)len, text);
}

int schema_fail_type(struct schema *s, const struct yaml_node *at, const char *want)
{
	cleanup(str_freep) char *shown = NULL;

	switch (at->kind) {
	case YAML_NULL:
		return schema_fail(s, at, "is null; want %s", want);
	case YAML_SCALAR:
		shown = schema_excerpt(at->text);
		return schema_fail(s, at, "is %s\"%s\"; want %s",
				   at->is_plain ? "" : "the quoted text ", shown, want);
	case YAML_LIST:
		return schema_fail(s, at, "is a list; want %s", want);
	case YAML_MAP:
		return schema_fail(s, at, "is a map; want %s", want);
	}
	return schema_fail(s, at, "want %s", want);
}

void schema_warn(struct schema *s, const struct yaml_node *at, const char *fmt, ...)
{
	struct buf msg;
	va_list ap;

	va_start(ap, fmt);
	msg = message(s, at, fmt, ap);
	va_end(ap);
	note(s, s->warnings, at, &msg);
}

size_t schema_enter(struct schema *s, const char *fmt, ...)
{
	size_t mark = s->path.len;
	va_list ap;

	va_start(ap, fmt);
	put_formatted(&s->path, fmt, ap);
	va_end(ap);
	return mark;
}

size_t schema_enter_key(struct schema *s, const char *key)
{
	size_t mark = s->path.len;

	if (mark)
		buf_put(&s->path, ".", 1);
	buf_put(&s->path, key, strlen(key));
	return mark;
}

void schema_leave(struct schema *s, size_t mark)
{
	assert(mark <= s->path.len);
	if (!s->path.p)
		return;
	s->path.len = mark;
	s->path.p[mark] = '\0';
}

int schema_text(struct schema *s, const struct yaml_node *n, const char *want,
		const char **out)
{
	if (n->kind != YAML_SCALAR && n->kind != YAML_NULL)
		return schema_fail_type(s, n, want);
	*out = n->kind == YAML_NULL ? "" : n->text;
	return 0;
}
