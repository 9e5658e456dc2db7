#include "conf/config.h"

#include "base/vec.h"
#include "conf/checks.h"
#include "conf/source.h"
#include "conf/tables.h"

#include <assert.h>
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

/* What is decoded of all files, and what is wrong with them. */
struct loading {
	struct config *config;
	struct schema schema; /* of the file at hand */
	struct jobs {
		struct conf_job *v;
		size_t n, cap;
	} jobs, named;     /* of all files: those without a problem; all with a name */
	struct strs files; /* as loaded, the main one first */
	struct problems problems, warnings;
};

/* ---- files ---- */

/* The path in messages begins anew. */
static void enter_file(struct loading *l, const char *file)
{
	l->schema.file = file;
	buf_free(&l->schema.path);
}

static int decode_file(struct loading *l, const char *file, struct view text,
		       struct conf_file *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(yaml_deletep) struct yaml *y = yaml_parse(text, &why);
	int r;

	strs_add(&l->files, file);
	if (!y) {
		problems_add(&l->problems,
			     (struct problem){
				     .file = l->files.n - 1,
				     .text = xasprintf("%s:%s", file, err_msg(&why)),
			     });
		return -1;
	}
	enter_file(l, file);
	r = schema_decode(&l->schema, &table_file, yaml_root(y), out);
	for (size_t i = 0; i < out->n_jobs; i++) {
		if (out->jobs[i].is_whole)
			VEC_PUSH(&l->jobs, out->jobs[i]);
		if (out->jobs[i].name)
			VEC_PUSH(&l->named, out->jobs[i]);
	}
	return r;
}

/* An entry of a file's include list, as a place for messages. */
static struct yaml_node enter_include(struct loading *l, const char *file,
				      const struct conf_file *f, size_t i)
{
	enter_file(l, file);
	schema_enter(&l->schema, "include[%zu]", i);
	return (struct yaml_node){
		.line = f->includes[i].line,
		.column = f->includes[i].column,
	};
}

/* at: the entry of the main file, which was entered. */
static int load_included(struct loading *l, const char *path, const struct yaml_node *at)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(buf_free) struct buf text = { 0 };
	struct conf_file f = { 0 };
	int r;

	if (source_read(path, &text, &why) < 0)
		return schema_fail_err(&l->schema, at, &why);
	r = decode_file(l, path, buf_view(&text), &f);
	if (f.n_includes > 0) {
		struct yaml_node nested = enter_include(l, path, &f, 0);

		return schema_fail(
			&l->schema, &nested,
			"an included file cannot include others; list them all "
			"in the main file");
	}
	return r;
}

static int load_entry(struct loading *l, const char *main, const struct conf_file *f,
		      size_t i)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(strs_free) struct strs paths = { 0 };
	struct yaml_node at = enter_include(l, main, f, i);
	const char *entry = f->includes[i].path;
	bool from_cwd;
	int r = 0;

	if (source_expand(main, entry, &paths, &from_cwd, &why) < 0)
		return schema_fail(&l->schema, &at,
				   "%s; want the path of a .yml file, or of a directory "
				   "of such files",
				   err_msg(&why));
	if (from_cwd)
		schema_warn(&l->schema, &at,
			    "\"%s\" is not beside this file, but in the working "
			    "directory, which may be another one tomorrow; write the "
			    "whole path",
			    entry);
	if (l->files.n + paths.n > SOURCE_MAX_INCLUDED + 1)
		return schema_fail(&l->schema, &at, "more than %d files are included",
				   SOURCE_MAX_INCLUDED);
	for (size_t k = 0; k < paths.n; k++) {
		at = enter_include(l, main, f, i);
		if (load_included(l, paths.v[k], &at) < 0)
			r = -1;
	}
	return r;
}

static int load_files(struct loading *l, const char *main, struct view text)
{
	struct conf_file f = { 0 };
	int r = decode_file(l, main, text, &f);

	for (size_t i = 0; i < f.n_includes; i++) {
		const char *entry = f.includes[i].path;

		if (entry && *entry && load_entry(l, main, &f, i) < 0)
			r = -1;
	}
	l->config->global = f.global;
	return r;
}

/* ---- the whole ---- */

static int load(struct loading *l, const char *file, struct view text, struct err *err)
{
	struct config *c = l->config;
	int r = load_files(l, file, text);

	if (checks_names(&l->schema, l->named.v, l->named.n) < 0)
		r = -1;
	if (checks_run(&l->schema, l->jobs.v, l->jobs.n) < 0 || r < 0) {
		assert(l->problems.n > 0);
		problems_sort(&l->problems);
		return problems_to_err(&l->problems, CONFIG_MAX_PROBLEMS, err);
	}
	c->n_jobs = l->jobs.n;
	c->jobs = arena_alloc(&c->memory->arena, c->n_jobs, sizeof(*c->jobs));
	if (c->n_jobs)
		memcpy(c->jobs, l->jobs.v, c->n_jobs * sizeof(*c->jobs));
	problems_sort(&l->warnings);
	problems_to_strs(&l->warnings, &c->memory->warnings);
	c->warnings = strs_argv(&c->memory->warnings);
	c->n_warnings = c->memory->warnings.n;
	return 0;
}

struct config *config_parse(const char *file, struct view text, struct err *err)
{
	cleanup(config_freep) struct config *c = xcalloc(1, sizeof(*c));
	struct config_memory *m = c->memory = xcalloc(1, sizeof(*m));
	struct loading l = { .config = c };
	int r;

	l.schema = (struct schema){
		.files = &l.files,
		.arena = &m->arena,
		.problems = &l.problems,
		.warnings = &l.warnings,
	};
	r = load(&l, file, text, err);
	buf_free(&l.schema.path);
	strs_free(&l.files);
	problems_free(&l.problems);
	problems_free(&l.warnings);
	free(l.jobs.v);
	free(l.named.v);
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

int config_wrap(struct err *err)
{
	const char *more = strstr(err_msg(err), "\nand ");
	size_t n = 1;

	for (const char *c = err_msg(err); *c; c++)
		n += *c == '\n';
	if (n == 1)
		return err_wrap(err, "could not parse config");
	if (more)
		n += strtoul(more + strlen("\nand "), NULL, 10) - 1;
	return err_set(err, err->kind, "could not parse config: %zu problems\n%s", n,
		       err_msg(err));
}

bool conf_job_serves(const struct conf_job *j, const struct conf_connect *to)
{
	return (j->type == JOB_SINK || j->type == JOB_SOURCE) &&
	       j->serve.type == SERVE_LOCAL && to->type == CONNECT_LOCAL &&
	       strcmp(j->serve.listener_name, to->listener_name) == 0;
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
