/*
 * exchange.h - what is said on a bulk connection: one request, one answer.
 *
 *	-> FRAME_REQUEST_HEAD    "/v1/send", "/v1/recv" or "/v1/ping"
 *	-> FRAME_REQUEST         SendReq, ReceiveReq, PingReq
 *	-> stream                of /v1/recv
 *	<- FRAME_RESPONSE_HEAD   "HANDLER OK\n"
 *	                         "HANDLER ERROR:\n" and why: nothing follows
 *	<- FRAME_RESPONSE        SendRes, ReceiveRes, PingRes
 *	<- stream                of /v1/send, always
 *
 * Pure.
 */
#ifndef RPC_EXCHANGE_H
#define RPC_EXCHANGE_H

#include "base/buf.h"
#include "base/err.h"

#define EXCHANGE_SEND "/v1/send"
#define EXCHANGE_RECV "/v1/recv"
#define EXCHANGE_PING "/v1/ping"

void exchange_put_ok(struct buf *head);
/* Made UTF-8, and cut to what a peer accepts: one of version 0.7 hangs on more. */
void exchange_put_error(struct buf *head, const char *why);
/* 0: ok.  ERR_REMOTE: an error, with its text; ERR_PROTOCOL. */
int exchange_get_head(struct view head, struct err *err) must_check;

#endif
