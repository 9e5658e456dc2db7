#include "prune/report.h"

const char *pruner_state_name(enum pruner_state s)
{
	static const char *const names[] = {
		[PRUNER_PLAN] = "Plan", [PRUNER_PLAN_ERR] = "PlanErr",
		[PRUNER_EXEC] = "Exec", [PRUNER_EXEC_ERR] = "ExecErr",
		[PRUNER_DONE] = "Done",
	};

	return names[s];
}

const char *prune_skip_name(enum prune_skip s)
{
	static const char *const names[] = {
		[PRUNE_NOT_SKIPPED] = "",
		[PRUNE_SKIP_PLACEHOLDER] = "filesystem is placeholder",
		[PRUNE_SKIP_NO_CORRESPONDENCE] =
			"filesystem has no correspondence on sender",
	};

	return names[s];
}

const char *prune_side_name(enum prune_side s)
{
	static const char *const names[] = {
		[PRUNE_SENDER] = "sender",
		[PRUNE_RECEIVER] = "receiver",
		[PRUNE_LOCAL] = "local",
	};

	return names[s];
}

static struct prune_report_fs fs_dup(const struct prune_report_fs *f)
{
	struct prune_report_fs r = *f;

	r.path = xstrdup(f->path);
	r.error = xstrdup_or_null(f->error);
	r.snaps = xcalloc(f->n_snaps, sizeof(*r.snaps));
	for (size_t i = 0; i < f->n_snaps; i++) {
		r.snaps[i] = f->snaps[i];
		r.snaps[i].name = xstrdup(f->snaps[i].name);
		r.snaps[i].reason = xstrdup(f->snaps[i].reason);
	}
	return r;
}

void prune_report_dup(const struct prune_report *r, struct prune_report *out)
{
	*out = *r;
	out->error = xstrdup_or_null(r->error);
	out->fs = xcalloc(r->n_fs, sizeof(*out->fs));
	for (size_t i = 0; i < r->n_fs; i++)
		out->fs[i] = fs_dup(&r->fs[i]);
}

void prune_report_fs_fini(struct prune_report_fs *f)
{
	free(f->path);
	free(f->error);
	for (size_t i = 0; i < f->n_snaps; i++) {
		free(f->snaps[i].name);
		free(f->snaps[i].reason);
	}
	free(f->snaps);
	*f = (struct prune_report_fs){ 0 };
}

void prune_report_free(struct prune_report *r)
{
	for (size_t i = 0; i < r->n_fs; i++)
		prune_report_fs_fini(&r->fs[i]);
	free(r->fs);
	free(r->error);
	*r = (struct prune_report){ 0 };
}
