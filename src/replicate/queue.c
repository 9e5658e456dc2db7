#include "replicate/queue.h"

#include "base/strs.h"
#include "base/vec.h"

#include <assert.h>

enum { NONE = -1 };

enum q_state {
	Q_UNPLANNED,
	Q_PLAN_FAILED,
	Q_PLANNED,
	Q_WAITING,
	Q_READY,
	Q_RUNNING,
	Q_DONE,
	Q_FAILED,
	Q_ORPHANED,
};

struct q_fs {
	enum q_state state;
	const char *path;
	const struct plan *plan; /* NULL: none */
	size_t done;             /* steps */
	ssize_t above;           /* the nearest one; NONE */
	ssize_t below, next;     /* first one right below, and the next one beside */
};

struct numbers {
	size_t *v;
	size_t n, cap;
};

struct queue {
	struct q_fs *fs;
	size_t n;
	struct numbers ready; /* a heap, the next one to run at 0 */
	struct numbers orphans;
	struct numbers todo; /* of a walk down the tree */
};

struct queue *queue_new(const struct path_index *x)
{
	struct queue *q = xcalloc(1, sizeof(*q));
	size_t above;

	q->n = x->n;
	q->fs = xcalloc(q->n, sizeof(*q->fs));
	for (size_t i = 0; i < q->n; i++) {
		struct q_fs *f = &q->fs[x->v[i].number];

		f->path = x->v[i].path;
		f->above = f->below = f->next = NONE;
	}
	for (size_t i = 0; i < q->n; i++) {
		struct q_fs *f = &q->fs[i];

		if (!path_index_above(x, f->path, &above))
			continue;
		f->above = (ssize_t)above;
		f->next = q->fs[above].below;
		q->fs[above].below = (ssize_t)i;
	}
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	free(q->fs);
	free(q->ready.v);
	free(q->orphans.v);
	free(q->todo.v);
	free(q);
}

/* ---- the ready ones, by target date ---- */

static bool is_before(const struct queue *q, size_t a, size_t b)
{
	const struct q_fs *x = &q->fs[a], *y = &q->fs[b];
	int64_t dx = x->plan->v[x->done].to.creation_s;
	int64_t dy = y->plan->v[y->done].to.creation_s;

	return dx != dy ? dx < dy : a < b;
}

static void swap(size_t *v, size_t i, size_t k)
{
	size_t t = v[i];

	v[i] = v[k];
	v[k] = t;
}

static void make_ready(struct queue *q, size_t fs)
{
	struct numbers *h = &q->ready;
	size_t i = h->n;

	q->fs[fs].state = Q_READY;
	VEC_PUSH(h, fs);
	for (; i > 0 && is_before(q, h->v[i], h->v[(i - 1) / 2]); i = (i - 1) / 2)
		swap(h->v, i, (i - 1) / 2);
}

bool queue_next(struct queue *q, size_t *fs)
{
	struct numbers *h = &q->ready;
	size_t i = 0;

	if (h->n == 0)
		return false;
	*fs = h->v[0];
	h->v[0] = h->v[--h->n];
	for (;;) {
		size_t least = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < h->n; k++)
			if (is_before(q, h->v[k], h->v[least]))
				least = k;
		if (least == i)
			break;
		swap(h->v, i, least);
		i = least;
	}
	q->fs[*fs].state = Q_RUNNING;
	return true;
}

/* ---- parents before children ---- */

static bool is_present(const struct q_fs *f)
{
	return f->plan && (f->plan->n == 0 || f->plan->v[0].has_from || f->done > 0);
}

static void push_below(struct queue *q, size_t fs)
{
	for (ssize_t i = q->fs[fs].below; i != NONE; i = q->fs[i].next)
		VEC_PUSH(&q->todo, (size_t)i);
}

/* What is in todo has everything above it on the receiver. */
static void release(struct queue *q)
{
	while (q->todo.n > 0) {
		size_t i = q->todo.v[--q->todo.n];
		struct q_fs *f = &q->fs[i];

		if (f->state == Q_WAITING)
			make_ready(q, i);
		if (is_present(f))
			push_below(q, i);
	}
}

static void orphan_below(struct queue *q, size_t fs)
{
	push_below(q, fs);
	while (q->todo.n > 0) {
		size_t i = q->todo.v[--q->todo.n];

		if (q->fs[i].state == Q_ORPHANED || q->fs[i].state == Q_PLAN_FAILED)
			continue; /* a walk of its own */
		if (q->fs[i].state == Q_WAITING) {
			q->fs[i].state = Q_ORPHANED;
			VEC_PUSH(&q->orphans, i);
		}
		push_below(q, i);
	}
}

void queue_planned(struct queue *q, size_t fs, const struct plan *plan)
{
	assert(q->fs[fs].state == Q_UNPLANNED);
	q->fs[fs].plan = plan;
	q->fs[fs].state = plan->n > 0 ? Q_PLANNED : Q_DONE;
}

void queue_plan_failed(struct queue *q, size_t fs)
{
	assert(q->fs[fs].state == Q_UNPLANNED);
	q->fs[fs].state = Q_PLAN_FAILED;
}

void queue_start(struct queue *q)
{
	for (size_t i = 0; i < q->n; i++) {
		assert(q->fs[i].state != Q_UNPLANNED);
		if (q->fs[i].state == Q_PLANNED)
			q->fs[i].state = Q_WAITING;
	}
	for (size_t i = 0; i < q->n; i++) {
		if (q->fs[i].state == Q_PLAN_FAILED)
			orphan_below(q, i);
	}
	for (size_t i = 0; i < q->n; i++) {
		if (q->fs[i].above == NONE)
			VEC_PUSH(&q->todo, i);
	}
	release(q);
}

void queue_step_done(struct queue *q, size_t fs)
{
	struct q_fs *f = &q->fs[fs];
	bool was_present = is_present(f);

	assert(f->state == Q_RUNNING);
	f->done++;
	if (f->done == f->plan->n)
		f->state = Q_DONE;
	else
		make_ready(q, fs);
	if (was_present)
		return;
	push_below(q, fs);
	release(q);
}

void queue_step_failed(struct queue *q, size_t fs)
{
	assert(q->fs[fs].state == Q_RUNNING);
	q->fs[fs].state = Q_FAILED;
	if (!is_present(&q->fs[fs]))
		orphan_below(q, fs);
}

bool queue_orphan(struct queue *q, size_t *fs)
{
	if (q->orphans.n == 0)
		return false;
	*fs = q->orphans.v[--q->orphans.n];
	return true;
}

char *queue_missing_parents(const struct queue *q, size_t fs)
{
	struct strs up = { 0 }, down = { 0 };
	char *names;

	for (ssize_t i = q->fs[fs].above; i != NONE; i = q->fs[i].above) {
		const struct q_fs *f = &q->fs[i];

		if (f->state == Q_PLAN_FAILED || (f->state == Q_FAILED && !is_present(f)))
			strs_add(&up, f->path);
	}
	for (size_t i = up.n; i-- > 0;)
		strs_add(&down, up.v[i]);
	names = strs_join(&down, " ");
	strs_free(&up);
	strs_free(&down);
	return names;
}

/* ---- questions ---- */

enum fs_blocked queue_blocked_on(const struct queue *q, size_t fs)
{
	switch (q->fs[fs].state) {
	case Q_UNPLANNED:
		return BLOCKED_ON_PLAN_QUEUE;
	case Q_WAITING:
		return BLOCKED_ON_PARENT_INITIAL_REPL;
	case Q_PLANNED:
	case Q_READY:
		return BLOCKED_ON_REPL_QUEUE;
	case Q_PLAN_FAILED:
	case Q_RUNNING:
	case Q_DONE:
	case Q_FAILED:
	case Q_ORPHANED:
		break;
	}
	return BLOCKED_ON_NOTHING;
}

size_t queue_steps_done(const struct queue *q, size_t fs)
{
	return q->fs[fs].done;
}

bool queue_is_finished(const struct queue *q, size_t fs)
{
	enum q_state s = q->fs[fs].state;

	return s == Q_PLAN_FAILED || s == Q_DONE || s == Q_FAILED || s == Q_ORPHANED;
}
