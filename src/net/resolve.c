#include "net/resolve.h"

#include "base/parse.h"
#include "base/thread.h"
#include "base/wake.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>

/* ---- lookups ---- */

static int get(const char *host, const char *port, int flags, struct addrinfo **out)
{
	const struct addrinfo hints = {
		.ai_flags = flags,
		.ai_socktype = SOCK_STREAM,
	};

	return getaddrinfo(host, port, &hints, out);
}

static int explain(int rc, int sys, const char *port, struct err *err)
{
	if (rc == EAI_SYSTEM)
		return err_sys(err, sys, "getaddrinfo");
	if (rc == EAI_SERVICE)
		return err_set(err, ERR_INVALID, "unknown port \"%s\"", port);
	return err_set(err, ERR_NETWORK, "%s", gai_strerror(rc));
}

static void copy_out(const struct addrinfo *from, struct addresses *out)
{
	out->n = 0;
	for (; from && out->n < RESOLVE_MAX; from = from->ai_next) {
		if (from->ai_family != AF_INET && from->ai_family != AF_INET6)
			continue;
		memcpy(&out->v[out->n], from->ai_addr, from->ai_addrlen);
		out->n++;
	}
}

static void freeaddrinfop(struct addrinfo **a)
{
	if (*a)
		freeaddrinfo(*a);
}

/* ---- in a thread ---- */

struct lookup {
	atomic_int refs; /* the thread's, and of whoever asks */
	struct wake wake;
	char *host, *port;
	/* The thread writes these, and then is_done. */
	int rc, sys;
	struct addrinfo *found;
	atomic_bool is_done;
};

static atomic_int threads;

static void unref(struct lookup *l)
{
	if (atomic_fetch_sub(&l->refs, 1) > 1)
		return;
	freeaddrinfop(&l->found);
	wake_fini(&l->wake);
	free(l->host);
	free(l->port);
	free(l);
}
DEFINE_CLEANUP(unref, struct lookup *);

static void run(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo *found = NULL;

	l->rc = get(l->host, l->port, 0, &found);
	l->sys = errno;
	if (l->rc == 0)
		l->found = found;
	atomic_store(&l->is_done, true);
	wake_signal(&l->wake);
	unref(l);
	atomic_fetch_sub(&threads, 1);
}

static int start(struct lookup *l, struct err *err)
{
	struct thread t = { 0 };

	if (atomic_fetch_add(&threads, 1) >= RESOLVE_MAX_THREADS) {
		atomic_fetch_sub(&threads, 1);
		return err_set(err, ERR_BUSY,
			       "%d lookups of names are under way and get no answer",
			       RESOLVE_MAX_THREADS);
	}
	atomic_fetch_add(&l->refs, 1);
	thread_start(&t, "resolve", run, l);
	pthread_detach(t.id);
	return 0;
}

static int ask_resolver(struct ctx *ctx, const char *host, const char *port,
			struct addresses *out, struct err *err)
{
	cleanup(unrefp) struct lookup *l = NULL;
	struct wake wake;

	if (wake_open(&wake, err) < 0)
		return -1;
	l = xcalloc(1, sizeof(*l));
	l->refs = 1;
	l->wake = wake;
	l->host = xstrdup(host);
	l->port = xstrdup(port);
	if (start(l, err) < 0)
		return -1;
	while (!atomic_load(&l->is_done)) {
		if (wake_wait(&l->wake, ctx, -1, err) < 0)
			return -1;
	}
	if (l->rc != 0)
		return explain(l->rc, l->sys, port, err);
	copy_out(l->found, out);
	return 0;
}

/* getaddrinfo(3) takes the port 99999, and makes 34463 of it. */
static int check_port(const char *port, struct err *err)
{
	cleanup(err_clear) struct err unused = ERR_INIT;
	uint64_t n;

	if (strspn(port, "0123456789") < strlen(port))
		return 0;
	if (parse_u64(view_of(port), &n, &unused) < 0 || n > UINT16_MAX)
		return err_set(err, ERR_INVALID, "port %s is not in 0 to %d", port,
			       UINT16_MAX);
	return 0;
}

/* Nothing can be bound or connected to fe80::7 without the interface it is behind. */
static int check_zone(const char *host, const struct addrinfo *found, struct err *err)
{
	struct sockaddr_in6 a;

	if (found->ai_family != AF_INET6)
		return 0;
	memcpy(&a, found->ai_addr, sizeof(a));
	if (IN6_IS_ADDR_LINKLOCAL(&a.sin6_addr) && a.sin6_scope_id == 0)
		return err_set(err, ERR_INVALID,
			       "a link-local address needs its interface, as in %s%%eth0",
			       host);
	return 0;
}

static int take_numeric(const char *host, const struct addrinfo *found,
			struct addresses *out, struct err *err)
{
	if (check_zone(host, found, err) < 0)
		return -1;
	copy_out(found, out);
	return 0;
}

int resolve(struct ctx *ctx, const struct conf_hostport *at, struct addresses *out,
	    struct err *err)
{
	const char *host = *at->host ? at->host : NULL;
	const char *port = *at->port ? at->port : "0";
	cleanup(freeaddrinfop) struct addrinfo *found = NULL;
	int rc;

	if (check_port(port, err) < 0)
		return -1;
	/* glibc takes it for this host alone, where all addresses are meant */
	if (strcmp(at->host, "*") == 0)
		return err_set(
			err, ERR_INVALID,
			"'*' is no host; to listen at all addresses, leave it out: :%s",
			port);
	rc = get(host, port, AI_NUMERICHOST, &found);
	if ((rc == 0            ? take_numeric(at->host, found, out, err)
	     : rc == EAI_NONAME ? ask_resolver(ctx, at->host, port, out, err)
				: explain(rc, errno, port, err)) < 0)
		return err_wrap(err, "resolve %s", at->host);
	if (out->n == 0)
		return err_set(err, ERR_NETWORK, "resolve %s: it has no address",
			       at->host);
	return 0;
}
