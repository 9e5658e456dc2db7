#include "fake.h"

#define GET   "zfs get -Hp -o name,property,value,source -t filesystem,volume "
#define PROPS "type,guid,encryption,zrepl:placeholder,receive_resume_token"
#define LIST  "zfs list -Hp -o name,guid,createtxg,creation,userrefs "

/* ds NAME GUID: what zfs get prints of a plain filesystem. */
static const char ds[] =
	"ds() { printf '%s\\ttype\\tfilesystem\\t-\\n%s\\tguid\\t%s\\t-\\n"
	"%s\\tencryption\\toff\\tdefault\\n%s\\tzrepl:placeholder\\t-\\t-\\n"
	"%s\\treceive_resume_token\\t-\\t-\\n' \"$1\" \"$1\" $2 \"$1\" \"$1\" \"$1\"; }\n"
	"gone() { echo \"cannot open '$1': dataset does not exist\" >&2; }\n";

static struct fake fake_ds(const char *body)
{
	cleanup(str_freep) char *all = NULL;

	if (asprintf(&all, "%s%s", ds, body) < 0)
		abort();
	return fake_new(all);
}

static char *names_of(const struct zfs_datasets *l)
{
	struct strs names = { 0 };
	char *joined;

	for (size_t i = 0; i < l->n; i++)
		strs_add(&names, l->v[i].name);
	joined = strs_join(&names, ",");
	strs_free(&names);
	return joined;
}

static void check_names(const struct zfs_datasets *l, const char *want)
{
	cleanup(str_freep) char *got = names_of(l);

	CHECK_STR(got, want);
}

TEST(list_the_whole_host_is_one_process)
{
	cleanup(fake_free) struct fake f =
		fake_ds("ds p 1; ds p/ab 4; ds 'p/a b' 3; ds p/a 2; ds p/a/c 5");
	cleanup(strs_free) struct strs all = STRS("");
	cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };

	CHECK_INT(zfs_list_datasets(f.ctx, fake_z(&f), &all, NULL, &l, &f.e), 0);
	CHECK_CALLS(GET "-r " PROPS "\n");
	check_names(&l, "p,p/a,p/a b,p/a/c,p/ab");
	REQUIRE(zfs_datasets_find(&l, "p/a b") != NULL);
	CHECK_INT(zfs_datasets_find(&l, "p/a b")->guid, 3);
	CHECK(zfs_datasets_find(&l, "p/abc") == NULL);
	CHECK_INT(zfs_process_count(f.z), 1);
}

TEST(list_subtrees_and_exact_datasets_are_two_processes)
{
	cleanup(fake_free) struct fake f = fake_ds("case \"$*\" in *' -r '*)\n"
						   "ds p/a 2; ds p/a/c 5; ds q 6;;\n"
						   "*) ds r/x 7;;\nesac");
	cleanup(strs_free) struct strs roots = STRS("q", "p/a", "p/a/c");
	cleanup(strs_free) struct strs exact = STRS("r/x", "p/a/c", "q", "r/x");
	cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };

	CHECK_INT(zfs_list_datasets(f.ctx, fake_z(&f), &roots, &exact, &l, &f.e), 0);
	CHECK_CALLS(GET "-r " PROPS " p/a q\n" GET PROPS " r/x\n");
	check_names(&l, "p/a,p/a/c,q,r/x");
}

TEST(list_nothing_is_no_process)
{
	cleanup(fake_free) struct fake f = fake_ds("exit 1");
	cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };
	cleanup(zfs_version_lists_free) struct zfs_version_lists v = { 0 };
	struct strs none = { 0 };

	CHECK_INT(zfs_list_datasets(f.ctx, fake_z(&f), NULL, &none, &l, &f.e), 0);
	CHECK_INT(zfs_list_versions(f.ctx, f.z, &none, 3, &v, &f.e), 0);
	CHECK_INT(zfs_process_count(f.z), 0);
	CHECK(zfs_datasets_find(&l, "p") == NULL);
}

TEST(list_missing_datasets_are_left_out)
{
	cleanup(fake_free) struct fake f =
		fake_ds("gone p/x; ds p/a 2; gone 'p/y z'; exit 1");
	cleanup(strs_free) struct strs exact = STRS("p/x", "p/y z", "p/a");
	cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };

	CHECK_INT(zfs_list_datasets(f.ctx, fake_z(&f), NULL, &exact, &l, &f.e), 0);
	check_names(&l, "p/a");
}

TEST(list_a_dataset_that_goes_while_it_is_listed_is_left_out)
{
	cleanup(fake_free) struct fake f = fake_ds("ds p/a 2; gone p/a/x; exit 1");
	cleanup(strs_free) struct strs roots = STRS("p/a");
	cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };

	CHECK_INT(zfs_list_datasets(f.ctx, fake_z(&f), &roots, NULL, &l, &f.e), 0);
	check_names(&l, "p/a");
}

TEST(list_another_message_than_a_missing_dataset_is_an_error)
{
	static const char *const bodies[] = {
		"ds p/a 2; gone p/x; echo 'I/O error' >&2; exit 1",
		"ds p/a 2; gone p/ab; exit 1",
		"ds p/a 2; gone q; exit 1",
		"ds p/a 2; exit 1",
		"ds p/a 2; echo \"cannot open 'p/a': I/O error\" >&2; exit 1",
	};
	cleanup(strs_free) struct strs exact = STRS("p/a", "p/x");

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		cleanup(fake_free) struct fake f = fake_ds(bodies[i]);
		cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };

		if (!CHECK_INT(
			    zfs_list_datasets(f.ctx, fake_z(&f), NULL, &exact, &l, &f.e),
			    -1))
			printf("# %s\n", bodies[i]);
	}
}

TEST(list_garbage_and_half_a_listing_are_errors)
{
	static const char *const bodies[] = {
		"echo garbage",         "head -c 4000000 /dev/zero",
		"ds p/a 2 | head -n 3", "ds p/a 2; echo garbage",
		"ds p/a 2; ds p/a 2",
	};
	cleanup(strs_free) struct strs exact = STRS("p/a");

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		cleanup(fake_free) struct fake f = fake_ds(bodies[i]);
		cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };

		CHECK_INT(zfs_list_datasets(f.ctx, fake_z(&f), NULL, &exact, &l, &f.e),
			  -1);
		if (!CHECK_INT(f.e.kind, ERR_PROTOCOL))
			printf("# %s: %s\n", bodies[i], err_msg(&f.e));
	}
}

TEST(list_datasets_that_nobody_asked_for_are_dropped)
{
	cleanup(fake_free) struct fake f =
		fake_ds("ds p/a 2; ds p/ab 3; ds p 1; ds p/a/c 4");
	cleanup(strs_free) struct strs names = STRS("p/a");
	cleanup(zfs_datasets_free) struct zfs_datasets tree = { 0 }, one = { 0 };

	CHECK_INT(zfs_list_datasets(f.ctx, fake_z(&f), &names, NULL, &tree, &f.e), 0);
	check_names(&tree, "p/a,p/a/c");
	CHECK_INT(zfs_list_datasets(f.ctx, f.z, NULL, &names, &one, &f.e), 0);
	check_names(&one, "p/a");
}

TEST(list_names_that_are_not_valid_never_become_arguments)
{
	static const char *const bad[] = { "-r", "p@a", "p/a,b", "1p", "p//a", "p/" };
	cleanup(fake_free) struct fake f = fake_ds("exit 0");

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup(strs_free) struct strs names = STRS(bad[i]);
		cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };
		cleanup(zfs_version_lists_free) struct zfs_version_lists v = { 0 };

		CHECK_INT(zfs_list_datasets(f.ctx, fake_z(&f), &names, NULL, &l, &f.e),
			  -1);
		CHECK_INT(f.e.kind, ERR_INVALID);
		CHECK_INT(zfs_list_datasets(f.ctx, f.z, NULL, &names, &l, &f.e), -1);
		CHECK_INT(zfs_list_versions(f.ctx, f.z, &names, 3, &v, &f.e), -1);
		CHECK_INT(f.e.kind, ERR_INVALID);
	}
	CHECK_INT(zfs_process_count(f.z), 0);
}

TEST(list_two_thousand_datasets_take_few_processes)
{
	cleanup(fake_free) struct fake f =
		fake_ds("for n; do case $n in pool/*) ds $n 1;; esac; done");
	cleanup(strs_free) struct strs exact = { 0 };
	cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };

	for (int i = 0; i < 2000; i++)
		strs_addf(&exact,
			  "pool/a/rather/long/path/to/a/dataset/with/a/name/that/is/"
			  "longer/than/what/one/would/expect/of/a/name/like/this/one/"
			  "and/there/is/more/of/it/%d",
			  i);
	CHECK_INT(zfs_list_datasets(f.ctx, fake_z(&f), NULL, &exact, &l, &f.e), 0);
	CHECK_INT(l.n, 2000);
	CHECK_INT(zfs_process_count(f.z), 2);
}

/* ---- versions ---- */

static void check_versions(const struct zfs_version_list *l, const char *want)
{
	cleanup(buf_free) struct buf b = { 0 };

	for (size_t i = 0; i < l->versions.n; i++)
		buf_printf(&b, "%c%s", version_sigil(&l->versions.v[i]),
			   l->versions.v[i].name);
	CHECK_STR(buf_str(&b), want);
}

TEST(list_versions_of_many_datasets_are_one_process)
{
	cleanup(fake_free) struct fake f =
		fake_new("printf 'p/a@2 x\\t20\\t9\\t5\\t1\\np/a@1\\t10\\t8\\t4\\t0\\n'\n"
			 "printf 'p/ab@1\\t11\\t8\\t4\\t0\\n'\n"
			 "printf 'p/a#1\\t10\\t8\\t4\\t-\\np/b/c@1\\t1\\t1\\t1\\t0\\n'\n"
			 "echo \"cannot open 'p/n': dataset does not exist\" >&2\n"
			 "exit 1");
	cleanup(strs_free) struct strs fs = STRS("p/n", "p/b", "p/a", "p/ab", "p/a");
	cleanup(zfs_version_lists_free) struct zfs_version_lists l = { 0 };

	REQUIRE(zfs_list_versions(f.ctx, fake_z(&f), &fs, ZFS_SNAPSHOTS | ZFS_BOOKMARKS,
				  &l, &f.e) == 0);
	CHECK_CALLS(LIST "-t bookmark,snapshot -d 1 -r p/a p/ab p/b p/n\n");
	REQUIRE(l.n == 5);
	CHECK_STR(l.v[0].fs, "p/n");
	CHECK(!l.v[0].exists);
	CHECK(l.v[1].exists);
	check_versions(&l.v[1], "");
	CHECK_STR(l.v[2].fs, "p/a");
	check_versions(&l.v[2], "#1@1@2 x");
	check_versions(&l.v[3], "@1");
	check_versions(&l.v[4], "#1@1@2 x");
	CHECK_INT(l.v[2].versions.v[2].userrefs, 1);
	CHECK_INT(l.v[2].versions.v[2].guid, 20);
}

TEST(list_versions_of_one_kind)
{
	cleanup(fake_free) struct fake f = fake_new("");
	cleanup(strs_free) struct strs fs = STRS("p");
	cleanup(zfs_version_lists_free) struct zfs_version_lists a = { 0 }, b = { 0 };

	CHECK_INT(zfs_list_versions(f.ctx, fake_z(&f), &fs, ZFS_SNAPSHOTS, &a, &f.e), 0);
	CHECK_INT(zfs_list_versions(f.ctx, f.z, &fs, ZFS_BOOKMARKS, &b, &f.e), 0);
	CHECK_CALLS(LIST "-t snapshot -d 1 -r p\n" LIST "-t bookmark -d 1 -r p\n");
}

TEST(list_versions_two_thousand_snapshots)
{
	cleanup(fake_free) struct fake f =
		fake_new("seq 2000 -1 1 | while read i; do echo \"p@$i	$i	$i	"
			 "5	0\"; done");
	cleanup(strs_free) struct strs fs = STRS("p");
	cleanup(zfs_version_lists_free) struct zfs_version_lists l = { 0 };

	REQUIRE(zfs_list_versions(f.ctx, fake_z(&f), &fs, 3, &l, &f.e) == 0);
	REQUIRE(l.v[0].versions.n == 2000);
	CHECK_STR(l.v[0].versions.v[0].name, "1");
	CHECK_STR(l.v[0].versions.v[1999].name, "2000");
	CHECK_INT(zfs_process_count(f.z), 1);
}

TEST(list_versions_a_snapshot_that_goes_meanwhile_is_not_its_dataset)
{
	cleanup(fake_free) struct fake f = fake_new(
		"echo \"cannot open 'p/a@1': dataset does not exist\" >&2; exit 1");
	cleanup(strs_free) struct strs fs = STRS("p/a");
	cleanup(zfs_version_lists_free) struct zfs_version_lists l = { 0 };

	REQUIRE(zfs_list_versions(f.ctx, fake_z(&f), &fs, 3, &l, &f.e) == 0);
	CHECK(l.v[0].exists);
}

TEST(list_versions_garbage_and_failures_are_errors)
{
	cleanup(strs_free) struct strs fs = STRS("p/a");
	cleanup(zfs_version_lists_free) struct zfs_version_lists l = { 0 };
	cleanup(fake_free) struct fake f = fake_new("echo garbage");

	CHECK_INT(zfs_list_versions(f.ctx, fake_z(&f), &fs, 3, &l, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_PROTOCOL);
	fake_script("zfs", "printf 'p/a@1\\t1\\t1\\t1\\t0\\n'; kill -SEGV $$");
	CHECK_INT(zfs_list_versions(f.ctx, f.z, &fs, 3, &l, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	fake_script("zfs", "echo \"cannot open 'p/a': I/O error\" >&2; exit 1");
	CHECK_INT(zfs_list_versions(f.ctx, f.z, &fs, 3, &l, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	fake_script("zfs",
		    "echo \"cannot open 'p/ab': dataset does not exist\" >&2; exit 1");
	CHECK_INT(zfs_list_versions(f.ctx, f.z, &fs, 3, &l, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_NOT_FOUND);
}

/* ---- written ---- */

TEST(list_written_is_one_process_for_all)
{
	cleanup(fake_free) struct fake f =
		fake_new("printf 'p/a\\t0\\np/b\\t24576\\np/child\\t7\\n'; echo \"cannot "
			 "open 'p/gone': dataset does not exist\" >&2; exit 1");
	cleanup(strs_free) struct strs fs = STRS("p/gone", "p/b", "p/a", "p/b");
	struct zfs_written w[4] = { 0 };

	REQUIRE(zfs_list_written(f.ctx, fake_z(&f), &fs, w, &f.e) == 0);
	CHECK_CALLS("zfs list -Hp -o name,written -t filesystem,volume p/a p/b "
		    "p/gone\n");
	CHECK(!w[0].exists);
	CHECK(w[1].exists && w[1].bytes == 24576);
	CHECK(w[2].exists && w[2].bytes == 0);
	CHECK(w[3].exists && w[3].bytes == 24576);
}

TEST(list_written_of_nothing_runs_nothing)
{
	cleanup(fake_free) struct fake f = fake_new("exit 1");
	const struct strs none = { 0 };

	CHECK_INT(zfs_list_written(f.ctx, fake_z(&f), &none, NULL, &f.e), 0);
	CHECK_INT(zfs_process_count(f.z), 0);
}

TEST(list_written_that_is_no_number_is_refused)
{
	static const char *const outputs[] = { "p/a",         "p/a\\t", "p/a\\t-",
					       "p/a\\t1\\t2", "\\t1",   "p/a\\t1K" };

	for (size_t i = 0; i < ARRAY_LEN(outputs); i++) {
		cleanup(str_freep) char *body = NULL;
		cleanup(strs_free) struct strs fs = STRS("p/a");
		struct zfs_written w[1] = { 0 };

		if (asprintf(&body, "printf '%s\\n'", outputs[i]) < 0)
			abort();
		cleanup(fake_free) struct fake f = fake_new(body);

		CHECK_INT(zfs_list_written(f.ctx, fake_z(&f), &fs, w, &f.e), -1);
		CHECK_INT(f.e.kind, ERR_PROTOCOL);
	}
}

TEST(list_written_that_fails_is_an_error)
{
	cleanup(fake_free) struct fake f =
		fake_new("echo 'internal error: out of memory' >&2; exit 1");
	cleanup(strs_free) struct strs fs = STRS("p/a"), bad = STRS("-r");
	struct zfs_written w[1] = { 0 };

	CHECK_INT(zfs_list_written(f.ctx, fake_z(&f), &fs, w, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_CHILD);
	CHECK(strstr(err_msg(&f.e), "out of memory"));
	err_clear(&f.e);
	CHECK_INT(zfs_list_written(f.ctx, f.z, &bad, w, &f.e), -1);
	CHECK_INT(f.e.kind, ERR_INVALID);
}

TEST_MAIN()
