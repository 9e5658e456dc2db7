#include "snap/cycle.h"

#include "base/parse.h"
#include "codec/dsname.h"
#include "snap/plan.h"

#include <assert.h>
#include <string.h>

/* A cycle on its way.  Snapshots and their filesystems in the report have one order. */
struct cycle {
	struct snapper *s;
	const char *name;
	struct snap_report_fs **fs; /* of full */
	struct strs full;
};

static void log_failure(const struct cycle *c, const struct snap_report_fs *fs)
{
	log_at(&c->s->o.log, LOG_ERROR,
	       LOG_FIELDS({ "fs", fs->path }, { "snap", c->name }, { "err", fs->error }),
	       "cannot create snapshot");
}

/* False: there can be no such snapshot, and so it has failed. */
static bool start(const struct cycle *c, struct snap_report_fs *fs, char **full)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	*full = xasprintf("%s@%s", fs->path, c->name);
	state_fs_started(c->s, fs, c->name);
	if (dsname_check_version(*full, '@', &e) == 0)
		return true;
	state_fs_done(c->s, fs, false, &e);
	log_failure(c, fs);
	return false;
}

static bool has_hooks(const struct cycle *c, const struct snap_report_fs *fs)
{
	return c->s->hooks && hooks_match(c->s->hooks, fs->path);
}

/* ---- together ---- */

static void start_all(struct cycle *c)
{
	for (size_t i = 0; i < c->s->report.n_fs; i++) {
		struct snap_report_fs *fs = &c->s->report.fs[i];
		cleanup(str_freep) char *full = NULL;

		if (has_hooks(c, fs) || !start(c, fs, &full))
			continue;
		c->fs[c->full.n] = fs;
		strs_take(&c->full, TAKE(full));
	}
}

/* Of one pool: how many were taken, and in how many transactions. */
struct batches {
	const char *pool;
	size_t n, n_batches;
};

static void announce(struct cycle *c, const struct batches *b)
{
	struct strs *warned = &c->s->pools_in_batches;
	bool is_new = !strs_has(warned, b->pool);

	if (is_new)
		strs_add(warned, b->pool);
	log_at(&c->s->o.log, is_new ? LOG_WARN : LOG_INFO,
	       LOG_FIELDS({ "snap", c->name }),
	       "%zu filesystems of pool %s are snapshotted in %zu batches, not in one "
	       "transaction",
	       b->n, b->pool, b->n_batches);
}

static char *pool_of(const char *full)
{
	return view_dup((struct view){ full, strcspn(full, "/@") });
}

static int compare_sizes(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

static struct batches count_batches(const struct cycle *c, const struct zfs_results *r,
				    const char *pool)
{
	struct batches b = { .pool = pool };
	size_t len = strlen(pool), *of = xcalloc(c->full.n, sizeof(*of));

	for (size_t i = 0; i < c->full.n; i++)
		if (strncmp(c->full.v[i], pool, len) == 0 &&
		    strcspn(c->full.v[i], "/@") == len && r->v[i].kind == ERR_NONE)
			of[b.n++] = r->batch[i];
	qsort(of, b.n, sizeof(*of), compare_sizes);
	for (size_t i = 0; i < b.n; i++)
		b.n_batches += i == 0 || of[i] != of[i - 1];
	free(of);
	return b;
}

static void announce_batches(struct cycle *c, const struct zfs_results *r)
{
	cleanup(strs_free) struct strs seen = { 0 };

	for (size_t i = 0; i < c->full.n; i++) {
		cleanup(str_freep) char *pool = pool_of(c->full.v[i]);
		struct batches b;

		if (strs_has(&seen, pool))
			continue;
		strs_add(&seen, pool);
		b = count_batches(c, r, pool);
		if (b.n_batches > 1)
			announce(c, &b);
	}
}

static void take_together(struct ctx *ctx, struct cycle *c)
{
	cleanup(zfs_results_free) struct zfs_results results = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	struct snapper *s = c->s;
	int r = 0;

	start_all(c);
	if (c->full.n > 0)
		r = zfs_snapshot(ctx, s->o.zfs, &c->full, &results, &e);
	assert(r < 0 || results.n == c->full.n);
	if (r < 0 && !ctx_done(ctx))
		log_at(&s->o.log, LOG_ERROR,
		       LOG_FIELDS({ "snap", c->name }, { "err", err_msg(&e) }),
		       "cannot create snapshots");
	for (size_t i = 0; i < c->full.n; i++) {
		const struct err *why = r < 0 ? &e : &results.v[i];

		state_fs_done(s, c->fs[i], why->kind == ERR_NONE, why);
		if (r == 0 && why->kind != ERR_NONE)
			log_failure(c, c->fs[i]);
	}
	if (r == 0)
		announce_batches(c, &results);
}

/* ---- alone, with hooks ---- */

struct lone {
	struct snapper *s;
	struct snap_report_fs *fs;
	const char *full;
};

static int take_one(struct ctx *ctx, void *arg, struct err *err)
{
	const struct lone *l = arg;
	cleanup(strs_free) struct strs full = { 0 };
	cleanup(zfs_results_free) struct zfs_results results = { 0 };

	strs_add(&full, l->full);
	if (zfs_snapshot(ctx, l->s->o.zfs, &full, &results, err) < 0)
		return -1;
	if (results.v[0].kind == ERR_NONE)
		return 0;
	err_move(err, &results.v[0]);
	return -1;
}

static void on_progress(void *arg, const struct hook_report *r)
{
	const struct lone *l = arg;

	state_fs_hooks(l->s, l->fs, r);
}

/* What fails is logged by the hooks. */
static void take_with_hooks(struct ctx *ctx, struct cycle *c, struct snap_report_fs *fs)
{
	cleanup(str_freep) char *full = NULL;
	cleanup(err_clear) struct err e = ERR_INIT;
	struct lone l = { .s = c->s, .fs = fs };
	const struct hooks_run run = {
		.fs = fs->path,
		.snap = c->name,
		.take = take_one,
		.progress = on_progress,
		.arg = &l,
	};
	bool taken = false;

	if (!start(c, fs, &full))
		return;
	l.full = full;
	if (hooks_run(ctx, c->s->hooks, &run, &taken, &e) == 0)
		taken = true;
	state_fs_done(c->s, fs, taken, &e);
}

/* ---- the cycle ---- */

/* The first failure of how many is the cycle's error. */
static enum cycle_outcome sum_up(const struct cycle *c)
{
	const struct snapper_report *r = &c->s->report;
	const struct snap_report_fs *first = NULL;
	cleanup(str_freep) char *text = NULL;
	size_t n_failed = 0, n_taken = 0;

	for (size_t i = 0; i < r->n_fs; i++) {
		const struct snap_report_fs *fs = &r->fs[i];

		n_taken += fs->taken;
		n_failed += fs->state != SNAP_DONE;
		/* No snapshot is worse than a hook that failed. */
		if (fs->state != SNAP_DONE && (!first || (first->taken && !fs->taken)))
			first = fs;
	}
	if (n_taken > 0)
		log_at(&c->s->o.log, LOG_INFO, LOG_FIELDS({ "snap", c->name }),
		       "took %zu snapshots", n_taken);
	if (!first) {
		state_set_error(c->s, NULL);
		return CYCLE_DONE;
	}
	text = xasprintf("%s, %zu of %zu failed, first %s: %s",
			 first->taken
				 ? "all snapshots were taken, but not all hooks went "
				   "well"
				 : "one or more snapshots could not be created",
			 n_failed, r->n_fs, first->path, first->error);
	state_set_error(c->s, text);
	return CYCLE_FAILED;
}

static enum cycle_outcome take_all(struct ctx *ctx, struct snapper *s)
{
	cleanup(str_freep) char *name = snapname_at(s->o.conf->name, snapper_now(s));
	struct cycle c = { .s = s, .name = name };

	c.fs = xcalloc(s->report.n_fs, sizeof(struct snap_report_fs *));
	take_together(ctx, &c);
	for (size_t i = 0; i < s->report.n_fs && !ctx_done(ctx); i++)
		if (has_hooks(&c, &s->report.fs[i]))
			take_with_hooks(ctx, &c, &s->report.fs[i]);
	free(c.fs);
	strs_free(&c.full);
	return ctx_done(ctx) ? CYCLE_FAILED : sum_up(&c);
}

enum cycle_outcome cycle_run(struct ctx *ctx, struct snapper *s)
{
	cleanup(strs_free) struct strs all = { 0 }, wanted = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	enum cycle_outcome outcome;

	if (plan_filesystems(ctx, s, &all, &e) < 0) {
		state_failed(ctx, s, "cannot list filesystems", &e);
		return CYCLE_NOT_LISTED;
	}
	if (s->o.conf->skip_unchanged)
		plan_changed(ctx, s, &all, &wanted);
	else
		strs_copy(&wanted, &all);
	state_set_filesystems(s, &wanted);
	state_set_error(s, NULL);
	state_set(s, SNAPPER_SNAPSHOTTING, (struct timespec){ 0 });
	outcome = take_all(ctx, s);
	if (s->hooks && !ctx_done(ctx))
		hooks_warn_unmatched(s->hooks, &all);
	return outcome;
}
