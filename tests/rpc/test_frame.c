#include "rpc/frame.h"

#include "codec/utf8.h"
#include "frame_drive.h"
#include "tap.h"

/* Bytes of hexadecimal digits; blanks are skipped. */
static void put_hex(struct buf *out, const char *hex)
{
	static const char digits[] = "0123456789abcdef";

	while (*hex) {
		const char *high = strchr(digits, hex[0]);
		const char *low = high ? strchr(digits, hex[1]) : NULL;

		if (high && low)
			buf_put(out,
				&(char){ (char)((high - digits) << 4 | (low - digits)) },
				1);
		hex += high ? 2 : 1;
	}
}

#define HEARTBEAT    "01000000 00000000"
#define RST          "10000000 00000000"
#define END          "00020000 00000000"
#define OK_HEAD      "00000003 0000000b 48414e444c4552204f4b0a" END
#define SEND_HEAD    "00000001 00000008 2f76312f73656e64" END
#define RECV_HEAD    "00000001 00000008 2f76312f72656376" END
#define PING_HEAD    "00000001 00000008 2f76312f70696e67" END
#define HELLO_STREAM "00000005 00000011 68656c6c6f2c207a66732073747265616d" END
#define SEND_REQUEST                                            \
	"00000002 0000003c 0a0974616e6b2f64617461 1a2712027331" \
	"1888ef99abc5e88c9111 20ac02 2a14323032362d31312d3232"  \
	"5430353a35313a30395a 3206 0a04 0801 1001" END
#define RECV_REQUEST                                            \
	"00000002 0000003e 0a0974616e6b2f64617461 122712027331" \
	"1888ef99abc5e88c9111 20ac02 2a14323032362d31312d3232"  \
	"5430353a35313a30395a 1801 2206 0a0408011001" END

/* What peers of zrepl 0.7 have sent, and what it means. */
static const struct {
	const char *hex, *plan, *transcript;
} vectors[] = {
	{ HEARTBEAT, "1", "heartbeat\n" },
	{ RST, "1", "rst\n" },
	{ END, "4", "message 4 0 #811c9dc5\n" },
	{ END, "s", "stream 0 #00000000\nend\n" },
	{ SEND_HEAD, "1", "message 1 8 /v1/send\n" },
	{ RECV_HEAD, "1", "message 1 8 /v1/recv\n" },
	{ PING_HEAD, "1", "message 1 8 /v1/ping\n" },
	{ "00000002 00000004 0a026869" END, "2", "message 2 4 #92f74122\n" },
	{ OK_HEAD, "3", "message 3 11 #4b9a0423\n" },
	{ "00000004 00000004 0a026869" END, "4", "message 4 4 #92f74122\n" },
	{ "00000003 00000028 48414e444c4552204552524f523a0a"
	  "63616e6e6f7420726563656976653a206469736b2066756c6c" END,
	  "3", "message 3 40 #2f107f3d\n" },
	{ HELLO_STREAM, "s", "stream 17 #e61be938\nend\n" },
	{ "00000005 00000008 4142434445464748"
	  "00010000 00000016 63616e6e6f742073656e643a20492f4f206572726f72" END,
	  "s", "stream 8 #953d7b8d\nsource error: cannot send: I/O error\n" },
	/* whole requests */
	{ SEND_HEAD SEND_REQUEST RST, "12",
	  "message 1 8 /v1/send\nmessage 2 60 #7cd90074\nrst\n" },
	{ OK_HEAD END HELLO_STREAM RST, "34s",
	  "message 3 11 #4b9a0423\nmessage 4 0 #811c9dc5\n"
	  "stream 17 #e61be938\nend\nrst\n" },
	{ RECV_HEAD RECV_REQUEST "00000005 0000000c 73747265616d2d6279746573" END RST,
	  "12s",
	  "message 1 8 /v1/recv\nmessage 2 62 #d64a0ee7\n"
	  "stream 12 #90f926c3\nend\nrst\n" },
	{ OK_HEAD END RST, "34", "message 3 11 #4b9a0423\nmessage 4 0 #811c9dc5\nrst\n" },
	/* heartbeats between any two frames */
	{ HEARTBEAT "00000003 0000000b 48414e444c4552204f4b0a" HEARTBEAT END HEARTBEAT END
		    "00000005 00000002 6162" HEARTBEAT HEARTBEAT
		    "00000005 00000001 63" HEARTBEAT END,
	  "34s",
	  "heartbeat\nheartbeat\nmessage 3 11 #4b9a0423\nheartbeat\n"
	  "message 4 0 #811c9dc5\nheartbeat\nheartbeat\nheartbeat\n"
	  "stream 3 #1a47e90b\nend\n" },
	/* data frames without a byte, or with one, are accepted */
	{ "00000001 00000000 00000001 00000001 78 00000001 00000000" END, "1",
	  "message 1 1 x\n" },
	{ "00000005 00000000 00000005 00000001 78 00000005 00000000" END, "s",
	  "stream 1 #fd0c5087\nend\n" },
	/* trailers */
	{ "00010000 00000000" END, "s",
	  "stream 0 #00000000\n"
	  "source error: the source failed and does not say why\n" },
	{ "00010000 00000003 616263" HEARTBEAT "00010000 00000002 c3a9" END, "s",
	  "heartbeat\nstream 0 #00000000\nsource error: abc\xc3\xa9\n" },
	{ "00010000 00000004 61ff62c3" END, "s",
	  "stream 0 #00000000\nsource error: a\xef\xbf\xbd"
	  "b\xef\xbf\xbd\n" },
};

TEST(what_peers_send_is_understood_however_it_is_cut)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		cleanup(buf_free) struct buf b = { 0 };

		put_hex(&b, vectors[i].hex);
		for (size_t cut = 0; cut <= b.len; cut++) {
			cleanup(frame_drive_fini) struct frame_drive d = { 0 };

			frame_drive_start(&d, vectors[i].plan);
			frame_drive_feed(&d, (struct view){ b.p, cut });
			frame_drive_feed(&d, (struct view){ b.p + cut, b.len - cut });
			if (!CHECK_STR(buf_str(&d.transcript), vectors[i].transcript))
				printf("# vector %zu, cut at %zu\n", i, cut);
		}
	}
}

TEST(what_peers_send_is_understood_byte_by_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		cleanup(frame_drive_fini) struct frame_drive d = { 0 };
		cleanup(buf_free) struct buf b = { 0 };

		put_hex(&b, vectors[i].hex);
		frame_drive_start(&d, vectors[i].plan);
		for (size_t at = 0; at < b.len; at++)
			frame_drive_feed(&d, (struct view){ b.p + at, 1 });
		CHECK_STR(buf_str(&d.transcript), vectors[i].transcript);
	}
}

TEST(nothing_is_complete_before_its_last_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		cleanup(frame_drive_fini) struct frame_drive d = { 0 };
		cleanup(buf_free) struct buf b = { 0 };

		put_hex(&b, vectors[i].hex);
		frame_drive_start(&d, vectors[i].plan);
		frame_drive_feed(&d, (struct view){ b.p, b.len - 1 });
		CHECK(strcmp(buf_str(&d.transcript), vectors[i].transcript) != 0);
	}
}

static const struct {
	const char *hex, *plan, *why;
} bad[] = {
	{ "00000000 00000000", "1", "a frame of unknown type 0" },
	{ "00000006 00000000", "1", "a frame of unknown type 0x6" },
	{ "00000007 00000002", "s", "a frame of unknown type 0x7" },
	{ "02000000 00000000", "1", "a frame of unknown type 0x2000000" },
	{ "20000000 00000000", "s", "a frame of unknown type 0x20000000" },
	{ "30000000 00000000", "s", "a frame of unknown type 0x30000000" },
	{ "11000000 00000000", "s", "a frame of unknown type 0x11000000" },
	{ "00030000 00000000", "s", "a frame of unknown type 0x30000" },
	{ "00040000 00000000", "s", "a frame of unknown type 0x40000" },
	{ "00100000 00000000", "s", "a frame of unknown type 0x100000" },
	/* little endian; length first */
	{ "01000000 08000000", "1",
	  "a frame of type 0x1000000 and 134217728 bytes is too large" },
	{ "00000008 00000001", "1", "a frame of unknown type 0x8" },
	/* another message than the next one */
	{ "00000002 00000002 6162", "1", "a frame of type 0x2, where 0x1 was to come" },
	{ "00000005 00000002 6162", "3", "a frame of type 0x5, where 0x3 was to come" },
	{ "00000003 00000002 6162", "s", "a frame of type 0x3, where 0x5 was to come" },
	{ "00010000 00000002 6162", "3",
	  "a frame of type 0x10000, where 0x3 was to come" },
	/* after a trailer there is only more of it */
	{ "00010000 00000002 6162 00000005 00000002 6162", "s",
	  "a frame of type 0x5 in a trailer" },
	{ "00010000 00000000 00000005 00000000", "s",
	  "a frame of type 0x5 in a trailer" },
	/* what has no payload */
	{ "00020000 00000001 61", "1",
	  "a frame of type 0x20000 and 1 bytes is too large" },
	{ "01000000 00000001 61", "1",
	  "a frame of type 0x1000000 and 1 bytes is too large" },
	{ "10000000 00000001 61", "1",
	  "a frame of type 0x10000000 and 1 bytes is too large" },
	/* lengths */
	{ "00000005 00400001", "s",
	  "a frame of type 0x5 and 4194305 bytes is too large" },
	{ "00000005 ffffffff", "s",
	  "a frame of type 0x5 and 4294967295 bytes is too large" },
	{ "00010000 00400001", "s",
	  "a frame of type 0x10000 and 4194305 bytes is too large" },
	{ "00000001 00008001", "1", "a message of type 0x1 over 32768 bytes" },
	{ "00000001 00000002 6162 00000001 00007fff", "1",
	  "a message of type 0x1 over 32768 bytes" },
	{ "00000003 00008001", "3", "a message of type 0x3 over 32768 bytes" },
	{ "00000002 00400001", "2",
	  "a frame of type 0x2 and 4194305 bytes is too large" },
	{ "00000002 00000002 6162 00000002 003fffff", "2",
	  "a message of type 0x2 over 4194304 bytes" },
};

TEST(what_breaks_the_rules_is_one_clear_error_however_it_is_cut)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup(buf_free) struct buf b = { 0 };
		cleanup(buf_free) struct buf want = { 0 };

		put_hex(&b, bad[i].hex);
		buf_printf(&want, "bad: %s\n", bad[i].why);
		for (size_t cut = 0; cut <= b.len; cut++) {
			cleanup(frame_drive_fini) struct frame_drive d = { 0 };

			frame_drive_start(&d, bad[i].plan);
			frame_drive_feed(&d, (struct view){ b.p, cut });
			frame_drive_feed(&d, (struct view){ b.p + cut, b.len - cut });
			CHECK(d.is_bad && !d.is_done);
			if (!CHECK_STR(buf_str(&d.transcript), buf_str(&want)))
				printf("# case %zu, cut at %zu\n", i, cut);
			/* nothing is allocated for what is only announced */
			CHECK(d.r.message.cap <= 64);
		}
	}
}

TEST(a_bad_frame_stays_bad)
{
	cleanup(frame_reader_fini) struct frame_reader r = { 0 };
	cleanup(buf_free) struct buf b = { 0 };

	put_hex(&b, "20000000 00000000" END);
	for (size_t i = 0, at = 0; i < 3; i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		size_t n = b.len - at;

		frame_reader_expect_stream(&r);
		CHECK_INT(frame_reader_feed(&r, b.p + at, &n, &e), FRAME_BAD);
		CHECK_INT(frame_reader_wants(&r), 0);
		at += n;
		CHECK_INT(at, FRAME_HEAD_LEN);
	}
}

/* The largest announcement that is allowed; whether it comes is another matter. */
TEST(limits_are_themselves_allowed)
{
	static const struct {
		const char *hex, *plan;
		size_t wants;
	} cases[] = {
		{ "00000001 00008000", "1", FRAME_REQUEST_HEAD_MAX },
		{ "00000002 00400000", "2", FRAME_REQUEST_MAX },
		{ "00000003 00008000", "3", FRAME_RESPONSE_HEAD_MAX },
		{ "00000004 00400000", "4", FRAME_ACCEPT_MAX },
		{ "00010000 00400000", "s", FRAME_ACCEPT_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(frame_drive_fini) struct frame_drive d = { 0 };
		cleanup(buf_free) struct buf b = { 0 };

		put_hex(&b, cases[i].hex);
		frame_drive_start(&d, cases[i].plan);
		frame_drive_feed(&d, buf_view(&b));
		CHECK_STR(buf_str(&d.transcript), "");
		CHECK_INT(frame_reader_wants(&d.r), cases[i].wants);
		CHECK(d.r.message.cap <= 64);
	}
}

TEST(a_frame_for_which_nobody_waits_keeps_until_somebody_does)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(frame_reader_fini) struct frame_reader r = { 0 };
	cleanup(buf_free) struct buf b = { 0 };
	size_t n, at;

	put_hex(&b, HEARTBEAT "00000003 00000002 6162" END RST);
	n = b.len;
	CHECK_INT(frame_reader_feed(&r, b.p, &n, &e), FRAME_GOT_HEARTBEAT);
	at = n;
	n = b.len - at;
	CHECK_INT(frame_reader_feed(&r, b.p + at, &n, &e), FRAME_UNEXPECTED);
	CHECK_INT(n, FRAME_HEAD_LEN);
	at += n;
	CHECK_INT(frame_reader_wants(&r), 0);
	n = b.len - at;
	CHECK_INT(frame_reader_feed(&r, b.p + at, &n, &e), FRAME_UNEXPECTED);
	CHECK_INT(n, 0);
	frame_reader_expect_message(&r, FRAME_RESPONSE_HEAD, 2);
	n = 0;
	CHECK_INT(frame_reader_feed(&r, NULL, &n, &e), FRAME_NEED_MORE);
	CHECK_INT(frame_reader_wants(&r), 2);
	n = b.len - at;
	CHECK_INT(frame_reader_feed(&r, b.p + at, &n, &e), FRAME_GOT_MESSAGE);
	CHECK(view_eq(frame_reader_message(&r), VIEW("ab")));
	at += n;
	n = b.len - at;
	CHECK_INT(frame_reader_feed(&r, b.p + at, &n, &e), FRAME_GOT_RST);
	CHECK_INT(at + n, b.len);
}

TEST(a_long_trailer_is_read_to_its_end_and_kept_in_part)
{
	cleanup(frame_drive_fini) struct frame_drive d = { 0 };
	cleanup(buf_free) struct buf b = { 0 };
	cleanup(buf_free) struct buf text = { 0 };
	struct view kept;

	for (size_t i = 0; i < 50000; i++)
		buf_put(&text, "\xc3\xa9", 2);
	put_hex(&b, "00010000 000186a0");
	buf_put(&b, text.p, text.len);
	put_hex(&b, "00010000 000186a0");
	buf_put(&b, text.p, text.len);
	put_hex(&b, END RST);
	frame_drive_start(&d, "s");
	frame_drive_feed(&d, buf_view(&b));
	CHECK(d.is_rst && !d.is_done && !d.is_bad);
	kept = frame_reader_message(&d.r);
	CHECK_INT(kept.len, FRAME_TRAILER_MAX);
	CHECK(utf8_is_valid(kept));
}

/* ---- writing ---- */

/* Frames as a strict peer would want them: never of one byte, nor over 512 KiB. */
static bool has_good_frames(struct view v)
{
	while (v.len >= FRAME_HEAD_LEN) {
		const uint8_t *h = (const uint8_t *)v.p;
		size_t len = (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 |
			     h[7];

		if (len == 1 || len > FRAME_PAYLOAD_MAX || len > v.len - FRAME_HEAD_LEN)
			return false;
		v.p += FRAME_HEAD_LEN + len;
		v.len -= FRAME_HEAD_LEN + len;
	}
	return v.len == 0;
}

static const size_t sizes[] = {
	0,
	2,
	3,
	FRAME_PAYLOAD_MAX - 1,
	FRAME_PAYLOAD_MAX,
	FRAME_PAYLOAD_MAX + 1,
	FRAME_PAYLOAD_MAX + 2,
	2 * FRAME_PAYLOAD_MAX - 1,
	2 * FRAME_PAYLOAD_MAX,
	2 * FRAME_PAYLOAD_MAX + 1,
	FRAME_REQUEST_MAX,
};

static void put_pattern(struct buf *out, size_t n)
{
	char *p = buf_reserve(out, n);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 7 + i / 251);
	buf_added(out, n);
}

TEST(messages_of_every_size_arrive_and_no_frame_has_one_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		cleanup(frame_drive_fini) struct frame_drive d = { 0 };
		cleanup(buf_free) struct buf payload = { 0 };
		cleanup(buf_free) struct buf b = { 0 };

		put_pattern(&payload, sizes[i]);
		frame_put_message(&b, FRAME_REQUEST, buf_view(&payload));
		CHECK(has_good_frames(buf_view(&b)));
		frame_drive_start(&d, "2");
		frame_drive_feed(&d, buf_view(&b));
		CHECK(d.is_done);
		CHECK(view_eq(frame_reader_message(&d.r), buf_view(&payload)));
	}
}

TEST(a_text_of_one_byte_gets_a_blank)
{
	cleanup(buf_free) struct buf b = { 0 };
	cleanup(buf_free) struct buf want = { 0 };

	frame_put_message(&b, FRAME_RESPONSE_HEAD, VIEW("x"));
	frame_put_end(&b, "y");
	put_hex(&want, "00000003 00000002 7820" END "00010000 00000002 7920" END);
	CHECK(view_eq(buf_view(&b), buf_view(&want)));
}

TEST(the_vectors_of_0_7_come_out_byte_by_byte)
{
	cleanup(buf_free) struct buf b = { 0 };
	cleanup(buf_free) struct buf want = { 0 };
	uint8_t head[FRAME_HEAD_LEN];

	frame_put_empty(&b, FRAME_HEARTBEAT);
	frame_put_message(&b, FRAME_REQUEST_HEAD, VIEW("/v1/send"));
	frame_put_message(&b, FRAME_REQUEST, VIEW("\x0a\x02hi"));
	frame_put_message(&b, FRAME_RESPONSE_HEAD, VIEW("HANDLER OK\n"));
	frame_put_message(&b, FRAME_RESPONSE, (struct view){ NULL, 0 });
	frame_put_head(head, FRAME_STREAM, 17);
	buf_put(&b, head, sizeof(head));
	buf_put(&b, "hello, zfs stream", 17);
	frame_put_end(&b, NULL);
	frame_put_end(&b, "cannot send: I/O error");
	frame_put_head(head, FRAME_STREAM, FRAME_PAYLOAD_MAX);
	buf_put(&b, head, sizeof(head));
	frame_put_empty(&b, FRAME_RST);
	put_hex(&want, HEARTBEAT SEND_HEAD
		"00000002 00000004 0a026869" END OK_HEAD END HELLO_STREAM
		"00010000 00000016 63616e6e6f742073656e643a20492f4f206572726f72" END
		"00000005 00080000" RST);
	CHECK(view_eq(buf_view(&b), buf_view(&want)));
}

TEST(a_failed_source_never_reads_as_a_clean_end)
{
	static const char *const texts[] = { "", "x", "text", "\xff", "caf\xe9" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		cleanup(frame_drive_fini) struct frame_drive d = { 0 };
		cleanup(buf_free) struct buf b = { 0 };

		frame_put_end(&b, texts[i]);
		CHECK(has_good_frames(buf_view(&b)));
		CHECK(utf8_is_valid((struct view){ b.p + FRAME_HEAD_LEN,
						   b.len - 2 * FRAME_HEAD_LEN }));
		frame_drive_start(&d, "s");
		frame_drive_feed(&d, buf_view(&b));
		CHECK(!d.is_done && !d.is_bad);
		CHECK(strstr(buf_str(&d.transcript), "source error: "));
	}
}

TEST(a_long_reason_is_cut_so_that_an_answer_can_quote_it)
{
	cleanup(buf_free) struct buf text = { 0 };
	cleanup(buf_free) struct buf b = { 0 };

	put_pattern(&text, 100000);
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] == '\0')
			text.p[i] = '0';
	frame_put_end(&b, buf_str(&text));
	CHECK(b.len <= FRAME_SOURCE_ERROR_MAX + 2 * FRAME_HEAD_LEN);
	CHECK(b.len > FRAME_SOURCE_ERROR_MAX);
	CHECK(has_good_frames(buf_view(&b)));
}

/*
 * A sender with a buffer of FRAME_PAYLOAD_MAX + 2 bytes and a source of `total` bytes
 * that comes in pieces of `piece`.
 */
static void check_chunks(size_t total, size_t piece)
{
	const size_t capacity = FRAME_PAYLOAD_MAX + 2;
	size_t have = 0, read = 0, sent = 0, n;

	for (;;) {
		size_t more = piece;

		if (more > total - read)
			more = total - read;
		if (more > capacity - have)
			more = capacity - have;
		have += more;
		read += more;
		while ((n = frame_stream_chunk(have, false)) > 0) {
			CHECK(n == FRAME_PAYLOAD_MAX);
			have -= n;
			sent += n;
		}
		if (more == 0)
			break;
	}
	while ((n = frame_stream_chunk(have, true)) > 0) {
		if (!CHECK(n > 1 && n <= FRAME_PAYLOAD_MAX && n <= have))
			return;
		have -= n;
		sent += n;
	}
	/* the one byte of a stream of one byte is no stream of zfs */
	CHECK_INT(have, total == 1 ? 1 : 0);
	CHECK_INT(sent + have, total);
}

TEST(a_stream_of_any_length_needs_no_frame_of_one_byte)
{
	static const size_t pieces[] = { 1000,   65536,  131072, 524287,
					 524288, 524289, 1 << 20 };

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		for (size_t total = 0; total < 5; total++)
			check_chunks(total, pieces[i]);
		for (size_t frames = 1; frames <= 3; frames++)
			for (size_t d = 0; d < 9; d++)
				check_chunks(frames * FRAME_PAYLOAD_MAX + d - 4,
					     pieces[i]);
	}
}

TEST_MAIN()
