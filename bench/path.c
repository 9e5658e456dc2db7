/*
 * path.c - the least that can be done between `zfs send` and `zfs receive`: what the
 * daemon's bulk path is measured against.
 *
 *	zfs send | path send MODE PORT   ==tcp, loopback==>   path recv MODE PORT | zfs
 *receive
 *
 * Modes of both ends:
 *	raw      splice, no frames
 *	splice   frames: a head of 8 bytes, then splice
 *	read     frames of 512 KiB, read full; then written with their head
 *
 * One thread, blocking calls, no time limits, no heartbeats, no checks: a floor, not a
 * program.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FRAME = 512 * 1024, PIPE = 1024 * 1024, HEAD = 8, END = 0x00020000, STREAM = 5 };

static char frame[FRAME];

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "path: %s: %s\n", what, strerrordesc_np(errno));
	exit(1);
}

static void put_head(char head[HEAD], uint32_t type, uint32_t len)
{
	uint32_t words[2] = { htonl(type), htonl(len) };

	memcpy(head, words, HEAD);
}

static void write_all(int fd, struct iovec *iov, int n)
{
	while (n > 0) {
		ssize_t done = writev(fd, iov, n);

		check(done >= 0, "write");
		for (; n > 0 && (size_t)done >= iov->iov_len; n--)
			done -= (ssize_t)iov++->iov_len;
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + done;
			iov->iov_len -= (size_t)done;
		}
	}
}

/* Returns less than n at the end of input only. */
static size_t read_full(int fd, char *p, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, p + have, n - have);

		check(got >= 0, "read");
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return have;
}

/* false: the end of input. */
static bool splice_some(int from, int to, size_t n, size_t *moved)
{
	ssize_t got = splice(from, NULL, to, NULL, n, SPLICE_F_MOVE);

	check(got >= 0, "splice");
	*moved = (size_t)got;
	return got > 0;
}

static void splice_all(int from, int to, size_t n)
{
	for (size_t moved; n > 0; n -= moved)
		check(splice_some(from, to, n, &moved), "input ended too early");
}

static void send_raw(int sock)
{
	size_t moved;

	while (splice_some(STDIN_FILENO, sock, PIPE, &moved))
		;
}

static void send_end(int sock)
{
	char head[HEAD];

	put_head(head, END, 0);
	write_all(sock, &(struct iovec){ head, HEAD }, 1);
}

static void send_splice(int sock)
{
	for (;;) {
		struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
		char head[HEAD];
		int n = 0;

		check(poll(&in, 1, -1) == 1, "poll");
		check(ioctl(STDIN_FILENO, FIONREAD, &n) == 0, "how much is there");
		if (n == 0)
			break;
		n = n < FRAME ? n : FRAME;
		put_head(head, STREAM, (uint32_t)n);
		check(send(sock, head, HEAD, MSG_MORE) == HEAD, "send");
		splice_all(STDIN_FILENO, sock, (size_t)n);
	}
	send_end(sock);
}

static void send_read(int sock)
{
	size_t n;

	while ((n = read_full(STDIN_FILENO, frame, FRAME)) > 0) {
		char head[HEAD];

		put_head(head, STREAM, (uint32_t)n);
		write_all(sock, (struct iovec[]){ { head, HEAD }, { frame, n } }, 2);
	}
	send_end(sock);
}

static void recv_raw(int sock)
{
	size_t moved;

	while (splice_some(sock, STDOUT_FILENO, PIPE, &moved))
		;
}

static void recv_frames(int sock, bool with_splice)
{
	for (;;) {
		char head[HEAD];
		uint32_t words[2];

		check(read_full(sock, head, HEAD) == HEAD, "head");
		memcpy(words, head, HEAD);
		if (ntohl(words[0]) == END)
			return;
		if (with_splice) {
			splice_all(sock, STDOUT_FILENO, ntohl(words[1]));
			continue;
		}
		check(ntohl(words[1]) <= FRAME, "frame is too long");
		check(read_full(sock, frame, ntohl(words[1])) == ntohl(words[1]),
		      "payload");
		write_all(STDOUT_FILENO, &(struct iovec){ frame, ntohl(words[1]) }, 1);
	}
}

static int sender_socket(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	check(fd >= 0, "socket");
	check(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Prints "listening" on stderr when it is. */
static int receiver_socket(uint16_t port, bool frames)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, wake = FRAME, conn;

	check(fd >= 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	check(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0, "bind");
	check(listen(fd, 1) == 0, "listen");
	fputs("listening\n", stderr);
	conn = accept(fd, NULL, NULL);
	check(conn >= 0, "accept");
	/* The last frame and END do not come to so much, but the end of input does. */
	if (frames)
		setsockopt(conn, SOL_SOCKET, SO_RCVLOWAT, &wake, sizeof(wake));
	return conn;
}

int main(int argc, char **argv)
{
	const char *mode = argc == 4 ? argv[2] : "";
	uint16_t port = argc == 4 ? (uint16_t)strtoul(argv[3], NULL, 10) : 0;
	bool raw = strcmp(mode, "raw") == 0, spliced = strcmp(mode, "splice") == 0;

	if (argc != 4 || (!raw && !spliced && strcmp(mode, "read") != 0)) {
		fputs("usage: path send|recv raw|splice|read PORT\n", stderr);
		return 2;
	}
	fcntl(STDIN_FILENO, F_SETPIPE_SZ, PIPE);
	fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE);
	if (strcmp(argv[1], "send") == 0) {
		int sock = sender_socket(port);

		if (raw)
			send_raw(sock);
		else if (spliced)
			send_splice(sock);
		else
			send_read(sock);
	} else {
		int sock = receiver_socket(port, !raw);

		if (raw)
			recv_raw(sock);
		else
			recv_frames(sock, spliced);
	}
	return 0;
}
