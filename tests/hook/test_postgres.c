/* CHECKPOINT in a real server, which tests/hook/with-postgres has started. */
#include "base/parse.h"
#include "database_call.h"

#include <fcntl.h>
#include <libpq-fe.h>

static void init(struct database_call *d, int64_t timeout_ms, const char *dsn)
{
	const struct conf_hook conf = {
		.type = HOOK_POSTGRES_CHECKPOINT,
		.timeout_ms = timeout_ms,
		.dsn = dsn,
	};

	database_call_init(d, &hook_postgres_checkpoint, &conf);
}

static char *tcp(const char *host, const char *user)
{
	return xasprintf("host=%s port=%s user=%s password='" PASSWORD
			 "' dbname=postgres",
			 host, of_server("POSTGRES_PORT"), user);
}

static void fails(const char *dsn, enum err_kind kind, const char *part)
{
	struct database_call d;

	init(&d, PATIENCE_MS, dsn);
	database_pre_fails(&d, kind, part);
	database_call_fini(&d);
}

/* How often the server was told to make a checkpoint at once. */
static int checkpoints(void)
{
	static const char line[] = "checkpoint starting: immediate force wait";
	cleanup(fd_closep) int fd = open(of_server("POSTGRES_LOG"), O_RDONLY | O_CLOEXEC);
	cleanup(buf_free) struct buf log = { 0 };
	const char *at;
	ssize_t n;
	int found = 0;

	while ((n = read(fd, buf_reserve(&log, 4096), 4096)) > 0)
		buf_added(&log, (size_t)n);
	at = buf_str(&log);
	while ((at = strstr(at, line)) != NULL) {
		found++;
		at++;
	}
	return found;
}

static void makes_checkpoint(const char *dsn)
{
	struct database_call d;
	int before = checkpoints();

	init(&d, PATIENCE_MS, dsn);
	if (!CHECK_INT(database_pre(&d), 0))
		printf("# %s\n", err_msg(&d.err));
	CHECK_INT(checkpoints(), before + 1);
	CHECK_INT(database_post(&d), 0);
	CHECK_INT(checkpoints(), before + 1);
	CHECK_STR(buf_str(&d.text.text), "");
	database_call_fini(&d);
}

TEST(the_pre_edge_makes_a_checkpoint_over_a_socket)
{
	cleanup(str_freep) char *dsn =
		xasprintf("host=%s port=%s user=postgres dbname=postgres",
			  of_server("POSTGRES_DIR"), of_server("POSTGRES_PORT"));

	makes_checkpoint(dsn);
}

TEST(the_pre_edge_makes_a_checkpoint_over_tcp_with_a_password)
{
	cleanup(str_freep) char *dsn = tcp("127.0.0.1", "zrepl");

	makes_checkpoint(dsn);
}

TEST(a_dsn_may_be_a_url_and_its_host_a_name)
{
	cleanup(str_freep) char *dsn =
		xasprintf("postgres://zrepl:s3cret%%20word@localhost:%s/postgres?"
			  "sslmode=disable",
			  of_server("POSTGRES_PORT"));

	makes_checkpoint(dsn);
}

TEST(an_address_may_be_given_beside_the_name)
{
	cleanup(str_freep) char *dsn =
		xasprintf("host=db.invalid hostaddr=127.0.0.1 port=%s user=zrepl "
			  "password='" PASSWORD "' dbname=postgres",
			  of_server("POSTGRES_PORT"));

	makes_checkpoint(dsn);
}

TEST(of_several_hosts_the_first_that_works_is_taken)
{
	struct silent closed = silent_open(false);
	cleanup(str_freep) char *dsn = xasprintf(
		"host=127.0.0.1,%s port=%u,%s user=postgres dbname=postgres",
		of_server("POSTGRES_DIR"), closed.port, of_server("POSTGRES_PORT"));

	makes_checkpoint(dsn);
	close(closed.fd);
}

TEST(a_host_that_says_nothing_leaves_time_for_the_next)
{
	struct silent mute = silent_open(true);
	cleanup(str_freep) char *dsn = xasprintf(
		"host=127.0.0.1,%s port=%u,%s user=postgres dbname=postgres",
		of_server("POSTGRES_DIR"), mute.port, of_server("POSTGRES_PORT"));
	struct database_call d;

	init(&d, 2000, dsn);
	CHECK_INT(database_pre(&d), 0);
	CHECK(d.took_ms >= 900);
	database_call_fini(&d);
	close(mute.fd);
}

TEST(what_the_server_remarks_goes_to_the_log)
{
	cleanup(str_freep) char *dsn =
		xasprintf("host=%s port=%s user=postgres dbname=postgres "
			  "options='-c client_min_messages=debug5'",
			  of_server("POSTGRES_DIR"), of_server("POSTGRES_PORT"));
	struct database_call d;

	init(&d, PATIENCE_MS, dsn);
	CHECK_INT(database_pre(&d), 0);
	CHECK(strstr(buf_str(&d.text.text),
		     "info: the server gives notice hook=postgres-checkpoint "
		     "hook_number=1 fs=pool/db snap=zrepl_1 notice=DEBUG: ") != NULL);
	database_call_fini(&d);
}

TEST(a_server_that_is_down_is_an_error_that_names_it)
{
	struct silent closed = silent_open(false);
	cleanup(str_freep) char *dsn = xasprintf(
		"host=127.0.0.1 port=%u user=zrepl password='" PASSWORD "'", closed.port);

	fails(dsn, ERR_NETWORK, "connection to server at \"127.0.0.1\", port ");
	fails(dsn, ERR_NETWORK, "failed: Connection refused Is the server running");
	fails("host=/nonexistent user=zrepl", ERR_NETWORK, "No such file or directory");
	close(closed.fd);
}

TEST(a_wrong_password_is_an_error_that_does_not_repeat_it)
{
	cleanup(str_freep) char *dsn =
		xasprintf("host=127.0.0.1 port=%s user=zrepl password=s3cret_not",
			  of_server("POSTGRES_PORT"));

	fails(dsn, ERR_NETWORK, "password authentication failed for user \"zrepl\"");
}

TEST(no_such_database_is_an_error_that_names_it)
{
	cleanup(str_freep) char *dsn =
		xasprintf("host=%s port=%s user=postgres dbname=nowhere",
			  of_server("POSTGRES_DIR"), of_server("POSTGRES_PORT"));

	fails(dsn, ERR_NETWORK, "database \"nowhere\" does not exist");
}

TEST(who_may_not_make_checkpoints_is_told_so)
{
	cleanup(str_freep) char *dsn = tcp("127.0.0.1", "plain");

	fails(dsn, ERR_DENIED, "CHECKPOINT: ERROR: must be superuser or have privileges");
}

TEST(a_dsn_that_cannot_be_is_refused_without_showing_it)
{
	fails("password=two s3cret words", ERR_INVALID,
	      "dsn is no connection string of libpq; write e.g. host=/run/postgresql");
	fails("service=s3cret", ERR_INVALID, "service is not supported");
	fails("host=a,b port=1,2,3", ERR_INVALID, "differ in length");
	fails("host=a,b hostaddr=127.0.0.1", ERR_INVALID, "differ in length");
}

TEST(a_host_that_nobody_knows_is_an_error)
{
	fails("host=db.invalid", ERR_NETWORK, "resolve db.invalid: ");
	fails("host=a.invalid,b.invalid", ERR_NETWORK, "no host of the dsn is known");
}

TEST(a_server_that_never_answers_is_given_up_in_time)
{
	struct silent mute = silent_open(true);
	cleanup(str_freep) char *dsn = xasprintf(
		"host=127.0.0.1 port=%u user=zrepl password='" PASSWORD "'", mute.port);
	struct database_call d;

	init(&d, SOON_MS, dsn);
	database_pre_fails(&d, ERR_TIMEOUT, NULL);
	CHECK_STR(err_msg(&d.err), "connect to 127.0.0.1: timed out");
	CHECK(d.took_ms >= SOON_MS && d.took_ms < PATIENCE_MS);
	database_call_fini(&d);
	close(mute.fd);
}

TEST(a_server_that_stops_in_the_middle_is_given_up_in_time)
{
	/* "no TLS", authentication is over, and the beginning of a parameter's status */
	struct mumbler m = { .says = "NR\0\0\0\b\0\0\0\0S\0\0", .len = 13 };
	cleanup(str_freep) char *dsn = NULL;
	struct database_call d;

	mumbler_start(&m);
	dsn = xasprintf("host=127.0.0.1 port=%u user=zrepl", m.at.port);
	init(&d, SOON_MS, dsn);
	database_pre_fails(&d, ERR_TIMEOUT, "connect to 127.0.0.1: timed out");
	database_call_fini(&d);
	mumbler_stop(&m);
}

static PGconn *connect_beside(void)
{
	cleanup(str_freep) char *dsn =
		xasprintf("host=%s port=%s user=postgres dbname=postgres",
			  of_server("POSTGRES_DIR"), of_server("POSTGRES_PORT"));
	PGconn *conn = PQconnectdb(dsn);

	if (PQstatus(conn) != CONNECTION_OK)
		abort();
	return conn;
}

/* The first column of the first row; "": there is none. */
static char *ask(PGconn *conn, const char *sql)
{
	PGresult *r = PQexec(conn, sql);
	char *s;

	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		abort();
	s = xstrdup(PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
	return s;
}

static char *any_of_ours(void *conn)
{
	return ask(conn, "SELECT pid FROM pg_stat_activity "
			 "WHERE application_name = 'zrepl'");
}

TEST(a_checkpoint_that_does_not_end_is_given_up_in_time_also_by_the_server)
{
	cleanup(str_freep) char *dsn = tcp("127.0.0.1", "zrepl");
	PGconn *beside = connect_beside();
	cleanup(str_freep) char *pid = ask(
		beside,
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
	struct database_call d;
	uint64_t checkpointer;

	REQUIRE(parse_digits(view_of(pid), 10, &checkpointer));
	REQUIRE(kill((pid_t)checkpointer, SIGSTOP) == 0);
	init(&d, SOON_MS, dsn);
	database_pre_fails(&d, ERR_TIMEOUT, NULL);
	CHECK_STR(err_msg(&d.err), "CHECKPOINT: timed out");
	CHECK(d.took_ms >= SOON_MS && d.took_ms < PATIENCE_MS);
	database_call_fini(&d);
	CHECK(none_is_left(any_of_ours, beside));
	REQUIRE(kill((pid_t)checkpointer, SIGCONT) == 0);
	PQfinish(beside);
}

TEST(a_server_that_speaks_something_else_is_an_error)
{
	struct mumbler m = { .says = "SSH-2.0-OpenSSH\r\n", .len = 17 };
	cleanup(str_freep) char *dsn = NULL;

	mumbler_start(&m);
	dsn = xasprintf("host=127.0.0.1 port=%u user=zrepl sslmode=disable", m.at.port);
	fails(dsn, ERR_NETWORK, "expected authentication request from server");
	mumbler_stop(&m);
}

TEST(whoever_waits_for_a_server_can_be_cancelled)
{
	struct mumbler m = { 0 };
	cleanup(str_freep) char *dsn = NULL;
	struct database_call d;

	m.at = silent_open(true);
	dsn = xasprintf("host=127.0.0.1 port=%u user=zrepl", m.at.port);
	init(&d, PATIENCE_MS, dsn);
	m.cancels = d.ctx;
	thread_start(&m.thread, "mumbler", mumble, &m);
	database_pre_fails(&d, ERR_CANCELLED, "connect to 127.0.0.1: cancelled");
	CHECK(d.took_ms < PATIENCE_MS);
	mumbler_stop(&m);
	database_call_fini(&d);
}

TEST(no_connection_is_left)
{
	PGconn *beside = connect_beside();

	CHECK(none_is_left(any_of_ours, beside));
	PQfinish(beside);
}

TEST_MAIN()
