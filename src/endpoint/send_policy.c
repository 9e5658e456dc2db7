#include "endpoint/send_policy.h"

#include <inttypes.h>
#include <string.h>

static int guid_mismatch(const char *what, uint64_t token, uint64_t asked,
			 struct err *err)
{
	return err_set(err, ERR_DENIED,
		       "resume token is of another stream: its %s has the guid %" PRIu64
		       ", asked for was %" PRIu64,
		       what, token, asked);
}

int send_policy_token(const struct ep_send_req *req, const struct resume_token *t,
		      struct err *err)
{
	cleanup(str_freep) char *fs = resume_token_dataset(t);

	if (strcmp(fs, req->fs) != 0)
		return err_set(err, ERR_DENIED,
			       "resume token is of another filesystem than %s", req->fs);
	if (t->to_guid != req->to->guid)
		return guid_mismatch("end", t->to_guid, req->to->guid, err);
	if (t->has_from_guid != (req->from != NULL))
		return err_set(err, ERR_DENIED,
			       "resume token is of %s stream, asked for was %s",
			       t->has_from_guid ? "an incremental" : "a full",
			       req->from ? "an incremental one" : "a full one");
	if (req->from && t->from_guid != req->from->guid)
		return guid_mismatch("start", t->from_guid, req->from->guid, err);
	return 0;
}

static bool is_raw(const struct resume_token *t)
{
	return t && t->has_raw_ok && t->raw_ok;
}

bool send_policy_asks(const struct conf_send *flags, const struct resume_token *t)
{
	return flags->encrypted || flags->raw || is_raw(t);
}

int send_policy_check(const struct conf_send *flags, const struct resume_token *t,
		      const char *fs, bool is_encrypted, struct err *err)
{
	if (flags->encrypted && !is_encrypted)
		return err_set(err, ERR_DENIED,
			       "send.encrypted is set, but %s is not encrypted", fs);
	if (flags->encrypted && t && !is_raw(t))
		return err_set(err, ERR_DENIED,
			       "send.encrypted is set, but the resume token of %s is not "
			       "of a raw stream",
			       fs);
	if (!flags->encrypted && flags->raw && is_encrypted)
		return err_set(err, ERR_DENIED,
			       "%s is encrypted: send.raw needs send.encrypted too", fs);
	if (!flags->encrypted && is_raw(t) && is_encrypted)
		return err_set(err, ERR_DENIED,
			       "%s is encrypted and its resume token is of a raw stream: "
			       "send.encrypted must be set",
			       fs);
	return 0;
}
