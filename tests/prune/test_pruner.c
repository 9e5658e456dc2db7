#include "keeps.h"

#include "base/thread.h"
#include "base/vec.h"
#include "log_text.h"
#include "prune/pruner.h"

/* ---- an endpoint that answers from a table and notes what it was asked ---- */

struct fake_fs {
	const char *path;
	/* "@a=1 #b=2 @c=3h": guid and createtxg, 'h' for held; minutes are the dates */
	const char *versions;
	int cursor;           /* a guid, or one of the below */
	const char *list_err; /* NULL: none */
	bool is_placeholder;
};

enum { NO_CURSOR = 0, CURSOR_FAILS = -1 };

struct fake {
	struct endpoint ep;
	const struct fake_fs *fs;
	size_t n;
	const char *fail;          /* the call that fails as a whole */
	const char *undestroyable; /* names with one of these characters */
	const char *why;           /* NULL: the name is the reason */
	size_t forget;             /* results that are missing at the end */
	struct ctx *cancel;        /* in destroy */
	struct pruner *look_at;    /* in destroy: what does the report say? */
	struct prune_report seen;
	struct strs calls;
};

#define FAKE(e) CONTAINER_OF(e, struct fake, ep)

static int called(struct fake *f, const char *op, const struct strs *about,
		  struct err *err)
{
	cleanup(str_freep) char *list = about ? strs_join(about, ",") : NULL;

	strs_addf(&f->calls, "%s %s%s%s", f->ep.label, op, list ? " " : "",
		  list ? list : "");
	if (f->fail && strcmp(f->fail, op) == 0)
		return err_set(err, ERR_NETWORK, "connection lost");
	return 0;
}

static const struct fake_fs *find(const struct fake *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->fs[i].path, path) == 0)
			return &f->fs[i];
	abort();
}

static int fake_list_filesystems(struct ctx *ctx, struct endpoint *e,
				 struct ep_filesystems *out, struct err *err)
{
	struct fake *f = FAKE(e);

	(void)ctx;
	if (called(f, "list_filesystems", NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < f->n; i++)
		VEC_PUSH(out, ((struct ep_filesystem){
				      .path = xstrdup(f->fs[i].path),
				      .is_placeholder = f->fs[i].is_placeholder }));
	return 0;
}

static void add_version(struct versions *to, struct view spec)
{
	struct view name = parse_field(&spec, '=');
	bool held = spec.len && spec.p[spec.len - 1] == 'h';
	struct err e = ERR_INIT;
	struct version v = {
		.type = name.p[0] == '@' ? VERSION_SNAPSHOT : VERSION_BOOKMARK,
		.has_userrefs = name.p[0] == '@',
		.userrefs = held,
	};

	spec.len -= held;
	if (!CHECK(parse_u64(spec, &v.guid, &e) == 0))
		return;
	v.createtxg = v.guid;
	v.creation_s = (int64_t)v.guid * 60;
	v.name = view_dup((struct view){ name.p + 1, name.len - 1 });
	versions_add(to, v);
}

static int fake_list_versions(struct ctx *ctx, struct endpoint *e,
			      const struct strs *paths, struct ep_version_lists *out,
			      struct err *err)
{
	struct fake *f = FAKE(e);

	(void)ctx;
	if (called(f, "list_versions", paths, err) < 0)
		return -1;
	for (size_t i = 0; i < paths->n; i++) {
		const struct fake_fs *fs = find(f, paths->v[i]);
		struct ep_version_list l = { .path = xstrdup(fs->path) };
		struct view rest = view_of(fs->versions ? fs->versions : "");

		if (fs->list_err)
			err_set(&l.err, ERR_CHILD, "%s", fs->list_err);
		while (rest.len)
			add_version(&l.versions, parse_field(&rest, ' '));
		VEC_PUSH(out, l);
	}
	return 0;
}

static int fake_cursors(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
			struct ep_cursors *out, struct err *err)
{
	struct fake *f = FAKE(e);

	(void)ctx;
	if (called(f, "cursors", paths, err) < 0)
		return -1;
	for (size_t i = 0; i < paths->n; i++) {
		const struct fake_fs *fs = find(f, paths->v[i]);
		struct ep_cursor c = { .path = xstrdup(fs->path) };

		if (fs->cursor == CURSOR_FAILS)
			err_set(&c.err, ERR_DENIED, "no access");
		c.exists = fs->cursor > 0;
		c.guid = c.exists ? (uint64_t)fs->cursor : 0;
		VEC_PUSH(out, c);
	}
	return 0;
}

static int fake_destroy(struct ctx *ctx, struct endpoint *e, const char *fs,
			const struct strs *names, struct ep_destroy_results *out,
			struct err *err)
{
	struct fake *f = FAKE(e);
	cleanup(str_freep) char *op = NULL;

	(void)ctx;
	if (f->look_at) {
		prune_report_free(&f->seen);
		pruner_report(f->look_at, &f->seen);
	}
	if (asprintf(&op, "destroy %s", fs) < 0)
		abort();
	if (called(f, op, names, err) < 0)
		return -1;
	if (f->cancel)
		ctx_cancel(f->cancel);
	for (size_t i = 0; i + f->forget < names->n; i++) {
		struct err r = ERR_INIT;

		if (f->undestroyable && strpbrk(f->undestroyable, names->v[i]))
			err_set(&r, ERR_BUSY, "%s", f->why ? f->why : names->v[i]);
		VEC_PUSH(out, r);
	}
	return 0;
}

static const struct endpoint_ops fake_ops = {
	.list_filesystems = fake_list_filesystems,
	.list_versions = fake_list_versions,
	.cursors = fake_cursors,
	.destroy_snapshots = fake_destroy,
};

/* ---- a pruner with everything around it ---- */

struct fixture {
	struct fake sender, receiver;
	struct keeps keeps;
	struct ctx *ctx;
	struct pruner *pruner;
	struct prune_report report;
	struct err err;
	int result;
	bool cursor_may_be_missing;
	struct strs log; /* "error fs: message: err" */
};

static void collect(void *arg, const struct log_entry *e)
{
	struct fixture *t = arg;

	CHECK_STR(e->subsystem, "pruning");
	strs_addf(&t->log, "%s %s %s: %s: %s%s", log_level_name(e->level),
		  log_text_field(e, "prune_side"), log_text_field(e, "fs"), e->msg,
		  log_text_field(e, "err"), log_text_field(e, "snapshots"));
}

static void setup(struct fixture *t, const struct fake_fs *sender, size_t n_sender,
		  const struct fake_fs *receiver, size_t n_receiver)
{
	*t = (struct fixture){
		.sender = { .ep = { &fake_ops, "sender" }, .fs = sender, .n = n_sender },
		.receiver = { .ep = { &fake_ops, "receiver" },
			      .fs = receiver,
			      .n = n_receiver },
		.ctx = ctx_new(NULL),
	};
}

static void run(struct fixture *t, enum prune_side side)
{
	struct endpoint *target =
		side == PRUNE_RECEIVER ? &t->receiver.ep : &t->sender.ep;
	const struct pruner_opts o = {
		.side = side,
		.target = target,
		.sender = &t->sender.ep,
		.rules = &t->keeps.conf,
		.cursor_may_be_missing = t->cursor_may_be_missing,
		.log = { collect, t, "job", "pruning" },
	};

	t->pruner = pruner_new(&o);
	if (t->sender.look_at)
		t->sender.look_at = t->pruner;
	t->result = pruner_run(t->ctx, t->pruner, &t->err);
	CHECK((t->result < 0) == (t->err.kind != ERR_NONE));
	pruner_report(t->pruner, &t->report);
}

static void teardown(struct fixture *t)
{
	pruner_free(t->pruner);
	prune_report_free(&t->report);
	prune_report_free(&t->sender.seen);
	keeps_free(&t->keeps);
	strs_free(&t->sender.calls);
	strs_free(&t->receiver.calls);
	strs_free(&t->log);
	err_clear(&t->err);
	ctx_free(t->ctx);
}

/* All snapshots of one filesystem: "a(r)-, b:WHY"; (r): replicated, -: destroyed. */
static void check_snaps(const struct prune_report_fs *fs, const char *want)
{
	struct strs l = { 0 };
	size_t n_destroy = 0;

	for (size_t i = 0; i < fs->n_snaps; i++) {
		const struct prune_report_snap *s = &fs->snaps[i];

		strs_addf(&l, "%s%s%s%s", s->name, s->replicated ? "(r)" : "",
			  s->destroy ? "-" : ":", s->destroy ? "" : s->reason);
		CHECK(!s->destroy || strcmp(s->reason, "no rule keeps it") == 0);
		n_destroy += s->destroy;
	}
	cleanup(str_freep) char *got = strs_join(&l, ", ");

	CHECK_STR(got ? got : "", want);
	CHECK_INT(fs->n_destroy, n_destroy);
	strs_free(&l);
}

static void check_list(const struct strs *l, const char *want)
{
	cleanup(str_freep) char *got = strs_join(l, "\n");

	CHECK_STR(got ? got : "", want);
}

/* ---- planning ---- */

TEST(a_sender_is_pruned_with_four_requests_whatever_the_number_of_filesystems)
{
	const struct fake_fs fs[] = {
		{ "p/b", "@x=1 @y=2 @z=3", 3, NULL, false },
		{ "p/a", "@x=4 @y=5 @z=6", 6, NULL, false },
		{ "p/c", "@x=7", 7, NULL, false },
	};
	struct fixture t;

	setup(&t, fs, 3, NULL, 0);
	keeps_add(&t.keeps, "not_replicated");
	keeps_add(&t.keeps, "last_n 2");
	run(&t, PRUNE_SENDER);
	CHECK_INT(t.result, 0);
	CHECK_INT(t.report.state, PRUNER_DONE);
	check_list(&t.sender.calls, "sender list_filesystems\n"
				    "sender list_versions p/a,p/b,p/c\n"
				    "sender cursors p/a,p/b,p/c\n"
				    "sender destroy p/a x\n"
				    "sender destroy p/b x");
	check_list(&t.log, "info sender p/a: destroy 1 of 3 snapshots: x\n"
			   "info sender p/b: destroy 1 of 3 snapshots: x");
	REQUIRE(t.report.n_fs == 3);
	CHECK_STR(t.report.fs[0].path, "p/a");
	check_snaps(&t.report.fs[0], "x(r)-, y(r):kept by rule 2 (last_n 2), "
				     "z:kept by rule 1 (not_replicated)");
	check_snaps(&t.report.fs[2], "x:kept by rule 1 (not_replicated)");
	CHECK(t.report.fs[2].completed);
	CHECK_INT(t.report.fs[0].snaps[0].creation_s, 240);
	teardown(&t);
}

TEST(a_receiver_is_planned_from_both_sides_and_skips_what_has_no_match)
{
	const struct fake_fs sender[] = {
		{ "p/a", "@x=1 @y=2 @z=3", 2, NULL, false },
		{ "p/b", "@x=1", 1, NULL, false },
		{ "p", NULL, 0, NULL, false },
	};
	const struct fake_fs receiver[] = {
		{ "p", NULL, 0, NULL, true },
		{ "p/a", "@x=1 @y=2", 0, NULL, false },
		{ "p/gone", "@x=1", 0, NULL, false },
	};
	struct fixture t;

	setup(&t, sender, 3, receiver, 3);
	keeps_add(&t.keeps, "regex nothing");
	run(&t, PRUNE_RECEIVER);
	CHECK_INT(t.result, 0);
	check_list(&t.sender.calls, "sender list_filesystems\nsender cursors p/a");
	check_list(&t.receiver.calls, "receiver list_filesystems\n"
				      "receiver list_versions p/a\n"
				      "receiver destroy p/a x");
	check_list(&t.log, "info receiver p/a: destroy 1 of 2 snapshots: x");
	REQUIRE(t.report.n_fs == 3);
	CHECK_STR(prune_skip_name(t.report.fs[0].skip), "filesystem is placeholder");
	CHECK_STR(prune_skip_name(t.report.fs[1].skip), "");
	CHECK_STR(prune_skip_name(t.report.fs[2].skip),
		  "filesystem has no correspondence on sender");
	CHECK(t.report.fs[0].completed && t.report.fs[2].completed);
	check_snaps(&t.report.fs[1], "x(r)-, y:common base");
	teardown(&t);
}

TEST(the_snapshot_at_the_cursor_is_replicated_only_for_a_sender_that_says_so)
{
	const struct fake_fs fs[] = { { "p", "@x=1 @y=2 #c=2 @z=3", 2, NULL, false } };
	const struct {
		enum prune_side side;
		bool keep_at_cursor;
		const char *want;
	} cases[] = {
		{ PRUNE_SENDER, true,
		  "x(r)-, y:kept by rule 1 (not_replicated), z:kept by rule 1 "
		  "(not_replicated)" },
		{ PRUNE_SENDER, false,
		  "x(r)-, y(r)-, z:kept by rule 1 (not_replicated)" },
		{ PRUNE_RECEIVER, true,
		  "x(r)-, y:kept by rule 1 (not_replicated), z:kept by rule 1 "
		  "(not_replicated)" },
		{ PRUNE_RECEIVER, false,
		  "x(r)-, y:kept by rule 1 (not_replicated), z:kept by rule 1 "
		  "(not_replicated)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture t;

		setup(&t, fs, 1, fs, 1);
		keeps_add(&t.keeps, "not_replicated");
		keeps_add(&t.keeps, "not_replicated");
		t.keeps.v[1].keep_snapshot_at_cursor = cases[i].keep_at_cursor;
		run(&t, cases[i].side);
		CHECK_INT(t.result, 0);
		check_snaps(&t.report.fs[0], cases[i].want);
		teardown(&t);
	}
}

TEST(nothing_is_replicated_when_no_snapshot_has_the_cursors_guid)
{
	const struct fake_fs fs[] = { { "p", "@x=1 @y=2 #c=5", 5, NULL, false } };
	struct fixture t;

	setup(&t, fs, 1, NULL, 0);
	keeps_add(&t.keeps, "not_replicated");
	run(&t, PRUNE_SENDER);
	check_snaps(
		&t.report.fs[0],
		"x:kept by rule 1 (not_replicated), y:kept by rule 1 (not_replicated)");
	check_list(&t.log, "");
	teardown(&t);
}

TEST(versions_are_put_in_order_before_they_are_judged)
{
	const struct fake_fs fs[] = { { "p", "@z=3 @x=1 @y=2", 2, NULL, false } };
	struct fixture t;

	setup(&t, fs, 1, NULL, 0);
	keeps_add(&t.keeps, "not_replicated");
	run(&t, PRUNE_SENDER);
	check_snaps(&t.report.fs[0], "x(r)-, y:kept by rule 1 (not_replicated), z:kept "
				     "by rule 1 (not_replicated)");
	teardown(&t);
}

TEST(held_snapshots_are_kept_and_shown_as_held)
{
	const struct fake_fs fs[] = { { "p", "@x=1h @y=2 @z=3", 3, NULL, false } };
	struct fixture t;

	setup(&t, fs, 1, NULL, 0);
	keeps_add(&t.keeps, "last_n 1");
	run(&t, PRUNE_SENDER);
	CHECK_INT(t.result, 0);
	check_snaps(&t.report.fs[0], "x(r):held, y(r)-, z:kept by rule 1 (last_n 1)");
	teardown(&t);
}

TEST(without_a_cursor_a_filesystem_is_not_pruned_and_the_error_says_what_to_do)
{
	const struct fake_fs fs[] = {
		{ "p/a", "@x=1 @y=2", NO_CURSOR, NULL, false },
		{ "p/b", "@x=1 @y=2", 2, NULL, false },
	};
	struct fixture t;

	setup(&t, fs, 2, NULL, 0);
	keeps_add(&t.keeps, "last_n 1");
	run(&t, PRUNE_SENDER);
	CHECK_INT(t.result, -1);
	CHECK_INT(t.report.state, PRUNER_EXEC_ERR);
	CHECK(strstr(
		t.report.fs[0].error,
		"one successful replication by this job is required before pruning"));
	CHECK_STR(t.report.fs[0].error, err_msg(&t.err) + strlen("prune p/a: "));
	CHECK_INT(t.report.fs[0].n_snaps, 0);
	CHECK(!t.report.error && !t.report.fs[1].error);
	check_list(&t.sender.calls, "sender list_filesystems\n"
				    "sender list_versions p/a,p/b\n"
				    "sender cursors p/a,p/b\n"
				    "sender destroy p/b x");
	CHECK_INT(t.log.n, 2);
	teardown(&t);
}

TEST(without_a_cursor_nothing_is_replicated_where_none_is_to_be_expected)
{
	const struct fake_fs fs[] = { { "p", "@x=1 @y=2", NO_CURSOR, NULL, false } };
	struct fixture t;

	setup(&t, fs, 1, NULL, 0);
	t.cursor_may_be_missing = true;
	keeps_add(&t.keeps, "last_n 1");
	run(&t, PRUNE_SENDER);
	CHECK_INT(t.result, 0);
	check_snaps(&t.report.fs[0], "x-, y:kept by rule 1 (last_n 1)");
	teardown(&t);
}

TEST(without_a_cursor_the_newest_on_the_receiver_stands_for_the_common_base)
{
	const struct fake_fs here[] = { { "p", "@y=2", NO_CURSOR, NULL, false } };
	const struct fake_fs there[] = { { "p", "@x=1 @y=2", NO_CURSOR, NULL, false } };
	struct fixture t;

	setup(&t, here, 1, there, 1);
	t.cursor_may_be_missing = true;
	keeps_add(&t.keeps, "regex nothing");
	run(&t, PRUNE_RECEIVER);
	CHECK_INT(t.result, 0);
	check_snaps(&t.report.fs[0], "x-, y:common base");
	teardown(&t);
}

TEST(without_the_cursors_snapshot_the_newest_on_the_receiver_stands_for_the_common_base)
{
	const struct fake_fs here[] = { { "p", "@x=1 @y=2 @z=3", 3, NULL, false } };
	const struct fake_fs there[] = { { "p", "@x=1 @y=2", NO_CURSOR, NULL, false } };
	struct fixture t;

	setup(&t, here, 1, there, 1);
	keeps_add(&t.keeps, "regex nothing");
	run(&t, PRUNE_RECEIVER);
	CHECK_INT(t.result, 0);
	check_snaps(&t.report.fs[0], "x-, y:common base");
	teardown(&t);
}

TEST(locally_all_but_the_newest_version_count_as_replicated)
{
	const struct fake_fs fs[] = {
		{ "p/a", "@x=1 @y=2 @z=3", CURSOR_FAILS, NULL, false },
		{ "p/b", "@x=1 @y=2 #z=3", CURSOR_FAILS, NULL, false },
		{ "p/c", "", CURSOR_FAILS, NULL, false },
	};
	struct fixture t;

	setup(&t, fs, 3, NULL, 0);
	keeps_add(&t.keeps, "not_replicated");
	run(&t, PRUNE_LOCAL);
	CHECK_INT(t.result, 0);
	check_list(&t.sender.calls, "sender list_filesystems\n"
				    "sender list_versions p/a,p/b,p/c\n"
				    "sender destroy p/a x,y");
	CHECK(strstr(t.log.v[0], "info local p/a"));
	check_snaps(
		&t.report.fs[1],
		"x:kept by rule 1 (not_replicated), y:kept by rule 1 (not_replicated)");
	CHECK_INT(t.report.fs[2].n_snaps, 0);
	CHECK(!t.report.fs[2].error);
	teardown(&t);
}

TEST(a_filesystem_that_cannot_be_planned_does_not_stop_the_others)
{
	const struct fake_fs fs[] = {
		{ "p/a", NULL, 1, "dataset is gone", false },
		{ "p/b", "@x=1", CURSOR_FAILS, NULL, false },
		{ "p/c", "@x=1 @y=2", 2, NULL, false },
	};
	struct fixture t;

	setup(&t, fs, 3, NULL, 0);
	keeps_add(&t.keeps, "last_n 1");
	run(&t, PRUNE_SENDER);
	CHECK_INT(t.result, -1);
	CHECK_INT(t.err.kind, ERR_CHILD);
	CHECK_STR(err_msg(&t.err), "prune p/a: list versions: dataset is gone");
	CHECK_STR(t.report.fs[0].error, "list versions: dataset is gone");
	CHECK_STR(t.report.fs[1].error, "replication cursor: no access");
	check_snaps(&t.report.fs[2], "x(r)-, y:kept by rule 1 (last_n 1)");
	check_list(&t.log, "error sender p/a: cannot plan pruning: "
			   "list versions: dataset is gone\n"
			   "error sender p/b: cannot plan pruning: "
			   "replication cursor: no access\n"
			   "info sender p/c: destroy 1 of 2 snapshots: x");
	teardown(&t);
}

TEST(a_listing_that_fails_as_a_whole_ends_the_pruning_and_is_logged_once)
{
	const char *const ops[] = { "list_filesystems", "list_versions", "cursors" };
	const struct fake_fs fs[] = { { "p", "@x=1 @y=2", 2, NULL, false } };

	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		struct fixture t;

		setup(&t, fs, 1, fs, 1);
		keeps_add(&t.keeps, "last_n 1");
		t.sender.fail = ops[i];
		run(&t, PRUNE_SENDER);
		CHECK_INT(t.result, -1);
		CHECK_INT(t.report.state, PRUNER_PLAN_ERR);
		CHECK_INT(t.err.kind, ERR_NETWORK);
		CHECK_STR(t.report.error, err_msg(&t.err));
		CHECK(strstr(t.report.error, "of the sender: connection lost"));
		CHECK_INT(t.report.n_fs, 0);
		CHECK_INT(t.sender.calls.n, i + 1);
		CHECK_INT(t.log.n, 1);
		teardown(&t);
	}
}

TEST(no_filesystems_is_nothing_to_do)
{
	struct fixture t;

	setup(&t, NULL, 0, NULL, 0);
	keeps_add(&t.keeps, "last_n 1");
	run(&t, PRUNE_SENDER);
	CHECK_INT(t.result, 0);
	CHECK_INT(t.report.state, PRUNER_DONE);
	check_list(&t.sender.calls, "sender list_filesystems");
	teardown(&t);
}

/* ---- executing ---- */

static const struct fake_fs two[] = {
	{ "p/a", "@a=1 @b=2 @c=3 @d=4", 4, NULL, false },
	{ "p/b", "@a=1 @b=2", 2, NULL, false },
};

TEST(equal_reasons_of_failed_destroys_are_said_once)
{
	struct fixture t;

	setup(&t, two, 1, NULL, 0);
	keeps_add(&t.keeps, "last_n 1");
	t.sender.undestroyable = "ac";
	t.sender.why = "dataset is busy";
	run(&t, PRUNE_SENDER);
	CHECK_INT(t.result, -1);
	CHECK_INT(t.err.kind, ERR_BUSY);
	CHECK_INT(t.report.state, PRUNER_EXEC_ERR);
	CHECK_STR(t.report.fs[0].error, "destroys failed @a, @c: dataset is busy");
	CHECK_STR(err_msg(&t.err), "prune p/a: destroys failed @a, @c: dataset is busy");
	CHECK(t.report.fs[0].completed);
	CHECK_INT(t.log.n, 2);
	CHECK_STR(t.log.v[1], "error sender p/a: cannot destroy all snapshots: "
			      "destroys failed @a, @c: dataset is busy");
	teardown(&t);
}

TEST(different_reasons_of_failed_destroys_are_said_one_by_one)
{
	struct fixture t;

	setup(&t, two, 1, NULL, 0);
	keeps_add(&t.keeps, "last_n 1");
	t.sender.undestroyable = "abc";
	run(&t, PRUNE_SENDER);
	CHECK_STR(t.report.fs[0].error, "destroys failed @a: a, @b: b, @c: c");
	teardown(&t);
}

TEST(a_missing_result_is_an_error_of_that_snapshot)
{
	struct fixture t;

	setup(&t, two, 1, NULL, 0);
	keeps_add(&t.keeps, "last_n 1");
	t.sender.forget = 1;
	run(&t, PRUNE_SENDER);
	CHECK_STR(t.report.fs[0].error,
		  "destroys failed @c: no result for this snapshot");
	teardown(&t);
}

TEST(a_destroy_request_that_fails_is_an_error_of_that_filesystem_alone)
{
	struct fixture t;

	setup(&t, two, 2, NULL, 0);
	keeps_add(&t.keeps, "last_n 1");
	t.sender.fail = "destroy p/a";
	run(&t, PRUNE_SENDER);
	CHECK_INT(t.result, -1);
	CHECK_STR(t.report.fs[0].error, "connection lost");
	CHECK(!t.report.fs[1].error);
	CHECK_STR(t.sender.calls.v[t.sender.calls.n - 1], "sender destroy p/b a");
	teardown(&t);
}

TEST(a_very_long_list_of_failures_is_cut_and_counted)
{
	struct strs l = { 0 };
	struct fixture t;

	for (int i = 1; i <= 9000; i++)
		strs_addf(&l, "@aaaaaaaaaa%d=%d", i, i);
	cleanup(str_freep) char *versions = strs_join(&l, " ");
	const struct fake_fs fs = { "p", versions, 9000, NULL, false };

	setup(&t, &fs, 1, NULL, 0);
	keeps_add(&t.keeps, "last_n 1");
	t.sender.undestroyable = "a";
	run(&t, PRUNE_SENDER);
	CHECK_INT(t.report.fs[0].n_destroy, 8999);
	CHECK(strlen(t.report.fs[0].error) < 80000);
	CHECK(strstr(t.report.fs[0].error, " more"));
	strs_free(&l);
	teardown(&t);
}

TEST(a_cancelled_pruning_stops_before_the_next_filesystem_and_is_not_an_error_to_log)
{
	struct fixture t;

	setup(&t, two, 2, NULL, 0);
	keeps_add(&t.keeps, "last_n 1");
	t.sender.cancel = t.ctx;
	run(&t, PRUNE_SENDER);
	CHECK_INT(t.result, -1);
	CHECK_INT(t.err.kind, ERR_CANCELLED);
	CHECK_INT(t.report.state, PRUNER_EXEC_ERR);
	CHECK_STR(t.report.error, "cancelled");
	CHECK(t.report.fs[0].completed && !t.report.fs[1].completed);
	CHECK_STR(t.sender.calls.v[t.sender.calls.n - 1], "sender destroy p/a a,b,c");
	check_list(&t.log, "info sender p/a: destroy 3 of 4 snapshots: a, b, c");
	teardown(&t);
}

TEST(the_report_shows_beforehand_what_is_being_destroyed)
{
	struct fixture t;

	setup(&t, two, 2, NULL, 0);
	keeps_add(&t.keeps, "last_n 1");
	t.sender.look_at = (struct pruner *)&t; /* run() knows the right one */
	run(&t, PRUNE_SENDER);
	REQUIRE(t.sender.seen.n_fs == 2);
	CHECK_INT(t.sender.seen.state, PRUNER_EXEC);
	CHECK(t.sender.seen.fs[0].completed && !t.sender.seen.fs[1].completed);
	check_snaps(&t.sender.seen.fs[1], "a(r)-, b:kept by rule 1 (last_n 1)");
	teardown(&t);
}

TEST(states_and_sides_have_the_names_of_the_status_document)
{
	CHECK_STR(pruner_state_name(PRUNER_PLAN), "Plan");
	CHECK_STR(pruner_state_name(PRUNER_PLAN_ERR), "PlanErr");
	CHECK_STR(pruner_state_name(PRUNER_EXEC), "Exec");
	CHECK_STR(pruner_state_name(PRUNER_EXEC_ERR), "ExecErr");
	CHECK_STR(pruner_state_name(PRUNER_DONE), "Done");
	CHECK_STR(prune_side_name(PRUNE_SENDER), "sender");
	CHECK_STR(prune_side_name(PRUNE_RECEIVER), "receiver");
	CHECK_STR(prune_side_name(PRUNE_LOCAL), "local");
}

/* ---- reports from another thread ---- */

static void read_reports(void *arg)
{
	struct pruner *p = arg;
	size_t last = 0;

	for (int i = 0; i < 2000; i++) {
		struct prune_report r = { 0 };
		size_t done = 0;

		pruner_report(p, &r);
		for (size_t k = 0; k < r.n_fs; k++)
			done += r.fs[k].completed;
		CHECK(done >= last);
		last = done;
		prune_report_free(&r);
	}
}

TEST(reports_can_be_read_by_another_thread_all_the_time)
{
	enum { N = 60 };
	struct fake_fs fs[N];
	char paths[N][24];
	struct keeps k = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	struct thread reader = { 0 };

	for (int i = 0; i < N; i++) {
		snprintf(paths[i], sizeof(paths[i]), "p/%02d", i);
		fs[i] = (struct fake_fs){ paths[i], "@a=1 @b=2 @c=3", 3, NULL, false };
	}
	keeps_add(&k, "last_n 1");
	struct fake f = { .ep = { &fake_ops, "sender" }, .fs = fs, .n = N };

	f.undestroyable = "a";
	const struct pruner_opts o = {
		.side = PRUNE_SENDER, .target = &f.ep, .sender = &f.ep, .rules = &k.conf
	};
	cleanup(pruner_freep) struct pruner *p = pruner_new(&o);

	thread_start(&reader, "reader", read_reports, p);
	CHECK_INT(pruner_run(ctx, p, &e), -1);
	thread_join(&reader);
	CHECK_INT(f.calls.n, 3 + N);
	strs_free(&f.calls);
	keeps_free(&k);
}

TEST_MAIN()
