/*
 * tls_impl.h - what these share:
 *
 *	tls.c         one side, and the handshake
 *	tls_files.c   its files, read again when they change
 *	tls_verify.c  is this certificate good, and whose is it?
 *	tls_error.c   what OpenSSL has to say, for people
 *	tls_conn.c    a connection after its handshake
 */
#ifndef NET_TLS_IMPL_H
#define NET_TLS_IMPL_H

#include "base/log.h"
#include "net/conn_impl.h"
#include "net/tls.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/types.h>

static inline void tls_ssl_freep(SSL **ssl)
{
	SSL_free(*ssl);
}

static inline void tls_context_freep(SSL_CTX **c)
{
	SSL_CTX_free(*c);
}

/* By what a change of a file is noticed. */
struct tls_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
	int error; /* errno: there is no such file, say */
};

enum { TLS_FILES = 3 }; /* ca, cert, key */

struct tls {
	bool is_server;
	struct conf_tls files;
	const char *server_cn;     /* client */
	const char *server_cn_key; /* how messages call it */
	const char **client_cns;   /* server */
	size_t n_client_cns;
	int64_t timeout_ms; /* of a handshake */
	struct log log;

	pthread_mutex_t lock;             /* of all below */
	SSL_CTX *context;                 /* NULL: nothing good has been read yet */
	struct tls_stamp good[TLS_FILES]; /* what it was made of */
	struct tls_stamp bad[TLS_FILES];  /* what was of no use, and has been logged */
};

/* What one handshake finds out.  It is the SSL's app data meanwhile. */
struct tls_admission {
	const struct tls *tls;
	char *refusal;  /* why the peer's certificate is not accepted; owned */
	char *identity; /* server: whose it is; owned */
};

/* ---- tls_files.c ---- */

/* Made of the files as they are now, or of the last good ones.  The caller's. */
SSL_CTX *tls_context(struct tls *t, struct err *err) must_check;

/* ---- tls_verify.c ---- */

/* For SSL_CTX_set_cert_verify_callback(). */
int tls_verify(X509_STORE_CTX *store, void *arg);
/* "CN = backup1, O = x", "2031-01-31 12:00:00 UTC"; printable whatever the peer put
 * there. */
char *tls_name_text(const X509_NAME *name) must_check;
char *tls_time_text(const ASN1_TIME *t) must_check;
/* Without the brackets of an IPv6 address and the dot at the end of a name. */
char *tls_server_name(const char *server_cn, bool *is_address) must_check;

/* ---- tls_error.c ---- */

/*
 * Call it at once, with what the SSL function has returned and is no wish to wait:
 * errno, OpenSSL's queue (which is empty afterwards) and, during a handshake, what has
 * been found out about the peer become an error.
 */
void tls_explain(const SSL *ssl, int returned, const struct tls_admission *a,
		 struct err *err);
/* All there is in the queue, which is empty afterwards. */
char *tls_queue_text(void) must_check;

/* ---- tls_conn.c ---- */

/* Takes all but peer. */
struct conn *tls_conn_new(SSL *ssl, int fd, const char *peer, char *identity) must_check;

#endif
