#include "codec/ipmap.h"

#include "base/buf.h"
#include "codec/dsname.h"
#include "tap.h"

#include <arpa/inet.h>

struct clients {
	const char *key, *identity;
};

/* Ends with { NULL }. */
static struct ipmap *map_of(const struct clients *c)
{
	struct ipmap *m = ipmap_new();

	for (; c->key; c++) {
		struct err e = ERR_INIT;

		if (!CHECK(ipmap_add(m, c->key, c->identity, &e) == 0))
			printf("# %s: %s\n", c->key, err_msg(&e));
		err_clear(&e);
	}
	return m;
}

static struct in6_addr address(const char *text)
{
	struct in6_addr a = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(AF_INET6, text, &a) != 1)
		CHECK(inet_pton(AF_INET, text, &a.s6_addr[12]) == 1);
	return a;
}

/* want NULL: nobody. */
static void check_find(const struct ipmap *m, const char *peer, const char *zone,
		       const char *want)
{
	struct in6_addr a = address(peer);
	cleanup(str_freep) char *got = ipmap_find(m, &a, zone);

	if (want)
		CHECK_STR(got, want);
	else
		CHECK(got == NULL);
}

struct row {
	struct clients clients[4];
	const char *peer, *zone, *want;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ipmap *m = map_of(rows[i].clients);

		check_find(m, rows[i].peer, rows[i].zone, rows[i].want);
		ipmap_free(m);
	}
}

TEST(finds_the_identity_as_zrepl_does)
{
	const struct row rows[] = {
		{ { { "::/0", "v6-*" } }, "10.0.0.1", "", NULL },
		{ { { "::/0", "v6-*" } }, "::1", "", "v6-::1" },
		{ { { "::/0", "v6-*" } }, "fe80::1", "eth0", NULL },
		{ { { "0.0.0.0/0", "v4-*" } }, "::ffff:10.0.0.1", "", "v4-10.0.0.1" },
		{ { { "0.0.0.0/0", "v4-*" } }, "::1", "", NULL },
		{ { { "::ffff:0:0/96", "m-*" } }, "10.0.0.1", "", "m-10.0.0.1" },
		{ { { "10.0.0.7/24", "h-*" }, { "10.0.0.0/25", "q-*" } },
		  "10.0.0.7",
		  "",
		  "q-10.0.0.7" },
		{ { { "10.0.0.7/24", "h-*" }, { "10.0.0.0/25", "q-*" } },
		  "10.0.0.200",
		  "",
		  "h-10.0.0.200" },
		{ { { "fe80::/10%eth0", "ll-*" } },
		  "fe80::1",
		  "eth0",
		  "ll-fe80::1-eth0" },
		{ { { "fe80::/10%eth0", "ll-*" } }, "fe80::1", "", NULL },
		{ { { "2001:db8::/64", "*" } },
		  "2001:db8:0:0:1:0:0:1",
		  "",
		  "2001:db8::1:0:0:1" },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

TEST(the_longest_prefix_wins_whatever_comes_first)
{
	const struct clients orders[][4] = {
		{ { "10.1.2.3", "specific-host" },
		  { "10.1.2.0/24", "s-*" },
		  { "10.1.0.0/16", "w-*" } },
		{ { "10.1.0.0/16", "w-*" },
		  { "10.1.2.0/24", "s-*" },
		  { "10.1.2.3", "specific-host" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct ipmap *m = map_of(orders[i]);

		check_find(m, "10.1.2.3", "", "specific-host");
		check_find(m, "10.1.2.9", "", "s-10.1.2.9");
		check_find(m, "10.1.7.7", "", "w-10.1.7.7");
		check_find(m, "10.2.0.1", "", NULL);
		check_find(m, "10.1.2.3", "eth0", NULL);
		ipmap_free(m);
	}
}

TEST(a_zone_must_be_equal)
{
	const struct row rows[] = {
		{ { { "fe80::/16%eth1", "san-*" } },
		  "fe80::23:42",
		  "eth1",
		  "san-fe80::23:42-eth1" },
		{ { { "fe80::/16%eth1", "san-*" } }, "fe80::23:42", "eth2", NULL },
		{ { { "fe80::/16%eth1", "san-*" } }, "fe80::23:42", "eth10", NULL },
		{ { { "fe80::7%eth1", "one" } }, "fe80::7", "eth1", "one" },
		{ { { "fe80::7%eth1", "one" } }, "fe80::7", "", NULL },
		{ { { "fe80::7", "one" } }, "fe80::7", "eth1", NULL },
		{ { { "fe80::7%", "one" } }, "fe80::7", "", "one" },
		{ { { "fe80::7%a", "one" }, { "fe80::7%b", "two" } },
		  "fe80::7",
		  "b",
		  "two" },
		{ { { "fe80::7%a%b", "one" } }, "fe80::7", "a%b", "one" },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

TEST(prefixes_end_at_any_bit)
{
	const struct row rows[] = {
		{ { { "10.0.0.0/31", "*" } }, "10.0.0.1", "", "10.0.0.1" },
		{ { { "10.0.0.0/31", "*" } }, "10.0.0.2", "", NULL },
		{ { { "10.0.0.1/32", "*" } }, "10.0.0.1", "", "10.0.0.1" },
		{ { { "10.0.0.1/32", "*" } }, "10.0.0.0", "", NULL },
		{ { { "128.0.0.0/1", "*" } }, "255.0.0.1", "", "255.0.0.1" },
		{ { { "128.0.0.0/1", "*" } }, "127.0.0.1", "", NULL },
		{ { { "2001:db8::/33", "*" } },
		  "2001:db8:7fff::1",
		  "",
		  "2001:db8:7fff::1" },
		{ { { "2001:db8::/33", "*" } }, "2001:db8:8000::1", "", NULL },
		{ { { "2001:db8::1/128", "*" } }, "2001:db8::1", "", "2001:db8::1" },
		{ { { "10.0.0.0/08", "*" } }, "10.9.9.9", "", "10.9.9.9" },
		/* Masked, it is no IPv4 any more. */
		{ { { "::ffff:0:0/95", "*" } }, "10.0.0.1", "", NULL },
		{ { { "::ffff:0:0/95", "*" } }, "::fffe:0:1", "", "::fffe:0:1" },
		{ { { "::ffff:10.0.0.0/104", "*" } }, "10.0.0.1", "", "10.0.0.1" },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void check_refused(const char *key, const char *identity, enum err_kind kind)
{
	const struct clients there[] = { { "10.0.0.1", "one" },
					 { "10.1.0.0/16", "s-*" },
					 { "fe80::1%eth0", "ll" },
					 { NULL, NULL } };
	cleanup(err_clear) struct err e = ERR_INIT;
	struct ipmap *m = map_of(there);

	if (!CHECK(ipmap_add(m, key, identity, &e) < 0) || !CHECK_INT(e.kind, kind))
		printf("# %s: %s: %s\n", key, identity, err_msg(&e));
	check_find(m, "10.0.0.1", "", "one");
	ipmap_free(m);
}

TEST(refuses_what_is_no_address)
{
	const char *const keys[] = {
		"",
		"%",
		"%eth0",
		"/",
		"/8",
		"host",
		"10.0.0",
		"10.0.0.0.1",
		"010.0.0.1",
		"10.0.0.256",
		" 10.0.0.1",
		"10.0.0.1 ",
		"10.0.0.1\n",
		"0x0a000001",
		"167772161",
		"[::1]",
		"10.0.0.1:80",
		":::",
		"1:2:3:4:5:6:7:8:9",
		"::12345",
		"fe80::%eth0/10",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
	};
	const char *const networks[] = {
		"10.0.0.0/",      "10.0.0.0/33",
		"10.0.0.0/-1",    "10.0.0.0/+8",
		"10.0.0.0/8x",    "10.0.0.0/8/8",
		"10.0.0.0/ 8",    "10.0.0.0/255.0.0.0",
		"::/129",         "010.0.0.0/8",
		"10/8",           "::/18446744073709551616",
		"10.0.0.0%e/8/8", "::ffff:10.0.0.0/129",
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		check_refused(keys[i], "x", ERR_INVALID);
	for (size_t i = 0; i < ARRAY_LEN(networks); i++)
		check_refused(networks[i], "*", ERR_INVALID);
}

TEST(refuses_stars_that_are_too_many_or_too_few)
{
	check_refused("10.0.0.0/8", "**", ERR_INVALID);
	check_refused("10.0.0.0/8", "a*b*c", ERR_INVALID);
	check_refused("10.0.0.0/8", "none", ERR_INVALID);
	check_refused("10.0.0.2/32", "none", ERR_INVALID);
	check_refused("10.0.0.2", "s-*", ERR_INVALID);
	check_refused("10.0.0.2", "*", ERR_INVALID);
}

TEST(refuses_an_identity_that_is_no_component_of_a_dataset_name)
{
	const char *const exact[] = { "",    ".",   "..",  "a/b",
				      "a@b", "a#b", "a%b", "\xc3\xa4" };
	const char *const network[] = { "",   "a/*", "*/..", "*@",
					"*#", "*%",  "\t*",  "\xc3*" };

	for (size_t i = 0; i < ARRAY_LEN(exact); i++)
		check_refused("10.0.0.2", exact[i], ERR_INVALID);
	for (size_t i = 0; i < ARRAY_LEN(network); i++)
		check_refused("10.0.0.0/8", network[i], ERR_INVALID);
	/* Such an interface there may be, but its clients would have no usable name. */
	check_refused("fe80::/10%e@1", "*", ERR_INVALID);
}

TEST(an_identity_must_fit_with_the_longest_address_and_zone)
{
	enum { LONGEST = 39 + 1 + 16 };
	char identity[ZFS_MAX_NAME + 2] = "";
	struct ipmap *m = ipmap_new();
	struct err e = ERR_INIT;

	memset(identity, 'x', ZFS_MAX_NAME - LONGEST);
	identity[ZFS_MAX_NAME - LONGEST] = '*';
	CHECK(ipmap_add(m, "10.0.0.0/8", identity, &e) == 0);
	ipmap_free(m);
	identity[ZFS_MAX_NAME - LONGEST] = 'x';
	identity[ZFS_MAX_NAME - LONGEST + 1] = '*';
	check_refused("10.0.0.0/8", identity, ERR_INVALID);
	memset(identity, 'x', ZFS_MAX_NAME + 1);
	check_refused("10.0.0.2", identity, ERR_INVALID);
}

TEST(refuses_the_same_network_twice_however_it_is_written)
{
	check_refused("10.0.0.1", "two", ERR_EXISTS);
	check_refused("10.0.0.1", "one", ERR_EXISTS);
	check_refused("10.0.0.1/32", "*", ERR_EXISTS);
	check_refused("::ffff:10.0.0.1", "two", ERR_EXISTS);
	check_refused("::ffff:a00:1", "two", ERR_EXISTS);
	check_refused("10.0.0.1%", "two", ERR_EXISTS);
	check_refused("10.1.2.3/16", "t-*", ERR_EXISTS);
	check_refused("::ffff:10.1.0.0/112", "t-*", ERR_EXISTS);
	check_refused("FE80:0:0::1%eth0", "ll2", ERR_EXISTS);
}

TEST(says_what_is_wrong_and_what_would_be_right)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct ipmap *m = ipmap_new();

	CHECK(ipmap_add(m, "db1.example.com", "db1", &e) < 0);
	CHECK_STR(err_msg(&e),
		  "\"db1.example.com\" is neither an IP address nor a network; write "
		  "10.1.2.3, 10.1.0.0/16, 2001:db8::7 or fe80::/16%eth0");
	CHECK(ipmap_add(m, "10.0.0.0/8", "db1", &e) < 0);
	CHECK_STR(err_msg(&e),
		  "identity \"db1\" of the network \"10.0.0.0/8\" must contain "
		  "exactly one '*', which becomes the address");
	ipmap_free(m);
	ipmap_free(NULL);
}

TEST(addresses_are_written_as_rfc_5952_wants_them)
{
	const struct {
		const char *from, *to;
	} rows[] = {
		{ "10.0.0.1", "10.0.0.1" },
		{ "::ffff:255.255.255.255", "255.255.255.255" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "::1.2.3.4", "::102:304" },
		{ "::0.1.0.0", "::1:0" },
		{ "::fffe:1.2.3.4", "::fffe:102:304" },
		{ "64:ff9b::1.2.3.4", "64:ff9b::102:304" },
		{ "1::", "1::" },
		{ "2001:DB8::ABCD", "2001:db8::abcd" },
		{ "2001:0db8:0001:0000:0000:0000:0000:0001", "2001:db8:1::1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "0:0:1:1:1:1:0:0", "::1:1:1:1:0:0" },
		{ "1:0:1:0:1:0:1:0", "1:0:1:0:1:0:1:0" },
		{ "1:1:1:1:1:1:0:0", "1:1:1:1:1:1::" },
		{ "1:0:0:0:1:0:0:0", "1::1:0:0:0" },
		{ "fe80::fc:ff:fe00:1", "fe80::fc:ff:fe00:1" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct in6_addr a = address(rows[i].from);
		cleanup(str_freep) char *text = ip_text(&a);

		CHECK_STR(text, rows[i].to);
	}
}

TEST_MAIN()
