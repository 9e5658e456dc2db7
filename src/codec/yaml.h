/*
 * yaml.h - a YAML 1.1 document as a tree of nodes with positions.
 *
 * Only the first document of a text is read.  Anchors, aliases and merge keys
 * (<<) are resolved.  Limits: YAML_MAX_BYTES of text, YAML_MAX_DEPTH of nesting,
 * YAML_MAX_NODES after aliases are resolved (so that aliases of aliases cannot
 * explode), YAML_MAX_ANCHORS.  Scalars keep their raw text; the resolution of plain
 * scalars to null, bool and integer follows YAML 1.1 as go-yaml v2 does it.
 *
 * An explicit key wins over a merged one, an earlier merged map over a later one.
 * An aliased node has the position of its anchor.  Tags: !!str makes a string,
 * !!bool, !!int, !!float and !!null a plain scalar; others than those of YAML's
 * core are refused.
 *
 * The tree is built once and dropped whole; nodes are borrowed from it.
 */
#ifndef CODEC_YAML_H
#define CODEC_YAML_H

#include "base/buf.h"
#include "base/err.h"

enum {
	YAML_MAX_BYTES = 8 << 20,
	YAML_MAX_DEPTH = 64,
	YAML_MAX_NODES = 1000000,
	YAML_MAX_ANCHORS = 1000,
};

enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	bool is_plain;           /* scalar or null without quotes */
	unsigned line, column;   /* from 1 */
	const char *text;        /* scalar and null: raw text, contains no NUL */
	struct yaml_item *items; /* list and map, in order */
	size_t n_items;
};

struct yaml_item {
	const struct yaml_node *key; /* a scalar or null; NULL in lists */
	const struct yaml_node *value;
};

struct yaml;

/*
 * NULL with ERR_INVALID "line:column: what is wrong".  `root` of an empty text, or one of
 * comments only, is a YAML_NULL.  Duplicate keys are not an error here.
 */
struct yaml *yaml_parse(struct view text, struct err *err) must_check;
const struct yaml_node *yaml_root(const struct yaml *y);
/* The value of the first such key of a map; NULL: none, or n is not a map. */
const struct yaml_node *yaml_get(const struct yaml_node *n, const char *key);
/* Not yaml_free: libyaml exports that name. */
void yaml_delete(struct yaml *y);
DEFINE_CLEANUP(yaml_delete, struct yaml *);

/* Scalars resolved; false: not of that type.  Quoted scalars are strings, never these. */
bool yaml_bool(const struct yaml_node *n, bool *out);
/* Also 0x, leading-zero octal, 0b, '_'; a float is truncated towards zero. */
bool yaml_int(const struct yaml_node *n, int64_t *out);

#endif
