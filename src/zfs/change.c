#include "base/parse.h"
#include "base/vec.h"
#include "zfs/cmd.h"
#include "zfs/names.h"
#include "zfs/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- filesystems ---- */

int zfs_create_placeholder(struct ctx *ctx, struct zfs *z, const char *fs,
			   bool encryption_off, struct err *err)
{
	const char *argv[10] = { "zfs", "create",         "-o", "zrepl:placeholder=on",
				 "-o",  "mountpoint=none" };
	size_t n = 6;

	if (zfs_check_dataset(fs, err) < 0)
		return -1;
	if (encryption_off) {
		argv[n++] = "-o";
		argv[n++] = "encryption=off";
	}
	argv[n] = fs;
	return zfs_run_simple(ctx, z, argv, err);
}

int zfs_set_placeholder(struct ctx *ctx, struct zfs *z, const char *fs, bool on,
			struct err *err)
{
	const char *value = on ? "zrepl:placeholder=on" : "zrepl:placeholder=off";
	const char *argv[] = { "zfs", "set", value, fs, NULL };

	if (zfs_check_dataset(fs, err) < 0)
		return -1;
	return zfs_run_simple(ctx, z, argv, err);
}

int zfs_rollback(struct ctx *ctx, struct zfs *z, const char *fs, const char *snap,
		 struct err *err)
{
	cleanup(str_freep) char *full = NULL;
	const char *argv[] = { "zfs", "rollback", "-r", NULL, NULL };

	if (asprintf(&full, "%s@%s", fs, snap) < 0)
		abort();
	if (zfs_check_version(full, '@', err) < 0)
		return -1;
	argv[3] = full;
	return zfs_run_simple(ctx, z, argv, err);
}

/* ---- snapshots ---- */

void zfs_results_free(struct zfs_results *l)
{
	for (size_t i = 0; i < l->n; i++)
		err_clear(&l->v[i]);
	free(l->v);
	*l = (struct zfs_results){ 0 };
}

void zfs_results_add(struct zfs_results *l, const struct err *e)
{
	struct err copy = *e;

	if (e->msg)
		copy.msg = xstrdup(e->msg);
	VEC_PUSH(l, copy);
}

static size_t pool_len(const char *name)
{
	return strcspn(name, "/@");
}

static bool is_same_pool(const char *a, const char *b)
{
	return pool_len(a) == pool_len(b) && memcmp(a, b, pool_len(a)) == 0;
}

/* All in one transaction.  0: done, or *why says why not. */
static int snapshot_batch(struct ctx *ctx, struct zfs *z, struct strs batch,
			  struct err *why, struct err *err)
{
	cleanup(strs_free) struct strs argv = { 0 };
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	struct zfs_cmd cmd = { 0 };

	strs_add(&argv, "zfs");
	strs_add(&argv, "snapshot");
	strs_copy(&argv, &batch);
	cmd.argv = strs_argv(&argv);
	if (zfs_run(ctx, z, &cmd, &x, err) < 0)
		return -1;
	if (x.status != 0)
		zfs_exit_err(cmd.argv, &x, why);
	return 0;
}

/* of[i]: the outcome of sorted->v[i].  Returns how many there were, or -1. */
static int snapshot_pool(struct ctx *ctx, struct zfs *z, const struct strs *sorted,
			 size_t from, struct err *of, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	size_t to = zfs_batch_end(sorted, from);

	for (size_t i = from; i < to; i++)
		if (!is_same_pool(sorted->v[i], sorted->v[from]))
			to = i;
	if (snapshot_batch(ctx, z, zfs_slice(sorted, from, to), &why, err) < 0)
		return -1;
	if (err_is(&why, ERR_NONE))
		return (int)(to - from);
	if (to - from == 1) {
		err_move(&of[from], &why);
		return 1;
	}
	for (size_t i = from; i < to; i++)
		if (snapshot_batch(ctx, z, zfs_slice(sorted, i, i + 1), &of[i], err) < 0)
			return -1;
	return (int)(to - from);
}

int zfs_snapshot(struct ctx *ctx, struct zfs *z, const struct strs *full,
		 struct zfs_results *out, struct err *err)
{
	cleanup(strs_free) struct strs sorted = { 0 };
	struct err *of;
	int n = 0;

	if (zfs_check_versions(full, '@', &sorted, err) < 0)
		return err_wrap(err, "snapshot");
	of = xcalloc(sorted.n + 1, sizeof(*of));
	for (size_t from = 0; from < sorted.n; from += (size_t)n)
		if ((n = snapshot_pool(ctx, z, &sorted, from, of, err)) < 0)
			break;
	if (n >= 0) {
		*out = (struct zfs_results){ 0 };
		for (size_t i = 0; i < full->n; i++)
			zfs_results_add(
				out, &of[zfs_names_find(&sorted, view_of(full->v[i]))]);
	}
	for (size_t i = 0; i < sorted.n; i++)
		err_clear(&of[i]);
	free(of);
	return n < 0 ? -1 : 0;
}

/* ---- bookmarks ---- */

int zfs_destroy_bookmarks(struct ctx *ctx, struct zfs *z, const struct strs *full,
			  struct err *err)
{
	cleanup(strs_free) struct strs names = { 0 };
	cleanup(err_clear) struct err first = ERR_INIT;

	if (zfs_check_versions(full, '#', &names, err) < 0)
		return err_wrap(err, "destroy");
	for (size_t i = 0; i < names.n; i++) {
		cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
		const char *argv[] = { "zfs", "destroy", names.v[i], NULL };

		if (zfs_run(ctx, z, &(struct zfs_cmd){ .argv = argv }, &x, err) < 0)
			return -1;
		if (x.status != 0 && !out_is_gone(buf_view(&x.text), names.v[i]) &&
		    err_is(&first, ERR_NONE))
			zfs_exit_err(argv, &x, &first);
	}
	if (err_is(&first, ERR_NONE))
		return 0;
	err_move(err, &first);
	return -1;
}

struct guid_query {
	const char *name;
	bool is_known;
	uint64_t guid;
};

static int take_guid_line(void *arg, struct view line, struct err *err)
{
	struct guid_query *q = arg;
	struct view value;

	if (out_property(line, q->name, "guid", &value, err) < 0)
		return -1;
	q->is_known = true;
	return parse_u64(value, &q->guid, err);
}

/* Is the bookmark that exists the one that was wanted? */
static int check_bookmark(struct ctx *ctx, struct zfs *z, const char *name, uint64_t guid,
			  struct err *err)
{
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	const char *argv[] = { "zfs",  "get", "-Hp", "-o", "name,property,value,source",
			       "guid", name,  NULL };
	struct guid_query q = { .name = name };
	struct zfs_cmd cmd = { .argv = argv, .line = take_guid_line, .arg = &q };

	if (zfs_run(ctx, z, &cmd, &x, err) < 0)
		return -1;
	if (x.status != 0)
		return zfs_exit_err(argv, &x, err);
	if (!q.is_known)
		return err_set(err, ERR_PROTOCOL, "zfs get printed no guid of %s", name);
	if (q.guid != guid)
		return err_set(err, ERR_EXISTS,
			       "bookmark %s exists, but has the guid %" PRIu64
			       " and not %" PRIu64,
			       name, q.guid, guid);
	return 0;
}

int zfs_bookmark(struct ctx *ctx, struct zfs *z, const char *fs,
		 const struct version *snap, const char *bookmark, struct err *err)
{
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	cleanup(str_freep) char *from = version_fullname(snap, fs);
	cleanup(str_freep) char *to = NULL;
	const char *argv[] = { "zfs", "bookmark", from, NULL, NULL };

	if (asprintf(&to, "%s#%s", fs, bookmark) < 0)
		abort();
	argv[3] = to;
	if (zfs_check_version(from, '@', err) < 0 || zfs_check_version(to, '#', err) < 0)
		return err_wrap(err, "bookmark");
	if (zfs_run(ctx, z, &(struct zfs_cmd){ .argv = argv }, &x, err) < 0)
		return -1;
	if (x.status == 0)
		return 0;
	if (out_failure_kind(buf_view(&x.text)) == ERR_EXISTS)
		return check_bookmark(ctx, z, to, snap->guid, err);
	return zfs_exit_err(argv, &x, err);
}
