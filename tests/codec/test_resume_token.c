#include "codec/resume_token.h"
#include "tap.h"

#define HEAD "resume token contents:\nnvlist version: 0\n"

TEST(an_incremental_token_is_read_as_zfs_prints_it)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(resume_token_free) struct resume_token t = { 0 };
	cleanup(str_freep) char *dataset = NULL;

	REQUIRE(CHECK_INT(
		resume_token_parse(
			VIEW(HEAD
			     "\tfromguid = 0xcb4fc73d9ad2f4e0\n\tobject = 0x2\n"
			     "\toffset = 0x20000\n\tbytes = 0x60a20\n"
			     "\ttoguid = 0xFFFFFFFFFFFFFFFF\n"
			     "\ttoname = tank/a b@x 1 = y\n\tcompressok = 1\n"
			     "\trawok = true\n\tembedok = 0\n"
			     "incremental\ttank/a@w\ttank/a@x\t30056\nsize\t30056\n"),
			&t, &e),
		0));
	CHECK(t.has_from_guid);
	CHECK(t.from_guid == 0xcb4fc73d9ad2f4e0);
	CHECK(t.to_guid == UINT64_MAX);
	CHECK_STR(t.to_name, "tank/a b@x 1 = y");
	CHECK(t.has_compress_ok && t.compress_ok);
	CHECK(t.has_raw_ok && t.raw_ok);
	CHECK(t.has_embed_ok && !t.embed_ok);
	CHECK(!t.has_large_block_ok && !t.has_saved_ok);
	dataset = resume_token_dataset(&t);
	CHECK_STR(dataset, "tank/a b");
}

TEST(a_full_token_has_no_from_guid)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(resume_token_free) struct resume_token t = { 0 };

	REQUIRE(CHECK_INT(
		resume_token_parse(
			VIEW("warning: something\n" HEAD
			     "\ttoguid = 42\n\ttoname = p@s\n\tsavedok = F\n"
			     "\tlargeblockok = T\ncannot send 'p': no such pool\n"),
			&t, &e),
		0));
	CHECK(!t.has_from_guid);
	CHECK_INT(t.to_guid, 42);
	CHECK(t.has_saved_ok && !t.saved_ok);
	CHECK(t.has_large_block_ok && t.large_block_ok);
}

static void check_fails(struct view output, enum err_kind kind, const char *msg)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct resume_token t = { 0 };

	CHECK_INT(resume_token_parse(output, &t, &e), -1);
	CHECK_INT(e.kind, kind);
	CHECK_STR(err_msg(&e), msg);
	CHECK(t.to_name == NULL);
}

TEST(a_corrupt_token_is_invalid)
{
	check_fails(
		VIEW("cannot resume send: resume token is corrupt (checksum wrong)\n"),
		ERR_INVALID, "resume token is corrupt");
}

TEST(output_of_another_kind_is_not_found)
{
	static const char unknown[] =
		"this zfs does not show what a resume token contains";

	check_fails(VIEW(""), ERR_NOT_FOUND, unknown);
	check_fails(VIEW("invalid option 't'\nusage: ...\n"), ERR_NOT_FOUND, unknown);
	check_fails(VIEW("resume token contents:\n"), ERR_NOT_FOUND, unknown);
	check_fails(VIEW("resume token contents:\n\nnvlist version: 0\n\ttoguid = 1\n"),
		    ERR_NOT_FOUND, unknown);
	check_fails(VIEW(HEAD), ERR_NOT_FOUND, unknown);
	check_fails(VIEW(HEAD "toguid = 1\n \ttoname = a@b\n\t = x\n\ta=b\n"),
		    ERR_NOT_FOUND, unknown);
}

TEST(attributes_that_are_needed_must_be_there)
{
	check_fails(VIEW(HEAD "\ttoname = a@b\n"), ERR_INVALID,
		    "resume token: toguid is missing");
	check_fails(VIEW(HEAD "\ttoguid = 0x1\n"), ERR_INVALID,
		    "resume token: toname is missing");
}

TEST(attributes_must_parse)
{
	const struct view cases[] = {
		VIEW(HEAD "\ttoguid = \n"),
		VIEW(HEAD "\ttoguid = 0x\n"),
		VIEW(HEAD "\ttoguid = -1\n"),
		VIEW(HEAD "\ttoguid = 12a\n"),
		VIEW(HEAD "\ttoguid = 0x1 \n"),
		VIEW(HEAD "\ttoguid = 08\n"),
		VIEW(HEAD "\ttoguid = 0x10000000000000000\n"),
	};
	const struct view names[] = {
		VIEW(HEAD "\ttoname = a\n"),    VIEW(HEAD "\ttoname = @b\n"),
		VIEW(HEAD "\ttoname = a/@b\n"), VIEW(HEAD "\ttoname = a#c@b\n"),
		VIEW(HEAD "\ttoname = \n"),     VIEW(HEAD "\ttoname = a\0b@c\n"),
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_fails(cases[i], ERR_INVALID, "resume token: toguid does not parse");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		check_fails(names[i], ERR_INVALID, "resume token: toname does not parse");
	check_fails(VIEW(HEAD "\trawok = yes\n"), ERR_INVALID,
		    "resume token: rawok does not parse");
}

TEST(numbers_have_the_prefixes_of_c)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(resume_token_free) struct resume_token t = { 0 };

	REQUIRE(CHECK_INT(
		resume_token_parse(VIEW(HEAD "\tfromguid = 017\n\ttoguid = 0X1f\n"
					     "\ttoname = a@b"),
				   &t, &e),
		0));
	CHECK_INT(t.from_guid, 15);
	CHECK_INT(t.to_guid, 31);
}

TEST_MAIN()
