/*
 * kept.h - what came off the wire for a pipe, and found it full; it goes first next time.
 *
 * The owner puts bytes into p, from 0 to end, once there are none left; a zeroed one is
 * empty.
 */
#ifndef NET_KEPT_H
#define NET_KEPT_H

#include "net/conn.h"

struct kept {
	uint8_t *p; /* owned */
	size_t at, end;
};

static inline bool kept_has(const struct kept *k)
{
	return k->at < k->end;
}

/* These take from it.  _put: CONN_OK, or what conn_splice() says of a pipe. */
void kept_read(struct kept *k, void *p, size_t n, size_t *got);
enum conn_result kept_put(struct kept *k, int pipe, size_t n, size_t *got,
			  struct err *err);

#endif
