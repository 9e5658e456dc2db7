#include "snap/state.h"

#include "base/parse.h"

struct timespec snapper_now(const struct snapper *s)
{
	return s->clock.now(s->clock.arg);
}

void state_set(struct snapper *s, enum snapper_state state, struct timespec sleep_until)
{
	pthread_mutex_lock(&s->lock);
	s->report.state = state;
	s->report.sleep_until = sleep_until;
	pthread_mutex_unlock(&s->lock);
}

/* Puts a text, which is then the report's, in the place of another. */
static void replace(struct snapper *s, char **at, char *text)
{
	char *old;

	pthread_mutex_lock(&s->lock);
	old = *at;
	*at = text;
	pthread_mutex_unlock(&s->lock);
	free(old);
}

void state_set_error(struct snapper *s, const char *error)
{
	replace(s, &s->report.error, xstrdup_or_null(error));
}

void state_failed(struct ctx *ctx, struct snapper *s, const char *what, struct err *e)
{
	if (!ctx_done(ctx)) {
		log_at(&s->o.log, LOG_ERROR, LOG_FIELDS({ "err", err_msg(e) }), "%s",
		       what);
		err_wrap(e, "%s", what);
		state_set_error(s, err_msg(e));
	}
	err_clear(e);
}

void state_begin(struct snapper *s, struct timespec t, int64_t count_missed_s)
{
	pthread_mutex_lock(&s->lock);
	s->report.state = SNAPPER_PLANNING;
	s->report.sleep_until = (struct timespec){ 0 };
	s->report.began = t;
	s->report.n_missed = 0;
	s->count_missed_s = count_missed_s;
	s->is_asked = false;
	pthread_mutex_unlock(&s->lock);
}

void state_missed(struct snapper *s, uint64_t n)
{
	pthread_mutex_lock(&s->lock);
	s->report.n_missed = n;
	pthread_mutex_unlock(&s->lock);
}

void state_set_filesystems(struct snapper *s, const struct strs *paths)
{
	struct snapper_report old = { 0 };
	struct snap_report_fs *fs = xcalloc(paths->n, sizeof(*fs));

	for (size_t i = 0; i < paths->n; i++)
		fs[i] = (struct snap_report_fs){ .path = xstrdup(paths->v[i]),
						 .state = SNAP_PENDING,
						 .snap_name = xstrdup(""),
						 .hooks = xstrdup("") };
	pthread_mutex_lock(&s->lock);
	old.fs = s->report.fs;
	old.n_fs = s->report.n_fs;
	s->report.fs = fs;
	s->report.n_fs = paths->n;
	pthread_mutex_unlock(&s->lock);
	snapper_report_free(&old);
}

void state_fs_started(struct snapper *s, struct snap_report_fs *fs, const char *name)
{
	const struct timespec t = snapper_now(s);

	replace(s, &fs->snap_name, xstrdup(name));
	pthread_mutex_lock(&s->lock);
	fs->state = SNAP_STARTED;
	fs->start = t;
	pthread_mutex_unlock(&s->lock);
}

void state_fs_hooks(struct snapper *s, struct snap_report_fs *fs,
		    const struct hook_report *r)
{
	cleanup(buf_free) struct buf text = { 0 };
	struct view lines;

	hook_report_text(&text, r);
	lines = buf_view(&text);
	lines.len -= lines.len > 0 && lines.p[lines.len - 1] == '\n';
	replace(s, &fs->hooks, view_dup(lines));
	pthread_mutex_lock(&s->lock);
	fs->hooks_had_error = r->had_error;
	pthread_mutex_unlock(&s->lock);
}

void state_fs_done(struct snapper *s, struct snap_report_fs *fs, bool taken,
		   const struct err *e)
{
	const struct timespec t = snapper_now(s);

	replace(s, &fs->error, e->kind == ERR_NONE ? NULL : xstrdup(err_msg(e)));
	pthread_mutex_lock(&s->lock);
	fs->state = fs->error ? SNAP_ERROR : SNAP_DONE;
	fs->taken = taken;
	fs->done = t;
	pthread_mutex_unlock(&s->lock);
}
