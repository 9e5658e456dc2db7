/*
 * ssh.h - the dialling side of ssh+stdinserver: ssh(1) as a child is the connection.
 *
 *	ssh -p PORT -T -i FILE -o BatchMode=yes [-o OPTION]... USER@HOST
 *
 * with an empty environment, no shell and no remote command, since authorized_keys on the
 * other side names it.  Its standard input and output are the byte stream, after a
 * greeting of 31 NUL-padded bytes: SSHCON_HELO from the peer, SSHCON_BEGIN from us.
 *
 * An ssh that ends with another status than 0 is a lost connection (ERR_NETWORK, with the
 * status and what it said), never an end of input.  To tell them apart, the last read, or
 * a write that nobody takes, may wait up to a second for it.
 */
#ifndef NET_SSH_H
#define NET_SSH_H

#include "conf/config.h"
#include "net/conn.h"

/*
 * dial_timeout, and ctx, bound all of it.  ERR_NETWORK: ssh cannot connect (it exits with
 * 255, and its stderr is in the message), or the peer's stdinserver cannot reach its
 * daemon; ERR_CHILD: ssh ended otherwise; ERR_PROTOCOL: something else than a greeting,
 * which is shown (a login message, say).
 */
struct conn *ssh_dial(struct ctx *ctx, const struct conf_connect *conf, struct err *err)
	must_check;

#endif
