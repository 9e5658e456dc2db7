#include "hook/hook.h"
#include "hook/kind.h"
#include "log_text.h"
#include "tap.h"

enum { MAX_HOOKS = 4 };

/*
 * A hook that does as it is told: a letter for each edge.
 *	o ok   e error   E error, and it is fatal   t waits for ever   c cancels and fails
 *	C cancels the ctx of the job, and is ok
 */
struct scripted {
	const char *pre, *post; /* a letter each hook */
	char take;
	struct ctx *job;
	struct buf calls;    /* "pre1 pre2 take post2 post1 " */
	struct buf progress; /* a line each change, a letter each step */
	struct buf report;   /* the latest, "Ok Err: text ..." */
	bool had_error;
	int sessions; /* open ones */
};

static struct scripted *now; /* the one that is running */

static int act(struct ctx *ctx, char what, struct err *err)
{
	switch (what) {
	case 't':
		return ctx_poll(ctx, NULL, 0, -1, err);
	case 'c':
		ctx_cancel(now->job);
		return ctx_poll(ctx, NULL, 0, -1, err);
	case 'C':
		ctx_cancel(now->job);
		return 0;
	case 'e':
	case 'E':
		return err_set(err, ERR_CHILD, "exited with status 3");
	default:
		return 0;
	}
}

static int scripted_pre(struct ctx *ctx, const struct hook_call *c, void **session,
			struct err *err)
{
	buf_printf(&now->calls, "pre%zu ", c->number);
	CHECK(*session == NULL);
	CHECK(c->edge == HOOK_PRE);
	if (act(ctx, now->pre[c->number - 1], err) < 0)
		return -1;
	*session = xasprintf("%zu", c->number);
	now->sessions++;
	return 0;
}

static int scripted_post(struct ctx *ctx, const struct hook_call *c, void *session,
			 struct err *err)
{
	char number[32];

	snprintf(number, sizeof(number), "%zu", c->number);
	CHECK_STR(session, number);
	CHECK(c->edge == HOOK_POST);
	CHECK(!ctx_done(ctx));
	free(session);
	now->sessions--;
	buf_printf(&now->calls, "post%zu ", c->number);
	return act(ctx, now->post[c->number - 1], err);
}

static const struct hook_kind *scripted_kind(enum hook_type type)
{
	static const struct hook_kind kind = { scripted_pre, scripted_post };

	CHECK_INT(type, HOOK_COMMAND);
	return &kind;
}

static int scripted_take(struct ctx *ctx, void *arg, struct err *err)
{
	struct scripted *s = arg;

	buf_printf(&s->calls, "take ");
	if (s->take == 'e')
		return err_set(err, ERR_CHILD, "dataset does not exist");
	return act(ctx, s->take, err);
}

static void scripted_progress(void *arg, const struct hook_report *r)
{
	static const char letters[] = ".xoefp"; /* by enum hook_status */
	struct scripted *s = arg;

	buf_drop(&s->report, s->report.len);
	for (size_t i = 0; i < r->n; i++) {
		buf_printf(&s->progress, "%c", letters[r->v[i].status]);
		buf_printf(&s->report, "%s%s%s%s", i ? " " : "",
			   hook_status_name(r->v[i].status), r->v[i].error ? ":" : "",
			   r->v[i].error ? r->v[i].error : "");
		CHECK((r->v[i].status == HOOK_PENDING) <= (r->v[i].start.tv_sec == 0));
		CHECK((r->v[i].end.tv_sec != 0) ==
		      (r->v[i].status == HOOK_OK || r->v[i].status == HOOK_ERR));
		CHECK((r->v[i].error != NULL) == (r->v[i].status == HOOK_ERR));
	}
	buf_printf(&s->progress, "\n");
	s->had_error = r->had_error;
}

/* The statuses of the report that is there last: "ooo". */
static const char *last_line(const struct scripted *s, char out[64])
{
	const char *p = buf_str(&s->progress), *from = p;
	size_t n = s->progress.len;

	for (size_t i = 0; i + 1 < n; i++)
		if (p[i] == '\n')
			from = p + i + 1;
	snprintf(out, 64, "%.*s", (int)strcspn(from, "\n"), from);
	return out;
}

struct bench {
	struct conf_hook conf[MAX_HOOKS];
	struct env env;
	struct log_text log;
	struct ctx *ctx;
	struct hooks *hooks;
	struct err e;
	bool taken;
	int r;
};

static void scripted_free(struct scripted *s)
{
	CHECK_INT(s->sessions, 0);
	buf_free(&s->calls);
	buf_free(&s->progress);
	buf_free(&s->report);
}

static void bench_free(struct bench *b)
{
	hooks_free(b->hooks);
	for (size_t i = 0; i < ARRAY_LEN(b->conf); i++)
		dsfilter_free(&b->conf[i].filesystems);
	log_text_free(&b->log);
	ctx_free(b->ctx);
	err_clear(&b->e);
}

/* filters[i] NULL, or no more filters: all. */
static void bench_init(struct bench *b, const struct scripted *s, const char **filters)
{
	size_t n = strlen(s->pre);
	struct hooks_opts o = { .conf = b->conf, .n = n, .env = &b->env };

	*b = (struct bench){ .env = env_defaults(), .ctx = ctx_new(NULL) };
	for (size_t i = 0; i < n; i++) {
		b->conf[i] = (struct conf_hook){
			.type = HOOK_COMMAND,
			.err_is_fatal = s->pre[i] == 'E',
			.timeout_ms = strchr("t", s->pre[i]) || strchr("t", s->post[i])
					      ? 20
					      : 30000,
			.path = "/x",
		};
		if (dsfilter_add(&b->conf[i].filesystems,
				 filters && filters[i] ? filters[i] : "<", true,
				 &b->e) < 0)
			abort();
	}
	o.log = log_text_log(&b->log);
	b->hooks = hooks_new_of(&o, scripted_kind);
}

static void bench_run(struct bench *b, struct scripted *s)
{
	const struct hooks_run run = { "p/a", "s1", scripted_take, scripted_progress, s };

	now = s;
	s->job = b->ctx;
	err_clear(&b->e);
	b->r = hooks_run(b->ctx, b->hooks, &run, &b->taken, &b->e);
	CHECK_INT(b->e.kind != ERR_NONE, b->r < 0);
}

/* Steps: o Ok, e Err, f SkippedDueToFatalErr, p SkippedDueToPreErr. */
static const struct {
	const char *pre, *post;
	char take;
	const char *calls, *steps, *error;
} plans[] = {
	{ "", "", 'o', "take ", "o", "" },
	{ "", "", 'e', "take ", "e", "dataset does not exist" },
	{ "o", "o", 'o', "pre1 take post1 ", "ooo", "" },
	{ "ooo", "ooo", 'o', "pre1 pre2 pre3 take post3 post2 post1 ", "ooooooo", "" },
	/* a pre edge fails, not fatally: snapshot, but no post edge of its own */
	{ "e", "o", 'o', "pre1 take ", "eop",
	  "hook 1 (command /x) before the snapshot: exited with status 3" },
	{ "oeo", "ooo", 'o', "pre1 pre2 pre3 take post3 post1 ", "oeooopo",
	  "hook 2 (command /x) before the snapshot: exited with status 3" },
	{ "ee", "oo", 'o', "pre1 pre2 take ", "eeopp",
	  "hook 1 (command /x) before the snapshot: exited with status 3" },
	/* fatally: nothing more but the post edges of those before */
	{ "E", "o", 'o', "pre1 ", "eff",
	  "hook 1 (command /x) before the snapshot: exited with status 3" },
	{ "oEo", "ooo", 'o', "pre1 pre2 post1 ",
	  "oefff"
	  "fo",
	  "hook 2 (command /x) before the snapshot: exited with status 3" },
	{ "ooE", "ooo", 'o', "pre1 pre2 pre3 post2 post1 ", "ooeffoo",
	  "hook 3 (command /x) before the snapshot: exited with status 3" },
	{ "eoE", "ooo", 'o', "pre1 pre2 pre3 post2 ", "eoeffop",
	  "hook 1 (command /x) before the snapshot: exited with status 3" },
	{ "oEo", "eoo", 'o', "pre1 pre2 post1 ", "oeffffe",
	  "hook 2 (command /x) before the snapshot: exited with status 3" },
	/* the snapshot fails */
	{ "oo", "oo", 'e', "pre1 pre2 take post2 post1 ", "ooeoo",
	  "dataset does not exist" },
	{ "oe", "oo", 'e', "pre1 pre2 take post1 ", "oeepo",
	  "hook 2 (command /x) before the snapshot: exited with status 3" },
	/* a post edge fails: the others run; fatal or not is the same */
	{ "oo", "oe", 'o', "pre1 pre2 take post2 post1 ", "oooeo",
	  "hook 2 (command /x) after the snapshot: exited with status 3" },
	{ "oo", "EE", 'o', "pre1 pre2 take post2 post1 ", "oooee",
	  "hook 2 (command /x) after the snapshot: exited with status 3" },
	/* too slow */
	{ "to", "oo", 'o', "pre1 pre2 take post2 ", "eooop",
	  "hook 1 (command /x) before the snapshot: timed out after 20ms" },
	{ "oo", "to", 'o', "pre1 pre2 take post2 post1 ", "ooooe",
	  "hook 1 (command /x) after the snapshot: timed out after 20ms" },
	/* cancelled: in a pre edge, however fatal; between; in the snapshot; in post
	   edges */
	{ "oco", "ooo", 'o', "pre1 pre2 post1 ",
	  "oefff"
	  "fo",
	  "hook 2 (command /x) before the snapshot: cancelled" },
	{ "oCo", "ooo", 'o', "pre1 pre2 post2 post1 ", "ooeffoo",
	  "hook 3 (command /x) before the snapshot: cancelled" },
	{ "oC", "oo", 'o', "pre1 pre2 post2 post1 ", "ooeoo", "cancelled" },
	{ "oo", "oo", 'c', "pre1 pre2 take post2 post1 ", "ooeoo", "cancelled" },
	{ "oo", "oo", 'C', "pre1 pre2 take post2 post1 ", "ooooo", "" },
	{ "oo", "oC", 'o', "pre1 pre2 take post2 post1 ", "ooooo", "" },
};

TEST(a_plan_runs_what_it_has_to_and_says_how_each_step_ended)
{
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		cleanup(scripted_free) struct scripted s = { .pre = plans[i].pre,
							     .post = plans[i].post,
							     .take = plans[i].take };
		cleanup(bench_free) struct bench b;
		char steps[64];

		bench_init(&b, &s, NULL);
		bench_run(&b, &s);
		CHECK_STR(buf_str(&s.calls), plans[i].calls);
		CHECK_STR(last_line(&s, steps), plans[i].steps);
		CHECK_STR(b.r < 0 ? err_msg(&b.e) : "", plans[i].error);
		CHECK_INT(b.taken, plans[i].steps[strlen(plans[i].pre)] == 'o');
		CHECK_INT(s.had_error, strchr(plans[i].steps, 'e') != NULL);
	}
}

/* What must hold for every mixture of failures. */
static void check_mixture(const char pre[4], const char post[4], char take)
{
	cleanup(scripted_free) struct scripted s = { .pre = pre,
						     .post = post,
						     .take = take };
	cleanup(buf_free) struct buf want = { 0 };
	cleanup(bench_free) struct bench b;
	bool fatal = false, any = false;
	char steps[64];
	size_t n_pre;

	bench_init(&b, &s, NULL);
	bench_run(&b, &s);
	for (n_pre = 0; n_pre < 3 && !fatal; n_pre++) {
		buf_printf(&want, "pre%zu ", n_pre + 1);
		fatal = pre[n_pre] == 'E';
		any |= pre[n_pre] != 'o';
	}
	if (!fatal)
		buf_printf(&want, "take ");
	any |= !fatal && take == 'e';
	for (size_t i = n_pre; i-- > 0;) {
		if (pre[i] != 'o')
			continue;
		buf_printf(&want, "post%zu ", i + 1);
		any |= post[i] == 'e';
	}
	CHECK_STR(buf_str(&s.calls), buf_str(&want));
	CHECK_INT(b.taken, !fatal && take == 'o');
	CHECK_INT(b.r, any ? -1 : 0);
	CHECK_INT(s.had_error, any);
	CHECK_INT(strcspn(last_line(&s, steps), ".x"), 7);
}

TEST(a_post_edge_runs_exactly_if_its_pre_edge_succeeded_whatever_else_fails)
{
	static const char pre[] = "oeE", post[] = "oe";

	for (int i = 0; i < 3 * 3 * 3 * 2 * 2 * 2 * 2; i++) {
		char a[4] = { pre[i % 3], pre[i / 3 % 3], pre[i / 9 % 3], 0 };
		char z[4] = { post[i / 27 % 2], post[i / 54 % 2], post[i / 108 % 2], 0 };

		check_mixture(a, z, post[i / 216]);
	}
}

TEST(each_change_is_told)
{
	cleanup(scripted_free) struct scripted s = { .pre = "oE",
						     .post = "oo",
						     .take = 'o' };
	cleanup(bench_free) struct bench b;

	bench_init(&b, &s, NULL);
	bench_run(&b, &s);
	CHECK_STR(buf_str(&s.progress), ".....\n"
					"x....\n"
					"o....\n"
					"ox...\n"
					"oeff.\n"
					"oeffx\n"
					"oeffo\n");
	CHECK_STR(buf_str(&s.report), "Ok Err:exited with status 3 SkippedDueToFatalErr "
				      "SkippedDueToFatalErr Ok");
}

TEST(nobody_has_to_watch)
{
	cleanup(scripted_free) struct scripted s = { .pre = "o",
						     .post = "o",
						     .take = 'o' };
	cleanup(bench_free) struct bench b;
	struct hooks_run run = {
		.fs = "p", .snap = "s", .take = scripted_take, .arg = &s
	};

	bench_init(&b, &s, NULL);
	now = &s;
	CHECK_INT(hooks_run(b.ctx, b.hooks, &run, &b.taken, &b.e), 0);
	CHECK(b.taken);
}

TEST(only_hooks_whose_filter_accepts_the_filesystem_take_part_under_their_own_numbers)
{
	static const char *filters[] = { "p/b", "p<", "q<", "p/a" };
	cleanup(scripted_free) struct scripted s = { .pre = "oooo",
						     .post = "oooe",
						     .take = 'o' };
	cleanup(bench_free) struct bench b;

	bench_init(&b, &s, filters);
	CHECK(hooks_match(b.hooks, "p"));
	CHECK(hooks_match(b.hooks, "q/1"));
	CHECK(!hooks_match(b.hooks, "r"));
	bench_run(&b, &s);
	CHECK_STR(buf_str(&s.calls), "pre2 pre4 take post4 post2 ");
	CHECK_STR(err_msg(&b.e),
		  "hook 4 (command /x) after the snapshot: exited with status 3");
}

TEST(a_hook_that_matched_nothing_in_a_cycle_is_warned_of)
{
	static const char *filters[] = { "p/b", "p<", "q<" };
	cleanup(scripted_free) struct scripted s = { .pre = "ooo",
						     .post = "ooo",
						     .take = 'o' };
	cleanup(strs_free) struct strs fs = { 0 };
	cleanup(bench_free) struct bench b;

	bench_init(&b, &s, filters);
	strs_add(&fs, "p/a");
	strs_add(&fs, "p/c");
	hooks_warn_unmatched(b.hooks, &fs);
	CHECK_STR(buf_str(&b.log.text),
		  "warn: the filter of a hook matches none of the filesystems that were "
		  "snapshotted hook=command /x hook_number=1\n"
		  "warn: the filter of a hook matches none of the filesystems that were "
		  "snapshotted hook=command /x hook_number=3\n");
}

TEST(what_fails_is_logged_with_what_it_means_for_the_snapshot)
{
	cleanup(scripted_free) struct scripted s = { .pre = "oeo",
						     .post = "eoo",
						     .take = 'e' };
	cleanup(scripted_free) struct scripted fatal = { .pre = "E",
							 .post = "o",
							 .take = 'o' };
	cleanup(bench_free) struct bench b, c;

	bench_init(&b, &s, NULL);
	bench_run(&b, &s);
	CHECK_STR(
		buf_str(&b.log.text),
		"warn: hook failed before the snapshot, which is taken all the same "
		"hook=command /x hook_number=2 fs=p/a snap=s1 err=exited with status 3\n"
		"error: cannot create snapshot fs=p/a snap=s1 "
		"err=dataset does not exist\n"
		"error: hook failed after the snapshot hook=command /x hook_number=1 "
		"fs=p/a snap=s1 err=exited with status 3\n");
	bench_init(&c, &fatal, NULL);
	bench_run(&c, &fatal);
	CHECK_STR(buf_str(&c.log.text),
		  "error: hook failed before the snapshot, which is not taken "
		  "hook=command /x hook_number=1 fs=p/a snap=s1 err=exited with status "
		  "3\n");
}

TEST(a_job_that_is_cancelled_is_no_error_in_the_log)
{
	cleanup(scripted_free) struct scripted s = { .pre = "c",
						     .post = "o",
						     .take = 'o' };
	cleanup(scripted_free) struct scripted t = { .pre = "o",
						     .post = "o",
						     .take = 'c' };
	cleanup(bench_free) struct bench b, c;

	bench_init(&b, &s, NULL);
	bench_run(&b, &s);
	CHECK_INT(b.e.kind, ERR_CANCELLED);
	CHECK(strncmp(buf_str(&b.log.text), "info: ", 6) == 0);
	CHECK_INT(b.log.n, 1);
	bench_init(&c, &t, NULL);
	bench_run(&c, &t);
	CHECK(strncmp(buf_str(&c.log.text), "info: ", 6) == 0);
	CHECK_INT(c.log.n, 1);
}

TEST(a_job_that_is_cancelled_already_runs_nothing)
{
	cleanup(scripted_free) struct scripted s = { .pre = "oo",
						     .post = "oo",
						     .take = 'o' };
	cleanup(bench_free) struct bench b;
	char steps[64];

	bench_init(&b, &s, NULL);
	ctx_cancel(b.ctx);
	bench_run(&b, &s);
	CHECK_STR(buf_str(&s.calls), "");
	CHECK_STR(last_line(&s, steps), "effff");
	CHECK(!b.taken);
}

TEST(a_timeout_tells_how_long_it_was_once_and_other_errors_stay)
{
	static const struct conf_hook conf = { .timeout_ms = 90500 };
	const struct hook_call c = { .conf = &conf };
	cleanup(err_clear) struct err e = ERR_INIT;

	err_set(&e, ERR_TIMEOUT, "connect: timed out");
	hook_timed_out(&c, &e);
	hook_timed_out(&c, &e);
	CHECK_STR(err_msg(&e), "connect: timed out after 1m30.5s");
	CHECK_INT(e.kind, ERR_TIMEOUT);
	err_set(&e, ERR_CHILD, "timed out");
	hook_timed_out(&c, &e);
	CHECK_STR(err_msg(&e), "timed out");
	err_set(&e, ERR_TIMEOUT, "late");
	hook_timed_out(&c, &e);
	CHECK_STR(err_msg(&e), "late");
}

TEST(a_set_may_be_empty_and_freed_when_there_is_none)
{
	struct env env = env_defaults();
	struct hooks *h = hooks_new(&(struct hooks_opts){ .env = &env });

	CHECK(!hooks_match(h, "p"));
	hooks_free(h);
	hooks_free(NULL);
}

TEST_MAIN()
