/*
 * Planning an attempt: two listings of filesystems, two of versions, then for each
 * filesystem what its token says, its plan, and how large each step will be.
 */
#include "base/vec.h"
#include "replicate/attempt.h"
#include "replicate/parallel.h"
#include "replicate/step.h"

#include <stdatomic.h>

/* ---- what both sides have ---- */

struct listing {
	struct endpoint *ep[SIDES];
	struct ep_filesystems fs[SIDES];
	struct path_index index[SIDES];
	struct strs paths[SIDES]; /* those whose versions matter */
	struct ep_version_lists versions[SIDES];
};

static void listing_fini(struct listing *l)
{
	for (int s = 0; s < SIDES; s++) {
		ep_filesystems_free(&l->fs[s]);
		path_index_free(&l->index[s]);
		strs_free(&l->paths[s]);
		ep_version_lists_free(&l->versions[s]);
	}
}

static int list_filesystems(struct ctx *ctx, void *arg, enum side s, struct err *err)
{
	struct listing *l = arg;
	const char *twice;

	if (ep_list_filesystems(ctx, l->ep[s], &l->fs[s], err) < 0)
		return -1;
	for (size_t i = 0; i < l->fs[s].n; i++)
		path_index_add(&l->index[s], l->fs[s].v[i].path);
	twice = path_index_sort(&l->index[s]);
	if (twice)
		return err_set(err, ERR_PROTOCOL, "the %s lists %s twice",
			       l->ep[s]->label, twice);
	return 0;
}

static int list_versions(struct ctx *ctx, void *arg, enum side s, struct err *err)
{
	struct listing *l = arg;

	if (l->paths[s].n == 0)
		return 0;
	return ep_list_versions(ctx, l->ep[s], &l->paths[s], &l->versions[s], err);
}

/* ---- one filesystem on its way to a plan ---- */

static const struct versions no_versions;

struct draft {
	size_t fs; /* in the attempt, and in the sender's listing */
	const struct ep_filesystem *sender, *receiver; /* receiver: or NULL */
	/* borrowed from the listing; NULL: does not matter */
	const struct ep_version_list *versions[SIDES];
	bool has_token;
	struct resume_token token;
	struct plan plan;
	atomic_bool has_failed;
	struct err err; /* with has_failed */
};

struct planning {
	struct attempt *a;
	const struct attempt *before; /* or NULL */
	struct listing l;
	struct draft *drafts; /* one for each filesystem */
	size_t n;
};

static void planning_fini(struct planning *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct draft *d = &p->drafts[i];

		resume_token_free(&d->token);
		plan_free(&d->plan);
		err_clear(&d->err);
	}
	free(p->drafts);
	listing_fini(&p->l);
}

/* The first failure is the one that counts; takes e. */
static void draft_failed(struct draft *d, struct err *e)
{
	if (!atomic_exchange(&d->has_failed, true))
		err_move(&d->err, e);
	err_clear(e);
}

static void make_drafts(struct planning *p)
{
	struct listing *l = &p->l;
	size_t r;

	p->n = l->fs[SENDER].n;
	p->drafts = xcalloc(p->n, sizeof(*p->drafts));
	for (size_t i = 0; i < p->n; i++) {
		struct draft *d = &p->drafts[i];

		d->fs = i;
		d->sender = &l->fs[SENDER].v[i];
		if (path_index_find(&l->index[RECEIVER], view_of(d->sender->path), &r))
			d->receiver = &l->fs[RECEIVER].v[r];
		if (d->sender->is_placeholder)
			continue;
		strs_add(&l->paths[SENDER], d->sender->path);
		if (d->receiver && !d->receiver->is_placeholder)
			strs_add(&l->paths[RECEIVER], d->sender->path);
	}
}

/* In the order in which make_drafts() asked for them. */
static void hand_out_versions(struct planning *p)
{
	struct listing *l = &p->l;
	size_t s = 0, r = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct draft *d = &p->drafts[i];

		if (d->sender->is_placeholder)
			continue;
		d->versions[SENDER] = &l->versions[SENDER].v[s++];
		if (d->receiver && !d->receiver->is_placeholder)
			d->versions[RECEIVER] = &l->versions[RECEIVER].v[r++];
	}
}

static int list_both(struct ctx *ctx, struct planning *p, struct err *err)
{
	p->l.ep[SENDER] = p->a->o->sender;
	p->l.ep[RECEIVER] = p->a->o->receiver;
	if (parallel_sides(ctx, list_filesystems, &p->l, err) < 0)
		return -1;
	make_drafts(p);
	if (parallel_sides(ctx, list_versions, &p->l, err) < 0)
		return -1;
	hand_out_versions(p);
	return 0;
}

/* ---- tokens ---- */

static void decode_token(struct ctx *ctx, void *arg, size_t i)
{
	struct planning *p = arg;
	struct draft *d = &p->drafts[i];
	const struct replication_opts *o = p->a->o;
	struct err e = ERR_INIT;

	if (!d->has_token)
		return;
	if (o->decode_token(ctx, o->decode_arg, d->receiver->resume_token, &d->token,
			    &e) < 0) {
		err_wrap(&e, "decode the receiver's resume token");
		draft_failed(d, &e);
	}
}

static void decode_tokens(struct ctx *ctx, struct planning *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct draft *d = &p->drafts[i];

		d->has_token = !d->sender->is_placeholder && d->receiver &&
			       d->receiver->resume_token;
		n += d->has_token;
	}
	if (n == 0)
		return;
	if (p->a->o->conf->concurrency_size_estimates < (int64_t)n)
		n = (size_t)p->a->o->conf->concurrency_size_estimates;
	parallel_each(ctx, p->n, (int64_t)n, decode_token, p);
}

/* ---- plans ---- */

static int check_version_lists(const struct draft *d, const struct listing *l,
			       struct err *err)
{
	for (int s = 0; s < SIDES; s++) {
		const struct ep_version_list *v = d->versions[s];

		if (!v || v->err.kind == ERR_NONE)
			continue;
		err_copy(err, &v->err);
		return err_wrap(err, "list versions of the %s", l->ep[s]->label);
	}
	return 0;
}

static int make_plan(const struct planning *p, struct draft *d, struct err *err)
{
	const struct ep_version_list *const *v = d->versions;
	struct plan_input in = {
		.sender = d->sender,
		.receiver = d->receiver,
		.sender_versions = v[SENDER] ? &v[SENDER]->versions : &no_versions,
		.receiver_versions = v[RECEIVER] ? &v[RECEIVER]->versions : &no_versions,
		.token = d->has_token ? &d->token : NULL,
		.initial_replication = p->a->o->conf->initial_replication,
		.protection = attempt_protection(p->a),
	};
	const struct attempt *before = p->before;
	size_t k;

	if (check_version_lists(d, &p->l, err) < 0)
		return -1;
	if (plan_make(&in, &d->plan, err) < 0)
		return -1;
	if (!before || !path_index_find(&before->index, view_of(d->sender->path), &k) ||
	    !before->fs[k].is_planned)
		return 0;
	return plan_limit(&d->plan, &before->fs[k].plan,
			  queue_steps_done(before->queue, k), err);
}

static void make_plans(struct planning *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct draft *d = &p->drafts[i];
		struct err e = ERR_INIT;

		if (!atomic_load(&d->has_failed) && make_plan(p, d, &e) < 0)
			draft_failed(d, &e);
	}
}

/* ---- what interrupted steps left behind ---- */

static const struct version *newest_snapshot(const struct ep_version_list *l)
{
	for (size_t i = l ? l->versions.n : 0; i > 0; i--)
		if (l->versions.v[i - 1].type == VERSION_SNAPSHOT)
			return &l->versions.v[i - 1];
	return NULL;
}

/* The receiver's newest snapshot, if there is nothing to send and the sender has it too.
 */
static const struct version *arrived(const struct draft *d)
{
	const struct version *there = newest_snapshot(d->versions[RECEIVER]), *here;

	if (!there || atomic_load(&d->has_failed) || d->plan.n > 0 || d->has_token)
		return NULL;
	here = versions_find_guid(&d->versions[SENDER]->versions, there->guid);
	return here && here->type == VERSION_SNAPSHOT ? here : NULL;
}

/* With steps to do, the next one cleans up; without, nobody else would. */
static void settle(struct ctx *ctx, const struct planning *p)
{
	struct endpoint *sender = p->a->o->sender;
	enum protection protection = p->a->o->conf->protect_incremental;

	for (size_t i = 0; sender->ops->settle && i < p->n && !ctx_done(ctx); i++) {
		const struct draft *d = &p->drafts[i];
		const struct version *to = arrived(d);
		cleanup(err_clear) struct err e = ERR_INIT;
		struct ep_send_req req = { .fs = d->sender->path,
					   .to = to,
					   .protection = { protection, protection } };

		if (to && sender->ops->settle(ctx, sender, &req,
					      &d->versions[SENDER]->versions, &e) < 0)
			log_at(&p->a->o->log, LOG_WARN,
			       LOG_FIELDS({ "filesystem", d->sender->path },
					  { "err", err_msg(&e) }),
			       "cannot settle an interrupted step");
	}
}

/* ---- sizes ---- */

struct estimate {
	struct draft *draft;
	size_t step;
};

struct estimates {
	struct attempt *a;
	struct estimate *v;
	size_t n, cap;
};

static void estimate(struct ctx *ctx, void *arg, size_t i)
{
	struct estimates *all = arg;
	struct draft *d = all->v[i].draft;
	struct step *step = &d->plan.v[all->v[i].step];
	struct endpoint *sender = all->a->o->sender;
	struct step_job job = {
		.fs = d->sender->path,
		.step = step,
		.protection = attempt_protection(all->a),
	};
	struct ep_send_req req = step_send_req(&job);
	struct err e = ERR_INIT;

	if (atomic_load(&d->has_failed))
		return;
	if (sender->ops->send_dry(ctx, sender, &req, &step->bytes_expected, &e) < 0) {
		cleanup(str_freep) char *text = step_text(step);

		err_wrap(&e, "estimate the size of step %s", text);
		draft_failed(d, &e);
	}
}

static void estimate_sizes(struct ctx *ctx, struct planning *p)
{
	struct estimates all = { .a = p->a };

	for (size_t i = 0; i < p->n; i++) {
		struct draft *d = &p->drafts[i];

		for (size_t k = 0; !atomic_load(&d->has_failed) && k < d->plan.n; k++)
			VEC_PUSH(&all, ((struct estimate){ d, k }));
	}
	parallel_each(ctx, all.n, p->a->o->conf->concurrency_size_estimates, estimate,
		      &all);
	free(all.v);
}

/* ---- all of it ---- */

static void fan_out(struct planning *p)
{
	struct strs paths = { 0 };

	for (size_t i = 0; i < p->n; i++)
		strs_add(&paths, p->drafts[i].sender->path);
	attempt_fan_out(p->a, &paths);
	free(paths.v);
}

enum which { FINISHED_EARLY, THE_OTHERS };

static void publish(struct planning *p, enum which which)
{
	for (size_t i = 0; i < p->n; i++) {
		struct draft *d = &p->drafts[i];
		bool is_early = atomic_load(&d->has_failed) || d->plan.n == 0;

		if (p->a->fs[i].is_planned || p->a->fs[i].plan_error.text)
			continue;
		if (which == FINISHED_EARLY && !is_early)
			continue;
		if (atomic_load(&d->has_failed))
			attempt_fs_plan_failed(p->a, i, &d->err);
		else
			attempt_planned(p->a, i, &d->plan);
	}
}

int attempt_plan(struct ctx *ctx, struct attempt *a, const struct attempt *before,
		 struct err *err)
{
	cleanup(planning_fini) struct planning p = { .a = a, .before = before };

	if (list_both(ctx, &p, err) < 0)
		return -1;
	fan_out(&p);
	decode_tokens(ctx, &p);
	make_plans(&p);
	settle(ctx, &p);
	publish(&p, FINISHED_EARLY);
	estimate_sizes(ctx, &p);
	publish(&p, THE_OTHERS);
	return 0;
}
