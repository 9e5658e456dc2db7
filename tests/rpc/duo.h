/*
 * duo.h - our client and our server, an endpoint behind the one and a test before the
 * other, and no network between them.
 *
 * The endpoint lists what the replication tests' fake endpoint has (duo.w.sender), sends
 * `flow`, and receives into `sink`.
 */
#ifndef TESTS_RPC_DUO_H
#define TESTS_RPC_DUO_H

#include "../replicate/fake_endpoint.h"
#include "base/thread.h"
#include "fake_net.h"
#include "flow.h"
#include "rpc/client.h"
#include "rpc/server.h"

struct duo {
	struct fake_net net;
	struct fake w;
	enum rpc_side side; /* what is served */
	struct env env;
	struct flow flow;                     /* what is sent */
	struct flow_sink sink;                /* how is received */
	atomic_size_t received, failed_after; /* bytes of the last one that did, or not */
	const char *receive_error;            /* after all was read; NULL: none */
	sem_t streaming;           /* posted when the first bytes have been received */
	sem_t said;                /* posted for each line in the log */
	struct strs asked;         /* what is not in w.calls; guarded by w.lock */
	atomic_size_t n_endpoints; /* open ones */
	atomic_bool is_refused;    /* nobody gets an endpoint */

	struct rpc_server *server;
	struct ctx *server_ctx;
	struct thread thread;

	struct ctx *ctx; /* the client's */
	struct endpoint *client;
	struct err err; /* for the test */
};

void duo_init(struct duo *d, enum rpc_side served); /* both are there, but not started */
void duo_start(struct duo *d);
void duo_stop_server(struct duo *d);
void duo_fini(struct duo *d); /* nothing is open any more, and no byte was wrong */

/* Until there is such a line in the log; call by one thread. */
void duo_wait_for_log(struct duo *d, const char *text);

/* A send request for @b2 of fs, on top of @a1. */
struct ep_send_req duo_send_req(const char *fs);
struct ep_recv_req duo_recv_req(const char *fs);

#endif
