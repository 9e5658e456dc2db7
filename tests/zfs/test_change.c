#include "fake.h"

static void check_result(const struct zfs_results *l, size_t i, enum err_kind want)
{
	if (CHECK(i < l->n))
		CHECK_INT(l->v[i].kind, want);
}

/* ---- filesystems ---- */

TEST(change_placeholders_are_created_and_set)
{
	cleanup(fake_free) struct fake f = fake_new("");

	CHECK_INT(zfs_create_placeholder(f.ctx, fake_z(&f), "p/a", false, &f.e), 0);
	CHECK_INT(zfs_create_placeholder(f.ctx, f.z, "p/b", true, &f.e), 0);
	CHECK_INT(zfs_set_placeholder(f.ctx, f.z, "p/a", false, &f.e), 0);
	CHECK_INT(zfs_set_placeholder(f.ctx, f.z, "p/a", true, &f.e), 0);
	CHECK_INT(zfs_rollback(f.ctx, f.z, "p/a", "s 1", &f.e), 0);
	CHECK_CALLS("zfs create -o zrepl:placeholder=on -o mountpoint=none p/a\n"
		    "zfs create -o zrepl:placeholder=on -o mountpoint=none -o "
		    "encryption=off p/b\n"
		    "zfs set zrepl:placeholder=off p/a\n"
		    "zfs set zrepl:placeholder=on p/a\n"
		    "zfs rollback -r p/a@s 1\n");
}

TEST(change_failures_have_kinds)
{
	cleanup(fake_free) struct fake f = fake_new(
		"echo \"cannot create 'p/a': dataset already exists\" >&2; exit 1");

	CHECK_INT(zfs_create_placeholder(f.ctx, fake_z(&f), "p/a", false, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_EXISTS);
	fake_script("zfs", "echo \"cannot open 'p/a': dataset does not exist\" >&2; "
			   "echo usage: >&2; exit 2");
	CHECK_INT(zfs_set_placeholder(f.ctx, f.z, "p/a", true, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_NOT_FOUND);
	CHECK_STR(err_msg(&f.e),
		  "zfs set zrepl:placeholder=on p/a: exited with status 2: cannot open "
		  "'p/a': dataset does not exist");
}

TEST(change_names_that_are_not_valid_never_become_arguments)
{
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(strs_free) struct strs range = STRS("p@a%b"), option = STRS("-r@a");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };
	struct version snap = { .name = (char *)"a,b" };

	CHECK_INT(zfs_create_placeholder(f.ctx, fake_z(&f), "-r", false, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_INVALID);
	CHECK_INT(zfs_set_placeholder(f.ctx, f.z, "p@a", true, &f.e), -1);
	CHECK_INT(zfs_rollback(f.ctx, f.z, "p", "a@b", &f.e), -1);
	CHECK_INT(zfs_snapshot(f.ctx, f.z, &range, &out, &f.e), -1);
	CHECK_INT(zfs_hold(f.ctx, f.z, "t", &option, &f.e), -1);
	CHECK_INT(zfs_destroy_bookmarks(f.ctx, f.z, &range, &f.e), -1);
	CHECK_INT(zfs_bookmark(f.ctx, f.z, "p", &snap, "b", &f.e), -1);
	CHECK_INT(f.e.kind, ERR_INVALID);
	CHECK_INT(zfs_process_count(f.z), 0);
}

/* ---- snapshots ---- */

TEST(change_snapshots_of_a_pool_are_one_process)
{
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(strs_free) struct strs all = STRS("q/a@1", "p/b@1", "pp@1", "p/a@1");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	REQUIRE(zfs_snapshot(f.ctx, fake_z(&f), &all, &out, &f.e) == 0);
	CHECK_CALLS("zfs snapshot p/a@1 p/b@1\nzfs snapshot pp@1\n"
		    "zfs snapshot q/a@1\n");
	CHECK_INT(out.n, 4);
	for (size_t i = 0; i < 4; i++)
		check_result(&out, i, ERR_NONE);
}

/* Which of them were taken in one transaction: "0 0 1". */
static char *batches(const struct zfs_results *l)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < l->n; i++)
		buf_printf(&b, "%s%zu", i ? " " : "", l->batch[i]);
	return buf_take(&b);
}

TEST(change_snapshots_of_one_pool_are_one_process_whatever_other_pools_are_called)
{
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(strs_free) struct strs all =
		STRS("p@1", "p1@1", "p/a@1", "p1/a@1", "p:x@1", "p-x/a@1");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };
	cleanup(str_freep) char *of = NULL;

	REQUIRE(zfs_snapshot(f.ctx, fake_z(&f), &all, &out, &f.e) == 0);
	CHECK_CALLS("zfs snapshot p-x/a@1\nzfs snapshot p/a@1 p@1\n"
		    "zfs snapshot p1/a@1 p1@1\nzfs snapshot p:x@1\n");
	of = batches(&out);
	CHECK_STR(of, "1 2 1 2 3 0");
}

TEST(change_snapshots_that_do_not_fit_into_one_command_are_batches)
{
	enum { N = 1500 };
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(strs_free) struct strs all = { 0 };
	cleanup(zfs_results_free) struct zfs_results out = { 0 };
	size_t last = 0;

	for (size_t i = 0; i < N; i++)
		strs_addf(&all, "p/%0220zu@1", i);
	REQUIRE(zfs_snapshot(f.ctx, fake_z(&f), &all, &out, &f.e) == 0);
	CHECK_INT(zfs_process_count(f.z), 2);
	REQUIRE(out.n == N);
	for (size_t i = 0; i < N; i++) {
		CHECK(out.batch[i] == last || out.batch[i] == last + 1);
		last = out.batch[i];
	}
	CHECK_INT(out.batch[499], 0); /* at least 500 */
	CHECK_INT(last, 1);
}

TEST(change_what_cannot_be_taken_leaves_the_rest_of_a_batch_together)
{
	cleanup(fake_free) struct fake f = fake_new(
		"case \"$*\" in\n"
		"*/gone@1*) echo \"cannot open 'p/gone': dataset does not exist\" >&2; "
		"exit 2;;\n"
		"*/b@1*) echo \"cannot create snapshot 'p/b@1': dataset already "
		"exists\" >&2; echo \"no snapshots were created\" >&2; exit 1;;\n"
		"esac");
	cleanup(strs_free) struct strs all =
		STRS("p/gone@1", "p/b@1", "p/a@1", "p/b@1", "q@1", "p/c@1");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };
	cleanup(str_freep) char *of = NULL;

	REQUIRE(zfs_snapshot(f.ctx, fake_z(&f), &all, &out, &f.e) == 0);
	CHECK_CALLS("zfs snapshot p/a@1 p/b@1 p/c@1 p/gone@1\n"
		    "zfs snapshot p/a@1 p/b@1 p/c@1\n"
		    "zfs snapshot p/a@1 p/c@1\n"
		    "zfs snapshot p/gone@1\nzfs snapshot p/b@1\n"
		    "zfs snapshot q@1\n");
	check_result(&out, 0, ERR_NOT_FOUND);
	check_result(&out, 1, ERR_EXISTS);
	check_result(&out, 2, ERR_NONE);
	check_result(&out, 3, ERR_EXISTS);
	check_result(&out, 4, ERR_NONE);
	check_result(&out, 5, ERR_NONE);
	of = batches(&out);
	CHECK_STR(of, "3 4 2 4 5 2");
	CHECK_STR(err_msg(&out.v[3]),
		  "zfs snapshot p/b@1: exited with status 1: cannot create snapshot "
		  "'p/b@1': dataset already exists\nno snapshots were created");
}

TEST(change_snapshots_that_fail_for_no_known_reason_are_taken_one_by_one)
{
	cleanup(fake_free) struct fake f = fake_new(
		"[ $# = 2 ] || { echo 'cannot create snapshots : out of space' >&2; "
		"exit 1; }");
	cleanup(strs_free) struct strs all = STRS("p/c@1", "p/b@1", "p/a@1");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };
	cleanup(str_freep) char *of = NULL;

	REQUIRE(zfs_snapshot(f.ctx, fake_z(&f), &all, &out, &f.e) == 0);
	CHECK_CALLS("zfs snapshot p/a@1 p/b@1 p/c@1\nzfs snapshot p/a@1\n"
		    "zfs snapshot p/b@1\nzfs snapshot p/c@1\n");
	of = batches(&out);
	CHECK_STR(of, "3 2 1");
}

TEST(change_if_all_are_refused_each_gets_its_own_error)
{
	cleanup(fake_free) struct fake f = fake_new(
		"shift; for s; do echo \"cannot create snapshot '$s': dataset already "
		"exists\" >&2; done; exit 1");
	cleanup(strs_free) struct strs all = STRS("p/a@1", "p/b@1");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	REQUIRE(zfs_snapshot(f.ctx, fake_z(&f), &all, &out, &f.e) == 0);
	CHECK_CALLS("zfs snapshot p/a@1 p/b@1\nzfs snapshot p/a@1\n"
		    "zfs snapshot p/b@1\n");
	check_result(&out, 0, ERR_EXISTS);
	check_result(&out, 1, ERR_EXISTS);
}

TEST(change_snapshots_end_with_their_ctx)
{
	cleanup(fake_free) struct fake f = fake_new("exec tail -f /dev/null");
	cleanup(strs_free) struct strs all = STRS("p/a@1", "p/b@1");
	cleanup(zfs_results_free) struct zfs_results out = { 0 };

	ctx_set_timeout(f.ctx, 50);
	CHECK_INT(zfs_snapshot(f.ctx, fake_z(&f), &all, &out, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_TIMEOUT);
	CHECK_INT(out.n, 0);
	CHECK_INT(zfs_process_count(f.z), 1);
}

/* ---- bookmarks ---- */

static const struct version snap = { .name = (char *)"1", .guid = 42 };

TEST(change_a_bookmark_is_one_process)
{
	cleanup(fake_free) struct fake f = fake_new("");

	CHECK_INT(zfs_bookmark(f.ctx, fake_z(&f), "p/a", &snap, "b c", &f.e), 0);
	CHECK_CALLS("zfs bookmark p/a@1 p/a#b c\n");
}

static const char exists[] =
	"case $1 in bookmark) echo \"cannot create bookmark 'p/a#b': bookmark exists\" "
	">&2; exit 1;;\n"
	"get) cat $D/out;; esac";

TEST(change_a_bookmark_that_exists_is_right_if_its_guid_is)
{
	cleanup(fake_free) struct fake f = fake_new(exists);

	fake_write("out", "p/a#b\tguid\t42\t-\n", 0600);
	CHECK_INT(zfs_bookmark(f.ctx, fake_z(&f), "p/a", &snap, "b", &f.e), 0);
	CHECK_CALLS("zfs bookmark p/a@1 p/a#b\n"
		    "zfs get -Hp -o name,property,value,source guid p/a#b\n");
	fake_write("out", "p/a#b\tguid\t43\t-\n", 0600);
	CHECK_INT(zfs_bookmark(f.ctx, f.z, "p/a", &snap, "b", &f.e), -1);
	CHECK_INT(f.e.kind, ERR_EXISTS);
	CHECK_STR(err_msg(&f.e), "bookmark p/a#b exists, but has the guid 43 and not 42");
	fake_write("out", "", 0600);
	CHECK_INT(zfs_bookmark(f.ctx, f.z, "p/a", &snap, "b", &f.e), -1);
	CHECK_INT(f.e.kind, ERR_PROTOCOL);
}

TEST(change_a_bookmark_needs_its_snapshot)
{
	cleanup(fake_free) struct fake f = fake_new(
		"echo \"cannot open 'p/a@1': dataset does not exist\" >&2; exit 2");

	CHECK_INT(zfs_bookmark(f.ctx, fake_z(&f), "p/a", &snap, "b", &f.e), -1);
	CHECK_INT(f.e.kind, ERR_NOT_FOUND);
	CHECK_INT(zfs_process_count(f.z), 1);
}

TEST(change_bookmarks_are_destroyed_and_missing_ones_are_no_error)
{
	cleanup(fake_free) struct fake f = fake_new(
		"case $2 in *b) echo \"bookmark '$2' does not exist.\" >&2; exit 1;;\n"
		"*c) echo 'I/O error' >&2; exit 1;; esac");
	cleanup(strs_free) struct strs all = STRS("p/a#a", "p/a#b", "p/a#c", "p/a#d");

	CHECK_INT(zfs_destroy_bookmarks(f.ctx, fake_z(&f), &all, &f.e), -1);
	CHECK_STR(err_msg(&f.e), "zfs destroy p/a#c: exited with status 1: I/O error");
	CHECK_CALLS("zfs destroy p/a#a\nzfs destroy p/a#b\nzfs destroy p/a#c\n"
		    "zfs destroy p/a#d\n");
}

/* ---- holds ---- */

TEST(change_holds_are_one_process)
{
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(strs_free) struct strs all = STRS("p/b@1", "p/a@1 x", "p/b@1");

	CHECK_INT(zfs_hold(f.ctx, fake_z(&f), "zrepl_STEP_J_a b", &all, &f.e), 0);
	CHECK_INT(zfs_release(f.ctx, f.z, "zrepl_STEP_J_a b", &all, &f.e), 0);
	CHECK_CALLS("zfs hold zrepl_STEP_J_a b p/a@1 x p/b@1\n"
		    "zfs release zrepl_STEP_J_a b p/a@1 x p/b@1\n");
}

TEST(change_holding_what_is_held_and_releasing_what_is_not_is_fine)
{
	cleanup(fake_free) struct fake f = fake_new(
		"case $1 in\n"
		"hold) echo \"cannot hold snapshot 'p/a@1': tag already exists on this "
		"dataset\" >&2;;\n"
		"*) echo \"cannot release hold from snapshot 'p/a@1': no such tag on "
		"this dataset\" >&2\n"
		"echo \"cannot release hold from snapshot 'p/a@2': dataset does not "
		"exist\" >&2\n"
		"echo \"cannot open 'p/n': dataset does not exist\" >&2;;\n"
		"esac; exit 1");
	cleanup(strs_free) struct strs all = STRS("p/a@1", "p/a@2", "p/n@1");

	CHECK_INT(zfs_hold(f.ctx, fake_z(&f), "t", &all, &f.e), 0);
	CHECK_INT(zfs_release(f.ctx, f.z, "t", &all, &f.e), 0);
	CHECK_INT(zfs_process_count(f.z), 2);
}

TEST(change_a_missing_snapshot_cannot_be_held)
{
	cleanup(fake_free) struct fake f =
		fake_new("echo \"cannot hold snapshot 'p/a@1': tag already exists on "
			 "this dataset\" >&2\n"
			 "echo \"cannot hold snapshot 'p/a@2': dataset does not exist\" "
			 ">&2; exit 1");
	cleanup(strs_free) struct strs all = STRS("p/a@1", "p/a@2");

	CHECK_INT(zfs_hold(f.ctx, fake_z(&f), "t", &all, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_NOT_FOUND);
	fake_script("zfs", "echo \"cannot open 'p/a': dataset does not exist\" >&2\n"
			   "exit 1");
	CHECK_INT(zfs_hold(f.ctx, f.z, "t", &all, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_NOT_FOUND);
}

TEST(change_messages_about_other_snapshots_are_not_taken_for_ours)
{
	cleanup(fake_free) struct fake f =
		fake_new("echo \"cannot hold snapshot 'p/ab@1': tag already exists on "
			 "this dataset\" >&2; exit 1");
	cleanup(strs_free) struct strs all = STRS("p/a@1");

	CHECK_INT(zfs_hold(f.ctx, fake_z(&f), "t", &all, &f.e), -1);
	fake_script("zfs", "echo \"cannot open 'p/ab': dataset does not exist\" >&2\n"
			   "exit 1");
	CHECK_INT(zfs_release(f.ctx, f.z, "t", &all, &f.e), -1);
	fake_script("zfs", "exit 1");
	CHECK_INT(zfs_release(f.ctx, f.z, "t", &all, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
}

TEST(change_hold_tags_are_checked)
{
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(strs_free) struct strs all = STRS("p/a@1");

	f.env.max_hold_tag_len = 5;
	CHECK_INT(zfs_hold(f.ctx, fake_z(&f), "-r", &all, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_INVALID);
	CHECK_INT(zfs_hold(f.ctx, f.z, "", &all, &f.e), -1);
	CHECK_INT(zfs_hold(f.ctx, f.z, "123456", &all, &f.e), -1);
	CHECK_INT(zfs_hold(f.ctx, f.z, "12345", &all, &f.e), 0);
	CHECK_INT(zfs_process_count(f.z), 1);
}

TEST(change_holds_are_listed)
{
	cleanup(fake_free) struct fake f = fake_new(
		"printf 'p/a@1\\tt 1\\tSun Nov 22 08:27 2026\\np/b@1\\tt2\\tx\\n'\n"
		"printf 'p/c@1\\tt3\\tx\\n'\n"
		"echo \"cannot open 'p/a@2': dataset does not exist\" >&2; exit 1");
	cleanup(strs_free) struct strs all = STRS("p/b@1", "p/a@1", "p/a@2");
	cleanup(zfs_holds_free) struct zfs_holds l = { 0 };

	REQUIRE(zfs_list_holds(f.ctx, fake_z(&f), &all, &l, &f.e) == 0);
	CHECK_CALLS("zfs holds -H p/a@1 p/a@2 p/b@1\n");
	REQUIRE(l.n == 2);
	CHECK_STR(l.v[0].snapshot, "p/a@1");
	CHECK_STR(l.v[0].tag, "t 1");
	CHECK_STR(l.v[1].tag, "t2");
	zfs_holds_free(&l);
	fake_script("zfs", "echo garbage");
	CHECK_INT(zfs_list_holds(f.ctx, f.z, &all, &l, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_PROTOCOL);
}

TEST_MAIN()
