/*
 * session.h - one connection of a known client, served.
 *
 * The endpoint is asked, and whatever it says is the answer: its errors are ordinary
 * answers, with their text.  So is what is wrong with a request that cannot be decoded.
 *
 * Each request is logged at debug, each that fails as a warning.
 */
#ifndef RPC_SESSION_H
#define RPC_SESSION_H

#include "conf/env.h"
#include "endpoint/endpoint.h"
#include "net/conn.h"

struct session { /* all borrowed */
	const struct env *env;
	const struct log *log;
	const char *client; /* its identity */
	struct endpoint *ep;
};

/*
 * Both take c, whose hello is done, and return when it is closed and all threads are
 * gone. -1: what was wrong with the peer or the connection, for the log; or ctx is done.
 */
int session_control(struct ctx *ctx, const struct session *s, struct conn *c,
		    struct err *err) must_check;
/* One request, and the answer. */
int session_bulk(struct ctx *ctx, const struct session *s, struct conn *c,
		 struct err *err) must_check;

/* What an endpoint of that kind cannot be asked. */
int session_refuse(const struct session *s, const char *what, struct err *err);
void session_log_request(const struct session *s, const char *method);
void session_log_failure(const struct session *s, const char *method,
			 const struct err *why);

#endif
