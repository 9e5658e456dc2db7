#include "codec/ipmap.h"

#include "base/parse.h"
#include "codec/dsname.h"

#include <arpa/inet.h>

/* An address of the longest text, and IFNAMSIZ letters (compat: zrepl 0.7). */
#define LONGEST_ADDRESS "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define LONGEST_ZONE    "iiiiiiiiiiiiiiii"

enum { BITS = 128, V4_OFFSET = 96, SHOWN = 80 };

struct entry {
	struct in6_addr net; /* masked */
	unsigned prefix;
	char *zone; /* "": none */
	char *identity;
};

struct ipmap {
	struct entry *v; /* in the order of search; no two are of the same place */
	size_t n;
};

struct ipmap *ipmap_new(void)
{
	return xcalloc(1, sizeof(struct ipmap));
}

static void entry_free(struct entry *e)
{
	free(e->zone);
	free(e->identity);
}

void ipmap_free(struct ipmap *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		entry_free(&m->v[i]);
	free(m->v);
	free(m);
}

/* ---- addresses ---- */

/* The bits of a before the prefix ends, and zeros. */
static struct in6_addr masked(const struct in6_addr *a, unsigned prefix)
{
	struct in6_addr r = *a;

	for (unsigned i = 0; i < sizeof(r.s6_addr); i++) {
		unsigned bits = prefix > 8 * i ? prefix - 8 * i : 0;

		if (bits < 8)
			r.s6_addr[i] &= (uint8_t)(0xff00u >> bits);
	}
	return r;
}

static bool is_in(const struct entry *e, const struct in6_addr *peer)
{
	struct in6_addr net = masked(peer, e->prefix);

	/* ::/0 is not for IPv4. */
	return !IN6_IS_ADDR_V4MAPPED(&e->net) == !IN6_IS_ADDR_V4MAPPED(peer) &&
	       memcmp(&net, &e->net, sizeof(net)) == 0;
}

static char *v4_text(const uint8_t *b)
{
	return xasprintf("%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

/* The longest run of at least two zeros, the first of several: *at, and its length. */
static size_t longest_zeros(const unsigned *group, size_t *at)
{
	size_t best = 1, run = 0;

	for (size_t i = 0; i < 8; i++) {
		run = group[i] == 0 ? run + 1 : 0;
		if (run > best) {
			best = run;
			*at = i + 1 - run;
		}
	}
	return best >= 2 ? best : 0;
}

/* inet_ntop(3) is no help: it writes ::1.2.3.4, where RFC 5952 and others write
 * ::102:304.
 */
char *ip_text(const struct in6_addr *a)
{
	const uint8_t *b = a->s6_addr;
	size_t zeros_at = 0, zeros;
	struct buf text = { 0 };
	unsigned group[8];

	if (IN6_IS_ADDR_V4MAPPED(a))
		return v4_text(b + 12);
	for (size_t i = 0; i < 8; i++)
		group[i] = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
	zeros = longest_zeros(group, &zeros_at);
	for (size_t i = 0; i < 8; i++) {
		if (zeros > 0 && i == zeros_at) {
			buf_put(&text, "::", 2);
			i += zeros - 1;
			continue;
		}
		if (i > 0 && !(zeros > 0 && i == zeros_at + zeros))
			buf_put(&text, ":", 1);
		buf_printf(&text, "%x", group[i]);
	}
	return buf_take(&text);
}

/* Returns how many bits the address was written with, or 0: not an address. */
static unsigned parse_address(struct view text, struct in6_addr *out)
{
	char copy[INET6_ADDRSTRLEN];
	struct in_addr v4;

	if (text.len >= sizeof(copy))
		return 0;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET6, copy, out) == 1)
		return BITS;
	if (inet_pton(AF_INET, copy, &v4) != 1)
		return 0;
	*out = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(&out->s6_addr[12], &v4, sizeof(v4));
	return BITS - V4_OFFSET;
}

/* ---- keys and identities ---- */

struct place {
	struct in6_addr net;
	unsigned prefix;
	const char *zone; /* points into the key */
	bool is_network;
};

static int bad_key(const char *key, struct err *err)
{
	return err_set(err, ERR_INVALID,
		       "\"%.*s\" is neither an IP address nor a network; write 10.1.2.3, "
		       "10.1.0.0/16, 2001:db8::7 or fe80::/16%%eth0",
		       SHOWN, key);
}

static int parse_key(const char *key, struct place *p, struct err *err)
{
	struct view text = { key, strcspn(key, "%") };
	const char *slash = memchr(text.p, '/', text.len);
	cleanup(err_clear) struct err unused = ERR_INIT;
	uint64_t prefix;
	unsigned bits;

	p->zone = key[text.len] ? key + text.len + 1 : "";
	if (strchr(p->zone, '/')) /* in no interface's name */
		return err_set(err, ERR_INVALID,
			       "\"%.*s\": the prefix length comes before the zone; write "
			       "fe80::/16%%eth0",
			       SHOWN, key);
	p->is_network = slash != NULL;
	if (slash) {
		const char *digits = slash + 1;

		if (parse_u64((struct view){ digits, (size_t)(key + text.len - digits) },
			      &prefix, &unused) < 0)
			return bad_key(key, err);
		text.len = (size_t)(slash - key);
	}
	bits = parse_address(text, &p->net);
	if (bits == 0)
		return bad_key(key, err);
	if (!slash)
		prefix = bits;
	else if (prefix > bits)
		return err_set(err, ERR_INVALID, "\"%.*s\": the prefix is longer than %u",
			       SHOWN, key, bits);
	p->prefix = BITS - bits + (unsigned)prefix;
	p->net = masked(&p->net, p->prefix);
	return 0;
}

/* `*` becomes the address, and -ZONE if there is one. */
static char *expand(const char *pattern, const char *address, const char *zone)
{
	int star = (int)strcspn(pattern, "*");

	if (!pattern[star])
		return xstrdup(pattern);
	return xasprintf("%.*s%s%s%s%s", star, pattern, address, *zone ? "-" : "", zone,
			 pattern + star + 1);
}

static int check_expansion(const char *pattern, const char *zone, struct err *err)
{
	cleanup(str_freep) char *id = expand(pattern, LONGEST_ADDRESS, zone);

	if (dsname_check_component(id, err) < 0)
		return err_wrap(err,
				"identity \"%.*s\", expanded with the longest address",
				SHOWN, pattern);
	return 0;
}

static int check_identity(const struct place *p, const char *key, const char *identity,
			  struct err *err)
{
	const char *star = strchr(identity, '*');

	if (!p->is_network && star)
		return err_set(
			err, ERR_INVALID,
			"identity \"%.*s\" has a '*', but \"%.*s\" is one address only; "
			"write a network, or no '*'",
			SHOWN, identity, SHOWN, key);
	if (!p->is_network)
		return dsname_check_component(identity, err);
	if (!star || strchr(star + 1, '*'))
		return err_set(err, ERR_INVALID,
			       "identity \"%.*s\" of the network \"%.*s\" must contain "
			       "exactly one '*', which becomes the address",
			       SHOWN, identity, SHOWN, key);
	if (check_expansion(identity, LONGEST_ZONE, err) < 0)
		return -1;
	return check_expansion(identity, p->zone, err);
}

/* ---- the map ---- */

/* The order of search: the longest prefix first (compat: zrepl 0.7). */
static int compare(const struct entry *e, const struct place *p)
{
	int r;

	if (e->prefix != p->prefix)
		return e->prefix > p->prefix ? -1 : 1;
	r = memcmp(&e->net, &p->net, sizeof(e->net));
	return r != 0 ? r : strcmp(e->zone, p->zone);
}

int ipmap_add(struct ipmap *m, const char *key, const char *identity, struct err *err)
{
	struct place p;
	size_t at = 0;

	if (parse_key(key, &p, err) < 0 || check_identity(&p, key, identity, err) < 0)
		return -1;
	while (at < m->n && compare(&m->v[at], &p) < 0)
		at++;
	if (at < m->n && compare(&m->v[at], &p) == 0)
		return err_set(err, ERR_EXISTS,
			       "\"%.*s\" is there already, in this or another spelling, "
			       "with the identity \"%.*s\"",
			       SHOWN, key, SHOWN, m->v[at].identity);
	m->v = xrealloc(m->v, m->n + 1, sizeof(*m->v));
	memmove(&m->v[at + 1], &m->v[at], (m->n - at) * sizeof(*m->v));
	m->v[at] = (struct entry){ p.net, p.prefix, xstrdup(p.zone), xstrdup(identity) };
	m->n++;
	return 0;
}

char *ipmap_find(const struct ipmap *m, const struct in6_addr *peer, const char *zone)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct entry *e = &m->v[i];
		cleanup(str_freep) char *address = NULL;

		if (strcmp(e->zone, zone) != 0 || !is_in(e, peer))
			continue;
		address = ip_text(peer);
		return expand(e->identity, address, zone);
	}
	return NULL;
}
