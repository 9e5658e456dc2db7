/*
 * FLUSH TABLES WITH READ LOCK in a MariaDB or MySQL server, with libmariadb.
 *
 * The lock belongs to the connection, which is kept from the pre edge to the post edge:
 * were it lost in between, so would be the lock.
 *
 * libmariadb suspends its call, on a stack of its own, wherever it would wait (the calls
 * _start and _cont).  A suspended call cannot be dropped, it would leak what it holds. So
 * when ctx is done, the socket is shut down, and the call told that its time is over,
 * until it has returned.
 */
#include "hook/database.h"
#include "hook/kind.h"

#include "base/buf.h"
#include "base/parse.h"
#include "base/vec.h"
#include "codec/duration.h"
#include "net/address.h"
#include "net/resolve.h"

#include <inttypes.h>
#include <mysql.h>
#include <pthread.h>
#include <sys/socket.h>

enum { STACK = 256 << 10, MAX_PACKET = 1 << 20 };

/* ---- parameters ---- */

enum tls { TLS_OFF, TLS_PREFERRED, TLS_UNVERIFIED, TLS_VERIFIED };

struct params {
	enum tls tls;
	int64_t connect_ms, read_ms; /* 0: no limit but the hook's */
	bool cleartext, old, no_native;
	bool has_lock_wait_timeout;
	struct buf session; /* "a = 1, b = 2" */
};

/* Those of Go's driver that change nothing here: one statement, and no results. */
static const char *const without_effect[] = {
	"allowAllFiles",
	"charset",
	"checkConnLiveness",
	"clientFoundRows",
	"collation",
	"columnsWithAlias",
	"compress",
	"connectionAttributes",
	"interpolateParams",
	"loc",
	"maxAllowedPacket",
	"multiStatements",
	"parseTime",
	"rejectReadOnly",
	"timeTruncate",
	"writeTimeout", /* what we write is never more than a few bytes */
};

static bool is_without_effect(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(without_effect); i++)
		if (strcmp(name, without_effect[i]) == 0)
			return true;
	return false;
}

static int parse_tls(const char *s, enum tls *out, struct err *err)
{
	bool is_on;

	if (strcmp(s, "skip-verify") == 0)
		*out = TLS_UNVERIFIED;
	else if (strcmp(s, "preferred") == 0)
		*out = TLS_PREFERRED;
	else if (parse_bool(view_of(s), &is_on))
		*out = is_on ? TLS_VERIFIED : TLS_OFF;
	else
		return err_set(err, ERR_INVALID,
			       "tls=%s is not known; write true, false, skip-verify "
			       "or preferred",
			       s);
	return 0;
}

static int parse_flag(const struct mysql_dsn_param *p, bool *out, struct err *err)
{
	if (parse_bool(view_of(p->value), out))
		return 0;
	return err_set(err, ERR_INVALID, "%s=%s is neither true nor false", p->name,
		       p->value);
}

static int parse_time(const struct mysql_dsn_param *p, int64_t *ms, struct err *err)
{
	int64_t ns;

	if (gdur_parse(p->value, &ns, err) < 0)
		return err_wrap(err, "%s", p->name);
	*ms = (ns + NS_PER_MS - 1) / NS_PER_MS;
	return 0;
}

static int parse_param(const struct mysql_dsn_param *p, struct params *out,
		       struct err *err)
{
	bool is_on = true;

	if (strcmp(p->name, "tls") == 0)
		return parse_tls(p->value, &out->tls, err);
	if (strcmp(p->name, "timeout") == 0)
		return parse_time(p, &out->connect_ms, err);
	if (strcmp(p->name, "readTimeout") == 0)
		return parse_time(p, &out->read_ms, err);
	if (strcmp(p->name, "allowCleartextPasswords") == 0)
		return parse_flag(p, &out->cleartext, err);
	if (strcmp(p->name, "allowOldPasswords") == 0)
		return parse_flag(p, &out->old, err);
	if (strcmp(p->name, "allowFallbackToPlaintext") == 0) {
		if (parse_flag(p, &is_on, err) < 0)
			return -1;
		if (is_on && out->tls != TLS_OFF)
			out->tls = TLS_PREFERRED;
		return 0;
	}
	if (strcmp(p->name, "allowNativePasswords") == 0) {
		if (parse_flag(p, &is_on, err) < 0)
			return -1;
		out->no_native = !is_on;
		return 0;
	}
	if (strcmp(p->name, "serverPubKey") == 0)
		return err_set(err, ERR_INVALID,
			       "serverPubKey names a key that only a program can give; "
			       "leave it out");
	if (is_without_effect(p->name))
		return 0;
	/* As in Go's driver, everything else is a variable of the session. */
	if (strcmp(p->name, "lock_wait_timeout") == 0)
		out->has_lock_wait_timeout = true;
	buf_printf(&out->session, "%s%s = %s", out->session.len ? ", " : "", p->name,
		   p->value);
	return 0;
}

static void params_fini(struct params *p)
{
	buf_free(&p->session);
}

static int parse_params(const struct mysql_dsn *d, struct params *out, struct err *err)
{
	const struct mysql_dsn_param *p;

	VEC_FOREACH (p, &d->params)
		if (parse_param(p, out, err) < 0)
			return err_wrap(err, "dsn");
	return 0;
}

/* ---- waiting ---- */

static void sever(MYSQL *m)
{
	my_socket fd = mysql_get_socket(m);

	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
}

/* Whatever it was in the middle of; there is nothing left that could make it wait. */
static void disconnect(MYSQL *m)
{
	if (!m)
		return;
	sever(m);
	mysql_close(m);
}
DEFINE_CLEANUP(disconnect, MYSQL *);

/*
 * Until what the suspended call waits for has come: what to tell it.  Once *err is set,
 * its time is over.
 */
static int await(struct ctx *ctx, MYSQL *m, int status, struct err *err)
{
	struct pollfd p = { .fd = mysql_get_socket(m) };
	int64_t ms =
		status & MYSQL_WAIT_TIMEOUT ? (int64_t)mysql_get_timeout_value_ms(m) : -1;

	if (err->kind != ERR_NONE)
		return MYSQL_WAIT_TIMEOUT;
	p.events = (short)((status & MYSQL_WAIT_READ ? POLLIN : 0) |
			   (status & MYSQL_WAIT_WRITE ? POLLOUT : 0) |
			   (status & MYSQL_WAIT_EXCEPT ? POLLPRI : 0));
	if (ctx_poll(ctx, &p, 1, ms, err) < 0) {
		sever(m);
		return MYSQL_WAIT_TIMEOUT;
	}
	if (p.revents & (POLLERR | POLLHUP | POLLNVAL))
		return status & ~MYSQL_WAIT_TIMEOUT;
	return p.revents == 0 ? MYSQL_WAIT_TIMEOUT
			      : (p.revents & POLLIN ? MYSQL_WAIT_READ : 0) |
					(p.revents & POLLOUT ? MYSQL_WAIT_WRITE : 0) |
					(p.revents & POLLPRI ? MYSQL_WAIT_EXCEPT : 0);
}

static enum err_kind kind_of(unsigned code)
{
	switch (code) {
	case 1044: /* ER_DBACCESS_DENIED_ERROR */
	case 1045: /* ER_ACCESS_DENIED_ERROR */
	case 1227: /* ER_SPECIFIC_ACCESS_DENIED_ERROR: the privilege RELOAD */
	case 1698: /* ER_ACCESS_DENIED_NO_PASSWORD_ERROR */
		return ERR_DENIED;
	default: /* 2000 to 2999 and 5000 to 5999 are the library's own */
		return code / 1000 == 2 || code / 1000 == 5 ? ERR_NETWORK : ERR_REMOTE;
	}
}

static int said(MYSQL *m, const struct mysql_dsn *d, struct err *err)
{
	cleanup(str_freep) char *line = database_said(mysql_error(m), d->password);

	return err_set(err, kind_of(mysql_errno(m)), "%s",
		       *line ? line : "the server does not say why");
}

static int wait_query(struct ctx *ctx, const struct mysql_dsn *d, MYSQL *m,
		      const char *sql, struct err *err)
{
	cleanup(err_clear) struct err waited = ERR_INIT;
	int rc = 0, status;

	/* the answer may come faster than anybody has to wait for it */
	if (ctx_poll(ctx, NULL, 0, 0, err) < 0)
		return -1;
	status = mysql_real_query_start(&rc, m, sql, strlen(sql));
	while (status)
		status = mysql_real_query_cont(&rc, m, await(ctx, m, status, &waited));
	if (waited.kind != ERR_NONE) {
		err_move(err, &waited);
		return -1;
	}
	return rc == 0 ? 0 : said(m, d, err);
}

/* ---- connection ---- */

struct lock {
	const struct mysql_dsn *dsn;
	struct params params;
	struct addresses addresses;
	int64_t end_ms;
	MYSQL *m;
};

static void lock_free(struct lock *l)
{
	disconnectp(&l->m);
	params_fini(&l->params);
	free(l);
}
DEFINE_CLEANUP(lock_free, struct lock *);

static void init_library(void)
{
	if (mysql_library_init(0, NULL, NULL) != 0)
		abort(); /* out of memory */
}

/* Never one that asks at the terminal, nor one that shows the password unasked. */
static char *auth_methods(const struct params *p)
{
	struct buf b = { 0 };

	buf_printf(&b, "caching_sha2_password,sha256_password,client_ed25519");
	if (!p->no_native)
		buf_printf(&b, ",mysql_native_password");
	if (p->cleartext)
		buf_printf(&b, ",mysql_clear_password");
	if (p->old)
		buf_printf(&b, ",mysql_old_password");
	return buf_take(&b);
}

static MYSQL *prepare(const struct lock *l)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	cleanup(str_freep) char *methods = auth_methods(&l->params);
	unsigned local_infile = 0,
		 protocol = l->dsn->socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
	my_bool is_tls = l->params.tls != TLS_OFF;
	my_bool verify = l->params.tls == TLS_VERIFIED;
	size_t stack = STACK, max_packet = MAX_PACKET;
	MYSQL *m;

	pthread_once(&once, init_library);
	m = mysql_init(NULL);
	if (!m || mysql_options(m, MYSQL_OPT_NONBLOCK, &stack) != 0 ||
	    mysql_options(m, MYSQL_OPT_PROTOCOL, &protocol) != 0 ||
	    mysql_options(m, MYSQL_OPT_LOCAL_INFILE, &local_infile) != 0 ||
	    mysql_options(m, MYSQL_OPT_MAX_ALLOWED_PACKET, &max_packet) != 0 ||
	    mysql_options(m, MARIADB_OPT_RESTRICTED_AUTH, methods) != 0 ||
	    (is_tls && mysql_options(m, MYSQL_OPT_SSL_ENFORCE, &is_tls) != 0) ||
	    mysql_options(m, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify) != 0)
		abort(); /* out of memory */
	return m;
}

/* host NULL: the socket. */
static int wait_connect(struct ctx *parent, const struct lock *l, MYSQL *m,
			const char *host, struct err *err)
{
	const struct mysql_dsn *d = l->dsn;
	unsigned port = host ? ntohs(address_port(&l->addresses.v[0])) : 0;
	cleanup(err_clear) struct err waited = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(parent);
	MYSQL *done = NULL;
	int status = mysql_real_connect_start(&done, m, host, d->user, d->password,
					      *d->database ? d->database : NULL, port,
					      d->socket, 0);

	if (l->params.connect_ms > 0)
		ctx_set_timeout(ctx, l->params.connect_ms);
	while (status)
		status =
			mysql_real_connect_cont(&done, m, await(ctx, m, status, &waited));
	if (err_is(&waited, ERR_TIMEOUT) && !ctx_done(parent))
		return err_set(err, ERR_TIMEOUT, "no answer within the dsn's timeout");
	if (waited.kind != ERR_NONE) {
		err_move(err, &waited);
		return -1;
	}
	if (!done)
		return said(m, d, err);
	if (l->params.tls >= TLS_UNVERIFIED && !mysql_get_ssl_cipher(m))
		return err_set(err, ERR_DENIED,
			       "the server has no TLS, which the dsn demands");
	return 0;
}

static int connect_one(struct ctx *ctx, void *arg, size_t i, bool *is_final,
		       struct err *err)
{
	struct lock *l = arg;
	cleanup(disconnectp) MYSQL *m = prepare(l);
	cleanup(str_freep) char *address =
		l->dsn->host ? address_host(&l->addresses.v[i]) : NULL;
	/*
	 * A certificate is compared with the name, which then the library has to look up
	 * as well: it has just been found.
	 */
	const char *host =
		address && l->params.tls == TLS_VERIFIED ? l->dsn->host : address;

	if (wait_connect(ctx, l, m, host, err) < 0) {
		*is_final = !err_is(err, ERR_NETWORK) && !err_is(err, ERR_TIMEOUT);
		return l->dsn->socket ? err_wrap(err, "connect to %s", l->dsn->socket)
				      : err_wrap(err, "connect to %s port %s", address,
						 l->dsn->port);
	}
	l->m = TAKE(m);
	return 0;
}

static int establish(struct ctx *ctx, struct lock *l, struct err *err)
{
	size_t n = 1;

	if (l->dsn->host) {
		const struct conf_hostport at = { l->dsn->host, l->dsn->port };

		if (resolve(ctx, &at, &l->addresses, err) < 0)
			return -1;
		n = l->params.tls == TLS_VERIFIED ? 1 : l->addresses.n;
	}
	return database_connect(ctx, n, l->end_ms, connect_one, l, err);
}

/* ---- statements ---- */

static int execute(struct ctx *parent, struct lock *l, const char *sql, struct err *err)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(parent);

	if (l->params.read_ms > 0)
		ctx_set_timeout(ctx, l->params.read_ms);
	if (wait_query(ctx, l->dsn, l->m, sql, err) == 0)
		return 0;
	if (err_is(err, ERR_TIMEOUT) && !ctx_done(parent))
		err_set(err, ERR_TIMEOUT, "no answer within the dsn's readTimeout");
	return err_wrap(err, "%s", sql);
}

/*
 * The variables of the dsn; and a server that we no longer wait for shall not go on for
 * ever.  What the dsn sets is not repeated in the error.
 */
static int set_variables(struct ctx *ctx, struct lock *l, struct err *err)
{
	int64_t left_s = (l->end_ms - now_ms()) / 1000 + 2;
	cleanup(buf_free) struct buf sql = { 0 };

	buf_printf(&sql, "SET %s", buf_str(&l->params.session));
	if (!l->params.has_lock_wait_timeout)
		buf_printf(&sql, "%slock_wait_timeout = %" PRId64,
			   l->params.session.len ? ", " : "", left_s < 1 ? 1 : left_s);
	if (wait_query(ctx, l->dsn, l->m, buf_str(&sql), err) < 0)
		return err_wrap(err, "set the variables of the session");
	return 0;
}

/* ---- hook ---- */

static int pre(struct ctx *ctx, const struct hook_call *call, void **session,
	       struct err *err)
{
	cleanup(lock_freep) struct lock *l = xcalloc(1, sizeof(*l));

	l->dsn = &call->conf->mysql;
	l->end_ms = now_ms() + call->conf->timeout_ms;
	if (parse_params(l->dsn, &l->params, err) < 0 || establish(ctx, l, err) < 0 ||
	    set_variables(ctx, l, err) < 0 ||
	    execute(ctx, l, "FLUSH TABLES WITH READ LOCK", err) < 0)
		return -1;
	*session = TAKE(l);
	return 0;
}

static int post(struct ctx *ctx, const struct hook_call *call, void *session,
		struct err *err)
{
	cleanup(lock_freep) struct lock *l = session;

	(void)call;
	if (execute(ctx, l, "UNLOCK TABLES", err) == 0)
		return 0;
	if (err_is(err, ERR_NETWORK))
		return err_wrap(err,
				"the connection with the read lock was lost, and the "
				"snapshot may be inconsistent");
	return -1;
}

const struct hook_kind hook_mysql_lock_tables = { pre, post };
