#include "prune/plan.h"

#include "base/vec.h"
#include "endpoint/path_index.h"
#include "prune/report.h"
#include "prune/rules.h"

#include <assert.h>
#include <string.h>

/* ---- which filesystems ---- */

static int by_path(const void *pa, const void *pb)
{
	const struct prune_plan_fs *a = pa;
	const struct prune_plan_fs *b = pb;

	return strcmp(a->report.path, b->report.path);
}

/* sender: NULL if it is the target. */
static void select_filesystems(const struct ep_filesystems *target,
			       const struct ep_filesystems *sender,
			       struct prune_plan *out)
{
	cleanup(path_index_free) struct path_index known = { 0 };
	size_t number;

	for (size_t i = 0; sender && i < sender->n; i++)
		path_index_add(&known, sender->v[i].path);
	path_index_sort(&known);
	for (size_t i = 0; i < target->n; i++) {
		const char *path = target->v[i].path;
		struct prune_plan_fs fs = { .report.path = xstrdup(path) };

		if (target->v[i].is_placeholder)
			fs.report.skip = PRUNE_SKIP_PLACEHOLDER;
		else if (sender && !path_index_find(&known, view_of(path), &number))
			fs.report.skip = PRUNE_SKIP_NO_CORRESPONDENCE;
		VEC_PUSH(out, fs);
	}
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), by_path);
}

static int plan_filesystems(struct ctx *ctx, const struct pruner_opts *o,
			    struct prune_plan *out, struct err *err)
{
	cleanup(ep_filesystems_free) struct ep_filesystems sender = { 0 };
	cleanup(ep_filesystems_free) struct ep_filesystems target = { 0 };

	if (ep_list_filesystems(ctx, o->sender, &sender, err) < 0)
		return -1;
	if (o->target == o->sender) {
		select_filesystems(&sender, NULL, out);
		return 0;
	}
	if (ep_list_filesystems(ctx, o->target, &target, err) < 0)
		return -1;
	select_filesystems(&target, &sender, out);
	return 0;
}

/* ---- which snapshots ---- */

static bool cursor_counts_as_replicated(const struct pruner_opts *o)
{
	if (o->side != PRUNE_SENDER)
		return false;
	for (size_t i = 0; i < o->rules->n; i++)
		if (o->rules->v[i].type == KEEP_NOT_REPLICATED &&
		    !o->rules->v[i].keep_snapshot_at_cursor)
			return true;
	return false;
}

/* 1: *guid; 0: there is none, and that is fine; -1: pruning would be blind. */
static int cursor_guid(const struct pruner_opts *o, const struct versions *versions,
		       struct ep_cursor *c, uint64_t *guid, struct err *err)
{
	if (!c) { /* PRUNE_LOCAL: all but the newest count as replicated */
		if (versions->n == 0)
			return 0;
		*guid = versions->v[versions->n - 1].guid;
		return 1;
	}
	if (c->err.kind != ERR_NONE) {
		err_move(err, &c->err);
		return err_wrap(err, "replication cursor");
	}
	if (c->exists) {
		*guid = c->guid;
		return 1;
	}
	if (o->cursor_may_be_missing)
		return 0;
	return err_set(err, ERR_NOT_FOUND,
		       "no replication cursor of this job: one successful replication by "
		       "this job is required before pruning");
}

/* All before the one at the cursor are replicated; its names are borrowed. */
static size_t snapshots_of(const struct pruner_opts *o, const struct versions *versions,
			   const uint64_t *cursor, struct prune_snap *out)
{
	size_t n = 0, replicated = 0;
	bool has_base = false;

	for (size_t i = 0; i < versions->n; i++) {
		const struct version *v = &versions->v[i];
		bool at_cursor = cursor && v->guid == *cursor;

		if (v->type != VERSION_SNAPSHOT)
			continue;
		has_base = has_base || at_cursor;
		if (at_cursor)
			replicated = n + (cursor_counts_as_replicated(o) ? 1 : 0);
		out[n++] = (struct prune_snap){
			.name = v->name,
			.creation_s = v->creation_s,
			.held = v->has_userrefs && v->userrefs > 0,
			.pinned = at_cursor && o->side == PRUNE_RECEIVER,
		};
	}
	for (size_t i = 0; i < replicated; i++)
		out[i].replicated = true;
	/* With nothing at the cursor the newest is the best guess at the common base. */
	if (!has_base && o->side == PRUNE_RECEIVER && n > 0)
		out[n - 1].pinned = true;
	return n;
}

static void report_snapshots(const struct conf_keeps *rules,
			     const struct prune_snap *snaps, size_t n,
			     struct prune_report_fs *out)
{
	out->snaps = xcalloc(n, sizeof(*out->snaps));
	out->n_snaps = n;
	for (size_t i = 0; i < n; i++) {
		out->snaps[i] = (struct prune_report_snap){
			.name = xstrdup(snaps[i].name),
			.replicated = snaps[i].replicated,
			.creation_s = snaps[i].creation_s,
			.destroy = snaps[i].destroy,
			.reason = prune_reason_text(rules, &snaps[i].reason),
		};
		out->n_destroy += snaps[i].destroy;
	}
}

/* cursor: NULL for PRUNE_LOCAL. */
static int plan_filesystem(const struct pruner_opts *o, struct ep_version_list *list,
			   struct ep_cursor *cursor, struct prune_report_fs *out,
			   struct err *err)
{
	uint64_t guid;
	int r;

	if (list->err.kind != ERR_NONE) {
		err_move(err, &list->err);
		return err_wrap(err, "list versions");
	}
	r = cursor_guid(o, &list->versions, cursor, &guid, err);
	if (r < 0)
		return -1;

	struct prune_snap *snaps = xcalloc(list->versions.n + 1, sizeof(*snaps));
	size_t n = snapshots_of(o, &list->versions, r > 0 ? &guid : NULL, snaps);

	r = prune_decide(o->rules, snaps, n, err);
	report_snapshots(o->rules, snaps, n, out);
	free(snaps);
	return r;
}

/* Among the versions, where that is possible: they are the sender's, and new. */
static int find_cursors(struct ctx *ctx, const struct pruner_opts *o,
			const struct strs *paths, const struct ep_version_lists *versions,
			struct ep_cursors *out, struct err *err)
{
	struct endpoint *s = o->sender;

	if (o->target != s || !s->ops->cursor_among)
		return ep_list_cursors(ctx, s, paths, out, err);
	for (size_t i = 0; i < versions->n; i++) {
		struct ep_cursor c = { .path = xstrdup(versions->v[i].path) };

		s->ops->cursor_among(s, &versions->v[i].versions, &c);
		VEC_PUSH(out, c);
	}
	return 0;
}

static int plan_snapshots(struct ctx *ctx, const struct pruner_opts *o,
			  struct prune_plan *plan, struct err *err)
{
	cleanup(strs_free) struct strs paths = { 0 };
	cleanup(ep_version_lists_free) struct ep_version_lists versions = { 0 };
	cleanup(ep_cursors_free) struct ep_cursors cursors = { 0 };
	struct prune_plan_fs *fs;
	size_t i = 0;

	VEC_FOREACH (fs, plan)
		if (fs->report.skip == PRUNE_NOT_SKIPPED)
			strs_add(&paths, fs->report.path);
	if (paths.n == 0)
		return 0;
	if (ep_list_versions(ctx, o->target, &paths, &versions, err) < 0)
		return -1;
	if (o->side != PRUNE_LOCAL &&
	    find_cursors(ctx, o, &paths, &versions, &cursors, err) < 0)
		return -1;
	VEC_FOREACH (fs, plan) {
		if (fs->report.skip != PRUNE_NOT_SKIPPED)
			continue;
		/* what fails, fails for this filesystem alone */
		if (plan_filesystem(o, &versions.v[i], cursors.n ? &cursors.v[i] : NULL,
				    &fs->report, &fs->err) < 0)
			assert(fs->err.kind != ERR_NONE);
		i++;
	}
	return 0;
}

int prune_plan(struct ctx *ctx, const struct pruner_opts *o, struct prune_plan *out,
	       struct err *err)
{
	if (plan_filesystems(ctx, o, out, err) < 0)
		return -1;
	return plan_snapshots(ctx, o, out, err);
}

void prune_plan_free(struct prune_plan *p)
{
	struct prune_plan_fs *fs;

	VEC_FOREACH (fs, p) {
		prune_report_fs_fini(&fs->report);
		err_clear(&fs->err);
	}
	free(p->v);
	*p = (struct prune_plan){ 0 };
}
