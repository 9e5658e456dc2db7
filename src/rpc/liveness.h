/*
 * liveness.h - the clocks of a bulk connection (sans I/O; all times are now_ms()).
 *
 *	heartbeat   5 s after the last frame that we have completed: send one, unless
 *	            another frame is on its way and would have to be completed first
 *	read        10 s without a byte, while we do want to read: the peer is dead
 *	write       10 s without a byte going out, while we have something to write; each
 *	            heartbeat that arrives renews it, so that slow is not dead
 *
 * Time in which we do not read, because our own consumer is slow, never counts against
 * the peer.  The numbers are the protocol's, and not to be configured.
 */
#ifndef RPC_LIVENESS_H
#define RPC_LIVENESS_H

#include "base/base.h"

enum { LIVENESS_HEARTBEAT_MS = 5000, LIVENESS_IDLE_MS = 10000 };

enum liveness_due {
	LIVENESS_NOTHING,
	LIVENESS_SEND_HEARTBEAT,
	LIVENESS_READ_TIMEOUT,
	LIVENESS_WRITE_TIMEOUT,
};

struct liveness {
	int64_t sent;        /* last frame completed */
	int64_t read_since;  /* waiting for a byte; -1: not reading */
	int64_t write_since; /* waiting to get one out; -1: nothing to write */
};

void liveness_start(struct liveness *l, int64_t now);
void liveness_sent_frame(struct liveness *l, int64_t now);
void liveness_reading(struct liveness *l, bool reading, int64_t now);
void liveness_writing(struct liveness *l, bool writing, int64_t now);
void liveness_read_bytes(struct liveness *l, int64_t now);
void liveness_wrote_bytes(struct liveness *l, int64_t now);
void liveness_got_heartbeat(struct liveness *l, int64_t now);

enum liveness_due liveness_due(const struct liveness *l, int64_t now);
int64_t liveness_next(const struct liveness *l); /* when to ask again */

#endif
