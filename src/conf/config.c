#include "conf/config.h"

#include "base/vec.h"
#include "codec/dsname.h"
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

/* ---- what involves several jobs ---- */

static struct yaml_node enter_job(struct loading *l, const struct conf_job *j,
				  const char *key)
{
	l->schema.file = j->file;
	buf_free(&l->schema.path);
	schema_enter(&l->schema, "%s.%s", j->path, key);
	return (struct yaml_node){ .line = j->line, .column = j->column };
}

static bool is_passive(const struct conf_job *j)
{
	return j->type == JOB_SINK || j->type == JOB_SOURCE;
}

static bool has_listener(const struct conf_job *j, const char *name)
{
	return is_passive(j) && j->serve.type == SERVE_LOCAL &&
	       strcmp(j->serve.listener_name, name) == 0;
}

static int check_names(struct loading *l, const struct conf_job *first,
		       const struct conf_job *second)
{
	if (strcmp(first->name, second->name) == 0) {
		struct yaml_node at = enter_job(l, second, "name");

		return schema_fail(
			&l->schema, &at,
			"'%s' is also the name of the job at %s:%u; names must "
			"differ",
			second->name, first->file, first->line);
	}
	if (is_passive(first) && first->serve.type == SERVE_LOCAL &&
	    has_listener(second, first->serve.listener_name)) {
		struct yaml_node at = enter_job(l, second, "serve.listener_name");

		return schema_fail(
			&l->schema, &at,
			"'%s' is also the listener of job '%s' at %s:%u; names "
			"of listeners must differ",
			first->serve.listener_name, first->name, first->file,
			first->line);
	}
	return 0;
}

static bool is_same_address(const struct conf_serve *a, const struct conf_serve *b)
{
	bool is_net = (a->type == SERVE_TCP || a->type == SERVE_TLS) &&
		      (b->type == SERVE_TCP || b->type == SERVE_TLS);

	return is_net && strcmp(a->listen.host, b->listen.host) == 0 &&
	       strcmp(a->listen.port, b->listen.port) == 0;
}

static const char *common_identity(const struct conf_serve *a, const struct conf_serve *b)
{
	if (a->type != SERVE_STDINSERVER || b->type != SERVE_STDINSERVER)
		return NULL;
	for (size_t i = 0; i < a->n_client_identities; i++)
		for (size_t k = 0; k < b->n_client_identities; k++)
			if (strcmp(a->client_identities[i], b->client_identities[k]) == 0)
				return a->client_identities[i];
	return NULL;
}

/* Only one of them will get it. */
static void check_listeners(struct loading *l, const struct conf_job *first,
			    const struct conf_job *second)
{
	const char *identity;

	if (!is_passive(first) || !is_passive(second))
		return;
	identity = common_identity(&first->serve, &second->serve);
	if (is_same_address(&first->serve, &second->serve)) {
		struct yaml_node at = enter_job(l, second, "serve.listen");

		schema_warn(&l->schema, &at, "job '%s' listens there as well",
			    first->name);
	} else if (identity) {
		struct yaml_node at = enter_job(l, second, "serve.client_identities");

		schema_warn(&l->schema, &at,
			    "'%s' is a client of job '%s' as well, and can reach only "
			    "one of them",
			    identity, first->name);
	}
}

/* Sinks may share a root_fs on purpose, since each client has its own place there; one
 * inside another is rarely meant, nor is anything else where a pull job receives. */
static bool is_in_the_way(const struct conf_job *j, const struct conf_job *other)
{
	if (dsname_is_below(j->root_fs, other->root_fs))
		return true;
	return strcmp(j->root_fs, other->root_fs) == 0 && j > other &&
	       (j->type == JOB_PULL || other->type == JOB_PULL);
}

static void check_root_fs(struct loading *l, const struct conf_job *j)
{
	for (size_t i = 0; i < l->jobs.n; i++) {
		const struct conf_job *other = &l->jobs.v[i];

		if (!other->root_fs || !is_in_the_way(j, other))
			continue;
		struct yaml_node at = enter_job(l, j, "root_fs");

		schema_warn(&l->schema, &at,
			    "'%s' is %s '%s', the root_fs of job '%s', where %s could "
			    "get into its way",
			    j->root_fs,
			    strcmp(j->root_fs, other->root_fs) ? "inside" : "the same as",
			    other->root_fs, other->name,
			    other->type == JOB_PULL ? "what it receives" : "a client");
		return;
	}
}

static void check_connect(struct loading *l, const struct conf_job *j)
{
	enum job_type wanted = j->type == JOB_PUSH ? JOB_SINK : JOB_SOURCE;
	const char *name = j->connect.listener_name;

	for (size_t i = 0; i < l->jobs.n; i++)
		if (l->jobs.v[i].type == wanted && has_listener(&l->jobs.v[i], name))
			return;
	struct yaml_node at = enter_job(l, j, "connect.listener_name");

	schema_warn(&l->schema, &at, "no %s of this file serves '%s'",
		    job_type_name(wanted), name);
}

static bool connects_locally(const struct conf_job *j)
{
	return (j->type == JOB_PUSH || j->type == JOB_PULL) &&
	       j->connect.type == CONNECT_LOCAL;
}

static int check_jobs(struct loading *l)
{
	for (size_t i = 0; i < l->jobs.n; i++) {
		const struct conf_job *j = &l->jobs.v[i];

		for (size_t k = 0; k < i; k++) {
			if (check_names(l, &l->jobs.v[k], j) < 0)
				return -1;
			check_listeners(l, &l->jobs.v[k], j);
		}
		if (connects_locally(j))
			check_connect(l, j);
		if (j->root_fs)
			check_root_fs(l, j);
	}
	return 0;
}

/* ---- the whole ---- */

static int load(struct loading *l, const char *file, struct view text)
{
	struct config *c = l->config;
	struct conf_file main = { 0 };

	if (decode_file(l, file, text, &main) < 0 || load_includes(l, file, &main) < 0 ||
	    check_jobs(l) < 0)
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
