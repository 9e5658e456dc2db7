#include "bulk_ends.h"

#include <assert.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

__attribute__((constructor)) static void ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
}

/* ---- pipes ---- */

static struct ends make_pipe(void)
{
	int fds[2] = { -1, -1 }, r = pipe2(fds, O_CLOEXEC);

	assert(r == 0);
	return (struct ends){ fds[0], fds[1] };
}

static void set_nonblocking(int fd)
{
	int r = fcntl(fd, F_SETFL, O_NONBLOCK);

	assert(r == 0);
}

struct ends pipe_to_read(void)
{
	struct ends e = make_pipe();

	set_nonblocking(e.r);
	return e;
}

struct ends pipe_to_write(void)
{
	struct ends e = make_pipe();

	set_nonblocking(e.w);
	return e;
}

struct ends socket_to_read(void)
{
	int fds[2] = { -1, -1 };
	int r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);

	assert(r == 0);
	set_nonblocking(fds[0]);
	return (struct ends){ fds[0], fds[1] };
}

void ends_close(struct ends *e)
{
	fd_closep(&e->r);
	fd_closep(&e->w);
}

char nth(size_t n)
{
	return (char)(n * 7 + n / 251);
}

void put_nth(struct buf *out, size_t n)
{
	char *p = buf_reserve(out, n);

	for (size_t i = 0; i < n; i++)
		p[i] = nth(i);
	buf_added(out, n);
}

static void write_pattern(void *arg)
{
	struct writer *w = arg;
	char chunk[8000];

	for (size_t at = 0; at < w->n;) {
		size_t want = w->n - at < sizeof(chunk) ? w->n - at : sizeof(chunk);
		ssize_t n;

		for (size_t i = 0; i < want; i++)
			chunk[i] = nth(at + i);
		n = write(w->fd, chunk, want);
		if (n < 0)
			break;
		at += (size_t)n;
	}
	fd_closep(&w->fd);
}

void writer_start(struct writer *w, int fd, size_t n)
{
	*w = (struct writer){ .fd = fd, .n = n };
	thread_start(&w->thread, "writer", write_pattern, w);
}

static void read_pattern(void *arg)
{
	struct reader *r = arg;
	char chunk[5000];
	ssize_t n;

	r->is_right = true;
	while ((n = read(r->fd, chunk, sizeof(chunk))) > 0)
		for (ssize_t i = 0; i < n; i++)
			if (chunk[i] != nth(r->first + r->n++))
				r->is_right = false;
}

void reader_start(struct reader *r, int fd, size_t first)
{
	*r = (struct reader){ .fd = fd, .first = first };
	thread_start(&r->thread, "reader", read_pattern, r);
}

/* ---- a peer by hand ---- */

struct bulk *bulk_with_peer(struct peer *p, const atomic_int_fast64_t *clock)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct conn *ours = NULL;
	struct bulk *b;
	int r;

	*p = (struct peer){ .ctx = ctx_new(NULL) };
	r = conn_pair(&ours, &p->c, &e);
	assert(r == 0);
	b = bulk_start_at(ours, clock, &e);
	assert(b);
	return b;
}

void peer_hang_up(struct peer *p)
{
	conn_close(TAKE(p->c));
}

void peer_fini(struct peer *p)
{
	peer_hang_up(p);
	ctx_free(TAKE(p->ctx));
}

void peer_send(struct peer *p, const void *bytes, size_t n)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int r = conn_write_all(p->ctx, p->c, bytes, n, &e);

	assert(r == 0);
}

void peer_send_frame(struct peer *p, uint32_t type, const char *payload)
{
	cleanup(buf_free) struct buf b = { 0 };
	uint8_t head[FRAME_HEAD_LEN];

	frame_put_head(head, (enum frame_type)type, (uint32_t)strlen(payload));
	buf_put(&b, head, sizeof(head));
	buf_put(&b, payload, strlen(payload));
	peer_send(p, b.p, b.len);
}

void peer_send_message(struct peer *p, enum frame_type type, const char *text)
{
	cleanup(buf_free) struct buf b = { 0 };

	frame_put_message(&b, type, view_of(text));
	peer_send(p, b.p, b.len);
}

void peer_finish(struct peer *p)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	enum conn_result r = conn_finish(p->c, &e);

	assert(r == CONN_OK);
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint32_t peer_read(struct peer *p, struct buf *payload)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	uint8_t head[FRAME_HEAD_LEN];
	uint32_t len;

	buf_free(payload);
	if (conn_read_all(p->ctx, p->c, head, sizeof(head), &e) < 0)
		return 0;
	len = get_u32(head + 4);
	/* the one length that kills a peer of version 0.7, and the most that it is sent
	 */
	assert(len != 1 && len <= FRAME_PAYLOAD_MAX);
	if (len > 0 &&
	    conn_read_all(p->ctx, p->c, buf_reserve(payload, len), len, &e) < 0)
		return 0;
	if (len > 0)
		buf_added(payload, len);
	return get_u32(head);
}

void peer_wait_until_taken(struct peer *p)
{
	while (!conn_is_flushed(p->c))
		sched_yield();
}

/* ---- a user ---- */

static void close_it(void *arg)
{
	struct closer *c = arg;

	bulk_close(c->b);
}

void closer_start(struct closer *c, struct bulk *b)
{
	*c = (struct closer){ .b = b };
	thread_start(&c->thread, "closer", close_it, c);
}
