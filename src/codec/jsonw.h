/*
 * jsonw.h - JSON, written as it goes; nothing is built in memory but the text.
 *
 * Commas and quoting are the writer's business.  Strings are UTF-8; bytes that
 * are not become U+FFFD.  Nesting errors (a value without its key, an unclosed
 * object) are programming errors and abort.
 */
#ifndef CODEC_JSONW_H
#define CODEC_JSONW_H

#include "base/buf.h"

#include <time.h>

enum { JSONW_MAX_DEPTH = 32 };

struct jsonw {
	struct buf *out;
	unsigned depth;
	bool has_item[JSONW_MAX_DEPTH]; /* at this depth: the next one needs a comma */
	bool has_key;                   /* a key waits for its value */
	bool is_object[JSONW_MAX_DEPTH];
};

void jsonw_init(struct jsonw *w, struct buf *out);
void jsonw_object(struct jsonw *w); /* { */
void jsonw_array(struct jsonw *w);  /* [ */
void jsonw_end(struct jsonw *w);    /* the matching } or ] */
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_str(struct jsonw *w, const char *s); /* NULL: null */
void jsonw_u64(struct jsonw *w, uint64_t n);
void jsonw_i64(struct jsonw *w, int64_t n);
void jsonw_bool(struct jsonw *w, bool b);
void jsonw_null(struct jsonw *w);
/* As rfc3339_format(). */
void jsonw_time(struct jsonw *w, struct timespec t);

/* A key and its value. */
void jsonw_member_str(struct jsonw *w, const char *key, const char *s);
void jsonw_member_u64(struct jsonw *w, const char *key, uint64_t n);
void jsonw_member_i64(struct jsonw *w, const char *key, int64_t n);
void jsonw_member_bool(struct jsonw *w, const char *key, bool b);
void jsonw_member_null(struct jsonw *w, const char *key);
void jsonw_member_time(struct jsonw *w, const char *key, struct timespec t);

#endif
