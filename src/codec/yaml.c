#include "codec/yaml.h"

#include "base/arena.h"
#include "base/vec.h"

#include <assert.h>
#include <stdarg.h>
#include <yaml.h>

/* Comparisons of keys that one text may cost by its merge keys. */
enum { MERGE_MAX_WORK = 4000000 };

struct yaml {
	struct arena arena;
	const struct yaml_node *root;
};

struct anchor {
	char *name;
	const struct yaml_node *node;
	bool is_complete; /* false while the node itself is being read */
	size_t weight;    /* nodes, this one included */
	unsigned height;  /* levels, this one included */
};

struct anchors {
	struct anchor *v;
	size_t n, cap;
};

struct items {
	struct yaml_item *v;
	size_t n, cap;
};

/* A list or map that is not closed yet. */
struct frame {
	struct yaml_node *node;
	struct items items;
	const struct yaml_node *key; /* map: waits for its value */
	size_t anchor;               /* index + 1, or 0 */
	size_t nodes_before;
	unsigned height; /* of the highest child so far */
};

struct builder {
	struct arena *arena;
	const struct yaml_node *root;
	struct frame stack[YAML_MAX_DEPTH];
	unsigned depth;
	size_t n_nodes, merge_work;
	struct anchors anchors;
	yaml_mark_t mark; /* of the event at hand */
	struct err *err;
};

static int fail(struct builder *b, const char *fmt, ...) printf_like(2, 3);
static int fail(struct builder *b, const char *fmt, ...)
{
	cleanup(str_freep) char *what = NULL;
	va_list ap;

	va_start(ap, fmt);
	what = xvasprintf(fmt, ap);
	va_end(ap);
	for (char *c = what; *c; c++) /* names and tags may hold anything */
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return err_set(b->err, ERR_INVALID, "%zu:%zu: %s", b->mark.line + 1,
		       b->mark.column + 1, what);
}

/* The same, about a node that is not the event at hand. */
static int fail_at(struct builder *b, const struct yaml_node *n, const char *what)
{
	return err_set(b->err, ERR_INVALID, "%u:%u: %s", n->line, n->column, what);
}

/* ---- nodes and their place in the tree ---- */

static int count_nodes(struct builder *b, size_t n)
{
	if (n > YAML_MAX_NODES - b->n_nodes)
		return fail(b, "more than %d values, counting those that aliases repeat",
			    YAML_MAX_NODES);
	b->n_nodes += n;
	return 0;
}

/* A finished node becomes the root, a key, a value or an element. */
static int attach(struct builder *b, const struct yaml_node *n, unsigned height)
{
	if (b->depth == 0) {
		b->root = n;
		return 0;
	}
	struct frame *f = &b->stack[b->depth - 1];

	if (height > f->height)
		f->height = height;
	if (f->node->kind == YAML_LIST) {
		VEC_PUSH(&f->items, ((struct yaml_item){ NULL, n }));
	} else if (f->key) {
		VEC_PUSH(&f->items, ((struct yaml_item){ f->key, n }));
		f->key = NULL;
	} else if (n->kind == YAML_LIST || n->kind == YAML_MAP) {
		return fail_at(b, n, "a list or map cannot be a key");
	} else {
		f->key = n;
	}
	return 0;
}

static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind)
{
	struct yaml_node *n = arena_alloc(b->arena, 1, sizeof(*n));

	n->kind = kind;
	n->line = (unsigned)b->mark.line + 1;
	n->column = (unsigned)b->mark.column + 1;
	return n;
}

/* *index: for whom completes the node; 0 without a name. */
static int add_anchor(struct builder *b, const yaml_char_t *name, size_t *index)
{
	*index = 0;
	if (!name)
		return 0;
	if (b->anchors.n == YAML_MAX_ANCHORS)
		return fail(b, "more than %d anchors", YAML_MAX_ANCHORS);
	char *copy = arena_strdup(b->arena, (const char *)name);

	VEC_PUSH(&b->anchors, ((struct anchor){ .name = copy }));
	*index = b->anchors.n;
	return 0;
}

static void complete_anchor(struct builder *b, size_t index, const struct yaml_node *n,
			    size_t weight, unsigned height)
{
	if (index == 0)
		return;
	struct anchor *a = &b->anchors.v[index - 1];

	a->node = n;
	a->weight = weight;
	a->height = height;
	a->is_complete = true;
}

static int on_alias(struct builder *b, const char *name)
{
	const struct anchor *a = NULL;

	for (size_t i = b->anchors.n; i > 0 && !a; i--)
		if (strcmp(b->anchors.v[i - 1].name, name) == 0)
			a = &b->anchors.v[i - 1];
	if (!a)
		return fail(b,
			    "alias \"*%.60s\" has no anchor before it; quote a text that "
			    "begins with '*'",
			    name);
	if (!a->is_complete)
		return fail(b, "anchor \"&%.60s\" contains itself", name);
	if (b->depth + a->height > YAML_MAX_DEPTH)
		return fail(b, "nested more than %d levels deep", YAML_MAX_DEPTH);
	if (count_nodes(b, a->weight) < 0)
		return -1;
	return attach(b, a->node, a->height);
}

/* ---- scalars ---- */

static bool is_null_text(const char *s)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
		if (strcmp(s, nulls[i]) == 0)
			return true;
	return false;
}

/* Is the scalar to be resolved as if it had no quotes? */
static int scalar_is_plain(struct builder *b, const yaml_event_t *ev, bool *is_plain)
{
	static const char *const resolved[] = { YAML_NULL_TAG, YAML_BOOL_TAG,
						YAML_INT_TAG, YAML_FLOAT_TAG };
	const char *tag = (const char *)ev->data.scalar.tag;

	*is_plain = ev->data.scalar.plain_implicit != 0;
	if (!tag)
		return 0;
	*is_plain = false;
	if (strcmp(tag, YAML_STR_TAG) == 0 || strcmp(tag, "!") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(resolved); i++)
		if (strcmp(tag, resolved[i]) == 0) {
			*is_plain = true;
			return 0;
		}
	return fail(b, "tag \"%.60s\" is not known here", tag);
}

static int on_scalar(struct builder *b, const yaml_event_t *ev)
{
	struct view text = { (const char *)ev->data.scalar.value,
			     ev->data.scalar.length };
	size_t anchor;
	bool is_plain;

	if (text.len && memchr(text.p, '\0', text.len))
		return fail(b, "the text contains a NUL byte");
	if (scalar_is_plain(b, ev, &is_plain) < 0 || count_nodes(b, 1) < 0 ||
	    add_anchor(b, ev->data.scalar.anchor, &anchor) < 0)
		return -1;
	struct yaml_node *n = new_node(b, YAML_SCALAR);

	n->is_plain = is_plain;
	n->text = arena_dup(b->arena, text);
	if (is_plain && is_null_text(n->text))
		n->kind = YAML_NULL;
	complete_anchor(b, anchor, n, 1, 1);
	return attach(b, n, 1);
}

/* ---- lists, maps and merge keys ---- */

static int open_frame(struct builder *b, enum yaml_kind kind, const yaml_char_t *anchor,
		      const yaml_char_t *tag)
{
	const char *want = kind == YAML_LIST ? YAML_SEQ_TAG : YAML_MAP_TAG;
	size_t nodes_before = b->n_nodes;
	size_t index;

	if (tag && strcmp((const char *)tag, want) != 0)
		return fail(b, "tag \"%.60s\" is not known here", (const char *)tag);
	if (b->depth == YAML_MAX_DEPTH)
		return fail(b, "nested more than %d levels deep", YAML_MAX_DEPTH);
	if (count_nodes(b, 1) < 0 || add_anchor(b, anchor, &index) < 0)
		return -1;
	b->stack[b->depth++] = (struct frame){
		.node = new_node(b, kind),
		.anchor = index,
		.nodes_before = nodes_before,
	};
	return 0;
}

static bool is_merge_key(const struct yaml_node *key)
{
	return key && key->is_plain && strcmp(key->text, "<<") == 0;
}

static int merge_map(struct builder *b, struct items *into, const struct yaml_node *from)
{
	if (from->kind != YAML_MAP)
		return fail_at(b, from,
			       "the value of '<<' must be a map or a list of maps");
	for (size_t i = 0; i < from->n_items; i++) {
		const struct yaml_item *item = &from->items[i];
		bool is_there = false;

		b->merge_work += into->n + 1;
		if (b->merge_work > MERGE_MAX_WORK)
			return fail(b, "too many keys are merged by '<<'");
		for (size_t k = 0; k < into->n && !is_there; k++)
			is_there = strcmp(into->v[k].key->text, item->key->text) == 0;
		if (!is_there)
			VEC_PUSH(into, *item);
	}
	return 0;
}

static int merge_value(struct builder *b, struct items *into,
		       const struct yaml_node *from)
{
	if (from->kind != YAML_LIST)
		return merge_map(b, into, from);
	for (size_t i = 0; i < from->n_items; i++)
		if (merge_map(b, into, from->items[i].value) < 0)
			return -1;
	return 0;
}

/* Replaces the merge keys of a map by what they stand for. */
static int expand_merges(struct builder *b, struct items *items)
{
	struct items merges = { 0 };
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < items->n; i++) {
		if (is_merge_key(items->v[i].key))
			VEC_PUSH(&merges, items->v[i]);
		else
			items->v[kept++] = items->v[i];
	}
	items->n = kept;
	for (size_t i = 0; i < merges.n && r == 0; i++)
		r = merge_value(b, items, merges.v[i].value);
	free(merges.v);
	return r;
}

static int close_frame(struct builder *b)
{
	struct frame *f = &b->stack[b->depth - 1];
	struct yaml_node *n = f->node;

	assert(b->depth > 0 && n); /* the parser pairs starts and ends */
	if (n->kind == YAML_MAP && expand_merges(b, &f->items) < 0)
		return -1;
	n->n_items = f->items.n;
	n->items = arena_alloc(b->arena, n->n_items, sizeof(*n->items));
	if (n->n_items)
		memcpy(n->items, f->items.v, n->n_items * sizeof(*n->items));
	free(f->items.v);
	f->items = (struct items){ 0 };
	complete_anchor(b, f->anchor, n, b->n_nodes - f->nodes_before, f->height + 1);
	b->depth--;
	return attach(b, n, f->height + 1);
}

/* ---- events ---- */

/* 1: the first document has ended. */
static int on_event(struct builder *b, const yaml_event_t *ev)
{
	b->mark = ev->start_mark;
	switch (ev->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		return 0;
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 1;
	case YAML_ALIAS_EVENT:
		return on_alias(b, (const char *)ev->data.alias.anchor);
	case YAML_SCALAR_EVENT:
		return on_scalar(b, ev);
	case YAML_SEQUENCE_START_EVENT:
		return open_frame(b, YAML_LIST, ev->data.sequence_start.anchor,
				  ev->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return open_frame(b, YAML_MAP, ev->data.mapping_start.anchor,
				  ev->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_frame(b);
	}
	return fail(b, "unexpected event %d", (int)ev->type);
}

/* Bytes that are not text are reported by their offset only. */
static yaml_mark_t mark_of_offset(struct view text, size_t offset)
{
	yaml_mark_t m = { 0 };

	for (size_t i = 0; i < offset && i < text.len; i++) {
		m.column++;
		if (text.p[i] == '\n') {
			m.line++;
			m.column = 0;
		}
	}
	return m;
}

/* What libyaml says, and what helps. */
static const char *hint(const yaml_parser_t *p)
{
	static const struct {
		const char *said, *hint;
	} hints[] = {
		{ "scanning an alias", "quote a text that begins with '*'" },
		{ "scanning an anchor", "quote a text that begins with '&'" },
		{ "tab character", "indent with spaces" },
		{ "cannot start any token",
		  "indent with spaces, and quote a text that begins with @ ` or %" },
		{ "mapping values are not allowed",
		  "quote a text that contains ': ', or look at the indentation" },
		{ "expected key", "look at the indentation there" },
		{ "quoted scalar", "close the quote" },
		{ "or '}'", "close the brace, or look for a missing comma" },
		{ "or ']'", "close the bracket, or look for a missing comma" },
		{ "flow node", "close the bracket" },
		{ "simple key", "look for a missing ':' or a wrong indentation" },
	};

	for (size_t i = 0; i < ARRAY_LEN(hints); i++)
		if ((p->problem && strstr(p->problem, hints[i].said)) ||
		    (p->context && strstr(p->context, hints[i].said)))
			return hints[i].hint;
	return NULL;
}

static int fail_syntax(struct builder *b, const yaml_parser_t *p, struct view text)
{
	const char *problem = p->problem ? p->problem : "not YAML";

	if (p->error == YAML_READER_ERROR) {
		static const char advice[] = "save the file as UTF-8 text";

		b->mark = mark_of_offset(text, p->problem_offset);
		if (p->problem_value < 0)
			return fail(b, "%s; %s", problem, advice);
		return fail(b, "%s (byte 0x%02x); %s", problem,
			    (unsigned)p->problem_value, advice);
	}
	b->mark = p->problem_mark;
	const char *advice = hint(p);

	if (!p->context)
		return fail(b, "%s%s%s", problem, advice ? "; " : "",
			    advice ? advice : "");
	return fail(b, "%s, %s that began in line %zu%s%s", problem, p->context,
		    p->context_mark.line + 1, advice ? "; " : "", advice ? advice : "");
}

/*
 * Gives the parser one line at a time: it checks all it is given at once, and nobody
 * asks what comes after the first document.
 */
static int read_line(void *data, unsigned char *out, size_t size, size_t *n)
{
	struct view *rest = data;
	const char *end = rest->len ? memchr(rest->p, '\n', rest->len) : NULL;

	*n = end ? (size_t)(end + 1 - rest->p) : rest->len;
	if (*n > size)
		*n = size;
	if (*n)
		memcpy(out, rest->p, *n);
	rest->p += *n;
	rest->len -= *n;
	return 1;
}

static int build(struct builder *b, yaml_parser_t *p, struct view text)
{
	int r = 0;

	while (r == 0) {
		yaml_event_t ev;

		if (!yaml_parser_parse(p, &ev))
			return fail_syntax(b, p, text);
		r = on_event(b, &ev);
		yaml_event_delete(&ev);
	}
	return r < 0 ? -1 : 0;
}

struct yaml *yaml_parse(struct view text, struct err *err)
{
	cleanup(yaml_deletep) struct yaml *y = xcalloc(1, sizeof(*y));
	struct builder b = { .arena = &y->arena, .err = err };
	struct view rest = { text.p ? text.p : "", text.len };
	yaml_parser_t parser;

	if (text.len > YAML_MAX_BYTES) {
		err_set(err, ERR_INVALID, "1:1: the text is longer than %d bytes",
			YAML_MAX_BYTES);
		return NULL;
	}
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input(&parser, read_line, &rest);
	int r = build(&b, &parser, text);

	yaml_parser_delete(&parser);
	while (b.depth > 0)
		free(b.stack[--b.depth].items.v);
	free(b.anchors.v);
	if (r < 0)
		return NULL;
	if (!b.root) {
		b.mark = (yaml_mark_t){ 0 };
		struct yaml_node *n = new_node(&b, YAML_NULL);

		n->text = "";
		n->is_plain = true;
		b.root = n;
	}
	y->root = b.root;
	return TAKE(y);
}

const struct yaml_node *yaml_root(const struct yaml *y)
{
	return y->root;
}

const struct yaml_node *yaml_get(const struct yaml_node *n, const char *key)
{
	if (n->kind != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < n->n_items; i++)
		if (strcmp(n->items[i].key->text, key) == 0)
			return n->items[i].value;
	return NULL;
}

void yaml_delete(struct yaml *y)
{
	if (!y)
		return;
	arena_free(&y->arena);
	free(y);
}
