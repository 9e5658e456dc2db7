/* Requests and responses that no peer may send: each rule of pdu.h is a row. */
#include "rpc/pdu.h"

#include "protobuf.h"
#include "tap.h"

#define TIME       "2026-11-22T05:51:09Z"
#define A64        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A255       A64 A64 A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PROTECTION "ReplicationConfig.protection: "

/* A request; what is not said is as it should be. */
struct sample {
	struct view fs, name, creation, token; /* .p NULL: a good one */
	uint64_t type;
	int64_t initial, incremental; /* 0: a good one; -1: 0 */
	bool has_no_to, has_no_config, has_no_protection, has_from;
	const char *want; /* error; NULL: it is fine */
};

static struct view or_else(struct view v, struct view good)
{
	return v.p ? v : good;
}

static uint64_t kind(int64_t k)
{
	return k == 0 ? 1 : k < 0 ? 0 : (uint64_t)k;
}

static void put_version(struct buf *b, unsigned field, const struct sample *s)
{
	struct buf v = { 0 };

	pb_number(&v, 1, s->type);
	pb_bytes(&v, 2, or_else(s->name, VIEW("s1")));
	pb_number(&v, 3, 1);
	pb_number(&v, 4, 2);
	pb_bytes(&v, 5, or_else(s->creation, VIEW(TIME)));
	pb_part(b, field, &v);
}

static void put_config(struct buf *b, unsigned field, const struct sample *s)
{
	struct buf config = { 0 }, protection = { 0 };

	pb_number(&protection, 1, kind(s->initial));
	pb_number(&protection, 2, kind(s->incremental));
	if (s->has_no_protection)
		buf_free(&protection);
	else
		pb_part(&config, 1, &protection);
	if (s->has_no_config)
		buf_free(&config);
	else
		pb_part(b, field, &config);
}

static void put_send(struct buf *b, const struct sample *s)
{
	static const struct sample good = { 0 };

	pb_bytes(b, 1, or_else(s->fs, VIEW("tank/data")));
	if (s->has_from)
		put_version(b, 2, s);
	if (!s->has_no_to)
		put_version(b, 3, s->has_from ? &good : s);
	pb_bytes(b, 4, or_else(s->token, VIEW("")));
	put_config(b, 6, s);
}

static void put_receive(struct buf *b, const struct sample *s)
{
	pb_bytes(b, 1, or_else(s->fs, VIEW("tank/data")));
	if (!s->has_no_to)
		put_version(b, 2, s);
	put_config(b, 4, s);
}

static void check_error(int rc, const struct err *err, const char *want)
{
	CHECK_INT(rc, want ? -1 : 0);
	if (!want)
		return;
	CHECK_INT(err->kind, ERR_PROTOCOL);
	if (!CHECK(strstr(err_msg(err), want) != NULL))
		printf("# got \"%s\", want \"%s\"\n", err_msg(err), want);
}

static void check_send(const struct sample *s)
{
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT, inner = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 }, completed = { 0 };
	struct ep_send_req got;

	put_send(&b, s);
	check_error(pdu_get_send_req(&a, buf_view(&b), &got, &err), &err, s->want);
	pb_bytes(&completed, 2, buf_view(&b));
	check_error(pdu_get_send_completed_req(&a, buf_view(&completed), &got, &inner),
		    &inner, s->want);
	if (s->want)
		CHECK(strncmp(err_msg(&inner), "OriginalReq: ", 13) == 0);
}

TEST(a_send_request_that_breaks_a_rule_is_refused)
{
	const struct sample rows[] = {
		{ .want = NULL },
		{ .type = 1, .has_from = true, .want = NULL },
		/* paths */
		{ .fs = VIEW(""), .want = "Filesystem: is empty" },
		{ .fs = VIEW("/"), .want = "Filesystem: has an empty component" },
		{ .fs = VIEW("/tank"), .want = "has an empty component" },
		{ .fs = VIEW("tank/"), .want = "has an empty component" },
		{ .fs = VIEW("tank//data"), .want = "has an empty component" },
		{ .fs = VIEW(".."), .want = "has a component '.' or '..'" },
		{ .fs = VIEW("../tank"), .want = "has a component '.' or '..'" },
		{ .fs = VIEW("tank/../data"), .want = "has a component '.' or '..'" },
		{ .fs = VIEW("tank/."), .want = "has a component '.' or '..'" },
		{ .fs = VIEW("tank/..."), .want = NULL },
		{ .fs = VIEW("tank/.a"), .want = NULL },
		{ .fs = VIEW("tank/%x"), .want = NULL }, /* for the endpoint to refuse */
		{ .fs = VIEW("tank@a"), .want = "Filesystem: path \"tank@a\" contains" },
		{ .fs = VIEW("tank#a"), .want = "contains one of" },
		{ .fs = VIEW("tank|a"), .want = "contains one of" },
		{ .fs = VIEW("tank<"), .want = "contains one of" },
		{ .fs = VIEW("tank\na"), .want = "other than printable ASCII" },
		{ .fs = VIEW("tank\x7f"), .want = "other than printable ASCII" },
		{ .fs = VIEW("tank\xc3\xa9"), .want = "other than printable ASCII" },
		{ .fs = VIEW("tank\xff"), .want = "Filesystem: is not UTF-8" },
		{ .fs = VIEW("tank\0/.."), .want = "Filesystem: contains a NUL byte" },
		{ .fs = VIEW(A255), .want = NULL },
		{ .fs = VIEW(A255 "a"), .want = "Filesystem: 256 bytes, more than 255" },
		/* names */
		{ .name = VIEW(""), .want = "To: Name: name \"\" is empty" },
		{ .name = VIEW("."), .want = "To: Name: name \".\" is not a name" },
		{ .name = VIEW(".."), .want = "is not a name" },
		{ .name = VIEW("a/b"), .want = "contains other characters" },
		{ .name = VIEW("@a"), .want = "contains other characters" },
		{ .name = VIEW("a%b"), .want = "contains other characters" },
		{ .name = VIEW("a,b"), .want = "contains other characters" },
		{ .name = VIEW("a b-_.:1"), .want = NULL },
		{ .name = VIEW("\xc3\xa9"), .want = "contains other characters" },
		{ .name = VIEW("\xc3"), .want = "To: Name: is not UTF-8" },
		{ .name = VIEW("a\0"), .want = "To: Name: contains a NUL byte" },
		{ .name = VIEW(A255), .want = NULL },
		{ .name = VIEW(A255 "a"), .want = "To: Name: 256 bytes" },
		{ .name = VIEW(".."), .has_from = true, .want = "From: Name: " },
		/* types */
		{ .type = 2, .want = "To: Type: 2 is neither snapshot nor bookmark" },
		{ .type = UINT64_MAX, .want = "To: Type: -1" },
		/* times */
		{ .creation = VIEW(""), .want = "To: Creation: \"\" is not an RFC 3339" },
		{ .creation = VIEW("1795326669"), .want = "is not an RFC 3339" },
		{ .creation = VIEW("2026-11-22"), .want = "is not an RFC 3339" },
		{ .creation = VIEW("2026-11-22T05:51:09"), .want = "is not an RFC 3339" },
		{ .creation = VIEW("2026-02-30T05:51:09Z"), .want = "is not an RFC" },
		{ .creation = VIEW(TIME "\xff"), .want = "Creation: is not UTF-8" },
		{ .creation = VIEW(TIME "\0"), .want = "Creation: contains a NUL" },
		{ .creation = VIEW(A255 "a"), .want = "Creation: 256 bytes" },
		{ .creation = VIEW("2026-11-22T06:51:09+01:00"), .want = NULL },
		{ .creation = VIEW("2026-11-22T05:51:09.5-00:30"), .want = NULL },
		/* what must be there */
		{ .has_no_to = true, .want = "To: is missing" },
		{ .has_no_config = true, .want = "ReplicationConfig: is missing" },
		{ .has_no_protection = true, .want = PROTECTION "is missing" },
		{ .initial = -1, .want = PROTECTION "Initial: 0 is no kind" },
		{ .incremental = -1, .want = PROTECTION "Incremental: 0 is no kind" },
		{ .initial = 4, .want = PROTECTION "Initial: 4 is no kind" },
		{ .initial = 2, .incremental = 3, .want = NULL },
		/* tokens */
		{ .token = VIEW("1-ab-c8-789c"), .want = NULL },
		{ .token = VIEW("1 2"), .want = "ResumeToken: contains what no token" },
		{ .token = VIEW("1\xc3\xa9"), .want = "contains what no token has" },
		{ .token = VIEW("1\xff"), .want = "ResumeToken: is not UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_send(&rows[i]);
}

TEST(a_receive_request_that_breaks_a_rule_is_refused)
{
	const struct sample rows[] = {
		{ .want = NULL },
		{ .fs = VIEW(""), .want = "Filesystem: is empty" },
		{ .fs = VIEW("a/../b"), .want = "has a component '.' or '..'" },
		{ .fs = VIEW("a//b"), .want = "has an empty component" },
		{ .fs = VIEW("a/%recv"), .want = "contains other characters" },
		{ .fs = VIEW("a/b,c"), .want = "contains other characters" },
		{ .fs = VIEW("a/-o x=y"), .want = "contains other characters" },
		{ .fs = VIEW("a b/c"), .want = NULL },
		{ .name = VIEW(""), .want = "To: Name: name \"\" is empty" },
		{ .creation = VIEW(""), .want = "To: Creation: \"\" is not" },
		{ .type = 1, .want = "To: is not a snapshot" },
		{ .type = 9, .want = "To: Type: 9" },
		{ .has_no_to = true, .want = "To: is missing" },
		{ .has_no_config = true, .want = "ReplicationConfig: is missing" },
		{ .has_no_protection = true, .want = PROTECTION "is missing" },
		{ .initial = 99, .want = PROTECTION "Initial: 99 is no kind" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup(arena_free) struct arena a = { 0 };
		cleanup(err_clear) struct err err = ERR_INIT;
		cleanup(buf_free) struct buf b = { 0 };
		struct ep_recv_req got;

		put_receive(&b, &rows[i]);
		check_error(pdu_get_receive_req(&a, buf_view(&b), &got, &err), &err,
			    rows[i].want);
	}
}

TEST(an_offset_is_part_of_a_time)
{
	struct sample s = { .creation = VIEW("2026-11-22T06:51:09.25+01:00") };
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };
	struct ep_recv_req got;

	put_receive(&b, &s);
	REQUIRE(pdu_get_receive_req(&a, buf_view(&b), &got, &err) == 0);
	CHECK_INT(got.to->creation_s, 1795326669);
}

TEST(fields_of_the_wrong_number_are_not_taken)
{
	struct sample s = { 0 };
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf send = { 0 }, completed = { 0 }, config = { 0 },
				     receive = { 0 };
	struct ep_send_req got;
	struct ep_recv_req received;

	put_send(&send, &s);
	pb_bytes(&completed, 1, buf_view(&send)); /* it is 2 */
	check_error(pdu_get_send_completed_req(&a, buf_view(&completed), &got, &err),
		    &err, "OriginalReq: is missing");

	s.has_no_config = true;
	put_send(&config, &s);
	put_receive(&receive, &s);
	s.has_no_config = false;
	put_config(&config, 5, &s); /* it is 6 */
	check_error(pdu_get_send_req(&a, buf_view(&config), &got, &err), &err,
		    "ReplicationConfig: is missing");
	put_config(&receive, 5, &s); /* it is 4 */
	check_error(pdu_get_receive_req(&a, buf_view(&receive), &received, &err), &err,
		    "ReplicationConfig: is missing");
}

/* ---- lists ---- */

static void put_filesystem(struct buf *b, const char *path, const char *token)
{
	struct buf fs = { 0 };

	pb_text(&fs, 1, path);
	if (token)
		pb_text(&fs, 2, token);
	pb_part(b, 1, &fs);
}

static int get_filesystems(const struct buf *b, struct err *err)
{
	struct ep_filesystems l = { 0 };
	int rc = pdu_get_filesystems(buf_view(b), &l, err);

	ep_filesystems_free(&l);
	return rc;
}

TEST(filesystems_that_break_a_rule_are_refused)
{
	static const struct {
		const char *path, *token, *want;
	} rows[] = {
		{ "a/b", "1-2", NULL },
		{ "", NULL, "Filesystems: Filesystem: is empty" },
		{ "a/../b", NULL, "has a component '.' or '..'" },
		{ "a\xff", NULL, "is not UTF-8" },
		{ "tank", NULL, "Filesystems: tank is there twice" },
		{ "a", "\x1b[31m", "ResumeToken: contains what no token has" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup(err_clear) struct err err = ERR_INIT;
		cleanup(buf_free) struct buf b = { 0 };

		put_filesystem(&b, "tank", NULL);
		put_filesystem(&b, rows[i].path, rows[i].token);
		check_error(get_filesystems(&b, &err), &err, rows[i].want);
	}
}

static void check_versions(struct buf *b, const char *want)
{
	cleanup(versions_free) struct versions l = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;

	check_error(pdu_get_versions(buf_view(b), &l, &err), &err, want);
	buf_free(b);
}

TEST(versions_that_break_a_rule_are_refused)
{
	struct sample s = { 0 };
	struct buf b = { 0 };

	put_version(&b, 1, &s);
	s.type = 1; /* a bookmark may be called as a snapshot is */
	put_version(&b, 1, &s);
	check_versions(&b, NULL);

	put_version(&b, 1, &s);
	put_version(&b, 1, &s);
	check_versions(&b, "Versions: #s1 is there twice");

	s.creation = VIEW("yesterday");
	put_version(&b, 1, &s);
	check_versions(&b, "Versions: Creation: \"yesterday\" is not");

	s = (struct sample){ .name = VIEW("a@b") };
	put_version(&b, 1, &s);
	check_versions(&b, "Versions: Name: ");
}

static void check_destroy(struct buf *b, const char *want)
{
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	struct pdu_destroy_req got;

	check_error(pdu_get_destroy_req(&a, buf_view(b), &got, &err), &err, want);
	buf_free(b);
}

TEST(a_destroy_request_that_breaks_a_rule_is_refused)
{
	struct sample s = { 0 };
	struct buf b = { 0 };

	pb_text(&b, 1, "tank");
	check_destroy(&b, NULL);

	put_version(&b, 2, &s);
	check_destroy(&b, "Filesystem: is empty");

	pb_text(&b, 1, "tank");
	put_version(&b, 2, &s);
	put_version(&b, 2, &s);
	check_destroy(&b, "Snapshots: @s1 is there twice");

	s.type = 1;
	pb_text(&b, 1, "tank");
	put_version(&b, 2, &s);
	check_destroy(&b, "Snapshots: #s1 is not a snapshot");

	s = (struct sample){ .name = VIEW("a%b") };
	pb_text(&b, 1, "tank");
	put_version(&b, 2, &s);
	check_destroy(&b, "Snapshots: Name: ");
}

/* ---- answers to destroy ---- */

static char name_a[] = "a", name_b[] = "b";
static const struct version asked[] = { { .name = name_a }, { .name = name_b } };
static const struct pdu_destroy_req destroy = { "tank", asked, 2 };

static void put_result(struct buf *b, const char *name, const char *error)
{
	struct buf result = { 0 }, snap = { 0 };

	if (name) {
		pb_text(&snap, 2, name);
		pb_part(&result, 1, &snap);
	}
	pb_text(&result, 2, error);
	pb_part(b, 1, &result);
}

/* The results of @a and @b, or the error of all. */
static void check_results(struct buf *b, const char *of_a, const char *of_b,
			  const char *want)
{
	cleanup(ep_destroy_results_free) struct ep_destroy_results out = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;

	check_error(pdu_get_destroy_res(buf_view(b), &destroy, &out, &err), &err, want);
	buf_free(b);
	if (want)
		return;
	REQUIRE(out.n == 2);
	CHECK_STR(out.v[0].kind ? err_msg(&out.v[0]) : "", of_a);
	CHECK_STR(out.v[1].kind ? err_msg(&out.v[1]) : "", of_b);
}

TEST(results_are_matched_by_name)
{
	static const char silent[] = "the peer does not say what became of @b";
	struct buf b = { 0 };

	put_result(&b, "b", "busy");
	put_result(&b, "a", "");
	check_results(&b, "", "busy", NULL);

	put_result(&b, "a", "held");
	check_results(&b, "held", silent, NULL);

	put_result(&b, "c", "who is that");
	put_result(&b, "a", "");
	check_results(&b, "", silent, NULL);

	put_result(&b, "a", "");
	put_result(&b, "a", "busy");
	check_results(&b, NULL, NULL, "Results: @a is there twice");

	put_result(&b, NULL, "busy");
	check_results(&b, NULL, NULL, "Results: Snapshot: is missing");

	put_result(&b, "a", "\xff");
	check_results(&b, NULL, NULL, "Results: Error: is not UTF-8");
}

TEST(a_replication_cursor_that_says_nothing_is_refused)
{
	static const char *const rows[] = { "", "1000", "1801" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup(err_clear) struct err err = ERR_INIT;
		cleanup(buf_free) struct buf b = { 0 };
		bool exists;
		uint64_t guid;

		hex_put(&b, rows[i]);
		check_error(pdu_get_cursor_res(buf_view(&b), &exists, &guid, &err), &err,
			    "Result: neither Guid nor Notexist");
	}
}

/* ---- size ---- */

TEST(a_request_for_one_thing_is_small)
{
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 }, filler = { 0 };
	const char *fs;

	memset(buf_reserve(&filler, 65536), 'x', 65536);
	buf_added(&filler, 65536);
	pb_text(&b, 1, "tank");
	pb_bytes(&b, 15, buf_view(&filler));
	check_error(pdu_get_path_req(&a, buf_view(&b), &fs, &err), &err, "is too large");
}

/* Two bytes on the wire, some hundred in memory. */
static void put_empty_elements(struct buf *b, unsigned field)
{
	for (size_t i = 0; i < 500000; i++)
		pb_bytes(b, field, VIEW(""));
}

TEST(what_would_take_much_more_memory_than_its_bytes_is_refused)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf known = { 0 }, unknown = { 0 };

	put_empty_elements(&known, 1);
	check_error(get_filesystems(&known, &err), &err, "cannot be decoded");
	put_empty_elements(&unknown, 15);
	check_error(get_filesystems(&unknown, &err), &err, "cannot be decoded");
}

TEST(the_shortest_filesystems_of_a_pool_are_not_too_many)
{
	enum { MANY = 100000 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };
	char path[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "t/%05d", i);
		put_filesystem(&b, path, NULL);
	}
	check_error(get_filesystems(&b, &err), &err, NULL);
}

TEST(bytes_that_are_no_protobuf_are_refused)
{
	const struct view rows[] = {
		VIEW("\x0a"),
		VIEW("\x0a\x05tank"),
		VIEW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		VIEW("\x0a\xff\xff\xff\xff\x0f"),
		VIEW("\x0b"),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup(arena_free) struct arena a = { 0 };
		cleanup(err_clear) struct err err = ERR_INIT;
		const char *fs;

		check_error(pdu_get_path_req(&a, rows[i], &fs, &err), &err,
			    "ListFilesystemVersionsReq cannot be decoded");
	}
}

TEST_MAIN()
