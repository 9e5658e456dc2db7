/*
 * conn.h - a byte stream to a peer, over whatever transport.
 *
 * Never blocks: what cannot be done at once is CONN_AGAIN, and the owner waits with
 * conn_poll() for what it needs.  So one thread can read, write, keep time and watch
 * other descriptors of its own in one loop, and no single blocked write keeps it from
 * reading.  SIGPIPE must be ignored or blocked.
 *
 *	conn_read          bytes into memory
 *	conn_splice        bytes into a pipe, past our memory where the kernel can
 *	conn_write         bytes from memory
 *	conn_splice_from   bytes from a pipe, past our memory
 *	conn_finish        half-close: the peer reads a clean end after the last byte
 *
 * An end of input without the transport's own farewell (TLS without close_notify) is an
 * error, never an end.  Lost and refused connections are ERR_NETWORK, silence is
 * ERR_TIMEOUT and for whoever keeps time to say; a peer that breaks the transport's rules
 * is ERR_PROTOCOL.
 *
 * Thread safety: a conn belongs to one thread at a time.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/ctx.h"

#include <sys/uio.h>

struct conn;

enum conn_result {
	CONN_OK,
	CONN_AGAIN,  /* the connection would block */
	CONN_END,    /* reading only: the peer will send no more */
	CONN_FAILED, /* see err; only close() is of use now */
	/* conn_splice() only: the pipe would block; nobody reads it any more */
	CONN_PIPE_FULL,
	CONN_PIPE_CLOSED,
	/* conn_splice_from() only: nothing is in the pipe, or no more comes */
	CONN_PIPE_EMPTY,
};

/* CONN_OK: *got > 0 bytes of at most n. */
enum conn_result conn_read(struct conn *c, void *p, size_t n, size_t *got,
			   struct err *err) must_check;
/*
 * As conn_read(), into a non-blocking pipe.  What was taken off the wire and found the
 * pipe full stays in the conn and goes first next time, also with conn_read().
 */
enum conn_result conn_splice(struct conn *c, int pipe, size_t n, size_t *got,
			     struct err *err) must_check;
/*
 * CONN_OK: *put > 0 bytes of all in iov.  What was not put, with CONN_OK as with
 * CONN_AGAIN, comes first in the next call: TLS may have begun with it, and insists.
 */
enum conn_result conn_write(struct conn *c, const struct iovec *iov, int n, size_t *put,
			    struct err *err) must_check;
/*
 * CONN_OK: *put > 0 bytes, at most n, went out of the pipe.  Only where
 * conn_can_splice_from() says that it spares a copy.
 */
enum conn_result conn_splice_from(struct conn *c, int pipe, size_t n, size_t *put,
				  struct err *err) must_check;
bool conn_can_splice_from(const struct conn *c, int pipe);
/* More will be written at once: what is written meanwhile may wait for it. */
void conn_more(struct conn *c, bool more);
/* CONN_OK: the peer will see our end.  Reading goes on.  Again after CONN_AGAIN. */
enum conn_result conn_finish(struct conn *c, struct err *err) must_check;

/*
 * What to poll for, into fds: at most CONN_FDS entries, the number of them is returned.
 * `read`, `write`: what the owner would do if it could.  conn_ready() must be asked
 * before waiting: bytes may be in our memory already, and no descriptor would tell.
 */
enum { CONN_FDS = 2 };
nfds_t conn_poll(const struct conn *c, bool read, bool write, struct pollfd *fds);
bool conn_ready(const struct conn *c); /* to be read from, without waiting */

/*
 * Best not wake before n bytes are there, or no more can come.  A wish; the next wait
 * ends with fewer bytes at the end of input.  1: as usual.
 */
void conn_want(struct conn *c, size_t n);

/* All written bytes have reached the peer's kernel, as far as the system can tell. */
bool conn_is_flushed(const struct conn *c);

/*
 * Whom we talk to, for logs ("192.0.2.7:40122", "ssh root@host", "client1"); borrowed.
 * The identity is what the transport vouches for; NULL on the side that has dialled.
 */
const char *conn_peer(const struct conn *c);
const char *conn_identity(const struct conn *c);

/*
 * Releases everything, at once; for an orderly end finish and read to the end first.
 * An ssh child gets a second to go.  NULL is fine.
 */
void conn_close(struct conn *c);
DEFINE_CLEANUP(conn_close, struct conn *);

/* ---- waiting for one thing, for hello and farewell ---- */

/* Exactly n bytes.  ERR_NETWORK: the end came before; ctx done: its error. */
int conn_read_all(struct ctx *ctx, struct conn *c, void *p, size_t n, struct err *err)
	must_check;
int conn_write_all(struct ctx *ctx, struct conn *c, const void *p, size_t n,
		   struct err *err) must_check;

/* ---- for transports ---- */

/*
 * in and out: non-blocking, owned from now on; they may be the same.  identity: NULL, or
 * what the transport vouches for.
 */
struct conn *conn_of_fds(int in, int out, const char *peer, const char *identity)
	must_check;
/* For tests: two ends that talk to each other. */
int conn_pair(struct conn **a, struct conn **b, struct err *err) must_check;

#endif
