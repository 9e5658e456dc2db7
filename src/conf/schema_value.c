#include "conf/schema.h"

#include "codec/duration.h"
#include "conf/suggest.h"

#include <inttypes.h>
#include <string.h>

static int decode_bool(struct schema *s, const struct schema_type *t,
		       const struct yaml_node *n, void *out)
{
	bool b = false;

	if (n->kind != YAML_NULL && !yaml_bool(n, &b))
		return schema_fail_type(s, n, t->want);
	memcpy(out, &b, sizeof(b));
	return 0;
}

const struct schema_type schema_bool = {
	.decode = decode_bool,
	.want = "true or false, without quotes",
	.size = sizeof(bool),
};

int schema_decode_string(struct schema *s, const struct schema_type *t,
			 const struct yaml_node *n, void *out)
{
	const char *text;

	if (schema_text(s, n, t->want, &text) < 0)
		return -1;
	const char *copy = arena_strdup(s->arena, text);

	memcpy(out, &copy, sizeof(copy));
	return 0;
}

const struct schema_type schema_string = {
	.decode = schema_decode_string,
	.want = "a text",
	.size = sizeof(const char *),
};

int schema_decode_int(struct schema *s, const struct schema_type *t,
		      const struct yaml_node *n, void *out)
{
	int64_t v = 0;

	bool is_zero_fine = t->min <= 0 && t->max >= 0;

	if (n->kind == YAML_NULL ? !is_zero_fine : !yaml_int(n, &v))
		return schema_fail_type(s, n,
					t->want ? t->want : "a number, without quotes");
	if (v < t->min)
		return schema_fail(s, n, "is %" PRId64 "; want at least %" PRId64, v,
				   t->min);
	if (v > t->max)
		return schema_fail(s, n, "is %" PRId64 "; want at most %" PRId64, v,
				   t->max);
	memcpy(out, &v, sizeof(v));
	return 0;
}

/* ---- durations ---- */

static int decode_zdur(struct schema *s, const struct schema_type *t,
		       const struct yaml_node *n, void *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	const char *text;
	int64_t ns, seconds;

	if (schema_text(s, n, t->want, &text) < 0)
		return -1;
	if (zdur_parse(text, &ns, &why) < 0)
		return schema_fail_err(s, n, &why);
	if (ns <= 0)
		return schema_fail(s, n, "is not above zero; want %s", t->want);
	seconds = ns / NS_PER_S;
	memcpy(out, &seconds, sizeof(seconds));
	return 0;
}

const struct schema_type schema_zdur = {
	.decode = decode_zdur,
	.see = "Durations",
	.want = "a duration above zero: one number and one unit, such as 10m or 1d",
	.size = sizeof(int64_t),
};

/* zrepl 0.7 takes a number without unit as nanoseconds, which nobody means. */
static int parse_gdur(struct schema *s, const struct yaml_node *n, const char *want,
		      int64_t *ns)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	const char *text;

	if (n->kind == YAML_NULL) {
		*ns = 0;
		return 0;
	}
	if (yaml_int(n, ns)) {
		if (*ns != 0)
			schema_warn(s, n,
				    "%s has no unit and is taken as nanoseconds; "
				    "a duration is written as 30s or 1m30s",
				    n->text);
		return 0;
	}
	if (schema_text(s, n, want, &text) < 0)
		return -1;
	if (gdur_parse(text, ns, &why) < 0)
		return schema_fail_err(s, n, &why);
	return 0;
}

static int decode_gdur(struct schema *s, const struct schema_type *t,
		       const struct yaml_node *n, void *out)
{
	int64_t ns, ms;

	if (parse_gdur(s, n, t->want, &ns) < 0)
		return -1;
	/* up, so that what is not zero does not become zero, which may mean "for ever" */
	ms = ns / NS_PER_MS + (ns % NS_PER_MS > 0);
	if (ns < 0 || ms < t->min)
		return schema_fail(s, n, "\"%.60s\" is %s; want %s", n->text,
				   t->min > 0 ? "not above zero" : "below zero", t->want);
	memcpy(out, &ms, sizeof(ms));
	return 0;
}

const struct schema_type schema_gdur = {
	.decode = decode_gdur,
	.see = "Durations",
	.want = "a duration such as 10s or 1m30s, or 0",
	.size = sizeof(int64_t),
};
const struct schema_type schema_gdur_positive = {
	.decode = decode_gdur,
	.see = "Durations",
	.want = "a duration above zero such as 10s or 1m30s",
	.size = sizeof(int64_t),
	.min = 1,
};

/* ---- words ---- */

char *schema_want(const struct schema_type *t)
{
	struct buf b = { 0 };

	if (t->want)
		return xstrdup(t->want);
	for (size_t i = 0; i < t->words.n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "one of ", t->words.v[i].word);
	return b.p ? buf_take(&b) : xstrdup("a value");
}

static int note_bad_word(struct schema *s, const struct schema_type *t,
			 const struct yaml_node *n)
{
	cleanup(str_freep) char *known = schema_want(t);
	const char *text;

	if (n->kind == YAML_NULL)
		return schema_fail_type(s, n, known);
	if (schema_text(s, n, known, &text) < 0)
		return -1;
	struct suggest nearest = suggest_start(text);

	for (size_t i = 0; i < t->words.n; i++)
		suggest_try(&nearest, t->words.v[i].word);
	if (suggest_result(&nearest))
		return schema_fail(
			s, n, "\"%.60s\" is unknown, perhaps \"%s\" is meant; want %s",
			text, suggest_result(&nearest), known);
	return schema_fail(s, n, "\"%.60s\" is unknown; want %s", text, known);
}

int schema_decode_enum(struct schema *s, const struct schema_type *t,
		       const struct yaml_node *n, void *out)
{
	for (size_t i = 0; n->kind == YAML_SCALAR && i < t->words.n; i++) {
		if (strcmp(t->words.v[i].word, n->text) == 0) {
			memcpy(out, &t->words.v[i].value, sizeof(t->words.v[i].value));
			return 0;
		}
	}
	return note_bad_word(s, t, n);
}

const char *schema_word(const struct schema_words *words, unsigned value)
{
	for (size_t i = 0; i < words->n; i++)
		if (words->v[i].value == value)
			return words->v[i].word;
	return NULL;
}
