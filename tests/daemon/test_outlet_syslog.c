#include "base/ctx.h"
#include "daemon/outlets.h"
#include "scratch.h"
#include "tap.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { PATIENCE_MS = 30000 };

__attribute__((constructor)) static void ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
}

static struct conf_outlet outlets_conf[] = {
	{ .type = OUTLET_STDOUT, .level = LOG_WARN, .format = LOG_FORMAT_HUMAN },
	{ .type = OUTLET_SYSLOG,
	  .level = LOG_DEBUG,
	  .format = LOG_FORMAT_HUMAN,
	  .facility = 16,
	  .retry_interval_ms = 1000000 },
};
static struct conf_outlet *const conf = &outlets_conf[1];

/* A syslog daemon's socket; both kinds may be there, under names of their own. */
static int listen_at(const char *path, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	if (type == SOCK_STREAM)
		CHECK(listen(fd, 4) == 0);
	return fd;
}

/* The next message, or what there is of the stream. */
static const char *message(int fd)
{
	static char text[70000];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = -1;

	if (CHECK(poll(&p, 1, PATIENCE_MS) == 1))
		n = read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* Without what differs from run to run. */
static const char *plain(const char *m)
{
	static char text[200];
	char pid[32];
	unsigned pri;
	int day, at = 0;

	snprintf(pid, sizeof(pid), " zrepl[%d]: ", (int)getpid());
	if (CHECK(sscanf(m, "<%u>%*3c %2d %*2d:%*2d:%*2d%n", &pri, &day, &at) == 2 &&
		  at > 0) &&
	    CHECK(strncmp(m + at, pid, strlen(pid)) == 0)) {
		CHECK(day >= 1 && day <= 31 && (int)strcspn(m, " ") + 1 + 2 + 9 == at);
		snprintf(text, sizeof(text), "%u|%s", pri, m + at + strlen(pid));
	}
	return text;
}

struct fixture {
	char *paths[3];
	struct outlets *o;
	struct log log;
	int out; /* of the stdout outlet */
	int w;
};

static struct fixture start(void)
{
	struct fixture f = { .paths = { scratch_path("log1"), scratch_path("log2") } };
	static const struct conf_global global = { .outlets = outlets_conf,
						   .n_outlets = ARRAY_LEN(outlets_conf) };
	static const char *paths[3];
	cleanup(err_clear) struct err e = ERR_INIT;
	int fds[2];

	unlink(f.paths[0]);
	unlink(f.paths[1]);
	CHECK(pipe(fds) == 0);
	f.out = fds[0];
	f.w = fds[1];
	paths[0] = f.paths[0];
	paths[1] = f.paths[1];
	f.o = outlets_new(
		&global,
		&(struct outlets_opts){ .stdout_fd = f.w, .syslog_paths = paths }, &e);
	f.log = outlets_log(f.o);
	return f;
}

static void stop(struct fixture *f)
{
	outlets_free(f->o);
	close(f->out);
	close(f->w);
	free(f->paths[0]);
	free(f->paths[1]);
}

TEST(messages_have_priority_time_tag_and_no_level_of_their_own)
{
	struct fixture f = start();
	cleanup(fd_closep) int s = listen_at(f.paths[0], SOCK_DGRAM);

	log_debug(&f.log, "a");
	CHECK_STR(plain(message(s)), "135|a");
	log_info(&f.log, "a\nb");
	CHECK_STR(plain(message(s)), "134|a\\nb");
	log_warn(&f.log, "a");
	CHECK_STR(plain(message(s)), "132|a");
	f.log.job = "push";
	log_error(&f.log, "a");
	CHECK_STR(plain(message(s)), "131|[push]: a");
	stop(&f);
}

TEST(the_facility_is_the_configured_one)
{
	conf->facility = 3;
	struct fixture f = start();
	cleanup(fd_closep) int s = listen_at(f.paths[0], SOCK_DGRAM);

	log_error(&f.log, "a");
	CHECK_STR(plain(message(s)), "27|a");
	stop(&f);
	conf->facility = 16;
}

TEST(the_formats_come_without_time_and_level_but_json_has_them)
{
	conf->format = LOG_FORMAT_LOGFMT;
	struct fixture f = start();
	cleanup(fd_closep) int s = listen_at(f.paths[0], SOCK_DGRAM);

	log_info(&f.log, "a b");
	CHECK_STR(plain(message(s)), "134|msg=\"a b\"");
	stop(&f);
	conf->format = LOG_FORMAT_JSON;
	f = start();
	fd_closep(&s);
	s = listen_at(f.paths[0], SOCK_DGRAM);
	log_info(&f.log, "a");
	CHECK(strstr(plain(message(s)),
		     "134|{\"level\":\"info\",\"msg\":\"a\",\"time\":") != NULL);
	stop(&f);
	conf->format = LOG_FORMAT_HUMAN;
}

TEST(a_datagram_socket_further_down_comes_before_a_stream_socket)
{
	struct fixture f = start();
	cleanup(fd_closep) int stream = listen_at(f.paths[0], SOCK_STREAM);
	cleanup(fd_closep) int datagrams = listen_at(f.paths[1], SOCK_DGRAM);

	log_info(&f.log, "a");
	CHECK_STR(plain(message(datagrams)), "134|a");
	CHECK_INT(poll(&(struct pollfd){ .fd = stream, .events = POLLIN }, 1, 0), 0);
	stop(&f);
}

TEST(messages_over_a_stream_socket_end_with_a_newline)
{
	struct fixture f = start();
	cleanup(fd_closep) int stream = listen_at(f.paths[1], SOCK_STREAM);
	cleanup(fd_closep) int s = -1;

	log_info(&f.log, "a");
	s = accept(stream, NULL, NULL);
	CHECK_STR(plain(message(s)), "134|a\n");
	/* A daemon that ends, and one that has come since. */
	fd_closep(&s);
	fd_closep(&stream);
	stream = listen_at(f.paths[1], SOCK_STREAM);
	log_info(&f.log, "b");
	s = accept(stream, NULL, NULL);
	CHECK_STR(plain(message(s)), "134|b\n");
	stop(&f);
}

TEST(a_daemon_that_was_started_again_gets_the_next_message)
{
	struct fixture f = start();
	cleanup(fd_closep) int s = listen_at(f.paths[0], SOCK_DGRAM);

	log_info(&f.log, "a");
	CHECK_STR(plain(message(s)), "134|a");
	fd_closep(&s);
	s = listen_at(f.paths[0], SOCK_DGRAM);
	log_info(&f.log, "b");
	CHECK_STR(plain(message(s)), "134|b");
	stop(&f);
}

TEST(where_there_is_no_daemon_nobody_asks_again_before_the_retry_interval)
{
	struct fixture f = start();
	cleanup(fd_closep) int s = -1;
	struct pollfd p;

	log_info(&f.log, "a");
	CHECK(strstr(message(f.out), "[ERRO]: outlet error err=\"connect to the syslog "
				     "daemon at ") != NULL);
	s = listen_at(f.paths[0], SOCK_DGRAM);
	log_info(&f.log, "b"); /* much less than an interval later */
	p = (struct pollfd){ .fd = s, .events = POLLIN };
	CHECK_INT(poll(&p, 1, 0), 0);
	p.fd = f.out;
	CHECK_INT(poll(&p, 1, 0), 0); /* and it is told once */
	stop(&f);
}

TEST(after_the_retry_interval_it_works_again_and_the_number_of_lost_entries_is_told)
{
	conf->retry_interval_ms = 1;
	struct fixture f = start();
	cleanup(fd_closep) int s = -1;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;

	log_info(&f.log, "a");
	message(f.out);
	s = listen_at(f.paths[0], SOCK_DGRAM);
	CHECK_INT(ctx_sleep(ctx, 2, &e), 0);
	log_info(&f.log, "b");
	CHECK_STR(plain(message(s)), "134|b");
	CHECK(strstr(message(f.out), "outlet error err=\"lost 1 entry: connect to the "
				     "syslog daemon at ") != NULL);
	stop(&f);
	conf->retry_interval_ms = 1000000;
}

TEST(a_daemon_that_does_not_read_keeps_nobody_waiting)
{
	struct fixture f = start();
	cleanup(fd_closep) int s = listen_at(f.paths[0], SOCK_DGRAM);
	int64_t t = now_ms();

	for (int i = 0; i < 2000; i++)
		log_info(&f.log, "entry %d", i);
	CHECK(now_ms() - t < 20000);
	CHECK_STR(plain(message(s)), "134|entry 0"); /* and now there is room */
	log_info(&f.log, "once more");
	stop(&f);
	while (strstr(message(s), "once more") == NULL)
		;
}

TEST(a_message_that_is_too_long_for_a_datagram_is_cut)
{
	struct fixture f = start();
	cleanup(fd_closep) int s = listen_at(f.paths[0], SOCK_DGRAM);
	char *long_text = xcalloc(1, 60001);

	memset(long_text, 'x', 60000);
	log_info(&f.log, "%s", long_text);
	size_t n = strlen(message(s));

	CHECK(n > 32768 && n < 33000);
	free(long_text);
	stop(&f);
}

TEST_MAIN()
