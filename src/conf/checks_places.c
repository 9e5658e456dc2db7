#include "conf/checks.h"

#include "codec/dsname.h"

#include <stdlib.h>

/* What is found for a job: the first that is in its way, of all its places. */
struct finding {
	const struct place *mine, *other;
	/* Only its root_fs is inside another one; NULL: it is not. */
	const struct conf_job *around;
};

struct search {
	const struct checks *c;
	const struct places *p;
	struct finding *of; /* each job */
};

/* The later job has to change. */
static void note(struct search *s, const struct place *a, const struct place *b)
{
	const struct place *later = a->job > b->job ? a : b;
	struct finding *f = &s->of[later->job - s->c->jobs];

	if (!f->other || (later == a ? b : a)->job < f->other->job)
		*f = (struct finding){ later, later == a ? b : a, NULL };
}

static bool is_at(const struct places *p, size_t i, struct view root)
{
	return i < p->n && view_eq(view_of(p->v[i].job->root_fs), root);
}

/* Another place of exactly this name. */
static const struct place *find_exact(const struct places *p, const struct place *mine,
				      struct view root, struct view name)
{
	for (size_t i = places_exact(p, root, name); is_at(p, i, root); i++) {
		if (!view_eq(view_of(p->v[i].identity.text), name))
			break;
		if (p->v[i].job != mine->job)
			return &p->v[i];
	}
	return NULL;
}

/* With the same root_fs, which sinks may share on purpose: unless both are known to have
 * the same client. */
static bool overlaps(const struct place *a, const struct place *b)
{
	if (a->is_root || b->is_root)
		return true;
	return a->identity.kind != IDENTITY_ANY && b->identity.kind != IDENTITY_ANY &&
	       identity_overlap(&a->identity, &b->identity);
}

/* Others with the same root_fs. */
static void search_beside(struct search *s, const struct place *mine)
{
	struct view root = view_of(mine->job->root_fs);
	const struct place *q;

	for (size_t i = places_at(s->p, root); is_at(s->p, i, root); i++) {
		q = &s->p->v[i];
		if (place_is_one_dataset(q))
			break;
		if (q->job == mine->job || !overlaps(mine, q))
			continue;
		note(s, mine, q);
		return;
	}
	if (!place_is_one_dataset(mine))
		return;
	q = find_exact(s->p, mine, root, view_of(mine->identity.text));
	if (q)
		note(s, mine, q);
}

/* Has a client of the place that name?  A local sink that nobody of this file connects to
 * has no clients. */
static bool has_client(const struct place *p, struct view name)
{
	return p->identity.kind != IDENTITY_ANY && identity_covers(&p->identity, name);
}

/* Others whose root_fs is `above`; `name` is what follows it in that of mine. */
static void search_above(struct search *s, const struct place *mine, struct view above,
			 struct view name)
{
	struct finding *f = &s->of[mine->job - s->c->jobs];
	size_t i = places_at(s->p, above);
	const struct place *q;

	if (is_at(s->p, i, above) && !f->other)
		f->around = s->p->v[i].job;
	for (; is_at(s->p, i, above) && !place_is_one_dataset(&s->p->v[i]); i++) {
		q = &s->p->v[i];
		if (!q->is_root && !has_client(q, name))
			continue;
		note(s, mine, q);
		return;
	}
	q = find_exact(s->p, mine, above, name);
	if (q)
		note(s, mine, q);
}

static void search(struct search *s, const struct place *mine)
{
	struct view root = view_of(mine->job->root_fs);

	for (size_t end = path_component_end(root, 0); end < root.len;
	     end = path_component_end(root, end + 1)) {
		size_t next = path_component_end(root, end + 1);

		search_above(s, mine, (struct view){ root.p, end },
			     (struct view){ root.p + end + 1, next - end - 1 });
	}
	search_beside(s, mine);
}

static void refuse(struct checks *c, const struct finding *f)
{
	cleanup(str_freep) char *mine = place_text(f->mine),
				*other = place_text(f->other);
	const struct conf_job *o = f->other->job;

	checks_refuse(
		c, f->mine->job, "root_fs",
		"this job receives into \"%s\", job \"%s\" at %s:%u into \"%s\"; want "
		"places of which none is another or inside another",
		mine, o->name, o->file, o->line, other);
}

/* No client of today is in the way, but the next one may be. */
static void warn_of_around(struct checks *c, const struct conf_job *j,
			   const struct conf_job *around)
{
	struct view root = view_of(j->root_fs);
	size_t at = strlen(around->root_fs) + 1;
	size_t end = path_component_end(root, at);

	checks_warn(c, j, "root_fs",
		    "\"%s\" is inside \"%s\", the root_fs of job \"%s\", where a client "
		    "\"%.*s\" would get into its way",
		    j->root_fs, around->root_fs, around->name, (int)(end - at),
		    j->root_fs + at);
}

void checks_places(struct checks *c, const struct places *p)
{
	struct search s = { c, p, xcalloc(c->n + 1, sizeof(*s.of)) };

	for (size_t i = 0; i < p->n; i++)
		search(&s, &p->v[i]);
	for (size_t i = 0; i < c->n; i++) {
		if (s.of[i].other && !checks_is_copy(&c->jobs[i], s.of[i].other->job))
			refuse(c, &s.of[i]);
		if (s.of[i].around)
			warn_of_around(c, &c->jobs[i], s.of[i].around);
	}
	free(s.of);
}
