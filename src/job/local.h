/*
 * local.h - the `local` transport: a sink's receiver, found by name in this process.
 *
 * There is no connection and no copy: a client gets an endpoint of the sink itself, and a
 * stream goes from zfs send's pipe to zfs receive's.  All sinks offer themselves before
 * any active job starts, so a name is there at once or not at all.
 *
 * Offers are made and withdrawn by the thread that starts and stops jobs, while no active
 * job runs; connecting is for any thread.
 */
#ifndef JOB_LOCAL_H
#define JOB_LOCAL_H

#include "endpoint/receiver.h"

struct local_offer {
	const char *listener_name;
	struct receiver *receiver;
};

/* A zeroed one is valid and empty. */
struct local_offers {
	struct local_offer *v;
	size_t n, cap;
};

void local_offer(struct local_offers *l, const char *listener_name, struct receiver *r);
void local_offers_free(struct local_offers *l);

/*
 * A client of the sink; c outlives it.  Where nobody offers that name, every question
 * fails (ERR_NOT_FOUND: local listener "NAME" not reachable), so that what wants to
 * replicate reports it.  NULL: c->client_identity makes no name below the sink's root_fs.
 */
struct endpoint *local_connect(const struct local_offers *l, const struct conf_connect *c,
			       struct err *err) must_check;

#endif
