#include "conf/schema.h"

#include "conf/suggest.h"

#include <assert.h>
#include <string.h>

/* ---- sections ---- */

static const struct schema_key *find_key(const struct schema_table *t, const char *name)
{
	for (size_t i = 0; i < t->n_keys; i++)
		if (strcmp(t->keys[i].name, name) == 0)
			return &t->keys[i];
	return NULL;
}

static int fail_unknown_key(struct schema *s, const struct schema_table *t,
			    const struct yaml_node *key, bool has_type)
{
	cleanup(buf_free) struct buf known = { 0 };
	struct suggest nearest = suggest_start(key->text);

	if (has_type)
		buf_printf(&known, "type");
	for (size_t i = 0; i < t->n_keys; i++) {
		suggest_try(&nearest, t->keys[i].name);
		buf_printf(&known, "%s%s", known.len ? ", " : "", t->keys[i].name);
	}
	schema_enter(s, s->path.len ? ".%.60s" : "%.60s", key->text);
	if (suggest_result(&nearest))
		return schema_fail(s, key,
				   "unknown key, perhaps '%s' is meant; %s has %s",
				   suggest_result(&nearest), t->what, buf_str(&known));
	return schema_fail(s, key, "unknown key; %s has %s", t->what, buf_str(&known));
}

static int fail_repeated_key(struct schema *s, const struct yaml_node *key,
			     unsigned first_line)
{
	schema_enter(s, s->path.len ? ".%.60s" : "%.60s", key->text);
	return schema_fail(s, key,
			   "the key is there twice, first in line %u; remove one of them",
			   first_line);
}

/* values[i]: what the map has for t->keys[i], or NULL. */
static int sort_keys(struct schema *s, const struct schema_table *t,
		     const struct yaml_node *map, bool has_type,
		     const struct yaml_node **values)
{
	unsigned lines[SCHEMA_MAX_KEYS + 1] = { 0 }; /* the last one: `type` */

	for (size_t i = 0; i < map->n_items; i++) {
		const struct yaml_node *key = map->items[i].key;
		const struct schema_key *k = find_key(t, key->text);
		size_t at = SCHEMA_MAX_KEYS;

		if (k)
			at = (size_t)(k - t->keys);
		else if (!has_type || strcmp(key->text, "type") != 0)
			return fail_unknown_key(s, t, key, has_type);
		if (lines[at])
			return fail_repeated_key(s, key, lines[at]);
		lines[at] = key->line;
		if (k)
			values[at] = map->items[i].value;
	}
	return 0;
}

static bool is_empty(const struct yaml_node *n)
{
	switch (n->kind) {
	case YAML_NULL:
		return true;
	case YAML_SCALAR:
		return n->text[0] == '\0';
	case YAML_LIST:
	case YAML_MAP:
		return n->n_items == 0;
	}
	return false;
}

/* n: the value, or NULL if the key is absent; map: for the position then. */
static int decode_key(struct schema *s, const struct schema_key *k,
		      const struct yaml_node *map, const struct yaml_node *n, void *out)
{
	struct yaml_node absent = { .line = map->line, .column = map->column };
	cleanup(str_freep) char *want = NULL;

	if (k->need == SCHEMA_REQUIRED && (!n || is_empty(n))) {
		want = schema_want(k->type);
		return schema_fail(s, n ? n : map, "is required, but %s; want %s",
				   !n                     ? "missing"
				   : n->kind == YAML_NULL ? "null"
							  : "empty",
				   want);
	}
	if (!n && k->need == SCHEMA_OPTIONAL)
		return 0;
	if (!n && k->need == SCHEMA_DEFAULT) {
		absent.kind = YAML_SCALAR;
		absent.is_plain = true;
		absent.text = k->def;
		n = &absent;
	}
	if (k->need == SCHEMA_SECTION && (!n || n->kind == YAML_NULL)) {
		absent.kind = YAML_MAP;
		n = &absent;
	}
	return k->type->decode(s, k->type, n, out);
}

static int decode_map(struct schema *s, const struct schema_table *t,
		      const struct yaml_node *map, bool has_type, void *out)
{
	const struct yaml_node *values[SCHEMA_MAX_KEYS] = { NULL };

	assert(t->n_keys <= SCHEMA_MAX_KEYS);
	if (sort_keys(s, t, map, has_type, values) < 0)
		return -1;
	for (size_t i = 0; i < t->n_keys; i++) {
		const struct schema_key *k = &t->keys[i];
		size_t mark = schema_enter(s, s->path.len ? ".%s" : "%s", k->name);

		if (decode_key(s, k, map, values[i], (char *)out + k->offset) < 0)
			return -1;
		schema_leave(s, mark);
	}
	return t->finish ? t->finish(s, map, out) : 0;
}

int schema_decode_table(struct schema *s, const struct schema_type *t,
			const struct yaml_node *n, void *out)
{
	if (n->kind != YAML_MAP)
		return schema_fail_type(s, n, t->want ? t->want : t->table->what);
	return decode_map(s, t->table, n, false, out);
}

int schema_decode(struct schema *s, const struct schema_table *t,
		  const struct yaml_node *root, void *out)
{
	struct yaml_node empty = { .kind = YAML_MAP, .line = 1, .column = 1 };

	if (root->kind == YAML_NULL)
		root = &empty;
	if (root->kind != YAML_MAP)
		return schema_fail_type(s, root, t->what);
	return decode_map(s, t, root, false, out);
}

/* ---- unions ---- */

/* The names of the variants that can be used. */
static void put_names(struct buf *out, const struct schema_union *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->v[i].table && !u->v[i].refusal)
			buf_printf(out, "%s%s", out->len ? ", " : "", u->v[i].name);
}

static void fail_variant(struct schema *s, const struct schema_union *u,
			 const struct yaml_node *type, const struct schema_variant *v)
{
	cleanup(buf_free) struct buf names = { 0 };
	struct suggest nearest = suggest_start(type->text);

	put_names(&names, u);
	for (size_t i = 0; i < u->n; i++)
		suggest_try(&nearest, u->v[i].name);
	if (v && v->refusal)
		schema_fail(s, type, "%s", v->refusal);
	else if (v)
		schema_fail(s, type,
			    "%s '%s' is not supported by this version; supported: %s",
			    u->what, v->name, buf_str(&names));
	else if (suggest_result(&nearest))
		schema_fail(s, type,
			    "%s '%.60s' is unknown, perhaps '%s' is meant; there are %s",
			    u->what, type->text, suggest_result(&nearest),
			    buf_str(&names));
	else
		schema_fail(s, type, "%s '%.60s' is unknown; there are %s", u->what,
			    type->text, buf_str(&names));
}

/* NULL: failed. */
static const struct schema_variant *
find_variant(struct schema *s, const struct schema_union *u, const struct yaml_node *type)
{
	const struct schema_variant *v = NULL;

	if (type->kind != YAML_SCALAR) {
		schema_fail_type(s, type, "the name of a type");
		return NULL;
	}
	for (size_t i = 0; i < u->n && !v; i++)
		if (strcmp(u->v[i].name, type->text) == 0)
			v = &u->v[i];
	if (v && v->table && !v->refusal)
		return v;
	fail_variant(s, u, type, v);
	return NULL;
}

int schema_decode_union(struct schema *s, const struct schema_type *t,
			const struct yaml_node *n, void *out)
{
	const struct schema_union *u = t->variants;
	const struct schema_variant *v;
	const struct yaml_node *type;

	if (n->kind != YAML_MAP)
		return schema_fail_type(s, n, t->want ? t->want : "a map");
	type = yaml_get(n, "type");
	size_t mark = schema_enter(s, ".type");

	if (!type || is_empty(type)) {
		cleanup(buf_free) struct buf names = { 0 };

		put_names(&names, u);
		return schema_fail(s, type ? type : n,
				   "is required, but %s; want one of %s",
				   type ? "empty" : "missing", buf_str(&names));
	}
	if (!(v = find_variant(s, u, type)))
		return -1;
	schema_leave(s, mark);
	if (u->tag != SCHEMA_NO_TAG)
		memcpy((char *)out + u->tag, &v->value, sizeof(v->value));
	return decode_map(s, v->table, n, true, out);
}

/* ---- lists and maps ---- */

int schema_decode_list(struct schema *s, const struct schema_type *t,
		       const struct yaml_node *n, void *out)
{
	struct schema_list *list = out;

	if (n->kind == YAML_NULL)
		return 0;
	if (n->kind != YAML_LIST)
		return schema_fail_type(s, n, t->want);
	list->n = n->n_items;
	list->v = arena_alloc(s->arena, n->n_items, t->element->size);
	for (size_t i = 0; i < n->n_items; i++) {
		const struct yaml_node *e = n->items[i].value;
		size_t mark = schema_enter(s, "[%zu]", i);

		if (e->kind == YAML_NULL) {
			cleanup(str_freep) char *want = schema_want(t->element);

			return schema_fail(
				s, e, "is null; remove the element, or give %s", want);
		}
		if (t->element->decode(s, t->element, e,
				       (char *)list->v + i * t->element->size) < 0)
			return -1;
		schema_leave(s, mark);
	}
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct yaml_item *x = *(const struct yaml_item *const *)a;
	const struct yaml_item *y = *(const struct yaml_item *const *)b;
	int by_text = strcmp(x->key->text, y->key->text);

	return by_text ? by_text : (x > y) - (x < y); /* items of one array */
}

int schema_check_free_keys(struct schema *s, const struct yaml_node *map)
{
	const struct yaml_item **sorted =
		arena_alloc(s->arena, map->n_items, sizeof(const struct yaml_item *));

	for (size_t i = 0; i < map->n_items; i++) {
		sorted[i] = &map->items[i];
		if (map->items[i].key->kind == YAML_NULL)
			return schema_fail(
				s, map->items[i].key,
				"a key is null; quote it if it is meant as text");
	}
	if (map->n_items > 1)
		qsort(sorted, map->n_items, sizeof(const struct yaml_item *),
		      compare_keys);
	for (size_t i = 1; i < map->n_items; i++) {
		const struct yaml_node *key = sorted[i]->key;

		if (strcmp(sorted[i - 1]->key->text, key->text) != 0)
			continue;
		schema_enter(s, "[\"%.60s\"]", key->text);
		return schema_fail(
			s, key,
			"the key is there twice, first in line %u; remove one of them",
			sorted[i - 1]->key->line);
	}
	return 0;
}
