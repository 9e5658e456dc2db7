/*
 * ipmap.h - `clients` of a tcp listener: from a peer's address to its identity.
 *
 *	10.1.2.3: db1            an address: that identity
 *	10.1.0.0/16: site-*      a network: `*` becomes the address
 *	fe80::/16%eth1: lan-*    with a zone, which must be equal
 *
 * Addresses are 128 bits, IPv4 as ::ffff:a.b.c.d; a network matches addresses of its own
 * family only.  The longest prefix wins.  An address in an identity is a dotted quad or
 * RFC 5952 text, and where it has a zone "-ZONE" follows (compat: zrepl 0.7).
 */
#ifndef CODEC_IPMAP_H
#define CODEC_IPMAP_H

#include "base/err.h"

#include <netinet/in.h>

struct ipmap; /* immutable once it is built */

struct ipmap *ipmap_new(void) must_check;
void ipmap_free(struct ipmap *m);

/*
 * ERR_INVALID: not an address or network, an identity that is no strict component for
 * every address it may be expanded with, a `*` too many or too few, or ERR_EXISTS: the
 * same network is there already.
 */
int ipmap_add(struct ipmap *m, const char *key, const char *identity, struct err *err)
	must_check;

/* zone: "" for none.  NULL: nobody we know.  The caller frees. */
char *ipmap_find(const struct ipmap *m, const struct in6_addr *peer, const char *zone)
	must_check;

/* Dotted quad for v4-mapped ones, else RFC 5952.  The caller frees. */
char *ip_text(const struct in6_addr *a) must_check;

#endif
