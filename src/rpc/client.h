/*
 * client.h - an endpoint on another host: the operations of endpoint.h as requests.
 *
 *	questions           calls on one control connection, many at a time
 *	send and receive    a bulk connection each, dialled for it and closed after it
 *	ping                both kinds, until both answer
 *
 * The path of each operation on the wire is the protocol's.  Errors: ERR_NETWORK and
 * ERR_TIMEOUT when the peer cannot be reached or is silent; ERR_REMOTE with its own words
 * when it has failed; ERR_PROTOCOL.
 */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include "endpoint/endpoint.h"
#include "net/connector.h"

enum rpc_side { RPC_SENDER, RPC_RECEIVER }; /* what the peer is */

struct rpc_client_opts { /* borrowed until ep_close() */
	enum rpc_side peer;
	struct connector *connector;
	const struct env *env;
	struct log log;
};

/* Touches no network yet.  ep_close() says goodbye and frees. */
struct endpoint *rpc_client_new(const struct rpc_client_opts *o) must_check;

#endif
