#include "conf/meetings.h"
#include "tap.h"

enum { N_JOBS = 12, N_ROUNDS = 400 };

/* A small linear congruential generator: the same jobs in each run. */
static unsigned roll(uint64_t *state, unsigned sides)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*state >> 33) % sides;
}

static void fill(struct dsfilter *f, uint64_t *state)
{
	static const char *const patterns[] = { "<",    "a",     "a<",     "a/b",
						"a/b<", "a/b/c", "a/b/c<", "a/bc<",
						"a-b<", "b<" };
	cleanup(err_clear) struct err unused = ERR_INIT;

	for (unsigned n = 1 + roll(state, 3); n > 0; n--)
		/* one that is there already is refused */
		if (dsfilter_add(f, patterns[roll(state, ARRAY_LEN(patterns))],
				 roll(state, 3) > 0, &unused) < 0)
			err_clear(&unused);
}

/* Returns how many pairs overlap. */
static size_t check_round(struct conf_job *jobs)
{
	struct meetings m;
	bool met[N_JOBS];
	size_t n = 0;

	meetings_find(&m, jobs, N_JOBS);
	for (size_t i = 0; i < N_JOBS; i++) {
		meetings_of(&m, &jobs[i], met);
		for (size_t k = 0; k < N_JOBS; k++) {
			bool overlap = dsfilter_overlap(&jobs[i].filesystems,
							&jobs[k].filesystems, NULL);

			CHECK(!overlap || met[k]);
			n += overlap;
		}
	}
	meetings_free(&m);
	return n;
}

TEST(whoever_overlaps_meets)
{
	uint64_t state = 1;
	size_t n = 0;

	for (size_t round = 0; round < N_ROUNDS; round++) {
		struct conf_job jobs[N_JOBS] = { 0 };

		for (size_t i = 0; i < N_JOBS; i++) {
			jobs[i].type = JOB_SNAP;
			jobs[i].snapshotting.type = SNAPSHOTTING_PERIODIC;
			fill(&jobs[i].filesystems, &state);
		}
		n += check_round(jobs);
		for (size_t i = 0; i < N_JOBS; i++)
			dsfilter_free(&jobs[i].filesystems);
	}
	CHECK(n > (size_t)N_ROUNDS * N_JOBS); /* not only each with itself */
}

TEST(neighbours_and_jobs_that_take_no_snapshots_do_not_meet)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct conf_job jobs[4] = { 0 };
	static const char *const patterns[] = { "t/a<", "t/ab<", "t/a/x", "t/a/y" };
	struct meetings m;
	bool met[4];

	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		jobs[i].type = JOB_SNAP;
		jobs[i].snapshotting.type =
			i == 3 ? SNAPSHOTTING_MANUAL : SNAPSHOTTING_CRON;
		CHECK_INT(dsfilter_add(&jobs[i].filesystems, patterns[i], true, &e), 0);
	}
	meetings_find(&m, jobs, ARRAY_LEN(jobs));
	meetings_of(&m, &jobs[0], met);
	CHECK(met[0] && !met[1] && met[2] && !met[3]);
	meetings_of(&m, &jobs[2], met);
	CHECK(met[0] && !met[1] && met[2] && !met[3]);
	meetings_free(&m);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		dsfilter_free(&jobs[i].filesystems);
}

TEST_MAIN()
