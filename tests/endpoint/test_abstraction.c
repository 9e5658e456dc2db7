#include "endpoint/abstraction.h"

#include "tap.h"

#define G       "932f3a7089080ce2"
#define OTHER_G "0000000000000001"

static const uint64_t guid = 0x932f3a7089080ce2;

static struct version bookmark(const char *name)
{
	return (struct version){ .type = VERSION_BOOKMARK,
				 .name = (char *)name,
				 .guid = guid,
				 .createtxg = 7 };
}

/* What the bookmark is, and of which job ("-": none). */
static bool is(const char *name, enum abstraction kind, const char *job)
{
	struct version v = bookmark(name);
	const char *of;

	if (abs_of_bookmark(&v, &of) != kind)
		return false;
	return of ? strcmp(of, job) == 0 : strcmp(job, "-") == 0;
}

TEST(names_are_byte_exact)
{
	char *cursor = abs_cursor_name(guid, "push with spaces");
	char *tentative = abs_tentative_name(1, "j");
	char *step = abs_step_tag("j");
	char *received = abs_last_received_tag("my sink");

	CHECK_STR(cursor, "zrepl_CURSOR_G_932f3a7089080ce2_J_push with spaces");
	CHECK_STR(tentative, "zrepl_CURSORTENTATIVE__G_0000000000000001_J_j");
	CHECK_STR(step, "zrepl_STEP_J_j");
	CHECK_STR(received, "zrepl_last_received_J_my sink");
	free(cursor);
	free(tentative);
	free(step);
	free(received);
}

TEST(bookmarks_are_recognised_with_their_job)
{
	CHECK(is("zrepl_CURSOR_G_" G "_J_j", ABS_CURSOR, "j"));
	CHECK(is("zrepl_CURSOR_G_" G "_J_push with spaces", ABS_CURSOR,
		 "push with spaces"));
	CHECK(is("zrepl_CURSORTENTATIVE__G_" G "_J_j", ABS_TENTATIVE_CURSOR, "j"));
	CHECK(is("zrepl_replication_cursor", ABS_CURSOR_V1, "-"));
}

TEST(what_only_looks_like_one_of_ours_is_not_ours)
{
	static const char *const names[] = {
		"",
		"a",
		"zrepl_CURSOR",
		"zrepl_CURSOR_G_" G "_J_",
		"zrepl_CURSOR_G_" G "_J",
		"zrepl_CURSOR_G_" G,
		"zrepl_CURSOR_G_932f3a7089080ce_J_j",
		"zrepl_CURSOR_G_932f3a7089080ce20_J_j",
		"zrepl_CURSOR_G_932F3A7089080CE2_J_j",
		"zrepl_CURSORTENTATIVE_G_" G "_J_j", /* one '_' too few */
		"zrepl_CURSORX_G_" G "_J_j",
		"xzrepl_CURSOR_G_" G "_J_j",
		"_G_" G "_J_j",
		"zrepl_STEP_bm_G_" G "_J_j",
		"zrepl_replication_cursor_",
		"zrepl_CURSOR_G_" G "_J__reserved",
		"zrepl_CURSOR_G_" G "_J_a/b",
		"zrepl_CURSOR_G_" G "_J_a@b",
		"zrepl_CURSOR_G_" G "_J_a\nb",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!CHECK(is(names[i], ABS_NONE, "-")))
			printf("# %s\n", names[i]);
}

TEST(a_bookmark_whose_name_has_another_guid_is_not_ours)
{
	CHECK(is("zrepl_CURSOR_G_" OTHER_G "_J_j", ABS_NONE, "-"));
	CHECK(is("zrepl_CURSORTENTATIVE__G_" OTHER_G "_J_j", ABS_NONE, "-"));
}

TEST(a_snapshot_is_never_ours)
{
	struct version v = bookmark("zrepl_CURSOR_G_" G "_J_j");
	const char *job = "x";

	v.type = VERSION_SNAPSHOT;
	CHECK_INT(abs_of_bookmark(&v, &job), ABS_NONE);
	CHECK(job == NULL);
	CHECK(!abs_is_bookmark(&v, ABS_CURSOR, "j"));
}

TEST(the_last_place_that_fits_decides)
{
	/* A job whose own name looks like the end of one of ours. */
	CHECK(is("zrepl_CURSOR_G_" G "_J_a_G_" G "_J_b", ABS_NONE, "-"));
	CHECK(is("zrepl_CURSOR_G_" OTHER_G "_J_a_G_" G "_J_b", ABS_NONE, "-"));
	/* Nothing after it, so it is not the last place that fits. */
	CHECK(is("zrepl_CURSOR_G_" G "_J_a_G_" G "_J_", ABS_CURSOR, "a_G_" G "_J_"));
	CHECK(is("zrepl_CURSOR_G_" G "_J_a_G_xyz_J_b", ABS_CURSOR, "a_G_xyz_J_b"));
}

TEST(the_longest_job_name_is_recognised_and_a_longer_one_is_not)
{
	char job[205], *name;
	struct version v;

	memset(job, 'j', sizeof(job) - 1);
	job[204] = '\0';
	name = abs_cursor_name(guid, job);
	v = bookmark(name);
	CHECK(!abs_is_bookmark(&v, ABS_CURSOR, job));
	free(name);
	job[203] = '\0';
	name = abs_cursor_name(guid, job);
	v = bookmark(name);
	CHECK(abs_is_bookmark(&v, ABS_CURSOR, job));
	free(name);
}

TEST(a_bookmark_is_of_one_kind_and_one_job)
{
	struct version v = bookmark("zrepl_CURSOR_G_" G "_J_j");
	struct version v1 = bookmark("zrepl_replication_cursor");

	CHECK(abs_is_bookmark(&v, ABS_CURSOR, "j"));
	CHECK(!abs_is_bookmark(&v, ABS_CURSOR, "J"));
	CHECK(!abs_is_bookmark(&v, ABS_CURSOR, "jj"));
	CHECK(!abs_is_bookmark(&v, ABS_CURSOR, ""));
	CHECK(!abs_is_bookmark(&v, ABS_TENTATIVE_CURSOR, "j"));
	CHECK(!abs_is_bookmark(&v1, ABS_CURSOR_V1, "j"));
}

TEST_MAIN()
