/*
 * A control server on a port of this host, without the hello before it: for clients that
 * are not ours (test_grpc_interop).
 *
 *	grpc_serve CONNECTIONS      says its port, then how each connection has ended
 *
 * Whatever is asked is echoed, but a PingReq says what is to be done:
 *
 *	fail TEXT       the error of that text
 *	large N         a PingRes of N bytes
 *	wait            until the call is cancelled
 */
#include "base/parse.h"
#include "base/thread.h"
#include "protobuf.h"
#include "rpc/control_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_known(const char *path)
{
	static const char *const known[] = {
		"Ping",
		"ListFilesystems",
		"ListFilesystemVersions",
		"DestroySnapshots",
		"SendDry",
		"SendCompleted",
		"ReplicationCursor",
	};

	if (strncmp(path, "/Replication/", 13) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(path + 13, known[i]) == 0)
			return true;
	return false;
}

/* The text of a PingReq, which may be larger than any that we would ask with. */
static int get_text(struct view body, struct view *text, struct err *err)
{
	size_t at = 1, n = 0;
	int shift = 0;

	*text = (struct view){ "", 0 };
	if (body.len == 0)
		return 0;
	do {
		if (at == body.len || shift > 21)
			return err_set(err, ERR_PROTOCOL, "no PingReq");
		n |= (size_t)(body.p[at] & 0x7f) << shift;
		shift += 7;
	} while (body.p[at++] & 0x80);
	*text = (struct view){ body.p + at, n };
	return body.p[0] == 0x0a && n == body.len - at
		       ? 0
		       : err_set(err, ERR_PROTOCOL, "no PingReq");
}

static struct view rest(struct view text, const char *word)
{
	size_t n = strlen(word);

	return (struct view){ text.p + n, text.len - n };
}

static int large(struct control_request *r, struct view digits, struct err *err)
{
	struct buf text = { 0 };
	uint64_t n;

	if (parse_u64(digits, &n, err) < 0)
		return -1;
	memset(buf_reserve(&text, n), 'x', n);
	buf_added(&text, n);
	pb_bytes(&r->reply, 1, buf_view(&text));
	buf_free(&text);
	return 0;
}

static int ping(struct ctx *ctx, struct control_request *r, struct err *err)
{
	struct view text;

	if (get_text(r->body, &text, err) < 0)
		return -1;
	if (view_starts(text, "fail ")) {
		text = rest(text, "fail ");
		return err_set(err, ERR_CHILD, "%.*s", (int)text.len, text.p);
	}
	if (view_starts(text, "large "))
		return large(r, rest(text, "large "), err);
	if (view_eq(text, VIEW("wait")))
		return ctx_sleep(ctx, -1, err);
	pb_bytes(&r->reply, 1, text);
	return 0;
}

static void handle(void *arg, struct ctx *ctx, struct control_request *v, size_t n)
{
	(void)arg;
	for (size_t i = 0; i < n; i++) {
		struct control_request *r = &v[i];

		if (!is_known(r->path))
			r->no_such_method =
				err_set(&r->err, ERR_NOT_FOUND, "unknown %s", r->path);
		else if (strcmp(r->path, "/Replication/Ping") == 0)
			(void)ping(ctx, r, &r->err); /* which is the answer */
		else
			buf_put(&r->reply, r->body.p, r->body.len);
	}
}

static bool is_batched(const char *path)
{
	return strcmp(path, "/Replication/ListFilesystemVersions") == 0;
}

static const struct control_service service = { handle, NULL, is_batched };

static void serve(void *arg)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	int fd = *(int *)arg, rc;

	rc = control_serve(ctx, conn_of_fds(fd, fd, "client", NULL), &service, &e);
	printf("ended %d %s\n", rc, rc == 0 ? "" : err_msg(&e));
}

int main(int argc, char **argv)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	struct thread threads[16] = { 0 };
	int fds[16], listener = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t n;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2 || parse_u64(view_of(argv[1]), &n, &e) < 0 || n > 16 ||
	    bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 16) < 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &len) < 0)
		return 2;
	printf("port %d\n", ntohs(at.sin_port));
	for (uint64_t i = 0; i < n; i++) {
		fds[i] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
		thread_start(&threads[i], "serve", serve, &fds[i]);
	}
	for (uint64_t i = 0; i < n; i++)
		thread_join(&threads[i]);
	return 0;
}
