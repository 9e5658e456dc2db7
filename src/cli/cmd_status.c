#include "base/ctx.h"
#include "cli/control_client.h"
#include "cli/options.h"
#include "codec/tzif.h"
#include "conf/config.h"
#include "tui/dump.h"
#include "tui/json_read.h"

#include <json-c/json.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { RULE_WIDTH = 80, MAX_JSON_DEPTH = 32 };

static size_t terminal_width(void)
{
	struct winsize w;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 &&
	    w.ws_col > 0)
		return w.ws_col;
	return RULE_WIDTH;
}

/* The daemon's own, such as _control: there is nothing to say about them. */
static bool is_internal(struct json_object *job)
{
	return strcmp(json_text(job, "type"), "internal") == 0;
}

static void print_jobs(struct json_object *jobs, const char *only,
		       const struct tzif *zone)
{
	size_t width = terminal_width();
	cleanup(str_freep) char *rule = xcalloc(width + 1, 1);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	memset(rule, '-', width);
	/* The daemon sorts names; json-c keeps their order. */
	json_object_object_foreach(jobs, name, job)
	{
		cleanup(buf_free) struct buf b = { 0 };

		if ((only && strcmp(name, only) != 0) || is_internal(job))
			continue;
		dump_job(&b, name, job, now, zone);
		fputs(b.p, stdout);
		if (!only)
			puts(rule);
	}
}

static int dump(const struct buf *document, const char *only, struct err *err)
{
	cleanup(tzif_freep) struct tzif *zone = tzif_load("Local", err);
	struct json_tokener *t;
	struct json_object *doc, *jobs = NULL, *job = NULL;
	int r = 0;

	if (!zone)
		return -1;
	t = json_tokener_new_ex(MAX_JSON_DEPTH);
	doc = json_tokener_parse_ex(t, document->p, (int)document->len);
	json_tokener_free(t);
	if (!json_object_is_type(doc, json_type_object) ||
	    !json_object_object_get_ex(doc, "Jobs", &jobs) ||
	    !json_object_is_type(jobs, json_type_object))
		r = err_set(err, ERR_PROTOCOL,
			    "the daemon's status is not what was expected");
	else if (only &&
		 (!json_object_object_get_ex(jobs, only, &job) || is_internal(job)))
		r = err_set(err, ERR_NOT_FOUND, "job \"%s\" not found", only);
	else
		print_jobs(jobs, only, zone);
	json_object_put(doc);
	return r;
}

static int show(const char *config_path, bool raw, const char *job, struct err *err)
{
	cleanup(config_freep) struct config *config = cli_load(config_path, err);
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	cleanup(buf_free) struct buf answer = { 0 };

	if (!config)
		return -1;
	if (control_ask(ctx, config->global.control_sockpath, "/status", "{}", &answer,
			err) < 0)
		return -1;
	if (!raw)
		return dump(&answer, job, err);
	while (answer.len > 0 && answer.p[answer.len - 1] == '\n')
		answer.len--;
	fwrite(answer.p, 1, answer.len, stdout);
	return 0;
}

static int run(const struct command *self, const char *config_path, int argc, char **argv)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	const char *mode = "", *job = NULL;
	const struct option_spec specs[] = {
		{ "mode", 0, &mode, NULL },
		{ "job", 0, &job, NULL },
	};
	int n = options_parse(self, specs, ARRAY_LEN(specs), argc, argv);
	bool raw = strcmp(mode, "raw") == 0;

	if (n < 0)
		return 1;
	if (n > 0)
		return cli_usage_error(self, "unexpected argument %s", argv[1]);
	if (!*mode)
		return cli_usage_error(self, "--mode raw or --mode dump is needed");
	if (!raw && strcmp(mode, "dump") != 0)
		return cli_usage_error(self, "--mode must be raw or dump, not \"%s\"",
				       mode);
	if (show(config_path, raw, job && *job ? job : NULL, &err) < 0)
		return cli_fail(&err);
	return 0;
}

const struct command cmd_status = {
	.name = "status",
	.args = "--mode raw|dump [--job NAME]",
	.summary = "show what the daemon's jobs do and did",
	.help = "Options:\n"
		"  --mode raw   the status document, JSON\n"
		"  --mode dump  the same as text\n"
		"  --job NAME   only this job (dump)\n",
	.run = run,
};
