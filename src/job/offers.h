/*
 * offers.h - the `local` transport: a passive job of this process, found by name.
 *
 * There is no connection and no copy: a client gets an endpoint of the job itself, and a
 * stream goes from zfs send's pipe to zfs receive's.  All passive jobs offer themselves
 * before any active job starts, so a name is there at once or not at all.
 *
 * Offers are made and withdrawn by the thread that starts and stops jobs, while no active
 * job runs; connecting is for any thread.
 */
#ifndef JOB_OFFERS_H
#define JOB_OFFERS_H

#include "rpc/client.h"
#include "rpc/server.h"

struct offer {
	const char *listener_name;
	enum rpc_side side;        /* what its endpoints are */
	rpc_endpoint_fn *endpoint; /* for a client's identity */
	void *arg;
};

/* A zeroed one is valid and empty. */
struct offers {
	struct offer *v;
	size_t n, cap;
};

void offers_add(struct offers *l, const struct offer *o); /* borrows the name */
void offers_free(struct offers *l);

/*
 * A client of the job that offers itself by that name; c outlives it.  Where nobody does,
 * or the wrong kind of job, every question fails (ERR_NOT_FOUND: local listener "NAME"
 * not reachable), so that what wants to replicate reports it.  NULL: there can be no
 * endpoint for c->client_identity.
 */
struct endpoint *offers_connect(const struct offers *l, const struct conf_connect *c,
				enum rpc_side wanted, struct err *err) must_check;

#endif
