#include "cli/control_client.h"

#include "base/parse.h"
#include "net/socket.h"

#include <errno.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, SILENCE_MS = 30 * 1000, SHOWN_TEXT = 4096 };
#define MAX_ANSWER ((size_t)1 << 30)

/* 0: fd is ready. */
static int wait_for(struct ctx *ctx, int fd, short events, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r = ctx_poll(ctx, &p, 1, SILENCE_MS, err);

	if (r == 0)
		return err_set(err, ERR_TIMEOUT, "no answer for %d seconds",
			       SILENCE_MS / 1000);
	return r < 0 ? -1 : 0;
}

static int send_all(struct ctx *ctx, int fd, const struct buf *b, struct err *err)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n;

		if (wait_for(ctx, fd, POLLOUT, err) < 0)
			return -1;
		n = send(fd, b->p + at, b->len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(err, errno, "send");
		if (n > 0)
			at += (size_t)n;
	}
	return 0;
}

static int receive_all(struct ctx *ctx, int fd, struct buf *b, struct err *err)
{
	for (;;) {
		ssize_t n;

		if (wait_for(ctx, fd, POLLIN, err) < 0)
			return -1;
		if (buf_room(b) < CHUNK)
			return err_set(err, ERR_PROTOCOL, "answer larger than %zu bytes",
				       b->len);
		n = recv(fd, buf_reserve(b, CHUNK), CHUNK, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(err, errno, "receive");
		if (n == 0)
			return 0;
		if (n > 0)
			buf_added(b, (size_t)n);
	}
}

/* The value of Content-Length; -1: there is none. */
static int64_t content_length(struct view headers)
{
	static const char name[] = "content-length:";
	cleanup(err_clear) struct err ignored = ERR_INIT;
	int64_t n;

	while (headers.p) {
		struct view h = view_trim(parse_field(&headers, '\n'));

		if (h.len < sizeof(name) || strncasecmp(h.p, name, sizeof(name) - 1) != 0)
			continue;
		h.p += sizeof(name) - 1;
		h.len -= sizeof(name) - 1;
		return parse_i64(view_trim(h), &n, &ignored) < 0 ? -1 : n;
	}
	return -1;
}

/* "HTTP/1.1 200 OK\r\n" headers "\r\n\r\n" body */
static int split_answer(struct buf *b, uint64_t *status, struct err *err)
{
	struct view rest = { b->p, b->len };
	struct view version = parse_field(&rest, ' ');
	struct view code = parse_field(&rest, ' ');
	const char *end = b->p ? memmem(b->p, b->len, "\r\n\r\n", 4) : NULL;
	int64_t want;

	if (!view_starts(version, "HTTP/1.") || !end ||
	    parse_u64(code, status, err) < 0) {
		err_clear(err);
		return err_set(err, ERR_PROTOCOL, "the answer is not HTTP");
	}
	want = content_length((struct view){ b->p, (size_t)(end - b->p) });
	buf_drop(b, (size_t)(end + 4 - b->p));
	if (want >= 0 && (uint64_t)want != b->len)
		return err_set(err, ERR_PROTOCOL, "the answer breaks off");
	return 0;
}

static int ask(struct ctx *ctx, const char *sockpath, const struct buf *request,
	       struct buf *out, struct err *err)
{
	cleanup(fd_closep) int fd = socket_connect(sockpath, err);
	uint64_t status;

	if (fd < 0)
		return -1;
	out->max = MAX_ANSWER;
	if (send_all(ctx, fd, request, err) < 0 || receive_all(ctx, fd, out, err) < 0 ||
	    split_answer(out, &status, err) < 0)
		return -1;
	if (status != 200) {
		struct view text = view_trim((struct view){ out->p, out->len });

		return err_set(err, ERR_REMOTE, "%.*s",
			       (int)(text.len < SHOWN_TEXT ? text.len : SHOWN_TEXT),
			       text.p);
	}
	return 0;
}

int control_ask(struct ctx *ctx, const char *sockpath, const char *path, const char *body,
		struct buf *out, struct err *err)
{
	cleanup(buf_free) struct buf request = { 0 };

	buf_printf(&request,
		   "POST %s HTTP/1.0\r\nHost: unix\r\nContent-Type: application/json\r\n"
		   "Content-Length: %zu\r\n\r\n%s",
		   path, strlen(body), body);
	if (ask(ctx, sockpath, &request, out, err) == 0)
		return 0;
	if (err_is(err, ERR_REMOTE))
		return -1;
	err_wrap(err, "daemon at %s", sockpath);
	if (err->sys == ECONNREFUSED || err->sys == ENOENT)
		err_detail(err, "is the daemon running?");
	return -1;
}
