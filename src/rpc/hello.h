/*
 * hello.h - the first bytes of every connection: the version banner, and the label.
 *
 *	both ways      banner   "0000000056 ZREPL_ZFS_REPLICATION PROTOVERSION=0007"
 *	                        " EXTENSIONS=0000\n": ten digits say how long the rest is
 *	dialler only   label    64 bytes, NUL-padded: zrepl_control or zrepl_data
 *
 * Versions must be equal, extensions are ignored.  Exactly the bytes of a banner and a
 * label are read, never one more: what follows belongs to the next layer.
 *
 * The dialler sends its banner and label in one piece: a passive side that does one
 * connection after the other waits for nobody but us.
 */
#ifndef RPC_HELLO_H
#define RPC_HELLO_H

#include "base/buf.h"
#include "conf/env.h"
#include "net/conn.h"

enum hello_label { HELLO_CONTROL, HELLO_DATA };

enum {
	HELLO_VERSION = 7,
	HELLO_HEAD_LEN = 11, /* length field and blank */
	HELLO_BODY_MAX = 16 * 4096,
	HELLO_LABEL_LEN = 64,
};

/* ---- the bytes ---- */

void hello_put_banner(struct buf *out);
void hello_put_label(struct buf *out, enum hello_label label);
/* How long the body is, from the first HELLO_HEAD_LEN bytes.  ERR_PROTOCOL. */
int hello_parse_head(const char *head, size_t *body_len, struct err *err) must_check;
/* ERR_PROTOCOL: no banner, or another version, which the message names. */
int hello_parse_body(struct view body, struct err *err) must_check;
int hello_parse_label(const char *label, enum hello_label *out, struct err *err)
	must_check;

/* ---- on a connection ---- */

/*
 * ERR_TIMEOUT when the peer takes longer than env says (10 s each for banner and label;
 * the dialler's banner: rpc_client_handshake_ms).
 */
int hello_dial(struct ctx *ctx, struct conn *c, enum hello_label label,
	       const struct env *env, struct err *err) must_check;
int hello_accept(struct ctx *ctx, struct conn *c, const struct env *env,
		 enum hello_label *label, struct err *err) must_check;

#endif
