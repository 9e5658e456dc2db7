#include "daemon/status_json.h"
#include "tap.h"

static const char *text_of(struct buf *b, const struct job_status *s)
{
	struct jsonw w;

	jsonw_init(&w, b);
	status_json_job(&w, s);
	return b->p;
}

TEST(a_push_job_that_never_ran_has_null_reports)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct job_status s = { .type = JOB_PUSH,
				.has_snapper = true,
				.snapper = { .type = SNAPSHOTTING_MANUAL } };

	CHECK_STR(text_of(&b, &s),
		  "{\"type\":\"push\",\"push\":{\"Replication\":null,\"PruningSender\":"
		  "null,"
		  "\"PruningReceiver\":null,\"Snapshotting\":{\"Type\":\"manual\","
		  "\"Periodic\":null,\"Cron\":null,\"Manual\":{}}}}");
}

TEST(a_sink_has_no_snapper)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct job_status s = { .type = JOB_SINK };

	CHECK_STR(text_of(&b, &s), "{\"type\":\"sink\",\"sink\":{\"Snapper\":null,"
				   "\"Listener\":null}}");
}

TEST(a_source_has_a_snapper)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct job_status s = { .type = JOB_SOURCE,
				.has_snapper = true,
				.snapper = { .type = SNAPSHOTTING_MANUAL } };

	CHECK_STR(text_of(&b, &s),
		  "{\"type\":\"source\",\"source\":{\"Snapper\":{\"Type\":\"manual\","
		  "\"Periodic\":null,\"Cron\":null,\"Manual\":{}},\"Listener\":null}}");
}

TEST(a_pull_job_has_the_reports_of_a_push_job_and_no_snapper)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct job_status s = { .type = JOB_PULL };

	CHECK_STR(text_of(&b, &s),
		  "{\"type\":\"pull\",\"pull\":{\"Replication\":null,\"PruningSender\":"
		  "null,\"PruningReceiver\":null,\"Snapshotting\":null}}");
}

TEST(a_listener_shows_where_it_listens_or_why_not)
{
	cleanup(buf_free) struct buf b = { 0 }, c = { 0 };
	struct job_status s = { .type = JOB_SINK,
				.has_listener = true,
				.listener = { .address = (char *)"tcp 0.0.0.0:8888",
					      .half_open = 2,
					      .open = 3 } };

	CHECK_STR(text_of(&b, &s),
		  "{\"type\":\"sink\",\"sink\":{\"Snapper\":null,\"Listener\":{"
		  "\"Address\":\"tcp 0.0.0.0:8888\",\"Error\":\"\",\"HalfOpen\":2,"
		  "\"Open\":3}}}");
	s.listener = (struct rpc_server_report){ 0 };
	err_set(&s.listener.error, ERR_SYSTEM, "bind: %s", "in use");
	CHECK_STR(text_of(&c, &s),
		  "{\"type\":\"sink\",\"sink\":{\"Snapper\":null,\"Listener\":{"
		  "\"Address\":\"\",\"Error\":\"bind: in use\",\"HalfOpen\":0,"
		  "\"Open\":0}}}");
	err_clear(&s.listener.error);
}

TEST(a_replication_shows_steps_errors_and_unset_times)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct report_step steps[] = {
		{ .from = (char *)"",
		  .to = (char *)"@a",
		  .bytes_expected = 10,
		  .bytes_replicated = 10 },
		{ .from = (char *)"#c",
		  .to = (char *)"@b",
		  .resumed = true,
		  .bytes_replicated = 7 },
	};
	struct report_fs fs = {
		.path = (char *)"tank/a",
		.state = FS_STEP_ERROR,
		.blocked_on = BLOCKED_ON_REPL_QUEUE,
		.step_error = { (char *)"receive: \"disk\" full", { .tv_sec = 3 } },
		.current_step = 1,
		.steps = steps,
		.n_steps = 2,
	};
	struct report_attempt attempt = {
		.state = ATTEMPT_FILESYSTEM_ERROR,
		.start = { .tv_sec = 1 },
		.finish = { .tv_sec = 2, .tv_nsec = 500000000 },
		.fs = &fs,
		.n_fs = 1,
	};
	struct job_status s = {
		.type = JOB_PUSH,
		.has_replication = true,
		.replication = { .start = { .tv_sec = 1 },
				 .attempts = &attempt,
				 .n_attempts = 1 },
	};

	CHECK_STR(text_of(&b, &s),
		  "{\"type\":\"push\",\"push\":{\"Replication\":{"
		  "\"StartAt\":\"1970-01-01T00:00:01Z\",\"FinishAt\":\"0001-01-01T00:00:"
		  "00Z\","
		  "\"WaitReconnectSince\":\"0001-01-01T00:00:00Z\","
		  "\"WaitReconnectUntil\":\"0001-01-01T00:00:00Z\","
		  "\"WaitReconnectError\":null,\"Attempts\":[{\"State\":\"filesystem-"
		  "error\","
		  "\"StartAt\":\"1970-01-01T00:00:01Z\",\"FinishAt\":\"1970-01-01T00:00:"
		  "02.5Z\","
		  "\"PlanError\":null,\"Filesystems\":[{\"Info\":{\"Name\":\"tank/a\"},"
		  "\"State\":\"step-error\",\"BlockedOn\":\"repl-queue\",\"PlanError\":"
		  "null,"
		  "\"StepError\":{\"Err\":\"receive: \\\"disk\\\" full\","
		  "\"Time\":\"1970-01-01T00:00:03Z\"},\"CurrentStep\":1,\"Steps\":["
		  "{\"Info\":{\"From\":\"\",\"To\":\"@a\",\"Resumed\":false,"
		  "\"BytesExpected\":10,\"BytesReplicated\":10}},"
		  "{\"Info\":{\"From\":\"#c\",\"To\":\"@b\",\"Resumed\":true,"
		  "\"BytesExpected\":0,\"BytesReplicated\":7}}]}]}]},"
		  "\"PruningSender\":null,\"PruningReceiver\":null,\"Snapshotting\":null}"
		  "}");
}

TEST(a_pruner_has_null_lists_while_it_plans)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct job_status s = { .type = JOB_SNAP,
				.has_prune = true,
				.prune = { .state = PRUNER_PLAN_ERR,
					   .error = (char *)"no" } };

	CHECK_STR(text_of(&b, &s),
		  "{\"type\":\"snap\",\"snap\":{\"Pruning\":{\"State\":\"PlanErr\","
		  "\"Error\":\"no\","
		  "\"Pending\":null,\"Completed\":null},\"Snapshotting\":null}}");
}

TEST(a_pruner_lists_all_snapshots_and_those_it_destroys)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct prune_report_snap snaps[] = {
		{ .name = (char *)"old",
		  .replicated = true,
		  .creation_s = 60,
		  .destroy = true,
		  .reason = (char *)"no rule keeps it" },
		{ .name = (char *)"new", .creation_s = 120, .reason = (char *)"held" },
	};
	struct prune_report_fs fs[] = {
		{ .path = (char *)"tank/a",
		  .snaps = snaps,
		  .n_snaps = 2,
		  .n_destroy = 1,
		  .completed = true },
		{ .path = (char *)"tank/b", .skip = PRUNE_SKIP_PLACEHOLDER },
	};
	struct job_status s = { .type = JOB_SNAP,
				.has_prune = true,
				.prune = { .state = PRUNER_EXEC, .fs = fs, .n_fs = 2 } };

	CHECK_STR(
		text_of(&b, &s),
		"{\"type\":\"snap\",\"snap\":{\"Pruning\":{\"State\":\"Exec\",\"Error\":"
		"\"\","
		"\"Pending\":[{\"Filesystem\":\"tank/b\",\"SnapshotList\":null,"
		"\"DestroyList\":null,\"SkipReason\":\"filesystem is placeholder\","
		"\"LastError\":\"\"}],\"Completed\":[{\"Filesystem\":\"tank/a\","
		"\"SnapshotList\":[{\"Name\":\"old\",\"Replicated\":true,"
		"\"Date\":\"1970-01-01T00:01:00Z\",\"Reason\":\"no rule keeps it\"},"
		"{\"Name\":\"new\",\"Replicated\":false,"
		"\"Date\":\"1970-01-01T00:02:00Z\",\"Reason\":\"held\"}],"
		"\"DestroyList\":[{\"Name\":\"old\",\"Replicated\":true,"
		"\"Date\":\"1970-01-01T00:01:00Z\",\"Reason\":\"no rule keeps it\"}],"
		"\"SkipReason\":"
		"\"\","
		"\"LastError\":\"\"}]},\"Snapshotting\":null}}");
}

TEST(a_periodic_snapper_shows_its_state_as_a_number)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct snap_report_fs fs = { .path = (char *)"tank/a",
				     .state = SNAP_DONE,
				     .snap_name = (char *)"z_1",
				     .start = { .tv_sec = 5 },
				     .done = { .tv_sec = 6 } };
	struct job_status s = { .type = JOB_SNAP,
				.has_snapper = true,
				.snapper = { .type = SNAPSHOTTING_PERIODIC,
					     .state = SNAPPER_WAITING,
					     .sleep_until = { .tv_sec = 600 },
					     .fs = &fs,
					     .n_fs = 1 } };

	CHECK_STR(text_of(&b, &s),
		  "{\"type\":\"snap\",\"snap\":{\"Pruning\":null,\"Snapshotting\":{"
		  "\"Type\":\"periodic\",\"Periodic\":{\"State\":16,"
		  "\"SleepUntil\":\"1970-01-01T00:10:00Z\",\"Error\":\"\",\"Progress\":["
		  "{\"Path\":\"tank/a\",\"State\":4,\"SnapName\":\"z_1\","
		  "\"StartAt\":\"1970-01-01T00:00:05Z\",\"Hooks\":\"\","
		  "\"HooksHadError\":false,\"DoneAt\":\"1970-01-01T00:00:06Z\"}]},"
		  "\"Cron\":null,\"Manual\":null}}}");
}

TEST(a_cron_snapper_that_waits_shows_when_until)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct job_status s = { .type = JOB_SNAP,
				.has_snapper = true,
				.snapper = { .type = SNAPSHOTTING_CRON,
					     .state = SNAPPER_ERROR_WAIT,
					     .began = { .tv_sec = 60 },
					     .sleep_until = { .tv_sec = 600 } } };

	CHECK_STR(text_of(&b, &s),
		  "{\"type\":\"snap\",\"snap\":{\"Pruning\":null,\"Snapshotting\":{"
		  "\"Type\":\"cron\",\"Periodic\":null,\"Cron\":{\"State\":\"waiting\","
		  "\"WakeupTime\":\"1970-01-01T00:10:00Z\",\"Errors\":null,"
		  "\"Progress\":[]},\"Manual\":null}}}");
}

TEST(a_cron_snapper_that_runs_shows_since_when_and_what_its_hooks_do)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct snap_report_fs fs = { .path = (char *)"tank/a",
				     .state = SNAP_STARTED,
				     .snap_name = (char *)"z_1",
				     .start = { .tv_sec = 61 },
				     .hooks = (char *)"1  Err  1ms  before: x\n2  Exec",
				     .hooks_had_error = true };
	struct job_status s = { .type = JOB_SOURCE,
				.has_snapper = true,
				.snapper = { .type = SNAPSHOTTING_CRON,
					     .state = SNAPPER_SNAPSHOTTING,
					     .began = { .tv_sec = 60 },
					     .error = (char *)"no pools",
					     .n_missed = 2,
					     .fs = &fs,
					     .n_fs = 1 } };

	CHECK_STR(text_of(&b, &s),
		  "{\"type\":\"source\",\"source\":{\"Snapper\":{\"Type\":\"cron\","
		  "\"Periodic\":null,\"Cron\":{\"State\":\"running\","
		  "\"WakeupTime\":\"1970-01-01T00:01:00Z\",\"Errors\":[\"no pools\","
		  "\"cron frequency is too high, 2 activations passed while snapshots "
		  "were taken\"],\"Progress\":[{\"Path\":\"tank/a\",\"State\":2,"
		  "\"SnapName\":\"z_1\",\"StartAt\":\"1970-01-01T00:01:01Z\","
		  "\"Hooks\":\"1  Err  1ms  before: x\\n2  Exec\",\"HooksHadError\":true,"
		  "\"DoneAt\":\"0001-01-01T00:00:00Z\"}]},\"Manual\":null},"
		  "\"Listener\":null}}");
}

TEST(a_count_that_ended_says_at_least)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct job_status s = { .type = JOB_SNAP,
				.has_snapper = true,
				.snapper = { .type = SNAPSHOTTING_CRON,
					     .state = SNAPPER_WAITING,
					     .n_missed = SNAPPER_MAX_MISSED } };

	CHECK(strstr(text_of(&b, &s),
		     "\"Errors\":[\"cron frequency is too high, at least "
		     "1000 activations passed"));
}

TEST_MAIN()
