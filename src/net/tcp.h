/*
 * tcp.h - TCP sockets: dial, listen, accept.
 *
 * Every connection is non-blocking and close-on-exec, sends at once (TCP_NODELAY: a reply
 * must not wait 40 ms for an acknowledgement), and asks after a peer that is silent
 * (SO_KEEPALIVE).  TCP_USER_TIMEOUT is not set: it also counts the time in which a live
 * peer leaves its window closed, and a slow `zfs recv` may do that for minutes; who
 * speaks a protocol with heartbeats knows better.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "base/ctx.h"
#include "net/address.h"

/*
 * A connected socket, and whom it is connected to ("192.0.2.7:8888", the caller's).  The
 * addresses of a name are tried in turn; timeout_ms covers the lookup and all attempts,
 * of which none may take all of the time if there are others.  0: no limit but ctx's.
 * ERR_NETWORK, ERR_TIMEOUT, and those of resolve().
 */
int tcp_dial(struct ctx *ctx, const struct conf_hostport *to, int64_t timeout_ms,
	     char **peer, struct err *err) must_check;
/* The same, with addresses of one family only.  ERR_NETWORK: there are none. */
int tcp_dial_family(struct ctx *ctx, const struct conf_hostport *to,
		    enum conf_family family, int64_t timeout_ms, char **peer,
		    struct err *err) must_check;

/*
 * A non-blocking listening socket.  An empty host, 0.0.0.0 and :: are all addresses of
 * both families (compat: zrepl 0.7); of a name's addresses the first IPv4 one is taken.
 * Port 0, or none: one that the system chooses.  freebind: the address need not be
 * there yet.  Looking up a name may take some seconds.
 */
int tcp_listen(const struct conf_hostport *at, bool freebind, struct err *err) must_check;
/* Where it listens: "[::]:8888"; the caller frees. */
char *tcp_local_address(int fd) must_check;

/* And whom it comes from.  -1: see errno. */
int tcp_accept(int listener, union address *peer) must_check;

#endif
