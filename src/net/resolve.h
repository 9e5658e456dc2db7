/*
 * resolve.h - from a host's name to its addresses, without waiting longer than one wants.
 *
 * getaddrinfo(3) can be neither interrupted nor bounded.  So a name is looked up by a
 * thread of its own, and whoever waits no longer leaves it behind: the thread ends when
 * the resolver gives up, and frees what it has found.  (It is the one thread that nobody
 * joins; it refers to nothing but its own copy of the name.)  There are at most
 * RESOLVE_MAX_THREADS of them.  Addresses, with or without zone, need no thread.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "base/ctx.h"
#include "net/address.h"

enum { RESOLVE_MAX = 16, RESOLVE_MAX_THREADS = 32 };

struct addresses {
	union address v[RESOLVE_MAX]; /* IPv4 or IPv6; the best ones first */
	size_t n;                     /* >= 1 */
};

/*
 * An empty host is this host.  ERR_NETWORK: no such name, no answer; ERR_INVALID: a port
 * that is none; ERR_BUSY: too many lookups get no answer; ctx done: its error.
 */
int resolve(struct ctx *ctx, const struct conf_hostport *at, struct addresses *out,
	    struct err *err) must_check;

#endif
