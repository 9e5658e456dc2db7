#include "conf/reference.h"

#include "base/vec.h"

#include <ctype.h>
#include <string.h>

/* A heading and what stands below it: a table, or a union and the tables of its
 * variants. */
struct section {
	const struct schema_table *table;
	const struct schema_union *u;
};

struct sections {
	struct section *v;
	size_t n, cap;
};

struct tables {
	const struct schema_table **v;
	size_t n, cap;
};

struct reference {
	struct buf *out;
	struct sections sections; /* in the order of being found */
	struct tables shown;      /* as variants */
};

/* ---- text ---- */

/* A cell ends with '|', and two '*' would be emphasis; what is in backquotes stays. */
static void put_text(struct buf *out, const char *text)
{
	bool is_code = false;

	for (; *text; text++) {
		is_code ^= *text == '`';
		if (*text == '|' || (!is_code && *text == '*'))
			buf_put(out, "\\", 1);
		buf_put(out, text, 1);
	}
}

/* "a push job" is headed "push job". */
static const char *without_article(const char *what)
{
	if (strncmp(what, "a ", 2) == 0)
		return what + 2;
	return strncmp(what, "an ", 3) == 0 ? what + 3 : what;
}

static void put_link(struct buf *out, const char *heading)
{
	buf_printf(out, "[%s](#", heading);
	for (const char *c = heading; *c; c++) {
		if (*c == ' ')
			buf_put(out, "-", 1);
		else if (isalnum((unsigned char)*c) || *c == '_' || *c == '-')
			buf_printf(out, "%c", tolower((unsigned char)*c));
	}
	buf_put(out, ")", 1);
}

static const char *heading_of(const struct section *s)
{
	return s->u ? s->u->what : without_article(s->table->what);
}

/* ---- what refers to what ---- */

/* The table or union behind a type, or its elements; false: there is none. */
static bool find_target(const struct schema_type *t, struct section *out)
{
	while (t->element)
		t = t->element;
	*out = (struct section){ .table = t->table, .u = t->variants };
	return t->table || t->variants;
}

static void add_section(struct reference *r, struct section s)
{
	for (size_t i = 0; i < r->sections.n; i++)
		if (r->sections.v[i].table == s.table && r->sections.v[i].u == s.u)
			return;
	VEC_PUSH(&r->sections, s);
}

static bool is_shown(const struct reference *r, const struct schema_table *t)
{
	for (size_t i = 0; i < r->shown.n; i++)
		if (r->shown.v[i] == t)
			return true;
	return false;
}

/* ---- tables ---- */

static void put_value(struct reference *r, const struct schema_type *t)
{
	cleanup(str_freep) char *want = schema_want(t);
	const struct schema_type *e = t;
	struct section target;

	while (e->element && !e->see)
		e = e->element;
	put_text(r->out, want);
	if (find_target(t, &target)) {
		add_section(r, target);
		buf_printf(r->out, ": ");
		put_link(r->out, heading_of(&target));
	} else if (e->see) {
		buf_printf(r->out, ": ");
		put_link(r->out, e->see);
	}
}

static void put_default(struct reference *r, const struct schema_key *k)
{
	switch (k->need) {
	case SCHEMA_REQUIRED:
		buf_printf(r->out, "**required**");
		break;
	case SCHEMA_OPTIONAL:
		buf_printf(r->out, "none");
		break;
	case SCHEMA_DEFAULT:
		buf_printf(r->out, "`%s`", k->def);
		break;
	case SCHEMA_SECTION:
		buf_printf(r->out, "as there");
		break;
	}
}

static void put_keys(struct reference *r, const struct schema_table *t, const char *type)
{
	buf_printf(r->out, "\n| key | value | default | meaning |\n|---|---|---|---|\n");
	if (type)
		buf_printf(r->out, "| `type` | `%s` | **required** | |\n", type);
	for (size_t i = 0; i < t->n_keys; i++) {
		const struct schema_key *k = &t->keys[i];

		buf_printf(r->out, "| `%s` | ", k->name);
		put_value(r, k->type);
		buf_printf(r->out, " | ");
		put_default(r, k);
		buf_printf(r->out, " | ");
		put_text(r->out, k->doc);
		buf_printf(r->out, " |\n");
	}
}

static void put_variants(struct reference *r, const struct schema_union *u)
{
	buf_printf(r->out, "\n| `type` | |\n|---|---|\n");
	for (size_t i = 0; i < u->n; i++) {
		const struct schema_variant *v = &u->v[i];

		buf_printf(r->out, "| `%s` | ", v->name);
		put_text(r->out, v->table ? v->doc : v->refusal);
		if (v->table && v->table->n_keys > 0) {
			buf_printf(r->out, " See ");
			put_link(r->out, without_article(v->table->what));
			buf_put(r->out, ".", 1);
		}
		buf_printf(r->out, " |\n");
	}
	for (size_t i = 0; i < u->n; i++) {
		const struct schema_variant *v = &u->v[i];

		if (!v->table || v->table->n_keys == 0 || is_shown(r, v->table))
			continue;
		VEC_PUSH(&r->shown, v->table);
		buf_printf(r->out, "\n#### %s\n", without_article(v->table->what));
		put_keys(r, v->table, v->name);
	}
}

void schema_reference(struct buf *out, const struct schema_table *root)
{
	struct reference r = { .out = out };

	add_section(&r, (struct section){ .table = root });
	for (size_t i = 0; i < r.sections.n; i++) { /* which finds more of them */
		struct section s = r.sections.v[i];

		buf_printf(out, "%s### %s\n", i ? "\n" : "", heading_of(&s));
		if (s.u)
			put_variants(&r, s.u);
		else
			put_keys(&r, s.table, NULL);
	}
	free(r.sections.v);
	free(r.shown.v);
}
