#include "base/parse.h"
#include "base/vec.h"
#include "codec/dsname.h"
#include "zfs/cmd.h"
#include "zfs/names.h"
#include "zfs/output.h"

#include <string.h>

/*
 * zfs hold and zfs release take many snapshots and treat them one by one: those that
 * cannot be held get a line each, and the exit status is 1 (zfs-hold(8)).
 */

/* A line about a snapshot of ours, where nothing is left to do. */
typedef bool harmless_fn(struct view line, const struct strs *snaps);

static bool is_held_already(struct view line, const struct strs *snaps)
{
	struct view name, reason;

	return out_cannot(line, "hold snapshot", &name, &reason) &&
	       view_starts(reason, "tag already exists on this dataset") &&
	       zfs_names_find(snaps, name) < snaps->n;
}

static bool is_dataset_of(struct view fs, const struct strs *snaps)
{
	for (size_t i = 0; i < snaps->n; i++)
		if (strncmp(snaps->v[i], fs.p, fs.len) == 0 && snaps->v[i][fs.len] == '@')
			return true;
	return false;
}

static bool is_not_held(struct view line, const struct strs *snaps)
{
	struct view name, reason;

	if (out_is_missing(line, &name))
		return zfs_names_find(snaps, name) < snaps->n ||
		       is_dataset_of(name, snaps);
	return out_cannot(line, "release hold from snapshot", &name, &reason) &&
	       (view_starts(reason, "no such tag on this dataset") ||
		view_starts(reason, "dataset does not exist")) &&
	       zfs_names_find(snaps, name) < snaps->n;
}

static int judge(const char *const *argv, const struct zfs_exit *x,
		 harmless_fn *is_harmless, const struct strs *snaps, struct err *err)
{
	struct view said = buf_view(&x->text);
	bool said_something = false;

	if (x->status == 0)
		return 0;
	while (said.p && said.len > 0) {
		struct view line = parse_field(&said, '\n'), name, reason;
		enum err_kind kind = ERR_CHILD;

		if (line.len == 0)
			continue;
		said_something = true;
		if (is_harmless(line, snaps))
			continue;
		if (out_is_missing(line, &name))
			kind = ERR_NOT_FOUND;
		else if (out_cannot(line, "hold snapshot", &name, &reason) ||
			 out_cannot(line, "release hold from snapshot", &name, &reason))
			kind = out_reason_kind(reason);
		return zfs_exit_err_as(argv, x, kind, err);
	}
	return said_something ? 0 : zfs_exit_err(argv, x, err);
}

static int check_tag(const struct zfs *z, const char *tag, struct err *err)
{
	size_t len = strlen(tag);

	if (len == 0 || tag[0] == '-')
		return err_set(err, ERR_INVALID, "hold tag \"%s\" is not valid", tag);
	if (len > ZFS_MAX_HOLD_TAG || (int64_t)len > z->env->max_hold_tag_len)
		return err_set(err, ERR_INVALID, "hold tag \"%s\" is too long", tag);
	return 0;
}

/* verb: "hold" or "release". */
static int for_all(struct ctx *ctx, struct zfs *z, const char *const verb_and_tag[2],
		   const struct strs *snaps, harmless_fn *is_harmless, struct err *err)
{
	cleanup(strs_free) struct strs names = { 0 };

	if (check_tag(z, verb_and_tag[1], err) < 0 ||
	    zfs_check_versions(snaps, '@', &names, err) < 0)
		return err_wrap(err, "%s", verb_and_tag[0]);
	for (size_t from = 0, to; from < names.n; from = to) {
		cleanup(strs_free) struct strs argv = { 0 };
		cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
		struct zfs_cmd cmd = { 0 };

		to = zfs_batch_end(&names, from);
		strs_add(&argv, "zfs");
		strs_add(&argv, verb_and_tag[0]);
		strs_add(&argv, verb_and_tag[1]);
		for (size_t i = from; i < to; i++)
			strs_add(&argv, names.v[i]);
		cmd.argv = strs_argv(&argv);
		if (zfs_run(ctx, z, &cmd, &x, err) < 0 ||
		    judge(cmd.argv, &x, is_harmless, &names, err) < 0)
			return -1;
	}
	return 0;
}

int zfs_hold(struct ctx *ctx, struct zfs *z, const char *tag, const struct strs *snaps,
	     struct err *err)
{
	const char *const verb_and_tag[] = { "hold", tag };

	return for_all(ctx, z, verb_and_tag, snaps, is_held_already, err);
}

int zfs_release(struct ctx *ctx, struct zfs *z, const char *tag, const struct strs *snaps,
		struct err *err)
{
	const char *const verb_and_tag[] = { "release", tag };

	return for_all(ctx, z, verb_and_tag, snaps, is_not_held, err);
}

/* ---- list ---- */

struct hold_query {
	const struct strs *names; /* sorted */
	struct zfs_holds list;
};

static int take_hold_line(void *arg, struct view line, struct err *err)
{
	struct hold_query *q = arg;
	struct view snapshot, tag;

	if (out_hold(line, &snapshot, &tag, err) < 0)
		return -1;
	if (zfs_names_find(q->names, snapshot) < q->names->n)
		VEC_PUSH(&q->list, ((struct zfs_hold){
					   .snapshot = view_dup(snapshot),
					   .tag = view_dup(tag),
				   }));
	return 0;
}

static int list_batch(struct ctx *ctx, struct zfs *z, struct hold_query *q, size_t from,
		      size_t to, struct err *err)
{
	cleanup(strs_free) struct strs argv = { 0 };
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	struct zfs_cmd cmd = { .line = take_hold_line, .arg = q };

	strs_add(&argv, "zfs");
	strs_add(&argv, "holds");
	strs_add(&argv, "-H");
	for (size_t i = from; i < to; i++)
		strs_add(&argv, q->names->v[i]);
	cmd.argv = strs_argv(&argv);
	if (zfs_run(ctx, z, &cmd, &x, err) < 0)
		return -1;
	return judge(cmd.argv, &x, is_not_held, q->names, err);
}

int zfs_list_holds(struct ctx *ctx, struct zfs *z, const struct strs *snaps,
		   struct zfs_holds *out, struct err *err)
{
	cleanup(strs_free) struct strs names = { 0 };
	struct hold_query q = { .names = &names };

	if (zfs_check_versions(snaps, '@', &names, err) < 0)
		return err_wrap(err, "list holds");
	for (size_t from = 0, to; from < names.n; from = to) {
		to = zfs_batch_end(&names, from);
		if (list_batch(ctx, z, &q, from, to, err) < 0) {
			zfs_holds_free(&q.list);
			return err_wrap(err, "list holds");
		}
	}
	*out = q.list;
	return 0;
}

void zfs_holds_free(struct zfs_holds *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].snapshot);
		free(l->v[i].tag);
	}
	free(l->v);
	*l = (struct zfs_holds){ 0 };
}
