#include "rpc/control_io.h"

/* 1: something came; 0: nothing at the moment, or any more. */
static int read_some(struct control_io *io, struct err *err)
{
	enum conn_result r;
	size_t got = 0;

	if (io->peer_ended || io->engine->is_choked(io->h2))
		return 0;
	r = conn_read(io->conn, io->in, sizeof(io->in), &got, err);
	if (r == CONN_OK)
		return io->engine->feed(io->h2, io->in, got, now_ms(), err) < 0 ? -1 : 1;
	io->peer_ended = r == CONN_END;
	return r == CONN_FAILED ? -1 : r == CONN_END;
}

/* 1: all is written; 0: not now. */
static int write_some(struct control_io *io, struct err *err)
{
	for (;;) {
		struct view v = io->engine->output(io->h2);
		struct iovec iov = { .iov_base = (char *)v.p, .iov_len = v.len };
		enum conn_result r;
		size_t put = 0;

		if (v.len == 0)
			return 1;
		r = conn_write(io->conn, &iov, 1, &put, err);
		if (r == CONN_FAILED)
			return -1;
		if (r != CONN_OK)
			return 0;
		io->engine->sent(io->h2, put);
	}
}

static int wait_for(struct ctx *ctx, struct control_io *io, bool write, int64_t until,
		    struct err *err)
{
	bool read = !io->peer_ended && !io->engine->is_choked(io->h2);
	struct pollfd fds[CONN_FDS + 1];
	nfds_t n = conn_poll(io->conn, read, write, fds);
	int64_t left = until - now_ms();

	if (read && conn_ready(io->conn))
		return 0;
	fds[n++] = (struct pollfd){ .fd = io->wake->fd, .events = POLLIN };
	if (ctx_poll(ctx, fds, n, left < 0 ? 0 : left, err) < 0)
		return -1;
	wake_clear(io->wake);
	return 0;
}

int control_io_turn(struct ctx *ctx, struct control_io *io, int64_t until,
		    struct err *err)
{
	int64_t next = INT64_MAX;
	int got, put;

	if (ctx_done(ctx))
		return ctx_poll(ctx, NULL, 0, 0, err);
	/* Reading comes first: it tells better than writing why the peer is gone. */
	if ((got = read_some(io, err)) < 0)
		return -1;
	if (io->engine->tick(io->h2, now_ms(), &next, err) < 0)
		return -1;
	if ((put = write_some(io, err)) < 0)
		return -1;
	if (got > 0)
		return 0;
	return wait_for(ctx, io, put == 0, next < until ? next : until, err);
}

void control_io_farewell(struct control_io *io, int64_t ms)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	struct pollfd fds[CONN_FDS];
	enum conn_result r;
	int put;

	ctx_set_timeout(ctx, ms);
	while ((put = write_some(io, &e)) == 0) {
		nfds_t n = conn_poll(io->conn, false, true, fds);

		if (ctx_poll(ctx, fds, n, -1, &e) < 0)
			return;
	}
	if (put < 0)
		return;
	while ((r = conn_finish(io->conn, &e)) == CONN_AGAIN) {
		nfds_t n = conn_poll(io->conn, false, true, fds);

		if (ctx_poll(ctx, fds, n, -1, &e) < 0)
			return;
	}
	/* What is not read when we close can cost the peer our last words. */
	while (r != CONN_FAILED && !io->peer_ended && !ctx_done(ctx)) {
		size_t got;
		nfds_t n = conn_poll(io->conn, true, false, fds);

		r = conn_read(io->conn, io->in, sizeof(io->in), &got, &e);
		if (r == CONN_END)
			return;
		if (r == CONN_AGAIN && ctx_poll(ctx, fds, n, -1, &e) < 0)
			return;
	}
}
