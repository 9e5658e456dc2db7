#include "codec/regex.h"

#include "base/buf.h"
#include "codec/re2.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	MAX_PATTERN = 4096,
	MATCH_LIMIT = 1000000, /* backtracking points: well below a second */
	HEAP_LIMIT_KIB = 16 * 1024,
};

struct regex {
	char *pattern;
	pcre2_code *code;
	pcre2_match_context *limits; /* only read once it is set up */
};

static pcre2_code *compile(const char *pattern, struct err *err)
{
	/* PCRE2 10.42 finds possessive what is not: \P{L}*\P{N} would not match "::". */
	const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX |
				 PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_POSSESS;
	cleanup(re2_marks_free) struct re2_marks marks = { 0 };
	cleanup(buf_free) struct buf text = { 0 };
	pcre2_compile_context *context;
	pcre2_code *code;
	PCRE2_SIZE offset;
	PCRE2_UCHAR why[160];
	int code_err;

	if (re2_to_pcre(pattern, &text, &marks, err) < 0)
		return NULL;
	context = pcre2_compile_context_create(NULL);
	if (!context)
		abort();
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	code = pcre2_compile((PCRE2_SPTR)(text.p ? text.p : ""), text.len, options,
			     &code_err, &offset, context);
	pcre2_compile_context_free(context);
	if (code)
		return code;
	pcre2_get_error_message(code_err, why, sizeof(why));
	err_set(err, ERR_INVALID, "regular expression: at offset %zu: %s",
		re2_origin(&marks, offset), (const char *)why);
	return NULL;
}

struct regex *regex_new(const char *pattern, struct err *err)
{
	cleanup(regex_freep) struct regex *r = xcalloc(1, sizeof(*r));

	if (strlen(pattern) > MAX_PATTERN) {
		err_set(err, ERR_INVALID, "regular expression: longer than %d bytes",
			MAX_PATTERN);
		return NULL;
	}
	r->pattern = xstrdup(pattern);
	r->code = compile(pattern, err);
	if (!r->code)
		return NULL;
	r->limits = pcre2_match_context_create(NULL);
	if (!r->limits)
		abort();
	pcre2_set_match_limit(r->limits, MATCH_LIMIT);
	pcre2_set_heap_limit(r->limits, HEAP_LIMIT_KIB);
	return TAKE(r);
}

const char *regex_pattern(const struct regex *r)
{
	return r->pattern;
}

int regex_matches(const struct regex *r, const char *text, struct err *err)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	PCRE2_UCHAR why[160];
	int n;

	if (!data)
		abort();
	n = pcre2_match(r->code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, r->limits);
	pcre2_match_data_free(data);
	if (n >= 0)
		return 1;
	if (n == PCRE2_ERROR_NOMATCH)
		return 0;
	pcre2_get_error_message(n, why, sizeof(why));
	return err_set(err, ERR_INTERNAL,
		       "regular expression \"%.200s\" on \"%.300s\": %s", r->pattern,
		       text, (const char *)why);
}

void regex_free(struct regex *r)
{
	if (!r)
		return;
	pcre2_match_context_free(r->limits);
	pcre2_code_free(r->code);
	free(r->pattern);
	free(r);
}
