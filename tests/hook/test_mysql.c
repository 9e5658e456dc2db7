/* The read lock of a real server, which tests/hook/with-mariadb has started. */
#include "base/parse.h"
#include "database_call.h"

#include <mysql.h>

static void init(struct database_call *d, int64_t timeout_ms, const char *dsn)
{
	struct conf_hook conf = {
		.type = HOOK_MYSQL_LOCK_TABLES,
		.timeout_ms = timeout_ms,
		.dsn = dsn,
	};
	cleanup(err_clear) struct err e = ERR_INIT;

	if (mysql_dsn_parse(dsn, &conf.mysql, &e) < 0)
		abort();
	database_call_init(d, &hook_mysql_lock_tables, &conf);
}

static void fini(struct database_call *d)
{
	mysql_dsn_free(&d->conf.mysql);
	database_call_fini(d);
}

static char *tcp(const char *user, const char *params)
{
	return xasprintf("%s:" PASSWORD "@tcp(127.0.0.1:%s)/db%s", user,
			 of_server("MARIADB_PORT"), params);
}

static char *tcp_port(unsigned port)
{
	return xasprintf("zrepl:" PASSWORD "@tcp(127.0.0.1:%u)/", port);
}

static void fails(const char *dsn, enum err_kind kind, const char *part)
{
	struct database_call d;

	init(&d, PATIENCE_MS, dsn);
	database_pre_fails(&d, kind, part);
	fini(&d);
}

/* ---- a second client ---- */

static MYSQL *connect_beside(void)
{
	MYSQL *m = mysql_init(NULL);

	if (!mysql_real_connect(m, NULL, "root", "", "db", 0, of_server("MARIADB_SOCKET"),
				0))
		abort();
	return m;
}

/* 0, or the number of the server's error. */
static unsigned run(MYSQL *m, const char *sql)
{
	return mysql_query(m, sql) == 0 ? 0 : mysql_errno(m);
}

static char *ask(MYSQL *m, const char *sql)
{
	MYSQL_RES *r;
	MYSQL_ROW row;
	char *s;

	if (mysql_query(m, sql) != 0 || !(r = mysql_store_result(m)))
		abort();
	row = mysql_fetch_row(r);
	s = xstrdup(row && row[0] ? row[0] : "");
	mysql_free_result(r);
	return s;
}

enum { LOCKED = 1205 }; /* ER_LOCK_WAIT_TIMEOUT */

static unsigned insert(MYSQL *m)
{
	return run(m, "SET STATEMENT lock_wait_timeout = 0 FOR INSERT INTO t VALUES (1)");
}

static char *any_of_ours(void *m)
{
	return ask(m, "SELECT id FROM information_schema.processlist "
		      "WHERE user = 'zrepl'");
}

/* ---- the lock ---- */

static void locks(const char *dsn)
{
	MYSQL *beside = connect_beside();
	struct database_call d;

	init(&d, PATIENCE_MS, dsn);
	CHECK_INT(insert(beside), 0);
	if (!CHECK_INT(database_pre(&d), 0))
		printf("# %s\n", err_msg(&d.err));
	CHECK_INT(insert(beside), LOCKED);
	CHECK_INT(database_post(&d), 0);
	CHECK_INT(insert(beside), 0);
	CHECK(none_is_left(any_of_ours, beside));
	CHECK_STR(buf_str(&d.text.text), "");
	fini(&d);
	mysql_close(beside);
}

static void locks_over_tcp(const char *params)
{
	cleanup(str_freep) char *dsn = tcp("zrepl", params);

	locks(dsn);
}

TEST(tables_are_locked_from_the_pre_edge_to_the_post_edge)
{
	locks_over_tcp("");
}

TEST(the_lock_works_over_a_socket)
{
	cleanup(str_freep) char *dsn =
		xasprintf("zrepl:" PASSWORD "@unix(%s)/", of_server("MARIADB_SOCKET"));

	locks(dsn);
}

TEST(a_host_may_be_a_name)
{
	cleanup(str_freep) char *dsn = xasprintf("zrepl:" PASSWORD "@tcp(localhost:%s)/",
						 of_server("MARIADB_PORT"));

	locks(dsn);
}

TEST(the_connection_may_use_tls)
{
	locks_over_tcp("?tls=skip-verify");
	locks_over_tcp("?tls=preferred");
	locks_over_tcp("?tls=false");
}

TEST(a_certificate_that_nobody_vouches_for_is_an_error_with_tls_true)
{
	cleanup(str_freep) char *dsn = tcp("zrepl", "?tls=true");
	cleanup(str_freep) char *named =
		xasprintf("zrepl:" PASSWORD "@tcp(localhost:%s)/?tls=true",
			  of_server("MARIADB_PORT"));

	fails(dsn, ERR_NETWORK, "ertificate");
	fails(named, ERR_NETWORK, "ertificate");
}

TEST(parameters_that_the_go_driver_does_not_know_are_variables_of_the_session)
{
	cleanup(str_freep) char *bad = tcp("zrepl", "?no_such_variable=1&charset=utf8");

	locks_over_tcp("?lock_wait_timeout=7&sql_mode=%27ANSI%27&parseTime=true");
	fails(bad, ERR_REMOTE,
	      "set the variables of the session: Unknown system variable "
	      "'no_such_variable'");
}

TEST(parameters_that_make_no_sense_are_refused)
{
	static const struct {
		const char *params, *says;
	} rows[] = {
		{ "?tls=mine", "dsn: tls=mine is not known; write true, false, "
			       "skip-verify or preferred" },
		{ "?timeout=fast", "dsn: timeout: " },
		{ "?allowNativePasswords=maybe",
		  "dsn: allowNativePasswords=maybe is neither true nor false" },
		{ "?serverPubKey=x", "dsn: serverPubKey names a key" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup(str_freep) char *dsn = tcp("zrepl", rows[i].params);

		fails(dsn, ERR_INVALID, rows[i].says);
	}
}

TEST(a_password_is_not_shown_in_a_way_that_the_dsn_excludes)
{
	cleanup(str_freep) char *dsn = tcp("zrepl", "?allowNativePasswords=false");

	fails(dsn, ERR_NETWORK, "mysql_native_password");
}

struct snapshotting {
	MYSQL *beside;
	bool is_taken;
};

static int take(struct ctx *ctx, void *arg, struct err *err)
{
	struct snapshotting *s = arg;

	(void)ctx;
	(void)err;
	CHECK_INT(insert(s->beside), LOCKED);
	s->is_taken = true;
	return 0;
}

TEST(hooks_hold_the_lock_while_the_snapshot_is_taken)
{
	struct snapshotting s = { .beside = connect_beside() };
	cleanup(str_freep) char *dsn = tcp("zrepl", "");
	cleanup(hooks_freep) struct hooks *h = NULL;
	struct hooks_run r = { .fs = "pool/db", .snap = "s", .take = take, .arg = &s };
	struct database_call d;
	bool taken = false;

	init(&d, PATIENCE_MS, dsn);
	CHECK_INT(dsfilter_add(&d.conf.filesystems, "pool<", true, &d.err), 0);
	h = hooks_new(&(struct hooks_opts){
		.conf = &d.conf, .n = 1, .env = &d.env, .log = d.log });
	CHECK_INT(hooks_run(d.ctx, h, &r, &taken, &d.err), 0);
	CHECK(taken && s.is_taken);
	CHECK_INT(insert(s.beside), 0);
	dsfilter_free(&d.conf.filesystems);
	fini(&d);
	mysql_close(s.beside);
}

/* ---- what goes wrong ---- */

TEST(a_server_that_is_down_is_an_error_that_names_it)
{
	struct silent closed = silent_open(false);
	cleanup(str_freep) char *dsn = tcp_port(closed.port);
	cleanup(str_freep) char *part =
		xasprintf("connect to 127.0.0.1 port %u: ", closed.port);

	fails(dsn, ERR_NETWORK, part);
	fails(dsn, ERR_NETWORK, "(111");
	fails("zrepl:" PASSWORD "@unix(/nonexistent/socket)/", ERR_NETWORK,
	      "connect to /nonexistent/socket: ");
	fails("zrepl:" PASSWORD "@tcp(db.invalid)/", ERR_NETWORK, "resolve db.invalid: ");
	close(closed.fd);
}

TEST(a_wrong_password_is_an_error_that_does_not_repeat_it)
{
	cleanup(str_freep) char *dsn = xasprintf("zrepl:s3cret_not@tcp(127.0.0.1:%s)/",
						 of_server("MARIADB_PORT"));

	fails(dsn, ERR_DENIED,
	      "Access denied for user 'zrepl'@'127.0.0.1' (using password: YES)");
}

TEST(no_such_database_is_an_error_that_names_it)
{
	cleanup(str_freep) char *dsn =
		xasprintf("root@unix(%s)/nowhere", of_server("MARIADB_SOCKET"));
	cleanup(str_freep) char *hidden = tcp("plain", "");

	fails(dsn, ERR_REMOTE, "Unknown database 'nowhere'");
	fails(hidden, ERR_DENIED, "Access denied for user 'plain'@'%' to database 'db'");
}

TEST(who_may_not_lock_tables_is_told_so)
{
	cleanup(str_freep) char *dsn = xasprintf("plain:" PASSWORD "@tcp(127.0.0.1:%s)/",
						 of_server("MARIADB_PORT"));

	fails(dsn, ERR_DENIED,
	      "FLUSH TABLES WITH READ LOCK: Access denied; you need (at least one of) "
	      "the RELOAD privilege");
}

static void times_out(const char *dsn, int64_t timeout_ms, const char *says)
{
	struct database_call d;

	init(&d, timeout_ms, dsn);
	database_pre_fails(&d, ERR_TIMEOUT, NULL);
	CHECK_STR(err_msg(&d.err), says);
	CHECK(d.took_ms >= SOON_MS && d.took_ms < PATIENCE_MS);
	fini(&d);
}

TEST(a_server_that_never_answers_is_given_up_in_time)
{
	struct silent mute = silent_open(true);
	cleanup(str_freep) char *dsn = tcp_port(mute.port);
	cleanup(str_freep) char *limited = xasprintf("%s?timeout=300ms", dsn);
	cleanup(str_freep) char *says =
		xasprintf("connect to 127.0.0.1 port %u: timed out", mute.port);

	times_out(dsn, SOON_MS, says);
	free(says);
	says = xasprintf(
		"connect to 127.0.0.1 port %u: no answer within the dsn's timeout",
		mute.port);
	times_out(limited, PATIENCE_MS, says);
	close(mute.fd);
}

/* The greeting of a server, without TLS. */
static const char greeting[] = "\x51\0\0\0\x0a"
			       "5.5.5-10.11.6\0"
			       "\1\0\0\0"
			       "12345678\0"
			       "\xfe\xf7\x08\2\0\xff\x81\x15\0\0\0\0\0\0\0\0\0\0"
			       "123456789012\0"
			       "mysql_native_password";

TEST(a_server_that_stops_in_the_middle_of_its_greeting_is_given_up_in_time)
{
	struct mumbler m = { .says = greeting, .len = 30 };
	cleanup(str_freep) char *dsn = NULL, *says = NULL;

	mumbler_start(&m);
	dsn = tcp_port(m.at.port);
	says = xasprintf("connect to 127.0.0.1 port %u: timed out", m.at.port);
	times_out(dsn, SOON_MS, says);
	mumbler_stop(&m);
}

TEST(a_server_that_stops_while_we_log_in_is_given_up_in_time)
{
	struct mumbler m = { .says = greeting, .len = sizeof(greeting) };
	cleanup(str_freep) char *dsn = NULL, *says = NULL;

	CHECK_INT(sizeof(greeting), 0x51 + 4);
	mumbler_start(&m);
	dsn = tcp_port(m.at.port);
	says = xasprintf("connect to 127.0.0.1 port %u: timed out", m.at.port);
	times_out(dsn, SOON_MS, says);
	mumbler_stop(&m);
}

/* It lets everybody in. */
static void fails_without_tls(const char *tls, enum err_kind kind, const char *part)
{
	static const char ok[] = "\7\0\0\2\0\0\0\2\0\0";
	char says[sizeof(greeting) + sizeof(ok)];
	struct mumbler m = { .says = says, .len = sizeof(says) };
	cleanup(str_freep) char *dsn = NULL;

	memcpy(says, greeting, sizeof(greeting));
	memcpy(says + sizeof(greeting), ok, sizeof(ok));
	mumbler_start(&m);
	dsn = xasprintf("zrepl:" PASSWORD "@tcp(127.0.0.1:%u)/?tls=%s", m.at.port, tls);
	fails(dsn, kind, part);
	mumbler_stop(&m);
}

TEST(a_server_without_tls_is_an_error_where_the_dsn_demands_it)
{
	fails_without_tls("true", ERR_NETWORK, "SSL");
	fails_without_tls("skip-verify", ERR_DENIED,
			  "the server has no TLS, which the dsn demands");
}

TEST(a_server_that_speaks_something_else_is_an_error)
{
	struct mumbler m = { .says = "SSH-2.0-OpenSSH\r\n", .len = 17 };
	cleanup(str_freep) char *dsn = NULL;

	mumbler_start(&m);
	dsn = tcp_port(m.at.port);
	fails(dsn, ERR_NETWORK, "connect to 127.0.0.1 port ");
	mumbler_stop(&m);
}

TEST(whoever_waits_for_a_server_can_be_cancelled)
{
	struct mumbler m = { 0 };
	cleanup(str_freep) char *dsn = NULL;
	struct database_call d;

	m.at = silent_open(true);
	dsn = tcp_port(m.at.port);
	init(&d, PATIENCE_MS, dsn);
	m.cancels = d.ctx;
	thread_start(&m.thread, "mumbler", mumble, &m);
	database_pre_fails(&d, ERR_CANCELLED, ": cancelled");
	CHECK(d.took_ms < PATIENCE_MS);
	mumbler_stop(&m);
	fini(&d);
}

TEST(a_lock_that_is_not_granted_is_given_up_in_time_and_leaves_nothing)
{
	MYSQL *holder = connect_beside(), *beside = connect_beside();
	cleanup(str_freep) char *dsn = tcp("zrepl", "");
	cleanup(str_freep) char *limited = tcp("zrepl", "?readTimeout=300ms");
	cleanup(str_freep) char *refused = tcp("zrepl", "?lock_wait_timeout=0");

	CHECK_INT(run(holder, "LOCK TABLES t WRITE"), 0);
	times_out(dsn, SOON_MS, "FLUSH TABLES WITH READ LOCK: timed out");
	times_out(limited, PATIENCE_MS,
		  "FLUSH TABLES WITH READ LOCK: no answer within the dsn's readTimeout");
	fails(refused, ERR_REMOTE,
	      "FLUSH TABLES WITH READ LOCK: Lock wait timeout exceeded");
	CHECK(none_is_left(any_of_ours, beside));
	CHECK_INT(run(holder, "UNLOCK TABLES"), 0);
	CHECK_INT(insert(beside), 0);
	mysql_close(beside);
	mysql_close(holder);
}

TEST(a_lock_that_was_lost_is_an_error_of_the_post_edge)
{
	MYSQL *beside = connect_beside();
	cleanup(str_freep) char *dsn = tcp("zrepl", "");
	struct database_call d;

	init(&d, PATIENCE_MS, dsn);
	CHECK_INT(database_pre(&d), 0);
	CHECK_INT(insert(beside), LOCKED);
	CHECK_INT(run(beside, "KILL USER zrepl"), 0);
	CHECK(none_is_left(any_of_ours, beside));
	CHECK_INT(insert(beside), 0);
	CHECK_INT(database_post(&d), -1);
	CHECK(strstr(err_msg(&d.err),
		     "the connection with the read lock was lost, and the "
		     "snapshot may be inconsistent: UNLOCK TABLES: ") == err_msg(&d.err));
	fini(&d);
	mysql_close(beside);
}

TEST(an_unlock_that_gets_no_answer_is_given_up_and_the_lock_is_gone_all_the_same)
{
	MYSQL *beside = connect_beside();
	cleanup(str_freep) char *dsn = tcp("zrepl", "");
	struct database_call d;

	init(&d, PATIENCE_MS, dsn);
	CHECK_INT(database_pre(&d), 0);
	ctx_cancel(d.ctx);
	CHECK_INT(database_post(&d), -1);
	CHECK_STR(err_msg(&d.err), "UNLOCK TABLES: cancelled");
	CHECK(none_is_left(any_of_ours, beside));
	CHECK_INT(insert(beside), 0);
	fini(&d);
	mysql_close(beside);
}

TEST_MAIN()
