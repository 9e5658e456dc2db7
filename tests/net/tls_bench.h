/*
 * tls_bench.h - for tests: two sides of TLS in one process.
 */
#ifndef TLS_BENCH_H
#define TLS_BENCH_H

#include "base/buf.h"
#include "base/thread.h"
#include "certs.h"
#include "log_text.h"
#include "loopback.h"
#include "net/tls_impl.h"
#include "talk.h"

__attribute__((constructor)) static inline void ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
}

/* ---- a side ---- */

struct side {
	char *ca, *cert, *key;
	const char *cns[4];
	struct conf_serve serve;
	struct conf_connect connect;
	struct tls *tls;
	struct log_text said;
	struct log log;
};

/* cert: "client.chain"; its key is client.key. */
static inline struct side *side_new(const char *ca, const char *cert)
{
	struct side *s = xcalloc(1, sizeof(*s));
	cleanup(str_freep) char *key =
		xasprintf("%.*s.key", (int)strcspn(cert, "."), cert);

	s->ca = certs_file(ca);
	s->cert = certs_file(cert);
	s->key = certs_file(key);
	s->serve.tls = s->connect.tls = (struct conf_tls){ s->ca, s->cert, s->key };
	s->log = log_text_log(&s->said);
	return s;
}

static inline struct side *server_new(const char *ca, const char *cert, const char *cn)
{
	struct side *s = side_new(ca, cert);

	s->cns[0] = "somebody";
	s->cns[1] = cn;
	s->serve.client_cns = s->cns;
	s->serve.n_client_cns = 2;
	s->serve.handshake_timeout_ms = PATIENCE_MS;
	s->tls = tls_server_new(&s->serve, &s->log);
	return s;
}

static inline struct side *client_new(const char *ca, const char *cert, const char *name)
{
	struct side *s = side_new(ca, cert);

	s->connect.server_cn = name;
	s->tls = tls_client_new(&s->connect, &s->log);
	return s;
}

static inline void side_free(struct side *s)
{
	tls_free(s->tls);
	log_text_free(&s->said);
	free(s->ca);
	free(s->cert);
	free(s->key);
	free(s);
}
DEFINE_CLEANUP(side_free, struct side *);

/* From now on, as long as its files do not change. */
static inline void side_limit(struct side *s, int version)
{
	struct err e = ERR_INIT;
	SSL_CTX *c = tls_context(s->tls, &e);

	CHECK(c && SSL_CTX_set_max_proto_version(c, version));
	SSL_CTX_free(c);
}

/* ---- both ---- */

struct pair {
	struct conn *server, *client;
	struct err server_err, client_err; /* where there is none */
	int server_fd, client_fd;          /* the conns' own */
};

static inline void pair_fini(struct pair *p)
{
	conn_close(p->server);
	conn_close(p->client);
	err_clear(&p->server_err);
	err_clear(&p->client_err);
}

struct greeter {
	struct thread thread;
	struct side *side;
	int fd;
	struct pair *pair;
};

/* A server's refusal reaches a client of TLS 1.3 with the first bytes: so there are some.
 */
static inline void greet(void *arg)
{
	struct greeter *g = arg;
	struct pair *p = g->pair;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	ctx_set_timeout(ctx, PATIENCE_MS);
	p->server = tls_handshake(ctx, g->side->tls, g->fd, "client", &p->server_err);
	if (p->server && conn_write_all(ctx, p->server, "!", 1, &p->server_err) < 0) {
		conn_close(p->server);
		p->server = NULL;
	}
}

/* Takes both descriptors. */
static inline struct pair pair_over(struct side *server, struct side *client,
				    int server_fd, int client_fd)
{
	struct pair p = { .server_err = ERR_INIT,
			  .client_err = ERR_INIT,
			  .server_fd = server_fd,
			  .client_fd = client_fd };
	struct greeter g = { .side = server, .fd = server_fd, .pair = &p };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	char byte;

	ctx_set_timeout(ctx, PATIENCE_MS);
	thread_start(&g.thread, "server", greet, &g);
	p.client = tls_handshake(ctx, client->tls, client_fd, "server", &p.client_err);
	if (p.client && conn_read_all(ctx, p.client, &byte, 1, &p.client_err) < 0) {
		conn_close(p.client);
		p.client = NULL;
	}
	thread_join(&g.thread);
	return p;
}

static inline struct pair pair_new(struct side *server, struct side *client)
{
	int a, b;

	loopback_pair(&a, &b);
	return pair_over(server, client, a, b);
}

/* Two machines that trust each other, connected.  pair_fini(). */
static inline struct pair good_pair_over(int version, int server_fd, int client_fd)
{
	cleanup(side_freep) struct side *server =
		server_new("bob.crt", "alice.crt", "bob");
	cleanup(side_freep) struct side *client =
		client_new("alice.crt", "bob.crt", "alice");
	struct pair p;

	if (version)
		side_limit(client, version);
	p = pair_over(server, client, server_fd, client_fd);
	CHECK_STR(err_msg(&p.server_err), "no error");
	CHECK_STR(err_msg(&p.client_err), "no error");
	if (!p.server || !p.client)
		abort(); /* nothing can be tested on it */
	return p;
}

static inline struct pair good_pair(int version)
{
	int a, b;

	loopback_pair(&a, &b);
	return good_pair_over(version, a, b);
}

#endif
