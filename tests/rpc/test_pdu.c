/* Requests and responses: what they look like, both ways. */
#include "rpc/pdu.h"

#include "base/parse.h"
#include "base/vec.h"
#include "protobuf.h"
#include "tap.h"

#define VERSION_HEX                            \
	"12027331 1888ef99abc5e88c9111 20ac02" \
	"2a14323032362d31312d32325430353a35313a30395a"
#define CONFIG_HEX "0a0408011001"
#define FS_HEX     "0a0974616e6b2f64617461" /* tank/data, as field 1 */

enum { CREATION_S = 1795326669 }; /* 2026-11-22T05:51:09Z */

static char name_s1[] = "s1", name_s2[] = "s2";
static const struct version s1 = {
	.type = VERSION_SNAPSHOT,
	.name = name_s1,
	.guid = 0x1122334455667788,
	.createtxg = 300,
	.creation_s = CREATION_S,
};
static const struct ep_protection resumability = { PROTECTION_RESUMABILITY,
						   PROTECTION_RESUMABILITY };

static void check_hex(const struct buf *got, const char *want)
{
	cleanup(buf_free) struct buf bytes = { 0 };
	cleanup(str_freep) char *a = hex_of(buf_view(got)), *b = NULL;

	hex_put(&bytes, want);
	b = hex_of(buf_view(&bytes));
	CHECK_STR(a, b);
}

static void check_version(const struct version *got, const struct version *want)
{
	CHECK_INT(got->type, want->type);
	CHECK_STR(got->name, want->name);
	CHECK_INT(got->guid, want->guid);
	CHECK_INT(got->createtxg, want->createtxg);
	CHECK_INT(got->creation_s, want->creation_s);
	CHECK(!got->has_userrefs);
}

/* ---- requests ---- */

TEST(a_send_request_is_the_recorded_one)
{
	static const char hex[] = FS_HEX "1a27" VERSION_HEX "3206" CONFIG_HEX;
	struct ep_send_req req = { .fs = "tank/data",
				   .to = &s1,
				   .protection = resumability };
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };
	struct ep_send_req got;

	pdu_put_send_req(&b, &req);
	CHECK_INT(b.len, 0x3c);
	check_hex(&b, hex);
	REQUIRE(pdu_get_send_req(&a, buf_view(&b), &got, &err) == 0);
	CHECK_STR(got.fs, "tank/data");
	CHECK(got.from == NULL && got.token == NULL);
	check_version(got.to, &s1);
	CHECK_INT(got.protection.initial, PROTECTION_RESUMABILITY);
	CHECK_INT(got.protection.incremental, PROTECTION_RESUMABILITY);
}

TEST(a_send_request_has_all_its_fields_where_they_belong)
{
	struct version b0 = { VERSION_BOOKMARK, .name = name_s2, .guid = 1 };
	struct ep_send_req req = {
		.fs = "a",
		.from = &b0,
		.to = &s1,
		.token = "1-ab-c8-789c",
		.protection = { PROTECTION_INCREMENTAL, PROTECTION_NOTHING },
	};
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 }, completed = { 0 }, want = { 0 };
	struct ep_send_req got;

	pdu_put_send_req(&b, &req);
	check_hex(&b, "0a0161"
		      "121e 0801 12027332 1801"
		      "2a14313937302d30312d30315430303a30303a30305a"
		      "1a27" VERSION_HEX "220c312d61622d63382d37383963"
		      "3206 0a04 0802 1003");
	REQUIRE(pdu_get_send_req(&a, buf_view(&b), &got, &err) == 0);
	check_version(got.from, &b0);
	CHECK_STR(got.token, "1-ab-c8-789c");
	CHECK_INT(got.protection.initial, PROTECTION_INCREMENTAL);
	CHECK_INT(got.protection.incremental, PROTECTION_NOTHING);

	pdu_put_send_completed_req(&completed, &req);
	pb_bytes(&want, 2, buf_view(&b)); /* 2, not 1 */
	CHECK(view_eq(buf_view(&completed), buf_view(&want)));
	REQUIRE(pdu_get_send_completed_req(&a, buf_view(&completed), &got, &err) == 0);
	check_version(got.from, &b0);
	check_version(got.to, &s1);
}

TEST(a_receive_request_is_the_recorded_one)
{
	struct ep_recv_req req = { .fs = "tank/data",
				   .to = &s1,
				   .clear_token = true,
				   .protection = resumability };
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };
	struct ep_recv_req got;

	pdu_put_receive_req(&b, &req);
	CHECK_INT(b.len, 0x3e);
	check_hex(&b, FS_HEX "1227" VERSION_HEX "1801 2206" CONFIG_HEX);
	REQUIRE(pdu_get_receive_req(&a, buf_view(&b), &got, &err) == 0);
	CHECK_STR(got.fs, "tank/data");
	check_version(got.to, &s1);
	CHECK(got.clear_token && got.moved == NULL);
	CHECK_INT(got.protection.initial, PROTECTION_RESUMABILITY);
}

TEST(a_request_for_one_path_is_the_recorded_one)
{
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };
	const char *fs;

	pdu_put_path_req(&b, "tank/data");
	check_hex(&b, FS_HEX);
	REQUIRE(pdu_get_path_req(&a, buf_view(&b), &fs, &err) == 0);
	CHECK_STR(fs, "tank/data");
}

TEST(a_destroy_request_and_its_answer_have_every_snapshot)
{
	struct version snaps[] = { s1, { .name = name_s2, .creation_s = -1 } };
	struct pdu_destroy_req req = { "a", snaps, 2 }, got;
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 }, res = { 0 };
	cleanup(ep_destroy_results_free) struct ep_destroy_results in = { 0 },
								   out = { 0 };

	pdu_put_destroy_req(&b, &req);
	check_hex(&b, "0a0161 1227" VERSION_HEX "121a12027332"
		      "2a14313936392d31322d33315432333a35393a35395a");
	REQUIRE(pdu_get_destroy_req(&a, buf_view(&b), &got, &err) == 0);
	CHECK_STR(got.fs, "a");
	REQUIRE(got.n == 2);
	check_version(&got.snaps[0], &snaps[0]);
	check_version(&got.snaps[1], &snaps[1]);

	VEC_PUSH(&in, (struct err)ERR_INIT);
	VEC_PUSH(&in, (struct err)ERR_INIT);
	err_set(&in.v[1], ERR_CHILD, "it is busy");
	pdu_put_destroy_res(&res, &got, &in);
	check_hex(&res, "0a29 0a27" VERSION_HEX "0a28 0a1a 12027332"
			"2a14313936392d31322d33315432333a35393a35395a"
			"120a69742069732062757379");
	REQUIRE(pdu_get_destroy_res(buf_view(&res), &req, &out, &err) == 0);
	REQUIRE(out.n == 2);
	CHECK_INT(out.v[0].kind, ERR_NONE);
	CHECK_INT(out.v[1].kind, ERR_REMOTE);
	CHECK_STR(err_msg(&out.v[1]), "it is busy");
}

TEST(an_answer_about_many_snapshots_that_all_failed_fits_into_a_message)
{
	enum { MANY = 8000, NAME = 250, MESSAGE_MAX = 4 * 1024 * 1024 };
	struct version *snaps = xcalloc(MANY, sizeof(*snaps));
	struct pdu_destroy_req req = { "a", snaps, MANY };
	cleanup(ep_destroy_results_free) struct ep_destroy_results in = { 0 },
								   out = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(strs_free) struct strs names = { 0 };
	cleanup(buf_free) struct buf res = { 0 };

	for (int i = 0; i < MANY; i++)
		strs_addf(&names, "%0*d", NAME, i);
	for (int i = 0; i < MANY; i++) {
		snaps[i].name = names.v[i];
		VEC_PUSH(&in, (struct err)ERR_INIT);
		err_set(&in.v[i], ERR_CHILD, "%01000d", i);
	}
	pdu_put_destroy_res(&res, &req, &in);
	CHECK(res.len <= MESSAGE_MAX);
	CHECK_INT(pdu_get_destroy_res(buf_view(&res), &req, &out, &err), 0);
	REQUIRE(out.n == MANY);
	for (int i = 0; i < MANY; i++)
		CHECK(view_starts(view_of(err_msg(&out.v[i])), "0000"));
	free(snaps);
}

TEST(a_ping_is_the_recorded_one)
{
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };
	const char *text;

	pdu_put_ping(&b, "hi");
	check_hex(&b, "0a026869");
	REQUIRE(pdu_get_ping(&a, buf_view(&b), &text, &err) == 0);
	CHECK_STR(text, "hi");
	REQUIRE(pdu_get_ping(&a, VIEW(""), &text, &err) == 0);
	CHECK_STR(text, "");
}

/* ---- responses ---- */

TEST(filesystems_are_the_recorded_ones_with_parents_first)
{
	static char data[] = "tank/data", tank[] = "tank", token[] = "1-2";
	struct ep_filesystem fs[] = { { .path = data }, { .path = tank, true, NULL } };
	struct ep_filesystems l = { fs, 2, 2 };
	cleanup(ep_filesystems_free) struct ep_filesystems got = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };

	pdu_put_filesystems(&b, &l);
	check_hex(&b, "0a0b 0a0974616e6b2f64617461"
		      "0a08 0a0474616e6b 1801");
	REQUIRE(pdu_get_filesystems(buf_view(&b), &got, &err) == 0);
	REQUIRE(got.n == 2);
	CHECK_STR(got.v[0].path, "tank");
	CHECK(got.v[0].is_placeholder && !got.v[0].resume_token);
	CHECK_STR(got.v[1].path, "tank/data");
	CHECK(!got.v[1].is_placeholder && !got.v[1].resume_token);

	buf_free(&b);
	fs[0].resume_token = token;
	pdu_put_filesystems(&b, &l);
	ep_filesystems_free(&got);
	REQUIRE(pdu_get_filesystems(buf_view(&b), &got, &err) == 0);
	CHECK_STR(got.v[1].resume_token, "1-2");
}

TEST(versions_keep_their_order_type_and_time)
{
	struct version v[] = { s1, { VERSION_BOOKMARK, .name = name_s1, .guid = 7 } };
	struct versions l = { v, 2, 2 };
	cleanup(versions_free) struct versions got = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };

	pdu_put_versions(&b, &l);
	check_hex(&b, "0a27" VERSION_HEX "0a1e 0801 12027331 1807"
		      "2a14313937302d30312d30315430303a30303a30305a");
	REQUIRE(pdu_get_versions(buf_view(&b), &got, &err) == 0);
	REQUIRE(got.n == 2);
	check_version(&got.v[0], &v[0]);
	check_version(&got.v[1], &v[1]);
}

TEST(a_send_response_with_defaults_is_no_byte_at_all)
{
	struct pdu_send_res res = { 0 }, got = { true, 1 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };

	pdu_put_send_res(&b, &res);
	CHECK_INT(b.len, 0);
	REQUIRE(pdu_get_send_res((struct view){ NULL, 0 }, &got, &err) == 0);
	CHECK(!got.used_token && got.expected_size == 0);

	res = (struct pdu_send_res){ true, 300 };
	pdu_put_send_res(&b, &res);
	check_hex(&b, "0801 10ac02");
	REQUIRE(pdu_get_send_res(buf_view(&b), &got, &err) == 0);
	CHECK(got.used_token && got.expected_size == 300);
}

TEST(a_replication_cursor_of_guid_0_is_not_none)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };
	bool exists = false;
	uint64_t guid = 1;

	pdu_put_cursor_res(&b, true, 0);
	check_hex(&b, "0800");
	REQUIRE(pdu_get_cursor_res(buf_view(&b), &exists, &guid, &err) == 0);
	CHECK(exists && guid == 0);

	buf_free(&b);
	pdu_put_cursor_res(&b, false, 17);
	check_hex(&b, "1001");
	REQUIRE(pdu_get_cursor_res(buf_view(&b), &exists, &guid, &err) == 0);
	CHECK(!exists);
}

TEST(what_has_no_fields_may_have_unknown_ones)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };

	CHECK_INT(pdu_get_empty((struct view){ NULL, 0 }, &err), 0);
	pb_number(&b, 15, 1);
	CHECK_INT(pdu_get_empty(buf_view(&b), &err), 0);
	CHECK_INT(pdu_get_empty(VIEW("\x0a"), &err), -1);
	CHECK_INT(err.kind, ERR_PROTOCOL);
}

TEST(a_list_of_many_versions_goes_both_ways)
{
	enum { MANY = 50000 };
	struct versions l = { 0 };
	cleanup(versions_free) struct versions got = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };

	for (uint64_t i = 0; i < MANY; i++)
		versions_add(&l,
			     (struct version){ .name = xasprintf("zrepl_%06d", (int)i),
					       .guid = UINT64_MAX - i,
					       .createtxg = i,
					       .creation_s = CREATION_S + (int64_t)i });
	pdu_put_versions(&b, &l);
	REQUIRE(pdu_get_versions(buf_view(&b), &got, &err) == 0);
	CHECK_INT(got.n, MANY);
	check_version(&got.v[MANY - 1], &l.v[MANY - 1]);
	versions_free(&l);
}

/* ---- what zfs(8) says ---- */

TEST(text_that_is_not_utf8_is_made_so)
{
	struct version snap = s1;
	struct pdu_destroy_req req = { "a", &snap, 1 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };
	cleanup(ep_destroy_results_free) struct ep_destroy_results in = { 0 },
								   out = { 0 };

	VEC_PUSH(&in, (struct err)ERR_INIT);
	err_set(&in.v[0], ERR_CHILD, "caf\xe9 is busy");
	pdu_put_destroy_res(&b, &req, &in);
	REQUIRE(pdu_get_destroy_res(buf_view(&b), &req, &out, &err) == 0);
	CHECK_STR(err_msg(&out.v[0]), "caf\xef\xbf\xbd is busy");
}

TEST(a_long_text_is_cut)
{
	struct version snap = s1;
	struct pdu_destroy_req req = { "a", &snap, 1 };
	cleanup(str_freep) char *text = xcalloc(100001, 1);
	cleanup(buf_free) struct buf b = { 0 };
	cleanup(ep_destroy_results_free) struct ep_destroy_results in = { 0 };

	memset(text, 'x', 100000);
	VEC_PUSH(&in, (struct err)ERR_INIT);
	err_set(&in.v[0], ERR_CHILD, "%s", text);
	pdu_put_destroy_res(&b, &req, &in);
	CHECK(b.len > 4096 && b.len < 4200);
}

TEST(a_time_beyond_all_years_is_still_a_time)
{
	struct version v[] = { s1, s1 };
	struct versions l = { v, 2, 2 };
	cleanup(versions_free) struct versions got = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf b = { 0 };

	v[0].creation_s = INT64_MAX;
	v[1].creation_s = INT64_MIN;
	v[1].type = VERSION_BOOKMARK;
	pdu_put_versions(&b, &l);
	CHECK_INT(pdu_get_versions(buf_view(&b), &got, &err), 0);
}

TEST_MAIN()
