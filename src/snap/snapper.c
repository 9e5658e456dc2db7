#include "snap/snapper.h"

#include "base/buf.h"
#include "codec/dsname.h"
#include "codec/rfc3339.h"
#include "snap/report.h"
#include "snap/syncup.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

struct snapper {
	struct snapper_opts o;
	struct snapper_clock clock;
	pthread_mutex_t lock;
	/* Under lock.  Only snapper_run()'s thread writes, and may read without. */
	struct snapper_report report;
};

/* ---- time ---- */

static struct timespec system_now(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &t);
	return t;
}

static int system_sleep(void *arg, struct ctx *ctx, int64_t ms, struct err *err)
{
	const struct timespec second = { .tv_sec = 1 };

	(void)arg;
	if (ctx_sleep(ctx, ms, err) == 0)
		return 0;
	if (ctx_done(ctx))
		return -1;
	/* Out of descriptors: no reason to stop taking snapshots.  Look again soon. */
	err_clear(err);
	nanosleep(&second, NULL);
	return 0;
}

static struct timespec now(const struct snapper *s)
{
	return s->clock.now(s->clock.arg);
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

/* ---- keeping the report ---- */

static void set_state(struct snapper *s, enum snapper_state state,
		      struct timespec sleep_until)
{
	pthread_mutex_lock(&s->lock);
	s->report.state = state;
	s->report.sleep_until = sleep_until;
	pthread_mutex_unlock(&s->lock);
}

static void set_error(struct snapper *s, const char *error)
{
	char *text = xstrdup_or_null(error);
	char *old;

	pthread_mutex_lock(&s->lock);
	old = s->report.error;
	s->report.error = text;
	pthread_mutex_unlock(&s->lock);
	free(old);
}

/* What ends a cycle, or the sync-up, as a whole; consumes e. */
static void failed(struct ctx *ctx, struct snapper *s, const char *what, struct err *e)
{
	if (!ctx_done(ctx)) {
		log_at(&s->o.log, LOG_ERROR, LOG_FIELDS({ "err", err_msg(e) }), "%s",
		       what);
		err_wrap(e, "%s", what);
		set_error(s, err_msg(e));
	}
	err_clear(e);
}

/* The report's list from now on: one of new filesystems that wait for their turn. */
static void set_filesystems(struct snapper *s, const struct strs *paths)
{
	struct snapper_report old = { 0 };
	struct snap_report_fs *fs = xcalloc(paths->n, sizeof(*fs));

	for (size_t i = 0; i < paths->n; i++)
		fs[i] = (struct snap_report_fs){ .path = xstrdup(paths->v[i]),
						 .state = SNAP_PENDING,
						 .snap_name = xstrdup("") };
	pthread_mutex_lock(&s->lock);
	old.fs = s->report.fs;
	old.n_fs = s->report.n_fs;
	s->report.fs = fs;
	s->report.n_fs = paths->n;
	pthread_mutex_unlock(&s->lock);
	snapper_report_free(&old);
}

static void fs_started(struct snapper *s, struct snap_report_fs *fs, const char *name,
		       struct timespec t)
{
	char *copy = xstrdup(name);
	char *old;

	pthread_mutex_lock(&s->lock);
	old = fs->snap_name;
	fs->snap_name = copy;
	fs->state = SNAP_STARTED;
	fs->start = t;
	pthread_mutex_unlock(&s->lock);
	free(old);
}

/* e->kind ERR_NONE: it has its snapshot. */
static void fs_done(struct snapper *s, struct snap_report_fs *fs, struct timespec t,
		    const struct err *e)
{
	char *error = e->kind == ERR_NONE ? NULL : xstrdup(err_msg(e));

	pthread_mutex_lock(&s->lock);
	fs->state = error ? SNAP_ERROR : SNAP_DONE;
	fs->done = t;
	fs->error = error;
	pthread_mutex_unlock(&s->lock);
}

/* ---- waiting ---- */

/*
 * -1: ctx is done.  We never mean to wait for longer than the interval: if it looks as
 * if, then somebody has set the clock back, and the rhythm starts anew.
 */
static int wait_until(struct ctx *ctx, struct snapper *s, enum snapper_state state,
		      struct timespec due)
{
	const int64_t interval_s = s->o.conf->interval_s;
	const int64_t nap_ms = s->o.env->wallclock_max_delay_ms;
	cleanup(err_clear) struct err e = ERR_INIT;

	set_state(s, state, due);
	while (!ctx_done(ctx)) {
		struct timespec t = now(s);
		int64_t left = ms_until(t, due);

		if (left <= 0)
			return 0;
		if (left > interval_s * 1000) {
			due = later(t, interval_s);
			left = interval_s * 1000;
			set_state(s, state, due);
		}
		if (nap_ms > 0 && left > nap_ms)
			left = nap_ms;
		if (s->clock.sleep(s->clock.arg, ctx, left, &e) < 0)
			return -1;
	}
	return -1;
}

/* ---- what to take snapshots of, and when first ---- */

static int list_filesystems(struct ctx *ctx, struct snapper *s, struct strs *out,
			    struct err *err)
{
	cleanup(strs_free) struct strs subtrees = { 0 };
	cleanup(strs_free) struct strs exact = { 0 };
	cleanup(zfs_datasets_free) struct zfs_datasets all = { 0 };

	dsfilter_roots(s->o.filter, &subtrees, &exact);
	if (zfs_list_datasets(ctx, s->o.zfs, &subtrees, &exact, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++)
		if (dsfilter_accepts(s->o.filter, all.v[i].name))
			strs_add(out, all.v[i].name);
	strs_sort(out);
	return 0;
}

/* The newest of our snapshots, by createtxg. */
static struct syncup_fs history(const struct snapper *s, const struct zfs_version_list *l)
{
	const char *prefix = s->o.conf->prefix;
	struct syncup_fs r = { .path = l->fs };

	for (size_t i = 0; i < l->versions.n; i++) {
		const struct version *v = &l->versions.v[i];

		if (v->type != VERSION_SNAPSHOT ||
		    strncmp(v->name, prefix, strlen(prefix)) != 0)
			continue;
		r.has_snapshot = true;
		r.latest_s = v->creation_s;
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

	if (ms_until(now(s), when) <= s->o.env->syncup_warn_min_ms)
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

	if (list_filesystems(ctx, s, &paths, err) < 0)
		return -1;
	if (paths.n > 0 &&
	    zfs_list_versions(ctx, s->o.zfs, &paths, ZFS_SNAPSHOTS, &lists, err) < 0)
		return -1;
	struct syncup_fs *fs = xcalloc(lists.n, sizeof(*fs));

	for (size_t i = 0; i < lists.n; i++)
		if (lists.v[i].exists) /* or it is gone since */
			fs[n++] = history(s, &lists.v[i]);
	warn_of_future(s, fs, n, now_s);
	r = syncup_when(fs, n, now_s, s->o.conf->interval_s, when_s, err);
	if (r == 0)
		warn_of_delay(s, fs, n, *when_s);
	free(fs);
	return r;
}

/* ---- taking them ---- */

/* Those whose snapshot's name would be refused fail now and are left out. */
static void start_all(struct snapper *s, const char *name, struct strs *full,
		      struct snap_report_fs **of_full)
{
	for (size_t i = 0; i < s->report.n_fs; i++) {
		struct snap_report_fs *fs = &s->report.fs[i];
		cleanup(err_clear) struct err e = ERR_INIT;
		cleanup(str_freep) char *f = xasprintf("%s@%s", fs->path, name);

		fs_started(s, fs, name, now(s));
		if (dsname_check_version(f, '@', &e) < 0) {
			fs_done(s, fs, now(s), &e);
			continue;
		}
		of_full[full->n] = fs;
		strs_take(full, TAKE(f));
	}
}

/* Logs what failed; the first failure of how many is the cycle's error. */
static int sum_up(struct ctx *ctx, struct snapper *s, const char *name, bool is_logged)
{
	const struct snap_report_fs *first = NULL;
	cleanup(str_freep) char *text = NULL;
	size_t n_failed = 0;

	for (size_t i = 0; i < s->report.n_fs; i++) {
		const struct snap_report_fs *fs = &s->report.fs[i];

		if (fs->state == SNAP_DONE)
			continue;
		n_failed++;
		first = first ? first : fs;
		if (!is_logged && !ctx_done(ctx))
			log_at(&s->o.log, LOG_ERROR,
			       LOG_FIELDS({ "fs", fs->path }, { "snap", name },
					  { "err", fs->error }),
			       "cannot create snapshot");
	}
	if (n_failed < s->report.n_fs)
		log_at(&s->o.log, LOG_INFO, LOG_FIELDS({ "snap", name }),
		       "took %zu snapshots", s->report.n_fs - n_failed);
	if (!first) {
		set_error(s, NULL);
		return 0;
	}
	text = xasprintf("one or more snapshots could not be created, %zu of %zu failed, "
			 "first %s: %s",
			 n_failed, s->report.n_fs, first->path, first->error);
	set_error(s, text);
	return -1;
}

static int take(struct ctx *ctx, struct snapper *s)
{
	cleanup(str_freep) char *name = snapname_at(s->o.conf->name, now(s));
	cleanup(strs_free) struct strs full = { 0 };
	cleanup(zfs_results_free) struct zfs_results results = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	struct snap_report_fs **of_full =
		xcalloc(s->report.n_fs, sizeof(struct snap_report_fs *));
	int r = 0;

	start_all(s, name, &full, of_full);
	if (full.n > 0)
		r = zfs_snapshot(ctx, s->o.zfs, &full, &results, &e);
	assert(r < 0 || results.n == full.n);
	for (size_t i = 0; i < full.n; i++)
		fs_done(s, of_full[i], now(s), r < 0 ? &e : &results.v[i]);
	free(of_full);
	if (r < 0 && !ctx_done(ctx))
		log_at(&s->o.log, LOG_ERROR,
		       LOG_FIELDS({ "snap", name }, { "err", err_msg(&e) }),
		       "cannot create snapshots");
	return sum_up(ctx, s, name, r < 0);
}

/* Returns the state to wait in until the next one. */
static enum snapper_state cycle(struct ctx *ctx, struct snapper *s)
{
	cleanup(strs_free) struct strs paths = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	const struct timespec awake = { 0 };
	int r;

	set_state(s, SNAPPER_PLANNING, awake);
	if (list_filesystems(ctx, s, &paths, &e) < 0) {
		failed(ctx, s, "cannot list filesystems", &e);
		return SNAPPER_ERROR_WAIT;
	}
	set_filesystems(s, &paths);
	set_error(s, NULL);
	set_state(s, SNAPPER_SNAPSHOTTING, awake);
	r = take(ctx, s);
	if (s->o.on_cycle && !ctx_done(ctx))
		s->o.on_cycle(s->o.on_cycle_arg);
	return r < 0 ? SNAPPER_ERROR_WAIT : SNAPPER_WAITING;
}

/* ---- the snapper ---- */

void snapper_run(struct ctx *ctx, struct snapper *s)
{
	const struct timespec never = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	enum snapper_state state = SNAPPER_SYNC_UP;
	struct timespec t, due;
	int64_t when_s;

	if (s->o.conf->type == SNAPSHOTTING_MANUAL)
		return;
	t = now(s);
	due = later(t, s->o.conf->interval_s);
	if (sync_up(ctx, s, t.tv_sec, &when_s, &e) < 0) {
		failed(ctx, s, "cannot sync up", &e);
		state = SNAPPER_SYNC_UP_ERR_WAIT;
	} else {
		due = (struct timespec){ .tv_sec = when_s };
	}
	while (wait_until(ctx, s, state, due) == 0) {
		due = later(now(s), s->o.conf->interval_s);
		state = cycle(ctx, s);
	}
	set_state(s, SNAPPER_STOPPED, never);
}

struct snapper *snapper_new(const struct snapper_opts *o)
{
	struct snapper *s = xcalloc(1, sizeof(*s));

	s->o = *o;
	if (o->clock)
		s->clock = *o->clock;
	else
		s->clock = (struct snapper_clock){ system_now, system_sleep, NULL };
	s->report.type = o->conf->type;
	s->report.state = o->conf->type == SNAPSHOTTING_PERIODIC ? SNAPPER_SYNC_UP
								 : SNAPPER_STOPPED;
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void snapper_report(struct snapper *s, struct snapper_report *out)
{
	pthread_mutex_lock(&s->lock);
	snapper_report_dup(&s->report, out);
	pthread_mutex_unlock(&s->lock);
}

void snapper_free(struct snapper *s)
{
	if (!s)
		return;
	snapper_report_free(&s->report);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
