/*
 * stdinserver.h - the listening side of ssh+stdinserver: sshd, a proxy, and the daemon.
 *
 *	sshd -- stdin, stdout -- zrepl stdinserver IDENTITY -- SCM_RIGHTS --> daemon
 *
 * The proxy hands its standard input and output to the daemon over the Unix socket
 * SOCKDIR/IDENTITY, and waits until the daemon says (one byte 0) that it is done.  Who
 * may connect to the socket is trusted; so the directory must be closed to others.
 *
 * The proxy keeps its stdin and stdout until then, so the daemon's half-close reaches
 * nobody: the other side reads an end only when the daemon has closed the connection.
 */
#ifndef NET_STDINSERVER_H
#define NET_STDINSERVER_H

#include "net/conn.h"

enum { SSH_GREETING_LEN = 31 };
extern const char ssh_hello[SSH_GREETING_LEN];       /* SSHCON_HELO */
extern const char ssh_proxy_error[SSH_GREETING_LEN]; /* SSHCON_PROXY_ERROR */
extern const char ssh_begin[SSH_GREETING_LEN];       /* SSHCON_BEGIN */

/*
 * A listening non-blocking socket SOCKDIR/IDENTITY.  Fails if the directory is missing or
 * open to others (mode & 0007), or something else than a socket is in the way; an old
 * socket is replaced.
 */
int stdinserver_listen(const char *sockdir, const char *identity, struct err *err)
	must_check;
void stdinserver_unlink(const char *sockdir, const char *identity);
/*
 * Takes fd, accepted from such a socket: two descriptors arrive, greetings go both ways.
 * ERR_PROTOCOL: others than two, which are closed; ERR_NETWORK, ERR_SYSTEM, ctx done.
 */
struct conn *stdinserver_admit(struct ctx *ctx, int fd, const char *identity,
			       struct err *err) must_check;

/*
 * The proxy: in and out are its standard input and output, which become non-blocking.
 * 0: the daemon was done.  On failure out has got the proxy error, if that could still
 * help.  ERR_INVALID: not an identity.  Waits for as long as somebody reads out.
 */
int stdinserver_proxy(const char *sockdir, const char *identity, int in, int out,
		      struct err *err) must_check;

#endif
