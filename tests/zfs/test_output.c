#include "zfs/output.h"

#include "tap.h"

/* What OpenZFS 2.1 and 2.3 print, unless stated otherwise. */

static enum err_kind kind_of(const char *said)
{
	return out_failure_kind(view_of(said));
}

TEST(output_failures_have_kinds)
{
	CHECK_INT(kind_of("cannot open 'p/a': dataset does not exist\n"), ERR_NOT_FOUND);
	CHECK_INT(kind_of("cannot create snapshot 'p/a@1': dataset already exists\n"
			  "no snapshots were created\n"),
		  ERR_EXISTS);
	CHECK_INT(kind_of("cannot create bookmark 'p/a#b1': bookmark exists\n"),
		  ERR_EXISTS);
	CHECK_INT(kind_of("cannot create 'p/x/y': parent does not exist\n"),
		  ERR_NOT_FOUND);
	CHECK_INT(kind_of("cannot open 'nopool': no such pool\n"), ERR_NOT_FOUND);
	CHECK_INT(kind_of("cannot destroy 'p/a@d3': snapshot has dependent clones\n"
			  "use '-R' to destroy the following datasets:\np/clone\n"),
		  ERR_BUSY);
	CHECK_INT(kind_of("cannot create snapshots : permission denied\n"), ERR_DENIED);
	CHECK_INT(kind_of("Permission denied the ZFS utilities must be run as root.\n"),
		  ERR_DENIED);
	CHECK_INT(kind_of("cannot create snapshots : multiple snapshots of same fs not "
			  "allowed\n"),
		  ERR_CHILD);
	CHECK_INT(kind_of(""), ERR_CHILD);
	CHECK_INT(kind_of("Segmentation fault"), ERR_CHILD);
}

TEST(output_kinds_are_not_taken_from_names)
{
	CHECK_INT(kind_of("cannot rollback to 'p/a@dataset is busy': out of space\n"),
		  ERR_CHILD);
	CHECK_INT(kind_of("cannot open 'p/a: dataset does not exist': I/O error\n"),
		  ERR_CHILD);
	CHECK_INT(kind_of("dataset is busy\n"), ERR_CHILD);
	CHECK_INT(kind_of("cannot open 'p/a"), ERR_CHILD);
	CHECK_INT(kind_of("cannot open '"), ERR_CHILD);
}

TEST(output_the_usage_text_is_not_worth_showing)
{
	struct view v = out_without_usage(
		VIEW("cannot open 'p': dataset does not exist\nusage:\n\tsnapshot\n"));

	CHECK(view_eq(v, VIEW("cannot open 'p': dataset does not exist")));
	CHECK_INT(out_without_usage(VIEW("usage:\nx")).len, 0);
	CHECK(view_eq(out_without_usage(VIEW("\n a \n")), VIEW("a")));
}

TEST(output_knows_what_is_missing)
{
	struct view name;

	CHECK(out_is_missing(VIEW("cannot open 'p/a b': dataset does not exist"), &name));
	CHECK(view_eq(name, VIEW("p/a b")));
	CHECK(out_is_missing(VIEW("cannot open 'q': no such pool or dataset"), &name));
	CHECK(view_eq(name, VIEW("q")));
	CHECK(!out_is_missing(VIEW("cannot open 'p/a': I/O error"), &name));
	CHECK(!out_is_missing(VIEW("cannot hold 'p/a': dataset does not exist"), &name));
	CHECK(!out_is_missing(VIEW(""), &name));
	CHECK(!out_is_missing(VIEW("cannot open 'p/a': dataset does not exist, or "
				   "does it"),
			      &name));
}

TEST(output_knows_what_is_gone_already)
{
	CHECK(out_is_gone(VIEW("could not find any snapshots to destroy; check snapshot "
			       "names.\n"),
			  "p/a@1"));
	CHECK(out_is_gone(VIEW("bookmark 'p/a#b1' does not exist.\n"), "p/a#b1"));
	CHECK(!out_is_gone(VIEW("bookmark 'p/a#b2' does not exist.\n"), "p/a#b1"));
	CHECK(out_is_gone(VIEW("cannot open 'p/a': dataset does not exist\n"), "p/a@1"));
	CHECK(!out_is_gone(VIEW("cannot open 'p/ab': dataset does not exist\n"),
			   "p/a@1"));
	CHECK(!out_is_gone(VIEW("cannot open 'p/a': I/O error\n"), "p/a@1"));
	CHECK(!out_is_gone(VIEW(""), "p/a@1"));
	CHECK(!out_is_gone(VIEW("bookmark 'p/a#b1"), "p/a#b1"));
}

static void indexes_free(struct out_indexes *l)
{
	free(l->v);
}

static void check_undestroyable(const char *said, const char *want)
{
	static const char *const all[] = { "a", "b", "b: dataset is busy", "x: y", NULL };
	struct strs names = { .v = (char **)all, .n = 4 };
	cleanup(indexes_free) struct out_indexes got = { 0 };
	char text[16] = "";

	if (out_undestroyable(view_of(said), "p/x:y", &names, &got))
		for (size_t i = 0; i < got.n && i < 4; i++)
			text[i] = (char)('0' + got.v[i]);
	else
		text[0] = '-';
	CHECK_STR(text, want);
}

TEST(output_finds_the_snapshots_that_cannot_be_destroyed)
{
	check_undestroyable("cannot destroy snapshot p/x:y@b: dataset is busy\n", "1");
	check_undestroyable("cannot destroy snapshot p/x:y@b: it's being held. Run 'zfs "
			    "holds -r p/x:y@b' to see holders.\n",
			    "1");
	check_undestroyable("cannot destroy snapshot p/x:y@x: y: dataset is busy\n"
			    "cannot destroy snapshot p/x:y@a: dataset is busy\n"
			    "cannot destroy snapshot p/x:y@a: dataset is busy\n",
			    "03");
	check_undestroyable(
		"cannot destroy snapshot p/x:y@b: dataset is busy: dataset is busy\n",
		"2");
}

TEST(output_one_line_that_is_not_understood_spoils_the_rest)
{
	check_undestroyable("", "-");
	check_undestroyable("cannot destroy snapshot p/x:y@c: dataset is busy\n", "-");
	check_undestroyable("cannot destroy snapshot p/x:yz@a: dataset is busy\n", "-");
	check_undestroyable("cannot destroy snapshot p/x:y@a\n", "-");
	check_undestroyable("cannot destroy snapshot \n", "-");
	check_undestroyable("cannot destroy snapshot p/x:y@a: dataset is busy\n"
			    "internal error\n",
			    "-");
}

TEST(output_classifies_failed_receives)
{
	CHECK_INT(out_recv_failure(VIEW(
			  "cannot receive new filesystem stream: checksum mismatch or "
			  "incomplete stream.\nPartially received snapshot is saved.\n"
			  "A resuming stream can be generated on the sending system by "
			  "running:\n    zfs send -t 1-88e685b87-b0-789c\n")),
		  OUT_RECV_STATE_SAVED);
	CHECK_INT(out_recv_failure(VIEW("A resuming stream can be generated on the "
					"sending system by running:\n")),
		  OUT_RECV_OTHER);
	CHECK_INT(out_recv_failure(VIEW("cannot receive: failed to read from stream\n")),
		  OUT_RECV_STREAM_ENDED);
	CHECK_INT(out_recv_failure(VIEW(
			  "cannot receive new filesystem stream: zfs receive -F cannot "
			  "be used to destroy an encrypted filesystem or overwrite an "
			  "unencrypted one with an encrypted one\n")),
		  OUT_RECV_ENCRYPTION_REFUSED);
	CHECK_INT(out_recv_failure(VIEW("cannot receive incremental stream: most recent "
					"snapshot of p/a does not\n"
					"match incremental source\n")),
		  OUT_RECV_OTHER);
	CHECK_INT(out_recv_failure(VIEW("")), OUT_RECV_OTHER);
}

TEST(output_nothing_to_abort_is_recognised_for_that_dataset_only)
{
	struct view line =
		VIEW("'p/a' does not have any resumable receive state to abort");

	CHECK(out_has_no_resume_state(line, "p/a"));
	CHECK(!out_has_no_resume_state(line, "p/ab"));
	CHECK(!out_has_no_resume_state(line, "p"));
	CHECK(!out_has_no_resume_state(VIEW(""), "p/a"));
}

static int version_of(const char *line, char **fs, struct version *v)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct view f;

	if (out_version(view_of(line), &f, v, &e) < 0) {
		CHECK_INT(e.kind, ERR_PROTOCOL);
		return -1;
	}
	*fs = strndup(f.p, f.len);
	return 0;
}

TEST(output_versions_are_read)
{
	cleanup(version_fini) struct version s = { 0 }, b = { 0 };
	cleanup(str_freep) char *fs = NULL, *bfs = NULL;

	REQUIRE(version_of("p/a b@1 x:y\t18446744073709551615\t15\t1795336039\t2", &fs,
			   &s) == 0);
	CHECK_STR(fs, "p/a b");
	CHECK_STR(s.name, "1 x:y");
	CHECK_INT(s.type, VERSION_SNAPSHOT);
	CHECK(s.guid == UINT64_MAX);
	CHECK_INT(s.createtxg, 15);
	CHECK_INT(s.creation_s, 1795336039);
	CHECK(s.has_userrefs);
	CHECK_INT(s.userrefs, 2);
	REQUIRE(version_of("p#b1\t10\t15\t0\t-", &bfs, &b) == 0);
	CHECK_INT(b.type, VERSION_BOOKMARK);
	CHECK(!b.has_userrefs);
}

TEST(output_lines_that_are_no_versions_are_refused)
{
	static const char *const lines[] = {
		"",
		"p",
		"p@a",
		"p@a\t1\t2\t3",
		"p@a\t1\t2\t3\t4\t5",
		"p@a\t-1\t2\t3\t4",
		"p@a\t18446744073709551616\t2\t3\t4",
		"p@a\t1\tx\t3\t4",
		"p@a\t1\t2\t\t4",
		"p@a\t1\t2\t3\t-",
		"p#a\t1\t2\t3\t0",
		"p\t1\t2\t3\t4",
		"@a\t1\t2\t3\t4",
		"p@\t1\t2\t3\t4",
		"p@a#b\t1\t2\t3\t4",
		"p@a@b\t1\t2\t3\t4",
		"cannot open 'p@a': I/O error",
	};
	struct version v;
	char *fs;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (!CHECK_INT(version_of(lines[i], &fs, &v), -1))
			printf("# %s\n", lines[i]);
}

TEST(output_with_a_nul_in_it_is_refused)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(out_datasets_free) struct out_datasets d = { 0 };
	struct version v;
	struct view a, b;

	CHECK_INT(out_version(VIEW("p@a\0b\t1\t2\t3\t4"), &a, &v, &e), -1);
	CHECK_INT(out_hold(VIEW("p@a\tx\0\ty"), &a, &b, &e), -1);
	CHECK_INT(out_dataset_line(&d, VIEW("p\0\ttype\tvolume\t-"), &e), -1);
	CHECK_INT(e.kind, ERR_PROTOCOL);
}

TEST(output_a_hold_may_have_anything_in_its_tag)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct view snap, tag;

	CHECK_INT(out_hold(VIEW("p@a\tzrepl_STEP_J_a b\tSun Nov 22 08:27 2026"), &snap,
			   &tag, &e),
		  0);
	CHECK(view_eq(snap, VIEW("p@a")));
	CHECK(view_eq(tag, VIEW("zrepl_STEP_J_a b")));
	CHECK_INT(out_hold(VIEW("p@a\tx\ty\tSun Nov 22"), &snap, &tag, &e), 0);
	CHECK(view_eq(tag, VIEW("x\ty")));
	CHECK_INT(out_hold(VIEW("p@a\tx"), &snap, &tag, &e), -1);
	CHECK_INT(out_hold(VIEW("p\tx\ty"), &snap, &tag, &e), -1);
	CHECK_INT(out_hold(VIEW(""), &snap, &tag, &e), -1);
}

static int64_t estimate_of(const char *text)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	uint64_t n = 0;

	return out_estimate(view_of(text), &n, &e) < 0 ? -1 : (int64_t)n;
}

TEST(output_estimates_are_read)
{
	CHECK_INT(estimate_of("full\tzroot/test/a@1\t5389768\nsize\t5389768\n"), 5389768);
	CHECK_INT(estimate_of("incremental\tzroot/test/a@1\tzroot/test/a@2\t5383936\n"),
		  5383936);
	CHECK_INT(estimate_of("incremental\tzroot/test/a#1\tzroot/test/a@2\t5383312\n"),
		  5383312);
	CHECK_INT(estimate_of("incremental\t1\tzroot/test/a@2\t10511856\n"), 10511856);
	CHECK_INT(estimate_of("incremental\tp1 with/ spaces d1@1 with space\tp1 with/ "
			      "spaces d1@2 with space"),
		  0);
	CHECK_INT(estimate_of("full\tp1 with/ spaces d1@2 with space"), 0);
	CHECK_INT(estimate_of("resume token contents:\nnvlist version: 0\n\tobject = "
			      "0x2\n\ttoname = p/src@1\nfull\tp/src@1\t3290344\nsize\t1"),
		  3290344);
}

TEST(output_that_is_no_estimate_is_refused)
{
	CHECK_INT(estimate_of(""), -1);
	CHECK_INT(estimate_of("size\t123\n"), -1);
	CHECK_INT(estimate_of("full\tp\t5\n"), -1);
	CHECK_INT(estimate_of("full\tp@a\tx\n"), -1);
	CHECK_INT(estimate_of("full p@a 5\n"), -1);
}

static int feed(struct out_datasets *d, const char *text)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct view rest = view_of(text);

	while (rest.len > 0) {
		const char *nl = memchr(rest.p, '\n', rest.len);
		struct view line = { rest.p, nl ? (size_t)(nl - rest.p) : rest.len };

		if (out_dataset_line(d, line, &e) < 0) {
			CHECK_INT(e.kind, ERR_PROTOCOL);
			return -1;
		}
		rest.p += line.len + (nl != NULL);
		rest.len -= line.len + (nl != NULL);
	}
	if (out_dataset_end(d, &e) < 0) {
		CHECK_INT(e.kind, ERR_PROTOCOL);
		return -1;
	}
	return 0;
}

TEST(the_value_of_a_placeholder_is_what_is_set_here_whatever_it_is)
{
	cleanup(out_datasets_free) struct out_datasets d = { 0 };

	REQUIRE(feed(&d, "p\ttype\tfilesystem\t-\np\tguid\t1\t-\n"
			 "p\tzrepl:placeholder\tno\tway\nat all\tlocal\n"
			 "p/a\ttype\tfilesystem\t-\np/a\tguid\t2\t-\n"
			 "p/a\tzrepl:placeholder\ton\tinherited from p\n"
			 "p/b\ttype\tfilesystem\t-\np/b\tguid\t3\t-\n"
			 "p/b\tzrepl:placeholder\toff\tlocal\n") == 0);
	REQUIRE(d.list.n == 3);
	CHECK_STR(d.list.v[0].placeholder, "no\tway\nat all");
	CHECK(!d.list.v[1].placeholder);
	CHECK_STR(d.list.v[2].placeholder, "off");
}

TEST(output_datasets_are_read)
{
	cleanup(out_datasets_free) struct out_datasets d = { 0 };

	REQUIRE(feed(&d, "p\ttype\tfilesystem\t-\np\tguid\t1\t-\n"
			 "p\tencryption\toff\tdefault\n"
			 "p\tzrepl:placeholder\t-\t-\np\treceive_resume_token\t-\t-\n"
			 "p/a b\ttype\tvolume\t-\np/a b\tguid\t2\t-\n"
			 "p/a b\tencryption\taes-256-gcm\t-\n"
			 "p/a b\tzrepl:placeholder\ton\tlocal\n"
			 "p/a b\treceive_resume_token\t1-2-3\t-\n") == 0);
	REQUIRE(d.list.n == 2);
	CHECK_STR(d.list.v[0].name, "p");
	CHECK_INT(d.list.v[0].type, ZFS_FILESYSTEM);
	CHECK_INT(d.list.v[0].guid, 1);
	CHECK(!d.list.v[0].is_placeholder);
	CHECK(!d.list.v[0].is_encrypted);
	CHECK(d.list.v[0].resume_token == NULL);
	CHECK_STR(d.list.v[1].name, "p/a b");
	CHECK_INT(d.list.v[1].type, ZFS_VOLUME);
	CHECK_INT(d.list.v[1].guid, 2);
	CHECK(d.list.v[1].is_placeholder);
	CHECK(d.list.v[1].is_encrypted);
	CHECK_STR(d.list.v[1].resume_token, "1-2-3");
}

#define ONE(value) "p\ttype\tfilesystem\t-\np\tguid\t1\t-\np\tzrepl:placeholder\t" value

static bool is_placeholder(const char *text)
{
	cleanup(out_datasets_free) struct out_datasets d = { 0 };

	return CHECK_INT(feed(&d, text), 0) && CHECK_INT(d.list.n, 1) &&
	       d.list.v[0].is_placeholder;
}

TEST(output_only_a_local_on_makes_a_placeholder)
{
	CHECK(is_placeholder(ONE("on\tlocal\n")));
	CHECK(!is_placeholder(ONE("off\tlocal\n")));
	CHECK(!is_placeholder(ONE("on\tinherited from p\n")));
	CHECK(!is_placeholder(ONE("on\treceived\n")));
	CHECK(!is_placeholder(ONE("on\tlocal\tlocal\n")));
	CHECK(!is_placeholder(ONE("\tlocal\n")));
	CHECK(!is_placeholder(ONE("-\t-\n")));
}

TEST(output_a_property_may_have_tabs_and_newlines_in_its_value)
{
	cleanup(out_datasets_free) struct out_datasets d = { 0 };

	REQUIRE(feed(&d, ONE("a\tb\n\nq\tguid\t7\t-\nc\tlocal\n") "p\treceive_resume_"
								  "token\t-\t-\n"
								  "q\ttype\tfilesystem\t-"
								  "\nq\tguid\t8\t-\n"
								  "q\tzrepl:"
								  "placeholder\ton\tlocal"
								  "\n") == 0);
	REQUIRE(d.list.n == 2);
	CHECK(!d.list.v[0].is_placeholder);
	CHECK_INT(d.list.v[0].guid, 1);
	CHECK_INT(d.list.v[1].guid, 8);
	CHECK(d.list.v[1].is_placeholder);
}

TEST(output_that_lists_no_datasets_is_refused)
{
	static const char *const texts[] = {
		"garbage\n",
		"p\tguid\t1\t-\n",
		"p\ttype\tsnapshot\t-\n",
		"p\ttype\tfilesystem\t-\n",
		"p\ttype\tfilesystem\t-\np\tguid\tx\t-\n",
		"p\ttype\tfilesystem\t-\np\tguid\t1\n",
		"p\ttype\tfilesystem\t-\np\tguid\t1\tnowhere\n",
		"p\ttype\tfilesystem\t-\nq\tguid\t1\t-\n",
		"p\ttype\tfilesystem\t-\np\tguid\t1\t-\np\tguid\t1\t-\n",
		"p\ttype\tfilesystem\t-\np\tguid\t1\t-\n",
		ONE("on\n"),
		ONE("on\tlocal\ngarbage\n"),
		ONE("on\tlocal\np\tguid\t2\t-\n"),
		ONE("on\tlocal\np\tzrepl:placeholder\ton\tlocal\n"),
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		cleanup(out_datasets_free) struct out_datasets d = { 0 };

		if (!CHECK_INT(feed(&d, texts[i]), -1))
			printf("# text %zu\n", i);
	}
}

TEST(output_an_endless_property_is_refused)
{
	cleanup(out_datasets_free) struct out_datasets d = { 0 };
	cleanup(err_clear) struct err e = ERR_INIT;
	int n = 0;

	REQUIRE(feed(&d, ONE("x\tlocal\n")) == 0);
	while (n < 100000 && out_dataset_line(&d, VIEW("and more of it"), &e) == 0)
		n++;
	CHECK_INT(e.kind, ERR_PROTOCOL);
	CHECK(n > 100 && n < 10000);
}

TEST(output_a_property_of_one_dataset_is_read)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct view v;

	CHECK_INT(out_property(VIEW("p#b\tguid\t123\t-"), "p#b", "guid", &v, &e), 0);
	CHECK(view_eq(v, VIEW("123")));
	CHECK_INT(out_property(VIEW("p#b\tguid\t123"), "p#b", "guid", &v, &e), -1);
	CHECK_INT(out_property(VIEW("p#c\tguid\t123\t-"), "p#b", "guid", &v, &e), -1);
	CHECK_INT(out_property(VIEW("p#b\ttype\t123\t-"), "p#b", "guid", &v, &e), -1);
	CHECK_INT(out_property(VIEW(""), "p#b", "guid", &v, &e), -1);
}

TEST_MAIN()
