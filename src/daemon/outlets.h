/*
 * outlets.h - where log entries go: the outlets of the configuration.
 *
 * One lock for all outlets, so that entries are totally ordered.  An entry that cannot be
 * written, or not within a second, is lost.  The first one that an outlet loses, and when
 * it works again the number of them, is an entry "outlet error" with fields err and
 * outlet_type for the first outlet of the file that takes errors; that this one fails,
 * too, is told to nobody.
 */
#ifndef DAEMON_OUTLETS_H
#define DAEMON_OUTLETS_H

#include "base/metric.h"
#include "conf/config.h"

struct outlets;

struct outlets_opts {
	int stdout_fd; /* what a stdout outlet writes to; borrowed */
	const char *const
		*syslog_paths;   /* NULL-terminated, borrowed; NULL: this host's */
	struct metrics *metrics; /* to count entries in; or NULL */
};

/* conf is borrowed.  NULL: as outlets_check(). */
struct outlets *outlets_new(const struct conf_global *conf, const struct outlets_opts *o,
			    struct err *err) must_check;
/* A log without job that writes here; good until outlets_free(). */
struct log outlets_log(struct outlets *o);
/* What is still queued has a second to go. */
void outlets_free(struct outlets *o);
DEFINE_CLEANUP(outlets_free, struct outlets *);

/*
 * Could they be built?  Reads the files of TLS: ERR_INVALID and ERR_SYSTEM, "cannot build
 * logging from config: ..." name what is wrong.
 */
int outlets_check(const struct conf_global *conf, struct err *err) must_check;

#endif
