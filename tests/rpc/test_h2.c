/*
 * The two ends of a control connection: against what zrepl 0.7 says, and against each
 * other.
 */
#include "h2_ends.h"
#include "h2_text.h"
#include "protobuf.h"
#include "tap.h"

#define LIST "/Replication/ListFilesystems"

/* ---- as zrepl 0.7 says it ---- */

static const char client_hello[] = "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a"
				   "000000 04 00 00000000";
static const char client_ack[] = "000000 04 01 00000000";
static const char client_request[] =
	"00003d 01 04 00000001 83 86 45 94 63696ba0c41a4c7a98ce642709a82a3d2125a51f 81"
	"5f 8b 1d75d0620d263d4c4d6564 7a 8a 9acac8b4c7602bbaf2e0 40 02 7465 86 "
	"4d833505b11f"
	"000005 00 01 00000001  00 00000000";
static const char server_answer[] =
	"000006 04 00 00000000  0005 00004000"
	"000000 04 01 00000000"
	"000004 08 00 00000000  00000005"
	"000008 06 00 00000000  02041010090e0707"
	"00000e 01 04 00000001  88 5f8b1d75d0620d263d4c4d6564"
	"00001c 00 00 00000001  00 00000017"
	"   0a0b 0a0974616e6b2f64617461 0a08 0a0474616e6b 1801"
	"000018 01 05 00000001  40 88 9acac8b21234da8f 01 30  40 89 9acac8b5254207317f "
	"00";
static const char filesystems[] = "0a0b 0a0974616e6b2f64617461 0a08 0a0474616e6b 1801";

static void feed_server(struct server_end *e, const char *hex)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	struct buf b = { 0 };

	hex_put(&b, hex);
	CHECK_INT(h2_server_feed(e->s, b.p, b.len, 0, &err), 0);
	buf_free(&b);
}

static const char *server_says(struct server_end *e, struct h2_text *t, const char *words)
{
	for (;;) {
		struct view v = h2_server_output(e->s);

		if (v.len == 0)
			return h2_text_take(t, words);
		h2_text_feed(t, v);
		h2_server_sent(e->s, v.len);
	}
}

static const char *client_says(struct h2_client *c, struct h2_text *t, const char *words)
{
	for (;;) {
		struct view v = h2_client_output(c);

		if (v.len == 0)
			return h2_text_take(t, words);
		h2_text_feed(t, v);
		h2_client_sent(c, v.len);
	}
}

TEST(the_first_request_of_zrepl_07_is_understood_and_answered_in_kind)
{
	struct buf reply = { 0 };
	struct h2_text t = { 0 };
	struct server_end e;

	server_end_init(&e, 0);
	CHECK_STR(server_says(&e, &t, NULL), "settings 3=128 6=16384\n");
	feed_server(&e, client_hello);
	feed_server(&e, client_ack);
	feed_server(&e, client_request);
	CHECK_INT(e.n, 1);
	CHECK_INT(e.v[0].id, 1);
	CHECK_STR(e.v[0].path, LIST);
	CHECK_INT(e.v[0].body.len, 0);
	CHECK_INT(h2_server_pending(e.s), 1);

	hex_put(&reply, filesystems);
	h2_server_reply(e.s, 1, GRPC_OK, NULL, buf_view(&reply));
	CHECK_INT(h2_server_pending(e.s), 0);
	CHECK_STR(server_says(&e, &t, NULL),
		  "settings ack\n"
		  "headers 1 :status=200 content-type=application/grpc\n"
		  "data 1 28\n"
		  "headers 1 grpc-status=0 grpc-message=, end\n");
	server_end_fini(&e);
	h2_text_fini(&t);
	buf_free(&reply);
}

TEST(an_answer_is_what_zrepl_07_sends_byte_for_byte)
{
	struct buf body = { 0 }, want = { 0 };
	struct server_end e;
	struct view got;

	server_end_init(&e, 0);
	feed_server(&e, client_hello);
	feed_server(&e, client_request);
	h2_server_sent(e.s, h2_server_output(e.s).len);
	hex_put(&body, filesystems);
	h2_server_reply(e.s, 1, GRPC_OK, NULL, buf_view(&body));
	hex_put(&want, strstr(server_answer, "00000e 01 04"));
	got = h2_server_output(e.s);
	CHECK(view_eq(got, buf_view(&want)));
	server_end_fini(&e);
	buf_free(&body);
	buf_free(&want);
}

TEST(an_error_of_zrepl_07_is_one_header)
{
	struct h2_text t = { 0 };
	struct server_end e;

	server_end_init(&e, 0);
	feed_server(&e, client_hello);
	feed_server(&e, client_request);
	h2_server_reply(e.s, 1, GRPC_UNKNOWN, "boom: 100% bad\nsecond line \xc3\xa9",
			VIEW(""));
	CHECK_STR(server_says(&e, &t, "headers data"),
		  "headers 1 :status=200 content-type=application/grpc grpc-status=2 "
		  "grpc-message=boom: 100%25 bad%0Asecond line %C3%A9, end\n");
	server_end_fini(&e);
	h2_text_fini(&t);
}

TEST(the_answer_of_zrepl_07_is_understood_wherever_it_is_cut)
{
	struct buf answer = { 0 }, want = { 0 };

	hex_put(&answer, server_answer);
	hex_put(&want, filesystems);
	for (size_t cut = 0; cut <= answer.len; cut++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct h2_client *c = h2_client_new(0);
		struct h2_text t = { 0 };
		struct end_reply r = { 0 };

		CHECK_INT(end_call(c, LIST, VIEW(""), &r), 1);
		client_says(c, &t, NULL);
		CHECK_INT(h2_client_feed(c, answer.p, cut, 0, &e), 0);
		CHECK_INT(h2_client_feed(c, answer.p + cut, answer.len - cut, 0, &e), 0);
		CHECK_INT(r.times, 1);
		CHECK_INT(r.err.kind, ERR_NONE);
		CHECK(view_eq(buf_view(&r.body), buf_view(&want)));
		CHECK_STR(client_says(c, &t, "settings ping"),
			  "settings ack\nping ack 02041010090e0707\n");
		h2_client_free(c);
		h2_text_fini(&t);
		end_reply_fini(&r);
	}
	buf_free(&answer);
	buf_free(&want);
}

TEST(a_call_has_the_headers_of_zrepl_07_in_their_order)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r = { 0 };
	struct h2_text t = { 0 };
	struct h2_call call = {
		.path = "/Replication/Ping",
		.body = VIEW("\x0a\1x"),
		.timeout_ms = 30000,
		.reply = end_reply_take,
		.arg = &r,
	};

	CHECK_INT(end_call(c, LIST, VIEW(""), &r), 1);
	CHECK_INT(h2_client_call(c, &call, &e), 3);
	CHECK_STR(
		client_says(c, &t, NULL),
		"settings 2=0 4=1048576\n"
		"window 0 +4128769\n"
		"headers 1 :method=POST :scheme=http :path=/Replication/ListFilesystems "
		":authority= content-type=application/grpc "
		"user-agent=zrepl/" ZREPL_VERSION " te=trailers\n"
		"headers 3 :method=POST :scheme=http :path=/Replication/Ping "
		":authority= content-type=application/grpc "
		"user-agent=zrepl/" ZREPL_VERSION " te=trailers grpc-timeout=30000m\n"
		"data 1 5, end\n"
		"data 3 8, end\n");
	h2_client_free(c);
	CHECK_INT(r.times, 0);
	h2_text_fini(&t);
}

/* ---- each other ---- */

TEST(calls_overlap_and_are_answered_in_any_order)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct end_reply r[50] = { 0 };
	struct h2_client *c = h2_client_new(0);
	struct server_end s;

	server_end_init(&s, 0);
	for (size_t i = 0; i < ARRAY_LEN(r); i++) {
		char body[16];

		snprintf(body, sizeof(body), "call %zu", i);
		CHECK_INT(end_call(c, "/m", view_of(body), &r[i]), (int)(2 * i + 1));
	}
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	CHECK_INT(s.n, ARRAY_LEN(r));
	for (size_t i = s.n; i > 0; i--)
		h2_server_reply(s.s, s.v[i - 1].id, GRPC_OK, NULL,
				buf_view(&s.v[i - 1].body));
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(r); i++) {
		char body[16];

		snprintf(body, sizeof(body), "call %zu", i);
		CHECK_INT(r[i].times, 1);
		CHECK_INT(r[i].err.kind, ERR_NONE);
		CHECK_STR(buf_str(&r[i].body), body);
		end_reply_fini(&r[i]);
	}
	h2_client_free(c);
	server_end_fini(&s);
}

TEST(a_conversation_is_the_same_however_it_is_cut)
{
	for (size_t chunk = 1; chunk <= 100; chunk++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct end_reply r[3] = { 0 };
		struct h2_client *c = h2_client_new(0);
		struct server_end s;

		server_end_init(&s, 0);
		s.echoes = true;
		CHECK_INT(end_call(c, LIST, VIEW(""), &r[0]), 1);
		CHECK_INT(end_call(c, "/a", VIEW("aaa"), &r[1]), 3);
		CHECK_INT(converse(c, s.s, chunk, 0, &e), 0);
		CHECK_INT(end_call(c, "/b", VIEW("bb"), &r[2]), 5);
		CHECK_INT(converse(c, s.s, chunk, 0, &e), 0);
		CHECK_STR(buf_str(&r[0].body), "");
		CHECK_STR(buf_str(&r[1].body), "aaa");
		CHECK_STR(buf_str(&r[2].body), "bb");
		for (size_t i = 0; i < 3; i++) {
			CHECK_INT(r[i].times, 1);
			CHECK_INT(r[i].err.kind, ERR_NONE);
			end_reply_fini(&r[i]);
		}
		h2_client_free(c);
		server_end_fini(&s);
	}
}

TEST(errors_arrive_with_their_text_whatever_it_is)
{
	static const struct {
		enum grpc_status status;
		const char *text;
		enum err_kind kind;
		const char *msg;
	} t[] = {
		{ GRPC_UNKNOWN, "zfs: cannot open 'a/b': no such dataset\n", ERR_REMOTE,
		  "zfs: cannot open 'a/b': no such dataset\n" },
		{ GRPC_UNKNOWN, "  \xc3\xa4 100% \t ", ERR_REMOTE,
		  "  \xc3\xa4 100% \t " },
		{ GRPC_UNKNOWN, "\xff", ERR_REMOTE, "\xef\xbf\xbd" },
		{ GRPC_UNIMPLEMENTED, "unknown method X", ERR_PROTOCOL,
		  "not implemented by the peer: unknown method X" },
		{ GRPC_INTERNAL, "x", ERR_REMOTE, "internal error of the peer: x" },
		{ GRPC_CANCELLED, "", ERR_REMOTE, "cancelled by the peer" },
		/* never sent: it would make the other side wait for us to come back */
		{ GRPC_UNAVAILABLE, "x", ERR_REMOTE, "x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct h2_client *c = h2_client_new(0);
		struct end_reply r = { 0 };
		struct server_end s;

		server_end_init(&s, 0);
		end_call(c, "/m", VIEW(""), &r);
		CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
		h2_server_reply(s.s, 1, t[i].status, t[i].text, VIEW(""));
		CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
		CHECK_INT(r.times, 1);
		CHECK_INT(r.err.kind, t[i].kind);
		CHECK_STR(err_msg(&r.err), t[i].msg);
		end_reply_fini(&r);
		h2_client_free(c);
		server_end_fini(&s);
	}
}

static void fill(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_put(b, &(char){ (char)(i * 31 + i / 251) }, 1);
}

TEST(messages_of_the_largest_size_go_both_ways)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r = { 0 };
	struct buf big = { 0 };
	struct server_end s;

	fill(&big, GRPC_MESSAGE_MAX);
	server_end_init(&s, 0);
	s.echoes = true;
	CHECK_INT(end_call(c, "/m", buf_view(&big), &r), 1);
	CHECK_INT(converse(c, s.s, 100000, 0, &e), 0);
	CHECK_INT(r.err.kind, ERR_NONE);
	CHECK(view_eq(buf_view(&r.body), buf_view(&big)));
	CHECK(h2_server_has_room(s.s));
	end_reply_fini(&r);
	buf_free(&big);
	h2_client_free(c);
	server_end_fini(&s);
}

TEST(a_larger_message_is_refused_before_it_is_sent)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r = { 0 };
	struct buf big = { 0 };
	struct server_end s;

	fill(&big, GRPC_MESSAGE_MAX + 1);
	server_end_init(&s, 0);
	CHECK_INT(end_call(c, "/m", buf_view(&big), &r), -1);
	CHECK_INT(end_call(c, "/m", VIEW(""), &r), 1);
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	h2_server_reply(s.s, 1, GRPC_OK, NULL, buf_view(&big));
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	CHECK_INT(r.err.kind, ERR_REMOTE);
	CHECK_STR(err_msg(&r.err),
		  "resource exhausted: reply of 4194305 bytes, but no more "
		  "than 4194304 can be sent");
	end_reply_fini(&r);
	buf_free(&big);
	h2_client_free(c);
	server_end_fini(&s);
}

TEST(a_reply_waits_for_the_window_of_the_peer)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct buf b = { 0 }, big = { 0 };
	struct h2_text t = { 0 };
	struct server_end s;

	server_end_init(&s, 0);
	s.echoes = true;
	fill(&big, 50000);
	b.len = 0;
	buf_put(&b, H2_PREFACE.p, H2_PREFACE.len);
	h2_put_settings(&b, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10);
	h2_put_request(&b, 1, "/m", buf_view(&big));
	CHECK_INT(h2_server_feed(s.s, b.p, b.len, 0, &e), 0);
	server_says(&s, &t, NULL);
	CHECK_INT(t.data_len, 10);

	b.len = 0;
	h2_put_window(&b, 1, 100);
	CHECK_INT(h2_server_feed(s.s, b.p, b.len, 0, &e), 0);
	server_says(&s, &t, NULL);
	CHECK_INT(t.data_len, 110);

	b.len = 0;
	h2_put_settings(&b, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20);
	CHECK_INT(h2_server_feed(s.s, b.p, b.len, 0, &e), 0);
	CHECK_STR(server_says(&s, &t, "headers settings"),
		  "settings ack\nheaders 1 grpc-status=0 grpc-message=, end\n");
	CHECK_INT(t.data_len, 50005);
	server_end_fini(&s);
	h2_text_fini(&t);
	buf_free(&b);
	buf_free(&big);
}

TEST(a_cancelled_call_is_cancelled_there_and_gets_no_reply)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r[2] = { 0 };
	struct server_end s;

	server_end_init(&s, 0);
	CHECK_INT(end_call(c, "/a", VIEW(""), &r[0]), 1);
	CHECK_INT(end_call(c, "/b", VIEW(""), &r[1]), 3);
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	h2_client_cancel(c, 1);
	h2_client_cancel(c, 4711);
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	CHECK(s.v[0].is_cancelled);
	CHECK(!s.v[1].is_cancelled);
	CHECK_INT(h2_server_pending(s.s), 1);
	for (size_t i = 0; i < s.n; i++)
		h2_server_reply(s.s, s.v[i].id, GRPC_OK, NULL, VIEW("x"));
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	CHECK_INT(r[0].times, 0);
	CHECK_INT(r[1].times, 1);
	CHECK_STR(buf_str(&r[1].body), "x");
	end_reply_fini(&r[1]);
	h2_client_free(c);
	server_end_fini(&s);
}

TEST(a_call_that_was_never_sent_can_be_cancelled)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r[2] = { 0 };
	struct server_end s;

	server_end_init(&s, 0);
	s.echoes = true;
	end_call(c, "/a", VIEW("a"), &r[0]);
	end_call(c, "/b", VIEW("b"), &r[1]);
	h2_client_cancel(c, 1);
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	CHECK_INT(r[0].times, 0);
	CHECK_STR(buf_str(&r[1].body), "b");
	CHECK_INT(s.n, 1);
	end_reply_fini(&r[1]);
	h2_client_free(c);
	server_end_fini(&s);
}

TEST(a_timeout_is_told)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r = { 0 };
	struct server_end s;

	server_end_init(&s, 0);
	CHECK_INT(h2_client_call(c,
				 &(struct h2_call){ .path = "/p",
						    .timeout_ms = 1234,
						    .reply = end_reply_take,
						    .arg = &r },
				 &e),
		  1);
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	CHECK_INT(s.v[0].timeout_ms, 1234);
	h2_client_free(c);
	server_end_fini(&s);
}

/* ---- keepalive ---- */

TEST(a_client_pings_after_ten_seconds_and_gives_up_after_ten_more)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(1000);
	struct h2_text t = { 0 };
	int64_t next;

	client_says(c, &t, NULL);
	CHECK_INT(h2_client_tick(c, 1000, &next, &e), 0);
	CHECK_INT(next, 11000);
	CHECK_INT(h2_client_tick(c, 10999, &next, &e), 0);
	CHECK_STR(client_says(c, &t, NULL), "");
	CHECK_INT(h2_client_tick(c, 11000, &next, &e), 0);
	CHECK_STR(client_says(c, &t, NULL), "ping 0000000000000000\n");
	CHECK_INT(next, 21000);
	CHECK_INT(h2_client_tick(c, 20999, &next, &e), 0);
	CHECK_STR(client_says(c, &t, NULL), "");
	CHECK_INT(h2_client_tick(c, 21000, &next, &e), -1);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	h2_client_free(c);
	h2_text_fini(&t);
}

TEST(a_server_pings_after_five_seconds_and_gives_up_after_ten_more)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_text t = { 0 };
	struct server_end s;
	int64_t next;

	server_end_init(&s, 0);
	server_says(&s, &t, NULL);
	CHECK_INT(h2_server_tick(s.s, 4999, &next, &e), 0);
	CHECK_STR(server_says(&s, &t, NULL), "");
	CHECK_INT(next, 5000);
	CHECK_INT(h2_server_tick(s.s, 5000, &next, &e), 0);
	CHECK_STR(server_says(&s, &t, NULL), "ping 0000000000000000\n");
	CHECK_INT(next, 15000);
	CHECK_INT(h2_server_tick(s.s, 14999, &next, &e), 0);
	CHECK_INT(h2_server_tick(s.s, 15000, &next, &e), -1);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	server_end_fini(&s);
	h2_text_fini(&t);
}

TEST(any_byte_is_a_sign_of_life)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	int64_t next;

	CHECK_INT(h2_client_tick(c, 10000, &next, &e), 0);
	CHECK_INT(h2_client_feed(c, "\0", 1, 19000, &e), 0);
	CHECK_INT(h2_client_tick(c, 19500, &next, &e), 0);
	CHECK_INT(next, 29000);
	h2_client_free(c);
}

TEST(an_idle_client_pings_no_faster_than_every_ten_seconds)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct server_end s;
	int64_t next, last = -10000;
	int pings = 0;

	/* The server of zrepl 0.7 does not ping when its client does, so neither here. */
	server_end_init(&s, 0);
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	for (int64_t now = 0; now < 120000; now += 100) {
		size_t before = h2_client_output(c).len;

		CHECK_INT(h2_client_tick(c, now, &next, &e), 0);
		if (h2_client_output(c).len > before) {
			CHECK(now - last >= 10000);
			last = now;
			pings++;
		}
		CHECK_INT(converse(c, s.s, SIZE_MAX, now, &e), 0);
	}
	CHECK_INT(pings, 11);
	h2_client_free(c);
	server_end_fini(&s);
}

/* ---- goodbye ---- */

TEST(a_client_says_goodbye_and_the_server_is_done)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct h2_text t = { 0 };
	struct server_end s;

	server_end_init(&s, 0);
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	CHECK(!h2_server_is_done(s.s));
	h2_client_goodbye(c);
	h2_text_feed(&t, h2_client_output(c));
	CHECK_STR(h2_text_take(&t, NULL), "goaway 0 NO_ERROR client is going away\n");
	CHECK_INT(to_server(c, s.s, SIZE_MAX, 0, &e), 37);
	CHECK(h2_server_is_done(s.s));
	h2_client_free(c);
	server_end_fini(&s);
	h2_text_fini(&t);
}

TEST(a_client_that_says_goodbye_early_still_gets_its_replies)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct buf b = { 0 };
	struct server_end s;

	server_end_init(&s, 0);
	h2_put_hello(&b);
	h2_put_request(&b, 1, "/m", VIEW(""));
	h2_put_goaway(&b, 0, NGHTTP2_NO_ERROR, VIEW(""));
	CHECK_INT(h2_server_feed(s.s, b.p, b.len, 0, &e), 0);
	CHECK(!h2_server_is_done(s.s));
	h2_server_reply(s.s, 1, GRPC_OK, NULL, VIEW(""));
	h2_server_output(s.s);
	CHECK(h2_server_is_done(s.s));
	server_end_fini(&s);
	buf_free(&b);
}

TEST(a_client_of_zrepl_07_leaves_and_takes_no_more_replies)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct buf b = { 0 };
	struct h2_text t = { 0 };
	struct server_end s;

	server_end_init(&s, 0);
	h2_put_hello(&b);
	h2_put_request(&b, 1, "/m", VIEW(""));
	CHECK_INT(h2_server_feed(s.s, b.p, b.len, 0, &e), 0);
	server_says(&s, &t, NULL);
	b.len = 0;
	h2_put_goaway(&b, INT32_MAX, NGHTTP2_NO_ERROR, VIEW("client transport shutdown"));
	CHECK_INT(h2_server_feed(s.s, b.p, b.len, 0, &e), 0);
	CHECK(h2_server_is_done(s.s));
	CHECK_STR(server_says(&s, &t, NULL), "");
	server_end_fini(&s);
	h2_text_fini(&t);
	buf_free(&b);
}

TEST(a_server_says_goodbye_and_answers_what_it_has)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r[2] = { 0 };
	struct server_end s;

	server_end_init(&s, 0);
	end_call(c, "/a", VIEW(""), &r[0]);
	CHECK_INT(converse(c, s.s, SIZE_MAX, 0, &e), 0);
	end_call(c, "/b", VIEW(""), &r[1]); /* still on its way */
	h2_server_goodbye(s.s);
	CHECK(to_client(s.s, c, SIZE_MAX, 0, &e) > 0);
	CHECK(!h2_client_is_usable(c));
	CHECK_INT(r[0].times, 0);
	h2_server_reply(s.s, 1, GRPC_OK, NULL, VIEW("x"));
	h2_client_output(c); /* where it finds that the second one cannot be sent */
	CHECK_INT(r[1].times, 1);
	CHECK_INT(r[1].err.kind, ERR_NETWORK);
	CHECK_INT(to_client(s.s, c, SIZE_MAX, 0, &e), -1);
	CHECK_INT(e.kind, ERR_NETWORK);
	CHECK_INT(r[0].times, 1);
	CHECK_STR(buf_str(&r[0].body), "x");
	CHECK_INT(end_call(c, "/c", VIEW(""), &r[0]), -1);
	end_reply_fini(&r[0]);
	end_reply_fini(&r[1]);
	h2_client_free(c);
	server_end_fini(&s);
}

TEST(the_two_step_goodbye_of_zrepl_07_loses_no_reply)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r[2] = { 0 };
	struct h2_text t = { 0 };
	struct buf b = { 0 };

	end_call(c, "/a", VIEW(""), &r[0]);
	end_call(c, "/b", VIEW(""), &r[1]);
	client_says(c, &t, NULL);
	h2_put(&b, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
	h2_put_goaway(&b, INT32_MAX, NGHTTP2_NO_ERROR, VIEW(""));
	h2_put_ping(&b, "\1\6\1\x8\0\3\3\x9");
	CHECK_INT(h2_client_feed(c, b.p, b.len, 0, &e), 0);
	CHECK_STR(client_says(c, &t, "ping"), "ping ack 0106010800030309\n");
	CHECK_INT(r[0].times, 0);

	b.len = 0;
	h2_put_goaway(&b, 1, NGHTTP2_NO_ERROR, VIEW(""));
	h2_put_headers(&b, 1, true,
		       (const char *[]){ ":status=200", "content-type=application/grpc",
					 "grpc-status=2", "grpc-message=late", NULL });
	CHECK_INT(h2_client_feed(c, b.p, b.len, 0, &e), -1);
	CHECK_INT(e.kind, ERR_NETWORK);
	CHECK_INT(r[0].err.kind, ERR_REMOTE);
	CHECK_STR(err_msg(&r[0].err), "late");
	CHECK_INT(r[1].err.kind, ERR_NETWORK);
	end_reply_fini(&r[0]);
	end_reply_fini(&r[1]);
	h2_client_free(c);
	h2_text_fini(&t);
	buf_free(&b);
}

TEST(a_goodbye_with_a_complaint_says_what_it_is)
{
	const struct {
		uint32_t code;
		struct view text;
		enum err_kind kind;
		const char *msg;
	} t[] = {
		{ NGHTTP2_ENHANCE_YOUR_CALM, VIEW("too_many_pings"), ERR_NETWORK,
		  "peer ends the connection: ENHANCE_YOUR_CALM: too_many_pings" },
		{ NGHTTP2_PROTOCOL_ERROR, VIEW("a\nb"), ERR_PROTOCOL,
		  "peer ends the connection: PROTOCOL_ERROR: a?b" },
		{ NGHTTP2_INTERNAL_ERROR, VIEW(""), ERR_NETWORK,
		  "peer ends the connection: INTERNAL_ERROR" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct h2_client *c = h2_client_new(0);
		struct end_reply r = { 0 };
		struct buf b = { 0 };

		end_call(c, "/a", VIEW(""), &r);
		h2_client_output(c);
		h2_put(&b, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
		h2_put_goaway(&b, 1, t[i].code, t[i].text);
		CHECK_INT(h2_client_feed(c, b.p, b.len, 0, &e), -1);
		CHECK_INT(e.kind, t[i].kind);
		CHECK_STR(err_msg(&e), t[i].msg);
		CHECK_INT(r.times, 0);
		h2_client_fail(c, &e);
		CHECK_INT(r.times, 1);
		CHECK_INT(r.err.kind, t[i].kind);
		end_reply_fini(&r);
		h2_client_free(c);
		buf_free(&b);
	}
}

TEST_MAIN()
