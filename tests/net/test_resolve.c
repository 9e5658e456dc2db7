#include "net/resolve.h"

#include "fake_resolver.h"
#include "tap.h"

#include <sched.h>

static int ask(struct ctx *ctx, const char *host, const char *port, struct addresses *out,
	       struct err *err)
{
	const struct conf_hostport at = { host, port };

	return resolve(ctx, &at, out, err);
}

static void check_addresses(const char *host, const char *port, const char *const *want)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	struct addresses got = { .n = 0 };
	size_t n = 0;

	if (!CHECK(ask(ctx, host, port, &got, &e) == 0))
		printf("# %s: %s\n", host, err_msg(&e));
	for (; want[n]; n++) {
		cleanup(str_freep) char *text =
			n < got.n ? address_text(&got.v[n]) : NULL;

		CHECK_STR(text, want[n]);
	}
	CHECK_INT(got.n, n);
}

static void check_fails(const char *host, const char *port, enum err_kind kind,
			const char *msg)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	struct addresses got;

	CHECK(ask(ctx, host, port, &got, &e) < 0);
	CHECK_INT(e.kind, kind);
	CHECK_STR(err_msg(&e), msg);
}

TEST(addresses_need_no_lookup)
{
	const char *const v4[] = { "192.0.2.7:8888", NULL };
	const char *const v6[] = { "[2001:db8::7]:0", NULL };
	const char *const mapped[] = { "192.0.2.7:80", NULL };
	const char *const zone[] = { "[fe80::7%lo]:80", NULL };

	check_addresses("192.0.2.7", "8888", v4);
	check_addresses("2001:db8::7", "0", v6);
	check_addresses("2001:db8:0::7", "", v6);
	check_addresses("::ffff:192.0.2.7", "http", mapped);
	check_addresses("fe80::7%lo", "80", zone);
}

TEST(an_empty_host_is_this_one)
{
	const char *const loopback[] = { "[::1]:8888", "127.0.0.1:8888", NULL };

	check_addresses("", "8888", loopback);
}

TEST(all_addresses_of_a_name_are_found_in_their_order)
{
	const char *const want[] = { "192.0.2.1:80", "[2001:db8::1]:80", NULL };

	FAKE_ANSWER("192.0.2.1", "2001:db8::1");
	check_addresses("many.test", "80", want);
}

TEST(a_name_with_very_many_addresses_has_some_of_them)
{
	const char *many[RESOLVE_MAX + 3] = { 0 }, *want[RESOLVE_MAX + 1] = { 0 };

	for (size_t i = 0; i < RESOLVE_MAX; i++) {
		many[i] = "192.0.2.1";
		want[i] = "192.0.2.1:80";
	}
	many[RESOLVE_MAX] = many[RESOLVE_MAX + 1] = "192.0.2.2";
	fake_answer(many);
	check_addresses("many.test", "80", want);
}

TEST(a_name_that_is_not_found_may_be_found_later)
{
	check_fails("gone.test", "80", ERR_NETWORK,
		    "resolve gone.test: Name or service not known");
	check_fails("again.test", "80", ERR_NETWORK,
		    "resolve again.test: Temporary failure in name resolution");
}

TEST(a_port_that_is_none_is_refused)
{
	check_fails("192.0.2.7", "65536", ERR_INVALID, "port 65536 is not in 0 to 65535");
	check_fails("again.test", "99999", ERR_INVALID,
		    "port 99999 is not in 0 to 65535");
	check_fails("192.0.2.7", "99999999999999999999", ERR_INVALID,
		    "port 99999999999999999999 is not in 0 to 65535");
	check_fails("192.0.2.7", "no-such-service", ERR_INVALID,
		    "resolve 192.0.2.7: unknown port \"no-such-service\"");
}

TEST(a_star_is_not_taken_for_this_host)
{
	check_fails("*", "8888", ERR_INVALID,
		    "'*' is no host; to listen at all addresses, leave it out: :8888");
}

TEST(a_link_local_address_without_its_interface_is_refused)
{
	check_fails("fe80::7", "80", ERR_INVALID,
		    "resolve fe80::7: a link-local address needs its interface, as in "
		    "fe80::7%eth0");
}

TEST(a_resolver_without_an_answer_holds_nobody_up)
{
	cleanup(ctx_freep) struct ctx *late = ctx_new(NULL);
	cleanup(ctx_freep) struct ctx *stopped = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	struct addresses got;

	ctx_set_timeout(late, 1);
	CHECK(ask(late, "hangs.test", "80", &got, &e) < 0);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	CHECK_STR(err_msg(&e), "resolve hangs.test: timed out");
	ctx_cancel(stopped);
	CHECK(ask(stopped, "hangs.test", "80", &got, &e) < 0);
	CHECK_INT(e.kind, ERR_CANCELLED);
}

TEST(lookups_without_an_answer_are_bounded)
{
	cleanup(ctx_freep) struct ctx *stopped = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	struct addresses got;
	int n = 0;

	ctx_cancel(stopped);
	do
		CHECK(ask(stopped, "hangs.test", "80", &got, &e) < 0);
	while (e.kind == ERR_CANCELLED && ++n <= RESOLVE_MAX_THREADS);
	CHECK_INT(e.kind, ERR_BUSY);
	CHECK(n <= RESOLVE_MAX_THREADS);
	CHECK(ask(stopped, "192.0.2.7", "80", &got, &e) == 0);
	/* They go when the resolver lets them. */
	fake_resolver_hang(false);
	do {
		sched_yield();
		CHECK(ask(stopped, "again.test", "80", &got, &e) < 0);
	} while (e.kind == ERR_BUSY);
	CHECK(e.kind == ERR_CANCELLED || e.kind == ERR_NETWORK);
}

TEST_MAIN()
