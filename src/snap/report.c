#include "snap/report.h"

const char *snapper_state_name(enum snapper_state s)
{
	switch (s) {
	case SNAPPER_SYNC_UP:
		return "SyncUp";
	case SNAPPER_SYNC_UP_ERR_WAIT:
		return "SyncUpErrWait";
	case SNAPPER_PLANNING:
		return "Planning";
	case SNAPPER_SNAPSHOTTING:
		return "Snapshotting";
	case SNAPPER_WAITING:
		return "Waiting";
	case SNAPPER_ERROR_WAIT:
		return "ErrorWait";
	case SNAPPER_STOPPED:
		return "Stopped";
	}
	return "unknown";
}

const char *snap_fs_state_name(enum snap_fs_state s)
{
	switch (s) {
	case SNAP_PENDING:
		return "SnapPending";
	case SNAP_STARTED:
		return "SnapStarted";
	case SNAP_DONE:
		return "SnapDone";
	case SNAP_ERROR:
		return "SnapError";
	}
	return "unknown";
}

void snapper_report_dup(const struct snapper_report *r, struct snapper_report *out)
{
	*out = *r;
	out->error = xstrdup_or_null(r->error);
	out->fs = xcalloc(r->n_fs, sizeof(*out->fs));
	for (size_t i = 0; i < r->n_fs; i++) {
		out->fs[i] = r->fs[i];
		out->fs[i].path = xstrdup(r->fs[i].path);
		out->fs[i].snap_name = xstrdup(r->fs[i].snap_name);
		out->fs[i].error = xstrdup_or_null(r->fs[i].error);
		out->fs[i].hooks = xstrdup_or_null(r->fs[i].hooks);
	}
}

void snapper_report_free(struct snapper_report *r)
{
	for (size_t i = 0; i < r->n_fs; i++) {
		free(r->fs[i].path);
		free(r->fs[i].snap_name);
		free(r->fs[i].error);
		free(r->fs[i].hooks);
	}
	free(r->fs);
	free(r->error);
	*r = (struct snapper_report){ 0 };
}
