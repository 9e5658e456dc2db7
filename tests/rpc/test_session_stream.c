/* Our client and our server: streams, both ways. */
#include "duo.h"
#include "tap.h"

static void fini(struct duo *d)
{
	duo_fini(d);
}

static void setup(struct duo *d, enum rpc_side served)
{
	duo_init(d, served);
	fake_sender(&d->w, "a", "@a1 @b2");
	duo_start(d);
}

/* Around the size of a frame; a frame with one byte would abort a peer of version 0.7. */
static const size_t sizes[] = {
	0, 2, 3, 524287, 524288, 524289, 524290, 524291, 10485760
};

/* ---- from there to here ---- */

/* Sends d->flow to us; the result is that of the stream's reader, then its sender's. */
static int fetch(struct duo *d, struct ctx *ctx, struct flow_sink *sink, int *finished)
{
	struct ep_send_req req = duo_send_req("a");
	cleanup(err_clear) struct err late = ERR_INIT;
	struct ep_stream *stream;
	int r;

	if (d->client->ops->send(ctx, d->client, &req, &stream, &d->err) < 0)
		return -1;
	r = flow_drain(ctx, stream, sink, &d->err);
	*finished = stream_finish(stream, &late);
	if (*finished < 0 && r == 0)
		err_move(&d->err, &late);
	CHECK(!atomic_load(&sink->is_wrong));
	return r;
}

TEST(streams_of_all_sizes_are_fetched)
{
	cleanup(fini) struct duo d;

	setup(&d, RPC_SENDER);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct flow_sink sink = { .peek = i % 2 ? 1000 : 0 };
		int finished = -1;

		d.flow.bytes = sizes[i];
		CHECK_INT(fetch(&d, d.ctx, &sink, &finished), 0);
		CHECK_INT(finished, 0);
		CHECK_INT(atomic_load(&sink.got), sizes[i]);
	}
	CHECK_INT(fake_net_dials(&d.net), ARRAY_LEN(sizes));
}

/* No stream of zfs-send(8) has one byte, and no frame must have: so it is an error. */
TEST(a_stream_of_one_byte_is_not_fetched)
{
	cleanup(fini) struct duo d;
	struct flow_sink sink = { 0 };
	int finished = 0;

	setup(&d, RPC_SENDER);
	d.flow.bytes = 1;
	CHECK_INT(fetch(&d, d.ctx, &sink, &finished), -1);
	CHECK_INT(finished, -1);
	CHECK_INT(d.err.kind, ERR_REMOTE);
	CHECK_STR(err_msg(&d.err), "the stream is one byte long");
}

TEST(a_source_that_fails_there_is_an_error_here_after_all_its_bytes)
{
	cleanup(fini) struct duo d;
	struct flow_sink sink = { 0 };
	int finished = 0;

	setup(&d, RPC_SENDER);
	d.flow = (struct flow){ .bytes = 700000, .error = "cannot send: I/O error" };
	CHECK_INT(fetch(&d, d.ctx, &sink, &finished), -1);
	CHECK_INT(finished, -1);
	CHECK_INT(d.err.kind, ERR_REMOTE);
	CHECK(strstr(err_msg(&d.err), "cannot send: I/O error") != NULL);
	CHECK_INT(atomic_load(&sink.got), 700000);
}

TEST(a_send_that_cannot_begin_says_why)
{
	cleanup(fini) struct duo d;
	struct flow_sink sink = { 0 };
	int finished;

	setup(&d, RPC_SENDER);
	fake_fail(&d.w, OP_SEND, NULL, ERR_NOT_FOUND, "@b2 does not exist");
	CHECK_INT(fetch(&d, d.ctx, &sink, &finished), -1);
	CHECK_INT(d.err.kind, ERR_REMOTE);
	CHECK_STR(err_msg(&d.err), "@b2 does not exist");
}

TEST(whoever_fetches_may_have_enough)
{
	cleanup(fini) struct duo d;
	struct flow_sink sink = { .stop_after = 100000 };
	int finished = 0;

	setup(&d, RPC_SENDER);
	d.flow.bytes = SIZE_MAX;
	CHECK_INT(fetch(&d, d.ctx, &sink, &finished), -1);
	CHECK_STR(err_msg(&d.err), "disk full");
	CHECK_INT(finished, -1);
}

TEST(a_stream_that_nobody_reads_is_ended)
{
	cleanup(fini) struct duo d;
	struct ep_send_req req = duo_send_req("a");
	struct ep_stream *stream;

	setup(&d, RPC_SENDER);
	d.flow.bytes = SIZE_MAX;
	REQUIRE(d.client->ops->send(d.ctx, d.client, &req, &stream, &d.err) == 0);
	CHECK_INT(stream_finish(stream, &d.err), -1);
	CHECK_INT(d.err.kind, ERR_CANCELLED);
}

TEST(a_token_is_used_by_both_sides)
{
	cleanup(fini) struct duo d;
	struct ep_send_req req = duo_send_req("a");
	struct flow_sink sink = { 0 };
	struct ep_stream *stream;

	setup(&d, RPC_SENDER);
	req.token = "1-2-3";
	d.flow.bytes = 10;
	REQUIRE(d.client->ops->send(d.ctx, d.client, &req, &stream, &d.err) == 0);
	CHECK_INT(flow_drain(d.ctx, stream, &sink, &d.err), 0);
	CHECK_INT(stream_finish(stream, &d.err), 0);
	CHECK_STR(d.asked.v[d.asked.n - 1], "1-2-3 a");
}

/* ---- from here to there ---- */

static int push(struct duo *d, struct ctx *ctx, const char *fs, const struct flow *flow,
		struct err *finished)
{
	struct ep_recv_req req = duo_recv_req(fs);
	atomic_uint_fast64_t moved = 0;
	struct ep_stream *in = flow_new(flow);
	int r;

	req.moved = &moved;
	atomic_store(&d->received, 0);
	r = d->client->ops->receive(ctx, d->client, &req, in, &d->err);
	if (stream_finish(in, finished) == 0)
		CHECK_INT(atomic_load(&moved), flow->bytes);
	return r;
}

TEST(streams_of_all_sizes_are_pushed)
{
	cleanup(fini) struct duo d;
	cleanup(err_clear) struct err finished = ERR_INIT;

	setup(&d, RPC_RECEIVER);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct flow flow = { .bytes = sizes[i] };

		d.sink.peek = i % 2 ? 1000 : 0;
		CHECK_INT(push(&d, d.ctx, "a", &flow, &finished), 0);
		CHECK_INT(finished.kind, ERR_NONE);
		CHECK_INT(atomic_load(&d.received), sizes[i]);
	}
	CHECK_INT(fake_net_dials(&d.net), ARRAY_LEN(sizes));
}

TEST(a_stream_of_one_byte_is_not_pushed)
{
	cleanup(fini) struct duo d;
	cleanup(err_clear) struct err finished = ERR_INIT;
	struct flow flow = { .bytes = 1 };

	setup(&d, RPC_RECEIVER);
	CHECK_INT(push(&d, d.ctx, "a", &flow, &finished), -1);
	CHECK_INT(d.err.kind, ERR_INVALID);
	CHECK_STR(err_msg(&d.err), "the stream is one byte long");
}

TEST(a_source_that_fails_here_fails_the_receive_there)
{
	cleanup(fini) struct duo d;
	cleanup(err_clear) struct err finished = ERR_INIT;
	struct flow flow = { .bytes = 700000, .error = "cannot send: I/O error" };

	setup(&d, RPC_RECEIVER);
	CHECK_INT(push(&d, d.ctx, "a", &flow, &finished), -1);
	CHECK_INT(d.err.kind, ERR_REMOTE);
	CHECK(strncmp(err_msg(&d.err), "cannot receive: ", 16) == 0);
	CHECK(strstr(err_msg(&d.err), "cannot send: I/O error") != NULL);
	CHECK_STR(err_msg(&finished), "cannot send: I/O error");
	CHECK_INT(atomic_load(&d.failed_after), 700000);
}

TEST(a_receiver_that_fails_early_is_heard_while_the_stream_goes_on)
{
	cleanup(fini) struct duo d;
	cleanup(err_clear) struct err finished = ERR_INIT;
	struct flow endless = { .bytes = SIZE_MAX };

	setup(&d, RPC_RECEIVER);
	CHECK_INT(push(&d, d.ctx, "full", &endless, &finished), -1);
	CHECK_INT(d.err.kind, ERR_REMOTE);
	CHECK_STR(err_msg(&d.err), "cannot receive: disk full");
	CHECK_INT(finished.kind, ERR_CANCELLED);
}

TEST(a_receiver_that_fails_in_the_middle_is_heard_as_well)
{
	cleanup(fini) struct duo d;
	cleanup(err_clear) struct err finished = ERR_INIT;
	struct flow endless = { .bytes = SIZE_MAX };

	setup(&d, RPC_RECEIVER);
	d.sink.stop_after = 3000000;
	CHECK_INT(push(&d, d.ctx, "a", &endless, &finished), -1);
	CHECK_INT(d.err.kind, ERR_REMOTE);
	CHECK_STR(err_msg(&d.err), "cannot receive: disk full");
}

TEST(a_receiver_that_fails_at_the_end_is_heard_in_its_own_words)
{
	cleanup(fini) struct duo d;
	cleanup(err_clear) struct err finished = ERR_INIT;
	struct flow flow = { .bytes = 1000 };
	struct buf text = { 0 };

	setup(&d, RPC_RECEIVER);
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, "%05d ", i);
	d.receive_error = buf_str(&text);
	CHECK_INT(push(&d, d.ctx, "a", &flow, &finished), -1);
	CHECK_INT(d.err.kind, ERR_REMOTE);
	CHECK_INT(strlen(err_msg(&d.err)), 32753); /* what a peer accepts */
	d.receive_error = "\xff";
	CHECK_INT(push(&d, d.ctx, "a", &flow, &finished), -1);
	CHECK_STR(err_msg(&d.err), "\xef\xbf\xbd");
	d.receive_error = "";
	CHECK_INT(push(&d, d.ctx, "a", &flow, &finished), -1);
	CHECK_STR(err_msg(&d.err), "the peer does not say why");
	buf_free(&text);
}

TEST(whether_to_drop_a_partial_receive_is_told)
{
	cleanup(fini) struct duo d;
	struct ep_recv_req req = duo_recv_req("a");
	struct flow flow = { .bytes = 10 };
	struct ep_stream *in = flow_new(&flow);

	setup(&d, RPC_RECEIVER);
	req.clear_token = false;
	CHECK_INT(d.client->ops->receive(d.ctx, d.client, &req, in, &d.err), 0);
	CHECK_INT(stream_finish(in, &d.err), 0);
	CHECK_STR(d.asked.v[d.asked.n - 1], "resume a");
}

/* ---- interruptions ---- */

struct interruption {
	sem_t *when;
	struct fake_net *cut; /* NULL: */
	struct ctx *cancel;
};

static void interrupt(void *arg)
{
	struct interruption *i = arg;

	while (sem_wait(i->when) < 0)
		;
	if (i->cut)
		fake_net_cut(i->cut);
	else
		ctx_cancel(i->cancel);
}

/* A stream without end that is interrupted. */
static void push_until(struct duo *d, struct ctx *ctx, struct interruption *i)
{
	cleanup(err_clear) struct err finished = ERR_INIT;
	struct flow endless = { .bytes = SIZE_MAX };
	struct thread thread = { 0 };

	i->when = &d->streaming;
	thread_start(&thread, "interruption", interrupt, i);
	CHECK_INT(push(d, ctx, "a", &endless, &finished), -1);
	thread_join(&thread);
	CHECK_INT(finished.kind, ERR_CANCELLED);
}

static void fetch_until(struct duo *d, struct ctx *ctx, struct interruption *i)
{
	struct flow_sink sink = { .moved = &d->streaming };
	struct thread thread = { 0 };
	int finished = 0;

	d->flow.bytes = SIZE_MAX;
	i->when = &d->streaming;
	thread_start(&thread, "interruption", interrupt, i);
	CHECK_INT(fetch(d, ctx, &sink, &finished), -1);
	thread_join(&thread);
	CHECK_INT(finished, -1);
}

TEST(a_push_that_is_cancelled_ends_at_once)
{
	cleanup(fini) struct duo d;
	struct ctx *mine;

	setup(&d, RPC_RECEIVER);
	mine = ctx_new(d.ctx);
	push_until(&d, mine, &(struct interruption){ .cancel = mine });
	CHECK_INT(d.err.kind, ERR_CANCELLED);
	ctx_free(mine);
}

TEST(a_fetch_that_is_cancelled_ends_at_once)
{
	cleanup(fini) struct duo d;
	struct ctx *mine;

	setup(&d, RPC_SENDER);
	mine = ctx_new(d.ctx);
	fetch_until(&d, mine, &(struct interruption){ .cancel = mine });
	CHECK_INT(d.err.kind, ERR_CANCELLED);
	ctx_free(mine);
}

TEST(a_push_ends_when_the_server_stops)
{
	cleanup(fini) struct duo d;

	setup(&d, RPC_RECEIVER);
	push_until(&d, d.ctx, &(struct interruption){ .cancel = d.server_ctx });
	CHECK_INT(d.err.kind, ERR_NETWORK); /* it may be back soon: worth another try */
}

TEST(a_fetch_ends_when_the_server_stops)
{
	cleanup(fini) struct duo d;

	setup(&d, RPC_SENDER);
	fetch_until(&d, d.ctx, &(struct interruption){ .cancel = d.server_ctx });
	CHECK_INT(d.err.kind, ERR_NETWORK);
}

TEST(a_push_that_is_cut_is_a_trouble_of_the_network_and_the_next_one_works)
{
	cleanup(fini) struct duo d;
	cleanup(err_clear) struct err finished = ERR_INIT;
	struct flow flow = { .bytes = 1000000 };

	setup(&d, RPC_RECEIVER);
	push_until(&d, d.ctx, &(struct interruption){ .cut = &d.net });
	CHECK_INT(d.err.kind, ERR_NETWORK);
	err_clear(&d.err);
	CHECK_INT(d.client->ops->ping(d.ctx, d.client, &d.err), 0);
	CHECK_INT(push(&d, d.ctx, "a", &flow, &finished), 0);
	CHECK_INT(atomic_load(&d.received), 1000000);
	duo_stop_server(&d);
	CHECK_INT(fake_logged(&d.w, "failed"), 1); /* not once more for the connection */
}

TEST(a_fetch_that_is_cut_is_a_trouble_of_the_network_and_the_next_one_works)
{
	cleanup(fini) struct duo d;
	struct flow_sink sink = { 0 };
	int finished = -1;

	setup(&d, RPC_SENDER);
	fetch_until(&d, d.ctx, &(struct interruption){ .cut = &d.net });
	CHECK_INT(d.err.kind, ERR_NETWORK);
	err_clear(&d.err);
	CHECK_INT(d.client->ops->ping(d.ctx, d.client, &d.err), 0);
	d.flow.bytes = 1000000;
	CHECK_INT(fetch(&d, d.ctx, &sink, &finished), 0);
	CHECK_INT(finished, 0);
	CHECK_INT(atomic_load(&sink.got), 1000000);
	duo_stop_server(&d);
	CHECK_INT(fake_logged(&d.w, "failed"), 1);
}

TEST_MAIN()
