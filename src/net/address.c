#include "net/address.h"

#include <stdio.h>
#include <string.h>

static bool is_v4(const union address *a)
{
	return a->any.sa_family == AF_INET;
}

socklen_t address_len(const union address *a)
{
	return is_v4(a) ? sizeof(a->v4) : sizeof(a->v6);
}

in_port_t address_port(const union address *a)
{
	return is_v4(a) ? a->v4.sin_port : a->v6.sin6_port;
}

struct in6_addr address_ip(const union address *a)
{
	struct in6_addr ip = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (!is_v4(a))
		return a->v6.sin6_addr;
	memcpy(&ip.s6_addr[12], &a->v4.sin_addr, sizeof(a->v4.sin_addr));
	return ip;
}

bool address_is_unspecified(const union address *a)
{
	const struct in6_addr ip = address_ip(a);

	return IN6_IS_ADDR_UNSPECIFIED(&ip) ||
	       (IN6_IS_ADDR_V4MAPPED(&ip) && ip.s6_addr32[3] == 0);
}

void address_zone(const union address *a, char zone[IF_NAMESIZE])
{
	*zone = '\0';
	if (is_v4(a) || a->v6.sin6_scope_id == 0)
		return;
	if (!if_indextoname(a->v6.sin6_scope_id, zone))
		snprintf(zone, IF_NAMESIZE, "%u", a->v6.sin6_scope_id);
}

char *address_host(const union address *a)
{
	const struct in6_addr ip = address_ip(a);
	cleanup(str_freep) char *text = ip_text(&ip);
	char zone[IF_NAMESIZE];

	address_zone(a, zone);
	return xasprintf("%s%s%s", text, *zone ? "%" : "", zone);
}

char *address_text(const union address *a)
{
	cleanup(str_freep) char *host = address_host(a);

	return xasprintf(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
			 ntohs(address_port(a)));
}

char *hostport_text(const struct conf_hostport *at)
{
	return xasprintf(strchr(at->host, ':') ? "[%s]:%s" : "%s:%s", at->host, at->port);
}
