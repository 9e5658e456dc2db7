#include "job/local.h"
#include "tap.h"

static struct receiver *sink(const char *root_fs, const struct conf_recv *recv)
{
	return receiver_new(&(struct receiver_opts){
		.job = "backup", .root_fs = root_fs, .recv = recv });
}

TEST(a_client_gets_the_sink_of_that_name)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	const struct conf_connect c = { .listener_name = "b", .client_identity = "me" };
	const struct conf_connect bad = { .listener_name = "b",
					  .client_identity = "a/b" };
	const struct conf_recv recv = { .n_inherit = 0 };
	struct local_offers l = { 0 };
	struct receiver *a = sink("pool/a", &recv), *b = sink("pool/b", &recv);
	struct endpoint *e;

	local_offer(&l, "a", a);
	local_offer(&l, "b", b);
	e = local_connect(&l, &c, &err);
	CHECK(e != NULL);
	CHECK(e && e->ops->ping && e->ops->receive);
	ep_close(e);
	CHECK(local_connect(&l, &bad, &err) == NULL);
	CHECK_INT(err.kind, ERR_INVALID);
	local_offers_free(&l);
	receiver_free(a);
	receiver_free(b);
}

TEST(where_nobody_listens_every_question_says_so)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	const struct conf_connect c = { .listener_name = "b", .client_identity = "me" };
	const struct local_offers none = { 0 };
	const struct strs names = { 0 };
	const struct ep_recv_req req = { .fs = "tank/a" };
	const char *const why = "local listener \"b\" not reachable";
	struct ep_filesystems filesystems = { 0 };
	struct ep_version_lists versions = { 0 };
	struct ep_destroy_results results = { 0 };
	struct endpoint *e = local_connect(&none, &c, &err);

	REQUIRE(e != NULL);
	CHECK_INT(e->ops->list_filesystems(ctx, e, &filesystems, &err), -1);
	CHECK_STR(err_msg(&err), why);
	CHECK_INT(e->ops->list_versions(ctx, e, &names, &versions, &err), -1);
	CHECK_STR(err_msg(&err), why);
	CHECK_INT(e->ops->receive(ctx, e, &req, NULL, &err), -1);
	CHECK_STR(err_msg(&err), why);
	CHECK_INT(e->ops->destroy_snapshots(ctx, e, "tank/a", &names, &results, &err),
		  -1);
	CHECK_STR(err_msg(&err), why);
	CHECK_INT(e->ops->ping(ctx, e, &err), -1);
	CHECK_STR(err_msg(&err), why);
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	ep_close(e);
}

TEST_MAIN()
