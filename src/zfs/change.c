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

/* ---- results ---- */

void zfs_results_free(struct zfs_results *l)
{
	for (size_t i = 0; i < l->n; i++)
		err_clear(&l->v[i]);
	free(l->v);
	free(l->batch);
	*l = (struct zfs_results){ 0 };
}

void zfs_results_add(struct zfs_results *l, const struct err *e)
{
	struct err copy = *e;

	if (e->msg)
		copy.msg = xstrdup(e->msg);
	VEC_PUSH(l, copy);
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
		const int64_t start_us = now_in_us();

		if (zfs_run(ctx, z, &(struct zfs_cmd){ .argv = argv }, &x, err) < 0)
			return -1;
		zfs_meter_destroy(z, "bookmark", names.v[i], start_us);
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

static int bookmark_version(struct ctx *ctx, struct zfs *z, const char *fs,
			    const struct version *snap, const char *bookmark,
			    struct err *err)
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

int zfs_bookmark(struct ctx *ctx, struct zfs *z, const char *fs,
		 const struct version *snap, const char *bookmark, struct err *err)
{
	const int64_t start_us = now_in_us();
	int r = bookmark_version(ctx, z, fs, snap, bookmark, err);

	zfs_meter_one(z->meters.bookmark, METRIC_LABELS(fs), start_us);
	return r;
}
