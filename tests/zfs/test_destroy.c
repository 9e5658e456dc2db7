#include "fake.h"

/*
 * A pool in a directory: a file for each snapshot, with the reason why it cannot be
 * destroyed in it.  As zfs destroy: all or none, missing ones do not matter.
 */
static const char pool[] =
	"fs=${2%@*}; left=${2#*@}; IFS=,\n"
	"for s in $left; do if test -s \"$D/pool/$s\"; then\n"
	"echo \"cannot destroy snapshot $fs@$s: $(cat \"$D/pool/$s\")\" >&2\n"
	"bad=1; fi; done\n"
	"test -n \"$bad\" && exit 1\n"
	"for s in $left; do test -e \"$D/pool/$s\" && any=1; rm -f \"$D/pool/$s\"; done\n"
	"test -n \"$any\" || { echo 'could not find any snapshots to destroy; check "
	"snapshot names.' >&2; exit 1; }\n";

static void pool_file(const char *snap, const char *reason)
{
	cleanup(str_freep) char *dir = fake_path("pool"), *name = NULL;

	mkdir(dir, 0700);
	if (asprintf(&name, "pool/%s", snap) < 0)
		abort();
	fake_write(name, reason, 0600);
}

static bool pool_has(const char *snap)
{
	cleanup(str_freep) char *name = NULL, *path = NULL;

	if (asprintf(&name, "pool/%s", snap) < 0)
		abort();
	path = fake_path(name);
	return access(path, F_OK) == 0;
}

static void pool_remove(const struct strs *names)
{
	cleanup(str_freep) char *dir = fake_path("pool");

	for (size_t i = 0; i < names->n; i++) {
		cleanup(str_freep) char *path = NULL;

		if (asprintf(&path, "%s/%s", dir, names->v[i]) < 0)
			abort();
		unlink(path);
	}
	rmdir(dir);
}

static int destroy(struct fake *f, const struct strs *names, struct zfs_results *out)
{
	return zfs_destroy_snapshots(f->ctx, fake_z(f), "p/a", names, out, &f->e);
}

TEST(destroy_many_snapshots_is_one_process)
{
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(strs_free) struct strs names = STRS("b", "a x", "c", "b");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	REQUIRE(destroy(&f, &names, &out) == 0);
	CHECK_CALLS("zfs destroy p/a@a x,b,c\n");
	REQUIRE(out.n == 4);
	for (size_t i = 0; i < out.n; i++)
		CHECK_INT(out.v[i].kind, ERR_NONE);
}

TEST(destroy_leaves_out_the_one_that_is_held_and_says_why)
{
	cleanup(fake_free) struct fake f = fake_new(pool);
	cleanup(strs_free) struct strs names = STRS("zab", "undestroyable", "bar");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	pool_file("bar", "");
	pool_file("zab", "");
	pool_file("undestroyable", "dataset is busy");
	REQUIRE(destroy(&f, &names, &out) == 0);
	CHECK_CALLS("zfs destroy p/a@bar,undestroyable,zab\n"
		    "zfs destroy p/a@bar,zab\n"
		    "zfs destroy p/a@undestroyable\n");
	REQUIRE(out.n == 3);
	CHECK_INT(out.v[0].kind, ERR_NONE);
	CHECK_INT(out.v[1].kind, ERR_BUSY);
	CHECK_STR(err_msg(&out.v[1]),
		  "zfs destroy p/a@undestroyable: exited with status 1: cannot destroy "
		  "snapshot p/a@undestroyable: dataset is busy");
	CHECK_INT(out.v[2].kind, ERR_NONE);
	CHECK(!pool_has("bar") && !pool_has("zab") && pool_has("undestroyable"));
	pool_remove(&names);
}

TEST(destroy_knows_the_message_of_newer_zfs)
{
	cleanup(fake_free) struct fake f = fake_new(pool);
	cleanup(strs_free) struct strs names = STRS("a", "b");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	pool_file("a", "it's being held. Run 'zfs holds -r p/a@a' to see holders.");
	pool_file("b", "it's being held. Run 'zfs holds -r p/a@b' to see holders.");
	REQUIRE(destroy(&f, &names, &out) == 0);
	CHECK_CALLS("zfs destroy p/a@a,b\nzfs destroy p/a@a\nzfs destroy p/a@b\n");
	CHECK_INT(out.v[0].kind, ERR_BUSY);
	CHECK_INT(out.v[1].kind, ERR_BUSY);
	pool_remove(&names);
}

TEST(destroy_is_not_misled_by_names_that_look_like_reasons)
{
	cleanup(fake_free) struct fake f = fake_new(pool);
	cleanup(strs_free) struct strs names = STRS("a", "a: dataset is busy", "b");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	pool_file("a", "");
	pool_file("a: dataset is busy", "I/O error");
	pool_file("b", "");
	REQUIRE(destroy(&f, &names, &out) == 0);
	CHECK_CALLS("zfs destroy p/a@a,a: dataset is busy,b\nzfs destroy p/a@a,b\n"
		    "zfs destroy p/a@a: dataset is busy\n");
	CHECK_INT(out.v[0].kind, ERR_NONE);
	CHECK_INT(out.v[1].kind, ERR_CHILD);
	pool_remove(&names);
}

TEST(destroy_what_is_gone_is_a_success)
{
	cleanup(fake_free) struct fake f = fake_new(pool);
	cleanup(strs_free) struct strs names = STRS("a", "b"), one = STRS("a");
	cleanup(zfs_results_free) struct zfs_results out = { 0 }, again = { 0 };

	REQUIRE(destroy(&f, &names, &out) == 0);
	CHECK_INT(out.v[0].kind, ERR_NONE);
	CHECK_INT(out.v[1].kind, ERR_NONE);
	CHECK_INT(zfs_process_count(f.z), 1);
	fake_script("zfs", "echo \"cannot open 'p/a': dataset does not exist\" >&2\n"
			   "exit 1");
	REQUIRE(destroy(&f, &one, &again) == 0);
	CHECK_INT(again.v[0].kind, ERR_NONE);
}

TEST(destroy_goes_one_by_one_when_it_does_not_understand)
{
	cleanup(fake_free) struct fake f = fake_new(
		"case $2 in *,*|*@b) echo \"cannot destroy 'p/a@b': snapshot has "
		"dependent "
		"clones\" >&2; echo \"use '-R' to destroy the following datasets:\" >&2\n"
		"exit 1;; esac");
	cleanup(strs_free) struct strs names = STRS("a", "b", "c");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	REQUIRE(destroy(&f, &names, &out) == 0);
	CHECK_CALLS("zfs destroy p/a@a,b,c\nzfs destroy p/a@a\nzfs destroy p/a@b\n"
		    "zfs destroy p/a@c\n");
	CHECK_INT(out.v[0].kind, ERR_NONE);
	CHECK_INT(out.v[1].kind, ERR_BUSY);
	CHECK_INT(out.v[2].kind, ERR_NONE);
}

TEST(destroy_goes_one_by_one_when_the_rest_fails_too)
{
	cleanup(fake_free) struct fake f =
		fake_new("case $2 in *a,b,c) echo 'cannot destroy snapshot p/a@a: "
			 "dataset is busy' >&2; exit 1;; *,*) exit 1;; esac");
	cleanup(strs_free) struct strs names = STRS("a", "b", "c");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	REQUIRE(destroy(&f, &names, &out) == 0);
	CHECK_CALLS("zfs destroy p/a@a,b,c\nzfs destroy p/a@b,c\nzfs destroy p/a@a\n"
		    "zfs destroy p/a@b\nzfs destroy p/a@c\n");
	CHECK_INT(out.v[0].kind, ERR_NONE);
}

TEST(destroy_respects_the_size_of_a_batch)
{
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(strs_free) struct strs names = STRS("a", "b", "c", "d", "e");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	f.env.destroy_max_batch = 2;
	REQUIRE(destroy(&f, &names, &out) == 0);
	CHECK_CALLS("zfs destroy p/a@a,b\nzfs destroy p/a@c,d\nzfs destroy p/a@e\n");
	CHECK_INT(out.n, 5);
}

TEST(destroy_keeps_its_argument_within_what_the_system_takes)
{
	cleanup(fake_free) struct fake f = fake_new("echo ${#2} >>$D/out");
	cleanup(strs_free) struct strs names = { 0 };
	cleanup(zfs_results_free) struct zfs_results out = { 0 };
	cleanup(str_freep) char *sizes = NULL;

	fake_write("out", "", 0600);
	for (int i = 0; i < 2000; i++)
		strs_addf(
			&names,
			"a_snapshot_with_a_rather_long_name_so_that_all_of_them_together_"
			"do_not_fit_into_one_argument_of_a_command_at_all_%08d",
			i);
	REQUIRE(destroy(&f, &names, &out) == 0);
	CHECK_INT(out.n, 2000);
	CHECK_INT(zfs_process_count(f.z), 3);
	sizes = fake_read("out");
	for (char *p = sizes; *p; p += strcspn(p, "\n") + 1)
		CHECK(strtol(p, NULL, 10) <= 100 * 1024);
}

TEST(destroy_reports_an_invalid_name_and_destroys_the_others)
{
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(strs_free) struct strs names = STRS("a", "b,c", "d%e", "", "f@g", "h");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	REQUIRE(destroy(&f, &names, &out) == 0);
	CHECK_CALLS("zfs destroy p/a@a,h\n");
	REQUIRE(out.n == 6);
	CHECK_INT(out.v[0].kind, ERR_NONE);
	for (size_t i = 1; i < 5; i++)
		CHECK_INT(out.v[i].kind, ERR_INVALID);
	CHECK_INT(out.v[5].kind, ERR_NONE);
}

TEST(destroy_nothing_is_no_process)
{
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };
	cleanup(strs_free) struct strs one = STRS("a");

	CHECK_INT(destroy(&f, &(struct strs){ 0 }, &out), 0);
	CHECK_INT(zfs_destroy_snapshots(f.ctx, f.z, "-r", &one, &out, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_INVALID);
	CHECK_INT(zfs_process_count(f.z), 0);
}

TEST(destroy_ends_with_its_ctx)
{
	cleanup(fake_free) struct fake f = fake_new("exec tail -f /dev/null");
	cleanup(strs_free) struct strs names = STRS("a", "b");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	ctx_set_timeout(f.ctx, 50);
	CHECK_INT(destroy(&f, &names, &out), -1);
	CHECK_INT(f.e.kind, ERR_TIMEOUT);
	CHECK_INT(zfs_process_count(f.z), 1);
}

TEST_MAIN()
