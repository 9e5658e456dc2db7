#include "bench.h"

#include "tap.h"

#include "base/thread.h"

#include <fcntl.h>
#include <unistd.h>

#define RECEIVED "{zrepl_last_received_J_s}"
#define GAP      " zrepl:placeholder=on mountpoint=none"

static const enum protection resumability = PROTECTION_RESUMABILITY,
			     nothing = PROTECTION_NOTHING;

static void two_snapshots(void)
{
	REQUIRE(sim("sim-version tank/a@1 1"));
	REQUIRE(sim("sim-version tank/a@2 2"));
}

/* @1 is received; @2 is not. */
static void received_once(struct bench *b)
{
	struct version v1 = ver("@1", 1);

	two_snapshots();
	REQUIRE(step(b, NULL, &v1, resumability) == 0);
}

/* A full receive of tank/a@1. */
static int receive_first(struct bench *b)
{
	struct version v1 = ver("@1", 1);
	struct ep_send_req req = send_req(NULL, &v1, nothing);
	struct ep_recv_req recv = recv_req(&v1, resumability);

	return transfer(b, &req, &recv);
}

/* The same for @1 -> @2. */
static int receive_next(struct bench *b)
{
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req req = send_req(&v1, &v2, nothing);
	struct ep_recv_req recv = recv_req(&v2, resumability);

	return transfer(b, &req, &recv);
}

/* ---- names ---- */

TEST(a_client_can_name_nothing_outside_of_its_root)
{
	static const char *const paths[] = {
		"",
		".",
		"..",
		"../other",
		"a/../../other",
		"a/..",
		"/backup/other",
		"/",
		"a/",
		"a//b",
		"./a",
		"@1",
		"a@1",
		"a#1",
		"a%b",
		"a\nb",
		"a\tb",
		"a,b",
		"a*",
		"a/\xc3\xa4",
	};
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1);
	struct ep_recv_req req = recv_req(&v1, resumability);
	struct ep_stream unread = { .fd = -1 };
	const struct endpoint_ops *ops;

	bench_start(&b);
	ops = b.client->ops;
	REQUIRE(sim("create -p backup/other/a") && sim("sim-version backup/other@1 1"));
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		cleanup(ep_destroy_results_free) struct ep_destroy_results done = { 0 };
		cleanup(ep_version_lists_free) struct ep_version_lists l = { 0 };
		cleanup(strs_free) struct strs names = { 0 }, list = { 0 };

		strs_add(&names, "1");
		strs_add(&list, paths[i]);
		req.fs = paths[i];
		COSTS(&b, 0,
		      CHECK_INT(ops->receive(b.ctx, b.client, &req, &unread, &b.err),
				-1));
		CHECK_ERR(&b, ERR_INVALID, "dataset \"");
		COSTS(&b, 0,
		      CHECK_INT(ops->destroy_snapshots(b.ctx, b.client, paths[i], &names,
						       &done, &b.err),
				-1));
		CHECK_ERR(&b, ERR_INVALID, "dataset \"");
		COSTS(&b, 0,
		      CHECK_INT(ops->list_versions(b.ctx, b.client, &list, &l, &b.err),
				0));
		REQUIRE(l.n == 1);
		CHECK_INT(l.v[0].err.kind, ERR_INVALID);
	}
	CHECK_SHOW("backup/other", "backup/other @1");
}

TEST(a_path_that_becomes_too_long_below_the_root_is_refused)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1);
	struct ep_recv_req req = recv_req(&v1, resumability);
	struct ep_stream unread = { .fd = -1 };
	char path[256];

	bench_start(&b);
	memset(path, 'a', sizeof(path));
	path[255 - 9 + 1] = '\0'; /* "backup/c/" */
	req.fs = path;
	COSTS(&b, 0,
	      CHECK_INT(b.client->ops->receive(b.ctx, b.client, &req, &unread, &b.err),
			-1));
	CHECK_ERR(&b, ERR_INVALID, "longer than 255 bytes");
	path[255 - 9] = '\0'; /* fits, but not with "@1" */
	COSTS(&b, 0,
	      CHECK_INT(b.client->ops->receive(b.ctx, b.client, &req, &unread, &b.err),
			-1));
	CHECK_ERR(&b, ERR_INVALID, "longer than 255 bytes");
}

TEST(only_sane_requests_to_receive_are_looked_at)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), mark = ver("#1", 1), evil = ver("@a@b", 1);
	struct ep_recv_req req = recv_req(&v1, PROTECTION_INVALID);
	struct ep_stream unread = { .fd = -1 };
	const struct endpoint_ops *ops;

	bench_start(&b);
	ops = b.client->ops;
	COSTS(&b, 0, CHECK_INT(ops->receive(b.ctx, b.client, &req, &unread, &b.err), -1));
	CHECK_ERR(&b, ERR_INVALID, "unknown protection");
	req = recv_req(&mark, resumability);
	COSTS(&b, 0, CHECK_INT(ops->receive(b.ctx, b.client, &req, &unread, &b.err), -1));
	CHECK_ERR(&b, ERR_INVALID, "only snapshots can be received");
	req = recv_req(&evil, resumability);
	COSTS(&b, 0, CHECK_INT(ops->receive(b.ctx, b.client, &req, &unread, &b.err), -1));
	CHECK_ERR(&b, ERR_INVALID, "backup/c/tank/a@a@b");
}

TEST(a_client_identity_is_one_component)
{
	static const char *const evil[] = { "", ".", "..", "a/b", "../x", "a@b", "a#b" };
	cleanup(bench_end) struct bench b = { 0 };

	bench_start(&b);
	for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
		CHECK(receiver_for(b.receiver, evil[i], &b.err) == NULL);
		CHECK_ERR(&b, ERR_INVALID, "client identity: ");
	}
}

/* ---- listing ---- */

TEST(a_client_sees_what_is_below_its_root_and_nothing_else)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };

	bench_start(&b);
	REQUIRE(sim("create -p backup/c/tank/a") && sim("create -p backup/c2/tank/x") &&
		sim("set zrepl:placeholder=on backup/c") &&
		sim("set zrepl:placeholder=on backup/c/tank") &&
		sim("set receive_resume_token=1-abc backup/c/tank/a"));
	COSTS(&b, 1,
	      CHECK_INT(b.client->ops->list_filesystems(b.ctx, b.client, &l, &b.err), 0));
	REQUIRE(l.n == 2);
	CHECK_STR(l.v[0].path, "tank");
	CHECK(l.v[0].is_placeholder && !l.v[0].resume_token);
	CHECK_STR(l.v[1].path, "tank/a");
	CHECK(!l.v[1].is_placeholder);
	CHECK_STR(l.v[1].resume_token, "1-abc");
}

TEST(a_client_that_was_never_here_has_an_empty_list)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };

	bench_start(&b);
	COSTS(&b, 2,
	      CHECK_INT(b.client->ops->list_filesystems(b.ctx, b.client, &l, &b.err), 0));
	CHECK_INT(l.n, 0);
}

TEST(without_root_fs_there_is_no_list)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };

	bench_start(&b);
	REQUIRE(sim("destroy backup"));
	CHECK_INT(b.client->ops->list_filesystems(b.ctx, b.client, &l, &b.err), -1);
	CHECK_ERR(&b, ERR_NOT_FOUND, "root_fs \"backup\" does not exist");
}

TEST(without_an_identity_root_fs_itself_is_the_root)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };
	struct endpoint *pull;

	bench_start(&b);
	REQUIRE(sim("create -p backup/tank/a"));
	pull = receiver_for(b.receiver, NULL, &b.err);
	REQUIRE(pull != NULL);
	CHECK_INT(pull->ops->list_filesystems(b.ctx, pull, &l, &b.err), 0);
	if (CHECK_INT(l.n, 2)) {
		CHECK_STR(l.v[0].path, "tank");
		CHECK_STR(l.v[1].path, "tank/a");
	}
	ep_close(pull);
}

TEST(versions_are_asked_for_by_the_senders_paths)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(ep_version_lists_free) struct ep_version_lists l = { 0 };
	cleanup(strs_free) struct strs paths = { 0 };

	bench_start(&b);
	received_once(&b);
	strs_add(&paths, "tank/missing");
	strs_add(&paths, "tank/a");
	COSTS(&b, 1,
	      CHECK_INT(b.client->ops->list_versions(b.ctx, b.client, &paths, &l, &b.err),
			0));
	REQUIRE(l.n == 2);
	CHECK_INT(l.v[0].err.kind, ERR_NOT_FOUND);
	CHECK_STR(err_msg(&l.v[0].err), "filesystem tank/missing does not exist");
	CHECK_STR(l.v[1].path, "tank/a");
	REQUIRE(l.v[1].versions.n == 1);
	CHECK_INT(l.v[1].versions.v[0].guid, 1);
}

/* ---- receiving ---- */

TEST(gaps_become_placeholders_and_what_is_received_is_held)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1);
	struct ep_send_req req = send_req(NULL, &v1, nothing);
	struct ep_recv_req recv = recv_req(&v1, resumability);
	atomic_uint_fast64_t moved = 0;

	bench_start(&b);
	two_snapshots();
	sim_set("SIMZFS_VERIFY", "1");
	recv.moved = &moved;
	CHECK_INT(transfer(&b, &req, &recv), 0);
	CHECK_INT(atomic_load(&moved), 1 << 20);
	CHECK_SHOW("backup", "backup");
	CHECK_SHOW("backup/c", "backup/c" GAP);
	CHECK_SHOW("backup/c/tank", "backup/c/tank" GAP);
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1" RECEIVED);
	CHECK_STR(buf_str(&b.logged),
		  "info endpoint created placeholder filesystem backup/c\n"
		  "info endpoint created placeholder filesystem backup/c/tank\n");
}

TEST(the_hold_moves_to_what_was_received_last)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req req = send_req(&v1, &v2, nothing);
	struct ep_recv_req recv = recv_req(&v2, resumability);
	struct ep_stream *s;

	bench_start(&b);
	received_once(&b);
	REQUIRE(sim("hold zrepl_last_received_J_other backup/c/tank/a@1") &&
		sim("hold keep backup/c/tank/a@1"));
	REQUIRE(b.sender->ops->send(b.ctx, b.sender, &req, &s, &b.err) == 0);
	/* list, recv, list, hold, who holds, release */
	COSTS(&b, 6,
	      CHECK_INT(b.client->ops->receive(b.ctx, b.client, &recv, s, &b.err), 0));
	CHECK_INT(drain(&b, s), 0);
	CHECK_SHOW("backup/c/tank/a",
		   "backup/c/tank/a @1{zrepl_last_received_J_other keep} @2" RECEIVED);
	CHECK_STR(err_msg(&b.err), "no error");
}

TEST(with_no_protection_the_old_hold_goes_too)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req req = send_req(&v1, &v2, nothing);
	struct ep_recv_req recv = recv_req(&v2, nothing);

	bench_start(&b);
	received_once(&b);
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1" RECEIVED);
	CHECK_INT(transfer(&b, &req, &recv), 0);
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1 @2");
}

TEST(the_first_receive_of_a_filesystem_is_protected_as_initial)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req full = send_req(NULL, &v1, nothing);
	struct ep_send_req next = send_req(&v1, &v2, nothing);
	struct ep_recv_req recv1 = recv_req(&v1, nothing), recv2 = recv_req(&v2, nothing);

	bench_start(&b);
	two_snapshots();
	recv1.protection.initial = recv2.protection.incremental = resumability;
	CHECK_INT(transfer(&b, &full, &recv1), 0);
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1" RECEIVED);
	CHECK_INT(transfer(&b, &next, &recv2), 0);
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1 @2" RECEIVED);
}

TEST(placeholder_encryption_must_be_configured_below_the_clients_root)
{
	cleanup(bench_end) struct bench b = { 0 };

	bench_start(&b);
	two_snapshots();
	b.recv.placeholder_encryption = PLACEHOLDER_ENCRYPTION_UNSPECIFIED;
	CHECK_INT(receive_first(&b), -1);
	CHECK_ERR(&b, ERR_INVALID,
		  "receive backup/c/tank/a@1: cannot create placeholder filesystem "
		  "backup/c/tank: recv.placeholder.encryption must be configured");
	CHECK_SHOW("backup/c", "backup/c" GAP);
	REQUIRE(sim("create backup/c/tank"));
	CHECK_INT(receive_first(&b), 0);
}

TEST(placeholders_can_be_kept_unencrypted)
{
	cleanup(bench_end) struct bench b = { 0 };

	bench_start(&b);
	two_snapshots();
	b.recv.placeholder_encryption = PLACEHOLDER_ENCRYPTION_OFF;
	CHECK_INT(receive_first(&b), 0);
	CHECK_SHOW("backup/c", "backup/c" GAP " encryption=off");
	CHECK_SHOW("backup/c/tank", "backup/c/tank" GAP " encryption=off");
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1" RECEIVED);
}

TEST(root_fs_and_its_pool_are_never_created)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct receiver *deep;
	struct endpoint *client;
	struct version v1 = ver("@1", 1);
	struct ep_recv_req req = recv_req(&v1, resumability);
	struct ep_stream unread = { .fd = -1 };

	bench_start(&b);
	REQUIRE(sim("destroy backup"));
	CHECK_INT(b.client->ops->receive(b.ctx, b.client, &req, &unread, &b.err), -1);
	CHECK_ERR(&b, ERR_NOT_FOUND,
		  "receive backup/c/tank/a@1: pool \"backup\" not imported");
	deep = receiver_new(&(struct receiver_opts){ .job = "s",
						     .root_fs = "tank/sink",
						     .recv = &b.recv,
						     .zfs = b.zfs,
						     .env = &b.env });
	client = receiver_for(deep, "c", &b.err);
	REQUIRE(client != NULL);
	CHECK_INT(client->ops->receive(b.ctx, client, &req, &unread, &b.err), -1);
	CHECK_ERR(&b, ERR_NOT_FOUND, "root_fs \"tank/sink\" does not exist");
	ep_close(client);
	receiver_free(deep);
}

TEST(a_snapshot_with_another_guid_than_announced_is_an_error_and_not_held)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), announced = ver("@1", 77);
	struct ep_send_req req = send_req(NULL, &v1, nothing);
	struct ep_recv_req recv = recv_req(&announced, resumability);

	bench_start(&b);
	two_snapshots();
	CHECK_INT(transfer(&b, &req, &recv), -1);
	CHECK_ERR(&b, ERR_INVALID,
		  "receive backup/c/tank/a@1: verify: @1 is another one: its guid is 1, "
		  "asked for was 77");
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1");
}

TEST(the_old_hold_stays_when_the_new_one_cannot_be_made)
{
	cleanup(bench_end) struct bench b = { 0 };

	bench_start(&b);
	received_once(&b);
	sim_set("SIMZFS_FAIL", "hold ");
	CHECK_INT(receive_next(&b), -1);
	CHECK_ERR(&b, ERR_CHILD, "receive backup/c/tank/a@2: protect: ");
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1" RECEIVED " @2");
	sim_set("SIMZFS_FAIL", "release");
	REQUIRE(sim("destroy backup/c/tank/a@2"));
	CHECK_INT(receive_next(&b), 0);
	CHECK(strstr(buf_str(&b.logged), "release old holds on backup/c/tank/a: "));
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1" RECEIVED " @2" RECEIVED);
}

/* ---- replacing placeholders ---- */

#define TARGET_GAP "backup/c/tank/a zrepl:placeholder=on"

/* tank/a was a gap until now. */
static void target_is_placeholder(void)
{
	REQUIRE(sim("create -p backup/c/tank/a"));
	REQUIRE(sim("set zrepl:placeholder=on backup/c/tank/a"));
	REQUIRE(sim("create backup/c/tank/a/child"));
}

TEST(a_placeholder_is_replaced_by_what_is_received)
{
	cleanup(bench_end) struct bench b = { 0 };

	bench_start(&b);
	two_snapshots();
	sim_set("SIMZFS_VERIFY", "1");
	sim_set("SIMZFS_FULL", "5M"); /* more than is peeked at */
	target_is_placeholder();
	REQUIRE(sim("snapshot backup/c/tank/a@x") && sim("snapshot backup/c/tank/a@y"));
	CHECK_INT(receive_first(&b), 0);
	CHECK_SHOW("backup/c/tank/a",
		   "backup/c/tank/a zrepl:placeholder=off @1" RECEIVED);
	CHECK_SHOW("backup/c/tank/a/child", "backup/c/tank/a/child");
}

TEST(a_sender_that_delivers_nothing_leaves_the_placeholder_alone)
{
	cleanup(bench_end) struct bench b = { 0 };

	bench_start(&b);
	two_snapshots();
	target_is_placeholder();
	REQUIRE(sim("snapshot backup/c/tank/a@x"));
	sim_set("SIMZFS_FAIL", "send ");
	CHECK_INT(receive_first(&b), -1);
	CHECK_ERR(&b, ERR_CHILD, "receive backup/c/tank/a@1: send tank/a@1: zfs send");
	CHECK_SHOW("backup/c/tank/a", TARGET_GAP " @x");
}

TEST(a_failed_receive_leaves_a_placeholder_that_the_next_one_can_replace)
{
	cleanup(bench_end) struct bench b = { 0 };

	bench_start(&b);
	two_snapshots();
	target_is_placeholder();
	sim_set("SIMZFS_FAIL", "recv ");
	CHECK_INT(receive_first(&b), -1);
	CHECK_ERR(&b, ERR_CHILD, "simulated failure");
	CHECK_SHOW("backup/c/tank/a", TARGET_GAP);
	REQUIRE(sim("snapshot backup/c/tank/a@x"));
	sim_set("SIMZFS_FAIL", "rollback ");
	CHECK_INT(receive_first(&b), -1);
	CHECK_ERR(&b, ERR_CHILD, "simulated failure");
	CHECK_SHOW("backup/c/tank/a", TARGET_GAP " @x");
	sim_set("SIMZFS_FAIL", "destroy ");
	CHECK_INT(receive_first(&b), -1);
	CHECK_ERR(&b, ERR_CHILD, "simulated failure");
	CHECK_SHOW("backup/c/tank/a", TARGET_GAP " @x");
	sim_set("SIMZFS_FAIL", NULL);
	CHECK_INT(receive_first(&b), 0);
	CHECK_SHOW("backup/c/tank/a",
		   "backup/c/tank/a zrepl:placeholder=off @1" RECEIVED);
}

TEST(placeholder_restoration_can_be_disabled)
{
	cleanup(bench_end) struct bench b = { 0 };

	bench_start(&b);
	two_snapshots();
	target_is_placeholder();
	b.env.disable_placeholder_restoration = true;
	sim_set("SIMZFS_FAIL", "recv ");
	CHECK_INT(receive_first(&b), -1);
	CHECK_ERR(&b, ERR_CHILD, "simulated failure");
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a zrepl:placeholder=off");
}

TEST(an_encrypted_stream_goes_beside_the_placeholder_it_cannot_replace)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(str_freep) char *beside = NULL;
	static const char beside_name[] = "backup/c/tank/a.zrepl.initial-recv";

	bench_start(&b);
	two_snapshots();
	sim_set("SIMZFS_FULL", "5M");
	REQUIRE(sim("set encryption=aes-256-gcm tank/a"));
	b.send.encrypted = true;
	target_is_placeholder();
	CHECK_INT(receive_first(&b), -1);
	CHECK_ERR(&b, ERR_CHILD,
		  "receive backup/c/tank/a@1: cannot automatically replace placeholder "
		  "filesystem backup/c/tank/a: ");
	CHECK_SHOW("backup/c/tank/a", TARGET_GAP);
	beside = sim_output("get -Hp -o value receive_resume_token %s", beside_name);
	CHECK(beside && strncmp(beside, "1-", 2) == 0);
	CHECK(strstr(buf_str(&b.logged), "error endpoint zfs cannot replace the "
					 "placeholder backup/c/tank/a"));
	/* It is not begun again. */
	CHECK_INT(receive_first(&b), -1);
	CHECK_ERR(&b, ERR_CHILD, "cannot automatically replace placeholder");
}

/* ---- interrupted receives ---- */

/* @1 arrived in part, and the state was saved. */
static void receive_part(struct bench *b)
{
	sim_set("SIMZFS_FULL", "8M");
	sim_set("SIMZFS_FAIL_AT", "4M");
	CHECK_INT(receive_first(b), -1);
	CHECK_ERR(b, ERR_CHILD, "receive backup/c/tank/a@1: ");
	sim_set("SIMZFS_FAIL_AT", NULL);
}

static char *token_of_target(struct bench *b)
{
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };

	if (b->client->ops->list_filesystems(b->ctx, b->client, &l, &b->err) < 0)
		return NULL;
	for (size_t i = 0; i < l.n; i++)
		if (strcmp(l.v[i].path, "tank/a") == 0)
			return TAKE(l.v[i].resume_token);
	return NULL;
}

TEST(an_interrupted_receive_is_resumed_where_it_ended)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(str_freep) char *token = NULL;
	struct version v1 = ver("@1", 1);
	struct ep_send_req req = send_req(NULL, &v1, nothing);
	struct ep_recv_req recv = recv_req(&v1, resumability);
	atomic_uint_fast64_t moved = 0;

	bench_start(&b);
	two_snapshots();
	sim_set("SIMZFS_VERIFY", "1");
	receive_part(&b);
	token = token_of_target(&b);
	REQUIRE(token != NULL);
	req.token = token;
	recv.clear_token = false;
	recv.moved = &moved;
	CHECK_INT(transfer(&b, &req, &recv), 0);
	CHECK(atomic_load(&moved) < 6 << 20);
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1" RECEIVED);
}

TEST(an_interrupted_receive_into_a_placeholder_is_resumed_too)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(str_freep) char *token = NULL, *show = NULL;
	struct version v1 = ver("@1", 1);
	struct ep_send_req req = send_req(NULL, &v1, nothing);
	struct ep_recv_req recv = recv_req(&v1, resumability);

	bench_start(&b);
	two_snapshots();
	target_is_placeholder();
	receive_part(&b);
	token = token_of_target(&b);
	REQUIRE(token != NULL);
	/* Or -F would not be used, which resuming needs too. */
	show = sim_output("sim-show backup/c/tank/a");
	CHECK(show && strstr(show, "zrepl:placeholder=on"));
	req.token = token;
	recv.clear_token = false;
	CHECK_INT(transfer(&b, &req, &recv), 0);
	CHECK_SHOW("backup/c/tank/a",
		   "backup/c/tank/a zrepl:placeholder=off @1" RECEIVED);
}

TEST(a_partial_receive_is_dropped_only_when_another_stream_comes)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(str_freep) char *token = NULL, *still = NULL, *none = NULL;

	bench_start(&b);
	received_once(&b);
	sim_set("SIMZFS_INCR", "8M");
	sim_set("SIMZFS_FAIL_AT", "4M");
	CHECK_INT(receive_next(&b), -1);
	CHECK_ERR(&b, ERR_CHILD, "receive backup/c/tank/a@2: ");
	sim_set("SIMZFS_FAIL_AT", NULL);
	token = token_of_target(&b);
	REQUIRE(token != NULL);
	sim_set("SIMZFS_FAIL", "send ");
	CHECK_INT(receive_next(&b), -1);
	CHECK_ERR(&b, ERR_CHILD, "cannot send: simulated failure");
	sim_set("SIMZFS_FAIL", NULL);
	still = token_of_target(&b);
	CHECK_STR(still, token);
	CHECK_INT(receive_next(&b), 0);
	none = token_of_target(&b);
	CHECK(none == NULL);
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1 @2" RECEIVED);
}

TEST(a_receiver_that_fails_early_does_not_wait_for_the_rest_of_the_stream)
{
	cleanup(bench_end) struct bench b = { 0 };

	bench_start(&b);
	two_snapshots();
	sim_set("SIMZFS_FULL", "100G");
	sim_set("SIMZFS_FAIL", "recv ");
	ctx_set_timeout(b.ctx, 30000);
	CHECK_INT(receive_first(&b), -1);
	CHECK_ERR(&b, ERR_CHILD, "simulated failure");
}

/* A stream of which nobody ever sees the end. */
static struct ep_stream silent(int *write_end)
{
	static const struct ep_stream_ops ops = { 0 };
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		abort();
	*write_end = fds[1];
	return (struct ep_stream){ .ops = &ops, .fd = fds[0] };
}

TEST(a_stream_that_stalls_is_given_up)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(fd_closep) int write_end = -1;
	struct ep_stream s = silent(&write_end);
	cleanup(fd_closep) int read_end = s.fd;
	struct version v1 = ver("@1", 1);
	struct ep_recv_req req = recv_req(&v1, resumability);

	bench_start(&b);
	b.env.stream_stall_ms = 100;
	CHECK_INT(b.client->ops->receive(b.ctx, b.client, &req, &s, &b.err), -1);
	CHECK_ERR(&b, ERR_TIMEOUT, "receive backup/c/tank/a@1: ");
	target_is_placeholder();
	CHECK_INT(b.client->ops->receive(b.ctx, b.client, &req, &s, &b.err), -1);
	CHECK_ERR(&b, ERR_TIMEOUT, "receive backup/c/tank/a@1: ");
	CHECK_INT(s.fd, read_end);
	CHECK_SHOW("backup/c/tank/a", TARGET_GAP);
}

TEST(a_receive_that_is_ended_leaves_a_placeholder_or_something_to_resume)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(str_freep) char *after = NULL;

	bench_start(&b);
	two_snapshots();
	target_is_placeholder();
	sim_set("SIMZFS_FULL", "1000G");
	ctx_set_timeout(b.ctx, 300);
	CHECK_INT(receive_first(&b), -1);
	CHECK_INT(b.err.kind, ERR_TIMEOUT);
	after = sim_output("sim-show backup/c/tank/a");
	REQUIRE(after != NULL);
	CHECK(strstr(after, "zrepl:placeholder=on") ||
	      strstr(after, "receive_resume_token="));
	CHECK(strchr(after, '@') == NULL);
}

/* ---- several at a time ---- */

struct worker {
	struct bench *b;
	struct thread thread;
	char fs[16];
	int result;
	struct err err;
};

static void receive_one(void *arg)
{
	struct worker *w = arg;
	const struct bench *b = w->b;
	struct version v1 = ver("@1", 1);
	struct ep_send_req req = send_req(NULL, &v1, nothing);
	struct ep_recv_req recv = recv_req(&v1, resumability);
	struct err ignored = ERR_INIT;
	struct ep_stream *s;

	req.fs = recv.fs = w->fs;
	w->result = b->sender->ops->send(b->ctx, b->sender, &req, &s, &w->err);
	if (w->result < 0)
		return;
	w->result = b->client->ops->receive(b->ctx, b->client, &recv, s, &w->err);
	if (stream_finish(s, &ignored) < 0)
		err_clear(&ignored);
}

TEST(many_receives_at_a_time_create_their_common_placeholders_once)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct worker workers[6] = { 0 };

	bench_start(&b);
	REQUIRE(sim("create tank/a/x"));
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		struct worker *w = &workers[i];

		w->b = &b;
		snprintf(w->fs, sizeof(w->fs), "tank/a/x/%zu", i);
		REQUIRE(sim("create %s", w->fs) && sim("sim-version %s@1 1", w->fs));
	}
	for (size_t i = 0; i < ARRAY_LEN(workers); i++)
		thread_start(&workers[i].thread, "worker", receive_one, &workers[i]);
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		thread_join(&workers[i].thread);
		CHECK_INT(workers[i].result, 0);
		CHECK_STR(err_msg(&workers[i].err), "no error");
		err_clear(&workers[i].err);
	}
	CHECK_SHOW("backup/c/tank/a/x", "backup/c/tank/a/x" GAP);
	CHECK_SHOW("backup/c/tank/a/x/0", "backup/c/tank/a/x/0 @1" RECEIVED);
	CHECK_SHOW("backup/c/tank/a/x/5", "backup/c/tank/a/x/5 @1" RECEIVED);
	/* Each of the four gaps was created by one of them. */
	CHECK_STR(buf_str(&b.logged),
		  "info endpoint created placeholder filesystem backup/c\n"
		  "info endpoint created placeholder filesystem backup/c/tank\n"
		  "info endpoint created placeholder filesystem backup/c/tank/a\n"
		  "info endpoint created placeholder filesystem backup/c/tank/a/x\n");
}

/* ---- destroying ---- */

TEST(snapshots_are_destroyed_below_the_root_and_the_held_one_stays)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(ep_destroy_results_free) struct ep_destroy_results done = { 0 };
	cleanup(strs_free) struct strs names = { 0 };

	bench_start(&b);
	received_once(&b);
	CHECK_INT(receive_next(&b), 0);
	strs_add(&names, "2");
	strs_add(&names, "1");
	CHECK_INT(b.client->ops->destroy_snapshots(b.ctx, b.client, "tank/a", &names,
						   &done, &b.err),
		  0);
	REQUIRE(done.n == 2);
	CHECK_INT(done.v[0].kind, ERR_BUSY);
	CHECK_INT(done.v[1].kind, ERR_NONE);
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @2" RECEIVED);
	CHECK_SHOW("tank/a", "tank/a @1 @2 #zrepl_CURSOR_G_0000000000000001_J_j");
}

TEST_MAIN()
