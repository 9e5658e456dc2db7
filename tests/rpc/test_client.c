/* Our client, and peers by hand: recorded ones, and ones that do wrong. */
#include "duo.h"
#include "protobuf.h"
#include "recorded.h"
#include "rpc/hello.h"
#include "rpc/pdu.h"
#include "tap.h"

#include <sys/socket.h>
#include <unistd.h>

/* A server is never started: the test is the peer. */
static void fini(struct duo *d)
{
	duo_fini(d);
}

/* What the client does meanwhile, in a thread. */
struct doing {
	struct duo *d;
	struct thread thread;
	struct ep_send_req send;
	struct ep_recv_req recv;
	struct flow flow;  /* to be pushed */
	struct buf stream; /* that was fetched */
	int rc;
	struct err err;
};

static void do_send(void *arg)
{
	struct doing *w = arg;
	struct flow_sink sink = { .keep = &w->stream };
	struct endpoint *e = w->d->client;
	struct ep_stream *stream;

	w->rc = e->ops->send(w->d->ctx, e, &w->send, &stream, &w->err);
	if (w->rc < 0)
		return;
	w->rc = flow_drain(w->d->ctx, stream, &sink, &w->err);
	if (stream_finish(stream, &w->err) < 0)
		w->rc = -1;
}

static void do_receive(void *arg)
{
	struct doing *w = arg;
	cleanup(err_clear) struct err finished = ERR_INIT;
	struct ep_stream *in = flow_new(&w->flow);
	struct endpoint *e = w->d->client;

	w->rc = e->ops->receive(w->d->ctx, e, &w->recv, in, &w->err);
	stream_finish(in, &finished);
}

static void do_list(void *arg)
{
	struct doing *w = arg;
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };
	struct endpoint *e = w->d->client;

	w->rc = e->ops->list_filesystems(w->d->ctx, e, &l, &w->err);
}

static void doing_fini(struct doing *w)
{
	buf_free(&w->stream);
	err_clear(&w->err);
}

/* ---- recorded peers ---- */

static struct view part(const struct buf *b, size_t from, size_t to)
{
	return (struct view){ b->p + from, to - from };
}

static void check_reads(int fd, struct view want)
{
	cleanup(str_freep) char *got = xcalloc(want.len, 1);

	CHECK_INT(fd_read(fd, got, want.len), want.len);
	CHECK(view_eq((struct view){ got, want.len }, want));
}

/* The client must say nothing but what the recorded one has said. */
static void play_passive(int fd, const struct recorded *r)
{
	size_t before_rst = r->active.len - RST_LEN;
	cleanup(buf_free) struct buf rest = { 0 };
	char byte;

	/* all of its hello at once: zrepl 0.7 serves nobody else until it has that */
	check_reads(fd, part(&r->active, 0, BANNER_LEN + LABEL_LEN));
	CHECK_INT(fd_write_all(fd, part(&r->passive, 0, BANNER_LEN)), 0);
	check_reads(fd, part(&r->active, BANNER_LEN + LABEL_LEN, before_rst));
	/* no farewell before the response: a peer could not answer any more */
	CHECK_INT(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	CHECK_INT(fd_write_all(fd, part(&r->passive, BANNER_LEN, r->passive.len)), 0);
	shutdown(fd, SHUT_WR);
	rest = fd_read_rest(fd);
	CHECK(view_eq(buf_view(&rest), part(&r->active, before_rst, r->active.len)));
	close(fd);
}

TEST(a_send_is_byte_for_byte_the_recorded_one)
{
	for (size_t i = 0; i < ARRAY_LEN(recorded_sends); i++) {
		cleanup(recorded_fini) struct recorded r =
			recorded_load(recorded_sends[i]);
		cleanup(arena_free) struct arena a = { 0 };
		cleanup(fini) struct duo d;
		cleanup(doing_fini) struct doing w = { .d = &d };

		duo_init(&d, RPC_SENDER);
		REQUIRE(pdu_get_send_req(&a, buf_view(&r.request), &w.send, &w.err) == 0);
		thread_start(&w.thread, "client", do_send, &w);
		play_passive(fake_net_accept(&d.net), &r);
		thread_join(&w.thread);
		CHECK_INT(w.rc, 0);
		CHECK(view_eq(buf_view(&w.stream), buf_view(&r.stream)));
	}
}

TEST(a_receive_is_byte_for_byte_the_recorded_one)
{
	for (size_t i = 0; i < ARRAY_LEN(recorded_receives); i++) {
		cleanup(recorded_fini) struct recorded r =
			recorded_load(recorded_receives[i]);
		cleanup(arena_free) struct arena a = { 0 };
		cleanup(fini) struct duo d;
		cleanup(doing_fini) struct doing w = { .d = &d };

		duo_init(&d, RPC_RECEIVER);
		REQUIRE(pdu_get_receive_req(&a, buf_view(&r.request), &w.recv, &w.err) ==
			0);
		w.flow = (struct flow){ .data = buf_view(&r.stream), .is_socket = true };
		thread_start(&w.thread, "client", do_receive, &w);
		play_passive(fake_net_accept(&d.net), &r);
		thread_join(&w.thread);
		CHECK_INT(w.rc, 0);
	}
}

/* ---- peers that do wrong ---- */

static void put_message(struct buf *b, enum frame_type type, const char *text)
{
	frame_put_message(b, type, view_of(text));
}

/*
 * Answers the request with these bytes (NULL: none), says goodbye or not, and waits for
 * the client to be gone.
 */
static void answer(int fd, const struct buf *bytes, bool says_goodbye)
{
	cleanup(buf_free) struct buf out = { 0 }, rest = { 0 };

	hello_put_banner(&out);
	if (bytes)
		buf_put(&out, bytes->p, bytes->len);
	if (says_goodbye)
		frame_put_empty(&out, FRAME_RST);
	/* the client may have had enough of us before */
	if (fd_write_all(fd, buf_view(&out)) == 0)
		shutdown(fd, SHUT_WR);
	rest = fd_read_rest(fd);
	close(fd);
}

/* The stream is endless, so that a client that does not listen meanwhile hangs. */
static void check_answer(thread_fn *does, const struct buf *bytes, bool says_goodbye,
			 enum err_kind kind, const char *text)
{
	cleanup(fini) struct duo d;
	cleanup(doing_fini) struct doing w = { .d = &d,
					       .send = duo_send_req("a"),
					       .recv = duo_recv_req("a"),
					       .flow = { .bytes = SIZE_MAX } };

	duo_init(&d, RPC_SENDER);
	ep_close(d.client);
	d.client = rpc_client_new(
		&(struct rpc_client_opts){ does == do_receive ? RPC_RECEIVER : RPC_SENDER,
					   &d.net.connector,
					   &d.env,
					   { 0 } });
	thread_start(&w.thread, "client", does, &w);
	answer(fake_net_accept(&d.net), bytes, says_goodbye);
	thread_join(&w.thread);
	CHECK_INT(w.rc, -1);
	CHECK_INT(w.err.kind, kind);
	if (!CHECK(strstr(err_msg(&w.err), text) != NULL))
		printf("# got \"%s\", want \"%s\"\n", err_msg(&w.err), text);
}

TEST(an_error_of_the_peer_is_heard_in_its_words)
{
	cleanup(buf_free) struct buf b = { 0 };

	/* as zrepl 0.7 has sent it */
	hex_put(&b, "00000003 00000028 48414e444c4552204552524f523a0a"
		    "63616e6e6f7420726563656976653a206469736b2066756c6c"
		    "00020000 00000000");
	check_answer(do_send, &b, true, ERR_REMOTE, "cannot receive: disk full");
	check_answer(do_receive, &b, true, ERR_REMOTE, "cannot receive: disk full");
	/* also from one that does not close properly */
	check_answer(do_send, &b, false, ERR_REMOTE, "cannot receive: disk full");
	check_answer(do_receive, &b, false, ERR_REMOTE, "cannot receive: disk full");
}

TEST(a_response_that_is_none_is_an_error)
{
	static const char *const heads[] = { "", "OK", "HANDLER", "HANDLER ERROR" };

	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		cleanup(buf_free) struct buf b = { 0 };

		put_message(&b, FRAME_RESPONSE_HEAD, heads[i]);
		check_answer(do_send, &b, true, ERR_PROTOCOL,
			     "a response begins neither");
		check_answer(do_receive, &b, true, ERR_PROTOCOL, "a response begins");
	}
}

TEST(a_peer_that_is_gone_without_an_answer_is_a_trouble_of_the_network)
{
	check_answer(do_send, NULL, true, ERR_NETWORK, "");
	check_answer(do_receive, NULL, true, ERR_NETWORK, "");
	check_answer(do_send, NULL, false, ERR_NETWORK, "");
	check_answer(do_receive, NULL, false, ERR_NETWORK, "");
}

TEST(a_stream_that_breaks_off_is_a_trouble_of_the_network)
{
	cleanup(buf_free) struct buf b = { 0 };

	put_message(&b, FRAME_RESPONSE_HEAD, "HANDLER OK\n");
	put_message(&b, FRAME_RESPONSE, "");
	check_answer(do_send, &b, true, ERR_NETWORK, "");
	hex_put(&b, "00000005 00000004 61626364");
	check_answer(do_send, &b, true, ERR_NETWORK, "");
	check_answer(do_send, &b, false, ERR_NETWORK, "");
}

TEST(a_response_that_cannot_be_decoded_is_an_error)
{
	cleanup(buf_free) struct buf b = { 0 };

	put_message(&b, FRAME_RESPONSE_HEAD, "HANDLER OK\n");
	put_message(&b, FRAME_RESPONSE, "\x0a");
	check_answer(do_send, &b, true, ERR_PROTOCOL, "SendRes cannot be decoded");
	check_answer(do_receive, &b, true, ERR_PROTOCOL, "cannot be decoded");
}

TEST(both_sides_must_agree_on_the_token)
{
	cleanup(buf_free) struct buf b = { 0 };

	put_message(&b, FRAME_RESPONSE_HEAD, "HANDLER OK\n");
	put_message(&b, FRAME_RESPONSE, "\x08\x01"); /* UsedResumeToken */
	check_answer(do_send, &b, true, ERR_PROTOCOL,
		     "the sender made up the resume token");
}

TEST(a_token_that_is_ignored_is_an_error)
{
	cleanup(fini) struct duo d;
	cleanup(buf_free) struct buf b = { 0 };
	cleanup(doing_fini) struct doing w = { .d = &d, .send = duo_send_req("a") };

	duo_init(&d, RPC_SENDER);
	w.send.token = "1-2-3";
	put_message(&b, FRAME_RESPONSE_HEAD, "HANDLER OK\n");
	put_message(&b, FRAME_RESPONSE, "");
	thread_start(&w.thread, "client", do_send, &w);
	answer(fake_net_accept(&d.net), &b, true);
	thread_join(&w.thread);
	CHECK_INT(w.rc, -1);
	CHECK_INT(w.err.kind, ERR_PROTOCOL);
	CHECK_STR(err_msg(&w.err), "the sender ignored the resume token");
}

static void check_old_peer(void (*what)(void *arg))
{
	static const char banner[] =
		"0000000056 ZREPL_ZFS_REPLICATION PROTOVERSION=0006 EXTENSIONS=0000\n";
	cleanup(fini) struct duo d;
	cleanup(doing_fini) struct doing w = { .d = &d, .send = duo_send_req("a") };
	cleanup(buf_free) struct buf rest = { 0 };
	int fd;

	duo_init(&d, RPC_SENDER);
	thread_start(&w.thread, "client", what, &w);
	fd = fake_net_accept(&d.net);
	CHECK_INT(fd_write_all(fd, view_of(banner)), 0);
	rest = fd_read_rest(fd);
	CHECK_INT(rest.len, BANNER_LEN + LABEL_LEN);
	close(fd);
	thread_join(&w.thread);
	CHECK_INT(w.rc, -1);
	CHECK_INT(w.err.kind, ERR_PROTOCOL);
	CHECK(strstr(err_msg(&w.err), "6") != NULL);
	CHECK(strncmp(err_msg(&w.err), "server: ", 8) == 0);
}

TEST(a_peer_of_another_version_is_told_apart_and_named)
{
	check_old_peer(do_send);
	check_old_peer(do_list);
}

TEST_MAIN()
