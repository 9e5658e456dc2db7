#include "endpoint/send_policy.h"

#include "tap.h"

static struct version one = { .name = (char *)"1", .guid = 1 };
static struct version two = { .name = (char *)"2", .guid = 2 };

static struct resume_token token(const char *to_name)
{
	return (struct resume_token){ .has_from_guid = true,
				      .from_guid = 1,
				      .to_guid = 2,
				      .to_name = (char *)to_name };
}

static struct ep_send_req request(void)
{
	return (struct ep_send_req){ .fs = "tank/a", .from = &one, .to = &two };
}

/* "" if the token passes, else the error. */
static const char *judge_token(const struct ep_send_req *req,
			       const struct resume_token *t)
{
	static char msg[200];
	cleanup(err_clear) struct err err = ERR_INIT;

	msg[0] = '\0';
	if (send_policy_token(req, t, &err) == 0)
		return msg;
	CHECK_INT(err.kind, ERR_DENIED);
	snprintf(msg, sizeof(msg), "%s", err_msg(&err));
	return msg;
}

TEST(a_token_of_the_stream_asked_for_passes)
{
	struct resume_token t = token("tank/a@2"), full = token("tank/a@2");
	struct ep_send_req req = request();

	CHECK_STR(judge_token(&req, &t), "");
	full.has_from_guid = false;
	req.from = NULL;
	CHECK_STR(judge_token(&req, &full), "");
}

TEST(a_token_of_another_filesystem_is_refused)
{
	static const char *const others[] = { "tank@2", "tank/b@2", "tank/a/b@2",
					      "tank/a2@2", "tank/A@2" };
	struct ep_send_req req = request();

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct resume_token t = token(others[i]);

		CHECK_STR(judge_token(&req, &t),
			  "resume token is of another filesystem than tank/a");
	}
}

TEST(a_token_with_other_guids_is_refused)
{
	struct resume_token t = token("tank/a@2");
	struct ep_send_req req = request();

	t.to_guid = 3;
	CHECK_STR(judge_token(&req, &t),
		  "resume token is of another stream: its end has the guid 3, asked for "
		  "was 2");
	t.to_guid = 2;
	t.from_guid = 9;
	CHECK_STR(judge_token(&req, &t),
		  "resume token is of another stream: its start has the guid 9, asked "
		  "for was 1");
}

TEST(a_full_token_is_not_an_incremental_one_nor_the_other_way_round)
{
	struct resume_token t = token("tank/a@2");
	struct ep_send_req req = request();

	req.from = NULL;
	CHECK_STR(judge_token(&req, &t),
		  "resume token is of an incremental stream, asked for was a full one");
	t.has_from_guid = false;
	req.from = &one;
	CHECK_STR(judge_token(&req, &t),
		  "resume token is of a full stream, asked for was an incremental one");
}

enum which { NO_TOKEN, PLAIN, RAW };

static bool allowed(bool encrypted, bool raw, enum which w, bool fs_encrypted)
{
	struct conf_send flags = { .encrypted = encrypted, .raw = raw };
	struct resume_token t = { .has_raw_ok = w == RAW, .raw_ok = w == RAW };
	cleanup(err_clear) struct err err = ERR_INIT;
	int r = send_policy_check(&flags, w == NO_TOKEN ? NULL : &t, "tank/a",
				  fs_encrypted, &err);

	CHECK_INT(err.kind, r < 0 ? ERR_DENIED : ERR_NONE);
	return r == 0;
}

TEST(flags_decide_what_may_be_sent)
{
	for (int raw = 0; raw < 2; raw++) {
		CHECK(allowed(true, raw, NO_TOKEN, true));
		CHECK(!allowed(true, raw, NO_TOKEN, false));
	}
	CHECK(!allowed(false, true, NO_TOKEN, true));
	CHECK(allowed(false, true, NO_TOKEN, false));
	CHECK(allowed(false, false, NO_TOKEN, true));
	CHECK(allowed(false, false, NO_TOKEN, false));
}

TEST(a_token_does_not_get_around_the_flags)
{
	CHECK(allowed(true, false, RAW, true));
	CHECK(!allowed(true, false, PLAIN, true));
	CHECK(!allowed(true, false, RAW, false));
	CHECK(!allowed(false, false, RAW, true));
	CHECK(allowed(false, false, RAW, false));
	CHECK(allowed(false, false, PLAIN, true));
	CHECK(allowed(false, false, PLAIN, false));
}

TEST(zfs_is_asked_wherever_its_answer_matters)
{
	struct conf_send none = { 0 };
	struct resume_token plain = { 0 };

	for (int bits = 0; bits < 12; bits++) {
		enum which w = (enum which)(bits / 4);
		struct conf_send flags = { .encrypted = bits & 1, .raw = bits & 2 };
		struct resume_token t = { .has_raw_ok = w == RAW, .raw_ok = w == RAW };

		if (allowed(bits & 1, bits & 2, w, true) !=
		    allowed(bits & 1, bits & 2, w, false))
			CHECK(send_policy_asks(&flags, w == NO_TOKEN ? NULL : &t));
	}
	CHECK(!send_policy_asks(&none, NULL));
	CHECK(!send_policy_asks(&none, &plain));
}

TEST_MAIN()
