#include "base/ctx.h"
#include "base/version.h"
#include "cli/control_client.h"
#include "cli/options.h"
#include "conf/config.h"

#include <json-c/json.h>
#include <string.h>

static void print_line(const char *who, const struct version_info *v)
{
	cleanup(str_freep) char *text = version_text(v);

	printf("%s: %s\n", who, text);
}

static const char *member(struct json_object *o, const char *name)
{
	struct json_object *v = json_object_object_get(o, name);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "?";
}

/* Prints the daemon's line; warns when `compare` and it is another version. */
static int show_daemon(const char *config_path, bool compare, struct err *err)
{
	cleanup(config_freep) struct config *config = cli_load(config_path, err);
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(buf_free) struct buf answer = { 0 };
	const char *ours = version_info()->version;
	struct json_object *o;
	struct version_info v;

	if (!config)
		return -1;
	if (control_ask(ctx, config->global.control_sockpath, "/version", "{}", &answer,
			err) < 0)
		return -1;
	o = json_tokener_parse(answer.p ? answer.p : "");
	if (!json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return err_set(err, ERR_PROTOCOL,
			       "the daemon's answer is not a JSON object");
	}
	v = (struct version_info){
		.version = member(o, "Version"),
		.runtime = member(o, "RuntimeGo"),
		.os = member(o, "RuntimeGOOS"),
		.arch = member(o, "RuntimeGOARCH"),
		.compiler = member(o, "RUNTIMECompiler"),
	};
	print_line("server", &v);
	if (compare && strcmp(v.version, ours) != 0)
		fprintf(stderr,
			"WARNING: client version (%s) and daemon version (%s) differ\n",
			ours, v.version);
	json_object_put(o);
	return 0;
}

static int run(const struct command *self, const char *config_path, int argc, char **argv)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	const char *show = "";
	const struct option_spec specs[] = { { "show", 0, &show, NULL } };
	int n = options_parse(self, specs, ARRAY_LEN(specs), argc, argv);
	bool client, daemon;

	if (n < 0)
		return 1;
	if (n > 0)
		return cli_usage_error(self, "unexpected argument %s", argv[1]);
	client = !*show || strcmp(show, "client") == 0;
	daemon = !*show || strcmp(show, "daemon") == 0;
	if (!client && !daemon)
		return cli_usage_error(
			self, "--show must be client or daemon, not \"%s\"", show);
	if (client)
		print_line("client", version_info());
	fflush(stdout);
	if (daemon && show_daemon(config_path, client, &err) < 0)
		return cli_fail(&err);
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.args = "[--show client|daemon]",
	.summary = "say what this program is, and the running daemon",
	.help = "Options:\n  --show WHICH  client or daemon (default: both)\n",
	.run = run,
};
