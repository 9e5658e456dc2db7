#include "conf/place.h"

#include "base/vec.h"
#include "codec/dsname.h"

#include <stdlib.h>

/* ---- paths ---- */

int path_compare(struct view a, struct view b)
{
	size_t n = a.len < b.len ? a.len : b.len, i = 0;

	while (i < n && a.p[i] == b.p[i])
		i++;
	if (i == n)
		return (a.len > b.len) - (a.len < b.len);
	if (a.p[i] == '/' || b.p[i] == '/')
		return a.p[i] == '/' ? -1 : 1;
	return (unsigned char)a.p[i] < (unsigned char)b.p[i] ? -1 : 1;
}

size_t path_component_end(struct view path, size_t at)
{
	while (at < path.len && path.p[at] != '/')
		at++;
	return at;
}

/* ---- order ---- */

bool place_is_one_dataset(const struct place *p)
{
	return !p->is_root && p->identity.kind == IDENTITY_EXACT;
}

/* name: of an exact one; NULL of another */
static int compare_to(const struct place *p, struct view root, const struct view *name)
{
	int r = path_compare(view_of(p->job->root_fs), root);

	if (r != 0)
		return r;
	if (!place_is_one_dataset(p) || !name)
		return (int)place_is_one_dataset(p) - (name != NULL);
	return path_compare(view_of(p->identity.text), *name);
}

static int compare(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;
	struct view name = place_is_one_dataset(b) ? view_of(b->identity.text) : VIEW("");
	int r = compare_to(a, view_of(b->job->root_fs),
			   place_is_one_dataset(b) ? &name : NULL);

	return r != 0 ? r : (a->job > b->job) - (a->job < b->job);
}

/* The first that is not before. */
static size_t lower_bound(const struct places *p, struct view root,
			  const struct view *name)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_to(&p->v[mid], root, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t places_at(const struct places *p, struct view root)
{
	return lower_bound(p, root, NULL);
}

size_t places_exact(const struct places *p, struct view root, struct view name)
{
	return lower_bound(p, root, &name);
}

static bool is_at_or_below(const char *path, struct view dataset)
{
	return strncmp(path, dataset.p, dataset.len) == 0 &&
	       (path[dataset.len] == '\0' || path[dataset.len] == '/');
}

size_t places_after(const struct places *p, size_t from, struct view dataset)
{
	size_t lo = from, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (is_at_or_below(p->v[mid].job->root_fs, dataset))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* ---- the list ---- */

struct connecting {
	const struct conf_job **v; /* by listener */
	size_t n, cap;
};

static int compare_connecting(const void *va, const void *vb)
{
	const struct conf_job *a = *(const struct conf_job *const *)va;
	const struct conf_job *b = *(const struct conf_job *const *)vb;
	int r = strcmp(a->connect.listener_name, b->connect.listener_name);

	return r != 0 ? r : (a > b) - (a < b);
}

static void find_connecting(struct connecting *l, const struct conf_job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (jobs[i].type == JOB_PUSH && jobs[i].connect.type == CONNECT_LOCAL)
			VEC_PUSH(l, &jobs[i]);
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), compare_connecting);
}

static void add(struct places *p, const struct conf_job *j, struct identity i)
{
	struct place place = { j, .identity = i };

	VEC_PUSH(p, place);
}

static void add_exact(struct places *p, const struct conf_job *j, const char *identity)
{
	add(p, j, (struct identity){ IDENTITY_EXACT, .text = identity, .zone = "" });
}

static void add_local(struct places *p, const struct conf_job *j,
		      const struct connecting *l)
{
	const char *name = j->serve.listener_name;
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(l->v[mid]->connect.listener_name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == l->n || strcmp(l->v[lo]->connect.listener_name, name) != 0)
		add(p, j, (struct identity){ IDENTITY_ANY, .text = "*", .zone = "" });
	for (; lo < l->n && strcmp(l->v[lo]->connect.listener_name, name) == 0; lo++)
		add_exact(p, j, l->v[lo]->connect.client_identity);
}

static void add_sink(struct places *p, const struct conf_job *j,
		     const struct connecting *l)
{
	const struct conf_serve *s = &j->serve;

	switch (s->type) {
	case SERVE_LOCAL:
		add_local(p, j, l);
		break;
	case SERVE_TCP:
		for (size_t i = 0; i < s->n_client_texts; i++)
			add(p, j, identity_of_client(&s->client_texts[i]));
		break;
	case SERVE_TLS:
		for (size_t i = 0; i < s->n_client_cns; i++)
			add_exact(p, j, s->client_cns[i]);
		break;
	case SERVE_STDINSERVER:
		for (size_t i = 0; i < s->n_client_identities; i++)
			add_exact(p, j, s->client_identities[i]);
		break;
	}
}

void places_find(struct places *p, const struct conf_job *jobs, size_t n)
{
	struct connecting l = { 0 };

	find_connecting(&l, jobs, n);
	for (size_t i = 0; i < n; i++) {
		const struct conf_job *j = &jobs[i];
		struct place root = { j, .is_root = true };

		if (!j->root_fs || strlen(j->root_fs) > ZFS_MAX_NAME)
			continue;
		if (j->type == JOB_SINK)
			add_sink(p, j, &l);
		else
			VEC_PUSH(p, root);
	}
	if (p->n > 0)
		qsort(p->v, p->n, sizeof(*p->v), compare);
	free(l.v);
}

void places_free(struct places *p)
{
	free(p->v);
	*p = (struct places){ 0 };
}

char *place_text(const struct place *p)
{
	return p->is_root ? xstrdup(p->job->root_fs)
			  : xasprintf("%s/%s", p->job->root_fs, p->identity.text);
}

char *place_dataset(const struct place *p)
{
	return place_is_one_dataset(p) ? place_text(p) : xstrdup(p->job->root_fs);
}
