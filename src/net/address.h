/*
 * address.h - addresses of TCP sockets, and their text.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "conf/transport.h"

#include <net/if.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

socklen_t address_len(const union address *a);
bool address_is_unspecified(const union address *a); /* 0.0.0.0, :: */
in_port_t address_port(const union address *a);      /* in network order */
struct in6_addr address_ip(const union address *a);  /* ::ffff:a.b.c.d for IPv4 */
/* The interface of a link-local address: its name, or number; "": none. */
void address_zone(const union address *a, char zone[IF_NAMESIZE]);

/* The caller frees all of these: "192.0.2.7", "fe80::7%eth0". */
char *address_host(const union address *a) must_check;
/* "192.0.2.7:8888", "[fe80::7%eth0]:8888" */
char *address_text(const union address *a) must_check;
/* The same as configured: "backup1:8888". */
char *hostport_text(const struct conf_hostport *at) must_check;

#endif
