#include "base/ctx.h"
#include "daemon/outlets.h"
#include "tap.h"

#include <unistd.h>

static struct conf_outlet outlet = { .level = LOG_INFO, .format = LOG_FORMAT_HUMAN };
static const struct conf_global conf = { .outlets = &outlet, .n_outlets = 1 };

TEST(entries_below_the_level_of_the_outlet_are_not_written)
{
	cleanup(fd_closep) int r = -1, w = -1;
	struct outlets *o;
	struct log log;
	char text[64] = { 0 };
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	r = fds[0], w = fds[1];
	o = outlets_new(&conf, w);
	log = outlets_log(o);
	log_debug(&log, "quiet");
	log_info(&log, "loud");
	outlets_free(o);
	CHECK_INT(read(r, text, sizeof(text) - 1), 13);
	CHECK_STR(text, "[INFO]: loud\n");
}

TEST(a_reader_that_stopped_reading_keeps_nobody_waiting)
{
	cleanup(fd_closep) int r = -1, w = -1;
	struct outlets *o;
	struct log log;
	int64_t start = now_ms();
	char text[4096];
	int fds[2];

	REQUIRE(pipe(fds) == 0);
	r = fds[0], w = fds[1];
	o = outlets_new(&conf, w);
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
	CHECK(strstr(buf_str(&all), "welcome back\n") != NULL);
	outlets_free(o);
}

TEST_MAIN()
