#include "base/wake.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

int wake_open(struct wake *w, struct err *err)
{
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->fd < 0 ? err_sys(err, errno, "eventfd") : 0;
}

void wake_init(struct wake *w)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	if (wake_open(w, &e) == 0)
		return;
	fprintf(stderr, "%s\n", err_msg(&e));
	abort();
}

void wake_fini(struct wake *w)
{
	fd_closep(&w->fd);
}

void wake_signal(struct wake *w)
{
	uint64_t one = 1;

	/* EAGAIN: the counter is at its maximum, so the bit is set anyway. */
	if (write(w->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort();
}

bool wake_clear(struct wake *w)
{
	uint64_t n;

	return read(w->fd, &n, sizeof(n)) == sizeof(n);
}

int wake_wait(struct wake *w, struct ctx *ctx, int64_t timeout_ms, struct err *err)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	int r = ctx_poll(ctx, &p, 1, timeout_ms, err);

	if (r > 0)
		wake_clear(w);
	return r;
}

void wake_await(struct wake *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	while (!wake_clear(w))
		if (poll(&p, 1, -1) < 0)
			assert(errno == EINTR);
}
