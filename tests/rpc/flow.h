/*
 * flow.h - streams for tests: a source in a thread that writes into a pipe, and a sink in
 * a thread that reads from one.  Their bytes are a pattern, or given.
 */
#ifndef TESTS_RPC_FLOW_H
#define TESTS_RPC_FLOW_H

#include "endpoint/endpoint.h"

#include <semaphore.h>

struct flow {
	size_t bytes;      /* of the pattern; SIZE_MAX: it never ends */
	bool is_socket;    /* and no pipe, so that nothing is spliced, and all frames are
			      full */
	struct view data;  /* instead, if .p is set; borrowed */
	const char *error; /* what its result is, at the end; NULL: good */
};

/* stream_finish() frees it. */
struct ep_stream *flow_new(const struct flow *f) must_check;

struct flow_sink {
	size_t peek;       /* so many first, into memory; 0: none */
	size_t stop_after; /* reads no more then: the disk is full; 0: reads all */
	struct buf *keep;  /* NULL: it must be the pattern */
	atomic_size_t got;
	atomic_bool is_wrong; /* not the pattern */
	sem_t *moved;         /* posted when the first bytes have come; or NULL */
};

/* -1: as of stream_peek() and _pump(); ERR_CHILD: "disk full". */
int flow_drain(struct ctx *ctx, struct ep_stream *in, struct flow_sink *sink,
	       struct err *err) must_check;

#endif
