/*
 * show.h - accepted values of a configuration as text, to compare with what was written.
 */
#ifndef CONF_SHOW_H
#define CONF_SHOW_H

#include "conf/config.h"

/*
 * Appends what there is for a key.  Of a job: "name", "filesystems", "snapshotting",
 * "hooks", "keep", "keep_sender", "keep_receiver", "connect", "serve", "send", "recv",
 * "replication", "interval", "root_fs".  Of the whole: "jobs", "logging", "monitoring",
 * "sockets", "nothing", or a key of its first job.  false: no such key.
 */
bool show_job(const struct conf_job *j, const char *key, struct buf *out);
bool show(const struct config *c, const char *key, struct buf *out);

#endif
