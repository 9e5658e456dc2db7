/*
 * control_client.h - ask the daemon, over its control socket.
 *
 * Speaks HTTP/1.0 (one request, the answer ends with the connection), which zrepl 0.7's
 * daemon understands as well.
 */
#ifndef CLI_CONTROL_CLIENT_H
#define CLI_CONTROL_CLIENT_H

#include "base/buf.h"
#include "base/ctx.h"

/*
 * POST body (JSON) to path; out gets the body of a 200 answer.  Other statuses are
 * ERR_REMOTE with the answer's text.  Answers are limited to 1 GiB, and to
 * 30 seconds of silence.
 */
int control_ask(struct ctx *ctx, const char *sockpath, const char *path, const char *body,
		struct buf *out, struct err *err) must_check;

#endif
