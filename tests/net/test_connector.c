#include "net/connector.h"

#include "base/thread.h"
#include "certs.h"
#include "loopback.h"
#include "net/listener.h"
#include "talk.h"
#include "tap.h"

#include <errno.h>

static const struct log quiet;

static struct conf_connect tcp_to(const char *host, const char *port)
{
	return (struct conf_connect){ .type = CONNECT_TCP,
				      .dial_timeout_ms = PATIENCE_MS,
				      .address = { host, port } };
}

TEST(a_target_reads_as_it_is_configured)
{
	const struct conf_connect ssh = { .type = CONNECT_SSH,
					  .ssh_user = "root",
					  .ssh_host = "backup1",
					  .ssh_port = 22 };
	const struct {
		struct conf_connect conf;
		const char *want;
	} rows[] = {
		{ tcp_to("backup1", "8888"), "tcp backup1:8888" },
		{ tcp_to("fe80::1%eth0", "8888"), "tcp [fe80::1%eth0]:8888" },
		{ ssh, "ssh+stdinserver root@backup1:22" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct connector *c = connector_new(&rows[i].conf, &quiet);

		CHECK_STR(connector_target(c), rows[i].want);
		connector_free(c);
	}
	connector_free(NULL);
}

static char *port_text(const struct sockaddr_in *at)
{
	return xasprintf("%u", ntohs(at->sin_port));
}

TEST(dials_over_tcp)
{
	struct sockaddr_in at;
	cleanup(fd_closep) int l = loopback_listen(1, &at);
	cleanup(str_freep) char *port = port_text(&at), *peer = NULL;
	const struct conf_connect conf = tcp_to("127.0.0.1", port);
	cleanup(connector_freep) struct connector *c = connector_new(&conf, &quiet);
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(conn_closep) struct conn *a = NULL, *b = NULL;
	struct err e = ERR_INIT;
	int fd;

	a = connector_dial(ctx, c, &e);
	REQUIRE(a != NULL);
	fd = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	b = conn_of_fds(fd, fd, "client", NULL);
	peer = xasprintf("127.0.0.1:%s", port);
	CHECK_STR(conn_peer(a), peer);
	CHECK(conn_identity(a) == NULL);
	check_writes(a, "ping");
	check_reads(b, "ping");
	check_writes(b, "pong");
	check_reads(a, "pong");
}

TEST(a_dial_that_fails_names_its_target)
{
	struct sockaddr_in at;
	int l = loopback_listen(1, &at);
	cleanup(str_freep) char *port = port_text(&at), *want = NULL;
	const struct conf_connect conf = tcp_to("127.0.0.1", port);
	cleanup(connector_freep) struct connector *c = connector_new(&conf, &quiet);
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	fd_closep(&l);
	CHECK(connector_dial(ctx, c, &e) == NULL);
	CHECK_INT(e.kind, ERR_NETWORK);
	want = xasprintf("tcp 127.0.0.1:%s: connect to 127.0.0.1:%s: Connection refused",
			 port, port);
	CHECK_STR(err_msg(&e), want);
}

TEST(a_dial_ends_with_its_ctx)
{
	struct sockaddr_in at;
	int l = loopback_listen(1, &at);
	cleanup(str_freep) char *port = port_text(&at);
	const struct conf_connect conf = tcp_to("127.0.0.1", port);
	cleanup(connector_freep) struct connector *c = connector_new(&conf, &quiet);
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	ctx_cancel(ctx);
	CHECK(connector_dial(ctx, c, &e) == NULL);
	CHECK_INT(e.kind, ERR_CANCELLED);
	fd_closep(&l);
}

TEST(ssh_that_ends_is_told_with_what_it_said)
{
	const struct conf_connect conf = {
		.type = CONNECT_SSH,
		.dial_timeout_ms = PATIENCE_MS,
		.ssh_host = "backup1",
		.ssh_user = "root",
		.ssh_identity_file = "/nowhere/key",
		.ssh_command = "false",
		.ssh_port = 22,
	};
	cleanup(connector_freep) struct connector *c = connector_new(&conf, &quiet);
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK(connector_dial(ctx, c, &e) == NULL);
	CHECK_INT(e.kind, ERR_CHILD);
	CHECK(strncmp(err_msg(&e), "ssh+stdinserver root@backup1:22: ", 33) == 0);
}

/* ---- tls ---- */

/* alice serves bob; see make-certs. */
struct server {
	char *ca, *cert, *key, *port;
	const char *cns[1];
	struct conf_serve conf;
	struct listener *l;
	struct thread thread;
	struct conn *conn;
};

static struct server *server_new(void)
{
	struct server *s = xcalloc(1, sizeof(*s));
	const struct conf_global global = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;

	s->ca = certs_file("bob.crt");
	s->cert = certs_file("alice.crt");
	s->key = certs_file("alice.key");
	s->cns[0] = "bob";
	s->conf = (struct conf_serve){
		.type = SERVE_TLS,
		.listen = { "127.0.0.1", "0" },
		.tls = { s->ca, s->cert, s->key },
		.client_cns = s->cns,
		.n_client_cns = 1,
		.handshake_timeout_ms = PATIENCE_MS,
	};
	s->l = listener_open(&s->conf, &global, &quiet, &e);
	if (!s->l) {
		printf("# %s\n", err_msg(&e));
		abort();
	}
	s->port = xstrdup(strrchr(listener_address(s->l), ':') + 1);
	return s;
}

static void server_free(struct server *s)
{
	conn_close(s->conn);
	listener_close(s->l);
	free(s->ca);
	free(s->cert);
	free(s->key);
	free(s->port);
	free(s);
}
DEFINE_CLEANUP(server_free, struct server *);

static void serve_one(void *arg)
{
	struct server *s = arg;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	struct pollfd p = { listener_fd(s->l), POLLIN, 0 };
	struct visitor *v = NULL;

	ctx_set_timeout(ctx, PATIENCE_MS);
	CHECK(ctx_poll(ctx, &p, 1, -1, &e) == 1);
	if (CHECK(listener_accept(s->l, &v, &e) == 1))
		s->conn = visitor_admit(ctx, v, &e);
}

struct tls_client {
	char *ca, *cert, *key;
	struct conf_connect conf;
	struct connector *connector;
};

static struct tls_client *client_new(const char *port, const char *ca, const char *key)
{
	struct tls_client *c = xcalloc(1, sizeof(*c));

	c->ca = certs_file(ca);
	c->cert = certs_file("bob.crt");
	c->key = certs_file(key);
	c->conf = tcp_to("127.0.0.1", port);
	c->conf.type = CONNECT_TLS;
	c->conf.tls = (struct conf_tls){ c->ca, c->cert, c->key };
	c->conf.server_cn = "alice";
	c->connector = connector_new(&c->conf, &quiet);
	return c;
}

static void client_free(struct tls_client *c)
{
	connector_free(c->connector);
	free(c->ca);
	free(c->cert);
	free(c->key);
	free(c);
}
DEFINE_CLEANUP(client_free, struct tls_client *);

TEST(dials_over_tls)
{
	cleanup(server_freep) struct server *s = server_new();
	cleanup(client_freep) struct tls_client *c =
		client_new(s->port, "alice.crt", "bob.key");
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(conn_closep) struct conn *conn = NULL;
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK(strncmp(connector_target(c->connector), "tls 127.0.0.1:", 14) == 0);
	thread_start(&s->thread, "server", serve_one, s);
	conn = connector_dial(ctx, c->connector, &e);
	thread_join(&s->thread);
	CHECK_STR(err_msg(&e), "no error");
	REQUIRE(conn && s->conn);
	CHECK_STR(conn_identity(s->conn), "bob");
	check_writes(conn, "ping");
	check_reads(s->conn, "ping");
	check_finishes(s->conn);
	check_ends(conn);
}

TEST(a_server_with_the_wrong_certificate_is_not_talked_to)
{
	cleanup(server_freep) struct server *s = server_new();
	cleanup(client_freep) struct tls_client *c =
		client_new(s->port, "root.crt", "bob.key");
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	thread_start(&s->thread, "server", serve_one, s);
	CHECK(connector_dial(ctx, c->connector, &e) == NULL);
	thread_join(&s->thread);
	CHECK_INT(e.kind, ERR_DENIED);
	CHECK(s->conn == NULL);
}

TEST(files_of_no_use_are_named)
{
	cleanup(server_freep) struct server *s = server_new();
	cleanup(client_freep) struct tls_client *c =
		client_new(s->port, "alice.crt", "missing.key");
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK(connector_dial(ctx, c->connector, &e) == NULL);
	CHECK(strstr(err_msg(&e), "missing.key") != NULL);
}

TEST(a_server_that_does_not_speak_tls_is_given_up_with_the_ctx)
{
	struct sockaddr_in at;
	int l = loopback_listen(1, &at);
	cleanup(str_freep) char *port = port_text(&at);
	cleanup(client_freep) struct tls_client *c =
		client_new(port, "alice.crt", "bob.key");
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	ctx_set_timeout(ctx, 20);
	CHECK(connector_dial(ctx, c->connector, &e) == NULL);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	fd_closep(&l);
}

TEST_MAIN()
