/* Our server, and peers by hand: recorded ones, and ones that do wrong. */
#include "duo.h"
#include "protobuf.h"
#include "recorded.h"
#include "rpc/exchange.h"
#include "rpc/hello.h"
#include "rpc/pdu.h"
#include "tap.h"

#include <sys/socket.h>
#include <unistd.h>

static void fini(struct duo *d)
{
	duo_fini(d);
}

static struct view part(const struct buf *b, size_t from, size_t to)
{
	return (struct view){ b->p + from, to - from };
}

static void check_reads(int fd, struct view want)
{
	cleanup(str_freep) char *got = xcalloc(want.len + 1, 1);

	CHECK_INT(fd_read(fd, got, want.len), want.len);
	CHECK(view_eq((struct view){ got, want.len }, want));
}

static void check_banner(int fd)
{
	cleanup(buf_free) struct buf banner = { 0 };

	hello_put_banner(&banner);
	check_reads(fd, buf_view(&banner));
}

static void check_end(int fd)
{
	char byte;

	CHECK_INT(fd_read(fd, &byte, 1), 0);
}

static void put_hello(struct buf *b, enum hello_label label)
{
	hello_put_banner(b);
	hello_put_label(b, label);
}

static void put_message(struct buf *b, enum frame_type type, struct view payload)
{
	frame_put_message(b, type, payload);
}

/* ---- recorded peers ---- */

/* The server must say nothing but what the recorded one has said. */
static void play_active(int fd, const struct recorded *r)
{
	size_t before_rst = r->active.len - RST_LEN;

	CHECK_INT(fd_write_all(fd, part(&r->active, 0, before_rst)), 0);
	check_reads(fd, buf_view(&r->passive));
	CHECK_INT(fd_write_all(fd, part(&r->active, before_rst, r->active.len)), 0);
	shutdown(fd, SHUT_WR);
	check_end(fd);
	close(fd);
}

TEST(a_recorded_send_is_answered_as_it_was)
{
	for (size_t i = 0; i < ARRAY_LEN(recorded_sends); i++) {
		cleanup(recorded_fini) struct recorded r =
			recorded_load(recorded_sends[i]);
		cleanup(fini) struct duo d;

		duo_init(&d, RPC_SENDER);
		d.flow = (struct flow){ .data = buf_view(&r.stream), .is_socket = true };
		duo_start(&d);
		play_active(fake_net_knock(&d.net, "client1"), &r);
		CHECK_INT(d.w.calls.n, 1);
	}
}

TEST(a_recorded_receive_is_answered_as_it_was)
{
	for (size_t i = 0; i < ARRAY_LEN(recorded_receives); i++) {
		cleanup(recorded_fini) struct recorded r =
			recorded_load(recorded_receives[i]);
		cleanup(buf_free) struct buf received = { 0 };
		cleanup(fini) struct duo d;

		duo_init(&d, RPC_RECEIVER);
		d.sink.keep = &received;
		duo_start(&d);
		play_active(fake_net_knock(&d.net, "client1"), &r);
		duo_stop_server(&d);
		CHECK(view_eq(buf_view(&received), buf_view(&r.stream)));
	}
}

/* ---- bulk requests by hand ---- */

static void put_request(struct buf *b, const char *name, struct view body)
{
	put_hello(b, HELLO_DATA);
	put_message(b, FRAME_REQUEST_HEAD, view_of(name));
	put_message(b, FRAME_REQUEST, body);
}

/* Says these bytes, and hears exactly those; nobody says goodbye but the server. */
static void check_answer(struct duo *d, const struct buf *say, const struct buf *hear)
{
	cleanup(buf_free) struct buf want = { 0 };
	int fd = fake_net_knock(&d->net, "client1");

	hello_put_banner(&want);
	buf_put(&want, buf_str(hear), hear->len);
	frame_put_empty(&want, FRAME_RST);
	CHECK_INT(fd_write_all(fd, buf_view(say)), 0);
	check_reads(fd, buf_view(&want));
	check_end(fd); /* at once, while we are still there */
	close(fd);
}

static void check_error_answer(struct duo *d, const struct buf *say, const char *why)
{
	cleanup(buf_free) struct buf hear = { 0 }, head = { 0 };

	buf_printf(&head, "HANDLER ERROR:\n%s", why);
	put_message(&hear, FRAME_RESPONSE_HEAD, buf_view(&head));
	check_answer(d, say, &hear);
}

TEST(a_ping_is_echoed_as_recorded)
{
	cleanup(buf_free) struct buf say = { 0 }, hear = { 0 };
	cleanup(fini) struct duo d;

	duo_init(&d, RPC_SENDER);
	duo_start(&d);
	put_hello(&say, HELLO_DATA);
	hex_put(&say, "00000001 00000008 2f76312f70696e67 00020000 00000000"
		      "00000002 00000004 0a026869 00020000 00000000");
	hex_put(&hear, "00000003 0000000b 48414e444c4552204f4b0a 00020000 00000000"
		       "00000004 00000004 0a026869 00020000 00000000");
	check_answer(&d, &say, &hear);
}

TEST(a_send_without_a_byte_still_has_a_stream)
{
	struct ep_send_req req = duo_send_req("a");
	cleanup(buf_free) struct buf say = { 0 }, hear = { 0 }, body = { 0 };
	cleanup(fini) struct duo d;

	duo_init(&d, RPC_SENDER);
	duo_start(&d);
	pdu_put_send_req(&body, &req);
	put_request(&say, EXCHANGE_SEND, buf_view(&body));
	hex_put(&hear, "00000003 0000000b 48414e444c4552204f4b0a 00020000 00000000"
		       "00020000 00000000" /* SendRes */
		       "00020000 00000000" /* the stream */);
	check_answer(&d, &say, &hear);
}

TEST(an_error_is_answered_as_recorded)
{
	struct ep_recv_req req = duo_recv_req("full");
	cleanup(buf_free) struct buf say = { 0 }, hear = { 0 }, body = { 0 };
	cleanup(fini) struct duo d;

	duo_init(&d, RPC_RECEIVER);
	duo_start(&d);
	pdu_put_receive_req(&body, &req);
	put_request(&say, EXCHANGE_RECV, buf_view(&body));
	hex_put(&hear, "00000003 00000028 48414e444c4552204552524f523a0a"
		       "63616e6e6f7420726563656976653a206469736b2066756c6c"
		       "00020000 00000000");
	check_answer(&d, &say, &hear);
	duo_stop_server(&d);
	CHECK(fake_logged(&d.w, "request failed method=data:///v1/recv "
				"client_identity=client1 "
				"err=cannot receive: disk full") == 1);
}

TEST(an_endpoint_that_does_not_exist_is_an_error)
{
	cleanup(buf_free) struct buf say = { 0 };
	cleanup(fini) struct duo d;

	duo_init(&d, RPC_SENDER);
	duo_start(&d);
	put_request(&say, "/v2/send", VIEW(""));
	check_error_answer(&d, &say, "requested endpoint does not exist");
}

TEST(a_second_request_is_never_read)
{
	cleanup(buf_free) struct buf say = { 0 };
	cleanup(fini) struct duo d;

	duo_init(&d, RPC_SENDER);
	duo_start(&d);
	put_request(&say, "/v2/send", VIEW(""));
	put_message(&say, FRAME_REQUEST_HEAD, VIEW(EXCHANGE_PING));
	put_message(&say, FRAME_REQUEST, VIEW(""));
	check_error_answer(&d, &say, "requested endpoint does not exist");
}

TEST(a_request_that_cannot_be_decoded_is_an_error_that_says_why)
{
	static const struct {
		const char *name, *why;
	} t[] = {
		{ EXCHANGE_SEND, "Filesystem: is not UTF-8" },
		{ EXCHANGE_RECV, "Filesystem: is not UTF-8" },
		{ EXCHANGE_PING, "Message: is not UTF-8" },
	};
	cleanup(fini) struct duo d;

	duo_init(&d, RPC_SENDER);
	duo_start(&d);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		cleanup(buf_free) struct buf say = { 0 };

		put_request(&say, t[i].name, VIEW("\x0a\x01\xff"));
		check_error_answer(&d, &say, t[i].why);
	}
	duo_stop_server(&d);
	CHECK_INT(fake_logged(&d.w, "request failed method=data:///v1/send "
				    "client_identity=client1 err=Filesystem: is not "
				    "UTF-8"),
		  1);
	CHECK_INT(fake_logged(&d.w, "failed"), ARRAY_LEN(t));
}

TEST(a_path_that_leads_elsewhere_never_reaches_the_endpoint)
{
	struct ep_recv_req req = duo_recv_req("a/../../b");
	cleanup(buf_free) struct buf say = { 0 }, body = { 0 };
	cleanup(fini) struct duo d;

	duo_init(&d, RPC_RECEIVER);
	duo_start(&d);
	pdu_put_receive_req(&body, &req);
	put_request(&say, EXCHANGE_RECV, buf_view(&body));
	check_error_answer(&d, &say, "Filesystem: has a component '.' or '..'");
	duo_stop_server(&d);
	CHECK_INT(d.asked.n, 1); /* for the endpoint itself */
}

/* ---- connections that come to nothing ---- */

/* Banner and label of the client, and what the server says before it closes. */
static void check_refused(const char *origin, struct view say, bool hears_banner)
{
	cleanup(fini) struct duo d;
	int fd;

	duo_init(&d, RPC_SENDER);
	duo_start(&d);
	fd = fake_net_knock(&d.net, origin);
	if (hears_banner)
		check_banner(fd);
	CHECK_INT(fd_write_all(fd, say), hears_banner ? 0 : say.len ? -1 : 0);
	if (hears_banner)
		shutdown(fd, SHUT_WR);
	check_end(fd);
	close(fd);
	duo_stop_server(&d);
	CHECK_INT(fake_logged(&d.w, "warn: connection failed"), 1);
	CHECK_INT(d.asked.n, 0);
}

TEST(a_hello_that_is_wrong_ends_without_a_word)
{
	cleanup(buf_free) struct buf label = { 0 };

	hello_put_banner(&label);
	buf_printf(&label, "%64s", "zrepl_data");
	check_refused("client1", buf_view(&label), true);
	check_refused("client1", VIEW(""), true);
	check_refused("client1", VIEW("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), true);
	check_refused("client1",
		      VIEW("0000000056 ZREPL_ZFS_REPLICATION PROTOVERSION=0006 "
			   "EXTENSIONS=0000\n"),
		      true);
}

TEST(a_stranger_hears_nothing)
{
	check_refused("stranger", VIEW(""), false);
}

TEST(a_client_without_an_endpoint_is_refused)
{
	cleanup(buf_free) struct buf hello = { 0 };
	cleanup(fini) struct duo d;
	int fd;

	duo_init(&d, RPC_SENDER);
	atomic_store(&d.is_refused, true);
	duo_start(&d);
	fd = fake_net_knock(&d.net, "client1");
	put_hello(&hello, HELLO_DATA);
	CHECK_INT(fd_write_all(fd, buf_view(&hello)), 0);
	check_banner(fd);
	check_end(fd);
	close(fd);
	duo_stop_server(&d);
	CHECK_INT(fake_logged(&d.w, "err=no endpoint for client1"), 1);
}

TEST(a_client_that_says_nothing_does_not_stay)
{
	cleanup(fini) struct duo d;
	int fd;

	duo_init(&d, RPC_SENDER);
	d.env.rpc_server_handshake_ms = 20;
	duo_start(&d);
	fd = fake_net_knock(&d.net, "client1");
	check_banner(fd);
	check_end(fd);
	close(fd);
}

TEST(a_client_that_stays_in_the_handshake_does_not_stay)
{
	cleanup(fini) struct duo d;
	int fd;

	duo_init(&d, RPC_SENDER);
	d.env.rpc_server_handshake_ms = 20;
	d.net.is_quiet = true;
	duo_start(&d);
	fd = fake_net_knock(&d.net, "client1");
	check_end(fd);
	close(fd);
}

TEST(strangers_do_not_fill_the_log)
{
	cleanup(fini) struct duo d;

	duo_init(&d, RPC_SENDER);
	duo_start(&d);
	for (int i = 0; i < 50; i++) {
		int fd = fake_net_knock(&d.net, "stranger");

		check_end(fd);
		close(fd);
	}
	duo_stop_server(&d);
	CHECK_INT(fake_logged(&d.w, "connection failed"), 1);
}

/* ---- crowds ---- */

/* Is this one closed by the server?  What it says before that is read away. */
static bool is_closed(int fd)
{
	char bytes[256];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		;
	return n == 0;
}

static void wait_for_any_end(const int *fds, size_t n)
{
	struct pollfd p[RPC_OPEN_PER_CLIENT_MAX + 1];

	for (size_t i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = fds[i], .events = POLLRDHUP };
	CHECK(poll(p, n, 60 * 1000) > 0);
}

TEST(the_greediest_gives_way_to_a_newcomer)
{
	enum { FEW = 3 };
	cleanup(fini) struct duo d;
	int greedy[RPC_HALF_OPEN_MAX - FEW], modest[FEW], newcomer;

	duo_init(&d, RPC_SENDER);
	duo_start(&d);
	for (size_t i = 0; i < FEW; i++)
		check_banner(modest[i] = fake_net_knock(&d.net, "modest"));
	for (size_t i = 0; i < ARRAY_LEN(greedy); i++)
		check_banner(greedy[i] = fake_net_knock(&d.net, "greedy"));
	newcomer = fake_net_knock(&d.net, "newcomer");
	check_banner(newcomer);
	check_end(greedy[0]);
	CHECK(!is_closed(greedy[1]));
	for (size_t i = 0; i < FEW; i++)
		CHECK(!is_closed(modest[i]));
	CHECK(!is_closed(newcomer));

	for (size_t i = 0; i < ARRAY_LEN(greedy); i++)
		close(greedy[i]);
	for (size_t i = 0; i < FEW; i++)
		close(modest[i]);
	close(newcomer);
	duo_stop_server(&d);
	CHECK_INT(fake_logged(&d.w, "origin=greedy client_identity= "
				    "err=too many half-open connections"),
		  1);
}

TEST(one_client_has_no_more_than_its_share_of_connections)
{
	enum { ALL = RPC_OPEN_PER_CLIENT_MAX + 1 };
	cleanup(buf_free) struct buf hello = { 0 };
	cleanup(fini) struct duo d;
	int fds[ALL], other;
	size_t closed = 0;

	duo_init(&d, RPC_SENDER);
	duo_start(&d);
	put_hello(&hello, HELLO_DATA);
	for (size_t i = 0; i < ALL; i++) {
		fds[i] = fake_net_knock(&d.net, "client1");
		CHECK_INT(fd_write_all(fds[i], buf_view(&hello)), 0);
		check_banner(fds[i]); /* so that half-open ones are few */
	}
	wait_for_any_end(fds, ALL);
	for (size_t i = 0; i < ALL; i++)
		closed += is_closed(fds[i]);
	CHECK_INT(closed, 1);

	/* there is room for others */
	other = fake_net_knock(&d.net, "client2");
	put_message(&hello, FRAME_REQUEST_HEAD, VIEW(EXCHANGE_PING));
	put_message(&hello, FRAME_REQUEST, VIEW(""));
	CHECK_INT(fd_write_all(other, buf_view(&hello)), 0);
	check_banner(other);
	check_reads(other, VIEW("\0\0\0\3\0\0\0\x0bHANDLER OK\n"));
	close(other);
	for (size_t i = 0; i < ALL; i++)
		close(fds[i]);
	duo_stop_server(&d);
	CHECK_INT(fake_logged(&d.w, "err=too many open connections of client1"), 1);
}

/* ---- listening ---- */

static void check_report(struct duo *d, const char *address, const char *error)
{
	struct rpc_server_report r;

	rpc_server_report(d->server, &r);
	if (address)
		CHECK_STR(r.address, address);
	else
		CHECK(!r.address);
	if (error)
		CHECK(strstr(err_msg(&r.error), error) != NULL);
	else
		CHECK_INT(r.error.kind, ERR_NONE);
	rpc_server_report_free(&r);
}

/* Whoever gets a banner knows that somebody listens. */
static void visit_briefly(struct duo *d)
{
	int fd = fake_net_knock(&d->net, "client1");

	check_banner(fd);
	close(fd);
}

TEST(a_port_that_is_taken_is_tried_again_and_said_once)
{
	cleanup(fini) struct duo d;

	duo_init(&d, RPC_SENDER);
	check_report(&d, NULL, NULL);
	d.net.no_listener = 2;
	duo_start(&d);
	visit_briefly(&d);
	check_report(&d, "fake 1", NULL);
	duo_stop_server(&d);
	check_report(&d, NULL, NULL);
	CHECK_INT(fake_logged(&d.w, "error: cannot listen; trying again until it works "
				    "err=bind"),
		  1);
	CHECK_INT(fake_logged(&d.w, "info: listening on fake 1"), 1);
}

TEST(a_port_that_stays_taken_is_in_the_report)
{
	cleanup(fini) struct duo d;

	duo_init(&d, RPC_SENDER);
	d.net.no_listener = SIZE_MAX;
	duo_start(&d);
	duo_wait_for_log(&d, "cannot listen");
	check_report(&d, NULL, "bind");
	duo_stop_server(&d);
}

TEST(another_listener_is_opened_when_one_breaks_and_who_is_in_stays)
{
	cleanup(fini) struct duo d;
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };
	struct rpc_server_report r;
	int half_open;

	duo_init(&d, RPC_SENDER);
	duo_start(&d);
	REQUIRE(ep_list_filesystems(d.ctx, d.client, &l, &d.err) == 0);
	half_open = fake_net_knock(&d.net, "client1");
	check_banner(half_open);
	pthread_mutex_lock(&d.net.lock);
	d.net.breaks = 1;
	pthread_mutex_unlock(&d.net.lock);
	wake_signal(&d.net.waiting);
	check_end(half_open); /* no listener's visitors outlive it */
	close(half_open);
	visit_briefly(&d);
	REQUIRE(ep_list_filesystems(d.ctx, d.client, &l, &d.err) == 0);
	CHECK_INT(fake_net_dials(&d.net), 1);
	CHECK_INT(d.net.n_listeners, 2);
	rpc_server_report(d.server, &r);
	CHECK_INT(r.open, 1);
	rpc_server_report_free(&r);
}

TEST_MAIN()
