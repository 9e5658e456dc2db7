#include "net/tcp.h"

#include "base/thread.h"
#include "fake_resolver.h"
#include "loopback.h"
#include "tap.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/tcp.h>

static int listen_at(const char *host, const char *port)
{
	const struct conf_hostport at = { host, port };
	cleanup(err_clear) struct err e = ERR_INIT;
	int fd = tcp_listen(&at, false, &e);

	if (!CHECK(fd >= 0))
		printf("# %s\n", err_msg(&e));
	return fd;
}

/* The port of "host:port"; the caller frees. */
static char *port_of(int fd)
{
	cleanup(str_freep) char *text = tcp_local_address(fd);

	return xstrdup(strrchr(text, ':') + 1);
}

static int dial(const char *host, const char *port, int64_t timeout_ms, char **peer,
		struct err *err)
{
	const struct conf_hostport to = { host, port };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	ctx_set_timeout(ctx, 30000);
	return tcp_dial(ctx, &to, timeout_ms, peer, err);
}

static void wait_readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	CHECK(poll(&p, 1, 30000) == 1);
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	CHECK(getsockopt(fd, level, name, &value, &len) == 0);
	return value;
}

static void check_options(int fd)
{
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) != 0);
	CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) != 0);
	CHECK(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) < 120);
	CHECK_INT(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

/* Dials what l listens at by way of host; who came is told as this. */
static void check_reaches(int l, const char *host, const char *as)
{
	cleanup(str_freep) char *port = port_of(l), *to = NULL, *from = NULL, *ip = NULL;
	cleanup(str_freep) char *want = NULL, *back = NULL;
	cleanup(fd_closep) int a = -1, b = -1;
	cleanup(err_clear) struct err e = ERR_INIT;
	union address peer;

	a = dial(host, port, 10000, &to, &e);
	if (!CHECK(a >= 0))
		printf("# %s: %s\n", host, err_msg(&e));
	wait_readable(l);
	b = tcp_accept(l, &peer);
	REQUIRE(b >= 0);
	check_options(a);
	check_options(b);
	ip = address_host(&peer);
	from = address_text(&peer);
	back = tcp_local_address(a);
	want = xasprintf(strchr(as, ':') ? "[%s]:%s" : "%s:%s", as, port);
	CHECK_STR(to, want);
	CHECK_STR(ip, as);
	CHECK_STR(from, back);
}

static void check_refused(int l, const char *host)
{
	cleanup(str_freep) char *port = port_of(l), *peer = NULL;
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK(dial(host, port, 10000, &peer, &e) < 0);
	CHECK_INT(e.kind, ERR_NETWORK);
}

TEST(an_address_is_listened_at_and_nothing_else)
{
	cleanup(fd_closep) int v4 = listen_at("127.0.0.1", "0");
	cleanup(fd_closep) int v6 = listen_at("::1", "0");
	cleanup(fd_closep) int mapped = listen_at("::ffff:127.0.0.1", "0");

	check_reaches(v4, "127.0.0.1", "127.0.0.1");
	check_refused(v4, "127.0.0.2");
	check_refused(v4, "::1");
	check_reaches(v6, "::1", "::1");
	check_refused(v6, "127.0.0.1");
	check_reaches(mapped, "127.0.0.1", "127.0.0.1");
}

TEST(no_address_is_all_of_both_families)
{
	const char *const hosts[] = { "", "0.0.0.0", "::" };

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		cleanup(fd_closep) int l = listen_at(hosts[i], "");
		cleanup(str_freep) char *at = tcp_local_address(l);

		CHECK(strncmp(at, "[::]:", 5) == 0);
		CHECK(strcmp(at + 5, "0") != 0);
		check_reaches(l, "127.0.0.1", "127.0.0.1");
		check_reaches(l, "::1", "::1");
		check_reaches(l, "::ffff:127.0.0.1", "127.0.0.1");
	}
}

TEST(a_name_is_listened_at_with_its_first_ipv4_address)
{
	cleanup(fd_closep) int l = -1;
	cleanup(str_freep) char *at = NULL;

	FAKE_ANSWER("::1", "127.0.0.3", "127.0.0.4");
	l = listen_at("many.test", "0");
	at = tcp_local_address(l);
	CHECK(strncmp(at, "127.0.0.3:", 10) == 0);
}

static void check_listening_fails(const char *host, const char *port, int sys,
				  const char *why)
{
	const struct conf_hostport at = { host, port };
	cleanup(str_freep) char *want = NULL;
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK(tcp_listen(&at, false, &e) < 0);
	CHECK_INT(e.sys, sys);
	want = xasprintf(strchr(host, ':') ? "listen at [%s]:%s: %s"
					   : "listen at %s:%s: %s",
			 host, port, why);
	CHECK_STR(err_msg(&e), want);
}

TEST(what_cannot_be_listened_at_is_named)
{
	cleanup(fd_closep) int l = listen_at("127.0.0.1", "0");
	cleanup(str_freep) char *port = port_of(l);

	check_listening_fails("127.0.0.1", port, EADDRINUSE, "Address already in use");
	check_listening_fails("198.51.100.7", "0", EADDRNOTAVAIL,
			      "Cannot assign requested address");
	check_listening_fails("gone.test", "80", 0,
			      "resolve gone.test: Name or service not known");
	check_listening_fails("127.0.0.1", "70000", 0, "port 70000 is not in 0 to 65535");
}

TEST(a_port_is_free_again_as_soon_as_its_listener_is_gone)
{
	int l = listen_at("127.0.0.1", "0");
	cleanup(str_freep) char *port = port_of(l);

	/* The end that closes first keeps the port for a minute. */
	check_reaches(l, "127.0.0.1", "127.0.0.1");
	fd_closep(&l);
	l = listen_at("127.0.0.1", port);
	check_reaches(l, "127.0.0.1", "127.0.0.1");
	fd_closep(&l);
}

TEST(an_address_that_is_not_there_yet_can_be_listened_at)
{
	const struct conf_hostport hosts[] = { { "198.51.100.7", "0" },
					       { "2001:db8::7", "0" } };

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(fd_closep) int fd = tcp_listen(&hosts[i], true, &e);

		if (!CHECK(fd >= 0))
			printf("# %s\n", err_msg(&e));
	}
}

TEST(nobody_there_is_no_wait)
{
	cleanup(fd_closep) int l = listen_at("127.0.0.1", "0");
	union address peer;

	CHECK(tcp_accept(l, &peer) < 0);
	CHECK_INT(errno, EAGAIN);
}

/* A port of 127.0.0.x that nobody listens at, since it has just been given back. */
static char *free_port(void)
{
	int l = listen_at("127.0.0.1", "0");
	char *port = port_of(l);

	fd_closep(&l);
	return port;
}

TEST(a_refusal_names_the_address)
{
	cleanup(str_freep) char *port = free_port(), *peer = NULL, *want = NULL;
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK(dial("127.0.0.1", port, 0, &peer, &e) < 0);
	CHECK_INT(e.kind, ERR_NETWORK);
	want = xasprintf("connect to 127.0.0.1:%s: Connection refused", port);
	CHECK_STR(err_msg(&e), want);
	CHECK(peer == NULL);
	CHECK(dial("127.0.0.1", "", 0, &peer, &e) < 0);
	CHECK_INT(e.kind, ERR_NETWORK);
}

TEST(the_addresses_of_a_name_are_tried_in_turn)
{
	cleanup(fd_closep) int l = listen_at("127.0.0.1", "0"), fd = -1;
	cleanup(str_freep) char *port = port_of(l), *peer = NULL, *want = NULL;
	struct err e = ERR_INIT;

	FAKE_ANSWER("127.0.0.2", "::1", "127.0.0.1");
	fd = dial("many.test", port, 10000, &peer, &e);
	CHECK(fd >= 0);
	want = xasprintf("127.0.0.1:%s", port);
	CHECK_STR(peer, want);
}

TEST(when_no_address_answers_all_are_named)
{
	cleanup(str_freep) char *port = free_port(), *peer = NULL, *want = NULL;
	cleanup(err_clear) struct err e = ERR_INIT;

	FAKE_ANSWER("127.0.0.1", "127.0.0.2");
	CHECK(dial("many.test", port, 10000, &peer, &e) < 0);
	CHECK_INT(e.kind, ERR_NETWORK);
	want = xasprintf("connect to 127.0.0.1:%s: Connection refused: "
			 "connect to 127.0.0.2:%s: Connection refused",
			 port, port);
	CHECK_STR(err_msg(&e), want);
}

/* A listener whose queue is full: who dials it gets no answer. */
struct deaf {
	int listener, queued[3];
	char *port;
};

static struct deaf make_deaf(void)
{
	struct sockaddr_in at;
	struct deaf d;

	d.listener = loopback_listen(0, &at);
	d.port = port_of(d.listener);
	for (size_t i = 0; i < ARRAY_LEN(d.queued); i++) {
		d.queued[i] =
			socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(d.queued[i], (struct sockaddr *)&at, sizeof(at)) < 0)
			CHECK_INT(errno, EINPROGRESS);
	}
	return d;
}

static void free_deaf(struct deaf *d)
{
	fd_closep(&d->listener);
	for (size_t i = 0; i < ARRAY_LEN(d->queued); i++)
		fd_closep(&d->queued[i]);
	free(d->port);
}

TEST(addresses_of_the_other_family_are_left_alone)
{
	const struct conf_hostport to = { "127.0.0.1", "1" };
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	char *peer = NULL;

	CHECK_INT(tcp_dial_family(ctx, &to, FAMILY_IPV6, 1000, &peer, &e), -1);
	CHECK_STR(err_msg(&e), "127.0.0.1:1 has no IPv6 address");
	CHECK(err_is(&e, ERR_NETWORK));
	CHECK_INT(tcp_dial_family(ctx, &to, FAMILY_IPV4, 1000, &peer, &e), -1);
	CHECK(strstr(err_msg(&e), "connect to 127.0.0.1:1: ") != NULL);
}

TEST(no_answer_ends_with_the_timeout)
{
	struct deaf d = make_deaf();
	cleanup(str_freep) char *peer = NULL;
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK(dial("127.0.0.1", d.port, 20, &peer, &e) < 0);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	free_deaf(&d);
}

TEST(the_timeout_covers_the_lookup)
{
	cleanup(str_freep) char *peer = NULL;
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK(dial("hangs.test", "80", 1, &peer, &e) < 0);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	CHECK_STR(err_msg(&e), "resolve hangs.test: timed out");
	fake_resolver_hang(false);
}

static void cancel(void *ctx)
{
	ctx_cancel(ctx);
}

TEST(a_dial_without_a_timeout_ends_when_it_is_cancelled)
{
	struct deaf d = make_deaf();
	const struct conf_hostport to = { "many.test", d.port };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(str_freep) char *peer = NULL;
	cleanup(err_clear) struct err e = ERR_INIT;
	struct thread t = { 0 };

	FAKE_ANSWER("127.0.0.2", "127.0.0.1");
	thread_start(&t, "cancel", cancel, ctx);
	CHECK(tcp_dial(ctx, &to, 0, &peer, &e) < 0);
	CHECK_INT(e.kind, ERR_CANCELLED);
	thread_join(&t);
	free_deaf(&d);
}

TEST(an_address_without_an_answer_leaves_time_for_the_next_one)
{
	struct deaf d = make_deaf();
	const struct conf_hostport other = { "127.0.0.2", d.port };
	cleanup(str_freep) char *peer = NULL, *want = NULL;
	struct err e = ERR_INIT;
	cleanup(fd_closep) int l = tcp_listen(&other, false, &e), fd = -1;

	CHECK(l >= 0);
	FAKE_ANSWER("127.0.0.1", "127.0.0.2");
	fd = dial("many.test", d.port, 4000, &peer, &e);
	CHECK(fd >= 0);
	want = xasprintf("127.0.0.2:%s", d.port);
	CHECK_STR(peer, want);
	free_deaf(&d);
}

/* A link-local address of this host, with its zone; "": it has none. */
static void find_link_local(char *out, size_t size)
{
	struct ifaddrs *all = NULL;

	*out = '\0';
	CHECK(getifaddrs(&all) == 0);
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)i->ifa_addr;
		cleanup(str_freep) char *ip = NULL;

		if (!a || a->sin6_family != AF_INET6 ||
		    !IN6_IS_ADDR_LINKLOCAL(&a->sin6_addr))
			continue;
		ip = ip_text(&a->sin6_addr);
		snprintf(out, size, "%s%%%s", ip, i->ifa_name);
	}
	freeifaddrs(all);
}

TEST(a_link_local_peer_has_the_interface_as_its_zone)
{
	cleanup(fd_closep) int l = -1;
	char host[128];

	find_link_local(host, sizeof(host));
	if (!*host) { /* end to end there are some; here at least nothing is reached */
		cleanup(str_freep) char *peer = NULL;
		cleanup(err_clear) struct err e = ERR_INIT;

		CHECK(dial("fe80::7%lo", "1", 1000, &peer, &e) < 0);
		return;
	}
	l = listen_at("", "0");
	check_reaches(l, host, host);
}

TEST_MAIN()
