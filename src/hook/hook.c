#include "hook/hook.h"

#include "codec/duration.h"
#include "hook/kind.h"

#include <assert.h>

struct hook {
	const struct conf_hook *conf;
	const struct hook_kind *kind;
	size_t number; /* from 1 */
	char *what;
};

struct hooks {
	struct hooks_opts o;
	struct hook *v;
	size_t n;
};

/* ---- the set ---- */

static const struct hook_kind *kind_of_type(enum hook_type type)
{
	switch (type) {
	case HOOK_COMMAND:
		return &hook_command;
	case HOOK_POSTGRES_CHECKPOINT:
#if HAVE_LIBPQ
		return &hook_postgres_checkpoint;
#else
		break;
#endif
	case HOOK_MYSQL_LOCK_TABLES:
#if HAVE_LIBMARIADB
		return &hook_mysql_lock_tables;
#else
		break;
#endif
	}
	return NULL; /* refused by configcheck */
}

static char *what_of(const struct conf_hook *c)
{
	const char *name = hook_type_name(c->type);

	return c->type == HOOK_COMMAND ? xasprintf("%s %s", name, c->path)
				       : xstrdup(name);
}

struct hooks *hooks_new_of(const struct hooks_opts *o, hook_kind_fn *kind_of)
{
	struct hooks *h = xcalloc(1, sizeof(*h));

	h->o = *o;
	h->v = xcalloc(o->n, sizeof(*h->v));
	h->n = o->n;
	for (size_t i = 0; i < h->n; i++) {
		const struct conf_hook *c = &o->conf[i];

		h->v[i] = (struct hook){
			.conf = c,
			.kind = kind_of(c->type),
			.number = i + 1,
			.what = what_of(c),
		};
		assert(h->v[i].kind);
	}
	return h;
}

struct hooks *hooks_new(const struct hooks_opts *o)
{
	return hooks_new_of(o, kind_of_type);
}

void hooks_free(struct hooks *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n; i++)
		free(h->v[i].what);
	free(h->v);
	free(h);
}

bool hooks_match(const struct hooks *h, const char *fs)
{
	for (size_t i = 0; i < h->n; i++)
		if (dsfilter_accepts(&h->v[i].conf->filesystems, fs))
			return true;
	return false;
}

static bool matches_any(const struct hook *hook, const struct strs *fs)
{
	for (size_t i = 0; i < fs->n; i++)
		if (dsfilter_accepts(&hook->conf->filesystems, fs->v[i]))
			return true;
	return false;
}

void hooks_warn_unmatched(const struct hooks *h, const struct strs *fs)
{
	for (size_t i = 0; i < h->n; i++) {
		cleanup(str_freep) char *number = NULL;

		if (matches_any(&h->v[i], fs))
			continue;
		number = xasprintf("%zu", h->v[i].number);
		log_at(&h->o.log, LOG_WARN,
		       LOG_FIELDS({ "hook", h->v[i].what }, { "hook_number", number }),
		       "the filter of a hook matches none of the filesystems that were "
		       "snapshotted");
	}
}

/* ---- what kinds use ---- */

void hook_log(const struct hook_call *c, enum log_level level, struct log_field more,
	      const char *msg)
{
	cleanup(str_freep) char *number = xasprintf("%zu", c->number);
	const struct log_field fields[] = {
		{ "hook", c->what },
		{ "hook_number", number },
		{ "fs", c->fs },
		{ "snap", c->snap },
		more,
	};

	log_at(c->log, level, fields, ARRAY_LEN(fields) - (more.key ? 0 : 1), "%s", msg);
}

void hook_timed_out(const struct hook_call *c, struct err *err)
{
	static const char by_ctx[] = "timed out";
	cleanup(buf_free) struct buf after = { 0 };
	size_t len = strlen(err_msg(err)), n = sizeof(by_ctx) - 1;

	if (!err_is(err, ERR_TIMEOUT) || len < n ||
	    strcmp(err_msg(err) + len - n, by_ctx) != 0)
		return;
	gdur_format(&after, c->conf->timeout_ms * NS_PER_MS);
	err_set(err, ERR_TIMEOUT, "%s after %s", err_msg(err), buf_str(&after));
}

/* ---- the plan for one filesystem ---- */

struct member {
	const struct hook *hook;
	void *session;
	bool open; /* its pre edge succeeded: its post edge has to run */
};

/*
 * With n members, the steps are
 *
 *	0 ... n-1   n          n+1 ... 2n
 *	pre edges   snapshot   post edges, that of member i at 2n-i
 */
struct plan {
	struct ctx *ctx;
	const struct hooks *h;
	const struct hooks_run *run;
	struct member *m;
	size_t n;
	struct hook_report report;
	bool taken;
	struct err first; /* of all errors */
};

static void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->report.n; i++) {
		free(p->report.v[i].what);
		free(p->report.v[i].error);
	}
	free(p->report.v);
	free(p->m);
	err_clear(&p->first);
}

static void changed(const struct plan *p)
{
	if (p->run->progress)
		p->run->progress(p->run->arg, &p->report);
}

static struct hook_step *post_step(struct plan *p, size_t i)
{
	return &p->report.v[2 * p->n - i];
}

static void plan_init(struct plan *p)
{
	struct hook_step *step;

	p->m = xcalloc(p->h->n, sizeof(*p->m));
	for (size_t i = 0; i < p->h->n; i++)
		if (dsfilter_accepts(&p->h->v[i].conf->filesystems, p->run->fs))
			p->m[p->n++].hook = &p->h->v[i];
	p->report.n = 2 * p->n + 1;
	p->report.v = step = xcalloc(p->report.n, sizeof(*step));
	for (size_t i = 0; i < p->n; i++) {
		step[i].edge = HOOK_PRE;
		step[i].what = xstrdup(p->m[i].hook->what);
		post_step(p, i)->edge = HOOK_POST;
		post_step(p, i)->what = xstrdup(p->m[i].hook->what);
	}
	step[p->n].edge = HOOK_SNAPSHOT;
	step[p->n].what = xstrdup("snapshot");
}

static void step_begin(const struct plan *p, struct hook_step *s)
{
	s->status = HOOK_EXEC;
	clock_gettime(CLOCK_REALTIME, &s->start);
	changed(p);
}

/* why: ERR_NONE if it succeeded.  Statuses that follow are set before: one change. */
static void step_end(struct plan *p, struct hook_step *s, const struct err *why)
{
	clock_gettime(CLOCK_REALTIME, &s->end);
	s->status = why->kind == ERR_NONE ? HOOK_OK : HOOK_ERR;
	if (s->status == HOOK_ERR) {
		s->error = xstrdup(err_msg(why));
		p->report.had_error = true;
	}
	changed(p);
}

/* Keeps the first error of all; "hook 2 (command /x) before the snapshot: ...". */
static void keep_error(struct plan *p, const struct hook_call *c, const struct err *why)
{
	if (p->first.kind != ERR_NONE)
		return;
	err_copy(&p->first, why);
	if (c)
		err_wrap(&p->first, "hook %zu (%s) %s the snapshot", c->number, c->what,
			 c->edge == HOOK_PRE ? "before" : "after");
}

static struct hook_call call_of(const struct plan *p, size_t i, enum hook_edge edge)
{
	const struct hook *hook = p->m[i].hook;

	return (struct hook_call){
		.conf = hook->conf,
		.env = p->h->o.env,
		.log = &p->h->o.log,
		.fs = p->run->fs,
		.snap = p->run->snap,
		.edge = edge,
		.number = hook->number,
		.what = hook->what,
	};
}

/* After a fatal error of member i: nothing more, but for those who succeeded before. */
static void skip_from(struct plan *p, size_t i)
{
	for (size_t k = i + 1; k <= p->n; k++)
		p->report.v[k].status = HOOK_SKIPPED_FATAL;
	for (size_t k = i; k < p->n; k++)
		post_step(p, k)->status = HOOK_SKIPPED_FATAL;
}

static void pre_failed(struct plan *p, const struct hook_call *c, bool fatal,
		       const struct err *why)
{
	enum log_level level = fatal ? LOG_ERROR : LOG_WARN;

	if (err_is(why, ERR_CANCELLED))
		level = LOG_INFO;
	hook_log(c, level, (struct log_field){ "err", err_msg(why) },
		 fatal ? "hook failed before the snapshot, which is not taken"
		       : "hook failed before the snapshot, which is taken all the same");
	keep_error(p, c, why);
}

/* Whether the plan goes on.  When ctx is done it does not, however fatal the hook is. */
static bool run_pre(struct plan *p, size_t i)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(p->ctx);
	struct hook_call c = call_of(p, i, HOOK_PRE);
	struct member *m = &p->m[i];
	bool fatal = false;

	ctx_set_timeout(ctx, c.conf->timeout_ms);
	step_begin(p, &p->report.v[i]);
	if (ctx_poll(p->ctx, NULL, 0, 0, &why) == 0 &&
	    m->hook->kind->pre(ctx, &c, &m->session, &why) == 0) {
		m->open = true;
	} else {
		if (!ctx_done(p->ctx))
			hook_timed_out(&c, &why);
		fatal = c.conf->err_is_fatal || ctx_done(p->ctx);
		if (fatal)
			skip_from(p, i);
		else
			post_step(p, i)->status = HOOK_SKIPPED_PRE;
		pre_failed(p, &c, fatal, &why);
	}
	step_end(p, &p->report.v[i], &why);
	return !fatal;
}

static void take_snapshot(struct plan *p)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct hook_step *s = &p->report.v[p->n];

	step_begin(p, s);
	if (ctx_poll(p->ctx, NULL, 0, 0, &why) == 0 &&
	    p->run->take(p->ctx, p->run->arg, &why) == 0) {
		p->taken = true;
	} else {
		log_at(&p->h->o.log, err_is(&why, ERR_CANCELLED) ? LOG_INFO : LOG_ERROR,
		       LOG_FIELDS({ "fs", p->run->fs }, { "snap", p->run->snap },
				  { "err", err_msg(&why) }),
		       "cannot create snapshot");
		keep_error(p, NULL, &why);
	}
	step_end(p, s, &why);
}

/* What was begun is ended: not under p->ctx, which may be done or become so. */
static void run_post(struct plan *p, size_t i)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	struct hook_call c = call_of(p, i, HOOK_POST);
	struct member *m = &p->m[i];

	ctx_set_timeout(ctx, c.conf->timeout_ms);
	step_begin(p, post_step(p, i));
	if (m->hook->kind->post(ctx, &c, TAKE(m->session), &why) < 0) {
		hook_timed_out(&c, &why);
		hook_log(&c, LOG_ERROR, (struct log_field){ "err", err_msg(&why) },
			 "hook failed after the snapshot");
		keep_error(p, &c, &why);
	}
	m->open = false;
	step_end(p, post_step(p, i), &why);
}

int hooks_run(struct ctx *ctx, struct hooks *h, const struct hooks_run *run, bool *taken,
	      struct err *err)
{
	cleanup(plan_free) struct plan p = { .ctx = ctx, .h = h, .run = run };
	bool go_on = true;

	plan_init(&p);
	changed(&p);
	for (size_t i = 0; i < p.n && go_on; i++)
		go_on = run_pre(&p, i);
	if (go_on)
		take_snapshot(&p);
	for (size_t i = p.n; i-- > 0;)
		if (p.m[i].open)
			run_post(&p, i);
	*taken = p.taken;
	if (p.first.kind == ERR_NONE)
		return 0;
	err_move(err, &p.first);
	return -1;
}
