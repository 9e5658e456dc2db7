#include "conf/identity.h"

#include "base/parse.h"

#include <arpa/inet.h>

enum { ALL_BITS = 128, V4_OFFSET = 96 };

/* IPv4 as ::ffff:a.b.c.d; *family_bits: what a whole address of it has. */
static bool parse_address(struct view text, struct in6_addr *out, unsigned *family_bits)
{
	char copy[INET6_ADDRSTRLEN];
	struct in_addr v4;

	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	*family_bits = ALL_BITS;
	if (inet_pton(AF_INET6, copy, out) == 1)
		return true;
	*family_bits = ALL_BITS - V4_OFFSET;
	if (inet_pton(AF_INET, copy, &v4) != 1)
		return false;
	*out = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(&out->s6_addr[12], &v4, sizeof(v4));
	return true;
}

struct identity identity_of_client(const struct conf_client *c)
{
	struct identity i = { IDENTITY_EXACT, .text = c->identity, .zone = "" };
	struct view address = { c->address, strcspn(c->address, "/%") };
	const char *slash = strchr(c->address, '/'), *zone = strchr(c->address, '%');
	cleanup(err_clear) struct err unused = ERR_INIT;
	unsigned family_bits;
	uint64_t bits;

	if (!slash || !strchr(c->identity, '*'))
		return i;
	if (zone)
		i.zone = zone + 1;
	if (!parse_address(address, &i.net, &family_bits) ||
	    parse_u64((struct view){ slash + 1, strspn(slash + 1, "0123456789") }, &bits,
		      &unused) < 0 ||
	    bits > family_bits) {
		i.kind = IDENTITY_ANY; /* cannot be: it was checked */
		return i;
	}
	i.kind = IDENTITY_NETWORK;
	i.bits = ALL_BITS - family_bits + (unsigned)bits;
	return i;
}

/* Are the first bits the same? */
static bool is_same_net(const struct in6_addr *a, const struct in6_addr *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	/* Each family is for itself: ::/0 is not for IPv4. */
	if (!IN6_IS_ADDR_V4MAPPED(a) != !IN6_IS_ADDR_V4MAPPED(b) ||
	    memcmp(a->s6_addr, b->s6_addr, whole) != 0)
		return false;
	return rest == 0 || ((a->s6_addr[whole] ^ b->s6_addr[whole]) & mask) == 0;
}

/* What stands before and after the address. */
static struct view before(const struct identity *i)
{
	return (struct view){ i->text, strcspn(i->text, "*") };
}

/* The caller frees. */
static char *after(const struct identity *i)
{
	return xasprintf("%s%s%s", *i->zone ? "-" : "", i->zone,
			 strchr(i->text, '*') + 1);
}

static bool is_address_of(const struct identity *i, struct view text)
{
	struct in6_addr a;
	unsigned family_bits;

	if (!parse_address(text, &a, &family_bits) || !is_same_net(&a, &i->net, i->bits))
		return false;
	/* There is one spelling only of each. */
	cleanup(str_freep) char *written = ip_text(&a);

	return view_eq(view_of(written), text);
}

bool identity_covers(const struct identity *i, struct view name)
{
	cleanup(str_freep) char *suffix = NULL;
	struct view b;
	size_t len;

	switch (i->kind) {
	case IDENTITY_ANY:
		return true;
	case IDENTITY_EXACT:
		return view_eq(view_of(i->text), name);
	case IDENTITY_NETWORK:
		break;
	}
	b = before(i);
	suffix = after(i);
	len = strlen(suffix);
	if (name.len <= b.len + len || memcmp(name.p, b.p, b.len) != 0 ||
	    memcmp(name.p + name.len - len, suffix, len) != 0)
		return false;
	return is_address_of(i, (struct view){ name.p + b.len, name.len - b.len - len });
}

static bool is_part_of_address(struct view text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr("0123456789abcdef.:", text.p[i]))
			return false;
	return true;
}

/* May an address make up for what the longer one has more? */
static bool may_begin_alike(struct view a, struct view b)
{
	struct view l = a.len > b.len ? a : b, s = a.len > b.len ? b : a;

	return memcmp(l.p, s.p, s.len) == 0 &&
	       is_part_of_address((struct view){ l.p + s.len, l.len - s.len });
}

static bool may_end_alike(struct view a, struct view b)
{
	struct view l = a.len > b.len ? a : b, s = a.len > b.len ? b : a;

	return memcmp(l.p + l.len - s.len, s.p, s.len) == 0 &&
	       is_part_of_address((struct view){ l.p, l.len - s.len });
}

static bool networks_overlap(const struct identity *a, const struct identity *b)
{
	struct view before_a = before(a), before_b = before(b);

	if (strcmp(a->text, b->text) == 0 && strcmp(a->zone, b->zone) == 0)
		return is_same_net(&a->net, &b->net,
				   a->bits < b->bits ? a->bits : b->bits);
	if (!may_begin_alike(before_a, before_b))
		return false;
	cleanup(str_freep) char *after_a = after(a), *after_b = after(b);

	if (view_eq(before_a, before_b) && strcmp(after_a, after_b) == 0)
		return is_same_net(&a->net, &b->net,
				   a->bits < b->bits ? a->bits : b->bits);
	return may_end_alike(view_of(after_a), view_of(after_b));
}

bool identity_overlap(const struct identity *a, const struct identity *b)
{
	if (a->kind == IDENTITY_EXACT)
		return identity_covers(b, view_of(a->text));
	if (b->kind == IDENTITY_EXACT)
		return identity_covers(a, view_of(b->text));
	if (a->kind == IDENTITY_ANY || b->kind == IDENTITY_ANY)
		return true;
	return networks_overlap(a, b);
}
