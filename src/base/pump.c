#include "base/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPLICE_MAX = 1024 * 1024, COPY_SIZE = 64 * 1024 };

struct pump {
	struct ctx *ctx;
	int from, to;
	const struct pump_opts *o;
	int64_t last; /* when a byte moved */
};

/* What became of one attempt. */
enum step { MOVED, BLOCKED, SOURCE_ENDED, TARGET_CLOSED, NOT_SPLICEABLE, FAILED };

/* ---- the rules ---- */

size_t pump_portion(const struct pump_opts *o, size_t n)
{
	const bool is_limited = o->limits[0] || o->limits[1];

	return is_limited && n > PUMP_LIMITED_MAX ? PUMP_LIMITED_MAX : n;
}

void pump_count(const struct pump_opts *o, size_t n, int64_t now_us)
{
	if (o->moved)
		atomic_fetch_add_explicit(o->moved, n, memory_order_relaxed);
	for (size_t i = 0; i < ARRAY_LEN(o->limits); i++)
		rate_spend(o->limits[i], n, now_us);
}

int64_t pump_wait_ms(const struct pump_opts *o, int64_t now_us)
{
	int64_t first = rate_wait_ms(o->limits[0], now_us);
	int64_t second = rate_wait_ms(o->limits[1], now_us);

	return first > second ? first : second;
}

int pump_stalled(const struct pump_opts *o, struct err *err)
{
	return err_set(err, ERR_TIMEOUT, "no byte moved for %lld ms",
		       (long long)o->stall_ms);
}

int pump_poll(struct ctx *ctx, int fd, short events, const struct pump_opts *o,
	      struct err *err)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r = ctx_poll(ctx, &p, 1, o->stall_ms > 0 ? o->stall_ms : -1, err);

	if (r == 0)
		return pump_stalled(o, err);
	return r < 0 ? -1 : 0;
}

/* ---- a pump ---- */

static void count(struct pump *p, size_t n)
{
	p->last = now_ms();
	pump_count(p->o, n, now_in_us());
}

static bool is_closed(const struct pollfd *to)
{
	return to->revents & (POLLERR | POLLHUP | POLLNVAL);
}

/* As long as a limit says.  Returns 1: go on; 0: the target is closed; -1. */
static int hold_back(struct pump *p, struct err *err)
{
	struct pollfd to = { .fd = p->to };
	int64_t ms;

	while ((ms = pump_wait_ms(p->o, now_in_us())) > 0) {
		if (ctx_poll(p->ctx, &to, 1, ms, err) < 0)
			return -1;
		if (is_closed(&to))
			return 0;
		p->last = now_ms();
	}
	return 1;
}

/* Returns 1: ready; 0: the target is closed; -1. */
static int wait_for(struct pump *p, short from_events, short to_events, struct err *err)
{
	struct pollfd fds[2] = {
		{ .fd = from_events ? p->from : -1, .events = from_events },
		{ .fd = p->to, .events = to_events },
	};
	int64_t left = -1;
	int r;

	if (p->o->stall_ms > 0) {
		left = p->last + p->o->stall_ms - now_ms();
		if (left < 0)
			left = 0;
	}
	r = ctx_poll(p->ctx, fds, 2, left, err);
	if (r < 0)
		return -1;
	if (r == 0)
		return pump_stalled(p->o, err);
	if (fds[0].revents == 0 && is_closed(&fds[1]))
		return 0;
	return 1;
}

/* First a source that has something, then a target that takes something. */
static int wait_for_both(struct pump *p, struct err *err)
{
	int r = wait_for(p, POLLIN, 0, err);

	return r > 0 ? wait_for(p, 0, POLLOUT, err) : r;
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static enum step splice_once(struct pump *p, struct err *err)
{
	ssize_t n = splice(p->from, NULL, p->to, NULL, pump_portion(p->o, SPLICE_MAX),
			   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (n > 0) {
		count(p, (size_t)n);
		return MOVED;
	}
	if (n == 0)
		return SOURCE_ENDED;
	switch (errno) {
	case EINTR:
		return MOVED;
	case EAGAIN:
		return BLOCKED;
	case EINVAL:
		return NOT_SPLICEABLE;
	case EPIPE:
		return TARGET_CLOSED;
	case ECONNRESET:
		if (is_pipe(p->from)) /* so it is the target's */
			return TARGET_CLOSED;
		break;
	}
	err_sys(err, errno, "splice");
	return FAILED;
}

static int splice_all(struct pump *p, enum step *last, struct err *err)
{
	for (;;) {
		int r;

		if (ctx_done(p->ctx))
			return wait_for(p, POLLIN, POLLOUT, err);
		*last = splice_once(p, err);
		if (*last == FAILED)
			return -1;
		r = *last == BLOCKED ? wait_for_both(p, err)
		    : *last == MOVED ? hold_back(p, err)
				     : 1;
		if (r < 0)
			return -1;
		if (r == 0)
			*last = TARGET_CLOSED;
		if (*last != MOVED && *last != BLOCKED)
			return 0;
	}
}

/* Returns 1: all written; 0: the target is closed; -1. */
static int write_all(struct pump *p, const char *bytes, size_t n, struct err *err)
{
	while (n > 0) {
		ssize_t w = write(p->to, bytes, n);
		int r = 1;

		if (w > 0) {
			count(p, (size_t)w);
			bytes += w;
			n -= (size_t)w;
		} else if (w < 0 && (errno == EPIPE || errno == ECONNRESET)) {
			return 0;
		} else if (w < 0 && errno == EAGAIN) {
			r = wait_for(p, 0, POLLOUT, err);
		} else if (w < 0 && errno != EINTR) {
			return err_sys(err, errno, "write");
		}
		if (r <= 0)
			return r;
	}
	return 1;
}

/* For descriptors that the kernel cannot join. */
static int copy_all(struct pump *p, enum step *last, struct err *err)
{
	cleanup(str_freep) char *bytes = xcalloc(1, COPY_SIZE);

	for (;;) {
		ssize_t n;
		int r = 1;

		if (ctx_done(p->ctx))
			return wait_for(p, POLLIN, POLLOUT, err);
		n = read(p->from, bytes, pump_portion(p->o, COPY_SIZE));
		if (n > 0)
			r = write_all(p, bytes, (size_t)n, err);
		else if (n == 0)
			break;
		else if (errno == EAGAIN)
			r = wait_for(p, POLLIN, 0, err);
		else if (errno != EINTR)
			return err_sys(err, errno, "read");
		if (r > 0)
			r = hold_back(p, err);
		if (r < 0)
			return -1;
		if (r == 0) {
			*last = TARGET_CLOSED;
			return 0;
		}
	}
	*last = SOURCE_ENDED;
	return 0;
}

int pump(struct ctx *ctx, int from, int to, const struct pump_opts *o, enum pump_end *end,
	 struct err *err)
{
	struct pump p = { ctx, from, to, o, now_ms() };
	enum step last = NOT_SPLICEABLE;
	int r = hold_back(&p, err);

	if (r < 0)
		return -1;
	if (r == 0)
		last = TARGET_CLOSED;
	else if (splice_all(&p, &last, err) < 0)
		return -1;
	if (last == NOT_SPLICEABLE && copy_all(&p, &last, err) < 0)
		return -1;
	*end = last == SOURCE_ENDED ? PUMP_EOF : PUMP_CLOSED;
	return 0;
}
