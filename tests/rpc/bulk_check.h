/*
 * bulk_check.h - what a test expects of a bulk, and of what it says to its peer.
 */
#ifndef BULK_CHECK_H
#define BULK_CHECK_H

#include "../net/loopback.h"
#include "bulk_ends.h"
#include "frame_drive.h"

/* As bulk_with_peer(), over TCP, where closing with unread input resets the connection.
 */
static inline struct bulk *bulk_with_tcp_peer(struct peer *p,
					      const atomic_int_fast64_t *clock)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int a = -1, b = -1;

	*p = (struct peer){ .ctx = ctx_new(NULL) };
	loopback_pair(&a, &b);
	p->c = conn_of_fds(b, b, "us", NULL);
	return bulk_start_at(conn_of_fds(a, a, "the peer", NULL), clock, &e);
}

/* The next frame is this; NULL: whatever the payload. */
static inline void peer_check(struct peer *p, uint32_t type, const char *payload)
{
	cleanup(buf_free) struct buf b = { 0 };

	CHECK_INT(peer_read(p, &b), type);
	if (payload)
		CHECK_STR(buf_str(&b), payload);
}

/* RST, then the end. */
static inline void peer_check_goodbye(struct peer *p)
{
	peer_check(p, FRAME_RST, "");
	peer_check(p, 0, "");
}

/* The next event is that; or a failure of that kind; or a message. */
static inline void check_event(struct bulk *b, enum bulk_event want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	if (!CHECK_INT(bulk_wait(ctx, b, &e), want))
		printf("# %s\n", err_msg(&e));
}

static inline void check_fails(struct bulk *b, enum err_kind kind, const char *msg)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	CHECK_INT(bulk_wait(ctx, b, &e), BULK_FAILED);
	CHECK_INT(e.kind, kind);
	CHECK_STR(err_msg(&e), msg);
}

static inline void check_message(struct bulk *b, enum frame_type type, const char *want)
{
	cleanup(str_freep) char *got = NULL;
	struct view v;

	bulk_expect(b, type, frame_limit(type));
	check_event(b, BULK_MESSAGE);
	v = bulk_message(b);
	got = xcalloc(v.len + 1, 1);
	if (v.len)
		memcpy(got, v.p, v.len);
	CHECK_STR(got, want);
}

#endif
