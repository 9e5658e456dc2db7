/* A bulk and a peer written by hand, which does as it likes. */
#include "base/parse.h"
#include "bulk_check.h"
#include "tap.h"

#include <unistd.h>

/* ---- what peers may do ---- */

TEST(all_that_goes_out_is_whole_frames_then_rst_then_the_end)
{
	struct peer p;
	struct bulk *b = bulk_with_peer(&p, NULL);
	struct closer c;

	bulk_put(b, FRAME_RESPONSE_HEAD, VIEW("HANDLER OK\n"));
	bulk_put(b, FRAME_RESPONSE, (struct view){ NULL, 0 });
	closer_start(&c, b);
	peer_check(&p, FRAME_RESPONSE_HEAD, "HANDLER OK\n");
	peer_check(&p, FRAME_END, "");
	peer_check(&p, FRAME_END, "");
	peer_check_goodbye(&p);
	peer_hang_up(&p); /* for which it has waited */
	thread_join(&c.thread);
	CHECK(!c.thread.running);
	peer_fini(&p);
}

TEST(aborting_ends_without_a_word)
{
	struct peer p;
	struct bulk *b = bulk_with_peer(&p, NULL);

	bulk_abort(b);
	peer_check(&p, 0, "");
	peer_fini(&p);
}

TEST(frames_without_a_byte_or_with_one_are_taken)
{
	struct peer p;
	struct bulk *b = bulk_with_peer(&p, NULL);

	peer_send_frame(&p, FRAME_HEARTBEAT, "");
	peer_send_frame(&p, FRAME_RESPONSE_HEAD, "");
	peer_send_frame(&p, FRAME_RESPONSE_HEAD, "x");
	peer_send_frame(&p, FRAME_HEARTBEAT, "");
	peer_send_frame(&p, FRAME_RESPONSE_HEAD, "");
	peer_send_frame(&p, FRAME_END, "");
	check_message(b, FRAME_RESPONSE_HEAD, "x");
	bulk_abort(b);
	peer_fini(&p);
}

TEST(what_a_peer_said_before_it_closed_is_heard)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct ends out = pipe_to_write();
	enum pump_end end = PUMP_CLOSED;
	struct peer p;
	struct bulk *b = bulk_with_peer(&p, NULL);
	char got[7] = "";

	peer_send_message(&p, FRAME_RESPONSE_HEAD, "HANDLER OK\n");
	peer_send_message(&p, FRAME_RESPONSE, "");
	peer_send_message(&p, FRAME_STREAM, "stream");
	peer_send_frame(&p, FRAME_RST, "");
	peer_finish(&p);
	check_message(b, FRAME_RESPONSE_HEAD, "HANDLER OK\n");
	check_message(b, FRAME_RESPONSE, "");
	CHECK_INT(bulk_pump(ctx, b, out.w, &(struct pump_opts){ 0 }, &end, &e), 0);
	CHECK_INT(end, PUMP_EOF);
	CHECK_INT(read(out.r, got, 6), 6);
	CHECK_STR(got, "stream");
	check_fails(b, ERR_NETWORK, "the peer closed the connection");
	bulk_close(b); /* at once: the end has been read */
	peer_check_goodbye(&p);
	ends_close(&out);
	peer_fini(&p);
}

/*
 * A receiver that fails early and closes with our stream unread: its kernel resets the
 * connection, and our writing fails while its answer still waits to be read.
 */
TEST(an_answer_is_heard_although_writing_has_failed)
{
	struct ends in = pipe_to_read();
	struct writer w;
	struct peer p;
	struct bulk *b = bulk_with_tcp_peer(&p, NULL);

	writer_start(&w, take_fd(&in.w), SIZE_MAX);
	bulk_put_stream(b, &(struct bulk_source){ .fd = in.r });
	bulk_expect(b, FRAME_RESPONSE_HEAD, FRAME_RESPONSE_HEAD_MAX);
	peer_check(&p, FRAME_STREAM, NULL); /* it is under way */
	peer_send_message(&p, FRAME_RESPONSE_HEAD, "HANDLER ERROR:\ndisk full");
	peer_send_frame(&p, FRAME_RST, "");
	peer_hang_up(&p);
	check_event(b, BULK_MESSAGE);
	CHECK(view_eq(bulk_message(b), VIEW("HANDLER ERROR:\ndisk full")));
	bulk_close(b);
	ends_close(&in);
	thread_join(&w.thread);
	peer_fini(&p);
}

TEST(an_answer_survives_that_the_peer_is_still_sending)
{
	cleanup(buf_free) struct buf stream = { 0 };
	struct peer p;
	struct bulk *b = bulk_with_tcp_peer(&p, NULL);
	struct closer c;

	peer_send_message(&p, FRAME_REQUEST_HEAD, "/v1/recv");
	check_message(b, FRAME_REQUEST_HEAD, "/v1/recv");
	put_nth(&stream, 100000);
	peer_send(&p, stream.p, stream.len); /* nobody asks for it */
	bulk_put(b, FRAME_RESPONSE_HEAD, VIEW("HANDLER ERROR:\ndisk full"));
	closer_start(&c, b);
	for (int i = 0; i < 100; i++) /* more than any socket takes */
		peer_send(&p, stream.p, stream.len);
	peer_check(&p, FRAME_RESPONSE_HEAD, "HANDLER ERROR:\ndisk full");
	peer_check(&p, FRAME_END, "");
	peer_check_goodbye(&p);
	peer_hang_up(&p);
	thread_join(&c.thread);
	peer_fini(&p);
}

/* Sends so many bytes out of `in`; returns the size of the largest frame. */
static size_t check_frames(struct ends *in, size_t size)
{
	cleanup(buf_free) struct buf frame = { 0 };
	size_t total = 0, largest = 0;
	struct writer w;
	struct peer p;
	struct bulk *b = bulk_with_peer(&p, NULL);

	writer_start(&w, take_fd(&in->w), size);
	bulk_put_stream(b, &(struct bulk_source){ .fd = in->r });
	while (total < size && peer_read(&p, &frame) == FRAME_STREAM) {
		CHECK(frame.len > 1 && frame.len <= FRAME_PAYLOAD_MAX);
		total += frame.len;
		largest = frame.len > largest ? frame.len : largest;
	}
	CHECK_INT(total, size);
	check_event(b, BULK_SOURCE_ENDED);
	bulk_put_end(b, NULL);
	peer_check(&p, FRAME_END, "");
	thread_join(&w.thread);
	bulk_abort(b);
	ends_close(in);
	peer_fini(&p);
	return largest;
}

static const size_t awkward_sizes[] = { FRAME_PAYLOAD_MAX + 1, 2 * FRAME_PAYLOAD_MAX + 1,
					FRAME_PAYLOAD_MAX + 2, 3 };

/* They are what the pipe has when we look. */
TEST(no_frame_of_a_stream_out_of_a_pipe_has_one_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(awkward_sizes); i++) {
		struct ends in = pipe_to_read();

		check_frames(&in, awkward_sizes[i]);
	}
}

TEST(frames_of_a_stream_through_our_memory_are_full_and_never_of_one_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(awkward_sizes); i++) {
		const size_t size = awkward_sizes[i];
		struct ends in = socket_to_read();

		CHECK(check_frames(&in, size) >= FRAME_PAYLOAD_MAX - 1 ||
		      size < FRAME_PAYLOAD_MAX);
	}
}

/* ---- a client that ends its side ---- */

TEST(a_peer_that_only_ends_its_side_is_still_answered)
{
	struct peer p;
	struct bulk *b = bulk_with_peer(&p, NULL);

	peer_send_message(&p, FRAME_REQUEST_HEAD, "/v1/ping");
	peer_finish(&p);
	check_message(b, FRAME_REQUEST_HEAD, "/v1/ping");
	bulk_put(b, FRAME_RESPONSE_HEAD, VIEW("HANDLER OK\n"));
	bulk_close(b);
	peer_check(&p, FRAME_RESPONSE_HEAD, "HANDLER OK\n");
	peer_check(&p, FRAME_END, "");
	peer_check_goodbye(&p);
	peer_fini(&p);
}

TEST(a_peer_that_ends_its_side_in_a_stream_is_told_that_this_was_too_early)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct ends out = pipe_to_write();
	enum pump_end end;
	struct peer p;
	struct bulk *b = bulk_with_peer(&p, NULL);

	peer_send_frame(&p, FRAME_STREAM, "all of its frames, but no end");
	peer_finish(&p);
	CHECK_INT(bulk_pump(ctx, b, out.w, &(struct pump_opts){ 0 }, &end, &e), -1);
	CHECK_INT(e.kind, ERR_NETWORK);
	CHECK_STR(err_msg(&e), "the peer ended the connection in the middle of it");
	bulk_put(b, FRAME_RESPONSE_HEAD, VIEW("HANDLER ERROR:\ntoo early"));
	err_clear(&e);
	CHECK_INT(bulk_flush(ctx, b, &e), 0);
	bulk_close(b);
	peer_check(&p, FRAME_RESPONSE_HEAD, "HANDLER ERROR:\ntoo early");
	peer_check(&p, FRAME_END, "");
	peer_check_goodbye(&p);
	ends_close(&out);
	peer_fini(&p);
}

TEST(whoever_asks_after_the_end_learns_that_there_is_nothing)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(buf_free) struct buf into = { .max = 10 };
	struct peer p;
	struct bulk *b = bulk_with_peer(&p, NULL);
	bool at_end;

	peer_finish(&p);
	bulk_put(b, FRAME_REQUEST_HEAD, VIEW("/v1/ping"));
	peer_check(&p, FRAME_REQUEST_HEAD, "/v1/ping"); /* the end is no failure yet */
	CHECK_INT(bulk_peek(ctx, b, &into, &at_end, &e), -1);
	CHECK_INT(e.kind, ERR_NETWORK);
	bulk_expect(b, FRAME_RESPONSE_HEAD, FRAME_RESPONSE_HEAD_MAX);
	check_fails(b, ERR_NETWORK, "the peer ended the connection in the middle of it");
	bulk_close(b);
	peer_fini(&p);
}

/* ---- what peers may not do ---- */

#define TOO_EARLY "the peer ended the connection in the middle of it"

static const struct {
	const char *bytes;
	size_t len;
	bool expects_stream;
	enum err_kind kind;
	const char *msg;
} cases[] = {
#define BYTES(s) s, sizeof(s) - 1
	/* the end, wherever it comes */
	{ BYTES(""), false, ERR_NETWORK, TOO_EARLY },
	{ BYTES("\0\0\0"), false, ERR_NETWORK, TOO_EARLY },
	{ BYTES("\0\0\0\3\0\0\0\4"), false, ERR_NETWORK, TOO_EARLY },
	{ BYTES("\0\0\0\3\0\0\0\4tex"), false, ERR_NETWORK, TOO_EARLY },
	{ BYTES("\0\0\0\3\0\0\0\4text"), false, ERR_NETWORK, TOO_EARLY },
	{ BYTES("\0\0\0\3\0\0\0\4text\0\2\0\0"), false, ERR_NETWORK, TOO_EARLY },
	{ BYTES("\1\0\0\0\0\0\0\0"), false, ERR_NETWORK, TOO_EARLY },
	{ BYTES(""), true, ERR_NETWORK, TOO_EARLY },
	{ BYTES("\0\0\0\5\0\0\0\4"), true, ERR_NETWORK, TOO_EARLY },
	{ BYTES("\0\0\0\5\0\0\0\4tex"), true, ERR_NETWORK, TOO_EARLY },
	{ BYTES("\0\0\0\5\0\0\0\4text"), true, ERR_NETWORK, TOO_EARLY },
	{ BYTES("\0\0\0\5\0\0\0\4text\0\1\0\0\0\0\0\3"), true, ERR_NETWORK, TOO_EARLY },
	{ BYTES("\0\1\0\0\0\0\0\3why"), true, ERR_NETWORK, TOO_EARLY },
	/* RST in the middle */
	{ BYTES("\x10\0\0\0\0\0\0\0"), false, ERR_NETWORK,
	  "the peer closed the connection" },
	{ BYTES("\0\0\0\3\0\0\0\4text\x10\0\0\0\0\0\0\0"), false, ERR_NETWORK,
	  "the peer closed the connection" },
	{ BYTES("\0\0\0\5\0\0\0\4text\x10\0\0\0\0\0\0\0"), true, ERR_NETWORK,
	  "the peer closed the connection" },
	/* what cannot be, and what was not asked for */
	{ BYTES("\2\0\0\0\0\0\0\0"), false, ERR_PROTOCOL,
	  "a frame of unknown type 0x2000000" },
	{ BYTES("\x20\0\0\0\0\0\0\0"), true, ERR_PROTOCOL,
	  "a frame of unknown type 0x20000000" },
	{ BYTES("\0\0\0\7\0\0\0\0"), false, ERR_PROTOCOL, "a frame of unknown type 0x7" },
	{ BYTES("\0\0\0\5\0\0\0\4text"), false, ERR_PROTOCOL,
	  "a frame of type 0x5, where 0x3 was to come" },
	{ BYTES("\0\0\0\3\0\0\0\4text"), true, ERR_PROTOCOL,
	  "a frame of type 0x3, where 0x5 was to come" },
	{ BYTES("0000000056 ZREPL"), false, ERR_PROTOCOL,
	  "a frame of unknown type 0x30303030" },
	/* what is too long */
	{ BYTES("\0\0\0\3\0\0\x80\1"), false, ERR_PROTOCOL,
	  "a message of type 0x3 over 32768 bytes" },
	{ BYTES("\0\0\0\3\xff\xff\xff\xff"), false, ERR_PROTOCOL,
	  "a frame of type 0x3 and 4294967295 bytes is too large" },
	{ BYTES("\0\0\0\5\0\x40\0\1"), true, ERR_PROTOCOL,
	  "a frame of type 0x5 and 4194305 bytes is too large" },
#undef BYTES
};

static void check_case(size_t i)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct ends out = pipe_to_write();
	enum pump_end end;
	struct peer p;
	struct bulk *b = bulk_with_peer(&p, NULL);

	if (cases[i].len > 0)
		peer_send(&p, cases[i].bytes, cases[i].len);
	peer_finish(&p);
	if (cases[i].expects_stream) {
		CHECK_INT(bulk_pump(ctx, b, out.w, &(struct pump_opts){ 0 }, &end, &e),
			  -1);
		CHECK_INT(e.kind, cases[i].kind);
		CHECK_STR(err_msg(&e), cases[i].msg);
	} else {
		bulk_expect(b, FRAME_RESPONSE_HEAD, FRAME_RESPONSE_HEAD_MAX);
	}
	/* and so it stays, whatever is asked */
	check_fails(b, cases[i].kind, cases[i].msg);
	CHECK_INT(bulk_pump(ctx, b, out.w, &(struct pump_opts){ 0 }, &end, &e), -1);
	CHECK_STR(err_msg(&e), cases[i].msg);
	bulk_close(b);
	peer_check_goodbye(&p);
	ends_close(&out);
	peer_fini(&p);
}

TEST(whatever_a_peer_does_wrong_is_one_error_and_a_farewell)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(i);
}

TEST(a_connection_that_is_lost_is_closed_at_once)
{
	struct ends in = pipe_to_read();
	struct writer w;
	struct peer p;
	struct bulk *b = bulk_with_tcp_peer(&p, NULL);

	writer_start(&w, take_fd(&in.w), SIZE_MAX);
	bulk_put_stream(b, &(struct bulk_source){ .fd = in.r });
	peer_check(&p, FRAME_STREAM, NULL);
	peer_hang_up(&p); /* with a stream unread */
	{
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

		CHECK_INT(bulk_wait(ctx, b, &e), BULK_FAILED);
		CHECK_INT(e.kind, ERR_NETWORK);
		CHECK(view_starts(view_of(err_msg(&e)), "read from the peer: ") ||
		      view_starts(view_of(err_msg(&e)), "write to the peer: "));
	}
	bulk_close(b);
	ends_close(&in);
	thread_join(&w.thread);
	peer_fini(&p);
}

TEST(what_a_lost_connection_has_not_taken_is_not_written)
{
	cleanup(err_clear) struct err e = ERR_INIT, flushed = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(buf_free) struct buf big = { 0 };
	struct peer p;
	struct bulk *b = bulk_with_peer(&p, NULL);

	put_nth(&big, FRAME_REQUEST_MAX); /* more than a socket pair takes */
	bulk_put(b, FRAME_REQUEST, buf_view(&big));
	peer_hang_up(&p);
	CHECK_INT(bulk_wait(ctx, b, &e), BULK_FAILED);
	CHECK_INT(bulk_flush(ctx, b, &flushed), -1);
	CHECK_INT(flushed.kind, ERR_NETWORK);
	bulk_close(b);
	peer_fini(&p);
}

TEST_MAIN()
