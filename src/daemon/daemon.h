/*
 * daemon.h - everything a running zrepl consists of, started and stopped in order.
 *
 * Start: log outlets, control socket, jobs (sinks offer themselves before active jobs
 * run). Stop, on SIGINT or SIGTERM: every ctx is cancelled, so that children are ended;
 * active jobs are joined, then sinks, then the control socket closes.  A second signal
 * ends at once.
 *
 * PATH is completed by the directories for administrators, where zfs(8) may be.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "conf/config.h"
#include "conf/env.h"

/*
 * Runs until a signal; blocks SIGINT and SIGTERM in the calling thread, which must be the
 * only one.  log_fd: what stdout outlets write to.  -1: could not start (nothing was
 * done); failures of jobs are theirs and end nothing.
 */
int daemon_run(const struct config *config, const struct env *env, int log_fd,
	       struct err *err) must_check;

#endif
