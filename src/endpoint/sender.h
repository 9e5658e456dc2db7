/*
 * sender.h - the sending side: filesystems of this host that a job's filter accepts.
 *
 * Before a stream starts, what it depends on is protected as the request's protection
 * says: step holds, tentative cursors, or nothing.  When the receiver has confirmed, the
 * cursor bookmark moves to the new snapshot, before the old one and the step's
 * protection are removed.  All other abstractions of this job on that filesystem are
 * cleaned at these points, best effort, so a crash leaves nothing for ever.
 *
 * Refuses any filesystem the filter does not accept, any token that is not of the
 * filesystem and versions asked for, and any stream that would break the `encrypted`
 * policy.
 */
#ifndef ENDPOINT_SENDER_H
#define ENDPOINT_SENDER_H

#include "endpoint/endpoint.h"
#include "zfs/zfs.h"

struct sender_opts { /* all borrowed, for the sender's life */
	const char *job;
	const struct dsfilter *filter;
	const struct conf_send *flags;
	struct zfs *zfs;
	struct rate *limit; /* of all streams together; NULL: none */
	struct log log;
};

struct endpoint *sender_new(const struct sender_opts *o)
	must_check; /* ep_close() frees */

#endif
