/* Our client and our server: questions. */
#include "base/vec.h"
#include "duo.h"
#include "rpc/control_client.h"
#include "tap.h"

static void fini(struct duo *d)
{
	duo_fini(d);
}

static void setup(struct duo *d, enum rpc_side served)
{
	duo_init(d, served);
	fake_sender(&d->w, "a", "@a1 #c1 @b2");
	fake_sender(&d->w, "a/b", "@b2");
	duo_start(d);
}

static void check_remote(const struct err *err, const char *text)
{
	CHECK_INT(err->kind, ERR_REMOTE);
	CHECK_STR(err_msg(err), text);
}

/* ---- filesystems and versions ---- */

TEST(filesystems_are_listed)
{
	cleanup(fini) struct duo d;
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };

	setup(&d, RPC_RECEIVER);
	fake_placeholder(&d.w.sender, "z");
	d.w.sender.fs.v[1].resume_token = xstrdup("1-2-3");
	REQUIRE(ep_list_filesystems(d.ctx, d.client, &l, &d.err) == 0);
	REQUIRE(l.n == 3);
	CHECK_STR(l.v[0].path, "a");
	CHECK(!l.v[0].is_placeholder && !l.v[0].resume_token);
	CHECK_STR(l.v[1].path, "a/b");
	CHECK_STR(l.v[1].resume_token, "1-2-3");
	CHECK_STR(l.v[2].path, "z");
	CHECK(l.v[2].is_placeholder);
	CHECK_STR(d.asked.v[0], "endpoint client1");
}

TEST(versions_of_each_filesystem_come_sorted_or_with_its_error)
{
	cleanup(fini) struct duo d;
	cleanup(strs_free) struct strs paths = { 0 };
	cleanup(ep_version_lists_free) struct ep_version_lists l = { 0 };
	cleanup(str_freep) char *of_a = NULL;

	setup(&d, RPC_SENDER);
	strs_add(&paths, "a/b");
	strs_add(&paths, "missing");
	strs_add(&paths, "a");
	REQUIRE(ep_list_versions(d.ctx, d.client, &paths, &l, &d.err) == 0);
	REQUIRE(l.n == 3);
	CHECK_STR(l.v[0].path, "a/b");
	CHECK_INT(l.v[0].versions.n, 1);
	check_remote(&l.v[1].err, "dataset does not exist");
	of_a = fake_versions_text(&l.v[2].versions);
	CHECK_STR(of_a, "#c1 @a1 @b2");
	CHECK_INT(l.v[2].versions.v[2].creation_s, 2);
}

TEST(what_is_asked_of_many_filesystems_is_few_questions_to_the_endpoint)
{
	enum { MANY = 600 };
	cleanup(fini) struct duo d;
	cleanup(strs_free) struct strs paths = { 0 };
	cleanup(ep_version_lists_free) struct ep_version_lists l = { 0 };

	duo_init(&d, RPC_SENDER);
	for (int i = 0; i < MANY; i++) {
		strs_addf(&paths, "tank/%04d", i);
		fake_sender(&d.w, paths.v[i], "@a1 @b2 @c3");
	}
	duo_start(&d);
	REQUIRE(ep_list_versions(d.ctx, d.client, &paths, &l, &d.err) == 0);
	REQUIRE(l.n == MANY);
	for (size_t i = 0; i < l.n; i++) {
		CHECK_STR(l.v[i].path, paths.v[i]);
		CHECK_INT(l.v[i].versions.n, 3);
	}
	CHECK_INT(fake_net_dials(&d.net), 1);
	CHECK(d.w.n_ops[OP_SENDER_VERSIONS] < MANY / 2);
}

TEST(a_list_of_many_filesystems_arrives)
{
	enum { MANY = 20000 };
	cleanup(fini) struct duo d;
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };
	char path[32];

	duo_init(&d, RPC_SENDER);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "tank/data/%05d", i);
		fake_sender(&d.w, path, "");
	}
	duo_start(&d);
	REQUIRE(ep_list_filesystems(d.ctx, d.client, &l, &d.err) == 0);
	REQUIRE(l.n == MANY);
	CHECK_STR(l.v[MANY - 1].path, "tank/data/19999");
}

static void add_versions(struct duo *d, size_t n)
{
	struct versions *l = &d->w.sender.versions.v[0].versions;

	for (size_t i = 10; i < n + 10; i++)
		versions_add(l, (struct version){ .name = xasprintf("zrepl_%07zu", i),
						  .guid = UINT64_MAX - i,
						  .createtxg = i,
						  .creation_s = 1795326669 });
}

TEST(a_long_list_of_versions_arrives_and_one_too_long_is_an_error)
{
	cleanup(fini) struct duo d;
	cleanup(strs_free) struct strs paths = { 0 };
	cleanup(ep_version_lists_free) struct ep_version_lists l = { 0 };

	duo_init(&d, RPC_SENDER);
	fake_sender(&d.w, "a", "");
	add_versions(&d, 50000);
	duo_start(&d);
	strs_add(&paths, "a");
	REQUIRE(ep_list_versions(d.ctx, d.client, &paths, &l, &d.err) == 0);
	REQUIRE(l.n == 1);
	CHECK_INT(l.v[0].versions.n, 50000);

	pthread_mutex_lock(&d.w.lock);
	add_versions(&d, 50000);
	pthread_mutex_unlock(&d.w.lock);
	ep_version_lists_free(&l);
	REQUIRE(ep_list_versions(d.ctx, d.client, &paths, &l, &d.err) == 0);
	REQUIRE(l.n == 1);
	CHECK_INT(l.v[0].err.kind, ERR_REMOTE);
	CHECK(strstr(err_msg(&l.v[0].err), "no more than 4194304 can be sent") != NULL);
}

/* ---- the other questions ---- */

TEST(cursors_are_there_or_not_or_failed)
{
	cleanup(fini) struct duo d;
	cleanup(strs_free) struct strs paths = { 0 };
	cleanup(ep_cursors_free) struct ep_cursors l = { 0 };

	setup(&d, RPC_SENDER);
	strs_add(&paths, "a");
	strs_add(&paths, "a/b");
	strs_add(&paths, "missing");
	REQUIRE(ep_list_cursors(d.ctx, d.client, &paths, &l, &d.err) == 0);
	REQUIRE(l.n == 3);
	CHECK(l.v[0].exists && l.v[0].guid == 7);
	CHECK(!l.v[1].exists && l.v[1].err.kind == ERR_NONE);
	check_remote(&l.v[2].err, "dataset does not exist");
}

TEST(snapshots_are_destroyed_each_with_its_result)
{
	cleanup(fini) struct duo d;
	cleanup(strs_free) struct strs names = { 0 };
	cleanup(ep_destroy_results_free) struct ep_destroy_results r = { 0 };
	const struct endpoint_ops *ops;

	setup(&d, RPC_RECEIVER);
	ops = d.client->ops;
	strs_add(&names, "x");
	strs_add(&names, "held");
	strs_add(&names, "y");
	REQUIRE(ops->destroy_snapshots(d.ctx, d.client, "a", &names, &r, &d.err) == 0);
	REQUIRE(r.n == 3);
	CHECK_INT(r.v[0].kind, ERR_NONE);
	check_remote(&r.v[1], "snapshot is held");
	CHECK_INT(r.v[2].kind, ERR_NONE);

	CHECK_INT(ops->destroy_snapshots(d.ctx, d.client, "missing", &names, &r, &d.err),
		  -1);
	check_remote(&d.err, "dataset does not exist");
}

TEST(many_snapshots_are_destroyed_in_several_requests)
{
	enum { MANY = 17000 };
	cleanup(fini) struct duo d;
	cleanup(strs_free) struct strs names = { 0 };
	cleanup(ep_destroy_results_free) struct ep_destroy_results r = { 0 };

	setup(&d, RPC_RECEIVER);
	for (int i = 0; i < MANY; i++)
		strs_addf(&names, "%05d", i);
	REQUIRE(d.client->ops->destroy_snapshots(d.ctx, d.client, "a", &names, &r,
						 &d.err) == 0);
	CHECK_INT(r.n, MANY);
	CHECK_INT(d.asked.n, 4); /* the endpoint, and three times destroy */
}

TEST(an_estimate_and_a_confirmation_reach_the_sender)
{
	cleanup(fini) struct duo d;
	struct ep_send_req req = duo_send_req("a");
	uint64_t bytes = 0;

	setup(&d, RPC_SENDER);
	d.w.payload = 4711;
	REQUIRE(d.client->ops->send_dry(d.ctx, d.client, &req, &bytes, &d.err) == 0);
	CHECK_INT(bytes, 4711);
	REQUIRE(d.client->ops->send_completed(d.ctx, d.client, &req, &d.err) == 0);
	REQUIRE(d.w.calls.n == 1);
	CHECK_STR(d.w.calls.v[0], "completed a @b2");
}

TEST(what_the_endpoint_fails_with_is_told_in_its_words)
{
	cleanup(fini) struct duo d;
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };
	struct ep_send_req req = duo_send_req("a");
	uint64_t bytes;

	setup(&d, RPC_SENDER);
	fake_fail(&d.w, OP_SENDER_LIST, NULL, ERR_NETWORK,
		  "pool\nis 100% gone: caf\xc3\xa9");
	fake_fail(&d.w, OP_DRY, NULL, ERR_TIMEOUT, "zfs is silent");
	fake_fail(&d.w, OP_COMPLETED, NULL, ERR_PROTOCOL, "bookmark exists");
	CHECK_INT(d.client->ops->list_filesystems(d.ctx, d.client, &l, &d.err), -1);
	check_remote(&d.err, "pool\nis 100% gone: caf\xc3\xa9");
	CHECK_INT(d.client->ops->send_dry(d.ctx, d.client, &req, &bytes, &d.err), -1);
	check_remote(&d.err, "zfs is silent");
	CHECK_INT(d.client->ops->send_completed(d.ctx, d.client, &req, &d.err), -1);
	check_remote(&d.err, "bookmark exists"); /* not as if the request were bad */
	CHECK(fake_logged(&d.w, "request failed method=control:///Replication/SendDry "
				"client_identity=client1 err=zfs is silent") == 1);
}

TEST(a_long_name_of_a_method_nobody_knows_does_not_fill_the_log)
{
	cleanup(fini) struct duo d;
	const struct log none = { 0 };
	struct control_client *c;
	struct control_call call = { .request = { 0 } };
	cleanup(str_freep) char *line = NULL;
	char method[8000] = { 0 };

	memset(method, 'x', sizeof(method) - 1);
	setup(&d, RPC_SENDER);
	c = control_client_open(&d.net.connector, &d.env, &none);
	CHECK_INT(control_calls(d.ctx, c, method, &call, 1, &d.err), 0);
	CHECK_INT(call.err.kind, ERR_PROTOCOL);
	line = xasprintf(
		"request failed method=/Replication/%.86s client_identity=client1 "
		"err=unknown method /Replication/%.86s",
		method, method);
	duo_wait_for_log(&d, line);
	/* that it is asked, and what comes of it */
	CHECK_INT(fake_logged(&d.w, "xxx"), 2);
	CHECK_INT(fake_logged(&d.w, method), 0);
	err_clear(&call.err);
	control_client_close(c);
}

/* Each other side's operations, asked of the one that has them not. */
TEST(a_receiver_refuses_what_only_a_sender_can)
{
	cleanup(fini) struct duo d;
	cleanup(strs_free) struct strs paths = { 0 };
	cleanup(ep_cursors_free) struct ep_cursors cursors = { 0 };
	struct ep_send_req req = duo_send_req("a");
	struct ep_stream *stream;
	struct endpoint *asks;
	uint64_t bytes;

	setup(&d, RPC_RECEIVER);
	asks = rpc_client_new(
		&(struct rpc_client_opts){ RPC_SENDER, &d.net.connector, &d.env, { 0 } });
	strs_add(&paths, "a");
	REQUIRE(asks->ops->cursors(d.ctx, asks, &paths, &cursors, &d.err) == 0);
	check_remote(&cursors.v[0].err,
		     "a receiver cannot be asked for a replication cursor");
	CHECK_INT(asks->ops->send_dry(d.ctx, asks, &req, &bytes, &d.err), -1);
	check_remote(&d.err, "a receiver cannot be asked to send");
	CHECK_INT(asks->ops->send(d.ctx, asks, &req, &stream, &d.err), -1);
	check_remote(&d.err, "a receiver cannot be asked to send");
	CHECK_INT(asks->ops->send_completed(d.ctx, asks, &req, &d.err), 0);
	ep_close(asks);
}

TEST(a_sender_refuses_to_receive)
{
	cleanup(fini) struct duo d;
	cleanup(err_clear) struct err finished = ERR_INIT;
	struct ep_recv_req req = duo_recv_req("a");
	struct flow flow = { .bytes = SIZE_MAX };
	struct ep_stream *in = flow_new(&flow);
	struct endpoint *asks;

	setup(&d, RPC_SENDER);
	asks = rpc_client_new(&(struct rpc_client_opts){
		RPC_RECEIVER, &d.net.connector, &d.env, { 0 } });
	CHECK_INT(asks->ops->receive(d.ctx, asks, &req, in, &d.err), -1);
	check_remote(&d.err, "a sender cannot be asked to receive");
	CHECK_INT(stream_finish(in, &finished), -1);
	ep_close(asks);
}

struct canceller {
	struct duo *d;
	struct ctx *ctx; /* to be cancelled; NULL: the connections are cut */
};

/* ---- reaching the other side ---- */

TEST(ping_asks_both_kinds_of_connection)
{
	cleanup(fini) struct duo d;

	setup(&d, RPC_SENDER);
	CHECK_INT(d.client->ops->ping(d.ctx, d.client, &d.err), 0);
	CHECK_INT(fake_net_dials(&d.net), 2);
	CHECK(fake_logged(&d.w, "request method=control:///Replication/Ping") == 1);
	CHECK(fake_logged(&d.w, "request method=data:///v1/ping") == 1);
}

TEST(ping_goes_on_until_somebody_is_there)
{
	cleanup(fini) struct duo d;

	setup(&d, RPC_SENDER);
	fake_net_refuse(&d.net, 8, ERR_NETWORK);
	CHECK_INT(d.client->ops->ping(d.ctx, d.client, &d.err), 0);
	CHECK(fake_net_dials(&d.net) >= 10);
}

TEST(ping_gives_up_at_once_where_waiting_is_of_no_use)
{
	cleanup(fini) struct duo d;

	setup(&d, RPC_SENDER);
	fake_net_refuse(&d.net, SIZE_MAX, ERR_DENIED);
	CHECK_INT(d.client->ops->ping(d.ctx, d.client, &d.err), -1);
	CHECK_INT(d.err.kind, ERR_DENIED);
	CHECK(strstr(err_msg(&d.err), "connection refused") != NULL);
}

/* So many that each of the two has failed at least once. */
static void cancel_after_refusals(void *arg)
{
	struct canceller *c = arg;

	for (int i = 0; i < 10; i++)
		while (sem_wait(&c->d->net.refused) < 0)
			;
	ctx_cancel(c->ctx);
}

TEST(ping_ends_with_its_ctx_and_says_what_was_in_the_way)
{
	cleanup(fini) struct duo d;
	struct canceller c = { .d = &d };
	struct thread thread = { 0 };

	setup(&d, RPC_SENDER);
	c.ctx = ctx_new(d.ctx);
	fake_net_refuse(&d.net, SIZE_MAX, ERR_NETWORK);
	thread_start(&thread, "canceller", cancel_after_refusals, &c);
	CHECK_INT(d.client->ops->ping(c.ctx, d.client, &d.err), -1);
	thread_join(&thread);
	CHECK_INT(d.err.kind, ERR_CANCELLED);
	CHECK(strstr(err_msg(&d.err), "cancelled; last: ") != NULL);
	CHECK(strstr(err_msg(&d.err), "connection refused") != NULL);
	ctx_free(c.ctx);
}

TEST(a_question_that_nobody_can_be_asked_is_a_trouble_of_the_network)
{
	cleanup(fini) struct duo d;
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };

	setup(&d, RPC_SENDER);
	fake_net_refuse(&d.net, 1, ERR_NETWORK);
	CHECK_INT(ep_list_filesystems(d.ctx, d.client, &l, &d.err), -1);
	CHECK_INT(d.err.kind, ERR_NETWORK);
	err_clear(&d.err);
	CHECK_INT(ep_list_filesystems(d.ctx, d.client, &l, &d.err), 0);
}

/* ---- interruptions ---- */

/* As soon as the endpoint is at work. */
static void cancel_when_blocked(void *arg)
{
	struct canceller *c = arg;

	while (sem_wait(&c->d->w.blocked) < 0)
		;
	if (c->ctx)
		ctx_cancel(c->ctx);
	else
		fake_net_cut(&c->d->net);
}

/* Asks while the endpoint blocks. */
static int interrupted(struct duo *d, struct ctx *ctx, struct ctx *cancelled)
{
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };
	struct canceller c = { d, cancelled };
	struct thread thread = { 0 };
	int r;

	fake_block(&d->w, OP_SENDER_LIST, NULL);
	thread_start(&thread, "canceller", cancel_when_blocked, &c);
	r = d->client->ops->list_filesystems(ctx, d->client, &l, &d->err);
	thread_join(&thread);
	return r;
}

TEST(a_question_ends_with_its_ctx)
{
	cleanup(fini) struct duo d;
	struct ctx *mine;

	setup(&d, RPC_SENDER);
	mine = ctx_new(d.ctx);
	CHECK_INT(interrupted(&d, mine, mine), -1);
	CHECK_INT(d.err.kind, ERR_CANCELLED);
	ctx_free(mine);
	fake_open(&d.w);
}

TEST(a_question_ends_with_the_server)
{
	cleanup(fini) struct duo d;

	setup(&d, RPC_SENDER);
	CHECK_INT(interrupted(&d, d.ctx, d.server_ctx), -1);
	CHECK(d.err.kind == ERR_NETWORK || d.err.kind == ERR_REMOTE);
}

TEST(after_a_cut_the_next_question_dials_anew)
{
	cleanup(fini) struct duo d;
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };

	setup(&d, RPC_SENDER);
	CHECK_INT(interrupted(&d, d.ctx, NULL), -1);
	CHECK_INT(d.err.kind, ERR_NETWORK);
	fake_open(&d.w);
	err_clear(&d.err);
	CHECK_INT(d.client->ops->ping(d.ctx, d.client, &d.err), 0);
	CHECK_INT(ep_list_filesystems(d.ctx, d.client, &l, &d.err), 0);
	CHECK_INT(l.n, 2);
}

TEST_MAIN()
