/*
 * meter.h - what zfs(8) costs: see docs/metrics.md.
 *
 * A command that is about many filesystems is observed once for each of them, with the
 * time of the whole command: so long it took until the answer about this one was there.
 * All of these do nothing where there are no metrics.
 */
#ifndef ZFS_METER_H
#define ZFS_METER_H

#include "base/metric.h"
#include "base/strs.h"
#include "codec/dsfilter.h"

struct zfs;
struct zfs_child;
struct zfs_datasets;

struct zfs_meters {
	struct metric *runtime, *usertime, *systemtime;               /* commands */
	struct metric *list_versions, *snapshot, *bookmark, *destroy; /* filesystems */
	struct metric *unmatched;
};

/* From now on, also for those that zfs_for() makes of it afterwards.  m may be NULL. */
void zfs_meter(struct zfs *z, struct metrics *m);
/* Where dsfilter_roots() has led to: count accepting rules whose dataset is not there. */
void zfs_meter_unmatched(const struct zfs *z, const struct dsfilter *filter,
			 const struct zfs_datasets *found);

/* ---- for src/zfs ---- */

/* It has ended. */
void zfs_meter_child(const struct zfs_child *c);
/* Since start_us (now_in_us()); of snapshots, their filesystems count. */
void zfs_meter_one(struct metric *m, const char *const *labels, int64_t start_us);
void zfs_meter_set(struct metric *m, const struct strs *names, int64_t start_us);
/* type: "snapshot", "bookmark"; full: as an argument of zfs destroy */
void zfs_meter_destroy(const struct zfs *z, const char *type, const char *full,
		       int64_t start_us);

#endif
