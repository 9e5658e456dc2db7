#include "flow.h"

#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 8 * 1024 };

/* The n-th byte; its period is no power of two. */
static char nth(size_t n)
{
	return (char)(n * 7 + n / 251);
}

/* in: non-blocking for us; out: blocking for a thread, or the other way round. */
static void open_pipe(int fds[2], int non_blocking, bool is_socket)
{
	int r = is_socket ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)
			  : pipe2(fds, O_CLOEXEC);

	if (r < 0 || fcntl(fds[non_blocking], F_SETFL, O_NONBLOCK) < 0)
		abort();
}

/* ---- source ---- */

struct source {
	struct ep_stream stream;
	struct flow f;
	struct thread thread;
	int in; /* the thread's */
	bool is_whole;
};

static void write_flow(void *arg)
{
	struct source *s = arg;
	size_t n = s->f.data.p ? s->f.data.len : s->f.bytes;
	char chunk[CHUNK];
	ssize_t put = 0;

	for (size_t at = 0; at < n && put >= 0; at += (size_t)put) {
		size_t len = n - at < CHUNK ? n - at : CHUNK;

		for (size_t i = 0; i < len; i++)
			chunk[i] = s->f.data.p ? s->f.data.p[at + i] : nth(at + i);
		put = write(s->in, chunk, len);
	}
	s->is_whole = put >= 0;
	close(s->in);
}

static int result(struct ep_stream *stream, struct err *err)
{
	struct source *s = CONTAINER_OF(stream, struct source, stream);

	thread_join(&s->thread);
	if (!s->is_whole)
		return err_set(err, ERR_CANCELLED, "not read to its end");
	return s->f.error ? err_set(err, ERR_CHILD, "%s", s->f.error) : 0;
}

static int finish(struct ep_stream *stream, struct err *err)
{
	struct source *s = CONTAINER_OF(stream, struct source, stream);
	int r;

	close(s->stream.fd);
	r = result(stream, err);
	free(s);
	return r;
}

struct ep_stream *flow_new(const struct flow *f)
{
	static const struct ep_stream_ops ops = { .result = result, .finish = finish };
	struct source *s = xcalloc(1, sizeof(*s));
	int fds[2];

	open_pipe(fds, 0, f->is_socket);
	s->stream = (struct ep_stream){ .ops = &ops, .fd = fds[0] };
	s->in = fds[1];
	s->f = *f;
	thread_start(&s->thread, "flow source", write_flow, s);
	return &s->stream;
}

/* ---- sink ---- */

struct drain {
	struct flow_sink *sink;
	int fd;
};

static void take(struct flow_sink *sink, const char *p, size_t n)
{
	size_t at = atomic_load(&sink->got);

	if (sink->keep)
		buf_put(sink->keep, p, n);
	for (size_t i = 0; i < n && !sink->keep; i++)
		if (p[i] != nth(at + i))
			atomic_store(&sink->is_wrong, true);
	atomic_store(&sink->got, at + n);
	if (at == 0 && n > 0 && sink->moved)
		sem_post(sink->moved);
}

static void read_flow(void *arg)
{
	struct drain *d = arg;
	char chunk[CHUNK];
	ssize_t n;

	while ((n = read(d->fd, chunk, sizeof(chunk))) > 0) {
		take(d->sink, chunk, (size_t)n);
		if (d->sink->stop_after &&
		    atomic_load(&d->sink->got) >= d->sink->stop_after)
			break;
	}
	close(d->fd);
}

static int peek(struct ctx *ctx, struct ep_stream *in, struct flow_sink *sink,
		bool *at_end, struct err *err)
{
	struct pump_opts o = { 0 };
	cleanup(buf_free) struct buf first = { .max = sink->peek };

	*at_end = false;
	if (sink->peek == 0)
		return 0;
	if (stream_peek(ctx, in, &o, &first, at_end, err) < 0)
		return -1;
	take(sink, buf_str(&first), first.len);
	return 0;
}

int flow_drain(struct ctx *ctx, struct ep_stream *in, struct flow_sink *sink,
	       struct err *err)
{
	struct pump_opts o = { 0 };
	struct drain d = { .sink = sink };
	struct thread thread = { 0 };
	enum pump_end end = PUMP_EOF;
	bool at_end;
	int fds[2], r;

	if (peek(ctx, in, sink, &at_end, err) < 0)
		return -1;
	if (at_end)
		return 0;
	open_pipe(fds, 1, false);
	d.fd = fds[0];
	thread_start(&thread, "flow sink", read_flow, &d);
	r = stream_pump(ctx, in, fds[1], &o, &end, err);
	close(fds[1]);
	thread_join(&thread);
	if (r == 0 && end == PUMP_CLOSED)
		return err_set(err, ERR_CHILD, "disk full");
	return r;
}
