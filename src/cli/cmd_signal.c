#include "base/ctx.h"
#include "cli/control_client.h"
#include "cli/options.h"
#include "codec/jsonw.h"
#include "conf/config.h"

#include <string.h>

static int run(const struct command *self, const char *config_path, int argc, char **argv)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *config = NULL;
	cleanup(buf_free) struct buf body = { 0 }, answer = { 0 };
	cleanup(ctx_freep) struct ctx *ctx = NULL;
	int n = options_parse(self, NULL, 0, argc, argv);
	struct jsonw w;

	if (n < 0)
		return 1;
	if (n != 2)
		return cli_usage_error(
			self, "expected 2 arguments: wakeup, reset or snapshot, and a "
			      "job");
	if (!(config = cli_load(config_path, &err)))
		return cli_fail(&err);
	jsonw_init(&w, &body);
	jsonw_object(&w);
	jsonw_member_str(&w, "Name", argv[2]);
	jsonw_member_str(&w, "Op", argv[1]);
	jsonw_end(&w);
	ctx = ctx_new(NULL);
	if (control_ask(ctx, config->global.control_sockpath, "/signal", body.p, &answer,
			&err) < 0)
		return cli_fail(&err);
	return 0;
}

const struct command cmd_signal = {
	.name = "signal",
	.args = "wakeup|reset|snapshot JOB",
	.summary = "wake a job up, stop what it is doing, or let it take snapshots",
	.help = "wakeup    a push job replicates and prunes now, a snap job prunes now\n"
		"reset     the running invocation is cancelled; the job waits for the "
		"next one\n"
		"snapshot  a push, snap or source job takes its snapshots now, as it "
		"does when\n"
		"          they are due, and goes on with what follows; its schedule "
		"stays\n"
		"The first two take no snapshots.  Nothing is queued: a job that is busy "
		"says so.\n",
	.run = run,
};
