#include "world.h"

#include <stdatomic.h>

/* ---- attempts ---- */

static void two_steps(struct world *t)
{
	setup(t);
	fake_sender(&t->w, "a", "@x1 @x2 @x3");
	fake_receiver(&t->w, "a", "@x1");
}

static struct fake_rule once(enum fake_op op, size_t skip, enum err_kind kind)
{
	return (struct fake_rule){
		.op = op, .skip = skip, .times = 1, .kind = kind, .text = "went away"
	};
}

TEST(after_a_lost_connection_the_rest_is_done_and_nothing_twice)
{
	cleanup(teardown) struct world t;

	two_steps(&t);
	fake_rule(&t.w, once(OP_RECEIVE, 1, ERR_NETWORK));
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK_INT(n_failed(&t.rep), 0);
	CHECK_CALLS(t, "send a @x1 @x2; receive a @x2; completed a @x2; "
		       "send a @x2 @x3; receive a @x3; "
		       "send a @x2 @x3; receive a @x3; completed a @x3");
	CHECK_INT(t.w.n_ops[OP_SENDER_PING], 1);
	CHECK_INT(t.w.n_ops[OP_RECEIVER_PING], 1);
	REQUIRE(t.rep.n_attempts == 2);
	CHECK_INT(t.rep.attempts[0].state, ATTEMPT_FILESYSTEM_ERROR);
	CHECK_INT(t.rep.attempts[0].fs[0].current_step, 1);
	CHECK_INT(t.rep.attempts[0].fs[0].n_steps, 2);
	CHECK_INT(t.rep.attempts[1].state, ATTEMPT_DONE);
	CHECK_INT(t.rep.attempts[1].fs[0].n_steps, 1);
	CHECK_INT(t.rep.wait_reconnect_since.tv_sec, 0);
	CHECK_INT(fake_logged(&t.w, "error: replication of this filesystem failed"), 1);
}

TEST(a_snapshot_taken_between_attempts_waits_for_the_next_run)
{
	cleanup(teardown) struct world t;

	two_steps(&t);
	fake_rule(&t.w, once(OP_RECEIVE, 1, ERR_TIMEOUT));
	fake_rule(&t.w,
		  (struct fake_rule){ .op = OP_SENDER_PING, .times = 1, .blocks = true });
	thread_start(&t.thread, "run", run_now, &t);
	sem_wait(&t.w.blocked);
	fake_add_version(&t.w.sender, "a", "@x4");
	fake_open(&t.w);
	thread_join(&t.thread);
	report_over(&t);
	CHECK_INT(t.rc, 0);
	CHECK_HAS(t, "a", "@x1 @x2 @x3");
}

TEST(a_filesystem_that_could_not_be_planned_for_want_of_a_connection_is_tried_again)
{
	cleanup(teardown) struct world t;

	two_steps(&t);
	fake_rule(&t.w, once(OP_DRY, 0, ERR_NETWORK));
	run(&t);
	CHECK_INT(t.rc, 0);
	REQUIRE(t.rep.n_attempts == 2);
	CHECK_INT(t.rep.attempts[0].fs[0].state, FS_PLANNING_ERROR);
	CHECK_HAS(t, "a", "@x1 @x2 @x3");
}

TEST(planning_as_a_whole_is_tried_again_when_a_side_was_away)
{
	static const enum fake_op ops[] = { OP_SENDER_LIST, OP_RECEIVER_VERSIONS };

	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		cleanup(teardown) struct world t;

		two_steps(&t);
		fake_rule(&t.w, once(ops[i], 0, ERR_TIMEOUT));
		run(&t);
		CHECK_INT(t.rc, 0);
		REQUIRE(t.rep.n_attempts == 2);
		CHECK_INT(t.rep.attempts[0].state, ATTEMPT_PLANNING_ERROR);
	}
}

TEST(the_latest_error_decides_whether_to_try_again)
{
	static const struct {
		enum err_kind first, second;
		size_t attempts;
	} all[] = {
		{ ERR_NETWORK, ERR_REMOTE, 1 },
		{ ERR_REMOTE, ERR_NETWORK, 2 },
		{ ERR_REMOTE, ERR_REMOTE, 1 },
		{ ERR_NETWORK, ERR_TIMEOUT, 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		cleanup(teardown) struct world t;

		setup(&t);
		fake_sender(&t.w, "a", "@x1");
		fake_sender(&t.w, "b", "@x2");
		fake_rule(&t.w, once(OP_RECEIVE, 0, all[i].first));
		fake_rule(&t.w, once(OP_RECEIVE, 0, all[i].second));
		run(&t);
		CHECK_INT(t.rep.n_attempts, all[i].attempts);
		CHECK_INT(t.rc, all[i].attempts == 1 ? -1 : 0);
	}
}

TEST(children_that_fail_with_their_parent_do_not_decide)
{
	cleanup(teardown) struct world t;

	setup(&t);
	fake_sender(&t.w, "a", "@x1");
	fake_sender(&t.w, "a/b", "@x1");
	fake_rule(&t.w, once(OP_RECEIVE, 0, ERR_NETWORK));
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK_INT(t.rep.n_attempts, 2);
	CHECK_INT(t.rep.attempts[0].fs[1].state, FS_STEP_ERROR);
	CHECK_HAS(t, "a/b", "@x1");
}

TEST(a_confirmation_lost_with_the_connection_is_not_repeated)
{
	cleanup(teardown) struct world t;

	setup(&t);
	fake_sender(&t.w, "a", "@x1");
	fake_rule(&t.w, once(OP_COMPLETED, 0, ERR_NETWORK));
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK_INT(t.rep.n_attempts, 2);
	CHECK_INT(t.w.n_ops[OP_SEND], 1);
}

TEST(attempts_are_limited_and_the_last_one_does_not_wait)
{
	cleanup(teardown) struct world t;

	two_steps(&t);
	fake_fail(&t.w, OP_SEND, NULL, ERR_NETWORK, "connection refused");
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_INT(t.err.kind, ERR_NETWORK);
	CHECK_STR(err_msg(&t.err), "a: step @x => @x: send: connection refused");
	CHECK_INT(t.rep.n_attempts, 3);
	CHECK_INT(t.w.n_ops[OP_SENDER_PING], 2);
}

TEST(minus_one_means_as_many_attempts_as_it_takes)
{
	cleanup(teardown) struct world t;

	two_steps(&t);
	t.w.env.replication_max_attempts = -1;
	fake_rule(&t.w, (struct fake_rule){ .op = OP_SEND,
					    .times = 4,
					    .kind = ERR_NETWORK,
					    .text = "connection refused" });
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK_INT(t.rep.n_attempts, 5);
}

/* ---- waiting for the connection ---- */

TEST(when_a_side_does_not_come_back_in_time_it_is_given_up)
{
	cleanup(teardown) struct world t;
	const char *why;

	two_steps(&t);
	t.w.env.reconnect_hard_fail_ms = 10;
	fake_rule(&t.w, once(OP_RECEIVE, 0, ERR_NETWORK));
	fake_block(&t.w, OP_RECEIVER_PING, NULL);
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_INT(t.err.kind, ERR_NETWORK);
	CHECK_INT(t.rep.n_attempts, 1);
	CHECK(t.rep.wait_reconnect_since.tv_sec > 0);
	CHECK(t.rep.wait_reconnect_until.tv_sec >= t.rep.wait_reconnect_since.tv_sec);
	why = t.rep.wait_reconnect_error.text;
	REQUIRE(why != NULL);
	CHECK_STR(why, "cannot reach the receiver: timed out");
	CHECK_INT(fake_logged(&t.w, "error: no connection, give up"), 1);
}

TEST(a_side_that_never_will_be_reached_again_is_not_waited_for)
{
	cleanup(teardown) struct world t;

	two_steps(&t);
	fake_rule(&t.w, once(OP_RECEIVE, 0, ERR_NETWORK));
	fake_block(&t.w, OP_SENDER_PING, NULL);
	fake_fail(&t.w, OP_RECEIVER_PING, NULL, ERR_DENIED, "certificate expired");
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_STR(t.rep.wait_reconnect_error.text,
		  "cannot reach the receiver: certificate expired");
}

TEST(while_it_waits_the_report_says_until_when)
{
	cleanup(teardown) struct world t;
	struct repl_report rep;

	two_steps(&t);
	fake_rule(&t.w, once(OP_RECEIVE, 0, ERR_NETWORK));
	fake_block(&t.w, OP_SENDER_PING, NULL);
	thread_start(&t.thread, "run", run_now, &t);
	sem_wait(&t.w.blocked);
	replication_report(t.r, &rep);
	check_report(&rep, false);
	CHECK_INT(rep.wait_reconnect_until.tv_sec - rep.wait_reconnect_since.tv_sec, 600);
	CHECK(rep.wait_reconnect_error.text == NULL);
	CHECK_INT(n_failed(&rep), 1);
	repl_report_free(&rep);
	ctx_cancel(t.ctx);
	thread_join(&t.thread);
	report_over(&t);
	CHECK_INT(t.err.kind, ERR_CANCELLED);
}

/* ---- whatever fails ---- */

/* One of everything: an initial one, a child, an increment, a resumed one, nothing. */
static void one_of_everything(struct world *t)
{
	setup(t);
	t->w.conf.concurrency_steps = 2;
	fake_sender(&t->w, "a", "@x1 @x5");
	fake_sender(&t->w, "a/b", "@x2");
	fake_sender(&t->w, "c", "@x1 @x3 @x4");
	fake_receiver(&t->w, "c", "@x1");
	fake_sender(&t->w, "d", "@x1 @x2 @x3");
	fake_receiver(&t->w, "d", "@x1");
	fake_token(&t->w, "d", "1:2");
	fake_sender(&t->w, "e", "@x1");
	fake_receiver(&t->w, "e", "@x1");
}

static void check_complete(struct world *t)
{
	CHECK_HAS((*t), "a", "@x1 @x5");
	CHECK_HAS((*t), "a/b", "@x2");
	CHECK_HAS((*t), "c", "@x1 @x3 @x4");
	CHECK_HAS((*t), "d", "@x1 @x2 @x3");
}

static void check_result(struct world *t)
{
	const struct report_attempt *last = &t->rep.attempts[t->rep.n_attempts - 1];

	CHECK_INT(t->rc, last->state == ATTEMPT_DONE ? 0 : -1);
	CHECK_INT(t->err.kind == ERR_NONE, t->rc == 0);
	for (size_t op = 0; op < FAKE_OPS; op++)
		CHECK_INT(t->w.running[op], 0);
	if (t->rc == 0)
		check_complete(t);
}

/* false: there is no n-th call any more */
static bool fail_nth(size_t from, size_t to, enum err_kind kind)
{
	cleanup(teardown) struct world t;

	one_of_everything(&t);
	t.w.fail_from = from;
	t.w.fail_to = to;
	t.w.fail_kind = kind;
	run(&t);
	check_result(&t);
	if (kind == ERR_NETWORK && from == to)
		CHECK_INT(t.rc, 0);
	return t.w.n_calls >= from;
}

TEST(one_call_that_loses_the_connection_costs_one_attempt_and_nothing_else)
{
	size_t n = 1;

	while (fail_nth(n, n, ERR_NETWORK))
		n++;
	CHECK(n > 20);
}

TEST(any_call_may_fail_for_good)
{
	size_t n = 1;

	while (fail_nth(n, n, ERR_REMOTE))
		n++;
	CHECK(n > 20);
}

TEST(all_calls_from_any_one_on_may_fail)
{
	static const enum err_kind kinds[] = { ERR_NETWORK, ERR_CHILD, ERR_CANCELLED };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t n = 1;

		while (fail_nth(n, SIZE_MAX, kinds[i]))
			n++;
		CHECK(n > 20);
	}
}

/* Cancelled while the call is under way. */
static void cancel_nth(enum fake_op op, size_t n)
{
	cleanup(teardown) struct world t;

	one_of_everything(&t);
	fake_rule(&t.w,
		  (struct fake_rule){ .op = op, .skip = n, .times = 1, .blocks = true });
	thread_start(&t.thread, "run", run_now, &t);
	sem_wait(&t.w.blocked);
	ctx_cancel(t.ctx);
	thread_join(&t.thread);
	report_over(&t);
	check_result(&t);
	CHECK_INT(t.err.kind, ERR_CANCELLED);
}

TEST(any_call_may_be_the_one_that_is_cancelled)
{
	static const struct {
		enum fake_op op;
		size_t calls;
	} all[] = { { OP_SENDER_LIST, 1 }, { OP_RECEIVER_VERSIONS, 1 },
		    { OP_DECODE, 1 },      { OP_DRY, 7 },
		    { OP_SEND, 7 },        { OP_RECEIVE, 7 },
		    { OP_COMPLETED, 7 } };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		for (size_t n = 0; n < all[i].calls; n++)
			cancel_nth(all[i].op, n);
}

struct watcher {
	struct world *t;
	atomic_bool is_over;
	size_t n;
};

static void watch(void *arg)
{
	struct watcher *w = arg;

	do {
		struct repl_report rep;

		replication_report(w->t->r, &rep);
		if (rep.finish.tv_sec == 0)
			check_report(&rep, false);
		repl_report_free(&rep);
		w->n++;
	} while (!atomic_load(&w->is_over));
}

TEST(reports_may_be_made_at_any_moment_of_a_run)
{
	cleanup(teardown) struct world t;
	struct watcher w = { .t = &t };
	struct thread thread = { 0 };

	one_of_everything(&t);
	fake_rule(&t.w, once(OP_DRY, 2, ERR_NETWORK));
	fake_rule(&t.w, once(OP_RECEIVE, 3, ERR_NETWORK));
	thread_start(&thread, "watch", watch, &w);
	run_now(&t);
	atomic_store(&w.is_over, true);
	thread_join(&thread);
	report_over(&t);
	check_result(&t);
	CHECK_INT(t.rc, 0);
	CHECK(w.n > 0);
}

TEST_MAIN()
