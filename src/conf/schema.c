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

/* The table's key that a misspelt one was probably meant to be, or NULL. */
static const struct schema_key *nearest_key(const struct schema_table *t,
					    const char *name)
{
	struct suggest nearest = suggest_start(name);

	for (size_t i = 0; i < t->n_keys; i++)
		suggest_try(&nearest, t->keys[i].name);
	return suggest_result(&nearest) ? find_key(t, suggest_result(&nearest)) : NULL;
}

static void note_unknown_key(struct schema *s, const struct schema_table *t,
			     const struct yaml_node *key, bool has_type,
			     const struct schema_key *meant)
{
	cleanup(buf_free) struct buf known = { 0 };
	cleanup(str_freep) char *shown = schema_excerpt(key->text);
	size_t mark = schema_enter(s, s->path.len ? ".%s" : "%s", shown);

	if (has_type)
		buf_printf(&known, "type");
	for (size_t i = 0; i < t->n_keys; i++)
		buf_printf(&known, "%s%s", known.len ? ", " : "", t->keys[i].name);
	if (meant)
		schema_fail(s, key, "unknown key, perhaps \"%s\" is meant; %s has %s",
			    meant->name, t->what, buf_str(&known));
	else
		schema_fail(s, key, "unknown key; %s has %s", t->what, buf_str(&known));
	schema_leave(s, mark);
}

static void note_repeated_key(struct schema *s, const struct yaml_node *key,
			      unsigned first_line)
{
	cleanup(str_freep) char *shown = schema_excerpt(key->text);
	size_t mark = schema_enter(s, s->path.len ? ".%s" : "%s", shown);

	schema_fail(s, key,
		    "the key is there twice, first in line %u; remove one of them",
		    first_line);
	schema_leave(s, mark);
}

/* What a map has for the keys of its table. */
struct sorted {
	const struct yaml_node *values[SCHEMA_MAX_KEYS]; /* NULL: none */
	bool is_misspelt[SCHEMA_MAX_KEYS];               /* which was noted */
};

static int sort_keys(struct schema *s, const struct schema_table *t,
		     const struct yaml_node *map, bool has_type, struct sorted *out)
{
	unsigned lines[SCHEMA_MAX_KEYS + 1] = { 0 }; /* the last one: `type` */
	int r = 0;

	for (size_t i = 0; i < map->n_items; i++) {
		const struct yaml_node *key = map->items[i].key;
		const struct schema_key *k = find_key(t, key->text);
		size_t at = k ? (size_t)(k - t->keys) : SCHEMA_MAX_KEYS;

		if (!k && (!has_type || strcmp(key->text, "type") != 0)) {
			if (!problems_are_full(s->problems))
				k = nearest_key(t, key->text);
			note_unknown_key(s, t, key, has_type, k);
			if (k)
				out->is_misspelt[k - t->keys] = true;
			r = -1;
		} else if (lines[at]) {
			note_repeated_key(s, key, lines[at]);
			r = -1;
		} else {
			lines[at] = key->line;
			if (k)
				out->values[at] = map->items[i].value;
		}
	}
	return r;
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
	struct sorted sorted = { 0 };
	int r;

	assert(t->n_keys <= SCHEMA_MAX_KEYS);
	r = sort_keys(s, t, map, has_type, &sorted);
	for (size_t i = 0; i < t->n_keys; i++) {
		const struct schema_key *k = &t->keys[i];
		size_t mark = schema_enter_key(s, k->name);

		/* one that is misspelt is not missing */
		if ((sorted.values[i] || !sorted.is_misspelt[i]) &&
		    decode_key(s, k, map, sorted.values[i], (char *)out + k->offset) < 0)
			r = -1;
		schema_leave(s, mark);
	}
	if (r < 0 || !t->finish)
		return r;
	return t->finish(s, map, out);
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
	if (root->kind != YAML_MAP) {
		cleanup(buf_free) struct buf want = { 0 };

		buf_printf(&want, "a map with ");
		for (size_t i = 0; i < t->n_keys; i++)
			buf_printf(&want, "%s%s", i ? ", " : "", t->keys[i].name);
		return schema_fail_type(s, root, buf_str(&want));
	}
	return decode_map(s, t, root, false, out);
}

/* ---- unions ---- */

/* The names of the variants that can be used. */
static void put_names(struct buf *out, const struct schema_union *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (!u->v[i].refusal)
			buf_printf(out, "%s%s", out->len ? ", " : "", u->v[i].name);
}

/* v: the one that is refused; NULL: there is none of that name. */
static void fail_variant(struct schema *s, const struct schema_union *u,
			 const struct yaml_node *type, const struct schema_variant *v)
{
	cleanup(buf_free) struct buf names = { 0 };
	struct suggest nearest = suggest_start(type->text);

	put_names(&names, u);
	for (size_t i = 0; i < u->n; i++)
		suggest_try(&nearest, u->v[i].name);
	if (v)
		schema_fail(s, type, "%s", v->refusal);
	else if (suggest_result(&nearest))
		schema_fail(
			s, type,
			"%s \"%.60s\" is unknown, perhaps \"%s\" is meant; there are %s",
			u->what, type->text, suggest_result(&nearest), buf_str(&names));
	else
		schema_fail(s, type, "%s \"%.60s\" is unknown; there are %s", u->what,
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
	if (v && !v->refusal)
		return v;
	fail_variant(s, u, type, v);
	return NULL;
}

/* type: NULL, or empty; returns NULL. */
static const struct schema_variant *note_no_type(struct schema *s,
						 const struct schema_union *u,
						 const struct yaml_node *map,
						 const struct yaml_node *type)
{
	cleanup(buf_free) struct buf names = { 0 };
	const struct yaml_node *meant = NULL;

	put_names(&names, u);
	for (size_t i = 0; i < map->n_items && !type && !meant; i++) {
		struct suggest nearest = suggest_start(map->items[i].key->text);

		suggest_try(&nearest, "type");
		if (suggest_result(&nearest))
			meant = map->items[i].key;
	}
	if (meant)
		schema_fail(s, meant,
			    "is required, but missing, perhaps \"%.60s\" is meant to be "
			    "it; want one of %s",
			    meant->text, buf_str(&names));
	else
		schema_fail(s, type ? type : map, "is required, but %s; want one of %s",
			    type ? "empty" : "missing", buf_str(&names));
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
	size_t mark = schema_enter_key(s, "type");

	v = type && !is_empty(type) ? find_variant(s, u, type)
				    : note_no_type(s, u, n, type);
	schema_leave(s, mark);
	if (!v)
		return -1;
	if (u->tag != SCHEMA_NO_TAG)
		memcpy((char *)out + u->tag, &v->value, sizeof(v->value));
	return decode_map(s, v->table, n, true, out);
}

/* ---- lists and maps ---- */

static int decode_element(struct schema *s, const struct schema_type *t,
			  const struct yaml_node *n, void *out)
{
	if (n->kind == YAML_NULL) {
		cleanup(str_freep) char *want = schema_want(t);

		return schema_fail(s, n, "is null; remove the element, or give %s", want);
	}
	return t->decode(s, t, n, out);
}

int schema_decode_list(struct schema *s, const struct schema_type *t,
		       const struct yaml_node *n, void *out)
{
	struct schema_list *list = out;
	int r = 0;

	if (n->kind == YAML_NULL)
		return 0;
	if (n->kind != YAML_LIST)
		return schema_fail_type(s, n, t->want);
	list->n = n->n_items;
	list->v = arena_alloc(s->arena, n->n_items, t->element->size);
	for (size_t i = 0; i < n->n_items; i++) {
		size_t mark = schema_enter(s, "[%zu]", i);

		if (decode_element(s, t->element, n->items[i].value,
				   (char *)list->v + i * t->element->size) < 0)
			r = -1;
		schema_leave(s, mark);
	}
	return r;
}

static int compare_keys(const void *a, const void *b)
{
	const struct yaml_item *x = *(const struct yaml_item *const *)a;
	const struct yaml_item *y = *(const struct yaml_item *const *)b;
	int by_text = strcmp(x->key->text, y->key->text);

	return by_text ? by_text : (x > y) - (x < y); /* items of one array */
}

int schema_check_free_keys(struct schema *s, const struct yaml_node *map, bool **skip)
{
	const struct yaml_item **sorted =
		arena_alloc(s->arena, map->n_items, sizeof(const struct yaml_item *));
	int r = 0;

	*skip = arena_alloc(s->arena, map->n_items, sizeof(bool));
	for (size_t i = 0; i < map->n_items; i++) {
		sorted[i] = &map->items[i];
		if (map->items[i].key->kind != YAML_NULL)
			continue;
		r = schema_fail(s, map->items[i].key,
				"a key is null; quote it if it is meant as text");
		(*skip)[i] = true;
	}
	if (map->n_items > 1)
		qsort(sorted, map->n_items, sizeof(const struct yaml_item *),
		      compare_keys);
	for (size_t i = 1; i < map->n_items; i++) {
		const struct yaml_node *key = sorted[i]->key;
		size_t mark = schema_enter(s, "[\"%.60s\"]", key->text);

		if (key->kind != YAML_NULL &&
		    strcmp(sorted[i - 1]->key->text, key->text) == 0) {
			r = schema_fail(s, key,
					"the key is there twice, first in line %u; "
					"remove one of them",
					sorted[i - 1]->key->line);
			(*skip)[sorted[i] - map->items] = true;
		}
		schema_leave(s, mark);
	}
	return r;
}
