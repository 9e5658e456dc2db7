/*
 * Our control client against a port of this host, without the hello before it: for
 * servers that are not ours (test_grpc_interop).
 *
 *	grpc_call PORT < "METHOD COPIES BODY" lines
 *
 * BODY is hex, or ping:N for a PingReq of N bytes.  The copies are called at once.  For
 * each of them a line: "ok HEX", "ok N bytes" when it is long, "error KIND HEX".
 */
#include "base/parse.h"
#include "protobuf.h"
#include "rpc/control_client.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COPIES_MAX = 200, SHOWN_MAX = 10000 };

static uint64_t number(const char *digits)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	uint64_t n;

	if (parse_u64(view_of(digits), &n, &e) == 0)
		return n;
	fprintf(stderr, "%s\n", err_msg(&e));
	exit(2);
}

static struct conn *dial(struct ctx *ctx, void *arg, struct err *err)
{
	struct sockaddr_in *at = arg;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)ctx;
	if (connect(fd, (struct sockaddr *)at, sizeof(*at)) < 0) {
		close(fd);
		err_set(err, ERR_NETWORK, "cannot connect");
		return NULL;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return conn_of_fds(fd, fd, "server", NULL);
}

static void put_body(struct buf *out, const char *body)
{
	struct buf text = { 0 };
	size_t n;

	if (strncmp(body, "ping:", 5) != 0) {
		hex_put(out, body);
		return;
	}
	n = number(body + 5);
	memset(buf_reserve(&text, n), 'x', n);
	buf_added(&text, n);
	pb_bytes(out, 1, buf_view(&text));
	buf_free(&text);
}

static void show(const struct control_call *call)
{
	struct view text = view_of(err_msg(&call->err));
	char *hex;

	if (err_is(&call->err, ERR_NONE) && call->reply.len > SHOWN_MAX) {
		printf("ok %zu bytes\n", call->reply.len);
		return;
	}
	hex = hex_of(err_is(&call->err, ERR_NONE) ? buf_view(&call->reply) : text);
	if (err_is(&call->err, ERR_NONE))
		printf("ok %s\n", hex);
	else
		printf("error %d %s\n", (int)call->err.kind, hex);
	free(hex);
}

static void run(struct control_client *c, struct view line)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *method = view_dup(parse_field(&line, ' '));
	cleanup(str_freep) char *copies = view_dup(parse_field(&line, ' '));
	cleanup(str_freep) char *body = view_dup(line);
	struct control_call *calls = xcalloc(COPIES_MAX, sizeof(*calls));
	size_t n = number(copies);

	for (size_t i = 0; i < n && i < COPIES_MAX; i++)
		put_body(&calls[i].request, body);
	if (control_calls(ctx, c, method, calls, n, &e) < 0)
		printf("lost %d %s\n", (int)e.kind, err_msg(&e));
	for (size_t i = 0; i < n; i++) {
		if (err_is(&e, ERR_NONE))
			show(&calls[i]);
		buf_free(&calls[i].request);
		buf_free(&calls[i].reply);
		err_clear(&calls[i].err);
	}
	free(calls);
}

int main(int argc, char **argv)
{
	const struct log log = { 0 };
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct control_client *c;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (argc != 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	at.sin_port = htons((uint16_t)number(argv[1]));
	c = control_client_open_with(dial, &at, &log);
	while ((len = getline(&line, &room, stdin)) > 0)
		run(c, view_trim((struct view){ line, (size_t)len }));
	free(line);
	control_client_close(c);
	return 0;
}
