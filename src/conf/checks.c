#include "conf/checks.h"

#include "codec/dsname.h"

#include <string.h>

/* What is being checked. */
struct checks {
	struct schema *s;
	const struct conf_job *jobs;
	size_t n;
};

static struct yaml_node enter_job(struct checks *c, const struct conf_job *j,
				  const char *key)
{
	c->s->file = j->file;
	buf_free(&c->s->path);
	schema_enter(c->s, "%s.%s", j->path, key);
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

static int check_names(struct checks *c, const struct conf_job *first,
		       const struct conf_job *second)
{
	if (strcmp(first->name, second->name) == 0) {
		struct yaml_node at = enter_job(c, second, "name");

		return schema_fail(
			c->s, &at,
			"'%s' is also the name of the job at %s:%u; names must "
			"differ",
			second->name, first->file, first->line);
	}
	if (is_passive(first) && first->serve.type == SERVE_LOCAL &&
	    has_listener(second, first->serve.listener_name)) {
		struct yaml_node at = enter_job(c, second, "serve.listener_name");

		return schema_fail(
			c->s, &at,
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
static void check_listeners(struct checks *c, const struct conf_job *first,
			    const struct conf_job *second)
{
	const char *identity;

	if (!is_passive(first) || !is_passive(second))
		return;
	identity = common_identity(&first->serve, &second->serve);
	if (is_same_address(&first->serve, &second->serve)) {
		struct yaml_node at = enter_job(c, second, "serve.listen");

		schema_warn(c->s, &at, "job '%s' listens there as well", first->name);
	} else if (identity) {
		struct yaml_node at = enter_job(c, second, "serve.client_identities");

		schema_warn(c->s, &at,
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

static void check_root_fs(struct checks *c, const struct conf_job *j)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct conf_job *other = &c->jobs[i];

		if (!other->root_fs || !is_in_the_way(j, other))
			continue;
		struct yaml_node at = enter_job(c, j, "root_fs");

		schema_warn(c->s, &at,
			    "'%s' is %s '%s', the root_fs of job '%s', where %s could "
			    "get into its way",
			    j->root_fs,
			    strcmp(j->root_fs, other->root_fs) ? "inside" : "the same as",
			    other->root_fs, other->name,
			    other->type == JOB_PULL ? "what it receives" : "a client");
		return;
	}
}

static void check_connect(struct checks *c, const struct conf_job *j)
{
	enum job_type wanted = j->type == JOB_PUSH ? JOB_SINK : JOB_SOURCE;
	const char *name = j->connect.listener_name;

	for (size_t i = 0; i < c->n; i++)
		if (c->jobs[i].type == wanted && has_listener(&c->jobs[i], name))
			return;
	struct yaml_node at = enter_job(c, j, "connect.listener_name");

	schema_warn(c->s, &at, "no %s of this file serves '%s'", job_type_name(wanted),
		    name);
}

static bool connects_locally(const struct conf_job *j)
{
	return (j->type == JOB_PUSH || j->type == JOB_PULL) &&
	       j->connect.type == CONNECT_LOCAL;
}

static int check_jobs(struct checks *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct conf_job *j = &c->jobs[i];

		for (size_t k = 0; k < i; k++) {
			if (check_names(c, &c->jobs[k], j) < 0)
				return -1;
			check_listeners(c, &c->jobs[k], j);
		}
		if (connects_locally(j))
			check_connect(c, j);
		if (j->root_fs)
			check_root_fs(c, j);
	}
	return 0;
}

int checks_run(struct schema *s, const struct conf_job *jobs, size_t n)
{
	struct checks c = { s, jobs, n };

	return check_jobs(&c);
}
