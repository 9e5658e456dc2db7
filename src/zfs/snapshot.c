#include "base/parse.h"
#include "base/vec.h"
#include "zfs/cmd.h"
#include "zfs/names.h"
#include "zfs/output.h"

#include <string.h>

/*
 * zfs snapshot takes those of one pool in one transaction, or none of them if one cannot
 * be taken.  It says which: all that exist already, or the first one whose filesystem is
 * missing.  So:
 *
 *	snapshot a@x b@x c@x	cannot create b@x
 *	snapshot a@x c@x	goes well
 *	snapshot b@x		fails with the reason for b
 */
enum { MAX_TRIES = 4 }; /* to take the rest together; then one by one */

struct taking {
	struct zfs *z;
	struct strs names; /* sorted, unique, all valid */
	struct err *of;    /* one for each */
	size_t *batch;     /* one for each */
	size_t n_batches;  /* tried so far */
};

static void taking_free(struct taking *t)
{
	for (size_t i = 0; t->of && i < t->names.n; i++)
		err_clear(&t->of[i]);
	free(t->of);
	free(t->batch);
	strs_free(&t->names);
}

static void indexes_free(struct out_indexes *l)
{
	free(l->v);
}

/* What zfs says went wrong is in *said and *why, whose kind says whether anything did. */
static int take_together(struct ctx *ctx, struct taking *t, const struct out_indexes *l,
			 struct buf *said, struct err *why, struct err *err)
{
	cleanup(strs_free) struct strs argv = { 0 };
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	const int64_t start_us = now_in_us();
	struct zfs_cmd cmd = { 0 };

	strs_add(&argv, "zfs");
	strs_add(&argv, "snapshot");
	for (size_t i = 0; i < l->n; i++) {
		strs_add(&argv, t->names.v[l->v[i]]);
		t->batch[l->v[i]] = t->n_batches;
	}
	t->n_batches++;
	cmd.argv = strs_argv(&argv);
	if (zfs_run(ctx, t->z, &cmd, &x, err) < 0)
		return -1;
	if (x.status == 0) {
		struct strs taken = { .v = argv.v + 2, .n = argv.n - 2 };

		zfs_meter_set(t->z->meters.snapshot, &taken, start_us);
	} else {
		zfs_exit_err(cmd.argv, &x, why);
		buf_free(said);
		*said = x.text;
		x.text = (struct buf){ 0 };
	}
	return 0;
}

static int take_singly(struct ctx *ctx, struct taking *t, const struct out_indexes *l,
		       struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		cleanup(buf_free) struct buf said = { 0 };
		struct out_indexes one = { .v = &l->v[i], .n = 1 };

		if (take_together(ctx, t, &one, &said, &t->of[l->v[i]], err) < 0)
			return -1;
	}
	return 0;
}

/* Is the line about that snapshot, or its filesystem? */
static bool is_about(struct view line, const char *full)
{
	struct view name, reason;

	if (out_cannot(line, "create snapshot", &name, &reason))
		return view_eq(name, view_of(full));
	return out_is_missing(line, &name) && name.len == strcspn(full, "@") &&
	       memcmp(name.p, full, name.len) == 0;
}

static bool is_refused(struct view said, const char *full)
{
	while (said.p && said.len > 0)
		if (is_about(parse_field(&said, '\n'), full))
			return true;
	return false;
}

/* Moves those that zfs complains about.  False: there are none, or no others. */
static bool move_refused(const struct taking *t, struct view said,
			 struct out_indexes *from, struct out_indexes *to)
{
	size_t n = 0, before = to->n;

	for (size_t i = 0; i < from->n; i++) {
		if (is_refused(said, t->names.v[from->v[i]]))
			VEC_PUSH(to, from->v[i]);
		else
			from->v[n++] = from->v[i];
	}
	from->n = n;
	return to->n > before && n > 0;
}

static int take_batch(struct ctx *ctx, struct taking *t, struct out_indexes *l,
		      struct err *err)
{
	cleanup(indexes_free) struct out_indexes refused = { 0 };

	for (int try = 0; try < MAX_TRIES && l->n > 1; try++) {
		cleanup(err_clear) struct err why = ERR_INIT;
		cleanup(buf_free) struct buf said = { 0 };

		if (take_together(ctx, t, l, &said, &why, err) < 0)
			return -1;
		if (err_is(&why, ERR_NONE))
			return take_singly(ctx, t, &refused, err);
		if (!move_refused(t, buf_view(&said), l, &refused))
			break;
	}
	if (take_singly(ctx, t, l, err) < 0)
		return -1;
	return take_singly(ctx, t, &refused, err);
}

static size_t pool_len(const char *name)
{
	return strcspn(name, "/@");
}

static bool is_same_pool(const char *a, const char *b)
{
	return pool_len(a) == pool_len(b) && memcmp(a, b, pool_len(a)) == 0;
}

/* Names are not sorted by pool: p/a@x, p1@x, p@x. */
static int take_pool(struct ctx *ctx, struct taking *t, size_t first, bool *is_done,
		     struct err *err)
{
	cleanup(indexes_free) struct out_indexes all = { 0 };
	cleanup(strs_free) struct strs names = { 0 };
	int r = 0;

	for (size_t i = first; i < t->names.n; i++) {
		if (!is_same_pool(t->names.v[i], t->names.v[first]))
			continue;
		is_done[i] = true;
		strs_add(&names, t->names.v[i]);
		VEC_PUSH(&all, i);
	}
	for (size_t from = 0, to; from < all.n && r == 0; from = to) {
		struct out_indexes batch;

		to = zfs_batch_end(&names, from);
		batch = (struct out_indexes){ .v = all.v + from, .n = to - from };
		r = take_batch(ctx, t, &batch, err);
	}
	return r;
}

static void hand_out(const struct taking *t, const struct strs *full,
		     struct zfs_results *out)
{
	*out = (struct zfs_results){ .batch = xcalloc(full->n + 1, sizeof(size_t)) };
	for (size_t i = 0; i < full->n; i++) {
		size_t k = zfs_names_find(&t->names, view_of(full->v[i]));

		zfs_results_add(out, &t->of[k]);
		out->batch[i] = t->batch[k];
	}
}

int zfs_snapshot(struct ctx *ctx, struct zfs *z, const struct strs *full,
		 struct zfs_results *out, struct err *err)
{
	cleanup(taking_free) struct taking t = { .z = z };
	bool *is_done;
	int r = 0;

	if (zfs_check_versions(full, '@', &t.names, err) < 0)
		return err_wrap(err, "snapshot");
	t.of = xcalloc(t.names.n + 1, sizeof(*t.of));
	t.batch = xcalloc(t.names.n + 1, sizeof(*t.batch));
	is_done = xcalloc(t.names.n + 1, sizeof(*is_done));
	for (size_t i = 0; i < t.names.n && r == 0; i++)
		if (!is_done[i])
			r = take_pool(ctx, &t, i, is_done, err);
	free(is_done);
	if (r == 0)
		hand_out(&t, full, out);
	return r;
}
