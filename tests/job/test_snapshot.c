/* Jobs that are asked for snapshots; none of them has been started. */
#include "job/job.h"
#include "tap.h"

struct fixture {
	struct env env;
	struct conf_global global;
	struct offers offers;
	struct job_surroundings s;
	struct conf_job conf;
	struct job *job;
	struct err err;
};

static void setup(struct fixture *t, enum job_type type,
		  enum snapshotting_type snapshotting)
{
	*t = (struct fixture){
		.env = env_defaults(),
		.conf = { .type = type,
			  .name = "j",
			  .root_fs = "p/sink",
			  .snapshotting = { .type = snapshotting },
			  .connect = { .type = CONNECT_LOCAL },
			  .serve = { .type = SERVE_LOCAL, .listener_name = "l" } },
	};
	t->s = (struct job_surroundings){ .env = &t->env,
					  .global = &t->global,
					  .offers = &t->offers };
	t->job = job_new(&t->conf, &t->s);
}

static void teardown(struct fixture *t)
{
	job_free(t->job);
	offers_free(&t->offers);
	err_clear(&t->err);
}

static void check_refuses(enum job_type type, const char *why)
{
	struct fixture t;

	setup(&t, type, SNAPSHOTTING_MANUAL);
	CHECK_INT(job_snapshot(t.job, &t.err), -1);
	CHECK_INT(t.err.kind, ERR_INVALID);
	CHECK(strncmp(err_msg(&t.err), why, strlen(why)) == 0);
	teardown(&t);
}

TEST(jobs_that_take_no_snapshots_say_what_they_are)
{
	check_refuses(JOB_SINK, "job \"j\" takes no snapshots: it is a sink job");
	check_refuses(JOB_PULL, "job \"j\" takes no snapshots: it is a pull job");
}

TEST(jobs_whose_snapshotting_is_manual_say_so)
{
	check_refuses(JOB_PUSH, "snapshotting is manual, ");
	check_refuses(JOB_SNAP, "snapshotting is manual, ");
	check_refuses(JOB_SOURCE, "snapshotting is manual, ");
}

TEST(the_others_take_them_and_once_asked_are_busy)
{
	static const enum job_type types[] = { JOB_PUSH, JOB_SNAP, JOB_SOURCE };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct fixture t;

		setup(&t, types[i], i ? SNAPSHOTTING_PERIODIC : SNAPSHOTTING_CRON);
		CHECK_INT(job_snapshot(t.job, &t.err), 0);
		CHECK_INT(job_snapshot(t.job, &t.err), -1);
		CHECK_INT(t.err.kind, ERR_BUSY);
		CHECK_STR(err_msg(&t.err), "already snapshotting");
		teardown(&t);
	}
}

TEST_MAIN()
