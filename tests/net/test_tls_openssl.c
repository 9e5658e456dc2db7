#include "tls_bench.h"

/* openssl(1) as the peer: somebody else's idea of TLS. */

enum { BYTES = 300 * 1000, ARGS_MAX = 40 };

/* Digits, since openssl s_server takes some letters for commands. */
static char *digits(void)
{
	char *p = xcalloc(1, BYTES + 1);

	for (size_t i = 0; i < BYTES; i++)
		p[i] = (char)('0' + (i * 7 + i / 251) % 10);
	return p;
}

/* ---- openssl(1) ---- */

struct openssl {
	struct proc proc;
	int in, out; /* pipes with room for all that it reads and says */
	struct buf said;
};

static void make_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) < 0 || fcntl(fds[0], F_SETPIPE_SZ, 1024 * 1024) < 0)
		abort();
}

/* In certs_dir().  args: words.  says: what it reads, without an end; NULL: nothing. */
static struct openssl openssl_start(const char *args, const char *says)
{
	struct openssl o = { .in = -1, .out = -1 };
	cleanup(str_freep) char *command =
		xasprintf("cd %s && exec openssl %s 2>&1", certs_dir(), args);
	const char *argv[] = { "sh", "-c", command, NULL };
	struct proc_opts opts = { .argv = argv, .errfd = -1 };
	struct err e = ERR_INIT;
	int in[2], out[2];

	make_pipe(in);
	make_pipe(out);
	if (says)
		CHECK(write(in[1], says, strlen(says)) == (ssize_t)strlen(says));
	opts.in = in[0];
	opts.out = out[1];
	if (proc_start(&o.proc, &opts, &e) < 0)
		abort();
	close(in[0]);
	close(out[1]);
	o.in = in[1];
	o.out = out[0];
	return o;
}

static void openssl_hush(struct openssl *o)
{
	fd_closep(&o->in);
	o->in = -1;
}

/* Up to the end, or until it has said that. */
static void openssl_hear(struct openssl *o, const char *until)
{
	char bytes[4096];
	ssize_t n;

	while (!until || !strstr(buf_str(&o->said), until)) {
		n = read(o->out, bytes, sizeof(bytes));
		if (n <= 0)
			return;
		buf_put(&o->said, bytes, (size_t)n);
	}
}

static void openssl_end(struct openssl *o)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	ctx_set_timeout(ctx, PATIENCE_MS);
	openssl_hush(o);
	openssl_hear(o, NULL);
	if (proc_wait(&o->proc, ctx, 1000, &e) < 0)
		printf("# openssl: %s\n", err_msg(&e));
	fd_closep(&o->out);
}

static void openssl_free(struct openssl *o)
{
	buf_free(&o->said);
}

static bool has_said(const struct openssl *o, const char *what)
{
	if (strstr(buf_str(&o->said), what))
		return true;
	printf("# \"%s\" is not in: %s\n", what, buf_str(&o->said));
	return false;
}

/* ---- it dials ---- */

#define DIAL      "s_client -CAfile root.crt -verify_return_error "
#define WITH_CERT "-cert both-uses.crt -key both-uses.key "

/* NULL with *err; openssl's end is openssl_end(). */
static struct conn *let_dial(const char *args, const char *says, struct openssl *o,
			     struct err *err)
{
	cleanup(side_freep) struct side *server =
		server_new("root.crt", "server.chain", "client");
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct sockaddr_in at;
	cleanup(fd_closep) int l = loopback_listen(1, &at);
	cleanup(str_freep) char *line =
		xasprintf(DIAL "-verify_hostname server.example -connect 127.0.0.1:%d %s",
			  ntohs(at.sin_port), args);
	struct pollfd p = { .fd = l, .events = POLLIN };

	*o = openssl_start(line, says);
	if (poll(&p, 1, PATIENCE_MS) <= 0)
		abort();
	ctx_set_timeout(ctx, PATIENCE_MS);
	return tls_handshake(ctx, server->tls,
			     accept4(l, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK),
			     "openssl", err);
}

static void check_reads_digits(struct conn *c)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *want = digits();
	cleanup(str_freep) char *got = xcalloc(1, BYTES);

	ctx_set_timeout(ctx, PATIENCE_MS);
	CHECK_INT(conn_read_all(ctx, c, got, BYTES, &e), 0);
	CHECK_STR(err_msg(&e), "no error");
	CHECK(memcmp(got, want, BYTES) == 0);
}

static void check_writes_digits(struct conn *c)
{
	cleanup(str_freep) char *text = digits();

	check_writes(c, text);
}

static void check_said_digits(const struct openssl *o)
{
	cleanup(str_freep) char *want = digits();

	CHECK(strstr(buf_str(&o->said), want) != NULL);
}

static const char *const versions[] = { "-tls1_2", "-tls1_3" };

/* It reads our end, then ends its own. */
static void check_dialler_is_answered(const char *version)
{
	cleanup(str_freep) char *text = digits();
	cleanup(str_freep) char *args = xasprintf("-quiet " WITH_CERT "%s", version);
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(openssl_free) struct openssl o = { 0 };
	cleanup(conn_closep) struct conn *c = NULL;

	c = let_dial(args, text, &o, &e);
	CHECK_STR(err_msg(&e), "no error");
	REQUIRE(c);
	CHECK_STR(conn_identity(c), "client");
	check_reads_digits(c);
	check_writes_digits(c);
	check_finishes(c);
	openssl_end(&o);
	CHECK(o.proc.exited && o.proc.status == 0);
	check_said_digits(&o);
	check_ends(c);
}

TEST(a_dialler_reads_our_end_and_ends)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		check_dialler_is_answered(versions[i]);
}

static void check_dialler_ends(const char *version)
{
	cleanup(str_freep) char *text = digits();
	cleanup(str_freep) char *args =
		xasprintf("-quiet -no_ign_eof " WITH_CERT "%s", version);
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(openssl_free) struct openssl o = { 0 };
	cleanup(conn_closep) struct conn *c = NULL;

	c = let_dial(args, text, &o, &e);
	CHECK_STR(err_msg(&e), "no error");
	REQUIRE(c);
	check_reads_digits(c);
	openssl_hush(&o);
	check_ends(c);
	check_finishes(c);
	openssl_end(&o);
	CHECK(o.proc.exited && o.proc.status == 0);
}

TEST(a_dialler_that_ends_first_is_read_to_its_end)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		check_dialler_ends(versions[i]);
}

TEST(a_dialler_without_a_certificate_is_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(openssl_free) struct openssl o = { 0 };

		CHECK(!let_dial(versions[i], NULL, &o, &e));
		CHECK_INT(e.kind, ERR_DENIED);
		CHECK_STR(err_msg(&e), "tls handshake with openssl: the peer has sent "
				       "no certificate");
		openssl_end(&o);
	}
}

TEST(an_old_version_is_refused)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(openssl_free) struct openssl o = { 0 };

	CHECK(!let_dial("-tls1_1 -cipher DEFAULT@SECLEVEL=0 " WITH_CERT, NULL, &o, &e));
	CHECK_INT(e.kind, ERR_PROTOCOL);
	CHECK_STR(err_msg(&e), "tls handshake with openssl: the peer offers neither "
			       "TLS 1.2 nor TLS 1.3");
	openssl_end(&o);
	CHECK(has_said(&o, "alert protocol version"));
}

/*
 * A Go client sends its certificate if it is not told whose are wanted; it may offer an
 * ALPN and any name, and nothing is made of that.
 */
TEST(a_dialler_is_asked_for_any_certificate_and_no_alpn)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		cleanup(str_freep) char *args = xasprintf(
			WITH_CERT "-alpn h2 -servername elsewhere %s", versions[i]);
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(openssl_free) struct openssl o = { 0 };
		cleanup(conn_closep) struct conn *c = let_dial(args, NULL, &o, &e);

		CHECK_STR(err_msg(&e), "no error");
		REQUIRE(c);
		openssl_hush(&o);
		check_ends(c);
		check_finishes(c);
		openssl_end(&o);
		CHECK(has_said(&o, "No client certificate CA names sent"));
		CHECK(has_said(&o, "No ALPN negotiated"));
		CHECK(has_said(&o, "Verify return code: 0 (ok)"));
	}
}

/* So whoever is taken out of ca or client_cns cannot come back with an old session. */
TEST(a_dialler_gets_no_session_to_resume)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		cleanup(str_freep) char *args = xasprintf(WITH_CERT "%s", versions[i]);
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(openssl_free) struct openssl o = { 0 };
		cleanup(conn_closep) struct conn *c = let_dial(args, NULL, &o, &e);

		REQUIRE(c);
		check_writes(c, "anything");
		openssl_hush(&o);
		check_ends(c);
		check_finishes(c);
		openssl_end(&o);
		CHECK(has_said(&o, "Verify return code: 0 (ok)"));
		CHECK(!strstr(buf_str(&o.said), "session ticket:"));
		CHECK(!strstr(buf_str(&o.said), "New Session Ticket"));
		/* Of TLS 1.2, which has one without tickets, too. */
		CHECK(i == 1 || has_said(&o, "Session-ID: \n"));
	}
}

TEST(a_dialler_does_not_shake_hands_twice)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(openssl_free) struct openssl o = { 0 };
	cleanup(conn_closep) struct conn *c = NULL;
	char byte;
	size_t got;

	c = let_dial(WITH_CERT "-tls1_2", "R\n", &o, &e);
	REQUIRE(c);
	CHECK(wait_read(c, &byte, 1, &got, &e) != CONN_OK);
	conn_close(TAKE(c));
	openssl_end(&o);
	CHECK(has_said(&o, "RENEGOTIATING"));
	CHECK(has_said(&o, "no renegotiation"));
}

/* ---- it listens ---- */

#define LISTEN                                                         \
	"s_server -accept 127.0.0.1:0 -naccept 1 -cert both-uses.crt " \
	"-key both-uses.key "

static struct conn *dial(struct openssl *o, const char *ca, struct err *err)
{
	cleanup(side_freep) struct side *client =
		client_new(ca, "client.chain", "server.example");
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *said, *port;

	openssl_hear(o, "ACCEPT 127.0.0.1:");
	said = strstr(buf_str(&o->said), "ACCEPT 127.0.0.1:");
	if (!said)
		abort();
	port = said + strlen("ACCEPT 127.0.0.1:");
	at.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	CHECK(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	loopback_set_nonblocking(fd);
	ctx_set_timeout(ctx, PATIENCE_MS);
	return tls_handshake(ctx, client->tls, fd, "openssl", err);
}

/* It sends session tickets, which are left unread until after our end. */
static void check_server(const char *version)
{
	cleanup(str_freep) char *text = digits();
	cleanup(str_freep) char *args = xasprintf(
		LISTEN "-CAfile root.crt -Verify 2 -verify_return_error %s", version);
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(openssl_free) struct openssl o = { 0 };
	cleanup(conn_closep) struct conn *c = NULL;

	o = openssl_start(args, text);
	c = dial(&o, "root.crt", &e);
	CHECK_STR(err_msg(&e), "no error");
	REQUIRE(c);
	check_writes_digits(c);
	check_reads_digits(c);
	check_finishes(c);
	check_ends(c);
	openssl_end(&o);
	CHECK(o.proc.exited && o.proc.status == 0);
	check_said_digits(&o);
}

TEST(a_server_is_talked_to_and_reads_our_end)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		check_server(versions[i]);
}

/* Its answer comes after our end, behind tickets in TLS 1.3. */
TEST(a_server_is_read_after_our_end)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		cleanup(str_freep) char *args = xasprintf(LISTEN "-rev %s", versions[i]);
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(openssl_free) struct openssl o = openssl_start(args, NULL);
		cleanup(conn_closep) struct conn *c = dial(&o, "root.crt", &e);

		CHECK_STR(err_msg(&e), "no error");
		REQUIRE(c);
		check_writes(c, "0123456789\n");
		check_finishes(c);
		check_reads(c, "9876543210\n");
		check_ends(c);
		openssl_end(&o);
	}
}

TEST(a_server_that_refuses_us_says_why)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		cleanup(str_freep) char *args = xasprintf(
			LISTEN "-CAfile other-root.crt -Verify 2 -verify_return_error %s",
			versions[i]);
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(openssl_free) struct openssl o = openssl_start(args, NULL);
		cleanup(conn_closep) struct conn *c = dial(&o, "root.crt", &e);
		char byte;
		size_t got;

		if (c)
			CHECK_INT(wait_read(c, &byte, 1, &got, &e), CONN_FAILED);
		CHECK_INT(e.kind, ERR_DENIED);
		CHECK(strstr(err_msg(&e),
			     "the peer refuses our certificate (CN = client, "
			     "valid until 2120-01-01 00:00:00 UTC): unknown CA"));
		openssl_end(&o);
	}
}

TEST_MAIN()
