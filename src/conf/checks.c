#include "conf/checks.h"

#include "base/vec.h"

#include <stdarg.h>
#include <stdlib.h>

/* ---- problems ---- */

static struct yaml_node enter_job(struct checks *c, const struct conf_job *j,
				  const char *key)
{
	struct conf_place at = conf_job_place(j, key);

	c->s->file = j->file;
	buf_free(&c->s->path);
	schema_enter(c->s, "%s.%s", j->path, key);
	return (struct yaml_node){ .line = at.line, .column = at.column };
}

void checks_refuse(struct checks *c, const struct conf_job *j, const char *key,
		   const char *fmt, ...)
{
	struct yaml_node at = enter_job(c, j, key);
	va_list ap;

	va_start(ap, fmt);
	cleanup(str_freep) char *text = xvasprintf(fmt, ap);
	va_end(ap);
	c->result = schema_fail(c->s, &at, "%s", text);
}

void checks_warn(struct checks *c, const struct conf_job *j, const char *key,
		 const char *fmt, ...)
{
	struct yaml_node at = enter_job(c, j, key);
	va_list ap;

	va_start(ap, fmt);
	cleanup(str_freep) char *text = xvasprintf(fmt, ap);
	va_end(ap);
	schema_warn(c->s, &at, "%s", text);
}

bool checks_is_copy(const struct conf_job *a, const struct conf_job *b)
{
	return strcmp(a->name, b->name) == 0;
}

bool checks_takes_snapshots(const struct conf_job *j)
{
	return (j->type == JOB_PUSH || j->type == JOB_SNAP || j->type == JOB_SOURCE) &&
	       j->snapshotting.type != SNAPSHOTTING_MANUAL;
}

/* ---- what only one job can have ---- */

enum claim_kind { CLAIM_NAME, CLAIM_LISTENER, CLAIM_ADDRESS, CLAIM_IDENTITY };

struct claim {
	enum claim_kind kind;
	const char *text, *port; /* port: of an address, or "" */
	const struct conf_job *job;
	const struct conf_job *first; /* who claims it, too */
};

struct claims {
	struct claim *v; /* by kind and text */
	size_t n, cap;
};

static void claim(struct claims *l, enum claim_kind kind, const char *text,
		  const char *port, const struct conf_job *j)
{
	struct claim new = { kind, text, port, j, j };

	VEC_PUSH(l, new);
}

static void claim_served(struct claims *l, const struct conf_job *j)
{
	const struct conf_serve *s = &j->serve;

	switch (s->type) {
	case SERVE_LOCAL:
		claim(l, CLAIM_LISTENER, s->listener_name, "", j);
		break;
	case SERVE_TCP:
	case SERVE_TLS:
		claim(l, CLAIM_ADDRESS, s->listen.host, s->listen.port, j);
		break;
	case SERVE_STDINSERVER:
		for (size_t i = 0; i < s->n_client_identities; i++)
			claim(l, CLAIM_IDENTITY, s->client_identities[i], "", j);
		break;
	}
}

static int compare_texts(const struct claim *a, const struct claim *b)
{
	int r = (a->kind > b->kind) - (a->kind < b->kind);

	if (r == 0)
		r = strcmp(a->text, b->text);
	return r != 0 ? r : strcmp(a->port, b->port);
}

static int by_text(const void *va, const void *vb)
{
	const struct claim *a = va, *b = vb;
	int r = compare_texts(a, b);

	return r != 0 ? r : (a->job > b->job) - (a->job < b->job);
}

static int by_job(const void *va, const void *vb)
{
	const struct claim *a = va, *b = vb;

	return a->job != b->job ? (a->job > b->job) - (a->job < b->job) : by_text(a, b);
}

/* Sorts by text. */
static void find_first(struct claims *l)
{
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_text);
	for (size_t i = 1; i < l->n; i++)
		if (compare_texts(&l->v[i - 1], &l->v[i]) == 0)
			l->v[i].first = l->v[i - 1].first;
}

static void find_claims(struct claims *l, const struct checks *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct conf_job *j = &c->jobs[i];

		if (j->type == JOB_SINK || j->type == JOB_SOURCE)
			claim_served(l, j);
	}
	find_first(l);
}

static void refuse_claim(struct checks *c, const struct claim *l)
{
	const struct conf_job *f = l->first;

	if (l->kind != CLAIM_NAME && checks_is_copy(f, l->job))
		return;
	switch (l->kind) {
	case CLAIM_NAME:
		checks_refuse(c, l->job, "name",
			      "\"%s\" is also the name of the job at %s:%u; names must "
			      "differ",
			      l->text, f->file, f->line);
		break;
	case CLAIM_LISTENER:
		checks_refuse(
			c, l->job, "serve.listener_name",
			"\"%s\" is also the listener of job \"%s\" at %s:%u; names of "
			"listeners must differ",
			l->text, f->name, f->file, f->line);
		break;
	case CLAIM_ADDRESS:
		checks_refuse(c, l->job, "serve.listen",
			      "job \"%s\" at %s:%u listens there as well; want another "
			      "port, or another address of this host",
			      f->name, f->file, f->line);
		break;
	case CLAIM_IDENTITY:
		checks_refuse(
			c, l->job, "serve.client_identities",
			"\"%s\" is a client of job \"%s\" at %s:%u as well, and can "
			"reach only one of them; want an identity of its own for "
			"each",
			l->text, f->name, f->file, f->line);
		break;
	}
}

static void refuse_claims(struct checks *c, struct claims *l)
{
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_job);
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].first != l->v[i].job)
			refuse_claim(c, &l->v[i]);
}

/* ---- addresses of which one contains the other ---- */

static bool has_address(const struct conf_job *j)
{
	return (j->type == JOB_SINK || j->type == JOB_SOURCE) &&
	       (j->serve.type == SERVE_TCP || j->serve.type == SERVE_TLS);
}

/* "" and "::" are those of IPv4, too. */
static bool is_every(const char *host)
{
	return !*host || strcmp(host, "::") == 0;
}

/* A name may have addresses of both kinds. */
static bool contains(const struct conf_hostport *a, const struct conf_hostport *b)
{
	bool ipv4_only = strcmp(a->host, "0.0.0.0") == 0;

	return strcmp(a->port, b->port) == 0 && strcmp(a->host, b->host) != 0 &&
	       (is_every(a->host) ||
		(ipv4_only && (is_every(b->host) || !strchr(b->host, ':'))));
}

/* Of all pairs with others one. */
static void check_address(struct checks *c, const struct conf_job *j)
{
	const struct conf_hostport *mine = &j->serve.listen;

	for (size_t i = 0; &c->jobs[i] < j; i++) {
		const struct conf_job *o = &c->jobs[i];
		const struct conf_hostport *other = &o->serve.listen;

		if (!has_address(o) || checks_is_copy(o, j) ||
		    (!contains(mine, other) && !contains(other, mine)))
			continue;
		checks_warn(c, j, "serve.listen",
			    "this contains, or is among, the addresses at which job "
			    "\"%s\" at %s:%u listens, and only one of them may get "
			    "there; want another port, or one address for each",
			    o->name, o->file, o->line);
		return;
	}
}

static void check_addresses(struct checks *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (has_address(&c->jobs[i]))
			check_address(c, &c->jobs[i]);
}

/* ---- local connections ---- */

/* l is sorted by text. */
static void check_connect(struct checks *c, const struct claims *l,
			  const struct conf_job *j)
{
	enum job_type wanted = j->type == JOB_PUSH ? JOB_SINK : JOB_SOURCE;
	struct claim key = { CLAIM_LISTENER, j->connect.listener_name, "", NULL, NULL };
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_texts(&l->v[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < l->n && compare_texts(&l->v[lo], &key) == 0; lo++)
		if (l->v[lo].job->type == wanted)
			return;
	checks_warn(c, j, "connect.listener_name", "no %s of this file serves \"%s\"",
		    job_type_name(wanted), key.text);
}

static void check_claims(struct checks *c)
{
	struct claims l = { 0 };

	find_claims(&l, c);
	for (size_t i = 0; i < c->n; i++) {
		const struct conf_job *j = &c->jobs[i];

		if ((j->type == JOB_PUSH || j->type == JOB_PULL) &&
		    j->connect.type == CONNECT_LOCAL)
			check_connect(c, &l, j);
	}
	refuse_claims(c, &l);
	free(l.v);
}

int checks_names(struct schema *s, const struct conf_job *jobs, size_t n)
{
	struct checks c = { s, jobs, n, 0 };
	struct claims l = { 0 };

	for (size_t i = 0; i < n; i++)
		if (jobs[i].name)
			claim(&l, CLAIM_NAME, jobs[i].name, "", &jobs[i]);
	find_first(&l);
	refuse_claims(&c, &l);
	free(l.v);
	return c.result;
}

int checks_run(struct schema *s, const struct conf_job *jobs, size_t n)
{
	struct checks c = { s, jobs, n, 0 };
	struct places places = { 0 };
	struct meetings meetings;

	places_find(&places, jobs, n);
	meetings_find(&meetings, jobs, n);
	check_claims(&c);
	check_addresses(&c);
	checks_places(&c, &places);
	checks_filesystems(&c, &places);
	checks_prefixes(&c, &meetings);
	checks_keeps(&c, &meetings);
	meetings_free(&meetings);
	places_free(&places);
	return c.result;
}
