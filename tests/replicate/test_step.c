#include "replicate/step.h"

#include "fake_endpoint.h"
#include "tap.h"

struct world {
	struct fake w;
	struct versions versions;
	struct step step;
	atomic_uint_fast64_t moved;
	struct err err;
	int rc;
};

/* An increment of filesystem a, from @a1 to @b2. */
static void setup(struct world *t)
{
	*t = (struct world){ 0 };
	fake_init(&t->w);
	fake_sender(&t->w, "a", "@a1 @b2");
	fake_receiver(&t->w, "a", "@a1");
	t->versions = fake_versions("@a1 @b2");
	t->step = (struct step){ .has_from = true,
				 .from = t->versions.v[0],
				 .to = t->versions.v[1] };
}

static void teardown(struct world *t)
{
	fake_fini(&t->w);
	versions_free(&t->versions);
	err_clear(&t->err);
}

static void run(struct world *t)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct log log = { fake_log, &t->w, "job", "repl" };
	struct step_job j = {
		.sender = &t->w.sender.ep,
		.receiver = &t->w.receiver.ep,
		.log = &log,
		.fs = "a",
		.step = &t->step,
		.protection = { PROTECTION_RESUMABILITY, PROTECTION_RESUMABILITY },
		.moved = &t->moved,
	};

	t->rc = step_run(ctx, &j, &t->err);
	CHECK_INT(t->w.open_streams, 0);
	CHECK_INT(t->w.violations, 0);
}

TEST(a_step_is_sent_received_and_confirmed)
{
	cleanup(teardown) struct world t;
	cleanup(str_freep) char *calls = NULL, *has = NULL;

	setup(&t);
	run(&t);
	CHECK_INT(t.rc, 0);
	calls = strs_join(&t.w.calls, "; ");
	CHECK_STR(calls, "send a @a1 @b2; receive a @b2; completed a @b2");
	has = fake_has(&t.w.receiver, "a");
	CHECK_STR(has, "@a1 @b2");
	CHECK_INT(atomic_load(&t.moved), 100);
	CHECK_INT(t.w.logged.n, 0);
}

TEST(a_step_with_a_token_does_not_drop_the_partial_receive)
{
	cleanup(teardown) struct world t;
	cleanup(str_freep) char *calls = NULL;
	static char token[] = "1:2";

	setup(&t);
	t.step.token = token;
	run(&t);
	CHECK_INT(t.rc, 0);
	calls = strs_join(&t.w.calls, "; ");
	CHECK_STR(calls, "send a @a1 @b2; resume a @b2; completed a @b2");
}

TEST(what_cannot_be_sent_is_not_received)
{
	cleanup(teardown) struct world t;

	setup(&t);
	fake_fail(&t.w, OP_SEND, "a", ERR_DENIED, "not in the filter");
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_STR(err_msg(&t.err), "send: not in the filter");
	CHECK_INT(t.err.kind, ERR_DENIED);
	CHECK_INT(t.w.n_ops[OP_RECEIVE] + t.w.n_ops[OP_FINISH], 0);
}

TEST(a_receiver_that_fails_ends_a_sender_that_would_go_on_for_ever)
{
	cleanup(teardown) struct world t;

	setup(&t);
	t.w.endless = true;
	fake_fail(&t.w, OP_RECEIVE, "a", ERR_REMOTE, "disk full");
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_STR(err_msg(&t.err), "receive: disk full");
	CHECK_INT(t.err.kind, ERR_REMOTE);
	CHECK_INT(t.w.n_ops[OP_COMPLETED], 0);
}

TEST(when_both_sides_fail_both_are_told_and_the_sender_first)
{
	cleanup(teardown) struct world t;

	setup(&t);
	fake_fail(&t.w, OP_RECEIVE, "a", ERR_CHILD, "stream ended early");
	fake_fail(&t.w, OP_FINISH, "a", ERR_BUSY, "dataset is busy");
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_STR(err_msg(&t.err), "send: dataset is busy; receive: stream ended early");
	CHECK_INT(t.err.kind, ERR_BUSY);
}

TEST(when_both_sides_fail_a_lost_connection_is_what_counts)
{
	cleanup(teardown) struct world t, u;

	setup(&t);
	fake_fail(&t.w, OP_RECEIVE, "a", ERR_NETWORK, "connection reset");
	fake_fail(&t.w, OP_FINISH, "a", ERR_CHILD, "broken pipe");
	run(&t);
	CHECK_INT(t.err.kind, ERR_NETWORK);

	setup(&u);
	fake_fail(&u.w, OP_RECEIVE, "a", ERR_CHILD, "stream ended early");
	fake_fail(&u.w, OP_FINISH, "a", ERR_TIMEOUT, "no heartbeat");
	run(&u);
	CHECK_INT(u.err.kind, ERR_TIMEOUT);
}

TEST(a_receiver_that_fails_to_resume_may_be_asked_again)
{
	struct world t;
	char token[] = "1-abc";

	setup(&t);
	t.step.token = token;
	fake_fail(&t.w, OP_RECEIVE, "a", ERR_REMOTE, "zfs recv: exited with status 1");
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_INT(t.err.kind, ERR_BUSY);
	CHECK(err_is_temporary(t.err.kind));
	t.step.token = NULL;
	teardown(&t);
}

TEST(a_sender_that_ends_badly_after_all_was_received_is_only_logged)
{
	cleanup(teardown) struct world t;

	setup(&t);
	fake_fail(&t.w, OP_FINISH, "a", ERR_CHILD, "exited with status 1");
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK_INT(t.w.n_ops[OP_COMPLETED], 1);
	CHECK_INT(t.w.logged.n, 1);
	CHECK_INT(fake_logged(&t.w, "warn: received @b,"), 1);
}

TEST(a_step_that_cannot_be_confirmed_has_failed)
{
	cleanup(teardown) struct world t;

	setup(&t);
	fake_fail(&t.w, OP_COMPLETED, "a", ERR_NETWORK, "connection reset");
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_STR(err_msg(&t.err), "confirm to the sender: connection reset");
	CHECK_INT(t.err.kind, ERR_NETWORK);
}

TEST(steps_are_named_by_their_ends)
{
	cleanup(teardown) struct world t;
	cleanup(str_freep) char *increment = NULL, *full = NULL;

	setup(&t);
	increment = step_text(&t.step);
	CHECK_STR(increment, "@a => @b");
	t.step.has_from = false;
	full = step_text(&t.step);
	CHECK_STR(full, "full @b");
}

TEST_MAIN()
