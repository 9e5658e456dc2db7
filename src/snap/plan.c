#include "snap/plan.h"

#include "zfs/meter.h"

#include <string.h>

int plan_filesystems(struct ctx *ctx, struct snapper *s, struct strs *out,
		     struct err *err)
{
	cleanup(strs_free) struct strs subtrees = { 0 };
	cleanup(strs_free) struct strs exact = { 0 };
	cleanup(zfs_datasets_free) struct zfs_datasets all = { 0 };

	dsfilter_roots(s->o.filter, &subtrees, &exact);
	if (zfs_list_datasets(ctx, s->o.zfs, &subtrees, &exact, &all, err) < 0)
		return -1;
	zfs_meter_unmatched(s->o.zfs, s->o.filter, &all);
	for (size_t i = 0; i < all.n; i++)
		if (dsfilter_accepts(s->o.filter, all.v[i].name))
			strs_add(out, all.v[i].name);
	strs_sort(out);
	return 0;
}

bool plan_is_ours(const struct snapper *s, const struct version *v)
{
	const char *prefix = s->o.conf->prefix;

	return v->type == VERSION_SNAPSHOT &&
	       strncmp(v->name, prefix, strlen(prefix)) == 0;
}

/* Those that nothing was written to since the latest snapshot, if there is one. */
static int list_idle(struct ctx *ctx, struct snapper *s, const struct strs *all,
		     struct strs *out, struct err *err)
{
	struct zfs_written *written = xcalloc(all->n + 1, sizeof(*written));
	int r = zfs_list_written(ctx, s->o.zfs, all, written, err);

	for (size_t i = 0; r == 0 && i < all->n; i++)
		if (written[i].exists && written[i].bytes == 0)
			strs_add(out, all->v[i]);
	free(written);
	return r;
}

static bool is_latest_ours(const struct snapper *s, const struct zfs_version_list *l)
{
	return l->versions.n > 0 && plan_is_ours(s, &l->versions.v[l->versions.n - 1]);
}

static int list_unchanged(struct ctx *ctx, struct snapper *s, const struct strs *all,
			  struct strs *out, struct err *err)
{
	cleanup(strs_free) struct strs idle = { 0 };
	cleanup(zfs_version_lists_free) struct zfs_version_lists lists = { 0 };

	if (list_idle(ctx, s, all, &idle, err) < 0)
		return -1;
	if (idle.n > 0 &&
	    zfs_list_versions(ctx, s->o.zfs, &idle, ZFS_SNAPSHOTS, &lists, err) < 0)
		return -1;
	for (size_t i = 0; i < lists.n; i++)
		if (is_latest_ours(s, &lists.v[i]))
			strs_add(out, lists.v[i].fs);
	return 0;
}

void plan_changed(struct ctx *ctx, struct snapper *s, const struct strs *all,
		  struct strs *out)
{
	cleanup(strs_free) struct strs unchanged = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	size_t k = 0;

	if (list_unchanged(ctx, s, all, &unchanged, &e) < 0 && !ctx_done(ctx))
		log_at(&s->o.log, LOG_WARN, LOG_FIELDS({ "err", err_msg(&e) }),
		       "cannot tell what has changed: takes snapshots of everything");
	/* Both are sorted. */
	for (size_t i = 0; i < all->n; i++) {
		if (k == unchanged.n || strcmp(unchanged.v[k], all->v[i]) != 0) {
			strs_add(out, all->v[i]);
			continue;
		}
		k++;
		log_at(&s->o.log, LOG_DEBUG, LOG_FIELDS({ "fs", all->v[i] }),
		       "nothing was written since the latest snapshot");
	}
	if (k > 0)
		log_info(&s->o.log,
			 "skips %zu of %zu filesystems: nothing was written since their "
			 "latest snapshots",
			 k, all->n);
}
