/* What two peers of zrepl 0.7 said to each other: whole, in pieces, and damaged. */
#include "bulk_check.h"
#include "recorded.h"
#include "rpc/hello.h"
#include "tap.h"

#include <unistd.h>

/* tests/recordings/README.md, as a table. */
static const struct {
	const char *name, *endpoint, *dataset, *snapshot;
	size_t stream;
} recordings[] = {
	{ "push/02", "/v1/recv", "a/vol", "zrepl_1", 3632 },
	{ "push/03", "/v1/recv", "a/fs1", "zrepl_1", 442152 },
	{ "push/04", "/v1/recv", "a/vol", "zrepl_2", 624 },
	{ "push/05", "/v1/recv", "a/fs1/child", "zrepl_1", 45264 },
	{ "push/06", "/v1/recv", "a/fs1", "zrepl_2", 109816 },
	{ "push/07", "/v1/recv", "a/fs1/child", "zrepl_2", 624 },
	{ "push/09", "/v1/recv", "a/fs1", "zrepl_3", 624 },
	{ "push/10", "/v1/recv", "a/vol", "zrepl_3", 624 },
	{ "push/11", "/v1/recv", "a/fs1/child", "zrepl_3", 624 },
	{ "pull/02", "/v1/send", "a/vol", "zrepl_3", 3632 },
	{ "pull/03", "/v1/send", "a/fs1", "zrepl_3", 524288 + 19328 },
	{ "pull/04", "/v1/send", "a/fs1/child", "zrepl_3", 45264 },
};

static bool is_receive(size_t i)
{
	return strcmp(recordings[i].endpoint, "/v1/recv") == 0;
}

/* One direction of a connection, behind its hello. */
struct side {
	struct view hello, frames;
	const char *plan;
};

static struct side side_of(struct buf *b, size_t hello_len, const char *plan)
{
	return (struct side){ { b->p, hello_len },
			      { b->p + hello_len, b->len - hello_len },
			      plan };
}

static struct side active_side(size_t i, struct recorded *r)
{
	return side_of(&r->active, BANNER_LEN + LABEL_LEN, is_receive(i) ? "12s" : "12");
}

static struct side passive_side(size_t i, struct recorded *r)
{
	return side_of(&r->passive, BANNER_LEN, is_receive(i) ? "34" : "34s");
}

TEST(each_begins_with_banner_and_label)
{
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(recorded_fini) struct recorded r =
			recorded_load(recordings[i].name);
		cleanup(buf_free) struct buf ours = { 0 };
		enum hello_label label = HELLO_CONTROL;
		size_t n = 0;

		hello_put_banner(&ours);
		CHECK(view_eq(passive_side(i, &r).hello, buf_view(&ours)));
		CHECK_INT(hello_parse_head(r.passive.p, &n, &e), 0);
		CHECK_INT(n, BANNER_LEN - HELLO_HEAD_LEN);
		CHECK_INT(hello_parse_body(
				  (struct view){ r.passive.p + HELLO_HEAD_LEN, n }, &e),
			  0);
		hello_put_label(&ours, HELLO_DATA);
		CHECK(view_eq(active_side(i, &r).hello, buf_view(&ours)));
		CHECK_INT(hello_parse_label(r.active.p + BANNER_LEN, &label, &e), 0);
		CHECK_INT(label, HELLO_DATA);
	}
}

/* ---- whole ---- */

static void feed_in_pieces(struct frame_drive *d, const struct side *s, size_t piece)
{
	frame_drive_start(d, s->plan);
	for (size_t at = 0; at < s->frames.len; at += piece) {
		size_t left = s->frames.len - at;

		frame_drive_feed(d, (struct view){ s->frames.p + at,
						   left < piece ? left : piece });
	}
}

static void check_means(size_t i, struct recorded *r, size_t piece)
{
	cleanup(frame_drive_fini) struct frame_drive active = { 0 }, passive = { 0 };
	cleanup(buf_free) struct buf want_active = { 0 }, want_passive = { 0 };
	const struct side a = active_side(i, r), p = passive_side(i, r);
	const uint32_t sum = frame_sum(0, buf_view(&r->stream));
	struct buf *streams = is_receive(i) ? &want_active : &want_passive;

	buf_printf(&want_active, "message 1 8 %s\nmessage 2 %zu #%08" PRIx32 "\n",
		   recordings[i].endpoint, r->request.len,
		   frame_sum(0, buf_view(&r->request)));
	buf_printf(&want_passive,
		   "message 3 11 #%08" PRIx32 "\nmessage 4 0 #%08" PRIx32 "\n",
		   frame_sum(0, VIEW("HANDLER OK\n")), frame_sum(0, VIEW("")));
	buf_printf(streams, "stream %zu #%08" PRIx32 "\nend\n", recordings[i].stream,
		   sum);
	buf_printf(&want_active, "rst\n");
	buf_printf(&want_passive, "rst\n");

	feed_in_pieces(&active, &a, piece);
	feed_in_pieces(&passive, &p, piece);
	CHECK(active.is_done && passive.is_done);
	CHECK_STR(buf_str(&active.transcript), buf_str(&want_active));
	CHECK_STR(buf_str(&passive.transcript), buf_str(&want_passive));
}

TEST(each_means_what_was_done_however_it_is_cut)
{
	static const size_t pieces[] = { 1, 2, 7, 8, 9, 1448, 65536, SIZE_MAX };

	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		cleanup(recorded_fini) struct recorded r =
			recorded_load(recordings[i].name);

		CHECK(memmem(r.request.p, r.request.len, recordings[i].dataset,
			     strlen(recordings[i].dataset)));
		CHECK(memmem(r.request.p, r.request.len, recordings[i].snapshot,
			     strlen(recordings[i].snapshot)));
		for (size_t k = 0; k < ARRAY_LEN(pieces); k++)
			if (pieces[k] > 2 || r.stream.len < 10000)
				check_means(i, &r,
					    pieces[k] < SIZE_MAX ? pieces[k] : 1 << 30);
	}
}

/* As bulk_out.c cuts a stream. */
static void put_stream(struct buf *out, struct view bytes)
{
	while (bytes.len > 0) {
		size_t have = bytes.len < FRAME_PAYLOAD_MAX + 2 ? bytes.len
								: FRAME_PAYLOAD_MAX + 2;
		size_t n = frame_stream_chunk(have, have == bytes.len);
		uint8_t head[FRAME_HEAD_LEN];

		frame_put_head(head, FRAME_STREAM, (uint32_t)n);
		buf_put(out, head, sizeof(head));
		buf_put(out, bytes.p, n);
		bytes.p += n;
		bytes.len -= n;
	}
	frame_put_end(out, NULL);
}

TEST(each_comes_out_byte_by_byte_when_we_say_the_same)
{
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		cleanup(recorded_fini) struct recorded r =
			recorded_load(recordings[i].name);
		cleanup(buf_free) struct buf active = { 0 }, passive = { 0 };

		hello_put_banner(&active);
		hello_put_banner(&passive);
		hello_put_label(&active, HELLO_DATA);
		frame_put_message(&active, FRAME_REQUEST_HEAD,
				  view_of(recordings[i].endpoint));
		frame_put_message(&active, FRAME_REQUEST, buf_view(&r.request));
		frame_put_message(&passive, FRAME_RESPONSE_HEAD, VIEW("HANDLER OK\n"));
		frame_put_message(&passive, FRAME_RESPONSE, VIEW(""));
		put_stream(is_receive(i) ? &active : &passive, buf_view(&r.stream));
		frame_put_empty(&active, FRAME_RST);
		frame_put_empty(&passive, FRAME_RST);
		CHECK(view_eq(buf_view(&active), buf_view(&r.active)));
		CHECK(view_eq(buf_view(&passive), buf_view(&r.passive)));
	}
}

/* ---- damaged ---- */

/* What complete frames these are, judged in the simplest way that could be right: the
 * transcript of a plan that is fulfilled; false: it is not. */
static bool reference(struct view v, const char *plan, struct buf *out)
{
	uint32_t sum = 0;
	size_t len = 0;

	while (*plan) {
		const uint32_t want =
			*plan == 's' ? FRAME_STREAM : (uint32_t)(*plan - '0');
		uint32_t type, n;

		if (v.len < FRAME_HEAD_LEN)
			return false;
		type = recorded_u32(v.p);
		n = recorded_u32(v.p + 4);
		v = (struct view){ v.p + FRAME_HEAD_LEN, v.len - FRAME_HEAD_LEN };
		if (n > v.len || n > FRAME_ACCEPT_MAX)
			return false;
		if (type == FRAME_HEARTBEAT && n == 0) {
			buf_printf(out, "heartbeat\n");
		} else if (type == want) {
			if (*plan != 's' && len + n > frame_limit((enum frame_type)want))
				return false;
			sum = n > 0 ? frame_sum(sum, (struct view){ v.p, n }) : sum;
			len += n;
		} else if (type == FRAME_END && n == 0) {
			buf_printf(out, "%c %zu %08" PRIx32 "\n", *plan++, len,
				   len > 0 ? sum : 0);
			sum = 0;
			len = 0;
		} else {
			return false;
		}
		v = (struct view){ v.p + n, v.len - n };
	}
	return true;
}

/* The same of a frame_reader, which is fed in two pieces. */
struct judged {
	struct buf out;
	const char *plan;
	uint32_t sum;
	size_t len;
};

static void judged_expect(struct frame_reader *r, char c)
{
	enum frame_type type = (enum frame_type)(c - '0');

	if (c == 's')
		frame_reader_expect_stream(r);
	else if (c)
		frame_reader_expect_message(r, type, frame_limit(type));
}

static void judged_end(struct judged *j, struct frame_reader *r)
{
	if (*j->plan != 's') {
		j->len = frame_reader_message(r).len;
		j->sum = frame_sum(0, frame_reader_message(r));
	}
	buf_printf(&j->out, "%c %zu %08" PRIx32 "\n", *j->plan++, j->len,
		   j->len > 0 ? j->sum : 0);
	j->len = 0;
	j->sum = 0;
	judged_expect(r, *j->plan);
}

/* false: bad, or over. */
static bool judge(struct judged *j, struct frame_reader *r, struct view v)
{
	while (v.len > 0 && *j->plan) {
		cleanup(err_clear) struct err e = ERR_INIT;
		size_t n = v.len;
		enum frame_event event = frame_reader_feed(r, v.p, &n, &e);

		v = (struct view){ v.p + n, v.len - n };
		if (event == FRAME_GOT_STREAM) {
			n = v.len < r->payload_left ? v.len : r->payload_left;
			j->sum = n > 0 ? frame_sum(j->sum, (struct view){ v.p, n })
				       : j->sum;
			j->len += n;
			frame_reader_took(r, n);
			v = (struct view){ v.p + n, v.len - n };
		} else if (event == FRAME_GOT_MESSAGE || event == FRAME_GOT_STREAM_END) {
			judged_end(j, r);
		} else if (event == FRAME_GOT_HEARTBEAT) {
			buf_printf(&j->out, "heartbeat\n");
		} else if (event != FRAME_NEED_MORE) {
			return false;
		}
	}
	return true;
}

enum damage { DROPPED, DOUBLED, FLIPPED, DAMAGES };

/* s with one byte damaged; cut where it is fed in two. */
static void check_damaged(const struct side *s, size_t at, enum damage how,
			  struct view whole)
{
	cleanup(frame_reader_fini) struct frame_reader r = { 0 };
	cleanup(buf_free) struct buf bytes = { 0 }, want = { 0 };
	struct judged j = { .plan = s->plan };
	bool is_done;

	buf_put(&bytes, s->frames.p, at);
	if (how != DROPPED)
		buf_put(&bytes, s->frames.p + at, 1);
	if (how == FLIPPED)
		bytes.p[at] = (char)(bytes.p[at] ^ (1 << at % 8));
	if (how == DOUBLED)
		buf_put(&bytes, s->frames.p + at, 1);
	buf_put(&bytes, s->frames.p + at + 1, s->frames.len - at - 1);

	judged_expect(&r, *s->plan);
	if (judge(&j, &r, (struct view){ bytes.p, at }))
		judge(&j, &r, (struct view){ bytes.p + at, bytes.len - at });
	is_done = *j.plan == '\0';
	CHECK_INT(is_done, reference(buf_view(&bytes), s->plan, &want));
	if (is_done)
		CHECK_STR(buf_str(&j.out), buf_str(&want));
	/* a byte more or less is never overlooked, unless it comes after the last END */
	if (is_done && how != FLIPPED)
		CHECK(view_eq(buf_view(&j.out), whole));
	buf_free(&j.out);
}

static void check_side(const struct side *s)
{
	cleanup(buf_free) struct buf whole = { 0 };
	const size_t step = 1 + s->frames.len / 15;

	CHECK(reference(s->frames, s->plan, &whole));
	for (size_t at = 0; at < s->frames.len;) {
		for (int how = 0; how < DAMAGES; how++)
			check_damaged(s, at, (enum damage)how, buf_view(&whole));
		/* all of what stands before and after the bytes of a stream */
		at += at < 150 || at + 24 >= s->frames.len ? 1
		      : at + 24 + step > s->frames.len     ? s->frames.len - 24 - at
							   : step;
	}
}

TEST(damage_is_noticed_unless_it_makes_other_whole_frames)
{
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		cleanup(recorded_fini) struct recorded r =
			recorded_load(recordings[i].name);
		const struct side a = active_side(i, &r), p = passive_side(i, &r);

		check_side(&a);
		check_side(&p);
	}
}

TEST(what_is_cut_short_is_never_whole)
{
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		cleanup(recorded_fini) struct recorded r =
			recorded_load(recordings[i].name);
		const struct side s =
			is_receive(i) ? active_side(i, &r) : passive_side(i, &r);
		const size_t last = s.frames.len - RST_LEN;

		for (size_t n = 0; n < last;) {
			cleanup(frame_drive_fini) struct frame_drive d = { 0 };

			frame_drive_start(&d, s.plan);
			frame_drive_feed(&d, (struct view){ s.frames.p, n });
			CHECK(!d.is_done && !d.is_bad);
			n += n < 150 || n + 24 > last ? 1 : 1 + last / 50;
		}
	}
}

/* ---- to a bulk ---- */

/* A server that is sent those bytes; 0: it took a whole request and stream. */
static int serve(struct view bytes, struct buf *stream)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct peer p;
	struct bulk *b = bulk_with_peer(&p, NULL);
	bool at_end = false;
	int r = -1;

	peer_send(&p, bytes.p, bytes.len);
	peer_finish(&p);
	bulk_expect(b, FRAME_REQUEST_HEAD, FRAME_REQUEST_HEAD_MAX);
	if (bulk_wait(ctx, b, &e) == BULK_MESSAGE) {
		bulk_expect(b, FRAME_REQUEST, FRAME_REQUEST_MAX);
		if (bulk_wait(ctx, b, &e) == BULK_MESSAGE)
			r = bulk_peek(ctx, b, stream, &at_end, &e);
	}
	CHECK(r == 0 || e.kind == ERR_PROTOCOL || e.kind == ERR_NETWORK);
	bulk_close(b);
	peer_fini(&p);
	return r == 0 && at_end ? 0 : -1;
}

TEST(a_bulk_takes_what_was_recorded)
{
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		cleanup(recorded_fini) struct recorded r =
			recorded_load(recordings[i].name);
		cleanup(buf_free) struct buf stream = { .max = 1 << 20 };

		if (!is_receive(i) || r.stream.len > 50000)
			continue; /* the rest of them would not fit into a socket pair */
		CHECK_INT(serve(active_side(i, &r).frames, &stream), 0);
		CHECK(view_eq(buf_view(&stream), buf_view(&r.stream)));
	}
}

TEST(a_bulk_takes_nothing_damaged_for_whole)
{
	cleanup(recorded_fini) struct recorded r = recorded_load("push/04");
	const struct view frames = active_side(2, &r).frames;

	for (size_t at = 0; at < frames.len; at += at < 120 ? 1 : 23) {
		cleanup(buf_free) struct buf stream = { .max = 1 << 20 };
		cleanup(buf_free) struct buf bytes = { 0 };
		const bool is_dropped = at % 2;

		buf_put(&bytes, frames.p, is_dropped ? at : at + 1);
		buf_put(&bytes, frames.p + at + is_dropped, frames.len - at - is_dropped);
		if (serve(buf_view(&bytes), &stream) == 0)
			CHECK(view_eq(buf_view(&stream), buf_view(&r.stream)));
	}
}

TEST_MAIN()
