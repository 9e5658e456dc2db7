/*
 * syncup.h - when a periodic snapshotter takes its first snapshots.  Pure.
 *
 * The rhythm of earlier snapshots goes on: the filesystem that is due first decides,
 * those without history only if nobody has any.  compat: zrepl 0.7.
 */
#ifndef SNAP_SYNCUP_H
#define SNAP_SYNCUP_H

#include "base/err.h"

struct syncup_fs {
	const char *path;
	bool has_snapshot; /* one with our prefix */
	int64_t latest_s;  /* creation of the newest one */
};

/*
 * The time to start at, which may be in the past.  -1 with ERR_INVALID: every filesystem
 * has its latest snapshot in the future.  No filesystem: now.
 */
int syncup_when(const struct syncup_fs *fs, size_t n, int64_t now_s, int64_t interval_s,
		int64_t *when_s, struct err *err) must_check;

/*
 * With skip_unchanged, whose latest snapshot is old had nothing written to it: they count
 * as if they were as new as the newest one, or every start would be a reason for a cycle.
 */
void syncup_level(struct syncup_fs *fs, size_t n, int64_t now_s);

#endif
