#include "snap/snapper.h"

#include "base/buf.h"
#include "codec/rfc3339.h"
#include "snap/cycle.h"
#include "snap/plan.h"
#include "snap/report.h"
#include "snap/syncup.h"

#include <inttypes.h>

/* ---- time ---- */

static struct timespec system_now(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &t);
	return t;
}

static int system_sleep(void *arg, struct ctx *ctx, struct wake *w, int64_t ms,
			struct err *err)
{
	const struct timespec second = { .tv_sec = 1 };

	(void)arg;
	if (wake_wait(w, ctx, ms, err) >= 0)
		return 0;
	if (ctx_done(ctx))
		return -1;
	/* Out of descriptors: no reason to stop taking snapshots.  Look again soon. */
	err_clear(err);
	nanosleep(&second, NULL);
	return 0;
}

/* Rounded up, so that after so long it is not too early. */
static int64_t ms_until(struct timespec from, struct timespec to)
{
	int64_t s = (int64_t)to.tv_sec - from.tv_sec;
	int64_t ns = to.tv_nsec - from.tv_nsec;

	return s * 1000 + ns / 1000000 + (ns % 1000000 > 0);
}

static struct timespec later(struct timespec t, int64_t seconds)
{
	t.tv_sec += seconds;
	return t;
}

/* ---- the schedule ---- */

static bool is_cron(const struct snapper *s)
{
	return s->o.conf->type == SNAPSHOTTING_CRON;
}

/* The next one after t. */
static struct timespec next_after(const struct snapper *s, struct timespec t)
{
	enum { YEAR = 365 * 24 * 3600 };
	int64_t next_s;

	if (!is_cron(s))
		return later(t, s->o.conf->interval_s);
	if (cron_next(s->o.conf->cron, t.tv_sec, &next_s))
		return (struct timespec){ .tv_sec = next_s };
	/* It had one when it was loaded.  Looked for again long before. */
	return later(t, (int64_t)CRON_MAX_YEARS * YEAR);
}

/*
 * We never mean to wait for longer than until the next one from now: if it looks as if,
 * then somebody has set the clock back, and the schedule starts anew.
 */
static struct timespec mind_the_clock(const struct snapper *s, struct timespec t,
				      struct timespec due)
{
	struct timespec next;

	if (ms_until(t, due) <= 0)
		return due;
	next = next_after(s, t);
	return ms_until(next, due) > 0 ? next : due;
}

/* Activations after `from` and not after `to`. */
static uint64_t count_activations(const struct cron *c, int64_t from, int64_t to)
{
	uint64_t n = 0;

	while (n < SNAPPER_MAX_MISSED && cron_next(c, from, &from) && from <= to)
		n++;
	return n;
}

/* ---- waiting ---- */

enum waited { WAITED_STOPPED, WAITED_DUE, WAITED_ASKED };

static bool is_asked(struct snapper *s)
{
	bool r;

	pthread_mutex_lock(&s->lock);
	r = s->is_asked;
	pthread_mutex_unlock(&s->lock);
	return r;
}

static enum waited wait_until(struct ctx *ctx, struct snapper *s,
			      enum snapper_state state, struct timespec *due)
{
	const int64_t nap_ms = s->o.env->wallclock_max_delay_ms;
	cleanup(err_clear) struct err e = ERR_INIT;

	while (!ctx_done(ctx)) {
		struct timespec t = snapper_now(s);
		int64_t left;

		*due = mind_the_clock(s, t, *due);
		state_set(s, state, *due);
		left = ms_until(t, *due);
		if (left <= 0)
			return WAITED_DUE;
		if (is_asked(s))
			return WAITED_ASKED;
		if (nap_ms > 0 && left > nap_ms)
			left = nap_ms;
		if (s->clock.sleep(s->clock.arg, ctx, &s->wake, left, &e) < 0)
			break;
	}
	return WAITED_STOPPED;
}

/* ---- when first ---- */

/* The newest of our snapshots, by createtxg. */
static struct syncup_fs history(const struct snapper *s, const struct zfs_version_list *l)
{
	struct syncup_fs r = { .path = l->fs };

	for (size_t i = 0; i < l->versions.n; i++) {
		if (!plan_is_ours(s, &l->versions.v[i]))
			continue;
		r.has_snapshot = true;
		r.latest_s = l->versions.v[i].creation_s;
	}
	return r;
}

static void warn_of_future(const struct snapper *s, const struct syncup_fs *fs, size_t n,
			   int64_t now_s)
{
	for (size_t i = 0; i < n; i++)
		if (fs[i].has_snapshot && fs[i].latest_s > now_s)
			log_at(&s->o.log, LOG_WARN, LOG_FIELDS({ "fs", fs[i].path }),
			       "latest snapshot is in the future, not considered for "
			       "sync-up");
}

static void warn_of_delay(const struct snapper *s, const struct syncup_fs *fs, size_t n,
			  int64_t when_s)
{
	const struct timespec when = { .tv_sec = when_s };
	cleanup(buf_free) struct buf text = { 0 };

	if (ms_until(snapper_now(s), when) <= s->o.env->syncup_warn_min_ms)
		return;
	rfc3339_format(&text, when);
	for (size_t i = 0; i < n; i++)
		if (!fs[i].has_snapshot)
			log_at(&s->o.log, LOG_WARN, LOG_FIELDS({ "fs", fs[i].path }),
			       "no snapshot yet, and none will be taken until the others "
			       "are due at %s",
			       text.p);
}

/* The time to begin at. */
static int sync_up(struct ctx *ctx, struct snapper *s, int64_t now_s, int64_t *when_s,
		   struct err *err)
{
	cleanup(strs_free) struct strs paths = { 0 };
	cleanup(zfs_version_lists_free) struct zfs_version_lists lists = { 0 };
	size_t n = 0;
	int r;

	if (plan_filesystems(ctx, s, &paths, err) < 0)
		return -1;
	if (paths.n > 0 &&
	    zfs_list_versions(ctx, s->o.zfs, &paths, ZFS_SNAPSHOTS, &lists, err) < 0)
		return -1;
	struct syncup_fs *fs = xcalloc(lists.n, sizeof(*fs));

	for (size_t i = 0; i < lists.n; i++)
		if (lists.v[i].exists) /* or it is gone since */
			fs[n++] = history(s, &lists.v[i]);
	warn_of_future(s, fs, n, now_s);
	if (s->o.conf->skip_unchanged)
		syncup_level(fs, n, now_s);
	r = syncup_when(fs, n, now_s, s->o.conf->interval_s, when_s, err);
	if (r == 0)
		warn_of_delay(s, fs, n, *when_s);
	free(fs);
	return r;
}

/* Returns the state to wait in. */
static enum snapper_state begin(struct ctx *ctx, struct snapper *s, struct timespec *due)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct timespec t = snapper_now(s);
	int64_t when_s;

	*due = next_after(s, t);
	if (is_cron(s))
		return SNAPPER_WAITING;
	if (sync_up(ctx, s, t.tv_sec, &when_s, &e) < 0) {
		state_failed(ctx, s, "cannot sync up", &e);
		return SNAPPER_SYNC_UP_ERR_WAIT;
	}
	*due = (struct timespec){ .tv_sec = when_s };
	return SNAPPER_SYNC_UP;
}

/* ---- the snapper ---- */

static void complain_of_missed(struct snapper *s)
{
	uint64_t n = count_activations(s->o.conf->cron, s->count_missed_s,
				       snapper_now(s).tv_sec);

	state_missed(s, n);
	if (n > 0)
		log_warn(&s->o.log,
			 "cron frequency is too high, %s%" PRIu64
			 " activations passed while snapshots were taken",
			 n == SNAPPER_MAX_MISSED ? "at least " : "", n);
}

/* What is asked for before it is due leaves what is due to be taken afterwards. */
static enum snapper_state cycle(struct ctx *ctx, struct snapper *s, enum waited waited,
				struct timespec due)
{
	struct timespec t = snapper_now(s);
	enum cycle_outcome outcome;

	state_begin(s, t, waited == WAITED_ASKED ? due.tv_sec : t.tv_sec);
	outcome = cycle_run(ctx, s);
	if (is_cron(s) && !ctx_done(ctx))
		complain_of_missed(s);
	/* compat: zrepl 0.7, by cron even if there was no cycle. */
	if (s->o.on_cycle && !ctx_done(ctx) &&
	    (outcome != CYCLE_NOT_LISTED || is_cron(s)))
		s->o.on_cycle(s->o.on_cycle_arg);
	return outcome == CYCLE_DONE ? SNAPPER_WAITING : SNAPPER_ERROR_WAIT;
}

void snapper_run(struct ctx *ctx, struct snapper *s)
{
	const struct timespec never = { 0 };
	enum snapper_state state;
	enum waited waited;
	struct timespec due;

	if (s->o.conf->type == SNAPSHOTTING_MANUAL)
		return;
	state = begin(ctx, s, &due);
	while ((waited = wait_until(ctx, s, state, &due)) != WAITED_STOPPED) {
		struct timespec began = snapper_now(s);

		state = cycle(ctx, s, waited, due);
		if (waited == WAITED_DUE)
			due = next_after(s, is_cron(s) ? snapper_now(s) : began);
	}
	state_set(s, SNAPPER_STOPPED, never);
}

int snapper_trigger(struct snapper *s, struct err *err)
{
	enum snapper_state state;
	bool was_asked;

	if (s->o.conf->type == SNAPSHOTTING_MANUAL)
		return err_set(
			err, ERR_INVALID,
			"snapshotting is manual, so there is no prefix to name "
			"snapshots with; take them with zfs snapshot, or configure "
			"snapshotting of type periodic or cron");
	pthread_mutex_lock(&s->lock);
	state = s->report.state;
	was_asked = s->is_asked;
	if (state != SNAPPER_PLANNING && state != SNAPPER_SNAPSHOTTING &&
	    state != SNAPPER_STOPPED)
		s->is_asked = true;
	pthread_mutex_unlock(&s->lock);
	if (state == SNAPPER_STOPPED)
		return err_set(err, ERR_CANCELLED, "snapshotting has been stopped");
	if (was_asked || state == SNAPPER_PLANNING || state == SNAPPER_SNAPSHOTTING)
		return err_set(err, ERR_BUSY, "already snapshotting");
	wake_signal(&s->wake);
	return 0;
}

static enum snapper_state first_state(enum snapshotting_type type)
{
	switch (type) {
	case SNAPSHOTTING_MANUAL:
		break;
	case SNAPSHOTTING_PERIODIC:
		return SNAPPER_SYNC_UP;
	case SNAPSHOTTING_CRON:
		return SNAPPER_WAITING;
	}
	return SNAPPER_STOPPED;
}

struct snapper *snapper_new(const struct snapper_opts *o)
{
	struct snapper *s = xcalloc(1, sizeof(*s));

	s->o = *o;
	if (o->clock)
		s->clock = *o->clock;
	else
		s->clock = (struct snapper_clock){ system_now, system_sleep, NULL };
	s->hooks_opts = (struct hooks_opts){
		.conf = o->conf->hooks,
		.n = o->conf->n_hooks,
		.env = o->env,
		.log = log_with_subsystem(&o->log, "hook"),
	};
	if (o->conf->n_hooks > 0)
		s->hooks = hooks_new(&s->hooks_opts);
	s->report.type = o->conf->type;
	s->report.state = first_state(o->conf->type);
	wake_init(&s->wake);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void snapper_report(struct snapper *s, struct snapper_report *out)
{
	int64_t count_missed_s;

	pthread_mutex_lock(&s->lock);
	snapper_report_dup(&s->report, out);
	count_missed_s = s->count_missed_s;
	pthread_mutex_unlock(&s->lock);
	if (is_cron(s) && (out->state & (SNAPPER_PLANNING | SNAPPER_SNAPSHOTTING)))
		out->n_missed = count_activations(s->o.conf->cron, count_missed_s,
						  snapper_now(s).tv_sec);
}

void snapper_free(struct snapper *s)
{
	if (!s)
		return;
	snapper_report_free(&s->report);
	hooks_free(s->hooks);
	strs_free(&s->pools_in_batches);
	wake_fini(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
