/*
 * fixture.h - a snapper with everything around it: a clock of its own, on which no sleep
 * takes time, and a zfs that is a table.
 */
#ifndef TEST_FIXTURE_H
#define TEST_FIXTURE_H

#include "collect.h"
#include "fake_zfs.h"
#include "snap/snapper.h"

enum { MINUTE = 60, INTERVAL = 10 * MINUTE };

struct fixture {
	struct zfs zfs;
	struct ctx *ctx;
	struct dsfilter filter;
	struct conf_snapshotting conf;
	struct env env;
	struct snapper *snapper;
	struct snapper_report report, in_list, in_snapshot;
	int64_t snapshots_take_s;
	/* the clock */
	struct timespec now;
	int64_t end_s;       /* after noon: cancelled then */
	int64_t oversleep_s; /* the next sleep takes so much longer: a suspend */
	int64_t longest_sleep_ms;
	unsigned n_sleeps;
	int64_t ask_at_s; /* after noon: somebody wakes it up and asks for a cycle */
	void (*in_snapshot_ask)(struct fixture *t);
	unsigned n_cycles;
	unsigned max_cycles; /* cancelled then; 0: no limit */
	struct strs events;  /* sleeps and snapshots */
	struct strs log;
};

static inline int64_t after_noon(struct timespec t)
{
	return (int64_t)t.tv_sec - NOON;
}

static inline void event(struct fixture *t, const char *text)
{
	if (t->events.n == 0 || strcmp(t->events.v[t->events.n - 1], text) != 0)
		strs_add(&t->events, text);
}

static inline struct timespec fake_now(void *arg)
{
	return ((struct fixture *)arg)->now;
}

/* Asks for a cycle in the middle of a sleep of so long, if it is time to. */
static inline bool asks(struct fixture *t, struct wake *w, int64_t ms)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	if (t->ask_at_s <= after_noon(t->now) ||
	    t->ask_at_s > after_noon(t->now) + ms / 1000)
		return false;
	t->now = (struct timespec){ .tv_sec = NOON + t->ask_at_s };
	CHECK_INT(snapper_trigger(t->snapper, &e), 0);
	CHECK(wake_clear(w));
	CHECK_INT(snapper_trigger(t->snapper, &e), -1);
	CHECK_INT(e.kind, ERR_BUSY);
	CHECK_STR(err_msg(&e), "already snapshotting");
	return true;
}

static inline int fake_sleep(void *arg, struct ctx *ctx, struct wake *w, int64_t ms,
			     struct err *err)
{
	struct fixture *t = arg;
	struct snapper_report r = { 0 };
	cleanup(str_freep) char *text = NULL;

	snapper_report(t->snapper, &r);
	text = xasprintf("%s until %+" PRId64, snapper_state_name(r.state),
			 after_noon(r.sleep_until));
	snapper_report_free(&r);
	event(t, text);
	CHECK(ms > 0);
	if (ms > t->longest_sleep_ms)
		t->longest_sleep_ms = ms;
	t->n_sleeps++;
	if (asks(t, w, ms))
		return 0;
	t->now.tv_sec += ms / 1000 + t->oversleep_s;
	t->now.tv_nsec += ms % 1000 * 1000000;
	t->oversleep_s = 0;
	if (t->now.tv_nsec >= 1000000000) {
		t->now.tv_nsec -= 1000000000;
		t->now.tv_sec++;
	}
	if (after_noon(t->now) > t->end_s)
		ctx_cancel(ctx);
	return ctx_sleep(ctx, 0, err);
}

static inline void on_cycle(void *arg)
{
	struct fixture *t = arg;

	if (++t->n_cycles == t->max_cycles)
		ctx_cancel(t->ctx);
}

static inline void look(struct fixture *t, struct snapper_report *out)
{
	snapper_report_free(out);
	snapper_report(t->snapper, out);
}

static inline void on_list(void *arg)
{
	struct fixture *t = arg;

	look(t, &t->in_list);
}

static inline void on_snapshot(void *arg, const struct strs *full)
{
	struct fixture *t = arg;
	cleanup(str_freep) char *names = strs_join(full, " ");
	cleanup(str_freep) char *text =
		xasprintf("%+" PRId64 " %s", after_noon(t->now), names);
	event(t, text);
	look(t, &t->in_snapshot);
	if (t->in_snapshot_ask)
		t->in_snapshot_ask(t);
	t->now.tv_sec += t->snapshots_take_s;
}

static inline void setup(struct fixture *t, const struct fake_fs *fs, size_t n)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	*t = (struct fixture){
		.zfs = { .fs = fs,
			 .n = n,
			 .on_list = on_list,
			 .on_snapshot = on_snapshot,
			 .arg = t },
		.ctx = ctx_new(NULL),
		.conf = { .type = SNAPSHOTTING_PERIODIC,
			  .prefix = "z_",
			  .interval_s = INTERVAL },
		.env = { .syncup_warn_min_ms = 1000, .wallclock_max_delay_ms = 10000 },
		.now = { .tv_sec = NOON },
		.end_s = 15 * MINUTE,
	};
	t->conf.name = snapname_new("z_", "dense", "UTC", &e);
	CHECK(t->conf.name);
	CHECK_INT(dsfilter_add(&t->filter, "p<", true, &e), 0);
	CHECK_INT(dsfilter_add(&t->filter, "p/no", false, &e), 0);
}

static inline struct snapper *make(struct fixture *t, const struct snapper_clock *clock)
{
	const struct snapper_opts o = {
		.conf = &t->conf,
		.filter = &t->filter,
		.zfs = &t->zfs,
		.env = &t->env,
		.log = { collect_log, &t->log, "job", "snapshot" },
		.on_cycle = on_cycle,
		.on_cycle_arg = t,
		.clock = clock,
	};

	return snapper_new(&o);
}

static inline void run(struct fixture *t)
{
	const struct snapper_clock clock = { fake_now, fake_sleep, t };

	t->snapper = make(t, &clock);
	snapper_run(t->ctx, t->snapper);
	snapper_report(t->snapper, &t->report);
	CHECK_INT(t->report.state, SNAPPER_STOPPED);
	CHECK_INT(t->report.sleep_until.tv_sec, 0);
}

static inline void teardown(struct fixture *t)
{
	snapper_free(t->snapper);
	snapper_report_free(&t->report);
	snapper_report_free(&t->in_list);
	snapper_report_free(&t->in_snapshot);
	snapname_free(t->conf.name);
	cron_free(t->conf.cron);
	dsfilter_free(&t->filter);
	strs_free(&t->zfs.roots);
	strs_free(&t->events);
	strs_free(&t->log);
	ctx_free(t->ctx);
}

#endif
