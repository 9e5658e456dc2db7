#include "conf/config.h"

#include "base/vec.h"
#include "conf/checks.h"
#include "conf/source.h"
#include "conf/tables.h"

#include <string.h>

/* compat: zrepl 0.7 looks there, in this order. */
static const char *const default_paths[] = {
	"/etc/zrepl/zrepl.yml",
	"/usr/local/etc/zrepl/zrepl.yml",
};

struct config_memory {
	struct arena arena;
	struct strs warnings;
};

/* What is decoded of one file, and where its errors are said to be. */
struct loading {
	struct config *config;
	struct schema schema;
	struct jobs {
		struct conf_job *v;
		size_t n, cap;
	} jobs; /* of all files */
	struct strs files;
	struct err *err;
};

/* ---- files ---- */

static int decode_file(struct loading *l, const char *file, struct view text,
		       struct conf_file *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(yaml_deletep) struct yaml *y = yaml_parse(text, &why);

	if (!y)
		return err_set(l->err, why.kind, "%s:%s", file, err_msg(&why));
	buf_free(&l->schema.path);
	l->schema.file = file;
	if (schema_decode(&l->schema, &table_file, yaml_root(y), out) < 0)
		return -1;
	for (size_t i = 0; i < out->n_jobs; i++)
		VEC_PUSH(&l->jobs, out->jobs[i]);
	return 0;
}

/* An entry of the main file's include list, as a place for messages. */
static struct yaml_node enter_include(struct loading *l, const char *main,
				      const struct conf_file *f, size_t i)
{
	l->schema.file = main;
	buf_free(&l->schema.path);
	schema_enter(&l->schema, "include[%zu]", i);
	return (struct yaml_node){
		.line = f->includes[i].line,
		.column = f->includes[i].column,
	};
}

static int load_included(struct loading *l, const char *path)
{
	cleanup(buf_free) struct buf text = { 0 };
	struct conf_file f = { 0 };

	if (source_read(path, &text, l->err) < 0 ||
	    decode_file(l, path, buf_view(&text), &f) < 0)
		return -1;
	if (f.n_includes > 0) {
		struct yaml_node at = enter_include(l, path, &f, 0);

		return schema_fail(
			&l->schema, &at,
			"an included file cannot include others; list them all "
			"in the main file");
	}
	return 0;
}

static int load_includes(struct loading *l, const char *main, const struct conf_file *f)
{
	for (size_t i = 0; i < f->n_includes; i++) {
		cleanup(err_clear) struct err why = ERR_INIT;
		struct yaml_node at = enter_include(l, main, f, i);
		const char *entry = f->includes[i].path;
		bool from_cwd;

		if (source_expand(main, entry, &l->files, &from_cwd, &why) < 0)
			return schema_fail(&l->schema, &at,
					   "%s; want the path of a .yml file, or of a "
					   "directory of such files",
					   err_msg(&why));
		if (from_cwd)
			schema_warn(&l->schema, &at,
				    "'%s' is not beside this file, but in the working "
				    "directory, which may be another one tomorrow; write "
				    "the whole path",
				    entry);
	}
	for (size_t i = 0; i < l->files.n; i++)
		if (load_included(l, l->files.v[i]) < 0)
			return -1;
	return 0;
}

/* ---- the whole ---- */

static int load(struct loading *l, const char *file, struct view text)
{
	struct config *c = l->config;
	struct conf_file main = { 0 };

	if (decode_file(l, file, text, &main) < 0 || load_includes(l, file, &main) < 0 ||
	    checks_run(&l->schema, l->jobs.v, l->jobs.n) < 0)
		return -1;
	c->global = main.global;
	c->n_jobs = l->jobs.n;
	c->jobs = arena_alloc(&c->memory->arena, c->n_jobs, sizeof(*c->jobs));
	if (c->n_jobs)
		memcpy(c->jobs, l->jobs.v, c->n_jobs * sizeof(*c->jobs));
	c->warnings = strs_argv(&c->memory->warnings);
	c->n_warnings = c->memory->warnings.n;
	return 0;
}

struct config *config_parse(const char *file, struct view text, struct err *err)
{
	cleanup(config_freep) struct config *c = xcalloc(1, sizeof(*c));
	struct config_memory *m = c->memory = xcalloc(1, sizeof(*m));
	struct loading l = {
		.config = c,
		.schema = { .arena = &m->arena, .warnings = &m->warnings, .err = err },
		.err = err,
	};
	int r = load(&l, file, text);

	buf_free(&l.schema.path);
	strs_free(&l.files);
	free(l.jobs.v);
	return r < 0 ? NULL : TAKE(c);
}

struct config *config_load(const char *path, struct err *err)
{
	cleanup(buf_free) struct buf text = { 0 };

	if (!path)
		path = source_find(default_paths, ARRAY_LEN(default_paths), err);
	if (!path || source_read(path, &text, err) < 0)
		return NULL;
	return config_parse(path, buf_view(&text), err);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	if (c->memory) {
		arena_free(&c->memory->arena);
		strs_free(&c->memory->warnings);
	}
	free(c->memory);
	free(c);
}
