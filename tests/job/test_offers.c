#include "endpoint/receiver.h"
#include "job/offers.h"
#include "tap.h"

static struct receiver *sink(const char *root_fs, const struct conf_recv *recv)
{
	return receiver_new(&(struct receiver_opts){
		.job = "backup", .root_fs = root_fs, .recv = recv });
}

static struct endpoint *for_client(void *arg, const char *identity, struct err *err)
{
	return receiver_for(arg, identity, err);
}

static void offer_sink(struct offers *l, const char *name, struct receiver *r)
{
	offers_add(l, &(struct offer){ name, RPC_RECEIVER, for_client, r });
}

TEST(a_client_gets_the_job_of_that_name)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	const struct conf_connect c = { .listener_name = "b", .client_identity = "me" };
	const struct conf_connect bad = { .listener_name = "b",
					  .client_identity = "a/b" };
	const struct conf_recv recv = { .n_inherit = 0 };
	struct offers l = { 0 };
	struct receiver *a = sink("pool/a", &recv), *b = sink("pool/b", &recv);
	struct endpoint *e;

	offer_sink(&l, "a", a);
	offer_sink(&l, "b", b);
	e = offers_connect(&l, &c, RPC_RECEIVER, &err);
	CHECK(e != NULL);
	CHECK(e && e->ops->ping && e->ops->receive);
	ep_close(e);
	CHECK(offers_connect(&l, &bad, RPC_RECEIVER, &err) == NULL);
	CHECK_INT(err.kind, ERR_INVALID);
	offers_free(&l);
	receiver_free(a);
	receiver_free(b);
}

/* Whatever is asked, the answer is that and ERR_NOT_FOUND. */
static void check_nobody(struct endpoint *e, const char *why)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	const struct strs names = { 0 };
	const struct ep_recv_req recv = { .fs = "tank/a" };
	const struct ep_send_req send = { .fs = "tank/a" };
	struct ep_filesystems filesystems = { 0 };
	struct ep_version_lists versions = { 0 };
	struct ep_destroy_results results = { 0 };
	struct ep_cursors cursors = { 0 };
	struct ep_stream *stream;
	uint64_t bytes;

#define CHECK_FAILS(call)                           \
	do {                                        \
		err_clear(&err);                    \
		CHECK_INT(call, -1);                \
		CHECK_STR(err_msg(&err), why);      \
		CHECK_INT(err.kind, ERR_NOT_FOUND); \
	} while (0)
	CHECK_FAILS(e->ops->list_filesystems(ctx, e, &filesystems, &err));
	CHECK_FAILS(e->ops->list_versions(ctx, e, &names, &versions, &err));
	CHECK_FAILS(e->ops->cursors(ctx, e, &names, &cursors, &err));
	CHECK_FAILS(e->ops->send_dry(ctx, e, &send, &bytes, &err));
	CHECK_FAILS(e->ops->send(ctx, e, &send, &stream, &err));
	CHECK_FAILS(e->ops->send_completed(ctx, e, &send, &err));
	CHECK_FAILS(e->ops->receive(ctx, e, &recv, NULL, &err));
	CHECK_FAILS(e->ops->destroy_snapshots(ctx, e, "tank/a", &names, &results, &err));
	CHECK_FAILS(e->ops->ping(ctx, e, &err));
}

TEST(where_nobody_listens_every_question_says_so)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	const struct conf_connect c = { .listener_name = "b", .client_identity = "me" };
	const struct offers none = { 0 };
	struct endpoint *e = offers_connect(&none, &c, RPC_RECEIVER, &err);

	REQUIRE(e != NULL);
	CHECK_STR(e->label, "receiver");
	check_nobody(e, "local listener \"b\" not reachable");
	ep_close(e);
}

TEST(a_job_of_the_wrong_kind_is_as_good_as_nobody)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	const struct conf_connect c = { .listener_name = "b", .client_identity = "me" };
	const struct conf_recv recv = { .n_inherit = 0 };
	struct receiver *b = sink("pool/b", &recv);
	struct offers l = { 0 };
	struct endpoint *e;

	offer_sink(&l, "b", b);
	e = offers_connect(&l, &c, RPC_SENDER, &err);
	REQUIRE(e != NULL);
	CHECK_STR(e->label, "sender");
	check_nobody(e, "local listener \"b\" not reachable: a sink serves it");
	ep_close(e);
	offers_free(&l);
	receiver_free(b);
}

TEST_MAIN()
