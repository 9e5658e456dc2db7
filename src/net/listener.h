/*
 * listener.h - the passive end of a transport: who may connect, and as whom.
 *
 *	listener_open     binds; the transports are those of conf_serve
 *	listener_accept   a connection that has done nothing yet
 *	visitor_admit     its transport's handshake: who is it?  In a thread of its own,
 *	                  since a peer decides how long it takes
 *
 * Certificates are read again when their files change; while the new ones are of no use,
 * the old ones stay, and the log says so once.
 *
 * Thread safety: a listener belongs to one thread; visitors of one listener may be
 * admitted by several threads at once, and none outlives it.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "conf/config.h"
#include "net/conn.h"

struct listener;
struct visitor;

/*
 * ERR_SYSTEM and others say what cannot be bound, and why; trying again later is the
 * caller's business.  conf, log and what they refer to are borrowed.
 * conf->type is not SERVE_LOCAL.
 */
struct listener *listener_open(const struct conf_serve *conf,
			       const struct conf_global *global, const struct log *log,
			       struct err *err) must_check;
void listener_close(struct listener *l); /* NULL is fine; unlinks sockets */
DEFINE_CLEANUP(listener_close, struct listener *);

int listener_fd(const struct listener *l); /* readable: somebody may be waiting */
/* "tcp 0.0.0.0:8888", for logs and the status; borrowed.  With port 0 configured, the
 * port that the system chose. */
const char *listener_address(const struct listener *l);

/*
 * 1: *out; 0: nobody is there (any more), or nobody we know, who is gone now and logged;
 * -1: the listener is of no use any more, open another.  Out of descriptors counts as 0
 * and is logged, not oftener than once in a while.
 */
int listener_accept(struct listener *l, struct visitor **out, struct err *err) must_check;

/* The address, without the port, or the identity where there is no address: connections
 * that have it in common are one peer's.  Borrowed. */
const char *visitor_origin(const struct visitor *v);
/*
 * The handshake.  The conn has an identity, which is a strict component of a dataset
 * name.  NULL: refused (ERR_DENIED), broken, or ctx done; ctx's deadline, and for tls
 * handshake_timeout, bound it.  Frees v either way.
 */
struct conn *visitor_admit(struct ctx *ctx, struct visitor *v, struct err *err)
	must_check;
void visitor_drop(struct visitor *v); /* instead; NULL is fine */

#endif
