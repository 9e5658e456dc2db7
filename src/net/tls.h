/*
 * tls.h - TLS 1.2 and 1.3 on a connected socket, both sides with certificates.
 *
 * A struct tls is one side's files.  They are read when a handshake needs them and have
 * changed since; while new ones are of no use the old ones stay, and the log says so
 * once.
 *
 *	server   wants a client certificate that `ca` vouches for; the last common name of
 *	         its subject must be among client_cns, and is the identity
 *	client   wants a certificate that `ca` vouches for, with server_cn among its
 *	         subjectAltNames (names or addresses; the common name does not count)
 *
 * `ca` may hold the peer's own certificate, self-signed or not.  No session is resumed,
 * so a certificate that was taken out is out with the next connection.  Kernel TLS is
 * used where kernel and OpenSSL offer it.  ZREPL_KEYLOG_FILE is honoured.  Which ciphers
 * and how short a key will do is the system's policy (openssl.cnf).
 *
 * Thread safety: a struct tls may be used by several threads at once.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "conf/config.h"
#include "net/conn.h"

struct tls;

/* Borrowed until tls_free(). */
struct tls *tls_server_new(const struct conf_serve *conf, const struct log *log)
	must_check;
struct tls *tls_client_new(const struct conf_connect *conf, const struct log *log)
	must_check;
void tls_free(struct tls *t); /* no handshake is under way; its conns may live on */

/* Read the files now: ERR_INVALID, ERR_SYSTEM name the file and what is wrong with it. */
int tls_load(struct tls *t, struct err *err) must_check;

/*
 * Takes fd, which is connected and non-blocking.  ERR_DENIED: a certificate that is not
 * accepted, by us or by the peer, and why; ERR_NETWORK, ERR_TIMEOUT, ERR_PROTOCOL.  A
 * server that refuses us may say so only at the first read (TLS 1.3), with the same
 * errors.  Bounded by ctx, and on a server by handshake_timeout, on a client by 10 s.
 */
struct conn *tls_handshake(struct ctx *ctx, struct tls *t, int fd, const char *peer,
			   struct err *err) must_check;

/* Which way the kernel does the work, of a conn that tls_handshake() made. */
void tls_kernel(const struct conn *c, bool *sends, bool *receives);

#endif
