/*
 * control_io.h - the connection under an engine (h2_client.h, h2_server.h): bytes in,
 * bytes out, and the time.
 *
 * One thread owns it, and takes turns: first it does what it has to do with the engine,
 * then control_io_turn() moves bytes, or waits until there is something to do.
 */
#ifndef RPC_CONTROL_IO_H
#define RPC_CONTROL_IO_H

#include "base/buf.h"
#include "base/wake.h"
#include "net/conn.h"

struct control_engine {
	int (*feed)(void *h2, const void *p, size_t n, int64_t now, struct err *err);
	struct view (*output)(void *h2);
	void (*sent)(void *h2, size_t n);
	int (*tick)(void *h2, int64_t now, int64_t *next, struct err *err);
	bool (*is_choked)(void *h2);
};

struct control_io {
	struct conn *conn;
	void *h2;
	const struct control_engine *engine;
	struct wake *wake; /* of the owner; cleared by each wait */
	bool peer_ended;
	char in[16 * 1024];
};

/*
 * Waits until `until` at most, and not at all when it has read something.  0, also when
 * the peer's end has come, which is then told by ->peer_ended; -1: the connection, the
 * engine, ctx.
 */
int control_io_turn(struct ctx *ctx, struct control_io *io, int64_t until,
		    struct err *err) must_check;

/* The last words, and our end; as far as that goes within ms, and no word if not. */
void control_io_farewell(struct control_io *io, int64_t ms);

#endif
