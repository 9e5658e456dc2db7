#include "base/parse.h"
#include "base/vec.h"
#include "codec/dsname.h"
#include "zfs/cmd.h"
#include "zfs/names.h"
#include "zfs/output.h"

#include <string.h>

/*
 * Destroying snapshots (compat: zrepl 0.7, which users know from their logs).  Of a
 * batch all are destroyed or, when one is held or has clones, none:
 *
 *	destroy FS@a,b,c	says that b cannot be destroyed
 *	destroy FS@a,c		goes well
 *	destroy FS@b		fails with the reason for b
 *
 * A failure that is not understood, also of the second one, is answered by destroying
 * all of the batch one by one.
 */

/* One argument may have 128 KiB on Linux. */
enum { ARGUMENT_MAX = 100 * 1024 };

struct destroy {
	struct zfs *z;
	const char *fs;
	struct strs names; /* sorted, unique, all valid */
	struct err *of;    /* one for each */
};

static void destroy_free(struct destroy *d)
{
	for (size_t i = 0; d->of && i < d->names.n; i++)
		err_clear(&d->of[i]);
	free(d->of);
	strs_free(&d->names);
}

/* FS@a,b,c of those indexes. */
static char *argument(const struct destroy *d, const struct out_indexes *batch)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s@", d->fs);
	for (size_t i = 0; i < batch->n; i++)
		buf_printf(&b, "%s%s", i ? "," : "", d->names.v[batch->v[i]]);
	return buf_take(&b);
}

static int run_destroy(struct ctx *ctx, struct destroy *d, const char *arg,
		       struct zfs_exit *x, struct err *err)
{
	const char *argv[] = { "zfs", "destroy", arg, NULL };
	const int64_t start_us = now_in_us();
	int r = zfs_run(ctx, d->z, &(struct zfs_cmd){ .argv = argv }, x, err);

	zfs_meter_destroy(d->z, "snapshot", arg, start_us);
	return r;
}

/* "cannot destroy snapshot FULL: REASON", or with the name in quotes. */
static enum err_kind single_kind(struct view said, const char *full)
{
	static const char prefix[] = "cannot destroy snapshot ";
	size_t skip = strlen(prefix) + strlen(full) + 2;

	if (view_starts(said, prefix) && said.len >= skip &&
	    memcmp(said.p + strlen(prefix), full, strlen(full)) == 0 &&
	    memcmp(said.p + skip - 2, ": ", 2) == 0)
		return out_reason_kind((struct view){ said.p + skip, said.len - skip });
	return out_failure_kind(said);
}

static int destroy_one(struct ctx *ctx, struct destroy *d, size_t index, struct err *err)
{
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	cleanup(str_freep) char *full =
		argument(d, &(struct out_indexes){ .v = &index, .n = 1 });
	const char *argv[] = { "zfs", "destroy", full, NULL };
	struct view said;

	if (run_destroy(ctx, d, full, &x, err) < 0)
		return -1;
	said = buf_view(&x.text);
	if (x.status != 0 && !out_is_gone(said, full))
		zfs_exit_err_as(argv, &x, single_kind(said, full), &d->of[index]);
	return 0;
}

static int destroy_each(struct ctx *ctx, struct destroy *d,
			const struct out_indexes *batch, struct err *err)
{
	for (size_t i = 0; i < batch->n; i++)
		if (destroy_one(ctx, d, batch->v[i], err) < 0)
			return -1;
	return 0;
}

/* Returns 1: all are gone; 0: see x; -1. */
static int destroy_together(struct ctx *ctx, struct destroy *d,
			    const struct out_indexes *batch, struct zfs_exit *x,
			    struct err *err)
{
	cleanup(str_freep) char *arg = argument(d, batch);

	if (run_destroy(ctx, d, arg, x, err) < 0)
		return -1;
	return x->status == 0 || out_is_gone(buf_view(&x->text), arg);
}

static void indexes_free(struct out_indexes *l)
{
	free(l->v);
}

/* All of the batch but those that are stuck; both in rising order. */
static void without(const struct out_indexes *batch, const struct out_indexes *stuck,
		    struct out_indexes *rest)
{
	size_t k = 0;

	for (size_t i = 0; i < batch->n; i++) {
		while (k < stuck->n && stuck->v[k] < batch->v[i])
			k++;
		if (k == stuck->n || stuck->v[k] != batch->v[i])
			VEC_PUSH(rest, batch->v[i]);
	}
}

static int destroy_batch(struct ctx *ctx, struct destroy *d,
			 const struct out_indexes *batch, struct err *err)
{
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 }, again = { 0 };
	cleanup(indexes_free) struct out_indexes stuck = { 0 }, rest = { 0 };
	int r = 0;

	if (batch->n == 1)
		return destroy_one(ctx, d, batch->v[0], err);
	r = destroy_together(ctx, d, batch, &x, err);
	if (r != 0)
		return r < 0 ? -1 : 0;
	if (!out_undestroyable(buf_view(&x.text), d->fs, &d->names, &stuck))
		return destroy_each(ctx, d, batch, err);
	without(batch, &stuck, &rest);
	if (rest.n > 0) {
		r = destroy_together(ctx, d, &rest, &again, err);
		if (r < 0)
			return -1;
		if (r == 0)
			return destroy_each(ctx, d, batch, err);
	}
	return destroy_each(ctx, d, &stuck, err);
}

static int destroy_all(struct ctx *ctx, struct destroy *d, struct err *err)
{
	int64_t max = d->z->env->destroy_max_batch;
	size_t i = 0;

	while (i < d->names.n) {
		cleanup(indexes_free) struct out_indexes batch = { 0 };
		size_t bytes = strlen(d->fs) + 1;

		while (i < d->names.n) {
			bytes += strlen(d->names.v[i]) + 1;
			if (batch.n > 0 &&
			    (bytes > ARGUMENT_MAX || (max > 0 && batch.n >= (size_t)max)))
				break;
			VEC_PUSH(&batch, i++);
		}
		if (destroy_batch(ctx, d, &batch, err) < 0)
			return -1;
	}
	return 0;
}

static int check_name(const char *fs, const char *name, struct err *err)
{
	cleanup(str_freep) char *full = NULL;

	if (dsname_check_component(name, err) < 0)
		return -1;
	full = version_fullname(&(struct version){ .name = (char *)name }, fs);
	return zfs_check_version(full, '@', err);
}

static void add_result(struct zfs_results *out, const struct destroy *d, const char *name)
{
	size_t k = zfs_names_find(&d->names, view_of(name));
	cleanup(err_clear) struct err e = ERR_INIT;

	if (k == d->names.n)
		check_name(d->fs, name, &e);
	zfs_results_add(out, k == d->names.n ? &e : &d->of[k]);
}

int zfs_destroy_snapshots(struct ctx *ctx, struct zfs *z, const char *fs,
			  const struct strs *names, struct zfs_results *out,
			  struct err *err)
{
	cleanup(destroy_free) struct destroy d = { .z = z, .fs = fs };

	if (zfs_check_dataset(fs, err) < 0)
		return err_wrap(err, "destroy snapshots");
	for (size_t i = 0; i < names->n; i++) {
		cleanup(err_clear) struct err shown_below = ERR_INIT;

		if (check_name(fs, names->v[i], &shown_below) == 0)
			strs_add(&d.names, names->v[i]);
	}
	zfs_sort_unique(&d.names);
	d.of = xcalloc(d.names.n + 1, sizeof(*d.of));
	if (destroy_all(ctx, &d, err) < 0)
		return err_wrap(err, "destroy snapshots of %s", fs);
	*out = (struct zfs_results){ 0 };
	for (size_t i = 0; i < names->n; i++)
		add_result(out, &d, names->v[i]);
	return 0;
}
