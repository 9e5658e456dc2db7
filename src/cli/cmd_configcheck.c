#include "cli/certs.h"
#include "cli/config_dump.h"
#include "cli/options.h"
#include "conf/env.h"
#include "daemon/outlets.h"

#include <json-c/json.h>
#include <string.h>

static int parse_what(const char *word, unsigned *what)
{
	static const struct {
		const char *word;
		unsigned what;
	} words[] = {
		{ "all", DUMP_ALL },
		{ "config", DUMP_ALL },
		{ "jobs", DUMP_JOBS },
		{ "logging", DUMP_LOGGING },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].word, word) == 0) {
			*what = words[i].what;
			return 0;
		}
	}
	return -1;
}

static void print_indented(const char *json)
{
	struct json_object *o = json_tokener_parse(json);

	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_SPACED |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void print(const struct config *config, const char *format, unsigned what)
{
	cleanup(buf_free) struct buf out = { 0 };

	config_dump(&out, config, strcmp(format, "pretty") == 0 ? what : DUMP_ALL);
	if (strcmp(format, "json") == 0)
		fputs(out.p, stdout);
	else
		print_indented(out.p);
}

/* What a daemon with this configuration would not start with; true: it was said. */
static bool check_jobs(const struct config *config, bool skip_cert_check)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	struct env env;
	bool is_bad = env_load(&env, &err) < 0;

	if (is_bad)
		cli_fail(&err);
	return (!skip_cert_check && certs_check(config, stderr) > 0) || is_bad;
}

static bool check_logging(const struct config *config)
{
	cleanup(err_clear) struct err err = ERR_INIT;

	if (outlets_check(&config->global, &err) == 0)
		return false;
	cli_fail(&err);
	return true;
}

static int run(const struct command *self, const char *config_path, int argc, char **argv)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *config = NULL;
	const char *format = "", *what_word = "all";
	bool skip_cert_check = false;
	const struct option_spec specs[] = {
		{ "format", 0, &format, NULL },
		{ "what", 0, &what_word, NULL },
		{ "skip-cert-check", 0, NULL, &skip_cert_check },
	};
	int n = options_parse(self, specs, ARRAY_LEN(specs), argc, argv);
	bool are_jobs_bad, is_logging_bad;
	unsigned what;

	if (n < 0)
		return 1;
	if (n > 0)
		return cli_usage_error(self, "unexpected argument %s", argv[1]);
	if (*format && strcmp(format, "pretty") != 0 && strcmp(format, "json") != 0 &&
	    strcmp(format, "yaml") != 0)
		return cli_usage_error(
			self, "--format must be pretty, yaml or json, not \"%s\"",
			format);
	if (parse_what(what_word, &what) < 0)
		return cli_usage_error(
			self, "--what must be all, config, jobs or logging, not \"%s\"",
			what_word);
	if (!(config = cli_load(config_path, &err)))
		return cli_fail(&err);
	for (size_t i = 0; i < config->n_warnings; i++)
		fprintf(stderr, "WARNING: %s\n", config->warnings[i]);
	are_jobs_bad = check_jobs(config, skip_cert_check);
	is_logging_bad = check_logging(config);
	/* compat: zrepl 0.7: what is to be shown is shown, unless just that is bad. */
	if (*format && !(are_jobs_bad && what == DUMP_JOBS) &&
	    !(is_logging_bad && what == DUMP_LOGGING))
		print(config, format, what);
	return are_jobs_bad || is_logging_bad;
}

const struct command cmd_configcheck = {
	.name = "configcheck",
	.args = "[--format pretty|yaml|json] [--what all|config|jobs|logging] "
		"[--skip-cert-check]",
	.summary = "check the configuration, and show how it was understood",
	.help = "Says nothing and exits 0 if it is good.\n"
		"\n"
		"Options:\n"
		"  --format FORMAT    print it: pretty, yaml or json (default: print "
		"nothing)\n"
		"  --what PART        part to print with pretty: all, config (the same), "
		"jobs or\n"
		"                     logging\n"
		"  --skip-cert-check  do not open the files of TLS\n",
	.run = run,
};
