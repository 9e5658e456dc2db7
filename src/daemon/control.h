/*
 * control.h - the control socket: HTTP/1.1 on a private UNIX socket.
 *
 *	/version   what this daemon is
 *	/status    the status document
 *	/signal    {"Name": job, "Op": "wakeup" | "reset"}
 *
 * Access is a matter of file permissions: the directory must exist and must not be open
 * to others.  Connections, header and body sizes and idle times are bounded.  A thread
 * of libmicrohttpd's serves requests.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "base/metric.h"
#include "job/job.h"

struct control_opts { /* borrowed until control_stop() */
	const char *sockpath;
	struct job *const *jobs;
	size_t n_jobs;
	struct zfs *zfs;
	const struct env *env;
	struct log log;          /* of job _control */
	struct metrics *metrics; /* or NULL; then there also is a job _prometheus */
};

struct control;

/*
 * NULL: the directory is missing or open to others, something that is not a socket is in
 * the way, or another daemon answers there.  A stale socket is replaced.
 */
struct control *control_start(const struct control_opts *o, struct err *err) must_check;
void control_stop(struct control *c); /* removes the socket; NULL is fine */

#endif
