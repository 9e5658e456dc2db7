#include "codec/jsonw.h"

#include "codec/rfc3339.h"
#include "codec/utf8.h"

#include <assert.h>
#include <inttypes.h>

void jsonw_init(struct jsonw *w, struct buf *out)
{
	*w = (struct jsonw){ .out = out };
}

static void put(struct jsonw *w, const char *s)
{
	buf_put(w->out, s, strlen(s));
}

static void comma(struct jsonw *w)
{
	if (w->has_item[w->depth])
		put(w, ",");
	w->has_item[w->depth] = true;
}

/* What every value begins with. */
static void begin_value(struct jsonw *w)
{
	if (w->depth > 0 && w->is_object[w->depth]) {
		assert(w->has_key);
		w->has_key = false;
		return;
	}
	assert(!w->has_key);
	assert(w->depth > 0 || !w->has_item[0]);
	comma(w);
}

static void open_level(struct jsonw *w, bool is_object)
{
	begin_value(w);
	assert(w->depth + 1 < JSONW_MAX_DEPTH);
	w->depth++;
	w->has_item[w->depth] = false;
	w->is_object[w->depth] = is_object;
	put(w, is_object ? "{" : "[");
}

void jsonw_object(struct jsonw *w)
{
	open_level(w, true);
}

void jsonw_array(struct jsonw *w)
{
	open_level(w, false);
}

void jsonw_end(struct jsonw *w)
{
	assert(w->depth > 0 && !w->has_key);
	put(w, w->is_object[w->depth] ? "}" : "]");
	w->depth--;
}

static void put_char(struct jsonw *w, const char *s, size_t n)
{
	if (n == 0)
		put(w, UTF8_REPLACEMENT);
	else if (*s == '"' || *s == '\\')
		buf_printf(w->out, "\\%c", *s);
	else if (*s == '\n')
		put(w, "\\n");
	else if (*s == '\t')
		put(w, "\\t");
	else if (*s == '\r')
		put(w, "\\r");
	else if (n == 1 && *s < ' ')
		buf_printf(w->out, "\\u%04x", (unsigned)*s);
	else
		buf_put(w->out, s, n);
}

static void put_quoted(struct jsonw *w, const char *s)
{
	struct view left = view_of(s);

	put(w, "\"");
	while (left.len > 0) {
		size_t n = utf8_char_len(left), took = n ? n : 1;

		put_char(w, left.p, n);
		left = (struct view){ left.p + took, left.len - took };
	}
	put(w, "\"");
}

void jsonw_key(struct jsonw *w, const char *key)
{
	assert(w->depth > 0 && w->is_object[w->depth] && !w->has_key);
	comma(w);
	put_quoted(w, key);
	put(w, ":");
	w->has_key = true;
}

void jsonw_str(struct jsonw *w, const char *s)
{
	if (!s) {
		jsonw_null(w);
		return;
	}
	begin_value(w);
	put_quoted(w, s);
}

void jsonw_u64(struct jsonw *w, uint64_t n)
{
	begin_value(w);
	buf_printf(w->out, "%" PRIu64, n);
}

void jsonw_i64(struct jsonw *w, int64_t n)
{
	begin_value(w);
	buf_printf(w->out, "%" PRId64, n);
}

void jsonw_bool(struct jsonw *w, bool b)
{
	begin_value(w);
	put(w, b ? "true" : "false");
}

void jsonw_null(struct jsonw *w)
{
	begin_value(w);
	put(w, "null");
}

void jsonw_time(struct jsonw *w, struct timespec t)
{
	begin_value(w);
	put(w, "\"");
	rfc3339_format(w->out, t);
	put(w, "\"");
}

void jsonw_member_str(struct jsonw *w, const char *key, const char *s)
{
	jsonw_key(w, key);
	jsonw_str(w, s);
}

void jsonw_member_u64(struct jsonw *w, const char *key, uint64_t n)
{
	jsonw_key(w, key);
	jsonw_u64(w, n);
}

void jsonw_member_i64(struct jsonw *w, const char *key, int64_t n)
{
	jsonw_key(w, key);
	jsonw_i64(w, n);
}

void jsonw_member_bool(struct jsonw *w, const char *key, bool b)
{
	jsonw_key(w, key);
	jsonw_bool(w, b);
}

void jsonw_member_null(struct jsonw *w, const char *key)
{
	jsonw_key(w, key);
	jsonw_null(w);
}

void jsonw_member_time(struct jsonw *w, const char *key, struct timespec t)
{
	jsonw_key(w, key);
	jsonw_time(w, t);
}
