/*
 * fake_net.h - connectors and listeners without a network: what is linked instead of
 * net/connector.c and net/listener.c.
 *
 * What is dialled is a socket pair, whose other end waits at the listener, or for
 * fake_net_accept().  Connections can be cut, dials refused, visitors kept waiting.
 */
#ifndef TESTS_RPC_FAKE_NET_H
#define TESTS_RPC_FAKE_NET_H

#include "base/strs.h"
#include "base/wake.h"
#include "net/connector.h"
#include "net/listener.h"

#include <semaphore.h>

struct connector {
	struct fake_net *net;
};

struct fake_arrival {
	int fd;
	char *origin;
};

struct fake_net {
	struct conf_serve conf; /* for listener_open() */
	struct connector connector;
	const char *identity; /* of who dials; NULL: the origin is */
	pthread_mutex_t lock;
	struct wake waiting; /* somebody is in the queue; the listener's descriptor */
	struct {
		struct fake_arrival *v;
		size_t n, cap;
	} queue;
	struct {
		int *v;
		size_t n, cap;
	} cables;        /* of connections that were dialled, to be cut */
	size_t refusals; /* so many dials fail */
	enum err_kind refusal;
	sem_t refused;      /* posted by each of them */
	size_t no_listener; /* so many listener_open() fail */
	size_t breaks;      /* so many listener_accept() fail */
	size_t n_dials, n_listeners, n_open_listeners;
	bool is_quiet; /* visitors stay in their handshake until they have to go */
};

void fake_net_init(struct fake_net *n);
void fake_net_fini(struct fake_net *n);

void fake_net_refuse(struct fake_net *n, size_t dials, enum err_kind kind);
/* All that were dialled so far.  No other socket is in the process. */
void fake_net_cut(struct fake_net *n);
size_t fake_net_dials(struct fake_net *n);

/* A connection from there, by hand: our end, which blocks. */
int fake_net_knock(struct fake_net *n, const char *origin) must_check;
/* Instead of a listener: the next connection that is dialled; blocks. */
int fake_net_accept(struct fake_net *n) must_check;

/* By hand, in pieces as large as they come; -1: broken. */
int fd_write_all(int fd, struct view bytes) must_check;
/* At most n, less only at the end. */
size_t fd_read(int fd, char *into, size_t n);
/* What is left, up to the end. */
struct buf fd_read_rest(int fd) must_check;

#endif
