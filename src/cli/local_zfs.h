/*
 * local_zfs.h - for commands that ask ZFS on this host themselves, without the daemon.
 */
#ifndef CLI_LOCAL_ZFS_H
#define CLI_LOCAL_ZFS_H

#include "zfs/zfs.h"

struct local_zfs {
	struct env env;
	struct ctx *ctx;
	struct zfs *zfs;
};

/* Before any thread.  What zfs would log is nobody's; errors tell all. */
int local_zfs_init(struct local_zfs *l, struct err *err) must_check;
void local_zfs_fini(struct local_zfs *l);

/* One dataset, or none if it does not exist; NULL: all filesystems and volumes. */
int local_zfs_list(struct local_zfs *l, const char *dataset, struct zfs_datasets *out,
		   struct err *err) must_check;

#endif
