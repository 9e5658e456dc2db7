#include "net/listener.h"

#include "base/buf.h"
#include "base/thread.h"
#include "certs.h"
#include "log_text.h"
#include "loopback.h"
#include "net/refusals.h"
#include "net/stdinserver.h"
#include "net/tls.h"
#include "talk.h"
#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* ---- a listener, and its log ---- */

struct bench {
	struct conf_serve conf;
	struct conf_global global;
	struct ipmap *clients;
	char dir[64]; /* "": none */
	char *files[3];
	struct log_text said;
	struct log log;
	struct listener *l;
	uint16_t port;
};

static void open_bench(struct bench *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	const char *port;

	b->log = log_text_log(&b->said);
	b->l = listener_open(&b->conf, &b->global, &b->log, &e);
	if (!CHECK(b->l != NULL)) {
		printf("# %s\n", err_msg(&e));
		abort();
	}
	port = strrchr(listener_address(b->l), ':');
	b->port = (uint16_t)(port ? strtoul(port + 1, NULL, 10) : 0);
}

static void bench_free(struct bench *b)
{
	listener_close(b->l);
	ipmap_free(b->clients);
	log_text_free(&b->said);
	for (size_t i = 0; i < ARRAY_LEN(b->files); i++)
		free(b->files[i]);
	if (*b->dir)
		CHECK(rmdir(b->dir) == 0); /* so nothing was left in it */
	free(b);
}
DEFINE_CLEANUP(bench_free, struct bench *);

static struct bench *tcp_bench(void)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	struct err e = ERR_INIT;

	b->clients = ipmap_new();
	CHECK(ipmap_add(b->clients, "127.0.0.1", "one", &e) == 0);
	CHECK(ipmap_add(b->clients, "127.0.1.0/24", "net-*", &e) == 0);
	b->conf = (struct conf_serve){
		.type = SERVE_TCP,
		.listen = { "", "0" },
		.clients = b->clients,
	};
	open_bench(b);
	return b;
}

/* The two machines of make-certs that know each other: alice serves bob. */
static struct bench *tls_bench(int64_t handshake_timeout_ms)
{
	static const char *const cns[] = { "somebody", "bob" };
	struct bench *b = xcalloc(1, sizeof(*b));

	b->files[0] = certs_file("bob.crt");
	b->files[1] = certs_file("alice.crt");
	b->files[2] = certs_file("alice.key");
	b->conf = (struct conf_serve){
		.type = SERVE_TLS,
		.listen = { "127.0.0.1", "0" },
		.tls = { b->files[0], b->files[1], b->files[2] },
		.client_cns = (const char **)cns,
		.n_client_cns = ARRAY_LEN(cns),
		.handshake_timeout_ms = handshake_timeout_ms,
	};
	open_bench(b);
	return b;
}

static void make_sockdir(struct bench *b)
{
	snprintf(b->dir, sizeof(b->dir), "/tmp/zrepl-listener-XXXXXX");
	CHECK(mkdtemp(b->dir) != NULL);
	b->global.stdinserver_sockdir = b->dir;
}

static struct bench *stdinserver_bench(void)
{
	static const char *const identities[] = { "left", "right", "left" };
	struct bench *b = xcalloc(1, sizeof(*b));

	make_sockdir(b);
	b->conf = (struct conf_serve){
		.type = SERVE_STDINSERVER,
		.client_identities = (const char **)identities,
		.n_client_identities = ARRAY_LEN(identities),
	};
	open_bench(b);
	return b;
}

static bool is_called(const struct bench *b, int ms)
{
	struct pollfd p = { listener_fd(b->l), POLLIN, 0 };

	return poll(&p, 1, ms) > 0;
}

/* Whoever comes next and is let in. */
static struct visitor *wait_visitor(const struct bench *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct visitor *v = NULL;
	int r;

	do {
		CHECK(is_called(b, PATIENCE_MS));
		r = listener_accept(b->l, &v, &e);
	} while (r == 0);
	if (!CHECK_INT(r, 1))
		abort();
	return v;
}

static int accept_one(const struct bench *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct visitor *v = NULL;
	int r = listener_accept(b->l, &v, &e);

	CHECK(r >= 0);
	visitor_drop(v);
	return r;
}

/* A client of that address, connected and non-blocking. */
static int connect_from(const char *address, uint16_t port)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(inet_pton(AF_INET, address, &from.sin_addr) == 1);
	CHECK(bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0);
	CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	loopback_set_nonblocking(fd);
	return fd;
}

static struct conn *client_from(const char *address, uint16_t port)
{
	int fd = connect_from(address, port);

	return conn_of_fds(fd, fd, "server", NULL);
}

/* ---- tcp ---- */

TEST(a_client_that_is_known_is_let_in_with_its_identity)
{
	const char *const rows[][2] = { { "127.0.0.1", "one" },
					{ "127.0.1.7", "net-127.0.1.7" } };
	cleanup(bench_freep) struct bench *b = tcp_bench();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup(conn_closep) struct conn *c = client_from(rows[i][0], b->port);
		cleanup(conn_closep) struct conn *s = NULL;
		struct visitor *v = wait_visitor(b);
		cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
		struct err e = ERR_INIT;

		CHECK_STR(visitor_origin(v), rows[i][0]);
		s = visitor_admit(ctx, v, &e);
		REQUIRE(s != NULL);
		CHECK_STR(conn_identity(s), rows[i][1]);
		CHECK(strncmp(conn_peer(s), rows[i][0], strlen(rows[i][0])) == 0);
		check_writes(c, "ping");
		check_reads(s, "ping");
		check_writes(s, "pong");
		check_finishes(s);
		check_reads(c, "pong");
		check_ends(c);
	}
	CHECK_STR(buf_str(&b->said.text), "");
}

TEST(a_client_that_nobody_knows_is_shown_out_and_logged_once)
{
	cleanup(bench_freep) struct bench *b = tcp_bench();
	cleanup(str_freep) char *start = NULL;
	struct err e = ERR_INIT;
	int fd;

	for (int i = 0; i < 50; i++) {
		cleanup(conn_closep) struct conn *c = client_from("127.0.0.9", b->port);
		struct visitor *v = NULL;

		CHECK(is_called(b, PATIENCE_MS));
		CHECK_INT(listener_accept(b->l, &v, &e), 0);
		CHECK(v == NULL);
		check_ends(c);
	}
	start = xasprintf("error: %s: refused a connection from 127.0.0.9:",
			  listener_address(b->l));
	CHECK(strncmp(buf_str(&b->said.text), start, strlen(start)) == 0);
	CHECK_INT(b->said.n, 1);
	/* The others do not suffer from it. */
	fd = connect_from("127.0.0.1", b->port);
	visitor_drop(wait_visitor(b));
	fd_closep(&fd);
}

TEST(strangers_of_many_addresses_do_not_fill_the_log)
{
	cleanup(bench_freep) struct bench *b = tcp_bench();

	for (int i = 0; i < 3 * REFUSALS_PER_MINUTE; i++) {
		cleanup(str_freep) char *from = xasprintf("127.0.2.%d", i + 1);
		int fd = connect_from(from, b->port);

		CHECK(is_called(b, PATIENCE_MS));
		CHECK_INT(accept_one(b), 0);
		fd_closep(&fd);
	}
	CHECK_INT(b->said.n, REFUSALS_PER_MINUTE);
}

TEST(accepting_never_waits)
{
	cleanup(bench_freep) struct bench *b = tcp_bench();

	CHECK(!is_called(b, 0));
	CHECK_INT(accept_one(b), 0);
}

TEST(a_visitor_that_is_dropped_sees_the_end)
{
	cleanup(bench_freep) struct bench *b = tcp_bench();
	cleanup(conn_closep) struct conn *c = client_from("127.0.0.1", b->port);

	visitor_drop(wait_visitor(b));
	visitor_drop(NULL);
	check_ends(c);
}

TEST(the_address_has_the_port_that_the_system_chose)
{
	cleanup(bench_freep) struct bench *b = tcp_bench();

	CHECK(strncmp(listener_address(b->l), "tcp [::]:", 9) == 0);
	CHECK(b->port > 0);
}

static void check_open_fails(const struct conf_serve *conf,
			     const struct conf_global *global, const char *want)
{
	const struct log quiet = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK(listener_open(conf, global, &quiet, &e) == NULL);
	if (!CHECK(strstr(err_msg(&e), want) != NULL))
		printf("# %s\n", err_msg(&e));
}

TEST(what_cannot_be_opened_says_why)
{
	cleanup(bench_freep) struct bench *b = tcp_bench();
	cleanup(str_freep) char *port = xasprintf("%u", b->port);
	struct conf_serve conf = b->conf;

	conf.listen = (struct conf_hostport){ "127.0.0.1", port };
	check_open_fails(&conf, &b->global, "Address already in use");
	conf.type = SERVE_TLS;
	conf.tls = (struct conf_tls){ "/nowhere/ca", "/nowhere/cert", "/nowhere/key" };
	check_open_fails(&conf, &b->global, "/nowhere/");
	conf.type = SERVE_STDINSERVER;
	conf.client_identities = (const char *[]){ "left" };
	conf.n_client_identities = 1;
	b->global.stdinserver_sockdir = "/nowhere";
	check_open_fails(&conf, &b->global, "/nowhere");
}

/* The lowest number that no descriptor has. */
static rlim_t next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return (rlim_t)fd;
}

TEST(out_of_descriptors_the_listener_rests_and_nobody_is_lost)
{
	cleanup(bench_freep) struct bench *b = tcp_bench();
	int fd = connect_from("127.0.0.1", b->port);
	struct rlimit before, none;

	CHECK(is_called(b, PATIENCE_MS));
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	none = (struct rlimit){ next_descriptor(), before.rlim_max };
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	CHECK_INT(accept_one(b), 0);
	CHECK(!is_called(b, 0)); /* or its owner would spin */
	CHECK(is_called(b, PATIENCE_MS));
	CHECK_INT(accept_one(b), 0); /* the pause is over */
	CHECK(is_called(b, PATIENCE_MS));
	CHECK_INT(accept_one(b), 0); /* another one begins */
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	visitor_drop(wait_visitor(b));
	fd_closep(&fd);
	CHECK(strstr(buf_str(&b->said.text),
		     "cannot accept connections: Too many open files"));
	CHECK_INT(b->said.n, 1);
}

/* ---- tls ---- */

struct client {
	struct thread thread;
	struct tls *tls;
	int fd;
	struct conn *conn;
};

static void shake_hands(void *arg)
{
	struct client *c = arg;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	ctx_set_timeout(ctx, PATIENCE_MS);
	c->conn = tls_handshake(ctx, c->tls, c->fd, "server", &e);
	CHECK_STR(err_msg(&e), "no error");
}

struct admission {
	struct thread thread;
	struct visitor *visitor;
	struct conn *conn;
};

static void admit(void *arg)
{
	struct admission *a = arg;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	a->conn = visitor_admit(ctx, a->visitor, &e);
	CHECK_STR(err_msg(&e), "no error");
}

TEST(several_visitors_are_admitted_at_once_over_tls)
{
	enum { N = 4 };
	cleanup(bench_freep) struct bench *b = tls_bench(PATIENCE_MS);
	cleanup(str_freep) char *ca = certs_file("alice.crt");
	cleanup(str_freep) char *cert = certs_file("bob.crt");
	cleanup(str_freep) char *key = certs_file("bob.key");
	const struct conf_connect conf = { .type = CONNECT_TLS,
					   .tls = { ca, cert, key },
					   .server_cn = "alice" };
	struct tls *tls = tls_client_new(&conf, &b->log);
	struct admission a[N] = { 0 };
	struct client c[N] = { 0 };

	CHECK(strncmp(listener_address(b->l), "tls 127.0.0.1:", 14) == 0);
	for (size_t i = 0; i < N; i++) {
		c[i].tls = tls;
		c[i].fd = connect_from("127.0.0.1", b->port);
		a[i].visitor = wait_visitor(b);
		CHECK_STR(visitor_origin(a[i].visitor), "127.0.0.1");
	}
	for (size_t i = 0; i < N; i++)
		thread_start(&a[i].thread, "admit", admit, &a[i]);
	for (size_t i = 0; i < N; i++)
		thread_start(&c[i].thread, "client", shake_hands, &c[i]);
	for (size_t i = 0; i < N; i++) {
		thread_join(&a[i].thread);
		thread_join(&c[i].thread);
		if (!CHECK(a[i].conn && c[i].conn))
			continue;
		CHECK_STR(conn_identity(a[i].conn), "bob");
		check_writes(c[i].conn, "hello");
		check_reads(a[i].conn, "hello");
		conn_close(c[i].conn);
		conn_close(a[i].conn);
	}
	tls_free(tls);
}

static void check_not_admitted(const struct bench *b, struct ctx *ctx, enum err_kind kind)
{
	cleanup(conn_closep) struct conn *c = client_from("127.0.0.1", b->port);
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK(visitor_admit(ctx, wait_visitor(b), &e) == NULL);
	CHECK_INT(e.kind, kind);
	check_ends(c);
}

TEST(a_visitor_that_says_nothing_is_given_up)
{
	cleanup(bench_freep) struct bench *soon = tls_bench(1);
	cleanup(bench_freep) struct bench *at_once = tls_bench(0);
	cleanup(bench_freep) struct bench *late = tls_bench(INT64_MAX / 2);
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(ctx_freep) struct ctx *stopped = ctx_new(NULL);
	cleanup(ctx_freep) struct ctx *bounded = ctx_new(NULL);

	check_not_admitted(soon, ctx, ERR_TIMEOUT);
	check_not_admitted(at_once, ctx, ERR_TIMEOUT);
	ctx_cancel(stopped);
	check_not_admitted(late, stopped, ERR_CANCELLED);
	ctx_set_timeout(bounded, 1);
	check_not_admitted(late, bounded, ERR_TIMEOUT);
}

/* ---- stdinserver ---- */

struct proxy {
	struct thread thread;
	const char *dir, *identity;
	int in, out;
	int result;
};

static void run_proxy(void *arg)
{
	struct proxy *p = arg;
	cleanup(err_clear) struct err e = ERR_INIT;

	p->result = stdinserver_proxy(p->dir, p->identity, p->in, p->out, &e);
	CHECK_STR(err_msg(&e), "no error");
	fd_closep(&p->in);
	fd_closep(&p->out);
}

/* What ssh would be at the other end, with its greeting said in advance. */
static struct conn *start_proxy(struct proxy *p, const struct bench *b,
				const char *identity)
{
	int fds[2];
	struct conn *c;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) ==
	      0);
	*p = (struct proxy){ .dir = b->dir, .identity = identity, .in = fds[0] };
	p->out = dup(fds[0]);
	thread_start(&p->thread, "proxy", run_proxy, p);
	c = conn_of_fds(fds[1], fds[1], "daemon", NULL);
	CHECK(write(fds[1], ssh_begin, SSH_GREETING_LEN) == SSH_GREETING_LEN);
	return c;
}

TEST(each_proxy_socket_stands_for_its_identity)
{
	const char *const identities[] = { "right", "left" };
	cleanup(bench_freep) struct bench *b = stdinserver_bench();

	for (size_t i = 0; i < ARRAY_LEN(identities); i++) {
		cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
		cleanup(err_clear) struct err e = ERR_INIT;
		struct proxy p;
		struct conn *c = start_proxy(&p, b, identities[i]);
		struct visitor *v = wait_visitor(b);
		struct conn *s;
		char hello[SSH_GREETING_LEN];

		CHECK_STR(visitor_origin(v), identities[i]);
		ctx_set_timeout(ctx, PATIENCE_MS);
		s = visitor_admit(ctx, v, &e);
		CHECK_STR(err_msg(&e), "no error");
		REQUIRE(s != NULL);
		CHECK_STR(conn_identity(s), identities[i]);
		CHECK_INT(conn_read_all(ctx, c, hello, sizeof(hello), &e), 0);
		CHECK(memcmp(hello, ssh_hello, sizeof(hello)) == 0);
		check_writes(s, "banner");
		check_reads(c, "banner");
		conn_close(s);
		thread_join(&p.thread);
		CHECK_INT(p.result, 0);
		check_ends(c);
		conn_close(c);
	}
}

TEST(sockets_are_gone_when_the_listener_is_closed)
{
	struct bench *b = stdinserver_bench();
	char *path = xasprintf("%s/left", b->dir);
	struct stat st;

	CHECK(strncmp(listener_address(b->l), "stdinserver /tmp/", 17) == 0);
	CHECK(stat(path, &st) == 0 && S_ISSOCK(st.st_mode));
	free(path);
	bench_free(b); /* which removes the directory */
}

TEST(a_listener_that_fails_to_open_leaves_no_sockets_behind)
{
	static const char *const identities[] = { "left", "right" };
	cleanup(bench_freep) struct bench *b = xcalloc(1, sizeof(*b));
	cleanup(str_freep) char *right = NULL, *left = NULL;

	make_sockdir(b);
	right = xasprintf("%s/right", b->dir);
	left = xasprintf("%s/left", b->dir);
	CHECK(mkdir(right, 0700) == 0);
	b->conf = (struct conf_serve){
		.type = SERVE_STDINSERVER,
		.client_identities = (const char **)identities,
		.n_client_identities = ARRAY_LEN(identities),
	};
	check_open_fails(&b->conf, &b->global, "right");
	CHECK(access(left, F_OK) < 0 && errno == ENOENT);
	CHECK(rmdir(right) == 0);
}

__attribute__((constructor)) static void ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
}

TEST_MAIN()
