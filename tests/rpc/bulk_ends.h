/*
 * bulk_ends.h - what a bulk is tested with: pipes with somebody at the other end, and
 * peers that are written by hand, frame by frame.
 */
#ifndef BULK_ENDS_H
#define BULK_ENDS_H

#include "base/thread.h"
#include "rpc/bulk_io.h"

/* ---- pipes ---- */

struct ends {
	int r, w;
};

/* Both close-on-exec, the end that the bulk has non-blocking. */
struct ends pipe_to_read(void);
struct ends pipe_to_write(void);
struct ends socket_to_read(void); /* no kernel splices from one to another */
void ends_close(struct ends *e);

/* The n-th byte of what goes through. */
char nth(size_t n);
void put_nth(struct buf *out, size_t n);

/* A thread that writes n bytes of the pattern into fd, which it closes; n SIZE_MAX: as
 * long as somebody reads.  Or reads it to its end. */
struct writer {
	struct thread thread;
	int fd;
	size_t n;
};
void writer_start(struct writer *w, int fd, size_t n);

struct reader {
	struct thread thread;
	int fd;
	size_t first; /* what the first byte should be: nth(first) */
	size_t n;     /* read */
	bool is_right;
};
void reader_start(struct reader *r, int fd, size_t first);

/* ---- a peer by hand ---- */

struct peer {
	struct ctx *ctx;
	struct conn *c; /* NULL once it has hung up */
};

/* A bulk, and a peer at its other end.  clock: as bulk_start_at(). */
struct bulk *bulk_with_peer(struct peer *p, const atomic_int_fast64_t *clock);
void peer_fini(struct peer *p);

void peer_send(struct peer *p, const void *bytes, size_t n);
void peer_send_frame(struct peer *p, uint32_t type, const char *payload);
void peer_send_message(struct peer *p, enum frame_type type, const char *text);
void peer_finish(struct peer *p); /* half-closes */
void peer_hang_up(struct peer *p);

/* The next frame's type, its payload in `payload`; 0: the end of input instead. */
uint32_t peer_read(struct peer *p, struct buf *payload);
/* Returns when the bulk has taken all that was sent off the connection. */
void peer_wait_until_taken(struct peer *p);

/* ---- a user ---- */

/* bulk_close() in a thread of its own. */
struct closer {
	struct thread thread;
	struct bulk *b;
};
void closer_start(struct closer *c, struct bulk *b);

#endif
