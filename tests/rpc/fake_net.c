#include "fake_net.h"

#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

struct listener {
	struct fake_net *net;
};

struct visitor {
	struct fake_net *net;
	struct fake_arrival arrival;
};

void fake_net_init(struct fake_net *n)
{
	*n = (struct fake_net){ .conf = { .type = SERVE_TCP } };
	n->connector.net = n;
	wake_init(&n->waiting);
	sem_init(&n->refused, 0, 0);
	pthread_mutex_init(&n->lock, NULL);
}

void fake_net_fini(struct fake_net *n)
{
	for (size_t i = 0; i < n->queue.n; i++) {
		close(n->queue.v[i].fd);
		free(n->queue.v[i].origin);
	}
	free(n->queue.v);
	free(n->cables.v);
	wake_fini(&n->waiting);
	sem_destroy(&n->refused);
	pthread_mutex_destroy(&n->lock);
}

void fake_net_refuse(struct fake_net *n, size_t dials, enum err_kind kind)
{
	pthread_mutex_lock(&n->lock);
	n->refusals = dials;
	n->refusal = kind;
	pthread_mutex_unlock(&n->lock);
}

size_t fake_net_dials(struct fake_net *n)
{
	size_t dials;

	pthread_mutex_lock(&n->lock);
	dials = n->n_dials;
	pthread_mutex_unlock(&n->lock);
	return dials;
}

void fake_net_cut(struct fake_net *n)
{
	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; i < n->cables.n; i++)
		shutdown(n->cables.v[i], SHUT_RDWR);
	n->cables.n = 0;
	pthread_mutex_unlock(&n->lock);
}

/* Locked.  Our end of a connection whose other end waits. */
static int connect_to(struct fake_net *n, const char *origin)
{
	struct fake_arrival a = { .origin = xstrdup(origin) };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	a.fd = fds[1];
	VEC_PUSH(&n->queue, a);
	wake_signal(&n->waiting);
	return fds[0];
}

int fake_net_knock(struct fake_net *n, const char *origin)
{
	int fd;

	pthread_mutex_lock(&n->lock);
	fd = connect_to(n, origin);
	pthread_mutex_unlock(&n->lock);
	return fd;
}

/* Locked. */
static bool take_arrival(struct fake_net *n, struct fake_arrival *out)
{
	if (n->queue.n == 0) {
		wake_clear(&n->waiting);
		return false;
	}
	*out = n->queue.v[0];
	n->queue.n--;
	memmove(n->queue.v, n->queue.v + 1, n->queue.n * sizeof(*n->queue.v));
	return true;
}

int fake_net_accept(struct fake_net *n)
{
	struct pollfd waiting = { .fd = n->waiting.fd, .events = POLLIN };
	struct fake_arrival a;
	bool is_there = false;

	while (!is_there) {
		if (poll(&waiting, 1, -1) < 0)
			abort();
		pthread_mutex_lock(&n->lock);
		is_there = take_arrival(n, &a);
		pthread_mutex_unlock(&n->lock);
	}
	free(a.origin);
	return a.fd;
}

/* ---- connector.h ---- */

static int dial(struct fake_net *n, struct err *err)
{
	int fd;

	n->n_dials++;
	if (n->refusals > 0) {
		n->refusals--;
		sem_post(&n->refused);
		return err_set(err, n->refusal, "server: connection refused");
	}
	fd = connect_to(n, n->identity ? n->identity : "client1");
	VEC_PUSH(&n->cables, fd);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		abort();
	return fd;
}

struct conn *connector_dial(struct ctx *ctx, struct connector *c, struct err *err)
{
	int fd;

	if (ctx_sleep(ctx, 0, err) < 0)
		return NULL;
	pthread_mutex_lock(&c->net->lock);
	fd = dial(c->net, err);
	pthread_mutex_unlock(&c->net->lock);
	return fd < 0 ? NULL : conn_of_fds(fd, fd, "server", NULL);
}

struct connector *connector_new(const struct conf_connect *conf, const struct log *log)
{
	(void)conf;
	(void)log;
	return NULL;
}

void connector_free(struct connector *c)
{
	(void)c;
}

const char *connector_target(const struct connector *c)
{
	(void)c;
	return "server";
}

/* ---- listener.h ---- */

struct listener *listener_open(const struct conf_serve *conf,
			       const struct conf_global *global, const struct log *log,
			       struct err *err)
{
	struct fake_net *n = CONTAINER_OF(conf, struct fake_net, conf);
	struct listener *l = xcalloc(1, sizeof(*l));
	bool fails;

	(void)global;
	(void)log;
	pthread_mutex_lock(&n->lock);
	fails = n->no_listener > 0;
	n->no_listener -= fails;
	n->n_listeners += !fails;
	n->n_open_listeners += !fails;
	pthread_mutex_unlock(&n->lock);
	l->net = n;
	if (!fails)
		return l;
	free(l);
	err_sys(err, EADDRINUSE, "bind");
	return NULL;
}

void listener_close(struct listener *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->net->lock);
	l->net->n_open_listeners--;
	pthread_mutex_unlock(&l->net->lock);
	free(l);
}

int listener_fd(const struct listener *l)
{
	return l->net->waiting.fd;
}

const char *listener_address(const struct listener *l)
{
	(void)l;
	return "fake 1";
}

int listener_accept(struct listener *l, struct visitor **out, struct err *err)
{
	struct visitor *v = xcalloc(1, sizeof(*v));
	bool is_there, breaks;

	v->net = l->net;
	pthread_mutex_lock(&l->net->lock);
	breaks = l->net->breaks > 0;
	l->net->breaks -= breaks;
	is_there = !breaks && take_arrival(l->net, &v->arrival);
	pthread_mutex_unlock(&l->net->lock);
	if (is_there) {
		*out = v;
		return 1;
	}
	free(v);
	return breaks ? err_sys(err, ENETDOWN, "accept") : 0;
}

const char *visitor_origin(const struct visitor *v)
{
	return v->arrival.origin;
}

struct conn *visitor_admit(struct ctx *ctx, struct visitor *v, struct err *err)
{
	struct fake_net *n = v->net;
	struct conn *c = NULL;
	int fd = v->arrival.fd;

	if (n->is_quiet && ctx_poll(ctx, NULL, 0, -1, err) < 0) {
		close(fd);
	} else if (strcmp(v->arrival.origin, "stranger") == 0) {
		close(fd);
		err_set(err, ERR_DENIED, "nobody knows stranger");
	} else if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
		c = conn_of_fds(fd, fd, v->arrival.origin,
				n->identity ? n->identity : v->arrival.origin);
	}
	free(v->arrival.origin);
	free(v);
	return c;
}

void visitor_drop(struct visitor *v)
{
	if (!v)
		return;
	close(v->arrival.fd);
	free(v->arrival.origin);
	free(v);
}

/* ---- by hand ---- */

int fd_write_all(int fd, struct view bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(fd, bytes.p, bytes.len, MSG_NOSIGNAL);

		if (n < 0)
			return -1;
		bytes = (struct view){ bytes.p + n, bytes.len - (size_t)n };
	}
	return 0;
}

size_t fd_read(int fd, char *into, size_t n)
{
	size_t have = 0;
	ssize_t got = 1;

	while (have < n && got > 0) {
		got = read(fd, into + have, n - have);
		have += got > 0 ? (size_t)got : 0;
	}
	return have;
}

struct buf fd_read_rest(int fd)
{
	struct buf b = { 0 };
	size_t got;

	do {
		got = fd_read(fd, buf_reserve(&b, 65536), 65536);
		buf_added(&b, got);
	} while (got > 0);
	return b;
}
