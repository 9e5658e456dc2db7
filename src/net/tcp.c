#include "net/tcp.h"

#include "net/conn_impl.h"
#include "net/resolve.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* A silent peer is asked after 30 s, and given up after 90. */
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_INTERVAL_S = 10,
	KEEPALIVE_PROBES = 6,
	/* What an address gets at least, though others are left. */
	ATTEMPT_MIN_MS = 2000,
	LISTEN_LOOKUP_MS = 5000,
};

static void set_option(int fd, int level, int option, int value)
{
	/* None of ours is worth failing for. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

static void set_options(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

/* ---- dial ---- */

/*
 * A port of this host that nobody listens at, and that the system happens to choose for
 * our own end: TCP connects the socket to itself.
 */
static bool is_to_itself(int fd)
{
	union address a = { 0 }, b = { 0 };
	socklen_t na = sizeof(a), nb = sizeof(b);

	return getsockname(fd, &a.any, &na) == 0 && getpeername(fd, &b.any, &nb) == 0 &&
	       na == nb && memcmp(&a, &b, na) == 0;
}

static int failed(int errnum, struct err *err)
{
	(void)conn_failed(errnum, err);
	return -1;
}

/* wait_ms < 0: no limit but ctx's. */
static int connect_to(struct ctx *ctx, const union address *a, int64_t wait_ms,
		      struct err *err)
{
	cleanup(fd_closep) int fd =
		socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int error = 0, r;
	socklen_t len = sizeof(error);

	if (fd < 0)
		return err_sys(err, errno, "socket");
	set_options(fd);
	if (connect(fd, &a->any, address_len(a)) < 0 && errno != EINPROGRESS)
		return failed(errno, err);
	r = ctx_poll(ctx, &p, 1, wait_ms, err);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(err, ERR_TIMEOUT, "no answer for %lld ms",
			       (long long)wait_ms);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return err_sys(err, errno, "getsockopt");
	if (error == 0 && is_to_itself(fd))
		error = ECONNREFUSED;
	return error == 0 ? take_fd(&fd) : failed(error, err);
}

/* Of the time that is left, for one of n addresses. */
static int64_t share(int64_t deadline, size_t n)
{
	int64_t left = deadline - now_ms();

	if (deadline == INT64_MAX)
		return -1;
	if (left < 0)
		left = 0;
	if (n == 1 || left / (int64_t)n >= ATTEMPT_MIN_MS)
		return left / (int64_t)n;
	return left < ATTEMPT_MIN_MS ? left : ATTEMPT_MIN_MS;
}

/* The error is of the first address, with what became of the others behind it. */
static int connect_to_any(struct ctx *ctx, const struct addresses *to, int64_t deadline,
			  char **peer, struct err *err)
{
	cleanup(err_clear) struct err first = ERR_INIT;

	for (size_t i = 0; i < to->n; i++) {
		cleanup(str_freep) char *text = address_text(&to->v[i]);
		cleanup(err_clear) struct err why = ERR_INIT;
		int fd = connect_to(ctx, &to->v[i], share(deadline, to->n - i), &why);

		if (fd >= 0) {
			*peer = TAKE(text);
			return fd;
		}
		err_wrap(&why, "connect to %s", text);
		if (i == 0 || why.kind == ERR_CANCELLED)
			err_move(&first, &why);
		else
			err_detail(&first, "%s", err_msg(&why));
		if (ctx_done(ctx))
			break;
	}
	err_move(err, &first);
	return -1;
}

static int keep_family(struct addresses *l, enum conf_family family,
		       const struct conf_hostport *to, struct err *err)
{
	const int wanted = family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	cleanup(str_freep) char *text = NULL;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (family == FAMILY_ANY || l->v[i].any.sa_family == wanted)
			l->v[n++] = l->v[i];
	l->n = n;
	if (n > 0)
		return 0;
	text = hostport_text(to);
	return err_set(err, ERR_NETWORK, "%s has no %s address", text,
		       family == FAMILY_IPV4 ? "IPv4" : "IPv6");
}

int tcp_dial(struct ctx *ctx, const struct conf_hostport *to, int64_t timeout_ms,
	     char **peer, struct err *err)
{
	return tcp_dial_family(ctx, to, FAMILY_ANY, timeout_ms, peer, err);
}

int tcp_dial_family(struct ctx *ctx, const struct conf_hostport *to,
		    enum conf_family family, int64_t timeout_ms, char **peer,
		    struct err *err)
{
	cleanup(ctx_freep) struct ctx *bounded = ctx_new(ctx);
	int64_t deadline = timeout_ms > 0 ? now_ms() + timeout_ms : INT64_MAX;
	struct addresses found;

	if (timeout_ms > 0)
		ctx_set_timeout(bounded, timeout_ms);
	if (resolve(bounded, to, &found, err) < 0 ||
	    keep_family(&found, family, to, err) < 0)
		return -1;
	return connect_to_any(bounded, &found, deadline, peer, err);
}

/* ---- listen ---- */

/* Of several, the first IPv4 one (compat: zrepl 0.7). */
static const union address *choose(const struct addresses *from)
{
	for (size_t i = 0; i < from->n; i++) {
		if (from->v[i].any.sa_family == AF_INET)
			return &from->v[i];
	}
	return &from->v[0];
}

static int where_to_listen(const struct conf_hostport *at, union address *out,
			   struct err *err)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct addresses found;

	ctx_set_timeout(ctx, LISTEN_LOOKUP_MS);
	if (resolve(ctx, at, &found, err) < 0)
		return -1;
	*out = *choose(&found);
	if (*at->host == '\0' || address_is_unspecified(out))
		*out = (union address){ .v6 = { .sin6_family = AF_INET6,
						.sin6_port = address_port(out),
						.sin6_addr = IN6ADDR_ANY_INIT } };
	return 0;
}

static int open_socket(union address *a)
{
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = socket(a->any.sa_family, type, 0);

	if (fd >= 0 || errno != EAFNOSUPPORT || !address_is_unspecified(a))
		return fd;
	/* A kernel without IPv6. */
	*a = (union address){ .v4 = { .sin_family = AF_INET,
				      .sin_port = address_port(a) } };
	return socket(AF_INET, type, 0);
}

static int bind_to(int fd, const union address *a, bool freebind)
{
	const int on = 1;

	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (a->any.sa_family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	/* It is of IP, and good for IPv6 sockets too. */
	if (freebind && setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) < 0)
		return -1;
	return bind(fd, &a->any, address_len(a));
}

int tcp_listen(const struct conf_hostport *at, bool freebind, struct err *err)
{
	cleanup(str_freep) char *text = hostport_text(at);
	cleanup(fd_closep) int fd = -1;
	union address a;

	if (where_to_listen(at, &a, err) < 0)
		return err_wrap(err, "listen at %s", text);
	fd = open_socket(&a);
	if (fd < 0 || bind_to(fd, &a, freebind) < 0 || listen(fd, SOMAXCONN) < 0)
		return err_sys(err, errno, "listen at %s", text);
	return take_fd(&fd);
}

char *tcp_local_address(int fd)
{
	union address a = { .any.sa_family = AF_INET };
	socklen_t len = sizeof(a);

	(void)getsockname(fd, &a.any, &len);
	return address_text(&a);
}

/* ---- accept ---- */

int tcp_accept(int listener, union address *peer)
{
	socklen_t len = sizeof(*peer);
	int fd = accept4(listener, &peer->any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		set_options(fd);
	return fd;
}
