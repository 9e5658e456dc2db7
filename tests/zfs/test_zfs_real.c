/*
 * Every call of zfs.h and stream.h on a real ZFS.  Needs root and /dev/zfs; makes a pool
 * in a file in TMPDIR, and destroys it at the end.  The test functions share the pool,
 * each in filesystems of its own.
 */
#include "base/pump.h"
#include "conf/env.h"
#include "output.h"
#include "tap.h"
#include "zfs/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define POOL "zrepltest"

static struct env env;
static struct zfs *z;
static struct ctx *ctx;

#define NEED_ZFS                             \
	do {                                 \
		if (!z)                      \
			SKIP("no ZFS here"); \
	} while (0)

static int shell(const char *command)
{
	const char *argv[] = { "sh", "-ec", command, NULL };
	cleanup(buf_free) struct buf out = { 0 };

	if (output_of(argv, &out))
		return 0;
	printf("# %s\n", command);
	return -1;
}

static struct strs strs_of(const char *const *words)
{
	struct strs l = { 0 };

	for (; *words; words++)
		strs_add(&l, *words);
	return l;
}
#define STRS(...) strs_of((const char *const[]){ __VA_ARGS__, NULL })

static bool ok(int r, struct err *e, int line, const char *what)
{
	tap_count();
	if (r == 0)
		return true;
	printf("# %s\n", err_msg(e));
	err_clear(e);
	return tap_fail(__FILE__, line, what);
}

static void fails(int r, struct err *e, enum err_kind want, int line, const char *what)
{
	tap_count();
	if (r == 0 || !err_is(e, want)) {
		printf("# want kind %d, got %d: %s\n", (int)want, (int)e->kind,
		       err_msg(e));
		tap_fail(__FILE__, line, what);
	}
	err_clear(e);
}

/* Of calls that use &e. */
#define OK(call)          ok((call), &e, __LINE__, #call)
#define FAILS(call, want) fails((call), &e, (want), __LINE__, #call)

static uint64_t processes_since(uint64_t *before)
{
	uint64_t now = zfs_process_count(z), n = now - *before;

	*before = now;
	return n;
}

static void check_versions(const char *fs, const char *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs one = STRS(fs);
	cleanup(zfs_version_lists_free) struct zfs_version_lists l = { 0 };
	cleanup(buf_free) struct buf b = { 0 };

	if (!OK(zfs_list_versions(ctx, z, &one, 3, &l, &e)))
		return;
	for (size_t i = 0; i < l.v[0].versions.n; i++)
		buf_printf(&b, "%c%s", version_sigil(&l.v[0].versions.v[i]),
			   l.v[0].versions.v[i].name);
	CHECK_STR(l.v[0].exists ? buf_str(&b) : "(missing)", want);
}

static uint64_t guid_of(const char *fs, const char *snap)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs one = STRS(fs);
	cleanup(zfs_version_lists_free) struct zfs_version_lists l = { 0 };
	const struct version *v;

	if (!OK(zfs_list_versions(ctx, z, &one, ZFS_SNAPSHOTS, &l, &e)))
		return 0;
	v = versions_find(&l.v[0].versions, VERSION_SNAPSHOT, snap);
	return v ? v->guid : 0;
}

/* ---- datasets ---- */

TEST(real_datasets_are_listed_with_what_matters)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs roots = STRS(POOL "/list"), none = { 0 };
	cleanup(strs_free) struct strs exact =
		STRS(POOL, POOL "/nope", POOL "/list/a", "nopool/x");
	cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };
	const struct zfs_dataset *d;
	uint64_t count = zfs_process_count(z);

	REQUIRE(shell("zfs create " POOL "/list; zfs create " POOL "/list/a;"
		      "zfs create '" POOL "/list/a b'; zfs create " POOL "/list/ab;"
		      "zfs create -V 1M -s " POOL "/list/vol;"
		      "zfs set zrepl:placeholder=on " POOL "/list/ab;"
		      "zfs create " POOL "/list/ab/inherits;"
		      "zfs set 'zrepl:placeholder=a	tab\nand a newline' '" POOL
		      "/list/a b';"
		      "echo 12345678 | zfs create -o encryption=on -o "
		      "keyformat=passphrase " POOL "/list/enc") == 0);
	REQUIRE(OK(zfs_list_datasets(ctx, z, &roots, &exact, &l, &e)));
	CHECK_INT(processes_since(&count), 2);
	REQUIRE(l.n == 8);
	CHECK_STR(l.v[0].name, POOL);
	CHECK_STR(l.v[1].name, POOL "/list");
	CHECK_STR(l.v[2].name, POOL "/list/a");
	CHECK_STR(l.v[3].name, POOL "/list/a b");
	for (size_t i = 0; i < l.n; i++) {
		bool is_ab = strcmp(l.v[i].name, POOL "/list/ab") == 0;
		bool is_enc = strcmp(l.v[i].name, POOL "/list/enc") == 0;

		CHECK_INT(l.v[i].is_placeholder, is_ab);
		CHECK_INT(l.v[i].is_encrypted, is_enc);
		CHECK(l.v[i].guid != 0);
		CHECK(l.v[i].resume_token == NULL);
	}
	d = zfs_datasets_find(&l, POOL "/list/vol");
	CHECK(d && d->type == ZFS_VOLUME);
	CHECK(zfs_datasets_find(&l, POOL "/list/ab/inherits") != NULL);
	zfs_datasets_free(&l);
	strs_add(&none, POOL "/nope");
	OK(zfs_list_datasets(ctx, z, &none, &none, &l, &e));
	CHECK_INT(l.n, 0);
}

TEST(real_the_whole_host_is_listed_by_one_process)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs all = STRS("");
	cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };
	uint64_t count = zfs_process_count(z);

	REQUIRE(OK(zfs_list_datasets(ctx, z, &all, NULL, &l, &e)));
	CHECK_INT(processes_since(&count), 1);
	CHECK(zfs_datasets_find(&l, POOL) != NULL);
}

TEST(real_placeholders_are_created_set_and_seen)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs exact = STRS(POOL "/ph", POOL "/ph/x");
	cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };
	uint64_t count = zfs_process_count(z);

	OK(zfs_create_placeholder(ctx, z, POOL "/ph", false, &e));
	OK(zfs_create_placeholder(ctx, z, POOL "/ph/x", true, &e));
	CHECK_INT(processes_since(&count), 2);
	REQUIRE(OK(zfs_list_datasets(ctx, z, NULL, &exact, &l, &e)));
	REQUIRE(l.n == 2);
	CHECK(l.v[0].is_placeholder && l.v[1].is_placeholder);
	zfs_datasets_free(&l);
	OK(zfs_set_placeholder(ctx, z, POOL "/ph/x", false, &e));
	REQUIRE(OK(zfs_list_datasets(ctx, z, NULL, &exact, &l, &e)));
	CHECK(l.v[0].is_placeholder && !l.v[1].is_placeholder);
	FAILS(zfs_create_placeholder(ctx, z, POOL "/ph", false, &e), ERR_EXISTS);
	FAILS(zfs_create_placeholder(ctx, z, POOL "/no/pe", false, &e), ERR_NOT_FOUND);
	FAILS(zfs_set_placeholder(ctx, z, POOL "/nope", true, &e), ERR_NOT_FOUND);
}

/* ---- snapshots and versions ---- */

TEST(real_snapshots_are_taken_together_but_for_those_that_cannot_be)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs both =
		STRS(POOL "/snap/a@1 x", POOL "/snap/ab@1 x");
	cleanup(strs_free) struct strs mixed =
		STRS(POOL "/snap/ab@2", POOL "/snap/a@1 x", POOL "/snap/nope@2",
		     POOL "/snap/c@2", POOL "/snap@2");
	cleanup(zfs_results_free) struct zfs_results r = { 0 }, m = { 0 };
	uint64_t count;

	REQUIRE(shell("zfs create -p " POOL "/snap/a; zfs create " POOL
		      "/snap/ab; zfs create " POOL "/snap/c") == 0);
	count = zfs_process_count(z);
	REQUIRE(OK(zfs_snapshot(ctx, z, &both, &r, &e)));
	CHECK_INT(processes_since(&count), 1);
	CHECK(r.v[0].kind == ERR_NONE && r.v[1].kind == ERR_NONE);
	REQUIRE(OK(zfs_snapshot(ctx, z, &mixed, &m, &e)));
	CHECK_INT(processes_since(&count), 5); /* 3 to take the rest, 2 refused */
	CHECK(m.batch[0] == m.batch[3] && m.batch[3] == m.batch[4]);
	CHECK_INT(m.v[0].kind, ERR_NONE);
	CHECK_INT(m.v[1].kind, ERR_EXISTS);
	CHECK_INT(m.v[2].kind, ERR_NOT_FOUND);
	CHECK_INT(m.v[3].kind, ERR_NONE);
	CHECK_INT(m.v[4].kind, ERR_NONE);
	check_versions(POOL "/snap/a", "@1 x");
	check_versions(POOL "/snap/ab", "@1 x@2");
	check_versions(POOL "/snap", "@2");
	check_versions(POOL "/snap/c", "@2");
	check_versions(POOL "/snap/nope", "(missing)");
	check_versions("nopool/nope", "(missing)");
}

TEST(real_what_is_written_since_the_latest_snapshot)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs fs =
		STRS(POOL "/written/new", POOL "/written/nope", POOL "/written",
		     POOL "/written/volume");
	struct zfs_written w[4] = { 0 };
	uint64_t count;

	REQUIRE(shell("zfs create -p " POOL "/written/new && zfs create -s -V 1M " POOL
		      "/written/volume && zpool sync " POOL " && zfs snapshot " POOL
		      "/written@1 " POOL "/written/volume@1") == 0);
	count = zfs_process_count(z);
	REQUIRE(OK(zfs_list_written(ctx, z, &fs, w, &e)));
	CHECK_INT(processes_since(&count), 1);
	CHECK(w[0].exists && w[0].bytes > 0);
	CHECK(!w[1].exists);
	CHECK(w[2].exists && w[2].bytes == 0);
	CHECK(w[3].exists && w[3].bytes == 0);
}

TEST(real_versions_of_many_filesystems_are_one_process)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs fs =
		STRS(POOL "/vers/ab", POOL "/vers/nope", POOL "/vers/a", POOL "/vers");
	cleanup(zfs_version_lists_free) struct zfs_version_lists l = { 0 };
	uint64_t count;

	REQUIRE(shell("zfs create -p " POOL "/vers/a; zfs create " POOL "/vers/ab;"
		      "zfs snapshot -r " POOL "/vers@1; zfs snapshot " POOL "/vers/a@2;"
		      "zfs bookmark " POOL "/vers/a@1 '" POOL "/vers/a#b 1';"
		      "zfs hold t " POOL "/vers/a@2") == 0);
	count = zfs_process_count(z);
	REQUIRE(OK(
		zfs_list_versions(ctx, z, &fs, ZFS_SNAPSHOTS | ZFS_BOOKMARKS, &l, &e)));
	CHECK_INT(processes_since(&count), 1);
	REQUIRE(l.n == 4);
	CHECK_INT(l.v[0].versions.n, 1);
	CHECK(!l.v[1].exists);
	REQUIRE(l.v[2].versions.n == 3);
	CHECK_INT(l.v[3].versions.n, 1);
	CHECK_STR(l.v[2].versions.v[0].name, "b 1");
	CHECK(!l.v[2].versions.v[0].has_userrefs);
	CHECK_STR(l.v[2].versions.v[1].name, "1");
	CHECK(l.v[2].versions.v[0].guid == l.v[2].versions.v[1].guid);
	CHECK(l.v[2].versions.v[1].creation_s > 1000000000);
	CHECK_INT(l.v[2].versions.v[2].userrefs, 1);
	CHECK(shell("zfs release t " POOL "/vers/a@2") == 0);
}

TEST(real_a_snapshot_that_is_held_is_busy_and_the_others_are_destroyed)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs names = STRS("c", "b: x", "a", "gone", "cloned");
	cleanup(strs_free) struct strs rest = STRS("b: x", "cloned"), bad = STRS("d,e");
	cleanup(zfs_results_free) struct zfs_results r = { 0 }, s = { 0 }, t = { 0 };
	uint64_t count;

	REQUIRE(shell("zfs create " POOL "/destroy; zfs snapshot " POOL "/destroy@a;"
		      "zfs snapshot '" POOL "/destroy@b: x'; zfs snapshot " POOL
		      "/destroy@c; zfs snapshot " POOL "/destroy@d;"
		      "zfs snapshot " POOL "/destroy@cloned;"
		      "zfs hold keep '" POOL "/destroy@b: x'") == 0);
	count = zfs_process_count(z);
	REQUIRE(OK(zfs_destroy_snapshots(ctx, z, POOL "/destroy", &names, &r, &e)));
	CHECK_INT(processes_since(&count), 3);
	REQUIRE(r.n == 5);
	CHECK_INT(r.v[0].kind, ERR_NONE);
	CHECK_INT(r.v[1].kind, ERR_BUSY);
	CHECK_INT(r.v[2].kind, ERR_NONE);
	CHECK_INT(r.v[3].kind, ERR_NONE);
	CHECK_INT(r.v[4].kind, ERR_NONE);
	check_versions(POOL "/destroy", "@b: x@d");

	REQUIRE(shell("zfs snapshot " POOL "/destroy@cloned; zfs clone " POOL
		      "/destroy@cloned " POOL "/clone") == 0);
	count = zfs_process_count(z);
	REQUIRE(OK(zfs_destroy_snapshots(ctx, z, POOL "/destroy", &rest, &s, &e)));
	CHECK_INT(s.v[0].kind, ERR_BUSY);
	CHECK_INT(s.v[1].kind, ERR_BUSY);
	check_versions(POOL "/destroy", "@b: x@d@cloned");
	count = zfs_process_count(z);
	REQUIRE(OK(zfs_destroy_snapshots(ctx, z, POOL "/destroy", &bad, &t, &e)));
	CHECK_INT(t.v[0].kind, ERR_INVALID);
	CHECK_INT(processes_since(&count), 0);
	CHECK(shell("zfs release keep '" POOL "/destroy@b: x'") == 0);
}

TEST(real_what_is_gone_is_destroyed)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs names = STRS("a", "b"), one = STRS("a");
	cleanup(zfs_results_free) struct zfs_results r = { 0 }, s = { 0 }, t = { 0 };

	OK(zfs_destroy_snapshots(ctx, z, POOL, &names, &r, &e));
	OK(zfs_destroy_snapshots(ctx, z, POOL "/nope", &names, &s, &e));
	OK(zfs_destroy_snapshots(ctx, z, POOL "/nope", &one, &t, &e));
	CHECK(r.n == 2 && r.v[0].kind == ERR_NONE && r.v[1].kind == ERR_NONE);
	CHECK(s.n == 2 && s.v[0].kind == ERR_NONE && s.v[1].kind == ERR_NONE);
	CHECK(t.n == 1 && t.v[0].kind == ERR_NONE);
}

TEST(real_a_thousand_snapshots_are_listed_and_destroyed)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs names = { 0 }, fs = STRS(POOL "/many");
	cleanup(zfs_version_lists_free) struct zfs_version_lists l = { 0 };
	cleanup(zfs_results_free) struct zfs_results r = { 0 };
	uint64_t count;

	/* 10 filesystems with 100 each are as good, and much quicker to make */
	REQUIRE(shell("zfs create " POOL "/many; for i in $(seq 10); do zfs create " POOL
		      "/many/$i; done;"
		      "for i in $(seq 100); do zfs snapshot -r " POOL
		      "/many@$i; done") == 0);
	for (int i = 1; i <= 10; i++)
		strs_addf(&fs, POOL "/many/%d", i);
	for (int i = 1; i <= 100; i++)
		strs_addf(&names, "%d", i);
	count = zfs_process_count(z);
	REQUIRE(OK(zfs_list_versions(ctx, z, &fs, 3, &l, &e)));
	CHECK_INT(processes_since(&count), 1);
	for (size_t i = 0; i < l.n; i++)
		CHECK_INT(l.v[i].versions.n, 100);
	CHECK_STR(l.v[10].versions.v[99].name, "100");
	REQUIRE(OK(zfs_destroy_snapshots(ctx, z, POOL "/many/5", &names, &r, &e)));
	CHECK_INT(processes_since(&count), 1);
	check_versions(POOL "/many/5", "");
}

/* ---- bookmarks, holds ---- */

TEST(real_bookmarks_are_idempotent)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs marks =
		STRS(POOL "/mark#x y", POOL "/mark#nope", POOL "/nope#b");
	struct version one = { .name = (char *)"1" }, two = { .name = (char *)"2" };
	struct version gone = { .name = (char *)"3" };
	uint64_t count;

	REQUIRE(shell("zfs create " POOL "/mark; zfs snapshot " POOL "/mark@1;"
		      "zfs snapshot " POOL "/mark@2") == 0);
	one.guid = guid_of(POOL "/mark", "1");
	two.guid = guid_of(POOL "/mark", "2");
	count = zfs_process_count(z);
	OK(zfs_bookmark(ctx, z, POOL "/mark", &one, "x y", &e));
	CHECK_INT(processes_since(&count), 1);
	OK(zfs_bookmark(ctx, z, POOL "/mark", &one, "x y", &e));
	CHECK_INT(processes_since(&count), 2);
	FAILS(zfs_bookmark(ctx, z, POOL "/mark", &two, "x y", &e), ERR_EXISTS);
	FAILS(zfs_bookmark(ctx, z, POOL "/mark", &gone, "z", &e), ERR_NOT_FOUND);
	check_versions(POOL "/mark", "#x y@1@2");
	count = zfs_process_count(z);
	OK(zfs_destroy_bookmarks(ctx, z, &marks, &e));
	OK(zfs_destroy_bookmarks(ctx, z, &marks, &e));
	CHECK_INT(processes_since(&count), 6);
	check_versions(POOL "/mark", "@1@2");
}

static void check_holds(const struct strs *snaps, const char *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(zfs_holds_free) struct zfs_holds l = { 0 };
	cleanup(buf_free) struct buf b = { 0 };

	if (!OK(zfs_list_holds(ctx, z, snaps, &l, &e)))
		return;
	for (size_t i = 0; i < l.n; i++)
		buf_printf(&b, "%s %s;", l.v[i].snapshot + strlen(POOL), l.v[i].tag);
	CHECK_STR(buf_str(&b), want);
}

TEST(real_holds_are_idempotent)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs one = STRS(POOL "/hold/a@1");
	cleanup(strs_free) struct strs all =
		STRS(POOL "/hold/a@1", POOL "/hold/a@2", POOL "/hold/b@1");
	cleanup(strs_free) struct strs gone =
		STRS(POOL "/hold/a@1", POOL "/hold/a@nope", POOL "/nope@1");
	static const char tag[] = "zrepl_STEP_J_job with spaces";
	uint64_t count;

	REQUIRE(shell("zfs create -p " POOL "/hold/a; zfs create " POOL "/hold/b;"
		      "zfs snapshot -r " POOL "/hold@1; zfs snapshot " POOL
		      "/hold/a@2") == 0);
	check_holds(&all, "");
	count = zfs_process_count(z);
	OK(zfs_hold(ctx, z, tag, &one, &e));
	OK(zfs_hold(ctx, z, tag, &one, &e));
	OK(zfs_hold(ctx, z, tag, &all, &e));
	CHECK_INT(processes_since(&count), 3);
	check_holds(&all, "/hold/a@1 zrepl_STEP_J_job with spaces;"
			  "/hold/a@2 zrepl_STEP_J_job with spaces;"
			  "/hold/b@1 zrepl_STEP_J_job with spaces;");
	FAILS(zfs_hold(ctx, z, tag, &gone, &e), ERR_NOT_FOUND);
	check_holds(&gone, "/hold/a@1 zrepl_STEP_J_job with spaces;");
	OK(zfs_hold(ctx, z, "other", &one, &e));
	count = zfs_process_count(z);
	OK(zfs_release(ctx, z, tag, &gone, &e));
	OK(zfs_release(ctx, z, tag, &all, &e));
	OK(zfs_release(ctx, z, tag, &all, &e));
	CHECK_INT(processes_since(&count), 3);
	check_holds(&all, "/hold/a@1 other;");
	OK(zfs_release(ctx, z, "other", &one, &e));
}

TEST(real_rollback_goes_back)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	uint64_t count;

	REQUIRE(shell("zfs create " POOL "/back; zfs snapshot " POOL "/back@1;"
		      "zfs snapshot " POOL "/back@2; zfs snapshot " POOL "/back@3") == 0);
	count = zfs_process_count(z);
	OK(zfs_rollback(ctx, z, POOL "/back", "1", &e));
	CHECK_INT(processes_since(&count), 1);
	check_versions(POOL "/back", "@1");
	FAILS(zfs_rollback(ctx, z, POOL "/back", "2", &e), ERR_NOT_FOUND);
}

/* ---- streams ---- */

static const struct conf_send plain;

static void copy_some(int from, int to, size_t n)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char bytes[8192];

	while (n > 0) {
		struct pollfd in = { .fd = from, .events = POLLIN };
		struct pollfd out = { .fd = to, .events = POLLOUT };
		ssize_t got, put = 0;

		if (!CHECK(ctx_poll(ctx, &in, 1, 60000, &e) == 1))
			return;
		got = read(from, bytes, n < sizeof(bytes) ? n : sizeof(bytes));
		for (ssize_t at = 0; at < got; at += put) {
			if (!CHECK(ctx_poll(ctx, &out, 1, 60000, &e) == 1))
				return;
			put = write(to, bytes + at, (size_t)(got - at));
			if (!CHECK(put > 0))
				return;
		}
		if (!CHECK(got > 0))
			return;
		n -= (size_t)got;
	}
}

/* Sends all of it, or only its first `limit` bytes. */
static int replicate(const struct zfs_send_args *from, const struct zfs_recv_args *to,
		     size_t limit, enum zfs_recv_failure *why, struct err *err)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct zfs_recv *r = zfs_recv_start(z, to, err);
	struct zfs_send *s = r ? zfs_send_start(z, from, err) : NULL;
	enum pump_end end;

	if (!CHECK(r && s))
		abort();
	if (limit == 0) {
		OK(pump(ctx, zfs_send_fd(s), zfs_recv_fd(r),
			&(struct pump_opts){ .stall_ms = 60000 }, &end, &e));
		if (zfs_send_finish(s, &e) < 0)
			printf("# %s\n", err_msg(&e));
	} else {
		copy_some(zfs_send_fd(s), zfs_recv_fd(r), limit);
		FAILS(zfs_send_finish(s, &e), ERR_CANCELLED);
	}
	return zfs_recv_finish(r, ctx, limit == 0, why, err);
}

#define FILL(fs, file) "dd if=/dev/urandom of=/" fs "/" file " bs=1M count=6 2>/dev/null;"

TEST(real_streams_are_estimated_sent_and_received)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	struct zfs_send_args s = { .fs = POOL "/src", .to = "@1", .flags = &plain };
	struct zfs_recv_args r = { .fs = POOL "/dst x", .snap = "1", .resumable = true };
	static const struct conf_send flags = { .send_properties = true,
						.large_blocks = true,
						.compressed = true,
						.embedded_data = true };
	static const char *inherit[] = { "mountpoint" };
	static struct conf_property override[] = { { "org.example:x", "a b=c" } };
	static const struct conf_recv props = {
		.inherit = inherit, .n_inherit = 1, .override = override, .n_override = 1
	};
	enum zfs_recv_failure why;
	uint64_t bytes = 0, count;

	REQUIRE(shell("zfs create " POOL
		      "/src;" FILL(POOL "/src", "a") "zfs snapshot " POOL "/src@1;" FILL(
			      POOL "/src",
			      "b") "zfs snapshot " POOL "/src@2; zfs bookmark " POOL
				   "/src@1 " POOL "/src#1; zfs snapshot " POOL
				   "/src@3") == 0);
	count = zfs_process_count(z);
	OK(zfs_send_estimate(ctx, z, &s, &bytes, &e));
	CHECK(bytes > 6000000 && bytes < 7000000);
	CHECK_INT(processes_since(&count), 1);
	REQUIRE(OK(replicate(&s, &r, 0, &why, &e)));
	CHECK_INT(processes_since(&count), 2);
	check_versions(POOL "/dst x", "@1");
	CHECK(guid_of(POOL "/dst x", "1") == guid_of(POOL "/src", "1"));

	s.from = "#1";
	s.to = "@2";
	r.snap = "2";
	count = zfs_process_count(z);
	OK(zfs_send_estimate(ctx, z, &s, &bytes, &e));
	CHECK_INT(bytes, 0);
	CHECK_INT(processes_since(&count), 0);
	REQUIRE(OK(replicate(&s, &r, 0, &why, &e)));
	s.from = "@2";
	s.to = "@3";
	s.flags = &flags;
	r.snap = "3";
	r.props = &props;
	OK(zfs_send_estimate(ctx, z, &s, &bytes, &e));
	CHECK(bytes > 0 && bytes < 100000);
	REQUIRE(OK(replicate(&s, &r, 0, &why, &e)));
	check_versions(POOL "/dst x", "@1@2@3");
	CHECK(shell("test \"$(zfs get -H -o value org.example:x '" POOL "/dst x')\" = "
		    "'a b=c'") == 0);
	s.to = "@nope";
	FAILS(zfs_send_estimate(ctx, z, &s, &bytes, &e), ERR_NOT_FOUND);
}

static char *token_of(const char *fs)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(strs_free) struct strs exact = STRS(fs);
	cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };

	if (!OK(zfs_list_datasets(ctx, z, NULL, &exact, &l, &e)) || l.n != 1 ||
	    !l.v[0].resume_token)
		return NULL;
	return xstrdup(l.v[0].resume_token);
}

TEST(real_an_interrupted_receive_is_resumed)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	struct zfs_send_args s = { .fs = POOL "/isrc", .to = "@1", .flags = &plain };
	struct zfs_recv_args r = { .fs = POOL "/idst", .snap = "1", .resumable = true };
	cleanup(resume_token_free) struct resume_token t = { 0 };
	cleanup(str_freep) char *token = NULL;
	enum zfs_recv_failure why = ZFS_RECV_FAILED;
	uint64_t bytes = 0, count;

	REQUIRE(shell("zfs create " POOL "/isrc;" FILL(
			POOL "/isrc", "a") "zfs snapshot " POOL "/isrc@1") == 0);
	FAILS(replicate(&s, &r, 4000000, &why, &e), ERR_CHILD);
	CHECK_INT(why, ZFS_RECV_STATE_SAVED);
	token = token_of(POOL "/idst");
	REQUIRE(token != NULL);
	count = zfs_process_count(z);
	REQUIRE(OK(zfs_decode_token(ctx, z, token, &t, &e)));
	CHECK_INT(processes_since(&count), 1);
	CHECK_STR(t.to_name, POOL "/isrc@1");
	CHECK(t.to_guid == guid_of(POOL "/isrc", "1"));
	CHECK(!t.has_from_guid);
	s.token = token;
	OK(zfs_send_estimate(ctx, z, &s, &bytes, &e));
	CHECK(bytes > 1000000 && bytes < 4000000);
	REQUIRE(OK(replicate(&s, &r, 0, &why, &e)));
	check_versions(POOL "/idst", "@1");
	CHECK(shell("cmp /" POOL "/isrc/a /" POOL "/idst/a") == 0);
}

TEST(real_an_interrupted_receive_is_aborted)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	struct zfs_send_args s = { .fs = POOL "/asrc", .to = "@1", .flags = &plain };
	struct zfs_recv_args r = { .fs = POOL "/adst", .snap = "1", .resumable = true };
	cleanup(str_freep) char *token = NULL, *after = NULL;
	cleanup(resume_token_free) struct resume_token t = { 0 };
	enum zfs_recv_failure why = ZFS_RECV_FAILED;
	uint64_t count;

	REQUIRE(shell("zfs create " POOL "/asrc;"
		      "zfs snapshot " POOL "/asrc@1;" FILL(
			      POOL "/asrc", "a") "zfs snapshot " POOL "/asrc@2") == 0);
	REQUIRE(OK(replicate(&s, &r, 0, &why, &e)));
	s.from = "@1";
	s.to = "@2";
	r.snap = "2";
	FAILS(replicate(&s, &r, 4000000, &why, &e), ERR_CHILD);
	CHECK_INT(why, ZFS_RECV_STATE_SAVED);
	token = token_of(POOL "/adst");
	REQUIRE(token != NULL);
	REQUIRE(shell("zfs destroy " POOL "/asrc@2") == 0);
	OK(zfs_decode_token(ctx, z, token, &t, &e)); /* although the snapshot is gone */
	CHECK(t.has_from_guid && t.from_guid == guid_of(POOL "/asrc", "1"));
	count = zfs_process_count(z);
	OK(zfs_recv_abort(ctx, z, POOL "/adst", &e));
	CHECK_INT(processes_since(&count), 1);
	after = token_of(POOL "/adst");
	CHECK(after == NULL);
	OK(zfs_recv_abort(ctx, z, POOL "/adst", &e));
	OK(zfs_recv_abort(ctx, z, POOL "/nope", &e));
	resume_token_free(&t);
	t = (struct resume_token){ 0 };
	FAILS(zfs_decode_token(ctx, z, "1-abc-def", &t, &e), ERR_INVALID);
}

TEST(real_failed_receives_are_told_apart)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	struct zfs_send_args s = { .fs = POOL "/fsrc", .to = "@1", .flags = &plain };
	struct zfs_recv_args r = { .fs = POOL "/fdst", .snap = "1", .resumable = true };
	struct zfs_recv *empty;
	enum zfs_recv_failure why = ZFS_RECV_FAILED;

	REQUIRE(shell("zfs create " POOL "/fsrc;" FILL(
			POOL "/fsrc",
			"a") "zfs snapshot " POOL "/fsrc@1; zfs create " POOL "/fdst;"
			     "echo 12345678 | zfs create -o encryption=on -o "
			     "keyformat=passphrase " POOL "/fenc") == 0);
	FAILS(replicate(&s, &r, 100, &why, &e), ERR_CHILD);
	CHECK_INT(why, ZFS_RECV_STREAM_ENDED);
	empty = zfs_recv_start(z, &r, &e);
	REQUIRE(empty != NULL);
	FAILS(zfs_recv_finish(empty, ctx, true, &why, &e), ERR_CHILD);
	CHECK_INT(why, ZFS_RECV_STREAM_ENDED);
	r.fs = POOL "/fenc";
	r.force = true;
	FAILS(replicate(&s, &r, 0, &why, &e), ERR_CHILD);
	CHECK_INT(why, ZFS_RECV_ENCRYPTION_REFUSED);
	r.fs = POOL "/fdst";
	r.force = false;
	FAILS(replicate(&s, &r, 0, &why, &e), ERR_CHILD);
	CHECK_INT(why, ZFS_RECV_FAILED);
	r.force = true;
	OK(replicate(&s, &r, 0, &why, &e));
	check_versions(POOL "/fdst", "@1");
}

TEST(real_a_send_that_nobody_reads_is_ended_at_once)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	struct zfs_send_args a = { .fs = POOL "/blocked", .to = "@1", .flags = &plain };
	struct zfs_send *s;
	int64_t start;

	REQUIRE(shell("zfs create " POOL "/blocked;" FILL(
			POOL "/blocked", "a") "zfs snapshot " POOL "/blocked@1") == 0);
	s = zfs_send_start(z, &a, &e);
	REQUIRE(s != NULL);
	struct pollfd p = { .fd = zfs_send_fd(s), .events = POLLIN };
	CHECK_INT(ctx_poll(ctx, &p, 1, 60000, &e), 1);
	start = now_ms();
	FAILS(zfs_send_finish(s, &e), ERR_CANCELLED);
	CHECK(now_ms() - start < 2000);
}

TEST(real_a_send_of_what_is_not_there_says_so)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	struct zfs_send_args a = { .fs = POOL, .to = "@nope", .flags = &plain };
	struct zfs_send *s = zfs_send_start(z, &a, &e);
	struct pollfd p;
	char byte;

	REQUIRE(s != NULL);
	p = (struct pollfd){ .fd = zfs_send_fd(s), .events = POLLIN };
	CHECK_INT(ctx_poll(ctx, &p, 1, 60000, &e), 1);
	CHECK_INT(read(p.fd, &byte, 1), 0);
	CHECK_INT(zfs_send_finish(s, &e), -1);
	CHECK_INT(e.kind, ERR_CHILD);
	CHECK(strstr(err_msg(&e), "dataset does not exist") != NULL);
}

TEST(real_pools_can_resume)
{
	NEED_ZFS;
	cleanup(err_clear) struct err e = ERR_INIT;
	uint64_t count = zfs_process_count(z);
	bool yes = false;

	OK(zfs_recv_can_resume(ctx, z, POOL "/x", &yes, &e));
	CHECK(yes);
	OK(zfs_recv_can_resume(ctx, z, POOL, &yes, &e));
	CHECK_INT(processes_since(&count), 1);
	CHECK_INT(zfs_recv_can_resume(ctx, z, "nopool/x", &yes, &e), -1);
}

/* ---- the pool ---- */

static const char make_pool[] = "truncate -s 1G $TMPDIR/" POOL ".img;"
				"zpool create " POOL " $TMPDIR/" POOL ".img";
static const char destroy_pool[] = "zpool destroy " POOL "; rm -f $TMPDIR/" POOL ".img";

int main(int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	static const struct log quiet;
	int r;

	setenv("TMPDIR", "/tmp", 0);
	sigaction(SIGPIPE, &ignore, NULL);
	env = env_defaults();
	ctx = ctx_new(NULL);
	if (access("/dev/zfs", F_OK) == 0) {
		if (shell(make_pool) < 0) {
			printf("Bail out! cannot make a pool\n");
			return 1;
		}
		z = zfs_new(&env, &quiet);
	}
	r = tap_run(argc > 1 ? argv[1] : NULL);
	if (z && shell(destroy_pool) < 0)
		r = 1;
	zfs_free(z);
	ctx_free(ctx);
	return r;
}
