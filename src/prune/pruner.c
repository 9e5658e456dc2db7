#include "prune/pruner.h"

#include "base/buf.h"
#include "base/vec.h"
#include "prune/plan.h"
#include "prune/report.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

/* Names and messages come from peers and children: no text that we make is longer. */
enum { TEXT_MAX = 64 << 10 };

struct pruner {
	struct pruner_opts o;
	bool has_run;
	struct err first; /* the first error of a filesystem */
	pthread_mutex_t lock;
	/* Under lock.  Only pruner_run()'s thread writes, and may read without. */
	struct prune_report report;
};

struct pruner *pruner_new(const struct pruner_opts *o)
{
	struct pruner *p = xcalloc(1, sizeof(*p));

	assert(o->side == PRUNE_RECEIVER || o->target == o->sender);
	p->o = *o;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void pruner_free(struct pruner *p)
{
	if (!p)
		return;
	prune_report_free(&p->report);
	err_clear(&p->first);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void pruner_report(struct pruner *p, struct prune_report *out)
{
	pthread_mutex_lock(&p->lock);
	prune_report_dup(&p->report, out);
	pthread_mutex_unlock(&p->lock);
}

/* ---- texts ---- */

/* Text with separators, of which the end may be missing. */
struct listing {
	struct buf text;
	size_t n, left_out;
};

static void listing_add(struct listing *l, const char *item)
{
	if (l->left_out > 0 || l->text.len + strlen(item) > TEXT_MAX)
		l->left_out++;
	else
		buf_printf(&l->text, "%s%s", l->n++ ? ", " : "", item);
}

static char *listing_take(struct listing *l)
{
	if (l->left_out > 0)
		buf_printf(&l->text, " and %zu more", l->left_out);
	return buf_take(&l->text);
}

/* ---- keeping the report ---- */

/* An error of a filesystem: reported, logged, and kept if it is the first. */
static void fs_failed(struct pruner *p, struct prune_report_fs *fs, const char *what,
		      struct err *e)
{
	char *old, *text;

	log_at(&p->o.log, LOG_ERROR,
	       LOG_FIELDS({ "prune_side", prune_side_name(p->o.side) },
			  { "fs", fs->path }, { "err", err_msg(e) }),
	       "%s", what);
	if (fs->error) {
		struct listing l = { 0 };

		listing_add(&l, fs->error);
		listing_add(&l, err_msg(e));
		text = listing_take(&l);
	} else {
		text = xstrdup(err_msg(e));
	}
	pthread_mutex_lock(&p->lock);
	old = fs->error;
	fs->error = text;
	pthread_mutex_unlock(&p->lock);
	free(old);
	if (p->first.kind == ERR_NONE) {
		err_wrap(e, "prune %s", fs->path);
		err_move(&p->first, e);
	}
	err_clear(e);
}

static void set_state(struct pruner *p, enum pruner_state s, const char *error)
{
	cleanup(str_freep) char *text = xstrdup_or_null(error);

	pthread_mutex_lock(&p->lock);
	assert(!p->report.error);
	p->report.state = s;
	p->report.error = TAKE(text);
	pthread_mutex_unlock(&p->lock);
}

/* The whole pruning ended early.  Being told to stop is nothing to complain about. */
static int give_up(struct pruner *p, enum pruner_state s, struct err *err)
{
	set_state(p, s, err_msg(err));
	if (!err_is(err, ERR_CANCELLED))
		log_at(&p->o.log, LOG_ERROR,
		       LOG_FIELDS({ "prune_side", prune_side_name(p->o.side) },
				  { "err", err_msg(err) }),
		       "pruning failed");
	return -1;
}

/* From now on the report shows the plan. */
static void publish(struct pruner *p, struct prune_plan *plan)
{
	struct prune_report_fs *fs = xcalloc(plan->n, sizeof(*fs));

	for (size_t i = 0; i < plan->n; i++) {
		fs[i] = plan->v[i].report;
		plan->v[i].report = (struct prune_report_fs){ 0 };
	}
	pthread_mutex_lock(&p->lock);
	p->report.fs = fs;
	p->report.n_fs = plan->n;
	p->report.state = PRUNER_EXEC;
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < plan->n; i++)
		if (plan->v[i].err.kind != ERR_NONE)
			fs_failed(p, &fs[i], "cannot plan pruning", &plan->v[i].err);
}

/* ---- destroying ---- */

/*
 * "destroys failed @a, @b: why" if the reason is the same for all that were not
 * destroyed, "destroys failed @a: why, @b: why not" otherwise.
 */
static int check_results(const struct strs *names, const struct ep_destroy_results *r,
			 struct err *err)
{
	const struct err missing = { .kind = ERR_PROTOCOL,
				     .msg = (char[]){ "no result for this snapshot" } };
	struct listing plain = { 0 }, pairs = { 0 };
	const struct err *first = NULL;
	bool same = true;

	for (size_t i = 0; i < names->n; i++) {
		const struct err *e = i < r->n ? &r->v[i] : &missing;
		cleanup(str_freep) char *text = NULL;

		if (e->kind == ERR_NONE)
			continue;
		text = xasprintf("@%s: %s", names->v[i], err_msg(e));
		listing_add(&pairs, text);
		text[strlen(names->v[i]) + 1] = '\0';
		listing_add(&plain, text);
		same = same && (!first || strcmp(err_msg(first), err_msg(e)) == 0);
		first = first ? first : e;
	}
	cleanup(str_freep) char *of_all = listing_take(&plain);
	cleanup(str_freep) char *each = listing_take(&pairs);

	if (!first)
		return 0;
	if (!same)
		return err_set(err, first->kind, "destroys failed %s", each);
	return err_set(err, first->kind, "destroys failed %s: %.*s", of_all, TEXT_MAX,
		       err_msg(first));
}

static void log_destroys(const struct pruner *p, const struct prune_report_fs *fs,
			 const struct strs *names)
{
	struct listing l = { 0 };

	for (size_t i = 0; i < names->n; i++)
		listing_add(&l, names->v[i]);
	cleanup(str_freep) char *text = listing_take(&l);

	log_at(&p->o.log, LOG_INFO,
	       LOG_FIELDS({ "prune_side", prune_side_name(p->o.side) },
			  { "fs", fs->path }, { "snapshots", text }),
	       "destroy %zu of %zu snapshots", fs->n_destroy, fs->n_snaps);
}

/* -1: ctx is done.  Everything else is an error of this filesystem alone. */
static int destroy_snapshots(struct ctx *ctx, struct pruner *p,
			     struct prune_report_fs *fs, struct err *err)
{
	struct endpoint *target = p->o.target;
	cleanup(strs_free) struct strs names = { 0 };
	cleanup(ep_destroy_results_free) struct ep_destroy_results results = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;

	for (size_t i = 0; i < fs->n_snaps; i++)
		if (fs->snaps[i].destroy)
			strs_add(&names, fs->snaps[i].name);
	if (names.n == 0)
		return 0;
	log_destroys(p, fs, &names);
	if (target->ops->destroy_snapshots(ctx, target, fs->path, &names, &results, &e) <
	    0) {
		if (ctx_done(ctx)) {
			err_move(err, &e);
			return err_wrap(err, "prune %s", fs->path);
		}
		fs_failed(p, fs, "cannot destroy snapshots", &e);
		return 0;
	}
	if (check_results(&names, &results, &e) < 0)
		fs_failed(p, fs, "cannot destroy all snapshots", &e);
	return 0;
}

static int execute(struct ctx *ctx, struct pruner *p, struct err *err)
{
	for (size_t i = 0; i < p->report.n_fs; i++) {
		struct prune_report_fs *fs = &p->report.fs[i];

		if (ctx_sleep(ctx, 0, err) < 0 || destroy_snapshots(ctx, p, fs, err) < 0)
			return -1;
		pthread_mutex_lock(&p->lock);
		fs->completed = true;
		pthread_mutex_unlock(&p->lock);
	}
	return 0;
}

int pruner_run(struct ctx *ctx, struct pruner *p, struct err *err)
{
	cleanup(prune_plan_free) struct prune_plan plan = { 0 };

	assert(!p->has_run);
	p->has_run = true;
	if (prune_plan(ctx, &p->o, &plan, err) < 0)
		return give_up(p, PRUNER_PLAN_ERR, err);
	publish(p, &plan);
	if (execute(ctx, p, err) < 0)
		return give_up(p, PRUNER_EXEC_ERR, err);
	if (p->first.kind == ERR_NONE) {
		set_state(p, PRUNER_DONE, NULL);
		return 0;
	}
	set_state(p, PRUNER_EXEC_ERR, NULL);
	err_move(err, &p->first);
	return -1;
}
