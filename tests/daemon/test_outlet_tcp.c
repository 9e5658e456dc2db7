#include "base/thread.h"
#include "certs.h"
#include "daemon/outlets.h"
#include "loopback.h"
#include "net/tls.h"
#include "talk.h"
#include "tap.h"

#include <signal.h>

__attribute__((constructor)) static void ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
}

/* A tcp outlet, and one of stdout that takes what is wrong with it. */
struct bench {
	struct conf_outlet conf[2];
	struct conf_global global;
	int listener;
	char *port;
	struct outlets *outlets;
	struct log log;
	int out, w; /* what stdout is */
};

static struct bench *bench_new(int64_t retry_ms)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	struct sockaddr_in at;
	int fds[2];

	b->listener = loopback_listen(8, &at);
	b->port = xasprintf("%u", ntohs(at.sin_port));
	b->conf[0] = (struct conf_outlet){ .type = OUTLET_STDOUT,
					   .level = LOG_WARN,
					   .format = LOG_FORMAT_HUMAN };
	b->conf[1] = (struct conf_outlet){ .type = OUTLET_TCP,
					   .level = LOG_INFO,
					   .format = LOG_FORMAT_LOGFMT,
					   .retry_interval_ms = retry_ms,
					   .address = { "127.0.0.1", b->port } };
	b->global = (struct conf_global){ .outlets = b->conf, .n_outlets = 2 };
	CHECK(pipe(fds) == 0);
	b->out = fds[0];
	b->w = fds[1];
	return b;
}

static void bench_start(struct bench *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	b->outlets =
		outlets_new(&b->global, &(struct outlets_opts){ .stdout_fd = b->w }, &e);
	CHECK_STR(err_msg(&e), "no error");
	b->log = outlets_log(b->outlets);
}

static void bench_stop(struct bench *b)
{
	outlets_free(TAKE(b->outlets));
}

static void bench_free(struct bench *b)
{
	bench_stop(b);
	fd_closep(&b->listener);
	close(b->out);
	fd_closep(&b->w);
	free(b->port);
	free(b);
}

static void wait_input(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	CHECK(poll(&p, 1, PATIENCE_MS) == 1);
}

static int accept_one(const struct bench *b)
{
	wait_input(b->listener);
	return accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
}

/* One line, without its time. */
static const char *read_line(int fd)
{
	static char text[4096];
	size_t n = 0;
	char *rest;

	do
		wait_input(fd);
	while (n < sizeof(text) - 1 && read(fd, text + n, 1) == 1 && text[n++] != '\n');
	text[n] = '\0';
	rest = strncmp(text, "time=", 5) == 0 ? strchr(text, ' ') : NULL;
	return rest ? rest + 1 : text;
}

/* What the stdout outlet got so far. */
static const char *complaint(const struct bench *b)
{
	return read_line(b->out);
}

static void check_says(const char *text, const char *want)
{
	if (!CHECK(strstr(text, want) != NULL))
		printf("# %s# does not say: %s\n", text, want);
}

TEST(every_entry_is_a_line_with_time_and_level)
{
	struct bench *b = bench_new(60000);
	cleanup(fd_closep) int s = -1;

	bench_start(b);
	log_debug(&b->log, "too low");
	log_info(&b->log, "a\nb");
	s = accept_one(b);
	CHECK_STR(read_line(s), "level=info msg=\"a\\nb\"\n");
	b->log.job = "push";
	log_warn(&b->log, "c");
	CHECK_STR(read_line(s), "level=warn job=push msg=c\n");
	CHECK_STR(complaint(b), "[WARN][push]: c\n");
	bench_free(b);
}

TEST(human_lines_have_time_and_level_and_no_color)
{
	struct bench *b = bench_new(60000);
	cleanup(fd_closep) int s = -1;
	const char *line;

	b->conf[1].format = LOG_FORMAT_HUMAN;
	b->conf[1].color = true;
	bench_start(b);
	log_info(&b->log, "a");
	s = accept_one(b);
	line = read_line(s);
	CHECK(line[0] == '2');
	CHECK_STR(line + strcspn(line, " "), " [INFO]: a\n");
	bench_free(b);
}

TEST(what_is_queued_is_sent_before_the_end)
{
	struct bench *b = bench_new(60000);
	cleanup(fd_closep) int s = -1;
	size_t lines = 0;
	char text[4096];

	bench_start(b);
	for (int i = 0; i < 1000; i++)
		log_info(&b->log, "entry %d", i);
	bench_stop(b);
	s = accept_one(b);
	for (ssize_t n; (n = read(s, text, sizeof(text))) > 0;)
		for (ssize_t i = 0; i < n; i++)
			lines += text[i] == '\n';
	CHECK_INT(lines, 1000);
	bench_free(b);
}

TEST(a_collector_that_refuses_is_told_once_and_the_end_does_not_wait_for_it)
{
	struct bench *b = bench_new(100); /* it is the limit of a dial, too */
	int64_t t;

	fd_closep(&b->listener);
	bench_start(b);
	log_info(&b->log, "a");
	check_says(complaint(b), "[ERRO]: outlet error err=\"tcp 127.0.0.1:");
	log_info(&b->log, "b");
	t = now_ms();
	bench_stop(b);
	CHECK(now_ms() - t < 10000);
	fd_closep(&b->w);
	wait_input(b->out);
	CHECK_INT(read(b->out, &(char){ 0 }, 1), 0); /* that was all */
	bench_free(b);
}

TEST(entries_wait_for_a_collector_that_comes_later)
{
	struct bench *b = bench_new(100); /* it is the limit of a dial, too */
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	cleanup(fd_closep) int s = -1;
	uint64_t port = strtoul(b->port, NULL, 10);

	fd_closep(&b->listener);
	bench_start(b);
	log_info(&b->log, "early");
	check_says(complaint(b), "Connection refused\" outlet_type=\"tcp\"\n");
	b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(b->listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	at.sin_port = htons((uint16_t)port);
	CHECK(bind(b->listener, (struct sockaddr *)&at, sizeof(at)) == 0);
	CHECK(listen(b->listener, 1) == 0);
	s = accept_one(b);
	CHECK_STR(read_line(s), "level=info msg=early\n");
	bench_free(b);
}

TEST(a_collector_that_closes_gets_what_follows_over_a_new_connection)
{
	struct bench *b = bench_new(100); /* it is the limit of a dial, too */
	int s;

	bench_start(b);
	log_info(&b->log, "entry");
	s = accept_one(b);
	CHECK_STR(read_line(s), "level=info msg=entry\n");
	close(s);
	/* Before it has noticed, entries are sent to nobody. */
	for (struct pollfd p = { .fd = b->listener, .events = POLLIN };
	     poll(&p, 1, 20) == 0;)
		log_info(&b->log, "poke");
	s = accept_one(b);
	CHECK_STR(read_line(s), "level=info msg=poke\n");
	close(s);
	bench_free(b);
}

/* 64 KiB at a time, until the queue and the kernel are full and it complains of that. */
static void fill(struct bench *b, const char *complaint_wanted)
{
	struct pollfd p = { .fd = b->out, .events = POLLIN };
	char *text = xcalloc(1, 65537);
	int64_t end = now_ms() + PATIENCE_MS;
	bool is_there = false;

	memset(text, 'x', 65536);
	while (!is_there && CHECK(now_ms() < end)) {
		log_info(&b->log, "%s", text);
		if (poll(&p, 1, 0) == 1)
			is_there = strstr(complaint(b), complaint_wanted) != NULL;
	}
	free(text);
}

TEST(a_collector_that_does_not_read_stops_nobody_and_what_is_lost_is_counted)
{
	struct bench *b = bench_new(1000000);
	cleanup(fd_closep) int s = -1;
	char *text = xcalloc(1, 1 << 20);
	struct pollfd p = { .fd = b->out, .events = POLLIN };

	bench_start(b);
	log_info(&b->log, "first");
	s = accept_one(b);
	fill(b, "outlet error err=\"connection broken or not fast enough\" "
		"outlet_type=\"tcp\"");
	/* Room comes as it reads. */
	while (poll(&p, 1, 0) == 0 && CHECK(read(s, text, 1 << 20) > 0))
		log_info(&b->log, "again");
	check_says(complaint(b), "outlet error err=\"lost ");
	free(text);
	bench_free(b);
}

TEST(a_collector_that_reads_nothing_for_the_retry_interval_is_left_and_lines_stay_whole)
{
	struct bench *b = bench_new(200);
	cleanup(fd_closep) int s = -1, again = -1;

	bench_start(b);
	log_info(&b->log, "first");
	s = accept_one(b);
	fill(b, "nothing was read for 200 ms");
	again = accept_one(b);
	check_says(read_line(again), "level=info msg=xxx");
	bench_free(b);
}

/* ---- TLS ---- */

struct collector {
	char *ca, *cert, *key, *client_cert, *client_key;
	const char *cns[1];
	struct conf_serve serve;
	struct tls *tls;
};

/* crt, key: names of files that make-certs makes. */
static struct collector *collector_new(struct bench *b, const char *crt, const char *key)
{
	static const struct log nobody;
	struct collector *c = xcalloc(1, sizeof(*c));

	c->ca = certs_file("root.crt");
	c->cert = certs_file(crt);
	c->key = certs_file(key);
	c->client_cert = certs_file("client.chain");
	c->client_key = certs_file("client.key");
	c->cns[0] = "client";
	c->serve = (struct conf_serve){ .tls = { c->ca, c->cert, c->key },
					.client_cns = c->cns,
					.n_client_cns = 1,
					.handshake_timeout_ms = PATIENCE_MS };
	c->tls = tls_server_new(&c->serve, &nobody);
	b->conf[1].has_tls = true;
	b->conf[1].tls = (struct conf_tls){ c->ca, c->client_cert, c->client_key };
	return c;
}

static void collector_free(struct collector *c)
{
	tls_free(c->tls);
	free(c->ca);
	free(c->cert);
	free(c->key);
	free(c->client_cert);
	free(c->client_key);
	free(c);
}

static struct conn *shake_hands(struct bench *b, struct collector *c, struct err *e)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	int s = accept_one(b);

	ctx_set_timeout(ctx, PATIENCE_MS);
	loopback_set_nonblocking(s);
	return tls_handshake(ctx, c->tls, s, "outlet", e);
}

TEST(over_tls_both_sides_know_each_other_and_the_server_is_verified_as_the_host)
{
	struct bench *b = bench_new(60000);
	struct collector *c = collector_new(b, "loopback.crt", "loopback.key");
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(conn_closep) struct conn *s = NULL;
	char text[200];
	size_t n = 0, got = 0;

	b->conf[1].format = LOG_FORMAT_JSON;
	bench_start(b);
	log_info(&b->log, "secret");
	s = shake_hands(b, c, &e);
	CHECK_STR(err_msg(&e), "no error");
	REQUIRE(s != NULL);
	CHECK_STR(conn_identity(s), "client");
	bench_stop(b);
	while (wait_read(s, text + n, sizeof(text) - 1 - n, &got, &e) == CONN_OK)
		n += got;
	CHECK_STR(err_msg(&e), "no error"); /* and ends as TLS ends */
	text[n] = '\0';
	check_says(text, "{\"level\":\"info\",\"msg\":\"secret\",\"time\":");
	CHECK(n > 0 && text[n - 1] == '\n');
	collector_free(c);
	bench_free(b);
}

TEST(a_server_whose_certificate_is_for_another_host_gets_nothing)
{
	struct bench *b = bench_new(60000);
	struct collector *c = collector_new(b, "server.chain", "server.key");
	cleanup(err_clear) struct err e = ERR_INIT;

	bench_start(b);
	log_info(&b->log, "secret");
	CHECK(shake_hands(b, c, &e) == NULL);
	check_says(complaint(b), "is not for address \\\"127.0.0.1\\\" but for");
	bench_free(b);
	collector_free(c);
}

TEST_MAIN()
