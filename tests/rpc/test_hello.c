#include "rpc/hello.h"

#include "base/thread.h"
#include "tap.h"

#include <unistd.h>

#define BANNER "0000000056 ZREPL_ZFS_REPLICATION PROTOVERSION=0007 EXTENSIONS=0000\n"
#define BODY   "ZREPL_ZFS_REPLICATION PROTOVERSION=0007 EXTENSIONS="

/* ---- the bytes ---- */

TEST(our_banner_is_that_of_zrepl_0_7)
{
	cleanup(buf_free) struct buf out = { 0 };

	hello_put_banner(&out);
	CHECK_STR(buf_str(&out), BANNER);
	CHECK_INT(out.len, 67);
}

TEST(labels_are_64_bytes_padded_with_nul)
{
	static const char *const names[] = { "zrepl_control", "zrepl_data" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(buf_free) struct buf out = { 0 };
		char want[HELLO_LABEL_LEN] = { 0 };
		enum hello_label back = HELLO_CONTROL;

		memcpy(want, names[i], strlen(names[i]));
		hello_put_label(&out, (enum hello_label)i);
		REQUIRE(out.len == sizeof(want));
		CHECK(memcmp(out.p, want, sizeof(want)) == 0);
		CHECK_INT(hello_parse_label(out.p, &back, &e), 0);
		CHECK_INT(back, i);
	}
}

TEST(a_label_that_differs_in_any_byte_is_refused)
{
	cleanup(buf_free) struct buf label = { 0 };

	hello_put_label(&label, HELLO_DATA);
	for (size_t i = 0; i < HELLO_LABEL_LEN; i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		enum hello_label out = HELLO_CONTROL;

		label.p[i] ^= 1;
		CHECK_INT(hello_parse_label(label.p, &out, &e), -1);
		CHECK_INT(e.kind, ERR_PROTOCOL);
		label.p[i] ^= 1;
	}
}

TEST(a_head_is_ten_digits_and_a_blank)
{
	static const struct {
		const char *head;
		long len; /* -1: refused */
	} cases[] = {
		{ "0000000056 ", 56 },    { "0000000000 ", 0 },
		{ "0000065536 ", 65536 }, /* the limit does not count the head */
		{ "0000065537 ", -1 },    { "9999999999 ", -1 },
		{ "        56 ", -1 },    { "+000000056 ", -1 },
		{ "-000000056 ", -1 },    { "000000005a ", -1 },
		{ "0000000056Z", -1 },    { "0000000056\n", -1 },
		{ "00000000560", -1 },    { "\0\0\0\0\0\0\0\0\0\0 ", -1 },
		{ "SSH-2.0-Ope", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		size_t len = 4711;

		CHECK_INT(hello_parse_head(cases[i].head, &len, &e),
			  cases[i].len < 0 ? -1 : 0);
		CHECK_INT(len, cases[i].len < 0 ? 4711 : cases[i].len);
		CHECK_INT(e.kind, cases[i].len < 0 ? ERR_PROTOCOL : ERR_NONE);
	}
}

TEST(who_sends_something_else_is_shown)
{
	static const struct {
		const char *head, *msg;
	} cases[] = {
		{ "SSH-2.0-Ope",
		  "what the peer begins with is no banner of zrepl: \"SSH-2.0-Ope\"" },
		{ "HTTP/1.1\r\n\xff",
		  "what the peer begins with is no banner of zrepl: \"HTTP/1.1...\"" },
		{ "\x16\3\1\2\0\1\0\1\xfc\3\3",
		  "the peer speaks TLS: one side is configured as tls, the other one is "
		  "not" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		size_t len;

		CHECK(hello_parse_head(cases[i].head, &len, &e) < 0);
		CHECK_STR(err_msg(&e), cases[i].msg);
	}
}

TEST(a_body_is_exactly_what_it_should_be)
{
	static const struct {
		const char *body;
		bool ok;
	} cases[] = {
		{ BODY "0000\n", true },
		{ BODY "0002\na\nbc d\n", true },
		{ BODY "0001\n\n", true },
		{ BODY "0001\ncaf\xc3\xa9\n", true },
		{ "", false },
		{ BODY, false },
		{ BODY "0000", false }, /* no end of line */
		{ BODY "0000\r\n", false },
		{ BODY "0000\n\n", false }, /* and more */
		{ BODY "0000\nx", false },
		{ BODY "0\n", false },
		{ BODY "00000\n", false },
		{ BODY "-001\na\n", false },
		{ BODY "0001\n", false },
		{ BODY "0001\na", false },
		{ BODY "0001\na\nb\n", false },
		{ BODY "0002\na\n", false },
		{ BODY "0002\na\nb", false },
		{ BODY "0002\na\nb\nc", false },
		{ "ZREPL_ZFS_REPLICATION PROTOVERSION=7 EXTENSIONS=0000\n", false },
		{ "ZREPL_ZFS_REPLICATION PROTOVERSION=00007 EXTENSIONS=0000\n", false },
		{ "ZREPL_ZFS_REPLICATION PROTOVERSION=0000 EXTENSIONS=0000\n", false },
		{ "ZREPL_ZFS_REPLICATION PROTOVERSION=-007 EXTENSIONS=0000\n", false },
		{ "ZREPL_ZFS_REPLICATION PROTOVERSION=0007  EXTENSIONS=0000\n", false },
		{ "zrepl_zfs_replication PROTOVERSION=0007 EXTENSIONS=0000\n", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;

		if (!CHECK_INT(hello_parse_body(view_of(cases[i].body), &e),
			       cases[i].ok ? 0 : -1))
			printf("# case %zu\n", i);
		CHECK_INT(e.kind, cases[i].ok ? ERR_NONE : ERR_PROTOCOL);
	}
}

TEST(a_body_that_is_cut_anywhere_is_refused)
{
	static const char body[] = BODY "0002\na\nbc d\n";

	for (size_t n = 0; n < sizeof(body) - 1; n++) {
		cleanup(err_clear) struct err e = ERR_INIT;

		CHECK_INT(hello_parse_body((struct view){ body, n }, &e), -1);
	}
}

TEST(another_version_is_named_whether_older_or_newer)
{
	static const int versions[] = { 6, 8, 5, 9999 };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(buf_free) struct buf body = { 0 };
		cleanup(str_freep) char *want =
			xasprintf("the peer speaks version %d of the protocol, we "
				  "speak 7",
				  versions[i]);

		buf_printf(&body,
			   "ZREPL_ZFS_REPLICATION PROTOVERSION=%04d EXTENSIONS=0000\n",
			   versions[i]);
		CHECK_INT(hello_parse_body(buf_view(&body), &e), -1);
		CHECK_INT(e.kind, ERR_PROTOCOL);
		CHECK_STR(err_msg(&e), want);
	}
}

/* ---- on a connection ---- */

struct side {
	struct thread thread;
	struct ctx *ctx;
	struct conn *c;
	struct env env;
	bool is_dialler;
	enum hello_label label;
	int result;
	struct err err;
};

static void run_side(void *arg)
{
	struct side *s = arg;

	s->result = s->is_dialler
			    ? hello_dial(s->ctx, s->c, s->label, &s->env, &s->err)
			    : hello_accept(s->ctx, s->c, &s->env, &s->label, &s->err);
}

static struct side start_side(struct ctx *ctx, struct conn *c, bool is_dialler)
{
	return (struct side){
		.ctx = ctx,
		.c = c,
		.env = env_defaults(),
		.is_dialler = is_dialler,
		.label = is_dialler ? HELLO_DATA : HELLO_CONTROL,
		.result = 4711,
	};
}

TEST(two_of_us_agree_and_leave_the_bytes_after_it_alone)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(conn_closep) struct conn *a = NULL;
	cleanup(conn_closep) struct conn *b = NULL;
	struct side dial, accept;
	char next[5] = "";

	REQUIRE(conn_pair(&a, &b, &e) == 0);
	dial = start_side(ctx, a, true);
	accept = start_side(ctx, b, false);
	thread_start(&dial.thread, "dial", run_side, &dial);
	thread_start(&accept.thread, "accept", run_side, &accept);
	thread_join(&dial.thread);
	thread_join(&accept.thread);
	CHECK_INT(dial.result, 0);
	CHECK_INT(accept.result, 0);
	CHECK_INT(accept.label, HELLO_DATA);
	REQUIRE(conn_write_all(ctx, a, "next", 4, &e) == 0);
	REQUIRE(conn_read_all(ctx, b, next, 4, &e) == 0);
	CHECK_STR(next, "next");
}

/* A hand-written peer: sends `says` in two pieces, then ends; what came is in `heard`. */
static int talk(bool is_dialler, struct view says, size_t cut, struct buf *heard,
		struct err *err)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(conn_closep) struct conn *us = NULL;
	cleanup(conn_closep) struct conn *peer = NULL;
	char chunk[256];
	struct side s;
	size_t got;

	if (!CHECK(conn_pair(&us, &peer, &e) == 0))
		return -1;
	s = start_side(ctx, us, is_dialler);
	/* all of it is there before we start, or the first piece of it */
	if (cut > 0 && !CHECK(conn_write_all(ctx, peer, says.p, cut, &e) == 0))
		return -1;
	thread_start(&s.thread, "hello", run_side, &s);
	/* our banner is a proof that it runs, and waits */
	CHECK(conn_read_all(ctx, peer, chunk, 67, &e) == 0);
	buf_put(heard, chunk, 67);
	if (cut < says.len &&
	    conn_write_all(ctx, peer, says.p + cut, says.len - cut, &e) < 0)
		err_clear(&e); /* it has given up already */
	if (conn_finish(peer, &e) != CONN_OK)
		err_clear(&e);
	thread_join(&s.thread);
	while (conn_read(peer, chunk, sizeof(chunk), &got, &e) == CONN_OK)
		buf_put(heard, chunk, got);
	err_move(err, &s.err);
	CHECK(s.result != 0 || is_dialler || s.label == HELLO_DATA);
	return s.result;
}

static struct view passive_says(struct buf *out)
{
	hello_put_banner(out);
	return buf_view(out);
}

static struct view active_says(struct buf *out)
{
	hello_put_banner(out);
	hello_put_label(out, HELLO_DATA);
	return buf_view(out);
}

TEST(a_dialler_takes_a_banner_in_any_two_pieces)
{
	cleanup(buf_free) struct buf says = { 0 };
	cleanup(buf_free) struct buf want = { 0 };
	struct view v = passive_says(&says);

	active_says(&want);
	for (size_t cut = 0; cut <= v.len; cut++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(buf_free) struct buf heard = { 0 };

		CHECK_INT(talk(true, v, cut, &heard, &e), 0);
		CHECK(view_eq(buf_view(&heard), buf_view(&want)));
	}
}

TEST(an_acceptor_takes_banner_and_label_in_any_two_pieces)
{
	cleanup(buf_free) struct buf says = { 0 };
	struct view v = active_says(&says);

	for (size_t cut = 0; cut <= v.len; cut++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(buf_free) struct buf heard = { 0 };

		CHECK_INT(talk(false, v, cut, &heard, &e), 0);
		CHECK_STR(buf_str(&heard), BANNER);
	}
}

TEST(a_peer_that_leaves_early_is_a_lost_connection)
{
	cleanup(buf_free) struct buf says = { 0 };
	struct view v = active_says(&says);

	for (size_t n = 0; n < v.len; n++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(buf_free) struct buf heard = { 0 };

		CHECK_INT(talk(false, (struct view){ v.p, n }, n, &heard, &e), -1);
		CHECK_INT(e.kind, ERR_NETWORK);
		CHECK_STR(buf_str(&heard), BANNER); /* and not a word more */
	}
}

TEST(extensions_are_read_and_ignored)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf heard = { 0 };
	cleanup(buf_free) struct buf says = { 0 };

	buf_printf(&says, "0000000063 " BODY "0002\na\nbc d\n");
	CHECK_INT(says.len, 74);
	hello_put_label(&says, HELLO_DATA);
	CHECK_INT(talk(false, buf_view(&says), 0, &heard, &e), 0);
}

TEST(a_peer_of_another_version_hears_our_banner_and_nothing_else)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf heard = { 0 };

	CHECK_INT(talk(false,
		       VIEW("0000000056 ZREPL_ZFS_REPLICATION PROTOVERSION=0006 "
			    "EXTENSIONS=0000\n"),
		       0, &heard, &e),
		  -1);
	CHECK_INT(e.kind, ERR_PROTOCOL);
	CHECK_STR(err_msg(&e), "version handshake: the peer speaks version 6 of the "
			       "protocol, we speak 7");
	CHECK_STR(buf_str(&heard), BANNER);
}

TEST(a_peer_that_speaks_something_else_is_refused_after_eleven_bytes)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf heard = { 0 };

	CHECK_INT(talk(true, VIEW("HTTP/1.1 40"), 11, &heard, &e), -1);
	CHECK_STR(err_msg(&e), "version handshake: what the peer begins with is no "
			       "banner of zrepl: \"HTTP/1.1 40\"");
}

static void check_times_out(bool is_dialler, struct view says, struct env env)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(conn_closep) struct conn *us = NULL;
	cleanup(conn_closep) struct conn *peer = NULL;
	struct side s;

	REQUIRE(conn_pair(&us, &peer, &e) == 0);
	if (says.len > 0)
		REQUIRE(conn_write_all(ctx, peer, says.p, says.len, &e) == 0);
	s = start_side(ctx, us, is_dialler);
	s.env = env;
	run_side(&s);
	CHECK_INT(s.result, -1);
	CHECK_INT(s.err.kind, ERR_TIMEOUT);
	err_clear(&s.err);
}

TEST(a_peer_that_says_nothing_is_not_waited_for_for_ever)
{
	struct env env = env_defaults();

	env.rpc_client_handshake_ms = 1;
	check_times_out(true, (struct view){ 0 }, env);
	env = env_defaults();
	env.rpc_server_handshake_ms = 1;
	check_times_out(false, VIEW("00000"), env);
	env = env_defaults();
	env.rpc_label_ms = 1;
	check_times_out(false, VIEW(BANNER "zrepl_da"), env);
}

TEST(whoever_is_cancelled_stops_shaking_hands)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(ctx_freep) struct ctx *calm = ctx_new(NULL);
	cleanup(conn_closep) struct conn *us = NULL;
	cleanup(conn_closep) struct conn *peer = NULL;
	char banner[67];
	struct side s;

	REQUIRE(conn_pair(&us, &peer, &e) == 0);
	s = start_side(ctx, us, false);
	thread_start(&s.thread, "hello", run_side, &s);
	REQUIRE(conn_read_all(calm, peer, banner, sizeof(banner), &e) == 0);
	ctx_cancel(ctx);
	thread_join(&s.thread);
	CHECK_INT(s.result, -1);
	CHECK_INT(s.err.kind, ERR_CANCELLED);
	err_clear(&s.err);
}

TEST_MAIN()
