/*
 * resume_token.h - what a receive_resume_token says, as printed by
 * `zfs send -nvt TOKEN` (zfs-send(8)).
 */
#ifndef CODEC_RESUME_TOKEN_H
#define CODEC_RESUME_TOKEN_H

#include "base/buf.h"
#include "base/err.h"

struct resume_token {
	bool has_from_guid;
	uint64_t from_guid;
	uint64_t to_guid;
	char *to_name; /* FS@SNAP as on the sender */
	bool has_compress_ok, compress_ok;
	bool has_raw_ok, raw_ok;
	bool has_large_block_ok, large_block_ok;
	bool has_embed_ok, embed_ok;
	bool has_saved_ok, saved_ok;
};

/*
 * ERR_INVALID: the output says that the token is corrupt, an attribute does not parse,
 * or there is no toguid or no toname (which has an @ and a sensible dataset before it);
 * ERR_NOT_FOUND: it is not the output of a zfs that decodes tokens.
 */
int resume_token_parse(struct view output, struct resume_token *out, struct err *err)
	must_check;
void resume_token_free(struct resume_token *t);

/* FS of to_name; the caller frees. */
char *resume_token_dataset(const struct resume_token *t) must_check;

#endif
