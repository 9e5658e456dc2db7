/*
 * bench.h - a simulated machine with a sender for tank and a receiver below backup.
 *
 *	tank, tank/a	sent by job "j", whose filter is "tank/a<", "tank/b"
 *	backup		root_fs of job "s"; the client is "c"
 *
 * Options may be changed at any time: the endpoints borrow them.
 */
#ifndef ENDPOINT_BENCH_H
#define ENDPOINT_BENCH_H

#include "endpoint/receiver.h"
#include "endpoint/sender.h"
#include "host.h"

struct bench {
	struct env env;
	struct conf_send send;
	struct conf_recv recv;
	struct rate *send_limit, *recv_limit; /* to be set before bench_start() */
	struct dsfilter filter;
	struct zfs *zfs;
	struct ctx *ctx;
	struct buf logged; /* one line an entry */
	struct endpoint *sender, *client;
	struct receiver *receiver;
	struct err err; /* of the last call that failed */
};

void bench_start(struct bench *b);
void bench_end(struct bench *b);

/* A version by "@1" or "#name"; borrows the name. */
struct version ver(const char *relname, uint64_t guid);

struct ep_send_req send_req(const struct version *from, const struct version *to,
			    enum protection p);                           /* of tank/a */
struct ep_recv_req recv_req(const struct version *to, enum protection p); /* of tank/a */

/* The same result as stream_finish(), after reading the stream to its end. */
int drain(struct bench *b, struct ep_stream *s);

/* ops->send, the stream read to its end. */
int send_all(struct bench *b, const struct ep_send_req *req);
int complete(struct bench *b, const struct ep_send_req *req);

/* ops->send by the sender (unprotected), ops->receive of it; the result of the latter. */
int transfer(struct bench *b, const struct ep_send_req *req,
	     const struct ep_recv_req *recv);

/* send, receive, complete: a whole step, as the driver does it. */
int step(struct bench *b, const struct version *from, const struct version *to,
	 enum protection p);

/* A resume token as simzfs writes them. */
char *make_token(uint64_t to, uint64_t from, const char *to_name, bool raw);

/* expr runs n processes. */
#define COSTS(b, n, expr)                                             \
	do {                                                          \
		uint64_t before = zfs_process_count((b)->zfs);        \
		expr;                                                 \
		CHECK_INT(zfs_process_count((b)->zfs) - before, (n)); \
	} while (0)

/* The last failure was of that kind, with that text in it. */
#define CHECK_ERR(b, want, part)                                        \
	do {                                                            \
		CHECK_INT((b)->err.kind, (want));                       \
		if (!CHECK(strstr(err_msg(&(b)->err), (part)) != NULL)) \
			printf("# %s\n", err_msg(&(b)->err));           \
		err_clear(&(b)->err);                                   \
	} while (0)

#endif
