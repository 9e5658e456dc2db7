/*
 * connector.h - the active end of a transport: dial.
 *
 * One connector per job that connects; every connection is dialled anew.  Certificates
 * are read again when their files change, as in listener.h.
 *
 * Thread safety: connector_dial() may be called by several threads at once.
 */
#ifndef NET_CONNECTOR_H
#define NET_CONNECTOR_H

#include "conf/config.h"
#include "net/conn.h"

struct connector;

/* Touches neither the network nor a file.  All borrowed.  conf->type is not
 * CONNECT_LOCAL. */
struct connector *connector_new(const struct conf_connect *conf, const struct log *log)
	must_check;
void connector_free(struct connector *c); /* NULL is fine; no dial is under way */
DEFINE_CLEANUP(connector_free, struct connector *);

/* "tcp backup1:8888", for messages; borrowed. */
const char *connector_target(const struct connector *c);

/*
 * Connected, and the transport's handshake done: what follows is the first byte of the
 * banner.  dial_timeout bounds the connection (and for ssh all of it), ctx everything.
 * NULL with ERR_NETWORK, ERR_TIMEOUT; ERR_DENIED (certificates), ERR_INVALID, ERR_CHILD
 * (ssh, with its stderr).  Addresses of a name are tried in turn.
 */
struct conn *connector_dial(struct ctx *ctx, struct connector *c, struct err *err)
	must_check;

#endif
