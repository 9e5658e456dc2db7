/*
 * Sender and receiver together, a step at a time, with every child failing once: what
 * must hold after any failure is that nothing of others is touched, that the two sides
 * still have a version in common, and that the next attempts come through.
 */
#include "bench.h"

#include "tap.h"

#define CURSOR_1 "#zrepl_CURSOR_G_0000000000000001_J_j"
#define CURSOR_2 "#zrepl_CURSOR_G_0000000000000002_J_j"
#define RECEIVED "{zrepl_last_received_J_s}"

enum { MANY = 100 /* more children than any step has */ };

static void one_step_behind(struct bench *b, enum protection p)
{
	struct version v1 = ver("@1", 1);

	REQUIRE(sim("sim-version tank/a@1 1") &&
		sim("sim-version tank/a@foreign 9 keep") &&
		sim("sim-version tank/a#mine 9"));
	REQUIRE(step(b, NULL, &v1, p) == 0);
	REQUIRE(sim("hold keep backup/c/tank/a@1") && sim("sim-version tank/a@2 2"));
}

/* Is there a version on the sender that the receiver has as a snapshot? */
static bool can_go_on(void)
{
	cleanup(str_freep) char *there =
		sim_output("list -H -o guid -d 1 -t snapshot backup/c/tank/a");
	cleanup(str_freep) char *here =
		sim_output("list -H -o guid -d 1 -t snapshot,bookmark tank/a");
	char *guid, *rest = there;

	if (!there || !here)
		return false;
	while ((guid = strsep(&rest, "\n")) != NULL)
		if (*here == *guid || strstr(here, guid))
			return true;
	return false;
}

/* The step from @1 to @2, as the next attempt would plan it. */
static int catch_up(struct bench *b, enum protection p)
{
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req req = send_req(&v1, &v2, p);
	cleanup(ep_version_lists_free) struct ep_version_lists l = { 0 };
	cleanup(strs_free) struct strs paths = { 0 };

	strs_add(&paths, "tank/a");
	if (b->client->ops->list_versions(b->ctx, b->client, &paths, &l, &b->err) < 0)
		return -1;
	if (versions_find_guid(&l.v[0].versions, 2))
		return complete(b, &req); /* or nothing: the cursor is behind, no more */
	return step(b, &v1, &v2, p);
}

static bool has(const char *fs, const char *part)
{
	cleanup(str_freep) char *shown = sim_output("sim-show %s", fs);

	return shown && strstr(shown, part);
}

static void check_incremental(enum protection p, const char *sender, const char *receiver)
{
	int failed = 0;

	for (int n = 1; n <= MANY; n++) {
		cleanup(bench_end) struct bench b = { 0 };
		struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
		cleanup(str_freep) char *here = NULL, *there = NULL;
		uint64_t before;

		bench_start(&b);
		one_step_behind(&b, p);
		before = zfs_process_count(b.zfs);
		REQUIRE(sim("sim-fail %d", n));
		if (step(&b, &v1, &v2, p) < 0)
			failed++;
		REQUIRE(sim("sim-fail 0"));
		CHECK(can_go_on());
		CHECK(has("tank/a", "@foreign{keep}") && has("tank/a", "#mine"));
		CHECK(has("backup/c/tank/a", "keep"));
		if (n > (int)(zfs_process_count(b.zfs) - before))
			n = MANY; /* none was left to fail: the last round */
		if (!CHECK_INT(catch_up(&b, p), 0))
			printf("# child %d: %s\n", n, err_msg(&b.err));
		here = sim_output("sim-show tank/a");
		CHECK_STR(here, sender);
		/* A hold of an earlier step goes with the next one. */
		there = sim_output("sim-show backup/c/tank/a");
		if (n == MANY)
			CHECK_STR(there, receiver);
	}
	CHECK(failed >= 6);
}

TEST(no_failure_of_a_child_breaks_an_incremental_step_with_resumability)
{
	check_incremental(PROTECTION_RESUMABILITY,
			  "tank/a @1 @foreign{keep} #mine @2 " CURSOR_2,
			  "backup/c/tank/a @1{keep} @2" RECEIVED);
}

TEST(no_failure_of_a_child_breaks_an_incremental_step_with_incremental)
{
	check_incremental(PROTECTION_INCREMENTAL,
			  "tank/a @1 @foreign{keep} #mine @2 " CURSOR_2,
			  "backup/c/tank/a @1{keep} @2" RECEIVED);
}

TEST(no_failure_of_a_child_breaks_a_first_step)
{
	int failed = 0;

	for (int n = 1; n <= MANY; n++) {
		cleanup(bench_end) struct bench b = { 0 };
		struct version v1 = ver("@1", 1);
		struct ep_send_req req = send_req(NULL, &v1, PROTECTION_RESUMABILITY);
		uint64_t before;
		int r;

		bench_start(&b);
		REQUIRE(sim("sim-version tank/a@1 1"));
		/* One gap is there, one is not, and the target is a gap itself. */
		REQUIRE(n % 2 || (sim("create -p backup/c/tank/a") &&
				  sim("set zrepl:placeholder=on backup/c/tank/a")));
		before = zfs_process_count(b.zfs);
		REQUIRE(sim("sim-fail %d", n));
		r = step(&b, NULL, &v1, PROTECTION_RESUMABILITY);
		failed += r < 0;
		REQUIRE(sim("sim-fail 0"));
		if (n > (int)(zfs_process_count(b.zfs) - before))
			n = MANY;
		err_clear(&b.err);
		if (has("backup/c/tank/a", "@1") &&
		    !has("backup/c/tank/a", "zrepl:placeholder=on"))
			r = complete(&b, &req);
		else
			r = step(&b, NULL, &v1, PROTECTION_RESUMABILITY);
		if (!CHECK_INT(r, 0))
			printf("# child %d: %s\n", n, err_msg(&b.err));
		CHECK_SHOW("tank/a", "tank/a @1 " CURSOR_1);
		CHECK(has("backup/c/tank/a", "@1"));
		CHECK(!has("backup/c/tank/a", "zrepl:placeholder=on"));
	}
	CHECK(failed >= 6);
}

TEST(a_lost_confirmation_is_made_up_for_by_the_next_step)
{
	for (int p = PROTECTION_RESUMABILITY; p <= PROTECTION_INCREMENTAL; p++) {
		cleanup(bench_end) struct bench b = { 0 };
		enum protection prot = (enum protection)p;
		struct version v1 = ver("@1", 1), v2 = ver("@2", 2), v3 = ver("@3", 3);
		struct version tentative =
			ver("#zrepl_CURSORTENTATIVE__G_0000000000000002_J_j", 2);
		struct ep_send_req req = send_req(&v1, &v2, prot);
		struct ep_recv_req recv = recv_req(&v2, prot);

		bench_start(&b);
		one_step_behind(&b, prot);
		CHECK_INT(transfer(&b, &req, &recv), 0); /* and never completed */
		CHECK(sim("sim-version tank/a@3 3"));
		if (prot == PROTECTION_RESUMABILITY) {
			/* Nobody can destroy what both sides have. */
			CHECK(!sim("destroy tank/a@2"));
			CHECK_INT(step(&b, &v2, &v3, prot), 0);
			CHECK_SHOW("tank/a", "tank/a @1 @foreign{keep} #mine @2 @3 "
					     "#zrepl_CURSOR_G_0000000000000003_J_j");
		} else {
			CHECK(sim("destroy tank/a@1,2"));
			CHECK(can_go_on());
			CHECK_INT(step(&b, &tentative, &v3, prot), 0);
			CHECK_SHOW("tank/a", "tank/a @foreign{keep} #mine @3 "
					     "#zrepl_CURSOR_G_0000000000000003_J_j");
		}
		CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1{keep} @2 @3" RECEIVED);
	}
}

TEST(replication_goes_on_from_the_cursor_when_the_snapshot_is_gone)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version cursor = ver(CURSOR_1, 1), v2 = ver("@2", 2);

	bench_start(&b);
	one_step_behind(&b, PROTECTION_RESUMABILITY);
	CHECK(sim("destroy tank/a@1"));
	CHECK_INT(step(&b, &cursor, &v2, PROTECTION_RESUMABILITY), 0);
	CHECK_SHOW("tank/a", "tank/a @foreign{keep} #mine @2 " CURSOR_2);
	CHECK_SHOW("backup/c/tank/a", "backup/c/tank/a @1{keep} @2" RECEIVED);
}

/* What the driver does when both sides turn out to have @2 and nothing is to be sent. */
static int settle_at_2(struct bench *b, enum protection p)
{
	cleanup(ep_version_lists_free) struct ep_version_lists l = { 0 };
	cleanup(strs_free) struct strs paths = { 0 };
	struct version v2 = ver("@2", 2);
	struct ep_send_req req = send_req(NULL, &v2, p);

	strs_add(&paths, "tank/a");
	if (b->sender->ops->list_versions(b->ctx, b->sender, &paths, &l, &b->err) < 0)
		return -1;
	return b->sender->ops->settle(b->ctx, b->sender, &req, &l.v[0].versions, &b->err);
}

static void lose_the_confirmation(struct bench *b, enum protection p)
{
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);
	struct ep_send_req req = send_req(&v1, &v2, p);
	struct ep_recv_req recv = recv_req(&v2, p);
	struct ep_stream *s = NULL;
	cleanup(err_clear) struct err ended = ERR_INIT;

	one_step_behind(b, p);
	REQUIRE(b->sender->ops->send(b->ctx, b->sender, &req, &s, &b->err) == 0);
	CHECK_INT(b->client->ops->receive(b->ctx, b->client, &recv, s, &b->err), 0);
	CHECK_INT(stream_finish(s, &ended), 0);
}

TEST(a_lost_confirmation_is_made_up_for_although_nothing_is_to_be_sent)
{
	static const enum protection kinds[] = { PROTECTION_RESUMABILITY,
						 PROTECTION_INCREMENTAL };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		cleanup(bench_end) struct bench b = { 0 };

		bench_start(&b);
		lose_the_confirmation(&b, kinds[i]);
		CHECK(has("tank/a", CURSOR_1) && !has("tank/a", CURSOR_2));
		CHECK(has("tank/a", kinds[i] == PROTECTION_RESUMABILITY
					    ? "zrepl_STEP_J_j"
					    : "zrepl_CURSORTENTATIVE"));
		CHECK_INT(settle_at_2(&b, kinds[i]), 0);
		CHECK(has("tank/a", CURSOR_2) && !has("tank/a", CURSOR_1));
		CHECK(!has("tank/a", "zrepl_STEP") && !has("tank/a", "TENTATIVE"));
		CHECK(has("tank/a", "@foreign{keep}") && has("tank/a", "#mine"));
	}
}

TEST(holds_of_others_settle_nothing)
{
	cleanup(bench_end) struct bench b = { 0 };
	struct version v1 = ver("@1", 1), v2 = ver("@2", 2);

	bench_start(&b);
	one_step_behind(&b, PROTECTION_RESUMABILITY);
	REQUIRE(step(&b, &v1, &v2, PROTECTION_RESUMABILITY) == 0);
	/* One to list versions, one to see that @foreign is none of our business. */
	COSTS(&b, 2, CHECK_INT(settle_at_2(&b, PROTECTION_RESUMABILITY), 0));
	REQUIRE(sim("release keep tank/a@foreign"));
	COSTS(&b, 1, CHECK_INT(settle_at_2(&b, PROTECTION_RESUMABILITY), 0));
}

TEST_MAIN()
