#include "net/listener.h"

#include "base/buf.h"
#include "net/refusals.h"
#include "net/stdinserver.h"
#include "net/tcp.h"
#include "net/tls.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 *	          out of descriptors
 *	LISTENING ------------------> RESTING
 *	    ^                            |
 *	    +---- timer, PAUSE_MS -------+
 *
 * While it rests no socket is watched, so listener_fd() is not readable for a connection
 * that cannot be taken, and nobody spins; clients wait in the kernel's queue.
 */
enum { PAUSE_MS = 200 };

/* A socket that we listen at. */
struct door {
	int fd;
	const char *identity; /* stdinserver; NULL: whoever comes has to say */
};

struct listener {
	const struct conf_serve *conf;
	const struct conf_global *global;
	const struct log *log;
	struct tls *tls;
	char *address;
	struct door *doors;
	uint32_t n_doors;
	int epoll; /* the doors, by number, and the timer, as number n_doors */
	int timer;
	struct refusals refusals;
};

struct visitor {
	const struct listener *listener;
	int fd;
	char *origin;
	char *peer;     /* tcp, tls */
	char *identity; /* tcp, stdinserver */
};

/* ---- open ---- */

void listener_close(struct listener *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; i < l->n_doors; i++) {
		fd_closep(&l->doors[i].fd);
		if (l->doors[i].identity)
			stdinserver_unlink(l->global->stdinserver_sockdir,
					   l->doors[i].identity);
	}
	fd_closep(&l->epoll);
	fd_closep(&l->timer);
	tls_free(l->tls);
	free(l->doors);
	free(l->address);
	free(l);
}

static void add_door(struct listener *l, int fd, const char *identity)
{
	l->doors = xrealloc(l->doors, l->n_doors + 1, sizeof(*l->doors));
	l->doors[l->n_doors++] = (struct door){ fd, identity };
}

static int open_tcp(struct listener *l, const char *type, struct err *err)
{
	cleanup(str_freep) char *at = NULL;
	int fd = tcp_listen(&l->conf->listen, l->conf->listen_freebind, err);

	if (fd < 0)
		return -1;
	add_door(l, fd, NULL);
	at = tcp_local_address(fd);
	l->address = xasprintf("%s %s", type, at);
	return 0;
}

static int open_tls(struct listener *l, struct err *err)
{
	l->tls = tls_server_new(l->conf, l->log);
	if (tls_load(l->tls, err) < 0)
		return -1;
	return open_tcp(l, "tls", err);
}

static bool has_door(const struct listener *l, const char *identity)
{
	for (uint32_t i = 0; i < l->n_doors; i++) {
		if (strcmp(l->doors[i].identity, identity) == 0)
			return true;
	}
	return false;
}

static int open_stdinserver(struct listener *l, struct err *err)
{
	const char *dir = l->global->stdinserver_sockdir;

	for (size_t i = 0; i < l->conf->n_client_identities; i++) {
		const char *identity = l->conf->client_identities[i];
		int fd;

		if (has_door(l, identity)) /* listed twice */
			continue;
		fd = stdinserver_listen(dir, identity, err);
		if (fd < 0)
			return -1;
		add_door(l, fd, identity);
	}
	l->address = xasprintf("stdinserver %s", dir);
	return 0;
}

static int open_doors(struct listener *l, struct err *err)
{
	switch (l->conf->type) {
	case SERVE_TCP:
		return open_tcp(l, "tcp", err);
	case SERVE_TLS:
		return open_tls(l, err);
	case SERVE_STDINSERVER:
		return open_stdinserver(l, err);
	case SERVE_LOCAL:
		break;
	}
	return err_set(err, ERR_INTERNAL, "a local job has no listener");
}

static int watch(struct listener *l, struct err *err)
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		return err_sys(err, errno, "epoll_create1");
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (l->timer < 0)
		return err_sys(err, errno, "timerfd_create");
	for (uint32_t i = 0; i <= l->n_doors; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };
		int fd = i < l->n_doors ? l->doors[i].fd : l->timer;

		if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
			return err_sys(err, errno, "epoll_ctl");
	}
	return 0;
}

struct listener *listener_open(const struct conf_serve *conf,
			       const struct conf_global *global, const struct log *log,
			       struct err *err)
{
	cleanup(listener_closep) struct listener *l = xcalloc(1, sizeof(*l));

	*l = (struct listener){
		.conf = conf, .global = global, .log = log, .epoll = -1, .timer = -1
	};
	if (open_doors(l, err) < 0 || watch(l, err) < 0)
		return NULL;
	return TAKE(l);
}

int listener_fd(const struct listener *l)
{
	return l->epoll;
}

const char *listener_address(const struct listener *l)
{
	return l->address;
}

/* ---- accept ---- */

static void watch_doors(struct listener *l, bool on)
{
	for (uint32_t i = 0; i < l->n_doors; i++) {
		struct epoll_event e = { .events = on ? EPOLLIN : 0, .data.u32 = i };
		int r = epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->doors[i].fd, &e);

		assert(r == 0); /* changing needs no memory */
	}
}

static void rest(struct listener *l)
{
	const struct itimerspec pause = { .it_value.tv_nsec = PAUSE_MS * 1000000L };

	watch_doors(l, false);
	timerfd_settime(l->timer, 0, &pause, NULL);
}

static void resume(struct listener *l)
{
	uint64_t n;

	if (read(l->timer, &n, sizeof(n)) == sizeof(n))
		watch_doors(l, true);
}

/* Once in a while; see refusals.h. */
static void complain(struct listener *l, const char *origin, const char *what)
{
	cleanup(str_freep) char *others = NULL;
	uint64_t unsaid;

	if (!refusals_say(&l->refusals, origin, what, now_ms(), &unsaid))
		return;
	if (unsaid > 0)
		others = xasprintf(" (and %llu times before, of anybody)",
				   (unsigned long long)unsaid);
	log_error(l->log, "%s: %s%s", l->address, what, others ? others : "");
}

/* 0: go on; -1. */
static int accept_failed(struct listener *l, int errnum, struct err *err)
{
	cleanup(str_freep) char *what = NULL;

	switch (errnum) {
	case EBADF:
	case EFAULT:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		return err_sys(err, errnum, "%s: accept", l->address);
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		what = xasprintf("cannot accept connections: %s",
				 strerrordesc_np(errnum));
		complain(l, "", what);
		rest(l);
		return 0;
	}
	return 0; /* an error of that connection, or it is gone; see accept(2) */
}

static struct visitor *visitor_new(const struct listener *l, int fd)
{
	struct visitor *v = xcalloc(1, sizeof(*v));

	v->listener = l;
	v->fd = fd;
	return v;
}

static int accept_unix(struct listener *l, const struct door *d, struct visitor **out,
		       struct err *err)
{
	int fd = accept4(d->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return accept_failed(l, errno, err);
	*out = visitor_new(l, fd);
	(*out)->origin = xstrdup(d->identity);
	(*out)->identity = xstrdup(d->identity);
	return 1;
}

static char *identify(const struct listener *l, const union address *peer)
{
	const struct in6_addr ip = address_ip(peer);
	char zone[IF_NAMESIZE];

	address_zone(peer, zone);
	return ipmap_find(l->conf->clients, &ip, zone);
}

static int accept_tcp(struct listener *l, const struct door *d, struct visitor **out,
		      struct err *err)
{
	struct visitor *v;
	union address peer;
	int fd = tcp_accept(d->fd, &peer);

	if (fd < 0)
		return accept_failed(l, errno, err);
	v = visitor_new(l, fd);
	v->origin = address_host(&peer);
	v->peer = address_text(&peer);
	if (l->conf->type == SERVE_TCP) {
		v->identity = identify(l, &peer);
		if (!v->identity) {
			cleanup(str_freep) char *what =
				xasprintf("refused a connection from %s: no entry of "
					  "'clients' matches that address",
					  v->peer);

			complain(l, v->origin, what);
			visitor_drop(v);
			return 0;
		}
	}
	*out = v;
	return 1;
}

int listener_accept(struct listener *l, struct visitor **out, struct err *err)
{
	struct epoll_event e;
	int n = epoll_wait(l->epoll, &e, 1, 0);

	if (n < 0 && errno != EINTR)
		return err_sys(err, errno, "%s: epoll_wait", l->address);
	if (n <= 0)
		return 0;
	if (e.data.u32 == l->n_doors) {
		resume(l);
		return 0;
	}
	if (l->conf->type == SERVE_STDINSERVER)
		return accept_unix(l, &l->doors[e.data.u32], out, err);
	return accept_tcp(l, &l->doors[e.data.u32], out, err);
}

/* ---- visitors ---- */

const char *visitor_origin(const struct visitor *v)
{
	return v->origin;
}

void visitor_drop(struct visitor *v)
{
	if (!v)
		return;
	fd_closep(&v->fd);
	free(v->origin);
	free(v->peer);
	free(v->identity);
	free(v);
}
DEFINE_CLEANUP(visitor_drop, struct visitor *);

struct conn *visitor_admit(struct ctx *ctx, struct visitor *visitor, struct err *err)
{
	cleanup(visitor_dropp) struct visitor *v = visitor;
	int fd;

	switch (v->listener->conf->type) {
	case SERVE_TCP:
		fd = take_fd(&v->fd);
		return conn_of_fds(fd, fd, v->peer, v->identity);
	case SERVE_TLS:
		return tls_handshake(ctx, v->listener->tls, take_fd(&v->fd), v->peer,
				     err);
	case SERVE_STDINSERVER:
		return stdinserver_admit(ctx, take_fd(&v->fd), v->identity, err);
	case SERVE_LOCAL:
		break;
	}
	err_set(err, ERR_INTERNAL, "a local job has no visitors");
	return NULL;
}
