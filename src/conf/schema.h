/*
 * schema.h - YAML into C structs, by tables.
 *
 * A struct is described by a table: a row for each key says its name, its type,
 * whether it must be there, where its value goes, and what it is when absent.  A type
 * is a decoder and its parameters; lists, sections and unions are types built from
 * other types and tables.  To add a key is to add a row; to add a kind of value is to
 * write a decoder.
 *
 * What is decoded is checked: unknown and repeated keys, missing ones, wrong types and
 * values.  Each problem is noted, and what stands beside it is decoded all the same, so
 * that one run finds them all.  A problem is one line:
 *
 *	FILE:LINE:COLUMN: jobs[2].pruning.keep[0].count: what is wrong; want RIGHT
 *
 * The tables also are the reference: each row says what its key is for, and
 * conf/reference.h makes a document of them.
 *
 * The rules for absent, null and empty values are those of zrepl 0.7:
 *
 *	            absent         null           "", [], {}
 *	REQUIRED    error          error          error
 *	OPTIONAL    zero value     zero value     as given
 *	DEFAULT     .def           zero value     as given
 *	SECTION     all defaults   all defaults   all defaults
 *
 * An element of a list is never null.  Structs start zeroed.  All memory is taken from
 * an arena; the YAML tree is not needed afterwards.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include "base/arena.h"
#include "base/strs.h"
#include "codec/yaml.h"
#include "conf/problems.h"

/* One file being decoded. */
struct schema {
	const char *file;         /* for messages */
	const struct strs *files; /* all, as loaded, to sort messages by; or NULL */
	struct arena *arena;
	struct problems *problems, *warnings;
	struct buf path; /* of the value at hand: "jobs[2].name" */
};

struct schema_type;
struct schema_table;

/* n is null only where the table above allows it.  -1: a problem was noted, and *out is
 * not to be used; the path may be longer than before. */
typedef int schema_decode_fn(struct schema *s, const struct schema_type *t,
			     const struct yaml_node *n, void *out);

struct schema_word {
	const char *word;
	unsigned value;
};

struct schema_words {
	const struct schema_word *v;
	size_t n;
};

struct schema_variant {
	const char *name; /* the value of `type` */
	unsigned value;
	const struct schema_table *table; /* NULL: only if it is refused */
	const char *refusal;              /* why it is refused, or NULL */
	const char *doc;                  /* what it is, in Markdown */
};

enum { SCHEMA_NO_TAG = -1 };

/* A map whose key `type` says which table describes it. */
struct schema_union {
	const char *what; /* "job type" */
	const struct schema_variant *v;
	size_t n;
	long tag; /* offset of the enum that gets .value, or SCHEMA_NO_TAG */
};

#define SCHEMA_UNION(what_, variants_, tag_)                                  \
	{                                                                     \
		.what = (what_), .v = (variants_), .n = ARRAY_LEN(variants_), \
		.tag = (tag_)                                                 \
	}

struct schema_type {
	schema_decode_fn *decode;
	const char *want; /* "a list of job names"; an enum has its words instead */
	const char *see;  /* the heading under which a document says more, or NULL */
	size_t size;      /* of the C object */
	int64_t min, max;
	struct schema_words words;
	const struct schema_type *element;
	const struct schema_table *table;
	const struct schema_union *variants;
};

enum schema_need { SCHEMA_REQUIRED, SCHEMA_OPTIONAL, SCHEMA_DEFAULT, SCHEMA_SECTION };

struct schema_key {
	const char *name;
	const struct schema_type *type;
	enum schema_need need;
	size_t offset;
	const char *def; /* as a plain YAML scalar */
	const char *doc; /* what it is for, in Markdown: one sentence or two */
};

enum { SCHEMA_MAX_KEYS = 32 };

/* After all keys, if none had a problem: what involves several of them. */
typedef int schema_finish_fn(struct schema *s, const struct yaml_node *n, void *out);

struct schema_table {
	const char *what; /* "a push job" */
	const struct schema_key *keys;
	size_t n_keys;
	schema_finish_fn *finish; /* or NULL */
};

#define SCHEMA_TABLE(what_, keys_, finish_)                                   \
	{                                                                     \
		.what = (what_), .keys = (keys_), .n_keys = ARRAY_LEN(keys_), \
		.finish = (finish_)                                           \
	}

/* ---- types ---- */

/* A list is this in a struct; two members in this order do as well. */
struct schema_list {
	void *v;
	size_t n;
};

schema_decode_fn schema_decode_string; /* const char * */
schema_decode_fn schema_decode_int;    /* int64_t, min..max */
schema_decode_fn schema_decode_enum;   /* an enum, words */
schema_decode_fn schema_decode_list;   /* struct schema_list of element */
schema_decode_fn schema_decode_table;  /* the struct that table describes */
schema_decode_fn schema_decode_union;  /* the struct that variants describes */

extern const struct schema_type schema_bool;          /* bool */
extern const struct schema_type schema_string;        /* const char * */
extern const struct schema_type schema_zdur;          /* int64_t s, > 0 */
extern const struct schema_type schema_gdur;          /* int64_t ms, >= 0, rounded up */
extern const struct schema_type schema_gdur_positive; /* the same, > 0 */

/* ---- for decoders ---- */

/* Notes a problem at the path; returns -1.  Who goes on restores the path. */
int schema_fail(struct schema *s, const struct yaml_node *at, const char *fmt, ...)
	printf_like(3, 4);
int schema_fail_err(struct schema *s, const struct yaml_node *at, const struct err *why);
/* The same, and "; want WANT" if the error does not say what would be right. */
int schema_fail_want(struct schema *s, const struct yaml_node *at, const struct err *why,
		     const char *want);
/* "is a list; want WANT" */
int schema_fail_type(struct schema *s, const struct yaml_node *at, const char *want);
/* For messages: its beginning, and of what may be a connection string with a password,
 * put where it does not belong, the first word only.  The caller frees. */
char *schema_excerpt(const char *text) must_check;
void schema_warn(struct schema *s, const struct yaml_node *at, const char *fmt, ...)
	printf_like(3, 4);

/* Appends to the path; returns what schema_leave() goes back to.  An element, or a key of
 * any text: "[%zu]", "[\"%.60s\"]". */
size_t schema_enter(struct schema *s, const char *fmt, ...) printf_like(2, 3);
size_t schema_enter_key(struct schema *s, const char *key); /* of a table */
void schema_leave(struct schema *s, size_t mark);

/* What t->want says, or the words of an enum; the caller frees. */
char *schema_want(const struct schema_type *t) must_check;
/* The text of a scalar, "" for null; borrowed from the tree. */
int schema_text(struct schema *s, const struct yaml_node *n, const char *want,
		const char **out) must_check;
/* For maps whose keys are free: fails if one is null or there twice.  (*skip)[i]: that
 * was noted of item i, whose key is not to be used; from the arena. */
int schema_check_free_keys(struct schema *s, const struct yaml_node *map, bool **skip)
	must_check;

/* The root of a file: a map, or null.  -1: there are problems; what has none is decoded
 * all the same. */
int schema_decode(struct schema *s, const struct schema_table *t,
		  const struct yaml_node *root, void *out) must_check;

/* NULL: no such value. */
const char *schema_word(const struct schema_words *words, unsigned value);

#endif
