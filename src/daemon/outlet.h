/*
 * outlet.h - one place that log entries go to; for outlets.c.
 *
 *	outlet_stdout.c   a descriptor
 *	outlet_syslog.c   the syslog daemon of this host
 *	outlet_tcp.c      a host that collects; a thread of its own sends
 *
 * write() takes a line without its newline.  It may wait a second when the reader has
 * just stopped reading, and then not again until he reads: a log must not stop the jobs.
 * -1: the line is lost, and why.
 *
 * Thread safety: one thread at a time calls write().
 */
#ifndef DAEMON_OUTLET_H
#define DAEMON_OUTLET_H

#include "base/buf.h"
#include "conf/config.h"

enum { OUTLET_STUCK_MS = 1000 };

struct outlet;
struct outlet_ops {
	int (*write)(struct outlet *o, enum log_level level, struct view line,
		     struct err *err);
	/* No more lines come: what is queued has a second to go.  NULL: nothing is. */
	void (*end)(struct outlet *o);
	void (*close)(struct outlet *o);
};

struct outlet {
	const struct outlet_ops *ops;
};

/* fd is borrowed. */
struct outlet *outlet_stdout_new(int fd) must_check;

/* paths: where to look for a socket; NULL-terminated, borrowed. */
struct outlet *outlet_syslog_new(const struct conf_outlet *conf, const char *const *paths)
	must_check;

/*
 * At most OUTLET_QUEUE_MAX bytes of lines wait for the collector, with those on their
 * way; what does not fit is lost.  on_error is told, in a thread of the outlet's and once
 * an outage, why entries cannot be sent; it may write to this and other outlets.
 */
enum { OUTLET_QUEUE_MAX = 1024 * 1024 };
typedef void outlet_error_fn(void *arg, const struct conf_outlet *conf,
			     const struct err *e);
struct outlet *outlet_tcp_new(const struct conf_outlet *conf, outlet_error_fn *on_error,
			      void *arg) must_check;
/* Reads the files of TLS; conf is of type tcp. */
int outlet_tcp_check(const struct conf_outlet *conf, struct err *err) must_check;

/*
 * Writes all of it to a socket or pipe.  is_stuck: the last time it took too long, so do
 * not wait now; kept up to date.  -1: *put bytes of it were written.
 */
int outlet_write_all(int fd, struct view bytes, bool *is_stuck, size_t *put,
		     struct err *err) must_check;

#endif
