#include "net/tail.h"

#include "base/ctx.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { CHUNK = 4096, READS_AT_A_TIME = 64 };

struct tail {
	int fd;
	struct ctx *ctx; /* cancelled: stop */
	struct thread thread;
	struct buf text; /* the thread's until it is joined */
};

/* What is there now; not endless.  false: nothing will come any more. */
static bool read_some(struct tail *t)
{
	for (int i = 0; i < READS_AT_A_TIME; i++) {
		ssize_t n = read(t->fd, buf_reserve(&t->text, CHUNK), CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0)
			return false;
		buf_added(&t->text, (size_t)n);
		if (t->text.len > TAIL_MAX)
			buf_drop(&t->text, t->text.len - TAIL_MAX);
	}
	return true;
}

static void keep(void *arg)
{
	cleanup(err_clear) struct err stopped = ERR_INIT;
	struct tail *t = arg;
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	int r;

	do
		r = ctx_poll(t->ctx, &p, 1, -1, &stopped);
	while (read_some(t) && r >= 0);
}

struct tail *tail_start(int fd, struct err *err)
{
	cleanup(tail_freep) struct tail *t = xcalloc(1, sizeof(*t));

	t->fd = fd;
	t->ctx = ctx_new(NULL);
	/* Once it has waited, waiting does not fail for want of descriptors. */
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "pipe of stderr"), NULL;
	if (ctx_poll(t->ctx, NULL, 0, 0, err) < 0)
		return NULL;
	thread_start(&t->thread, "stderr", keep, t);
	return TAKE(t);
}

struct view tail_stop(struct tail *t)
{
	ctx_cancel(t->ctx);
	thread_join(&t->thread);
	return buf_view(&t->text);
}

void tail_free(struct tail *t)
{
	if (!t)
		return;
	(void)tail_stop(t);
	ctx_free(t->ctx);
	fd_closep(&t->fd);
	buf_free(&t->text);
	free(t);
}
