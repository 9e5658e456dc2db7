#include "world.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* ---- what it does ---- */

TEST(what_the_receiver_lacks_arrives_there)
{
	cleanup(teardown) struct world t;
	const struct report_attempt *a;

	setup(&t);
	fake_sender(&t.w, "a", "@x1 @x2 @x3");
	fake_sender(&t.w, "b", "@x1 @x2");
	fake_receiver(&t.w, "b", "@x1 @x2");
	fake_receiver(&t.w, "only-there", "@x1");
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK_INT(n_failed(&t.rep), 0);
	CHECK_HAS(t, "a", "@x1 @x2 @x3");
	CHECK_CALLS(t, "send a @x1; receive a @x1; completed a @x1; "
		       "send a @x1 @x2; receive a @x2; completed a @x2; "
		       "send a @x2 @x3; receive a @x3; completed a @x3");
	REQUIRE(t.rep.n_attempts == 1);
	a = &t.rep.attempts[0];
	CHECK_INT(a->state, ATTEMPT_DONE);
	REQUIRE(a->n_fs == 2 && a->fs[0].n_steps == 3);
	CHECK_STR(a->fs[0].path, "a");
	CHECK_STR(a->fs[0].steps[0].from, "");
	CHECK_STR(a->fs[0].steps[0].to, "@x");
	CHECK_STR(a->fs[0].steps[1].from, "@x");
	CHECK_INT(a->fs[0].steps[1].bytes_expected, 100);
	CHECK_INT(a->fs[0].steps[1].bytes_replicated, 100);
	CHECK(!a->fs[0].steps[0].resumed);
	CHECK_INT(a->fs[1].n_steps, 0);
	CHECK_INT(fake_logged(&t.w, "info: replicated filesystem=a"), 3);
	CHECK_INT(fake_logged(&t.w, "attempt_number=0"), 2);
	CHECK_INT(fake_logged(&t.w, "error:"), 0);
}

TEST(listing_costs_two_requests_a_side_however_many_filesystems)
{
	cleanup(teardown) struct world t;
	char fs[16];

	setup(&t);
	for (int i = 0; i < 20; i++) {
		snprintf(fs, sizeof(fs), "fs%d", i);
		fake_sender(&t.w, fs, "@x1");
		fake_receiver(&t.w, fs, "@x1");
	}
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK_INT(t.w.n_calls, 4);
}

TEST(the_globally_oldest_snapshot_is_replicated_first)
{
	cleanup(teardown) struct world t;

	setup(&t);
	fake_sender(&t.w, "a", "@x1 @x3 @x6");
	fake_sender(&t.w, "b", "@x1 @x2 @x5");
	fake_receiver(&t.w, "a", "@x1");
	fake_receiver(&t.w, "b", "@x1");
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK_CALLS(t, "send b @x1 @x2; receive b @x2; completed b @x2; "
		       "send a @x1 @x3; receive a @x3; completed a @x3; "
		       "send b @x2 @x5; receive b @x5; completed b @x5; "
		       "send a @x3 @x6; receive a @x6; completed a @x6");
}

TEST(no_more_steps_and_estimates_run_at_once_than_configured)
{
	cleanup(teardown) struct world t;
	char fs[16];

	setup(&t);
	t.w.conf.concurrency_steps = 3;
	t.w.conf.concurrency_size_estimates = 2;
	for (int i = 0; i < 30; i++) {
		snprintf(fs, sizeof(fs), "fs%d", i);
		fake_sender(&t.w, fs, "@x1 @x2 @x3");
	}
	fake_rule(&t.w,
		  (struct fake_rule){ .op = OP_RECEIVE, .times = 3, .blocks = true });
	thread_start(&t.thread, "run", run_now, &t);
	for (int i = 0; i < 3; i++)
		sem_wait(&t.w.blocked); /* so many do run at once */
	fake_open(&t.w);
	thread_join(&t.thread);
	report_over(&t);
	CHECK_INT(t.rc, 0);
	CHECK_INT(t.w.max_running[OP_RECEIVE], 3);
	CHECK(t.w.max_running[OP_DRY] <= 2);
}

TEST(a_sender_without_filesystems_is_worth_a_warning)
{
	cleanup(teardown) struct world t;

	setup(&t);
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK_INT(t.rep.attempts[0].state, ATTEMPT_DONE);
	CHECK_INT(fake_logged(&t.w, "warn: no filesystem was considered"), 1);
	CHECK_INT(t.w.n_ops[OP_SENDER_VERSIONS] + t.w.n_ops[OP_RECEIVER_VERSIONS], 0);
}

TEST(a_resume_token_is_used_and_the_rest_follows)
{
	cleanup(teardown) struct world t;

	setup(&t);
	fake_sender(&t.w, "a", "@x1 @x2 @x3");
	fake_receiver(&t.w, "a", "@x1");
	fake_token(&t.w, "a", "1:2");
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK(t.rep.attempts[0].fs[0].steps[0].resumed);
	CHECK(!t.rep.attempts[0].fs[0].steps[1].resumed);
	CHECK_CALLS(t, "send a @x1 @x2; resume a @x2; completed a @x2; "
		       "send a @x2 @x3; receive a @x3; completed a @x3");
}

TEST(placeholders_are_not_asked_for_versions_nor_replicated)
{
	cleanup(teardown) struct world t;

	setup(&t);
	fake_placeholder(&t.w.sender, "a");
	fake_sender(&t.w, "a/b", "@x1");
	fake_placeholder(&t.w.receiver, "a");
	fake_placeholder(&t.w.receiver, "a/b");
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK_INT(t.w.n_ops[OP_RECEIVER_VERSIONS], 0);
	CHECK_CALLS(t, "send a/b @x1; receive a/b @x1; completed a/b @x1");
}

/* ---- parents and children ---- */

TEST(a_parent_is_replicated_before_its_child)
{
	cleanup(teardown) struct world t;

	setup(&t);
	t.w.conf.concurrency_steps = 8;
	fake_sender(&t.w, "a", "@x7 @x8");
	fake_sender(&t.w, "a/b", "@x5");
	fake_sender(&t.w, "a/b/c", "@x1");
	run(&t);
	CHECK_INT(t.rc, 0);
	CHECK_HAS(t, "a/b/c", "@x1"); /* and no violation, see teardown */
}

TEST(when_a_parent_fails_its_children_say_so_and_others_go_on)
{
	cleanup(teardown) struct world t;
	const struct report_fs *fs;

	setup(&t);
	t.w.conf.concurrency_steps = 4;
	fake_sender(&t.w, "a", "@x1");
	fake_sender(&t.w, "a/child", "@x1");
	fake_sender(&t.w, "aa", "@x1");
	fake_fail(&t.w, OP_RECEIVE, NULL, ERR_REMOTE, "no space left");
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_INT(n_failed(&t.rep), 3);
	REQUIRE(t.rep.n_attempts == 1 && t.rep.attempts[0].n_fs == 3);
	CHECK_INT(t.rep.attempts[0].state, ATTEMPT_FILESYSTEM_ERROR);
	fs = t.rep.attempts[0].fs;
	CHECK_STR(fs[0].step_error.text, "step full @x: receive: no space left");
	CHECK_STR(fs[1].step_error.text,
		  "parent(s) failed during initial replication: [a]");
	CHECK_STR(fs[2].step_error.text, "step full @x: receive: no space left");
	CHECK_INT(fake_logged(&t.w, "error:"), 3);
	CHECK_INT(fake_logged(&t.w, "filesystem=a/child err=parent(s) failed"), 1);
}

/* ---- failures ---- */

TEST(a_filesystem_that_cannot_be_planned_does_not_stop_the_others)
{
	cleanup(teardown) struct world t;
	const struct report_fs *fs;

	setup(&t);
	fake_sender(&t.w, "a", "@x1 @x3");
	fake_sender(&t.w, "b", "@x1 @x2");
	fake_receiver(&t.w, "a", "@x1 @y2");
	fake_receiver(&t.w, "b", "@x1");
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_INT(t.err.kind, ERR_INVALID);
	CHECK(strncmp(err_msg(&t.err), "a: sender and receiver diverged", 31) == 0);
	CHECK_INT(n_failed(&t.rep), 1);
	fs = t.rep.attempts[0].fs;
	CHECK_INT(fs[0].state, FS_PLANNING_ERROR);
	CHECK_INT(fs[1].state, FS_DONE);
	CHECK_HAS(t, "b", "@x1 @x2");
	CHECK_INT(fake_logged(&t.w, "error:"), 1);
	CHECK_INT(fake_logged(&t.w, "filesystem=a err=sender and receiver diverged"), 1);
}

TEST(each_kind_of_planning_error_is_that_filesystems_own)
{
	cleanup(teardown) struct world t;
	const struct report_fs *fs;

	setup(&t);
	for (int i = 0; i < 5; i++)
		fake_sender(&t.w, (const char *[]){ "a", "b", "c", "d", "e" }[i],
			    "@x1 @x2");
	err_set(&t.w.sender.versions.v[0].err, ERR_CHILD, "i/o error");
	fake_receiver(&t.w, "b", "@x1");
	err_set(&t.w.receiver.versions.v[0].err, ERR_CHILD, "i/o error");
	fake_receiver(&t.w, "c", "@x1");
	fake_token(&t.w, "c", "rubbish");
	fake_fail(&t.w, OP_DRY, "d", ERR_CHILD, "zfs send exited with status 1");
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_INT(n_failed(&t.rep), 4);
	fs = t.rep.attempts[0].fs;
	CHECK_STR(fs[0].plan_error.text, "list versions of the sender: i/o error");
	CHECK_STR(fs[1].plan_error.text, "list versions of the receiver: i/o error");
	CHECK_STR(fs[2].plan_error.text,
		  "decode the receiver's resume token: resume token is corrupt");
	CHECK(strstr(fs[3].plan_error.text, "estimate the size of step ") != NULL);
	CHECK_INT(fs[4].state, FS_DONE);
	CHECK_HAS(t, "e", "@x1 @x2");
}

TEST(a_side_that_cannot_be_listed_fails_planning_as_a_whole)
{
	static const enum fake_op ops[] = { OP_SENDER_LIST, OP_RECEIVER_LIST,
					    OP_SENDER_VERSIONS, OP_RECEIVER_VERSIONS };

	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		cleanup(teardown) struct world t;

		setup(&t);
		fake_sender(&t.w, "a", "@x1 @x2");
		fake_receiver(&t.w, "a", "@x1");
		fake_fail(&t.w, ops[i], NULL, ERR_REMOTE, "root_fs does not exist");
		run(&t);
		CHECK_INT(t.rc, -1);
		CHECK_INT(t.err.kind, ERR_REMOTE);
		REQUIRE(t.rep.n_attempts == 1);
		CHECK_INT(t.rep.attempts[0].state, ATTEMPT_PLANNING_ERROR);
		CHECK(strstr(t.rep.attempts[0].plan_error.text,
			     "root_fs does not exist"));
		CHECK_INT(t.rep.attempts[0].n_fs, 0);
		CHECK_INT(fake_logged(&t.w, "error: cannot plan the replication err="),
			  1);
	}
}

TEST(without_a_descriptor_to_be_had_filesystems_fail_and_say_so)
{
	cleanup(teardown) struct world t;
	struct rlimit before, none;
	int next;

	setup(&t);
	fake_sender(&t.w, "a", "@x1 @x2");
	fake_sender(&t.w, "b", "@x1");
	fake_receiver(&t.w, "b", "@x1");
	next = fcntl(1, F_DUPFD_CLOEXEC, 0);
	REQUIRE(next >= 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
	close(next);
	none = (struct rlimit){ (rlim_t)next, before.rlim_max };
	REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
	run(&t);
	setrlimit(RLIMIT_NOFILE, &before);
	CHECK_INT(t.rc, -1);
	CHECK_STR(err_msg(&t.err), "a: eventfd: Too many open files");
	REQUIRE(t.rep.n_attempts == 1 && t.rep.attempts[0].n_fs == 2);
	CHECK_INT(t.rep.attempts[0].fs[0].state, FS_STEP_ERROR);
	CHECK_INT(t.rep.attempts[0].fs[1].state, FS_DONE);
}

TEST(a_sender_that_fails_does_not_wait_for_a_receiver_that_hangs)
{
	cleanup(teardown) struct world t;

	setup(&t);
	fake_block(&t.w, OP_RECEIVER_LIST, NULL);
	fake_fail(&t.w, OP_SENDER_LIST, NULL, ERR_DENIED, "no");
	run(&t);
	CHECK_STR(err_msg(&t.err), "list filesystems of the sender: no");
}

TEST(a_path_that_is_listed_twice_is_refused)
{
	cleanup(teardown) struct world t;

	setup(&t);
	fake_sender(&t.w, "a", "@x1");
	fake_sender(&t.w, "a", "@x1");
	run(&t);
	CHECK_INT(t.err.kind, ERR_PROTOCOL);
	CHECK_STR(err_msg(&t.err), "the sender lists a twice");
}

TEST(a_receiver_error_ends_a_step_whose_sender_has_more_to_send)
{
	cleanup(teardown) struct world t;

	setup(&t);
	t.w.endless = true;
	fake_sender(&t.w, "a", "@x1");
	fake_fail(&t.w, OP_RECEIVE, "a", ERR_REMOTE, "disk full");
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_STR(err_msg(&t.err), "a: step full @x: receive: disk full");
}

TEST(a_lost_confirmation_fails_the_step_and_the_next_run_finds_it_done)
{
	cleanup(teardown) struct world t;
	cleanup(replication_freep) struct replication *again = NULL;

	setup(&t);
	fake_sender(&t.w, "a", "@x1");
	fake_rule(&t.w, (struct fake_rule){ .op = OP_COMPLETED,
					    .times = 1,
					    .kind = ERR_REMOTE,
					    .text = "lost" });
	run(&t);
	CHECK_INT(t.rc, -1);
	CHECK_INT(t.rep.attempts[0].fs[0].state, FS_STEP_ERROR);
	CHECK_HAS(t, "a", "@x1");
	again = fake_replication(&t.w);
	err_clear(&t.err);
	CHECK_INT(replication_run(t.ctx, again, &t.err), 0);
	CHECK_INT(t.w.n_ops[OP_SEND], 1);
}

/* ---- while it runs ---- */

TEST(a_report_while_it_runs_shows_the_bytes)
{
	cleanup(teardown) struct world t;
	struct repl_report rep;

	setup(&t);
	t.w.endless = true;
	fake_sender(&t.w, "a", "@x1");
	fake_sender(&t.w, "a/b", "@x1");
	fake_sender(&t.w, "c", "@x2");
	thread_start(&t.thread, "run", run_now, &t);
	sem_wait(&t.w.moved);
	replication_report(t.r, &rep);
	check_report(&rep, false);
	if (CHECK(rep.n_attempts == 1 && rep.attempts[0].n_fs == 3)) {
		const struct report_fs *fs = rep.attempts[0].fs;

		CHECK_INT(rep.attempts[0].state, ATTEMPT_FAN_OUT_FILESYSTEMS);
		CHECK_INT(fs[0].state, FS_STEPPING);
		CHECK_INT(fs[0].blocked_on, BLOCKED_ON_NOTHING);
		CHECK_INT(fs[0].steps[0].bytes_replicated, 100);
		CHECK_INT(fs[1].blocked_on, BLOCKED_ON_PARENT_INITIAL_REPL);
		CHECK_INT(fs[2].blocked_on, BLOCKED_ON_REPL_QUEUE);
	}
	repl_report_free(&rep);
	ctx_cancel(t.ctx);
	thread_join(&t.thread);
	report_over(&t);
	CHECK_INT(t.err.kind, ERR_CANCELLED);
}

TEST(a_report_while_planning_has_no_filesystems)
{
	cleanup(teardown) struct world t;
	struct repl_report rep;

	setup(&t);
	fake_sender(&t.w, "a", "@x1");
	fake_block(&t.w, OP_SENDER_VERSIONS, NULL);
	thread_start(&t.thread, "run", run_now, &t);
	sem_wait(&t.w.blocked);
	replication_report(t.r, &rep);
	check_report(&rep, false);
	CHECK_INT(rep.attempts[0].state, ATTEMPT_PLANNING);
	CHECK_INT(rep.attempts[0].n_fs, 0);
	repl_report_free(&rep);
	fake_open(&t.w);
	thread_join(&t.thread);
	CHECK_INT(t.rc, 0);
}

TEST(a_filesystem_whose_steps_are_being_estimated_is_planning)
{
	cleanup(teardown) struct world t;
	struct repl_report rep;

	setup(&t);
	fake_sender(&t.w, "a", "@x1");
	fake_sender(&t.w, "b", "@x1");
	fake_receiver(&t.w, "b", "@x1");
	fake_block(&t.w, OP_DRY, "a");
	thread_start(&t.thread, "run", run_now, &t);
	sem_wait(&t.w.blocked);
	replication_report(t.r, &rep);
	check_report(&rep, false);
	CHECK_INT(rep.attempts[0].fs[0].state, FS_PLANNING);
	CHECK_INT(rep.attempts[0].fs[0].blocked_on, BLOCKED_ON_PLAN_QUEUE);
	CHECK_INT(rep.attempts[0].fs[1].state, FS_DONE);
	repl_report_free(&rep);
	fake_open(&t.w);
	thread_join(&t.thread);
	CHECK_INT(t.rc, 0);
}

TEST(cancelling_ends_all_steps_and_is_recorded)
{
	cleanup(teardown) struct world t;

	setup(&t);
	t.w.endless = true;
	t.w.conf.concurrency_steps = 2;
	for (int i = 0; i < 4; i++)
		fake_sender(&t.w, (const char *[]){ "a", "b", "b/c", "d" }[i], "@x1");
	thread_start(&t.thread, "run", run_now, &t);
	sem_wait(&t.w.moved);
	sem_wait(&t.w.moved);
	ctx_cancel(t.ctx);
	thread_join(&t.thread);
	report_over(&t);
	CHECK_INT(t.rc, -1);
	CHECK_INT(t.err.kind, ERR_CANCELLED);
	REQUIRE(t.rep.n_attempts == 1);
	CHECK_INT(t.rep.attempts[0].state, ATTEMPT_FILESYSTEM_ERROR);
	for (size_t i = 0; i < t.rep.attempts[0].n_fs; i++)
		CHECK(strstr(t.rep.attempts[0].fs[i].step_error.text, "cancelled"));
	CHECK_INT(t.w.n_ops[OP_SEND], 2);
	CHECK_INT(fake_logged(&t.w, "error:"), 0);
}

TEST(cancelling_ends_planning_wherever_it_is)
{
	static const enum fake_op ops[] = { OP_SENDER_LIST,     OP_RECEIVER_LIST,
					    OP_SENDER_VERSIONS, OP_RECEIVER_VERSIONS,
					    OP_DECODE,          OP_DRY };

	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		cleanup(teardown) struct world t;

		setup(&t);
		fake_sender(&t.w, "a", "@x1 @x2");
		fake_receiver(&t.w, "a", "@x1");
		fake_token(&t.w, "a", "1:2");
		fake_block(&t.w, ops[i], NULL);
		thread_start(&t.thread, "run", run_now, &t);
		sem_wait(&t.w.blocked);
		ctx_cancel(t.ctx);
		thread_join(&t.thread);
		report_over(&t);
		CHECK_INT(t.err.kind, ERR_CANCELLED);
		CHECK_INT(t.w.n_ops[OP_SEND], 0);
		CHECK_INT(fake_logged(&t.w, "error:"), 0);
	}
}

TEST(thousands_of_filesystems_with_nothing_to_do_cost_next_to_nothing)
{
	enum { N = 2000 };
	cleanup(teardown) struct world t;
	struct timespec a, b;
	char fs[64];

	setup(&t);
	for (int i = 0; i < N; i++) {
		snprintf(fs, sizeof(fs), "tank/a%d/b%d/c%d", i / 100, i / 10, i);
		fake_sender(&t.w, fs, "@a1 @b2 @c3 @d4 @e5 @f6 @g7 @h8 #h8");
		fake_receiver(&t.w, fs, "@a1 @b2 @c3 @d4 @e5 @f6 @g7 @h8");
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	run_now(&t);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	report_over(&t);
	CHECK_INT(t.rc, 0);
	CHECK_INT(t.rep.attempts[0].n_fs, N);
	CHECK_INT(t.w.n_calls, 4);
	CHECK((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 700);
}

TEST_MAIN()
