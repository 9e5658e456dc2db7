#include "cli/local_zfs.h"
#include "cli/options.h"
#include "codec/jsonw.h"
#include "zfs/stream.h"

#include <inttypes.h>

static void put_flag(const char *name, bool value)
{
	printf(" \"%s\": %s,\n", name, value ? "true" : "false");
}

static void put_number(const char *name, uint64_t value)
{
	printf(" \"%s\": %" PRIu64 ",\n", name, value);
}

/* compat: zrepl 0.7: these names, this order, one blank a level */
static void print_token(const struct resume_token *t)
{
	cleanup(buf_free) struct buf to_name = { 0 };
	struct jsonw w;

	jsonw_init(&w, &to_name);
	jsonw_str(&w, t->to_name);
	puts("{");
	put_flag("HasFromGUID", t->has_from_guid);
	put_flag("HasToGUID", true); /* it would not be a token else */
	put_number("FromGUID", t->from_guid);
	put_number("ToGUID", t->to_guid);
	printf(" \"ToName\": %s,\n", to_name.p);
	put_flag("HasCompressOK", t->has_compress_ok);
	put_flag("CompressOK", t->compress_ok);
	put_flag("HasRawOk", t->has_raw_ok);
	put_flag("RawOK", t->raw_ok);
	put_flag("HasLargeBlockOK", t->has_large_block_ok);
	put_flag("LargeBlockOK", t->large_block_ok);
	put_flag("HasEmbedOk", t->has_embed_ok);
	put_flag("EmbedOK", t->embed_ok);
	put_flag("HasSavedOk", t->has_saved_ok);
	printf(" \"SavedOk\": %s\n}\n", t->saved_ok ? "true" : "false");
}

static int decode(const char *token, struct err *err)
{
	cleanup(local_zfs_fini) struct local_zfs z = { 0 };
	struct resume_token t = { 0 };

	if (local_zfs_init(&z, err) < 0 ||
	    zfs_decode_token(z.ctx, z.zfs, token, &t, err) < 0)
		return -1;
	print_token(&t);
	resume_token_free(&t);
	return 0;
}

static int run(const struct command *self, const char *config_path, int argc, char **argv)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *config = NULL;
	const char *token = NULL;
	const struct option_spec specs[] = { { "token", 0, &token, NULL } };
	int n = options_parse(self, specs, ARRAY_LEN(specs), argc, argv);

	if (n < 0)
		return 1;
	if (n > 0)
		return cli_usage_error(self, "unexpected argument %s", argv[1]);
	if (!token)
		return cli_usage_error(self, "--token is missing");
	/* compat: zrepl 0.7: it must be good, though nothing of it is needed */
	config = cli_load(config_path, &err);
	if (!config)
		return cli_fail(&err);
	return decode(token, &err) < 0 ? cli_fail(&err) : 0;
}

const struct command cmd_test_decode = {
	.name = "decoderesumetoken",
	.parent = &cmd_test,
	.args = "--token TOKEN",
	.summary = "what does a receive_resume_token say?",
	.help = "Prints it as JSON.  Any host's zfs can read it; the datasets need not "
		"be there.\n"
		"\n"
		"Options:\n"
		"  --token TOKEN  the value of the property receive_resume_token\n",
	.run = run,
};
