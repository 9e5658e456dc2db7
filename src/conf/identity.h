/*
 * identity.h - which clients an entry of a listener stands for.
 *
 * One identity, those that the addresses of a network make ("lan-*"), or any.  All text
 * is borrowed from the configuration.
 */
#ifndef CONF_IDENTITY_H
#define CONF_IDENTITY_H

#include "base/buf.h"
#include "conf/transport.h"

enum identity_kind { IDENTITY_ANY, IDENTITY_NETWORK, IDENTITY_EXACT };

struct identity {
	enum identity_kind kind;
	const char *text; /* as written, with the '*' of a network */
	/* network */
	struct in6_addr net;
	unsigned bits; /* of net that count; 128 are all */
	const char *zone;
};

/* c has been checked: codec/ipmap.h takes it. */
struct identity identity_of_client(const struct conf_client *c);

/* Is it, or may it become, this one? */
bool identity_covers(const struct identity *i, struct view name);
/* May both become the same? */
bool identity_overlap(const struct identity *a, const struct identity *b);

#endif
