#include "daemon/outlets.h"

#include "base/ctx.h"
#include "tap.h"

#include <sys/socket.h>
#include <unistd.h>

static struct conf_outlet outlet = { .level = LOG_INFO, .format = LOG_FORMAT_HUMAN };
static const struct conf_global conf = { .outlets = &outlet, .n_outlets = 1 };

static struct outlets *make(const struct conf_global *of, int fd)
{
	static const char *const nowhere[] = { "/nonexistent/log", NULL };
	cleanup(err_clear) struct err e = ERR_INIT;
	struct outlets *o = outlets_new(
		of, &(struct outlets_opts){ .stdout_fd = fd, .syslog_paths = nowhere },
		&e);

	CHECK_STR(err_msg(&e), "no error");
	return o;
}

TEST(entries_below_the_level_of_the_outlet_are_not_written)
{
	cleanup(fd_closep) int r = -1, w = -1;
	struct outlets *o;
	struct log log;
	char text[64] = { 0 };
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	r = fds[0], w = fds[1];
	o = make(&conf, w);
	log = outlets_log(o);
	log_debug(&log, "quiet");
	log_info(&log, "loud");
	outlets_free(o);
	CHECK_INT(read(r, text, sizeof(text) - 1), 13);
	CHECK_STR(text, "[INFO]: loud\n");
}

TEST(a_reader_that_stopped_reading_keeps_nobody_waiting_and_learns_what_he_missed)
{
	cleanup(fd_closep) int r = -1, w = -1;
	struct outlets *o;
	struct log log;
	int64_t start = now_ms();
	char text[4096];
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	r = fds[0], w = fds[1];
	o = make(&conf, w);
	log = outlets_log(o);
	for (int i = 0; i < 5000; i++) /* far more than a pipe holds */
		log_info(&log, "entry %d of many, which nobody reads", i);
	CHECK(now_ms() - start < 20000);
	/* It is written to again as soon as somebody reads. */
	for (int i = 0; i < 8; i++)
		CHECK(read(r, text, sizeof(text)) > 0);
	log_info(&log, "welcome back");
	fd_closep(&w);
	cleanup(buf_free) struct buf all = { 0 };
	for (ssize_t n; (n = read(r, text, sizeof(text))) > 0;)
		buf_put(&all, text, (size_t)n);
	CHECK(strstr(buf_str(&all), "welcome back\n[ERRO]: outlet error err=\"lost ") !=
	      NULL);
	CHECK(strstr(buf_str(&all),
		     " entries: nobody reads\" outlet_type=\"stdout\"\n") != NULL);
	outlets_free(o);
}

TEST(an_outlet_that_fails_is_an_entry_of_the_first_one_that_takes_errors_once)
{
	cleanup(fd_closep) int r = -1, w = -1;
	struct conf_outlet both[] = {
		{ .type = OUTLET_SYSLOG,
		  .level = LOG_INFO,
		  .format = LOG_FORMAT_JSON,
		  .retry_interval_ms = 1000000 },
		{ .type = OUTLET_STDOUT,
		  .level = LOG_ERROR,
		  .format = LOG_FORMAT_LOGFMT },
	};
	struct conf_global of = { .outlets = both, .n_outlets = 2 };
	struct outlets *o;
	struct log log;
	char text[1024] = { 0 };
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	r = fds[0], w = fds[1];
	/* The first one that takes errors is the one that fails: nobody is told. */
	o = make(&of, w);
	log = outlets_log(o);
	for (int i = 0; i < 3; i++)
		log_error(&log, "of both");
	outlets_free(o);
	CHECK_INT(read(r, text, sizeof(text) - 1), 3 * (int)strlen("level=error "
								   "msg=\"of both\"\n"));
	/* The other way round. */
	memset(text, 0, sizeof(text));
	struct conf_outlet first = both[0];

	both[0] = both[1];
	both[1] = first;
	o = make(&of, w);
	log = outlets_log(o);
	for (int i = 0; i < 3; i++)
		log_info(&log, "of the second");
	outlets_free(o);
	CHECK(read(r, text, sizeof(text) - 1) > 0);
	CHECK_STR(text, "level=error msg=\"outlet error\" err=\"connect to the syslog "
			"daemon at /nonexistent/log: No such file or directory\" "
			"outlet_type=syslog\n");
}

TEST(a_descriptor_that_is_closed_is_an_error_too)
{
	struct conf_outlet two[] = {
		{ .type = OUTLET_STDOUT, .level = LOG_DEBUG },
		{ .type = OUTLET_SYSLOG, .level = LOG_DEBUG, .retry_interval_ms = 1000 },
	};
	struct conf_global of = { .outlets = two, .n_outlets = 2 };
	struct outlets *o = make(&of, -1);
	struct log log = outlets_log(o);

	log_info(&log, "to nobody");
	log_info(&log, "to nobody");
	outlets_free(o);
}

TEST(entries_are_counted_of_whatever_level_by_job)
{
	cleanup(metrics_freep) struct metrics *m = metrics_new();
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };
	struct outlets *o = outlets_new(
		&conf, &(struct outlets_opts){ .stdout_fd = -1, .metrics = m }, &e);
	struct log log = outlets_log(o);

	log_debug(&log, "one");
	log_debug(&log, "two");
	log.job = "push";
	log_error(&log, "three");
	outlets_free(o);
	CHECK(metrics_write(m, &b));
	CHECK(strstr(buf_str(&b), "# TYPE zrepl_daemon_log_entries counter\n"
				  "zrepl_daemon_log_entries{zrepl_job=\"_nojobid\",level="
				  "\"debug\"} 2\n"
				  "zrepl_daemon_log_entries{zrepl_job=\"push\",level="
				  "\"error\"} 1\n") != NULL);
}

TEST(files_of_tls_that_are_no_good_are_an_error_at_once)
{
	struct conf_outlet bad = {
		.type = OUTLET_TCP,
		.file = "/etc/z.yml",
		.line = 3,
		.column = 5,
		.path = "global.logging[0]",
		.address = { "127.0.0.1", "1" },
		.retry_interval_ms = 1000,
		.has_tls = true,
		.tls = { "/nonexistent/ca", "/nonexistent/cert", "/nonexistent/key" },
	};
	struct conf_global of = { .outlets = &bad, .n_outlets = 1 };
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK_INT(outlets_check(&of, &e), -1);
	CHECK(strstr(err_msg(&e),
		     "cannot build logging from config: "
		     "/etc/z.yml:3:5: global.logging[0].tls: ") == err_msg(&e));
	CHECK(strstr(err_msg(&e), "/nonexistent/c") != NULL);
	CHECK(outlets_new(&of, &(struct outlets_opts){ 0 }, &e) == NULL);
	bad.address.host = "";
	CHECK_INT(outlets_check(&of, &e), -1);
	CHECK(strstr(err_msg(&e), "has no host") != NULL);
	CHECK_INT(outlets_check(&conf, &e), 0);
}

TEST_MAIN()
