#include "bench.h"

#include "tap.h"

#include <fcntl.h>
#include <unistd.h>

#define CURSOR_1    "#zrepl_CURSOR_G_0000000000000001_J_j"
#define CURSOR_2    "#zrepl_CURSOR_G_0000000000000002_J_j"
#define TENTATIVE_1 "#zrepl_CURSORTENTATIVE__G_0000000000000001_J_j"
#define TENTATIVE_2 "#zrepl_CURSORTENTATIVE__G_0000000000000002_J_j"
#define STEP        "{zrepl_STEP_J_j}"

static const enum protection resumability = PROTECTION_RESUMABILITY,
			     incremental = PROTECTION_INCREMENTAL,
			     nothing = PROTECTION_NOTHING;

/* Two snapshots, @1 and @2, with these numbers as guids. */
static void two_snapshots(void)
{
	REQUIRE(sim("sim-version tank/a@1 1"));
	REQUIRE(sim("sim-version tank/a@2 2"));
}

/* ---- listing ---- */

TEST(only_filesystems_that_the_filter_accepts_are_listed)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };

	bench_start(&b);
	REQUIRE(sim("create -o zrepl:placeholder=on tank/a/gap"));
	REQUIRE(sim("create tank/a/gap/child") && sim("create tank/b") &&
		sim("create tank/b/child") && sim("create tank/aa"));
	COSTS(&b, 2,
	      CHECK_INT(b.sender->ops->list_filesystems(b.ctx, b.sender, &l, &b.err), 0));
	REQUIRE(l.n == 4);
	CHECK_STR(l.v[0].path, "tank/a");
	CHECK_STR(l.v[1].path, "tank/a/gap");
	CHECK_STR(l.v[2].path, "tank/a/gap/child");
	CHECK_STR(l.v[3].path, "tank/b");
	CHECK(!l.v[0].is_placeholder && l.v[1].is_placeholder && !l.v[2].is_placeholder);
}

TEST(versions_of_many_filesystems_are_one_process_and_each_has_its_own_error)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(ep_version_lists_free) struct ep_version_lists l = { 0 };
	cleanup(strs_free) struct strs paths = { 0 };

	bench_start(&b);
	two_snapshots();
	REQUIRE(sim("create tank/aa") && sim("bookmark tank/a@1 tank/a#mark"));
	strs_add(&paths, "tank/aa");
	strs_add(&paths, "tank/a");
	strs_add(&paths, "tank/a/missing");
	strs_add(&paths, "tank/a/../b");
	strs_add(&paths, "");
	COSTS(&b, 1,
	      CHECK_INT(b.sender->ops->list_versions(b.ctx, b.sender, &paths, &l, &b.err),
			0));
	REQUIRE(l.n == 5);
	CHECK_STR(err_msg(&l.v[0].err),
		  "endpoint does not allow access to filesystem tank/aa");
	CHECK_INT(l.v[0].err.kind, ERR_DENIED);
	CHECK_INT(l.v[1].err.kind, ERR_NONE);
	REQUIRE(l.v[1].versions.n == 3);
	CHECK_STR(l.v[1].versions.v[0].name, "mark");
	CHECK_STR(l.v[1].versions.v[2].name, "2");
	CHECK_INT(l.v[2].err.kind, ERR_NOT_FOUND);
	CHECK_INT(l.v[3].err.kind, ERR_INVALID);
	CHECK_INT(l.v[4].err.kind, ERR_INVALID);
}

TEST(the_cursor_is_the_newest_one_of_this_job)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(ep_cursors_free) struct ep_cursors l = { 0 };
	cleanup(strs_free) struct strs paths = { 0 };

	bench_start(&b);
	two_snapshots();
	REQUIRE(sim("create tank/a/new") && sim("create tank/b") && sim("create tank/c"));
	REQUIRE(sim("sim-version tank/a@3 3") &&
		sim("bookmark tank/a@2 tank/a" CURSOR_2) &&
		sim("bookmark tank/a@1 tank/a" CURSOR_1) &&
		sim("bookmark tank/a@3 tank/a#zrepl_CURSOR_G_0000000000000003_J_other") &&
		sim("sim-version tank/b#zrepl_replication_cursor 4"));
	strs_add(&paths, "tank/a");
	strs_add(&paths, "tank/a/new");
	strs_add(&paths, "tank/b");
	strs_add(&paths, "tank/c");
	COSTS(&b, 1,
	      CHECK_INT(b.sender->ops->cursors(b.ctx, b.sender, &paths, &l, &b.err), 0));
	REQUIRE(l.n == 4);
	CHECK(l.v[0].exists);
	CHECK_INT(l.v[0].guid, 2);
	CHECK(!l.v[1].exists && l.v[1].err.kind == ERR_NONE);
	CHECK(!l.v[2].exists && l.v[2].err.kind == ERR_NONE);
	CHECK_INT(l.v[3].err.kind, ERR_DENIED);
	CHECK_STR(buf_str(&b.logged),
		  "warn endpoint tank/b#zrepl_replication_cursor is a cursor of zrepl "
		  "0.2 and older: not used, may be destroyed\n");
}

/* ---- protection, stage by stage ---- */

TEST(resumability_holds_both_ends_and_then_moves_the_cursor)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req full = send_req(NULL, &v1, resumability);
	struct ep_send_req next = send_req(&v1, &v2, resumability);

	bench_start(&b);
	two_snapshots();
	COSTS(&b, 3, CHECK_INT(send_all(&b, &full), 0));
	CHECK_SHOW("tank/a", "tank/a @1" STEP " @2");
	COSTS(&b, 3, CHECK_INT(complete(&b, &full), 0));
	CHECK_SHOW("tank/a", "tank/a @1 @2 " CURSOR_1);
	COSTS(&b, 3, CHECK_INT(send_all(&b, &next), 0));
	CHECK_SHOW("tank/a", "tank/a @1" STEP " @2" STEP " " CURSOR_1);
	COSTS(&b, 4, CHECK_INT(complete(&b, &next), 0));
	CHECK_SHOW("tank/a", "tank/a @1 @2 " CURSOR_2);
	CHECK_STR(buf_str(&b.logged), "");
}

TEST(incremental_bookmarks_both_ends_and_then_moves_the_cursor)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req full = send_req(NULL, &v1, incremental);
	struct ep_send_req next = send_req(&v1, &v2, incremental);

	bench_start(&b);
	two_snapshots();
	COSTS(&b, 3, CHECK_INT(send_all(&b, &full), 0));
	CHECK_SHOW("tank/a", "tank/a @1 @2 " TENTATIVE_1);
	COSTS(&b, 3, CHECK_INT(complete(&b, &full), 0));
	CHECK_SHOW("tank/a", "tank/a @1 @2 " CURSOR_1);
	COSTS(&b, 4, CHECK_INT(send_all(&b, &next), 0));
	CHECK_SHOW("tank/a", "tank/a @1 @2 " CURSOR_1 " " TENTATIVE_1 " " TENTATIVE_2);
	COSTS(&b, 5, CHECK_INT(complete(&b, &next), 0));
	CHECK_SHOW("tank/a", "tank/a @1 @2 " CURSOR_2);
	CHECK_STR(buf_str(&b.logged), "");
}

TEST(a_repeated_send_makes_nothing_twice)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req marked = send_req(&v1, &v2, incremental);
	struct ep_send_req held = send_req(&v1, &v2, resumability);

	bench_start(&b);
	two_snapshots();
	CHECK_INT(send_all(&b, &marked), 0);
	COSTS(&b, 2, CHECK_INT(send_all(&b, &marked), 0));
	CHECK_SHOW("tank/a", "tank/a @1 @2 " TENTATIVE_1 " " TENTATIVE_2);
	CHECK_INT(send_all(&b, &held), 0);
	CHECK_INT(send_all(&b, &held), 0);
	CHECK_SHOW("tank/a", "tank/a @1" STEP " @2" STEP);
	CHECK_INT(complete(&b, &held), 0);
	COSTS(&b, 1, CHECK_INT(complete(&b, &held), 0));
	CHECK_SHOW("tank/a", "tank/a @1 @2 " CURSOR_2);
}

TEST(nothing_leaves_nothing_and_removes_what_was_there)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req next = send_req(&v1, &v2, nothing);

	bench_start(&b);
	REQUIRE(sim("sim-version tank/a@1 1 zrepl_STEP_J_j") &&
		sim("sim-version tank/a@2 2") &&
		sim("bookmark tank/a@1 tank/a" CURSOR_1) &&
		sim("bookmark tank/a@1 tank/a" TENTATIVE_1));
	CHECK_INT(send_all(&b, &next), 0);
	CHECK_SHOW("tank/a", "tank/a @1 @2 " CURSOR_1);
	CHECK_INT(complete(&b, &next), 0);
	CHECK_SHOW("tank/a", "tank/a @1 @2");
}

TEST(the_kind_of_step_chooses_between_the_two_protections)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req full = send_req(NULL, &v1, nothing);
	struct ep_send_req next = send_req(&v1, &v2, nothing);

	bench_start(&b);
	two_snapshots();
	full.protection = next.protection =
		(struct ep_protection){ .initial = incremental,
					.incremental = resumability };
	CHECK_INT(send_all(&b, &full), 0);
	CHECK_SHOW("tank/a", "tank/a @1 @2 " TENTATIVE_1);
	CHECK_INT(send_all(&b, &next), 0);
	CHECK_SHOW("tank/a", "tank/a @1" STEP " @2" STEP);
}

TEST(a_change_from_resumability_to_incremental_leaves_no_holds)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req before = send_req(&v1, &v2, resumability);
	struct ep_send_req after = send_req(&v1, &v2, incremental);

	bench_start(&b);
	two_snapshots();
	CHECK_INT(send_all(&b, &before), 0);
	CHECK_SHOW("tank/a", "tank/a @1" STEP " @2" STEP);
	CHECK_INT(send_all(&b, &after), 0);
	CHECK_SHOW("tank/a", "tank/a @1 @2 " TENTATIVE_1 " " TENTATIVE_2);
	CHECK_INT(complete(&b, &after), 0);
	CHECK_SHOW("tank/a", "tank/a @1 @2 " CURSOR_2);
}

TEST(a_bookmark_as_start_is_neither_held_nor_copied)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version from = ver(CURSOR_1, 1), to = ver("@2", 2);
	struct ep_send_req held = send_req(&from, &to, resumability);
	struct ep_send_req marked = send_req(&from, &to, incremental);

	bench_start(&b);
	two_snapshots();
	REQUIRE(sim("bookmark tank/a@1 tank/a" CURSOR_1) && sim("destroy tank/a@1"));
	CHECK_INT(send_all(&b, &held), 0);
	CHECK_SHOW("tank/a", "tank/a @2" STEP " " CURSOR_1);
	CHECK_INT(send_all(&b, &marked), 0);
	CHECK_SHOW("tank/a", "tank/a @2 " CURSOR_1 " " TENTATIVE_2);
	CHECK_INT(complete(&b, &marked), 0);
	CHECK_SHOW("tank/a", "tank/a @2 " CURSOR_2);
}

TEST(a_tentative_cursor_as_start_is_kept_until_the_step_is_complete)
{
	for (enum protection p = resumability; p <= nothing; p++) {
		cleanup(bench_end) struct bench b = { 0 };
		struct version from = ver(TENTATIVE_1, 1), to = ver("@2", 2);
		struct ep_send_req req = send_req(&from, &to, p);

		bench_start(&b);
		two_snapshots();
		REQUIRE(sim("bookmark tank/a@1 tank/a" TENTATIVE_1) &&
			sim("destroy tank/a@1"));
		CHECK_INT(send_all(&b, &req), 0);
		if (p == resumability)
			CHECK_SHOW("tank/a", "tank/a @2" STEP " " TENTATIVE_1);
		else if (p == incremental)
			CHECK_SHOW("tank/a", "tank/a @2 " TENTATIVE_1 " " TENTATIVE_2);
		else
			CHECK_SHOW("tank/a", "tank/a @2 " TENTATIVE_1);
		CHECK_INT(complete(&b, &req), 0);
		if (p == nothing)
			CHECK_SHOW("tank/a", "tank/a @2");
		else
			CHECK_SHOW("tank/a", "tank/a @2 " CURSOR_2);
	}
}

#define OLD_SNAPSHOTS " @7{keep zrepl_STEP_J_other} @8 @9{zrepl_last_received_J_j}"
#define FOREIGN_BOOKMARKS                                     \
	" #zrepl_CURSOR_G_0000000000000007_J_other"           \
	" #zrepl_CURSORTENTATIVE__G_0000000000000007_J_other" \
	" #mine #zrepl_CURSOR_G_0000000000000099_J_j"

TEST(what_earlier_steps_left_is_cleaned_and_nothing_else)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req req = send_req(&v1, &v2, resumability);

	bench_start(&b);
	REQUIRE(sim("sim-version tank/a@7 7 zrepl_STEP_J_j keep zrepl_STEP_J_other") &&
		sim("sim-version tank/a@8 8 zrepl_STEP_J_j") &&
		sim("sim-version tank/a@9 9 zrepl_last_received_J_j"));
	two_snapshots();
	REQUIRE(sim("sim-version tank/a#zrepl_CURSOR_G_0000000000000007_J_other 7") &&
		sim("sim-version "
		    "tank/a#zrepl_CURSORTENTATIVE__G_0000000000000007_J_other 7") &&
		sim("sim-version tank/a#mine 8") &&
		/* not its own guid in the name, so not ours */
		sim("sim-version tank/a#zrepl_CURSOR_G_0000000000000099_J_j 8") &&
		sim("sim-version tank/a#zrepl_CURSORTENTATIVE__G_0000000000000008_J_j "
		    "8") &&
		sim("sim-version tank/a#zrepl_CURSOR_G_0000000000000008_J_j 8"));
	/* list, hold, destroy the tentative cursor, who holds, release, send */
	COSTS(&b, 6, CHECK_INT(send_all(&b, &req), 0));
	CHECK_SHOW("tank/a",
		   "tank/a" OLD_SNAPSHOTS " @1" STEP " @2" STEP FOREIGN_BOOKMARKS
		   " #zrepl_CURSOR_G_0000000000000008_J_j");
	/* list, bookmark, destroy the old cursor, who else holds, release */
	COSTS(&b, 5, CHECK_INT(complete(&b, &req), 0));
	CHECK_SHOW("tank/a",
		   "tank/a" OLD_SNAPSHOTS " @1 @2" FOREIGN_BOOKMARKS " " CURSOR_2);
	CHECK_STR(buf_str(&b.logged), "");
}

/* ---- refusals ---- */

/* send, send_dry and send_completed all refuse it, without any process, or change. */
static void check_refused(struct bench *b, const struct ep_send_req *req,
			  enum err_kind kind, const char *why)
{
	const struct endpoint_ops *ops = b->sender->ops;
	struct ep_stream *s;
	uint64_t bytes;

	COSTS(b, 0, CHECK_INT(ops->send(b->ctx, b->sender, req, &s, &b->err), -1));
	CHECK_ERR(b, kind, why);
	COSTS(b, 0,
	      CHECK_INT(ops->send_dry(b->ctx, b->sender, req, &bytes, &b->err), -1));
	CHECK_ERR(b, kind, why);
	COSTS(b, 0, CHECK_INT(complete(b, req), -1));
	CHECK_ERR(b, kind, why);
}

TEST(requests_that_make_no_sense_are_refused_without_asking_zfs)
{
	static const char *const paths[] = { "",         "/tank/a",     "tank/a/",
					     "tank//a",  "tank/a/../b", "tank/a@1",
					     "tank/a#1", "tank/a/b\n" };
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2), mark = ver("#mark", 1);
	struct version evil = ver("@2,1", 2), empty = ver("@", 2);
	struct ep_send_req req = send_req(&v1, &v2, resumability);

	bench_start(&b);
	two_snapshots();
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		req.fs = paths[i];
		check_refused(&b, &req, ERR_INVALID, "");
	}
	req.fs = "tank/c";
	check_refused(&b, &req, ERR_DENIED,
		      "endpoint does not allow access to filesystem tank/c");
	req.fs = "tank/a";
	req.to = &mark;
	check_refused(&b, &req, ERR_INVALID, "only snapshots can be sent");
	req.to = &evil;
	check_refused(&b, &req, ERR_INVALID, "tank/a@2,1");
	req.to = &empty;
	check_refused(&b, &req, ERR_INVALID, "");
	req.to = &v2;
	req.from = &evil;
	check_refused(&b, &req, ERR_INVALID, "tank/a@2,1");
	req = send_req(&v1, &v2, PROTECTION_INVALID);
	check_refused(&b, &req, ERR_INVALID, "unknown protection");
	req = send_req(&v1, &v2, (enum protection)4);
	check_refused(&b, &req, ERR_INVALID, "unknown protection");
	CHECK_SHOW("tank/a", "tank/a @1 @2");
}

TEST(a_step_whose_cursor_would_have_too_long_a_name_is_not_begun)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(str_freep) char *fs = NULL;
	struct version v1 = ver("@1", 1);
	struct ep_send_req req = send_req(NULL, &v1, resumability);

	bench_start(&b);
	fs = xasprintf("tank/a/%0*d", 220, 0);
	req.fs = fs;
	check_refused(&b, &req, ERR_INVALID, "use a shorter job name");
}

TEST(versions_with_another_guid_or_that_are_gone_are_refused)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2), other = ver("@2", 3),
		       gone = ver("@3", 3), mark = ver("#1", 1);
	const struct {
		const struct version *from, *to;
		enum err_kind kind;
		const char *why;
	} cases[] = {
		{ &v1, &other, ERR_INVALID, "its guid is 2, asked for was 3" },
		{ &other, &v2, ERR_INVALID, "@2 is another one" },
		{ &v1, &gone, ERR_NOT_FOUND, "@3 does not exist" },
		{ &gone, &v2, ERR_NOT_FOUND,
		  "prepare to send tank/a@3 -> @2: @3 does not exist" },
		{ &mark, &v2, ERR_NOT_FOUND, "#1 does not exist" },
	};

	bench_start(&b);
	two_snapshots();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ep_send_req req =
			send_req(cases[i].from, cases[i].to, resumability);

		COSTS(&b, 1, CHECK_INT(send_all(&b, &req), -1));
		CHECK_ERR(&b, cases[i].kind, cases[i].why);
	}
	CHECK_SHOW("tank/a", "tank/a @1 @2");
	REQUIRE(sim("destroy -r tank/a"));
	struct ep_send_req req = send_req(&v1, &v2, resumability);
	CHECK_INT(send_all(&b, &req), -1);
	CHECK_ERR(&b, ERR_NOT_FOUND, "filesystem tank/a does not exist");
}

TEST(a_token_of_something_else_is_refused_before_anything_is_done)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req req = send_req(&v1, &v2, resumability);
	char *tokens[] = {
		make_token(2, 1, "tank/secret@2", false),
		make_token(3, 1, "tank/a@2", false),
		make_token(2, 3, "tank/a@2", false),
		make_token(2, 0, "tank/a@2", false),
	};
	uint64_t bytes;

	bench_start(&b);
	two_snapshots();
	REQUIRE(sim("create tank/secret") && sim("sim-version tank/secret@1 1") &&
		sim("sim-version tank/secret@2 2"));
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		req.token = tokens[i];
		COSTS(&b, 2, CHECK_INT(send_all(&b, &req), -1));
		CHECK_ERR(&b, ERR_DENIED, "resume token is of ");
		CHECK_INT(b.sender->ops->send_dry(b.ctx, b.sender, &req, &bytes, &b.err),
			  -1);
		CHECK_ERR(&b, ERR_DENIED, "resume token is of ");
		free(tokens[i]);
	}
	req.token = "1-made-up";
	CHECK_INT(send_all(&b, &req), -1);
	CHECK_ERR(&b, ERR_INVALID, "tank/a: decode resume token");
	CHECK_SHOW("tank/a", "tank/a @1 @2");
}

TEST(a_token_of_the_step_is_sent_and_protected_like_any_other)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req req = send_req(&v1, &v2, resumability);
	cleanup(str_freep) char *token = make_token(2, 1, "tank/a@2", false);
	uint64_t bytes = 0;

	bench_start(&b);
	two_snapshots();
	req.token = token;
	/* decode, estimate */
	COSTS(&b, 2,
	      CHECK_INT(b.sender->ops->send_dry(b.ctx, b.sender, &req, &bytes, &b.err),
			0));
	CHECK_INT(bytes, 0x100000);
	/* list, decode, hold, send */
	COSTS(&b, 4, CHECK_INT(send_all(&b, &req), 0));
	CHECK_SHOW("tank/a", "tank/a @1" STEP " @2" STEP);
}

TEST(the_encryption_policy_holds_for_estimates_and_streams)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req req = send_req(&v1, &v2, nothing);
	cleanup(str_freep) char *raw = make_token(2, 1, "tank/a@2", true);
	uint64_t bytes;

	bench_start(&b);
	two_snapshots();
	b.send.encrypted = true;
	CHECK_INT(send_all(&b, &req), -1);
	CHECK_ERR(&b, ERR_DENIED, "send.encrypted is set, but tank/a is not encrypted");
	CHECK_INT(b.sender->ops->send_dry(b.ctx, b.sender, &req, &bytes, &b.err), -1);
	CHECK_ERR(&b, ERR_DENIED, "send.encrypted is set, but tank/a is not encrypted");

	REQUIRE(sim("set encryption=aes-256-gcm tank/a"));
	/* list, get, send */
	COSTS(&b, 3, CHECK_INT(send_all(&b, &req), 0));
	b.send = (struct conf_send){ .raw = true };
	CHECK_INT(send_all(&b, &req), -1);
	CHECK_ERR(&b, ERR_DENIED, "send.raw needs send.encrypted too");
	b.send = (struct conf_send){ 0 };
	COSTS(&b, 2, CHECK_INT(send_all(&b, &req), 0));
	req.token = raw;
	CHECK_INT(send_all(&b, &req), -1);
	CHECK_ERR(&b, ERR_DENIED, "its resume token is of a raw stream");
	b.send.encrypted = true;
	CHECK_INT(send_all(&b, &req), 0);
}

/* ---- estimates ---- */

TEST(an_estimate_is_one_process_and_protects_nothing)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2), mark = ver("#mark", 1);
	struct ep_send_req full = send_req(NULL, &v2, resumability);
	struct ep_send_req next = send_req(&v1, &v2, resumability);
	struct ep_send_req from_mark = send_req(&mark, &v2, resumability);
	const struct endpoint_ops *ops;
	uint64_t bytes = 7;

	bench_start(&b);
	ops = b.sender->ops;
	two_snapshots();
	REQUIRE(sim("bookmark tank/a@1 tank/a#mark"));
	COSTS(&b, 1, CHECK_INT(ops->send_dry(b.ctx, b.sender, &full, &bytes, &b.err), 0));
	CHECK_INT(bytes, 1 << 20);
	COSTS(&b, 1, CHECK_INT(ops->send_dry(b.ctx, b.sender, &next, &bytes, &b.err), 0));
	CHECK_INT(bytes, 64 << 10);
	COSTS(&b, 0,
	      CHECK_INT(ops->send_dry(b.ctx, b.sender, &from_mark, &bytes, &b.err), 0));
	CHECK_INT(bytes, 0);
	CHECK_SHOW("tank/a", "tank/a @1 @2 #mark");
	REQUIRE(sim("destroy tank/a@1"));
	CHECK_INT(ops->send_dry(b.ctx, b.sender, &next, &bytes, &b.err), -1);
	CHECK_ERR(&b, ERR_CHILD, "estimate size of tank/a@1 -> @2");
}

/* ---- when things fail ---- */

TEST(no_stream_starts_without_its_protection)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req held = send_req(&v1, &v2, resumability);
	struct ep_send_req marked = send_req(&v1, &v2, incremental);

	bench_start(&b);
	two_snapshots();
	sim_set("SIMZFS_FAIL", "hold ");
	CHECK_INT(send_all(&b, &held), -1);
	CHECK_ERR(&b, ERR_CHILD, "prepare to send tank/a@1 -> @2: protect: ");
	sim_set("SIMZFS_FAIL", "bookmark ");
	CHECK_INT(send_all(&b, &marked), -1);
	CHECK_ERR(&b, ERR_CHILD, "prepare to send tank/a@1 -> @2: protect: ");
	sim_set("SIMZFS_FAIL", NULL);
	CHECK_SHOW("tank/a", "tank/a @1 @2");
}

TEST(what_cannot_be_cleaned_is_logged_and_does_not_stop_the_step)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req req = send_req(&v1, &v2, resumability);

	bench_start(&b);
	two_snapshots();
	REQUIRE(sim("sim-version tank/a@3 3 zrepl_STEP_J_j") &&
		sim("bookmark tank/a@1 tank/a" TENTATIVE_1));
	sim_set("SIMZFS_FAIL", "holds");
	CHECK_INT(send_all(&b, &req), 0);
	CHECK(strstr(buf_str(&b.logged), "warn endpoint look for old holds on tank/a: "));
	CHECK_SHOW("tank/a", "tank/a @1" STEP " @2" STEP " @3" STEP);
	sim_set("SIMZFS_FAIL", "release");
	CHECK_INT(complete(&b, &req), 0);
	CHECK(strstr(buf_str(&b.logged), "warn endpoint release old holds on tank/a: "));
	sim_set("SIMZFS_FAIL", NULL);
	CHECK_SHOW("tank/a", "tank/a @1" STEP " @2" STEP " @3" STEP " " CURSOR_2);
	REQUIRE(sim("bookmark tank/a@1 tank/a" CURSOR_1));
	sim_set("SIMZFS_FAIL", "destroy");
	CHECK_INT(complete(&b, &req), 0);
	CHECK(strstr(buf_str(&b.logged), "warn endpoint destroy old bookmarks: "));
	sim_set("SIMZFS_FAIL", NULL);
	CHECK_SHOW("tank/a", "tank/a @1 @2 @3 " CURSOR_2 " " CURSOR_1);
}

TEST(nothing_is_removed_when_the_cursor_cannot_be_moved)
{
	static const char before[] = "tank/a @1" STEP " @2" STEP " " CURSOR_1;
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req req = send_req(&v1, &v2, resumability);

	bench_start(&b);
	two_snapshots();
	REQUIRE(sim("bookmark tank/a@1 tank/a" CURSOR_1));
	CHECK_INT(send_all(&b, &req), 0);
	CHECK_SHOW("tank/a", before);
	sim_set("SIMZFS_FAIL", "bookmark");
	CHECK_INT(complete(&b, &req), -1);
	CHECK_ERR(&b, ERR_CHILD,
		  "complete step tank/a@1 -> @2: move replication cursor: ");
	sim_set("SIMZFS_FAIL", NULL);
	CHECK_SHOW("tank/a", before);
}

TEST(a_step_cannot_be_completed_when_its_end_is_gone_but_when_its_start_is)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2), other = ver("@1", 3);
	struct ep_send_req req = send_req(&v1, &v2, incremental);
	struct ep_send_req wrong = send_req(&other, &v2, incremental);

	bench_start(&b);
	two_snapshots();
	CHECK_INT(send_all(&b, &req), 0);
	CHECK_INT(complete(&b, &wrong), -1);
	CHECK_ERR(&b, ERR_INVALID, "@1 is another one");
	REQUIRE(sim("destroy tank/a@2"));
	CHECK_INT(complete(&b, &req), -1);
	CHECK_ERR(&b, ERR_NOT_FOUND, "@2 does not exist");
	CHECK_SHOW("tank/a", "tank/a @1 " TENTATIVE_1 " " TENTATIVE_2);
	REQUIRE(sim("sim-version tank/a@2 2") && sim("destroy tank/a@1"));
	CHECK_INT(complete(&b, &req), 0);
	CHECK_SHOW("tank/a", "tank/a @2 " CURSOR_2);
}

TEST(the_stream_says_how_zfs_send_ended)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1);
	struct ep_send_req req = send_req(NULL, &v1, resumability);
	struct ep_stream *s;

	bench_start(&b);
	two_snapshots();
	sim_set("SIMZFS_FULL", "64M");
	REQUIRE(b.sender->ops->send(b.ctx, b.sender, &req, &s, &b.err) == 0);
	CHECK_INT(stream_finish(s, &b.err), -1); /* before it has written everything */
	CHECK_ERR(&b, ERR_CANCELLED, "send tank/a@1");
	sim_set("SIMZFS_FAIL_AT", "3M");
	CHECK_INT(send_all(&b, &req), -1);
	CHECK_ERR(&b, ERR_CHILD, "cannot send: I/O error");
	sim_set("SIMZFS_FAIL_AT", NULL);
	CHECK_INT(send_all(&b, &req), 0);
}

static int read_to_the_end(struct bench *b, struct ep_stream *s)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	enum pump_end end;
	int r = stream_pump(b->ctx, s, null, &(struct pump_opts){ 0 }, &end, &b->err);

	close(null);
	return r < 0 || end != PUMP_EOF ? -1 : 0;
}

TEST(the_stream_says_twice_how_zfs_send_ended)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1);
	struct ep_send_req req = send_req(NULL, &v1, resumability);
	struct ep_stream *s;

	bench_start(&b);
	two_snapshots();
	sim_set("SIMZFS_FULL", "4M");
	REQUIRE(b.sender->ops->send(b.ctx, b.sender, &req, &s, &b.err) == 0);
	CHECK_INT(read_to_the_end(&b, s), 0);
	CHECK_INT(stream_result(s, &b.err), 0);
	CHECK_INT(stream_result(s, &b.err), 0);
	CHECK_INT(stream_finish(s, &b.err), 0);
	sim_set("SIMZFS_FAIL_AT", "3M");
	REQUIRE(b.sender->ops->send(b.ctx, b.sender, &req, &s, &b.err) == 0);
	CHECK_INT(read_to_the_end(&b, s), 0);
	CHECK_INT(stream_result(s, &b.err), -1);
	CHECK_ERR(&b, ERR_CHILD, "cannot send: I/O error");
	CHECK_INT(stream_finish(s, &b.err), -1);
	CHECK_ERR(&b, ERR_CHILD, "cannot send: I/O error");
}

TEST(a_look_at_a_stream_that_has_failed_is_an_error)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(buf_free) struct buf first = { .max = 2 << 20 };
	struct version v1 = ver("@1", 1);
	struct ep_send_req req = send_req(NULL, &v1, resumability);
	struct ep_stream *s;
	bool at_end = false;

	bench_start(&b);
	two_snapshots();
	sim_set("SIMZFS_FULL", "4M");
	REQUIRE(b.sender->ops->send(b.ctx, b.sender, &req, &s, &b.err) == 0);
	CHECK_INT(
		stream_peek(b.ctx, s, &(struct pump_opts){ 0 }, &first, &at_end, &b.err),
		0);
	CHECK(!at_end);
	CHECK_INT(first.len, 2 << 20);
	CHECK_INT(stream_finish(s, &b.err), -1);
	CHECK_ERR(&b, ERR_CANCELLED, "send tank/a@1");
	buf_drop(&first, first.len);
	sim_set("SIMZFS_FAIL_AT", "3000");
	REQUIRE(b.sender->ops->send(b.ctx, b.sender, &req, &s, &b.err) == 0);
	CHECK_INT(
		stream_peek(b.ctx, s, &(struct pump_opts){ 0 }, &first, &at_end, &b.err),
		-1);
	CHECK_ERR(&b, ERR_CHILD, "cannot send: I/O error");
	CHECK_INT(stream_finish(s, &b.err), -1);
	CHECK_ERR(&b, ERR_CHILD, "cannot send: I/O error");
}

TEST(a_cancelled_ctx_ends_every_call)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };
	struct version v1 = ver("@1", 1);
	struct ep_send_req req = send_req(NULL, &v1, resumability);

	bench_start(&b);
	two_snapshots();
	CHECK_INT(b.sender->ops->ping(b.ctx, b.sender, &b.err), 0);
	ctx_cancel(b.ctx);
	CHECK_INT(b.sender->ops->ping(b.ctx, b.sender, &b.err), -1);
	CHECK_ERR(&b, ERR_CANCELLED, "");
	CHECK_INT(b.sender->ops->list_filesystems(b.ctx, b.sender, &l, &b.err), -1);
	CHECK_ERR(&b, ERR_CANCELLED, "list filesystems");
	CHECK_INT(send_all(&b, &req), -1);
	CHECK_ERR(&b, ERR_CANCELLED, "prepare to send tank/a@1");
	CHECK_INT(complete(&b, &req), -1);
	CHECK_ERR(&b, ERR_CANCELLED, "complete step tank/a@1");
}

/* ---- destroying ---- */

TEST(snapshots_are_destroyed_each_with_its_own_result)
{
	cleanup(bench_end) struct bench b = { 0 };
	cleanup(ep_destroy_results_free) struct ep_destroy_results done = { 0 };
	cleanup(strs_free) struct strs names = { 0 };

	bench_start(&b);
	two_snapshots();
	REQUIRE(sim("sim-version tank/a@3 3 keep") && sim("sim-version tank/a@4 4"));
	strs_add(&names, "3");
	strs_add(&names, "1");
	strs_add(&names, "gone");
	strs_add(&names, "2");
	CHECK_INT(b.sender->ops->destroy_snapshots(b.ctx, b.sender, "tank/a", &names,
						   &done, &b.err),
		  0);
	REQUIRE(done.n == 4);
	CHECK_INT(done.v[0].kind, ERR_BUSY);
	CHECK_INT(done.v[1].kind, ERR_NONE);
	CHECK_INT(done.v[2].kind, ERR_NONE);
	CHECK_INT(done.v[3].kind, ERR_NONE);
	CHECK_SHOW("tank/a", "tank/a @3{keep} @4");
}

TEST(nothing_but_snapshots_of_accepted_filesystems_can_be_destroyed)
{
	static const char *const evil[] = { "1%2", "1,2", "",    "@1",
					    "#1",  "-r",  "1/2", " %" };
	cleanup(bench_end) struct bench b = { 0 };

	bench_start(&b);
	two_snapshots();
	REQUIRE(sim("create tank/c") && sim("sim-version tank/c@1 1") &&
		sim("bookmark tank/a@1 tank/a#1"));
	for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
		cleanup(ep_destroy_results_free) struct ep_destroy_results done = { 0 };
		cleanup(strs_free) struct strs names = { 0 }, one = { 0 };
		int r;

		strs_add(&names, evil[i]);
		strs_add(&one, "1");
		r = b.sender->ops->destroy_snapshots(b.ctx, b.sender, "tank/a", &names,
						     &done, &b.err);
		/* "-r" is a name like any other: there is no such snapshot. */
		CHECK(r < 0 || done.v[0].kind != ERR_NONE || strcmp(evil[i], "-r") == 0);
		err_clear(&b.err);
		r = b.sender->ops->destroy_snapshots(b.ctx, b.sender, "tank/c", &one,
						     &done, &b.err);
		CHECK_INT(r, -1);
		CHECK_ERR(&b, ERR_DENIED,
			  "endpoint does not allow access to filesystem tank/c");
	}
	CHECK_SHOW("tank/a", "tank/a @1 @2 #1");
	CHECK_SHOW("tank/c", "tank/c @1");
}

TEST_MAIN()
