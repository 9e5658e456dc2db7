/*
 * Peers that mean harm.  Each flood is fed piece by piece, as a connection would, as long
 * as the server takes it; what is measured is how far it comes.
 */
#include "h2_ends.h"
#include "h2_text.h"
#include "tap.h"

#include <malloc.h>

#define REQUEST \
	":method=POST", ":scheme=http", ":path=/m", "content-type=application/grpc"
#define FIELDS(...) ((const char *[]){ __VA_ARGS__, NULL })

struct flood {
	struct server_end s;
	bool reads; /* what we send */
	bool acks;  /* and our pings */
	int64_t now;
	struct err err; /* how it ended */
	size_t n;       /* pieces taken */
	size_t most;    /* bytes that waited for it to read them */
	struct h2_text text;
};

typedef void piece_fn(struct buf *out, uint32_t i);

static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void read_all(struct flood *f)
{
	for (struct view v; (v = h2_server_output(f->s.s)).len > 0;) {
		if (v.len > f->most)
			f->most = v.len;
		if (!f->reads)
			return;
		h2_text_feed(&f->text, v);
		h2_server_sent(f->s.s, v.len);
	}
}

/* false: over, or choked. */
static bool feed(struct flood *f, struct view v)
{
	if (h2_server_is_choked(f->s.s)) {
		err_set(&f->err, ERR_BUSY, "choked");
		return false;
	}
	if (h2_server_feed(f->s.s, v.p, v.len, f->now, &f->err) < 0)
		return false;
	read_all(f);
	return true;
}

/* Until it is stopped; at most max times. */
static void flood_run(struct flood *f, piece_fn *piece, uint32_t max)
{
	struct buf b = { 0 };

	server_end_init(&f->s, 0);
	h2_put_hello(&b);
	h2_put(&b, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, VIEW(""));
	CHECK(feed(f, buf_view(&b)));
	for (uint32_t i = 0; i < max; i++) {
		b.len = 0;
		piece(&b, i);
		if (!feed(f, buf_view(&b)))
			break;
		f->n++;
	}
	f->reads = true;
	read_all(f);
	buf_free(&b);
}

static void flood_fini(struct flood *f)
{
	server_end_fini(&f->s);
	err_clear(&f->err);
	h2_text_fini(&f->text);
}

/* It ends within `most` pieces, with a GOAWAY that says so. */
static void check_calmed(piece_fn *piece, size_t most, bool reads)
{
	struct flood f = { .reads = reads };

	flood_run(&f, piece, 1000000);
	CHECK(f.n <= most);
	CHECK_INT(f.err.kind, ERR_PROTOCOL);
	CHECK(strstr(h2_text_take(&f.text, "goaway"), " ENHANCE_YOUR_CALM "));
	CHECK(f.most < 100000);
	flood_fini(&f);
}

/* ---- floods ---- */

static void rapid_reset(struct buf *b, uint32_t i)
{
	h2_put_request(b, 2 * i + 1, "/m", VIEW(""));
	h2_put_reset(b, 2 * i + 1, NGHTTP2_CANCEL);
}

TEST(opening_and_resetting_requests_is_stopped)
{
	check_calmed(rapid_reset, 300, true);
}

static void reset_by_error(struct buf *b, uint32_t i)
{
	/* It makes us do the reset: a window that cannot be. */
	h2_put_request(b, 2 * i + 1, "/m", VIEW(""));
	h2_put_window(b, 2 * i + 1, 0x7fffffff);
}

TEST(making_us_reset_requests_is_stopped)
{
	struct flood f = { .reads = true };

	flood_run(&f, reset_by_error, 1000000);
	CHECK(f.n < 3000);
	CHECK_INT(f.err.kind, ERR_PROTOCOL);
	flood_fini(&f);
}

static void pings(struct buf *b, uint32_t i)
{
	(void)i;
	h2_put_ping(b, "12345678");
}

static void settings(struct buf *b, uint32_t i)
{
	(void)i;
	h2_put(b, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
}

static void priorities(struct buf *b, uint32_t i)
{
	h2_put(b, NGHTTP2_PRIORITY, 0, 2 * i + 1, VIEW("\0\0\0\0\1"));
}

static void unknown_frames(struct buf *b, uint32_t i)
{
	(void)i;
	h2_put(b, 0xbe, 0, 0, VIEW("x"));
}

static void acks(struct buf *b, uint32_t i)
{
	(void)i;
	h2_put(b, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, VIEW("12345678"));
}

static void windows(struct buf *b, uint32_t i)
{
	(void)i;
	h2_put_window(b, 0, 1);
}

TEST(frames_that_carry_no_request_are_stopped_read_or_not)
{
	for (int reads = 0; reads < 2; reads++) {
		check_calmed(pings, 1000, reads);
		check_calmed(settings, 250, reads);
		check_calmed(priorities, 1000, reads);
		check_calmed(unknown_frames, 1000, reads);
		check_calmed(acks, 4000, reads);
		check_calmed(windows, 4000, reads);
	}
}

static void empty_data(struct buf *b, uint32_t i)
{
	if (i == 0)
		h2_put_headers(b, 1, false, FIELDS(REQUEST));
	h2_put(b, NGHTTP2_DATA, 0, 1, VIEW(""));
}

static void tiny_data(struct buf *b, uint32_t i)
{
	if (i == 0) {
		h2_put_headers(b, 1, false, FIELDS(REQUEST));
		h2_put(b, NGHTTP2_DATA, 0, 1, VIEW("\0\0\x40\0\0"));
	}
	h2_put(b, NGHTTP2_DATA, 0, 1, VIEW("x"));
}

TEST(data_in_crumbs_is_stopped)
{
	check_calmed(empty_data, 4000, true);
	check_calmed(tiny_data, 4000, true);
}

/* ---- headers ---- */

static void put_block(struct buf *b, unsigned type, unsigned flags, size_t field_len)
{
	struct buf block = { 0 }, value = { 0 };

	memset(buf_reserve(&value, field_len), 'v', field_len);
	buf_added(&value, field_len);
	h2_put_field(&block, "x", buf_view(&value));
	h2_put(b, type, flags, 1, buf_view(&block));
	buf_free(&block);
	buf_free(&value);
}

static void endless_headers(struct buf *b, uint32_t i)
{
	put_block(b, i == 0 ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION, 0, 1000);
}

static void empty_continuations(struct buf *b, uint32_t i)
{
	if (i == 0)
		put_block(b, NGHTTP2_HEADERS, 0, 10);
	h2_put(b, NGHTTP2_CONTINUATION, 0, 1, VIEW(""));
}

TEST(headers_without_end_are_stopped)
{
	struct flood f = { .reads = true };

	flood_run(&f, endless_headers, 1000000);
	CHECK(f.n <= 17);
	CHECK_INT(f.err.kind, ERR_PROTOCOL);
	flood_fini(&f);

	f = (struct flood){ .reads = true };
	flood_run(&f, empty_continuations, 1000000);
	CHECK(f.n <= 250);
	CHECK_INT(f.err.kind, ERR_PROTOCOL);
	flood_fini(&f);
}

static void large_headers(struct buf *b, uint32_t i)
{
	struct buf block = { 0 }, value = { 0 };

	(void)i;
	memset(buf_reserve(&value, 15000), 'v', 15000);
	buf_added(&value, 15000);
	h2_put_field(&block, "x", buf_view(&value));
	h2_put_field(&block, "y", VIEW("1"));
	buf_free(&value);
	memset(buf_reserve(&value, 1300), 'v', 1300);
	buf_added(&value, 1300);
	h2_put_field(&block, "z", buf_view(&value));
	h2_put(b, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, buf_view(&block));
	buf_free(&block);
	buf_free(&value);
}

TEST(a_header_larger_than_sixteen_kib_is_the_end)
{
	struct flood f = { .reads = true };

	flood_run(&f, large_headers, 1);
	CHECK_INT(f.n, 0);
	CHECK_STR(err_msg(&f.err), "peer sends a request with too large a header");
	CHECK(strstr(h2_text_take(&f.text, "goaway"), "ENHANCE_YOUR_CALM"));
	flood_fini(&f);
}

/* One byte refers to a field of almost 4 KiB in the table of the decoder. */
static void header_bomb(struct buf *b, uint32_t i)
{
	struct buf block = { 0 };

	(void)i;
	buf_put(&block, "\x40\1x\x7f\x81\x1e", 6); /* incremental; 127 + 1 + 30 * 128 */
	memset(buf_reserve(&block, 3968), 'v', 3968);
	buf_added(&block, 3968);
	memset(buf_reserve(&block, 12000), 0xbe, 12000); /* index 62, again and again */
	buf_added(&block, 12000);
	h2_put(b, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, buf_view(&block));
	buf_free(&block);
}

TEST(a_header_that_unfolds_to_megabytes_is_stopped_on_the_way)
{
	struct flood f = { .reads = true };

	flood_run(&f, header_bomb, 1);
	CHECK_INT(f.n, 0);
	CHECK_STR(err_msg(&f.err), "peer sends a request with too large a header");
	flood_fini(&f);
}

/* ---- bodies ---- */

static char chunk[16384];

/* 128 requests, each of almost 4 MiB, of which none ends. */
static void many_bodies(struct buf *b, uint32_t i)
{
	uint32_t id = 2 * (i % H2_REQUESTS_MAX) + 1;

	if (i < H2_REQUESTS_MAX) {
		h2_put_headers(b, id, false, FIELDS(REQUEST));
		h2_put(b, NGHTTP2_DATA, 0, id, VIEW("\0\0\x3f\xff\xff"));
	}
	h2_put(b, NGHTTP2_DATA, 0, id, (struct view){ chunk, sizeof(chunk) });
}

TEST(bodies_of_many_requests_stay_within_their_bound)
{
	struct flood f = { .reads = true };
	size_t before = in_use();

	flood_run(&f, many_bodies, 128 * 256);
	CHECK(in_use() - before < 3 * (size_t)H2_REQUEST_BYTES_MAX);
	CHECK(strstr(h2_text_take(&f.text, "headers"),
		     "grpc-status=8 grpc-message=requests are too large together"));
	CHECK_INT(f.s.n, 0);
	flood_fini(&f);
}

/* Slowly enough for the windows. */
static void feed_in_slices(struct flood *f, struct view v)
{
	for (size_t n; v.len > 0; v.p += n, v.len -= n) {
		n = v.len < sizeof(chunk) ? v.len : sizeof(chunk);
		REQUIRE(feed(f, (struct view){ v.p, n }));
	}
}

TEST(requests_that_nobody_answers_count_until_they_are_answered)
{
	struct flood f = { .reads = true };
	struct buf b = { 0 }, big = { 0 };

	memset(buf_reserve(&big, 3000000), 'x', 3000000);
	buf_added(&big, 3000000);
	server_end_init(&f.s, 0);
	h2_put_hello(&b);
	for (uint32_t i = 0; i < 3; i++)
		h2_put_request(&b, 2 * i + 1, "/m", buf_view(&big));
	feed_in_slices(&f, buf_view(&b));
	CHECK_INT(f.s.n, 2);
	CHECK(strstr(h2_text_take(&f.text, "headers"),
		     "requests are too large together"));

	REQUIRE(f.s.n > 0);
	h2_server_reply(f.s.s, f.s.v[0].id, GRPC_OK, NULL, VIEW(""));
	b.len = 0;
	h2_put_request(&b, 7, "/m", buf_view(&big));
	feed_in_slices(&f, buf_view(&b));
	CHECK_INT(f.s.n, 3);
	buf_free(&b);
	buf_free(&big);
	flood_fini(&f);
}

TEST(more_requests_than_allowed_do_not_get_in)
{
	struct flood f = { .reads = true };
	struct buf b = { 0 };

	server_end_init(&f.s, 0);
	h2_put_hello(&b);
	h2_put(&b, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, VIEW(""));
	for (uint32_t i = 0; i < 1000; i++)
		h2_put_request(&b, 2 * i + 1, "/m", VIEW(""));
	read_all(&f);
	CHECK(!feed(&f, buf_view(&b)));
	CHECK_INT(f.s.n, H2_REQUESTS_MAX);
	buf_free(&b);
	flood_fini(&f);
}

/* ---- windows ---- */

TEST(a_window_that_overflows_is_an_error)
{
	static const struct {
		uint32_t id;
		const char *want;
	} t[] = {
		{ 0, "goaway 1 FLOW_CONTROL_ERROR \n" },
		{ 1, "reset 1 FLOW_CONTROL_ERROR\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct h2_text text = { 0 };
		struct buf b = { 0 };
		struct server_end s;

		server_end_init(&s, 0);
		h2_put_hello(&b);
		h2_put_request(&b, 1, "/m", VIEW(""));
		h2_put_window(&b, t[i].id, 0x7fffffff);
		CHECK_INT(h2_server_feed(s.s, b.p, b.len, 0, &e), t[i].id ? 0 : -1);
		h2_text_feed(&text, h2_server_output(s.s));
		CHECK_STR(h2_text_take(&text, "goaway reset"), t[i].want);
		CHECK(s.v[0].is_cancelled == (t[i].id == 1));
		server_end_fini(&s);
		h2_text_fini(&text);
		buf_free(&b);
	}
}

/* ---- those who do not read ---- */

TEST(a_peer_that_reads_nothing_and_says_nothing_is_dead_after_fifteen_seconds)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct buf b = { 0 };
	struct server_end s;
	int64_t now = 0, next = 0;

	server_end_init(&s, 0);
	s.echoes = true;
	h2_put_hello(&b);
	h2_put_request(&b, 1, "/m", VIEW("x"));
	CHECK_INT(h2_server_feed(s.s, b.p, b.len, 0, &e), 0);
	while (h2_server_tick(s.s, now, &next, &e) == 0)
		now = next;
	CHECK_INT(now, 15000);
	CHECK_INT(e.kind, ERR_TIMEOUT);
	server_end_fini(&s);
	buf_free(&b);
}

TEST(a_peer_that_asks_but_takes_no_replies_is_ended_with_bounded_memory)
{
	struct flood f = { 0 };
	struct buf b = { 0 }, big = { 0 };
	size_t before = in_use(), replies = 0;
	int64_t next;

	memset(buf_reserve(&big, GRPC_MESSAGE_MAX), 'x', GRPC_MESSAGE_MAX);
	buf_added(&big, GRPC_MESSAGE_MAX);
	server_end_init(&f.s, 0);
	f.reads = true; /* but its window stays shut */
	h2_put_hello(&b);
	h2_put_settings(&b, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
	for (uint32_t i = 0; i < 100; i++)
		h2_put_request(&b, 2 * i + 1, "/m", VIEW(""));
	CHECK(feed(&f, buf_view(&b)));
	while (h2_server_has_room(f.s.s) && replies < f.s.n)
		h2_server_reply(f.s.s, f.s.v[replies++].id, GRPC_OK, NULL,
				buf_view(&big));
	CHECK_INT(replies, H2_REPLY_BYTES_MAX / GRPC_MESSAGE_MAX);
	CHECK(in_use() - before < 3 * (size_t)H2_REPLY_BYTES_MAX);

	/* It is alive: it acknowledges every ping, and asks for one now and then. */
	for (f.now = 1000; f.now < 100000; f.now += 1000) {
		read_all(&f);
		b.len = 0;
		h2_put_ping(&b, "12345678");
		if (!feed(&f, buf_view(&b)))
			break;
		if (h2_server_tick(f.s.s, f.now, &next, &f.err) < 0)
			break;
	}
	CHECK_INT(f.now, 61000);
	CHECK_INT(f.err.kind, ERR_TIMEOUT);
	CHECK_STR(err_msg(&f.err), "peer does not take its replies");
	read_all(&f);
	CHECK(strstr(h2_text_take(&f.text, "goaway"), "ENHANCE_YOUR_CALM"));
	buf_free(&b);
	buf_free(&big);
	flood_fini(&f);
}

TEST(a_peer_that_takes_its_replies_slowly_is_not_ended)
{
	struct flood f = { .reads = true };
	struct buf b = { 0 }, big = { 0 };
	int64_t next;

	memset(buf_reserve(&big, 10000), 'x', 10000);
	buf_added(&big, 10000);
	server_end_init(&f.s, 0);
	f.s.echoes = true;
	h2_put_hello(&b);
	h2_put_settings(&b, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
	h2_put_request(&b, 1, "/m", buf_view(&big));
	CHECK(feed(&f, buf_view(&b)));
	for (f.now = 4000; f.now < 400000; f.now += 4000) {
		b.len = 0;
		h2_put_window(&b, 1, f.now % 48000 == 0 ? 1 : 0);
		if (f.now % 48000 == 0)
			REQUIRE(feed(&f, buf_view(&b)));
		b.len = 0;
		h2_put(&b, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, VIEW("12345678"));
		REQUIRE(feed(&f, buf_view(&b)));
		REQUIRE(h2_server_tick(f.s.s, f.now, &next, &f.err) == 0);
	}
	CHECK_INT(f.text.data_len, 8);
	buf_free(&b);
	buf_free(&big);
	flood_fini(&f);
}

TEST(a_client_bears_a_hostile_server_within_bounds)
{
	static piece_fn *const floods[] = { pings,          settings, priorities,
					    unknown_frames, acks,     windows };

	for (size_t k = 0; k < ARRAY_LEN(floods); k++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct h2_client *c = h2_client_new(0);
		struct buf b = { 0 };
		uint32_t i = 0;

		h2_put(&b, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
		while (i < 100000 && !h2_client_is_choked(c) &&
		       h2_client_feed(c, b.p, b.len, 0, &e) == 0) {
			h2_client_output(c); /* and nobody takes it */
			b.len = 0;
			floods[k](&b, i++);
		}
		CHECK(i <= 4000);
		CHECK(h2_client_output(c).len < 100000);
		h2_client_free(c);
		buf_free(&b);
	}
}

TEST(a_reply_header_without_end_is_stopped)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r = { 0 };
	struct buf b = { 0 };
	uint32_t i = 0;

	end_call(c, "/m", VIEW(""), &r);
	h2_client_output(c);
	h2_put(&b, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
	while (i < 1000 && h2_client_feed(c, b.p, b.len, 0, &e) == 0) {
		b.len = 0;
		endless_headers(&b, i++);
	}
	CHECK(i < 120);
	CHECK_INT(e.kind, ERR_PROTOCOL);
	h2_client_free(c);
	buf_free(&b);
}

TEST(a_push_is_refused)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r = { 0 };
	struct buf b = { 0 };

	end_call(c, "/m", VIEW(""), &r);
	h2_client_output(c);
	h2_put(&b, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
	h2_put(&b, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, VIEW(""));
	h2_put(&b, NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, 1,
	       VIEW("\0\0\0\2\x82\x86\x84"));
	CHECK_INT(h2_client_feed(c, b.p, b.len, 0, &e), -1);
	CHECK_INT(e.kind, ERR_PROTOCOL);
	h2_client_free(c);
	buf_free(&b);
}

TEST(what_is_no_http2_is_told_so)
{
	const struct view t[] = {
		VIEW("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		VIEW("PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n"),
		VIEW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct server_end s;

		server_end_init(&s, 0);
		CHECK_INT(h2_server_feed(s.s, t[i].p, t[i].len, 0, &e), -1);
		CHECK_INT(e.kind, ERR_PROTOCOL);
		server_end_fini(&s);
	}
}

TEST_MAIN()
