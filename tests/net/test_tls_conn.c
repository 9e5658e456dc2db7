#include "tls_bench.h"

#include <netinet/tcp.h>
#include <sys/ioctl.h>

/* What goes through a connection after its handshake. */

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

/* Where no kernel makes records, of what we write past the conn either. */
static struct pair unix_pair(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	return good_pair_over(TLS1_3_VERSION, fds[0], fds[1]);
}

/* Pipes of one page. */
static void make_pipe(int fds[2])
{
	CHECK(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
	CHECK(fcntl(fds[1], F_SETPIPE_SZ, 4096) > 0);
}

static void close_both(int fds[2])
{
	fd_closep(&fds[0]);
	fd_closep(&fds[1]);
}

/* From the pattern's position `at`, in pieces of odd sizes, from memory that is new each
 * time. */
static enum conn_result write_pattern(struct conn *c, size_t at, size_t n, size_t *put,
				      struct err *err)
{
	uint8_t *bytes = xcalloc(1, n);
	size_t head = n < 8 ? n : 8, some = (n - head) / 5;
	struct iovec v[] = {
		{ bytes, head },
		{ bytes, 0 },
		{ bytes + head, some },
		{ bytes + head + some, n - head - some },
	};
	enum conn_result r;

	fill_pattern(bytes, n, at);
	r = conn_write(c, v, ARRAY_LEN(v), put, err);
	free(bytes);
	return r;
}

/* Until nothing more fits; the number of bytes that did. */
static size_t fill_up(struct conn *c)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	size_t at = 0, put;
	enum conn_result r;

	while ((r = write_pattern(c, at, 100 * 1000, &put, &e)) == CONN_OK)
		at += put;
	CHECK_INT(r, CONN_AGAIN);
	return at;
}

enum way { WAY_READ, WAY_SPLICE, WAY_BOTH };

struct taker {
	struct conn *c;
	enum way way;
	int pipe[2];
	size_t n, reads, splices;
};

/* What there is. */
static enum conn_result take(struct taker *t, struct err *err)
{
	uint8_t bytes[10 * 1000];
	size_t got = 0;
	enum conn_result r;
	ssize_t n;

	if (t->way == WAY_READ ||
	    (t->way == WAY_BOTH && (t->reads + t->splices) % 3 == 0)) {
		r = conn_read(t->c, bytes, sizeof(bytes) / 7, &got, err);
		CHECK(is_pattern(bytes, got, t->n));
		t->n += got;
		t->reads++;
		return r;
	}
	r = conn_splice(t->c, t->pipe[1], 300 * 1000, &got, err);
	t->splices++;
	while ((n = read(t->pipe[0], bytes, sizeof(bytes))) > 0) {
		CHECK(is_pattern(bytes, (size_t)n, t->n));
		t->n += (size_t)n;
	}
	return r == CONN_PIPE_FULL ? CONN_OK : r;
}

/* Until there are n, or it ends or fails. */
static enum conn_result take_until(struct taker *t, size_t n, struct err *err)
{
	enum conn_result r = CONN_OK;

	while (t->n < n && (r == CONN_OK || r == CONN_AGAIN)) {
		if (r == CONN_AGAIN && !wait_readable(t->c))
			break;
		r = take(t, err);
	}
	return r;
}

/* total bytes, then the end, in one thread that does what can be done. */
static void check_moves(struct conn *from, struct conn *to, enum way way, size_t total)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct taker t = { .c = to, .way = way };
	enum conn_result in = CONN_AGAIN, out;
	size_t at = 0, put;
	bool is_finished = false;

	make_pipe(t.pipe);
	while (in != CONN_END) {
		struct pollfd fds[2 * CONN_FDS];
		nfds_t n = conn_poll(from, false, !is_finished, fds);

		n += conn_poll(to, true, false, fds + n);
		if (!conn_ready(to) && poll(fds, n, PATIENCE_MS) <= 0)
			break;
		put = 0;
		out = at < total ? write_pattern(from, at,
						 total - at < 70000 ? total - at : 70000,
						 &put, &e)
				 : conn_finish(from, &e);
		is_finished |= at == total && out == CONN_OK;
		at += put;
		CHECK(out == CONN_OK || out == CONN_AGAIN);
		in = take(&t, &e);
		if (in == CONN_FAILED || out == CONN_FAILED)
			break;
	}
	CHECK_STR(err_msg(&e), "no error");
	CHECK_INT(in, CONN_END);
	CHECK_INT(t.n, total);
	CHECK(way == WAY_SPLICE || t.reads > 10);
	CHECK(way == WAY_READ || t.splices > 10);
	close_both(t.pipe);
}

TEST(much_goes_through_in_each_direction)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		cleanup(pair_fini) struct pair p = good_pair(versions[i]);

		check_moves(p.client, p.server, WAY_READ, 3000001);
		check_moves(p.server, p.client, WAY_READ, 3000001);
	}
}

TEST(much_goes_through_a_tiny_pipe)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		cleanup(pair_fini) struct pair p = good_pair(versions[i]);

		check_moves(p.client, p.server, WAY_SPLICE, 3000001);
		check_moves(p.server, p.client, WAY_SPLICE, 3000001);
	}
}

TEST(what_the_pipe_did_not_take_goes_first_into_memory_too)
{
	cleanup(pair_fini) struct pair p = good_pair(0);

	check_moves(p.client, p.server, WAY_BOTH, 2000001);
	check_moves(p.server, p.client, WAY_BOTH, 2000001);
}

TEST(a_pipe_that_nobody_reads_is_noticed)
{
	cleanup(pair_fini) struct pair p = good_pair(0);
	cleanup(err_clear) struct err e = ERR_INIT;
	enum conn_result r;
	int fds[2];
	size_t got;

	make_pipe(fds);
	fd_closep(&fds[0]);
	fds[0] = -1;
	check_writes(p.client, "to nobody");
	CHECK(wait_readable(p.server));
	r = conn_splice(p.server, fds[1], 100, &got, &e);
	CHECK_INT(r, CONN_PIPE_CLOSED);
	check_reads(p.server, "to nobody");
	close_both(fds);
}

TEST(small_pieces_share_a_record)
{
	enum { RECORD = 5 + 3 + 1 + 16 }; /* header, text, its type, tag */
	cleanup(pair_fini) struct pair p = unix_pair();
	cleanup(err_clear) struct err e = ERR_INIT;
	char text[] = "abc";
	struct iovec v[] = { { text, 1 }, { text, 0 }, { text + 1, 1 }, { text + 2, 1 } };
	char wire[2 * RECORD];
	size_t put;

	CHECK_INT(conn_write(p.client, v, ARRAY_LEN(v), &put, &e), CONN_OK);
	CHECK_INT(put, 3);
	CHECK_INT(recv(p.server_fd, wire, sizeof(wire), MSG_PEEK), RECORD);
	check_reads(p.server, "abc");
}

/* ---- waiting ---- */

TEST(bytes_in_memory_are_ready)
{
	cleanup(pair_fini) struct pair p = good_pair(0);

	CHECK(!conn_ready(p.server));
	check_writes(p.client, "abc");
	check_reads(p.server, "a");
	CHECK(conn_ready(p.server));
	check_reads(p.server, "bc");
	CHECK(!conn_ready(p.server));
}

TEST(an_end_that_came_with_the_last_bytes_is_ready)
{
	cleanup(pair_fini) struct pair p = good_pair(0);
	cleanup(err_clear) struct err e = ERR_INIT;
	char bytes[64];
	size_t got;

	check_writes(p.client, "the last");
	check_finishes(p.client);
	CHECK_INT(wait_read(p.server, bytes, sizeof(bytes), &got, &e), CONN_OK);
	CHECK_INT(got, 8);
	CHECK(conn_ready(p.server));
	check_ends(p.server);
	check_ends(p.server);
}

static int lowat(int fd)
{
	int n = 0;
	socklen_t len = sizeof(n);

	CHECK(getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &n, &len) == 0);
	return n;
}

TEST(a_wish_for_many_bytes_never_waits_for_more_than_can_come)
{
	cleanup(pair_fini) struct pair p = good_pair(0);
	bool sends, receives;

	tls_kernel(p.server, &sends, &receives);
	if (receives) /* the kernel knows best, and nobody interferes */
		return;
	conn_want(p.server, 100 * 1000);
	CHECK(lowat(p.server_fd) > 10 * 1000);
	/* The beginning of a record may be in memory already. */
	CHECK(lowat(p.server_fd) < 100 * 1000 - 16 * 1024);
	conn_want(p.server, 16 * 1024);
	CHECK_INT(lowat(p.server_fd), 1);
	conn_want(p.server, SIZE_MAX);
	CHECK(lowat(p.server_fd) <= 1024 * 1024);
	conn_want(p.server, 1);
	CHECK_INT(lowat(p.server_fd), 1);
}

TEST(nothing_is_polled_for_nothing)
{
	cleanup(pair_fini) struct pair p = good_pair(0);
	struct pollfd fds[CONN_FDS];

	CHECK_INT(conn_poll(p.client, false, false, fds), 0);
	CHECK_INT(conn_poll(p.client, true, true, fds), 1);
	CHECK_INT(fds[0].fd, p.client_fd);
	CHECK_INT(fds[0].events, POLLIN | POLLOUT);
}

/* ---- a peer that does not read ---- */

TEST(a_full_connection_goes_on_where_it_stopped)
{
	cleanup(pair_fini) struct pair p = good_pair(0);
	cleanup(err_clear) struct err e = ERR_INIT;
	struct taker t = { .c = p.server, .way = WAY_READ };
	size_t at = fill_up(p.client), put = 0;
	enum conn_result r = CONN_AGAIN;

	CHECK(!conn_is_flushed(p.client));
	/* The same bytes, cut in other places. */
	while (r == CONN_AGAIN) {
		while (take(&t, &e) == CONN_OK)
			;
		r = write_pattern(p.client, at, 77777, &put, &e);
	}
	CHECK_INT(r, CONN_OK);
	at += put;
	check_finishes(p.client);
	CHECK_INT(take_until(&t, SIZE_MAX, &e), CONN_END);
	CHECK_INT(t.n, at);
}

TEST(what_was_answered_has_arrived)
{
	cleanup(pair_fini) struct pair p = good_pair(0);

	check_writes(p.client, "question");
	check_reads(p.server, "question");
	check_writes(p.server, "answer");
	check_reads(p.client, "answer");
	CHECK(conn_is_flushed(p.client));
}

TEST(other_bytes_than_those_under_way_are_a_mistake)
{
	cleanup(pair_fini) struct pair p = unix_pair();
	cleanup(err_clear) struct err e = ERR_INIT;
	size_t at = fill_up(p.client), put;

	CHECK_INT(write_pattern(p.client, at + 1, 100 * 1000, &put, &e), CONN_FAILED);
	CHECK_INT(e.kind, ERR_INTERNAL);
	CHECK_INT(write_pattern(p.client, at, 10, &put, &e), CONN_FAILED);
	CHECK_INT(write_pattern(p.client, at, 100 * 1000, &put, &e), CONN_AGAIN);
}

TEST(what_has_begun_goes_out_before_the_end)
{
	cleanup(pair_fini) struct pair p = good_pair(0);
	cleanup(err_clear) struct err e = ERR_INIT;
	struct taker t = { .c = p.server, .way = WAY_READ };
	size_t at = fill_up(p.client), put;
	enum conn_result r;

	while ((r = conn_finish(p.client, &e)) == CONN_AGAIN)
		while (take(&t, &e) == CONN_OK)
			;
	CHECK_INT(r, CONN_OK);
	check_finishes(p.client); /* again is fine */
	CHECK_INT(take_until(&t, SIZE_MAX, &e), CONN_END);
	CHECK(t.n >= at && t.n <= at + 16 * 1024);
	CHECK_INT(write_pattern(p.client, t.n, 10, &put, &e), CONN_FAILED);
	CHECK_STR(err_msg(&e), "write to server: written to after its end");
}

/* ---- ends, and what is none ---- */

TEST(each_direction_ends_by_itself)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		cleanup(pair_fini) struct pair p = good_pair(versions[i]);
		char byte;

		check_finishes(p.client);
		check_ends(p.server);
		/* Both farewells: that of TLS, and that of TCP. */
		CHECK_INT(recv(p.server_fd, &byte, 1, MSG_PEEK), 0);
		check_writes(p.server, "after its end");
		check_reads(p.client, "after its end");
		check_finishes(p.server);
		check_ends(p.client);
		CHECK_INT(recv(p.client_fd, &byte, 1, MSG_PEEK), 0);
	}
}

static void check_cut_off(struct conn *c, enum way way)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct taker t = { .c = c, .way = way };

	make_pipe(t.pipe);
	CHECK_INT(take_until(&t, SIZE_MAX, &e), CONN_FAILED);
	CHECK_INT(t.n, 1000);
	CHECK_INT(e.kind, ERR_NETWORK);
	CHECK_STR(err_msg(&e), "read from server: the connection was cut off: it ended "
			       "without the farewell of TLS");
	/* It stays so. */
	CHECK(conn_ready(c));
	err_clear(&e);
	CHECK_INT(take(&t, &e), CONN_FAILED);
	CHECK_INT(e.kind, ERR_NETWORK);
	close_both(t.pipe);
}

TEST(an_end_of_tcp_alone_is_no_end)
{
	static const enum way ways[] = { WAY_READ, WAY_SPLICE };

	for (size_t i = 0; i < 4; i++) {
		cleanup(pair_fini) struct pair p = good_pair(versions[i % 2]);
		cleanup(err_clear) struct err e = ERR_INIT;
		size_t put;

		CHECK_INT(write_pattern(p.server, 0, 1000, &put, &e), CONN_OK);
		CHECK(shutdown(p.server_fd, SHUT_WR) == 0);
		check_cut_off(p.client, ways[i / 2]);
	}
}

TEST(a_connection_that_breaks_in_the_middle_of_a_record_is_cut_off)
{
	cleanup(pair_fini) struct pair p = unix_pair();
	cleanup(err_clear) struct err e = ERR_INIT;
	char byte;
	size_t got;

	/* The header of a record of 256 bytes, and nothing more. */
	CHECK_INT(send(p.server_fd, "\x17\x03\x03\x01\x00", 5, 0), 5);
	CHECK(shutdown(p.server_fd, SHUT_WR) == 0);
	CHECK_INT(wait_read(p.client, &byte, 1, &got, &e), CONN_FAILED);
	CHECK_INT(e.kind, ERR_NETWORK);
}

TEST(bytes_that_somebody_has_changed_are_refused)
{
	cleanup(pair_fini) struct pair p = unix_pair();
	cleanup(err_clear) struct err e = ERR_INIT;
	char record[5 + 32] = "\x17\x03\x03\x00\x20";
	char byte;
	size_t got;

	CHECK_INT(send(p.server_fd, record, sizeof(record), 0), sizeof(record));
	CHECK_INT(wait_read(p.client, &byte, 1, &got, &e), CONN_FAILED);
	CHECK_INT(e.kind, ERR_PROTOCOL);
	/* And the peer is told. */
	err_clear(&e);
	CHECK_INT(wait_read(p.server, &byte, 1, &got, &e), CONN_FAILED);
	CHECK_STR(err_msg(&e), "read from client: the peer gives up: bad record mac");
}

TEST(to_write_to_a_peer_that_is_gone_is_a_lost_connection)
{
	cleanup(pair_fini) struct pair p = good_pair(0);
	cleanup(err_clear) struct err e = ERR_INIT;
	enum conn_result r = CONN_OK;
	size_t put;

	conn_close(p.server);
	p.server = NULL;
	while (r == CONN_OK)
		r = write_pattern(p.client, 0, 1000, &put, &e);
	CHECK_INT(r, CONN_FAILED);
	CHECK_INT(e.kind, ERR_NETWORK);
}

/* In TLS 1.3 the dialler may write before it knows. */
TEST(a_refusal_is_told_even_to_one_who_only_writes)
{
	cleanup(side_freep) struct side *server =
		server_new("bob.crt", "alice.crt", "not bob");
	cleanup(side_freep) struct side *client =
		client_new("alice.crt", "bob.crt", "alice");
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(pair_fini) struct pair p = { .server_err = ERR_INIT };
	struct greeter g = { .side = server, .pair = &p };
	uint8_t bytes[1000] = { 0 };
	int fd;

	loopback_pair(&g.fd, &fd);
	thread_start(&g.thread, "server", greet, &g);
	p.client = tls_handshake(ctx, client->tls, fd, "server", &p.client_err);
	if (CHECK(p.client != NULL))
		while (conn_write_all(ctx, p.client, bytes, sizeof(bytes),
				      &p.client_err) == 0)
			;
	thread_join(&g.thread);
	CHECK_INT(p.server_err.kind, ERR_DENIED);
	CHECK_INT(p.client_err.kind, ERR_DENIED);
	CHECK(strstr(err_msg(&p.client_err), "bad certificate"));
}

/* ---- the kernel ---- */

TEST(the_kernel_does_the_work_where_it_can)
{
	cleanup(pair_fini) struct pair p = { 0 };
	bool sends, receives, has_it;
	int fds[2];

	loopback_pair(&fds[0], &fds[1]);
	has_it = setsockopt(fds[0], IPPROTO_TCP, TCP_ULP, "tls", 4) == 0;
	close_both(fds);
	p = good_pair(TLS1_3_VERSION);
	tls_kernel(p.client, &sends, &receives);
	CHECK_INT(sends, has_it);
	CHECK(has_it || !receives);
	printf("# kernel TLS: sends %d, receives %d\n", sends, receives);
}

static int pipe_with_pattern(size_t at, size_t n)
{
	uint8_t bytes[4096];
	int fds[2];

	make_pipe(fds);
	fill_pattern(bytes, n, at);
	CHECK_INT(write(fds[1], bytes, n), n);
	close(fds[1]);
	return fds[0];
}

TEST(the_kernel_takes_bytes_out_of_a_pipe)
{
	cleanup(pair_fini) struct pair p = good_pair(TLS1_3_VERSION);
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(fd_closep) int pipe = pipe_with_pattern(8, 4096);
	struct taker t = { .c = p.server, .way = WAY_READ };
	bool sends, receives;
	size_t put;

	tls_kernel(p.client, &sends, &receives);
	CHECK_INT(conn_can_splice_from(p.client, pipe), sends);
	if (!sends) /* by OpenSSL, then; end to end there is a kernel that does it */
		return;
	conn_more(p.client, true);
	CHECK_INT(write_pattern(p.client, 0, 8, &put, &e), CONN_OK);
	conn_more(p.client, false);
	CHECK_INT(conn_splice_from(p.client, pipe, 100000, &put, &e), CONN_OK);
	CHECK_INT(put, 4096);
	CHECK_INT(conn_splice_from(p.client, pipe, 100000, &put, &e), CONN_PIPE_EMPTY);
	check_finishes(p.client);
	CHECK_INT(conn_splice_from(p.client, pipe, 100000, &put, &e), CONN_FAILED);
	CHECK_INT(take_until(&t, SIZE_MAX, &e), CONN_END);
	CHECK_INT(t.n, 8 + 4096);
}

TEST_MAIN()
