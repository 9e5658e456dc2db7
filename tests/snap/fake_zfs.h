/*
 * fake_zfs.h - a zfs that is a table.  What this file defines of zfs.h takes the place of
 * the real functions when a test that includes it is linked with the library.
 */
#ifndef TEST_FAKE_ZFS_H
#define TEST_FAKE_ZFS_H

#include "base/parse.h"
#include "base/vec.h"
#include "tap.h"
#include "zfs/meter.h"
#include "zfs/zfs.h"

enum { NOON = 1591012800 };

struct fake_fs {
	const char *name;
	const char *snaps; /* "z_a=-300 man=-10": seconds after noon, by createtxg */
	bool is_gone;      /* between two listings */
	bool is_idle;      /* nothing is written */
};

struct zfs {
	const struct fake_fs *fs;
	size_t n;
	int fail_lists;         /* how many more listings of datasets fail */
	int fail_snapshots;     /* how many more calls fail as a whole */
	const char *unsnapable; /* the dataset whose snapshots fail ... */
	int fail_unsnapable;    /* ... so many times */
	bool cancel_in_snapshot;
	size_t batch_max;               /* snapshots in one transaction; 0: no limit */
	int fail_written;               /* how many more such listings fail */
	unsigned n_written, n_versions; /* listings */
	struct strs roots;              /* of the last listing */
	/* called first */
	void (*on_list)(void *arg);
	void (*on_snapshot)(void *arg, const struct strs *full);
	void *arg;
};

int zfs_list_datasets(struct ctx *ctx, struct zfs *z, const struct strs *subtrees,
		      const struct strs *exact, struct zfs_datasets *out, struct err *err)
{
	(void)ctx;
	strs_free(&z->roots);
	strs_copy(&z->roots, subtrees);
	strs_copy(&z->roots, exact);
	z->on_list(z->arg);
	if (z->fail_lists-- > 0)
		return err_set(err, ERR_CHILD, "no pools");
	for (size_t i = 0; i < z->n; i++)
		VEC_PUSH(out, ((struct zfs_dataset){ .name = xstrdup(z->fs[i].name) }));
	return 0;
}

void zfs_datasets_free(struct zfs_datasets *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v);
}

static const struct fake_fs *find(const struct zfs *z, const char *name)
{
	for (size_t i = 0; i < z->n; i++)
		if (strcmp(z->fs[i].name, name) == 0)
			return &z->fs[i];
	abort();
}

static void add_snapshots(struct versions *to, const char *spec)
{
	struct view rest = view_of(spec);
	struct err e = ERR_INIT;

	while (rest.len) {
		struct view one = parse_field(&rest, ' ');
		struct version v = { .type = VERSION_SNAPSHOT, .createtxg = to->n + 1 };

		v.name = view_dup(parse_field(&one, '='));
		CHECK_INT(parse_i64(one, &v.creation_s, &e), 0);
		v.creation_s += NOON;
		VEC_PUSH(to, v);
	}
}

void zfs_meter_unmatched(const struct zfs *z, const struct dsfilter *filter,
			 const struct zfs_datasets *found)
{
	(void)z;
	(void)filter;
	(void)found;
}

int zfs_list_versions(struct ctx *ctx, struct zfs *z, const struct strs *fs,
		      unsigned kinds, struct zfs_version_lists *out, struct err *err)
{
	(void)ctx;
	(void)err;
	CHECK_INT(kinds, ZFS_SNAPSHOTS);
	z->n_versions++;
	for (size_t i = 0; i < fs->n; i++) {
		const struct fake_fs *f = find(z, fs->v[i]);
		struct zfs_version_list l = { .fs = xstrdup(f->name),
					      .exists = !f->is_gone };

		if (f->snaps && !f->is_gone)
			add_snapshots(&l.versions, f->snaps);
		VEC_PUSH(out, l);
	}
	return 0;
}

void zfs_version_lists_free(struct zfs_version_lists *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].fs);
		for (size_t k = 0; k < l->v[i].versions.n; k++)
			free(l->v[i].versions.v[k].name);
		free(l->v[i].versions.v);
	}
	free(l->v);
}

int zfs_list_written(struct ctx *ctx, struct zfs *z, const struct strs *fs,
		     struct zfs_written *out, struct err *err)
{
	(void)ctx;
	z->n_written++;
	if (z->fail_written-- > 0)
		return err_set(err, ERR_CHILD, "no such property");
	for (size_t i = 0; i < fs->n; i++) {
		const struct fake_fs *f = find(z, fs->v[i]);

		out[i].exists = !f->is_gone;
		out[i].bytes = f->is_idle ? 0 : 24576;
	}
	return 0;
}

static void snapshot_one(struct zfs *z, const char *full, struct zfs_results *out)
{
	struct err e = ERR_INIT;

	if (z->unsnapable && z->fail_unsnapable > 0 &&
	    strncmp(full, z->unsnapable, strlen(z->unsnapable)) == 0) {
		z->fail_unsnapable--;
		err_set(&e, ERR_EXISTS, "dataset already exists");
	}
	VEC_PUSH(out, e);
}

int zfs_snapshot(struct ctx *ctx, struct zfs *z, const struct strs *full,
		 struct zfs_results *out, struct err *err)
{
	z->on_snapshot(z->arg, full);
	if (z->cancel_in_snapshot) {
		ctx_cancel(ctx);
		return err_set(err, ERR_CANCELLED, "cancelled");
	}
	if (z->fail_snapshots-- > 0)
		return err_set(err, ERR_SYSTEM, "cannot run zfs");
	out->batch = xcalloc(full->n, sizeof(*out->batch));
	for (size_t i = 0; i < full->n; i++) {
		snapshot_one(z, full->v[i], out);
		out->batch[i] = z->batch_max ? i / z->batch_max : 0;
	}
	return 0;
}

void zfs_results_free(struct zfs_results *l)
{
	for (size_t i = 0; i < l->n; i++)
		err_clear(&l->v[i]);
	free(l->v);
	free(l->batch);
}

#endif
