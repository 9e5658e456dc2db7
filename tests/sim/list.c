#include "sim.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct row {
	struct dataset *d;
	struct version *v; /* NULL for the dataset itself */
};

struct row_list {
	struct row *rows;
	size_t n, cap;
};

static void rows_add(struct row_list *l, struct dataset *d, struct version *v)
{
	if (l->n == l->cap)
		l->rows = grow(l->rows, (l->cap = l->cap * 2 + 64) * sizeof(*l->rows));
	l->rows[l->n++] = (struct row){ d, v };
}

static uint64_t row_number(const struct row *r, const char *key)
{
	if (strcmp(key, "creation") == 0)
		return r->v != NULL ? r->v->creation : r->d->creation;
	return r->v != NULL ? r->v->txg : r->d->txg;
}

static const char *sort_key; /* "createtxg" or "creation" */
static int sort_sign = 1;

static int cmp_rows(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;
	uint64_t na = row_number(a, sort_key), nb = row_number(b, sort_key);

	if (na != nb)
		return na < nb ? -sort_sign : sort_sign;
	/* A bookmark and its snapshot: keep the order in which they are stored. */
	return a->v < b->v ? -1 : a->v > b->v;
}

static size_t count_slashes(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == '/';
	return n;
}

/* Collect the rows of the dataset name that are of types. */
static void rows_of_dataset(struct row_list *l, const char *name, const char *types,
			    bool with_self, bool with_versions)
{
	struct dataset *d = grow(NULL, sizeof(*d));
	bool all = word_in("all", types);

	if (!ds_open(d, name, false))
		return;
	if (with_self &&
	    (all || word_in(d->type == 'v' ? "volume" : "filesystem", types)))
		rows_add(l, d, NULL);
	for (size_t i = 0; with_versions && i < d->nversions; i++) {
		const char *type = d->versions[i].kind == '@' ? "snapshot" : "bookmark";

		if (all || word_in(type, types))
			rows_add(l, d, &d->versions[i]);
	}
}

/* One of the targets, or everything if it is NULL.  False: it does not exist. */
static bool rows_of_target(struct row_list *l, const char *target, const char *types,
			   size_t depth)
{
	/* Depth 1 means children or own versions; only the former need a search. */
	size_t search = strstr(types, "filesystem") == NULL &&
			strstr(types, "volume") == NULL && strstr(types, "all") == NULL;
	size_t base = target != NULL ? count_slashes(target) : 0, n = 1;
	char *self[] = { (char *)target }, **names = self;

	if (target != NULL && strpbrk(target, "@#") != NULL) {
		struct dataset *d = grow(NULL, sizeof(*d));
		bool ok;
		struct version *v = target_find(d, target, false, &ok);

		if (ok)
			rows_add(l, d, v);
		return ok;
	}
	if (target != NULL && !ds_exists(target))
		return false;
	if (target == NULL || depth > search)
		names = ds_names(target, &n);
	for (size_t i = 0; i < n; i++) {
		size_t below = count_slashes(names[i]) - base;

		if (below <= depth)
			rows_of_dataset(l, names[i], types, true, below < depth);
	}
	return true;
}

/*
 * Collect what list and get show: of each of targets, or of everything if there is none,
 * and with depth levels below it, the entries of types.  As in zfs(8), one that is
 * missing is told and the others are shown.  Returns the exit status.
 */
static int rows_collect(struct row_list *l, char **targets, const char *types,
			size_t depth)
{
	int status = 0;

	if (targets[0] == NULL)
		rows_of_target(l, NULL, types, depth);
	for (char **t = targets; *t != NULL; t++) {
		if (!rows_of_target(l, *t, types, depth)) {
			say_missing(*t);
			status = 1;
		}
	}
	return status;
}

/* Options that list and get share. */
struct list_opts {
	const char *columns, *types;
	size_t depth;
	bool recursive, typed;
};

static char **list_options(int argc, char **argv, struct list_opts *o)
{
	for (int c; (c = getopt(argc, argv, "+Hpro:t:d:s:S:")) != -1;) {
		switch (c) {
		case 'H':
		case 'p':
			break;
		case 'r':
			o->recursive = true;
			break;
		case 'o':
			o->columns = optarg;
			break;
		case 't':
			o->types = optarg;
			o->typed = true;
			break;
		case 'd':
			o->recursive = true;
			o->depth = strtoull(optarg, NULL, 10);
			break;
		case 's':
		case 'S':
			sort_key = optarg;
			sort_sign = c == 's' ? 1 : -1;
			break;
		default:
			usage("\tlist|get [-Hpr] [-d max] [-o fields] [-t types] [-s|-S "
			      "property]");
		}
	}
	return argv + optind;
}

/* The most frequent listing needs no dataset's file. */
static int list_names(const char *root)
{
	struct buf out = { 0 };
	char **names;
	size_t n;

	if (root != NULL && !ds_exists(root))
		die_missing(root);
	names = ds_names(root, &n);
	for (size_t i = 0; i < n; i++) {
		buf_str(&out, names[i]);
		buf_put(&out, "\n", 1);
	}
	buf_flush(&out, STDOUT_FILENO);
	return 0;
}

static size_t default_depth(const struct list_opts *o, char **targets)
{
	if (targets[0] == NULL)
		return SIZE_MAX;
	return strstr(o->types, "snap") != NULL || strstr(o->types, "bookm") != NULL;
}

int cmd_list(int argc, char **argv)
{
	struct list_opts o = { .columns = "name",
			       .types = "filesystem,volume",
			       .depth = SIZE_MAX };
	char **targets = list_options(argc, argv, &o), *columns[32], *c, *rest;
	struct row_list l = { 0 };
	struct buf out = { 0 };
	size_t ncolumns = 0;
	int status;

	if (!o.recursive)
		o.depth = default_depth(&o, targets);
	if (strcmp(o.columns, "name") == 0 && o.depth == SIZE_MAX && sort_key == NULL &&
	    strcmp(o.types, "filesystem,volume") == 0 &&
	    (targets[0] == NULL || targets[1] == NULL))
		return list_names(targets[0]);

	status = rows_collect(&l, targets, o.types, o.depth);
	if (sort_key != NULL && strcmp(sort_key, "name") != 0 && l.n > 0)
		qsort(l.rows, l.n, sizeof(*l.rows), cmp_rows);
	rest = dup_text(o.columns);
	while ((c = strsep(&rest, ",")) != NULL)
		if (ncolumns < sizeof(columns) / sizeof(*columns))
			columns[ncolumns++] = c;
	for (size_t i = 0; i < l.n; i++) {
		for (size_t k = 0; k < ncolumns; k++) {
			prop_print(&out, l.rows[i].d, l.rows[i].v, columns[k]);
			buf_put(&out, k + 1 < ncolumns ? "\t" : "\n", 1);
		}
	}
	buf_flush(&out, STDOUT_FILENO);
	return status;
}

/* One line of get. */
static void put_property(struct buf *out, const struct row *r, const char *columns,
			 const char *key)
{
	char tmp[MAX_VALUE], name[MAX_VALUE], source[MAX_SOURCE], unused[MAX_SOURCE];
	const char *value = prop_get(r->d, r->v, key, tmp, source), *text;
	char *c, *rest = dup_text(columns);

	while ((c = strsep(&rest, ",")) != NULL) {
		if (strcmp(c, "name") == 0)
			text = prop_get(r->d, r->v, "name", name, unused);
		else if (strcmp(c, "property") == 0)
			text = key;
		else
			text = strcmp(c, "value") == 0 ? value : source;
		buf_str(out, text);
		buf_put(out, rest != NULL ? "\t" : "\n", 1);
	}
}

int cmd_get(int argc, char **argv)
{
	struct list_opts o = { .columns = "name,property,value,source",
			       .types = "filesystem,volume",
			       .depth = SIZE_MAX };
	char **args = list_options(argc, argv, &o);
	struct row_list l = { 0 };
	struct buf out = { 0 };
	int status;

	if (args[0] == NULL)
		usage("\tget [-Hpr] [-d max] [-o fields] [-t types] property[,...] "
		      "[dataset ...]");
	status = rows_collect(&l, args + 1, o.recursive || o.typed ? o.types : "all",
			      o.recursive ? o.depth : 0);
	for (size_t i = 0; i < l.n; i++) {
		char *key, *rest = dup_text(args[0]);

		while ((key = strsep(&rest, ",")) != NULL)
			put_property(&out, &l.rows[i], o.columns, key);
	}
	buf_flush(&out, STDOUT_FILENO);
	return status;
}
