/*
 * CHECKPOINT in a PostgreSQL server, with libpq.
 *
 * libpq would look names up with getaddrinfo(3), which cannot be interrupted; so it is
 * given addresses.  One connection is made for each snapshot, as in zrepl 0.7.
 */
#include "hook/database.h"
#include "hook/kind.h"

#include "base/parse.h"
#include "base/vec.h"
#include "net/address.h"
#include "net/resolve.h"

#include <assert.h>
#include <inttypes.h>
#include <libpq-fe.h>

DEFINE_CLEANUP(PQconninfoFree, PQconninfoOption *);
DEFINE_CLEANUP(PQfinish, PGconn *);
DEFINE_CLEANUP(PQclear, PGresult *);

/* ---- connection string ---- */

struct target {                       /* one address, or one socket */
	char *host, *hostaddr, *port; /* NULL: libpq's default */
};

struct targets {
	struct target *v;
	size_t n, cap;
};

struct checkpoint {
	const struct hook_call *call;
	int64_t end_ms;
	PQconninfoOption *given, *defaults;
	const char *password; /* borrowed; NULL: none */
	struct targets targets;
	PGconn *conn;
};

static void checkpoint_fini(struct checkpoint *c)
{
	struct target *t;

	VEC_FOREACH (t, &c->targets) {
		free(t->host);
		free(t->hostaddr);
		free(t->port);
	}
	free(c->targets.v);
	PQfinishp(&c->conn);
	PQconninfoFreep(&c->given);
	PQconninfoFreep(&c->defaults);
}

static const char *find(const PQconninfoOption *o, const char *keyword)
{
	for (; o && o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0 && o->val && *o->val)
			return o->val;
	return NULL;
}

/* What was given, or the environment has. */
static const char *option(const struct checkpoint *c, const char *keyword)
{
	const char *s = find(c->given, keyword);

	return s ? s : find(c->defaults, keyword);
}

static int parse(struct checkpoint *c, struct err *err)
{
	char *why = NULL;

	c->given = PQconninfoParse(c->call->conf->dsn, &why);
	PQfreemem(why); /* it may quote a piece of the password */
	if (!c->given)
		return err_set(err, ERR_INVALID,
			       "dsn is no connection string of libpq; write e.g. "
			       "host=/run/postgresql dbname=postgres user=zrepl");
	/* a file that could name a host, which would be looked up */
	if (find(c->given, "service"))
		return err_set(err, ERR_INVALID,
			       "dsn: service is not supported; "
			       "write host, port, user and dbname");
	c->defaults = PQconndefaults();
	c->password = option(c, "password");
	return 0;
}

/* ---- addresses ---- */

static size_t count(const char *list)
{
	size_t n = 1;

	if (!list)
		return 0;
	for (; *list; list++)
		n += *list == ',';
	return n;
}

/* The i-th of a list with commas, or the only one.  NULL: empty, or none. */
static char *nth(const char *list, size_t i)
{
	size_t len;

	if (!list)
		return NULL;
	if (count(list) > 1)
		for (; i > 0; i--)
			list = strchr(list, ',') + 1;
	len = strcspn(list, ",");
	return len ? view_dup((struct view){ list, len }) : NULL;
}

static int add_host(struct ctx *ctx, struct targets *to, const char *host,
		    const char *port, struct err *err)
{
	const struct conf_hostport at = { host, port ? port : "" };
	struct addresses found;

	if (resolve(ctx, &at, &found, err) < 0)
		return -1;
	for (size_t i = 0; i < found.n; i++) {
		struct target t = {
			.host = xstrdup(host),
			.hostaddr = address_host(&found.v[i]),
			.port = xstrdup_or_null(port),
		};

		VEC_PUSH(to, t);
	}
	return 0;
}

/* A name that is not found does not hide the servers beside it. */
static int find_targets(struct ctx *ctx, struct checkpoint *c, struct err *err)
{
	const char *hosts = option(c, "host"), *addrs = option(c, "hostaddr");
	const char *ports = option(c, "port");
	size_t n = addrs ? count(addrs) : hosts ? count(hosts) : 1;

	if ((hosts && count(hosts) != n) || (count(ports) > 1 && count(ports) != n))
		return err_set(err, ERR_INVALID,
			       "dsn: the lists of host, hostaddr and port differ "
			       "in length; give one of each for every server");
	for (size_t i = 0; i < n; i++) {
		cleanup(str_freep) char *host = nth(hosts, i), *addr = nth(addrs, i);
		cleanup(str_freep) char *port = nth(ports, i);
		struct target t;

		if (!addr && host && *host != '/' && *host != '@') {
			cleanup(err_clear) struct err e = ERR_INIT;

			if (add_host(ctx, &c->targets, host, port, &e) == 0)
				continue;
			if (n == 1 || ctx_done(ctx)) {
				err_move(err, &e);
				return -1;
			}
			hook_log(c->call, LOG_WARN,
				 (struct log_field){ "err", err_msg(&e) },
				 "a host of the dsn is left out");
			continue;
		}
		t = (struct target){ TAKE(host), TAKE(addr), TAKE(port) };
		VEC_PUSH(&c->targets, t);
	}
	return c->targets.n ? 0
			    : err_set(err, ERR_NETWORK, "no host of the dsn is known");
}

/* ---- connection ---- */

static int said(const struct checkpoint *c, enum err_kind kind, const char *text,
		struct err *err)
{
	cleanup(str_freep) char *line = database_said(text, c->password);

	return err_set(err, kind, "%s", *line ? line : "the server does not say why");
}

static void notice(void *arg, const char *text)
{
	const struct checkpoint *c = arg;
	cleanup(str_freep) char *line = database_said(text, c->password);

	hook_log(c->call, LOG_INFO, (struct log_field){ "notice", line },
		 "the server gives notice");
}

/* What was given, but for the address. */
static PGconn *start(const struct checkpoint *c, const struct target *t)
{
	const char **keys, **values;
	size_t n = 0, max = 6;
	PGconn *conn;

	for (const PQconninfoOption *o = c->given; o->keyword; o++)
		max++;
	keys = xcalloc(max, sizeof(*keys));
	values = xcalloc(max, sizeof(*values));
	/* libpq takes the last one of the same name. */
#define ADD(k, v) (keys[n] = (k), values[n] = (v), n++)
	ADD("fallback_application_name", "zrepl");
	/* it may ask Kerberos' servers, and wait for them; the Go driver has none */
	ADD("gssencmode", "disable");
	for (const PQconninfoOption *o = c->given; o->keyword; o++) {
		if (o->val)
			ADD(o->keyword, o->val);
	}
	ADD("host", t->host);
	ADD("hostaddr", t->hostaddr);
	ADD("port", t->port);
#undef ADD
	conn = PQconnectStartParams(keys, values, 0);
	free(keys);
	free(values);
	return conn;
}

static const char *name_of(const struct target *t)
{
	return t->host ? t->host : t->hostaddr ? t->hostaddr : "the local server";
}

static int establish(struct ctx *ctx, struct checkpoint *c, PGconn *conn, struct err *err)
{
	PostgresPollingStatusType s = PGRES_POLLING_WRITING;

	if (PQstatus(conn) == CONNECTION_BAD)
		return said(c, ERR_NETWORK, PQerrorMessage(conn), err);
	PQsetNoticeProcessor(conn, notice, c);
	while (s != PGRES_POLLING_OK) {
		struct pollfd p = {
			.fd = PQsocket(conn),
			.events = s == PGRES_POLLING_READING ? POLLIN : POLLOUT,
		};

		if (ctx_poll(ctx, &p, 1, -1, err) < 0)
			return -1;
		s = PQconnectPoll(conn);
		if (s == PGRES_POLLING_FAILED)
			return said(c, ERR_NETWORK, PQerrorMessage(conn), err);
	}
	/* closing must not wait either */
	return PQsetnonblocking(conn, 1) == 0
		       ? 0
		       : said(c, ERR_NETWORK, PQerrorMessage(conn), err);
}

static int connect_one(struct ctx *ctx, void *arg, size_t i, bool *is_final,
		       struct err *err)
{
	struct checkpoint *c = arg;
	const struct target *t = &c->targets.v[i];
	cleanup(PQfinishp) PGconn *conn = start(c, t);

	assert(conn); /* out of memory */
	(void)is_final;
	if (establish(ctx, c, conn, err) < 0)
		/* libpq's own message names it; "timed out" does not */
		return ctx_done(ctx) ? err_wrap(err, "connect to %s", name_of(t)) : -1;
	c->conn = TAKE(conn);
	return 0;
}

/* ---- statements ---- */

static int failed(const struct checkpoint *c, const PGresult *r, struct err *err)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	bool is_denied = state && (strncmp(state, "28", 2) == 0 || /* authorization */
				   strcmp(state, "42501") == 0);   /* privilege */

	return said(c,
		    !state      ? ERR_NETWORK
		    : is_denied ? ERR_DENIED
				: ERR_REMOTE,
		    PQresultErrorMessage(r), err);
}

/* Waits until the next result is there. */
static int await_result(struct ctx *ctx, struct checkpoint *c, struct err *err)
{
	for (;;) {
		int left = PQflush(c->conn);
		struct pollfd p = {
			.fd = PQsocket(c->conn),
			.events = (short)(left > 0 ? POLLIN | POLLOUT : POLLIN),
		};

		if (left < 0)
			break;
		if (left == 0 && !PQisBusy(c->conn))
			return 0;
		if (ctx_poll(ctx, &p, 1, -1, err) < 0)
			return -1;
		if (p.revents & ~POLLOUT && !PQconsumeInput(c->conn))
			break;
	}
	return said(c, ERR_NETWORK, PQerrorMessage(c->conn), err);
}

static int execute_one(struct ctx *ctx, struct checkpoint *c, const char *sql,
		       struct err *err)
{
	if (!PQsendQuery(c->conn, sql))
		return said(c, ERR_NETWORK, PQerrorMessage(c->conn), err);
	for (;;) {
		cleanup(PQclearp) PGresult *r = NULL;

		if (await_result(ctx, c, err) < 0)
			return -1;
		r = PQgetResult(c->conn);
		if (!r)
			return 0;
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			return failed(c, r, err);
	}
}

static int execute(struct ctx *ctx, struct checkpoint *c, const char *sql,
		   struct err *err)
{
	return execute_one(ctx, c, sql, err) == 0 ? 0 : err_wrap(err, "%s", sql);
}

/* A server that we no longer wait for shall not go on for ever.  That it is later than we
 * are keeps the message the same. */
static int limit(struct ctx *ctx, struct checkpoint *c, struct err *err)
{
	int64_t left = c->end_ms - now_ms() + 1000;
	cleanup(str_freep) char *sql = NULL;

	if (left > INT32_MAX)
		return 0;
	sql = xasprintf("SET statement_timeout = %" PRId64, left < 1 ? 1 : left);
	return execute(ctx, c, sql, err);
}

/* ---- hook ---- */

static int pre(struct ctx *ctx, const struct hook_call *call, void **session,
	       struct err *err)
{
	cleanup(checkpoint_fini) struct checkpoint c = {
		.call = call,
		.end_ms = now_ms() + call->conf->timeout_ms,
	};

	(void)session;
	if (parse(&c, err) < 0 || find_targets(ctx, &c, err) < 0 ||
	    database_connect(ctx, c.targets.n, c.end_ms, connect_one, &c, err) < 0 ||
	    limit(ctx, &c, err) < 0)
		return -1;
	return execute(ctx, &c, "CHECKPOINT", err);
}

static int post(struct ctx *ctx, const struct hook_call *call, void *session,
		struct err *err)
{
	(void)ctx;
	(void)call;
	(void)session;
	(void)err;
	return 0;
}

const struct hook_kind hook_postgres_checkpoint = { pre, post };
