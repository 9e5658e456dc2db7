/*
 * server_visits.h - the connections of a server: each in a thread, all of them bounded.
 *
 *	           admitted, banner, label         served
 *	HALF_OPEN --------------------------> OPEN ------> GONE
 *	    |                                               ^
 *	    +---- refused, too slow, gave way, broken ------+
 *
 * When there is no room for a half-open one, the oldest of the origin with the most gives
 * way: whoever connects and says nothing does so to himself.
 *
 * Threads: all functions are the accepting thread's, but visits_count().
 */
#ifndef RPC_SERVER_VISITS_H
#define RPC_SERVER_VISITS_H

#include "net/listener.h"
#include "rpc/server.h"

struct visits;

struct visits *visits_new(const struct rpc_server_opts *o) must_check;
void visits_free(struct visits *s); /* all are gone */

/* Readable when some may have gone: visits_reap(). */
int visits_fd(const struct visits *s);
void visits_reap(struct visits *s);

/* Takes v.  Ends when ctx is done. */
void visits_add(struct visits *s, struct ctx *ctx, struct visitor *v);

/* Half-open ones: no listener outlives them. */
void visits_end_half_open(struct visits *s);
void visits_join(struct visits *s); /* until all are gone */

void visits_count(struct visits *s, size_t *half_open, size_t *open);

#endif
