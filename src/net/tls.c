#include "net/tls_impl.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/*
	 * A client's, which dial_timeout does not cover: as long as a banner may take by
	 * default.  A peer that is silent would keep us for ever.
	 */
	CLIENT_HANDSHAKE_MS = 10000,
	/* Of what a peer that we refuse may still send before it has read why. */
	FAREWELL_MS = 1000,
	FAREWELL_BYTES = 64 * 1024,
};

struct tls *tls_server_new(const struct conf_serve *conf, const struct log *log)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	t->is_server = true;
	t->files = conf->tls;
	t->client_cns = conf->client_cns;
	t->n_client_cns = conf->n_client_cns;
	t->timeout_ms = conf->handshake_timeout_ms;
	t->log = *log;
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

struct tls *tls_client_new(const struct conf_connect *conf, const struct log *log)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	t->files = conf->tls;
	t->server_cn = conf->server_cn;
	t->server_cn_key = conf->server_cn_key ? conf->server_cn_key : "server_cn";
	t->timeout_ms = CLIENT_HANDSHAKE_MS;
	t->log = *log;
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->context);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static SSL *new_ssl(struct tls *t, int fd, struct tls_admission *a, struct err *err)
{
	cleanup(tls_context_freep) SSL_CTX *context = tls_context(t, err);
	cleanup(tls_ssl_freep) SSL *ssl = NULL;
	cleanup(str_freep) char *name = NULL;
	bool is_address;

	if (!context)
		return NULL;
	ERR_clear_error();
	ssl = SSL_new(context);
	if (!ssl || !SSL_set_fd(ssl, fd) || !SSL_set_app_data(ssl, a))
		goto failed;
	if (t->is_server) {
		SSL_set_accept_state(ssl);
		return TAKE(ssl);
	}
	SSL_set_connect_state(ssl);
	name = tls_server_name(t->server_cn, &is_address);
	/* RFC 6066: no address there. */
	if (is_address || SSL_set_tlsext_host_name(ssl, name))
		return TAKE(ssl);
failed:
	name = tls_queue_text();
	err_set(err, ERR_INTERNAL, "%s", name);
	return NULL;
}

static int shake_hands(struct ctx *ctx, SSL *ssl, int fd, const struct tls_admission *a,
		       struct err *err)
{
	struct pollfd p = { .fd = fd };

	for (;;) {
		int r;

		/* A peer that sends byte by byte does not put off the deadline. */
		if (ctx_done(ctx))
			return ctx_poll(ctx, NULL, 0, 0, err);
		ERR_clear_error();
		r = SSL_do_handshake(ssl);
		if (r == 1)
			return 0;
		switch (SSL_get_error(ssl, r)) {
		case SSL_ERROR_WANT_READ:
			p.events = POLLIN;
			break;
		case SSL_ERROR_WANT_WRITE:
			p.events = POLLOUT;
			break;
		default:
			tls_explain(ssl, r, a, err);
			return -1;
		}
		if (ctx_poll(ctx, &p, 1, -1, err) < 0)
			return -1;
	}
}

/*
 * We have said what we do not like.  To close with input unread would be a reset, which
 * takes our words from a peer that has not read them yet.
 */
static void let_read(struct ctx *ctx, int fd)
{
	cleanup(err_clear) struct err ignored = ERR_INIT;
	cleanup(ctx_freep) struct ctx *limited = ctx_new(ctx);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char bytes[4096];
	size_t n = 0;

	if (shutdown(fd, SHUT_WR) < 0)
		return;
	ctx_set_timeout(limited, FAREWELL_MS);
	while (n < FAREWELL_BYTES && ctx_poll(limited, &p, 1, -1, &ignored) > 0) {
		ssize_t r = read(fd, bytes, sizeof(bytes));

		if (r <= 0)
			return;
		n += (size_t)r;
	}
}

static void admission_fini(struct tls_admission *a)
{
	free(a->refusal);
	free(a->identity);
}

struct conn *tls_handshake(struct ctx *ctx, struct tls *t, int fd, const char *peer,
			   struct err *err)
{
	cleanup(fd_closep) int owned = fd;
	cleanup(ctx_freep) struct ctx *limited = ctx_new(ctx);
	cleanup(admission_fini) struct tls_admission a = { .tls = t };
	cleanup(tls_ssl_freep) SSL *ssl = NULL;

	ctx_set_timeout(limited, t->timeout_ms);
	ssl = new_ssl(t, fd, &a, err);
	if (!ssl)
		goto failed;
	if (shake_hands(limited, ssl, fd, &a, err) < 0) {
		if (err_is(err, ERR_DENIED) || err_is(err, ERR_PROTOCOL))
			let_read(limited, fd);
		goto failed;
	}
	if (t->is_server && !a.identity) { /* as long as nothing is ever resumed */
		err_set(err, ERR_INTERNAL, "nobody has looked at the certificate");
		goto failed;
	}
	SSL_set_app_data(ssl, NULL);
	return tls_conn_new(TAKE(ssl), take_fd(&owned), peer, TAKE(a.identity));
failed:
	err_wrap(err, "tls handshake with %s", peer);
	return NULL;
}
