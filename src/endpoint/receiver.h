/*
 * receiver.h - the receiving side: datasets below root_fs/<client identity>.
 *
 * A client can name nothing outside of its root.  Gaps in the hierarchy become
 * placeholders (zrepl:placeholder=on), which a later receive replaces.  After a receive
 * the snapshot's guid is verified, then it is protected by the last-received hold, then
 * older such holds of this job go.
 *
 * One struct receiver is the receiving side of a job; receiver_for() is one client's
 * view of it.  Creating placeholders is serialised in a receiver.
 */
#ifndef ENDPOINT_RECEIVER_H
#define ENDPOINT_RECEIVER_H

#include "conf/env.h"
#include "endpoint/endpoint.h"
#include "zfs/zfs.h"

struct receiver_opts { /* all borrowed, for the receiver's life */
	const char *job;
	const char *root_fs;
	const struct conf_recv *recv;
	struct zfs *zfs;
	const struct env *env;
	struct rate *limit; /* of all streams together; NULL: none */
	struct log log;
};

struct receiver;
struct receiver *receiver_new(const struct receiver_opts *o) must_check;
void receiver_free(struct receiver *r); /* all its clients' endpoints are closed */
DEFINE_CLEANUP(receiver_free, struct receiver *);

/* identity NULL: root_fs itself is the client's root (pull).  ERR_INVALID: not a strict
 * component.  ep_close() frees the endpoint, not the receiver. */
struct endpoint *receiver_for(struct receiver *r, const char *identity, struct err *err)
	must_check;

#endif
