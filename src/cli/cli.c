#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>

static const struct command *const commands[] = {
	&cmd_daemon,      &cmd_configcheck, &cmd_status,  &cmd_signal,
	&cmd_stdinserver, &cmd_test,        &cmd_version, NULL,
};

static const char usage[] = "zrepl takes, replicates and prunes ZFS snapshots.\n"
			    "\n"
			    "Usage:\n"
			    "  zrepl [--config PATH] COMMAND [ARGUMENT...]\n"
			    "\n"
			    "Commands:\n";

static const char usage_end[] =
	"  help          this text, or the help of a command\n"
	"\n"
	"Options:\n"
	"  --config PATH  configuration file (default: /etc/zrepl/zrepl.yml, then\n"
	"                 /usr/local/etc/zrepl/zrepl.yml)\n"
	"  -h, --help     this text, or, after a command, its help\n"
	"\n"
	"Exit status: 0, or 1 after a message on stderr.\n";

static void print_list(const struct command *const *l, FILE *to)
{
	int width = 12;

	for (size_t i = 0; l[i]; i++)
		if ((int)strlen(l[i]->name) > width)
			width = (int)strlen(l[i]->name);
	for (size_t i = 0; l[i]; i++)
		fprintf(to, "  %-*s  %s\n", width, l[i]->name, l[i]->summary);
}

static void print_usage(FILE *to)
{
	fputs(usage, to);
	print_list(commands, to);
	fputs(usage_end, to);
}

static void print_usage_line(const struct command *c, FILE *to)
{
	fputs("  zrepl [--config PATH]", to);
	if (c->parent)
		fprintf(to, " %s", c->parent->name);
	fprintf(to, " %s%s%s\n", c->name, c->parts || *c->args ? " " : "",
		c->parts ? "COMMAND [ARGUMENT...]" : c->args);
}

static void print_help(const struct command *c, FILE *to)
{
	fprintf(to, "%s\n\nUsage:\n", c->summary);
	print_usage_line(c, to);
	if (c->parts) {
		fputs("\nCommands:\n", to);
		print_list(c->parts, to);
	}
	if (*c->help)
		fprintf(to, "\n%s", c->help);
}

int cli_usage_error(const struct command *c, const char *fmt, ...)
{
	va_list ap;

	fputs("Error: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nUsage:\n", stderr);
	print_usage_line(c, stderr);
	fprintf(stderr, "See: zrepl %s%s%s --help\n", c->parent ? c->parent->name : "",
		c->parent ? " " : "", c->name);
	return 1;
}

int cli_fail(const struct err *err)
{
	fprintf(stderr, "%s\n", err_msg(err));
	return 1;
}

struct config *cli_load(const char *path, struct err *err)
{
	struct config *config = config_load(path, err);

	if (!config)
		config_wrap(err);
	return config;
}

const struct conf_job *cli_find_job(const struct config *config, const char *name,
				    struct err *err)
{
	for (size_t i = 0; i < config->n_jobs; i++)
		if (strcmp(config->jobs[i].name, name) == 0)
			return &config->jobs[i];
	err_set(err, ERR_NOT_FOUND, "job \"%s\" not found", name);
	return NULL;
}

static const struct command *find(const struct command *const *l, const char *name)
{
	for (size_t i = 0; l[i]; i++)
		if (strcmp(l[i]->name, name) == 0)
			return l[i];
	return NULL;
}

/* of NULL: of the program. */
static int unknown(const struct command *of, const char *word)
{
	const char *blank = of ? " " : "", *name = of ? of->name : "";

	if (word[0] == '-')
		fprintf(stderr, "Error: unknown option %s\n", word);
	else
		fprintf(stderr, "Error: unknown command \"%s\" for \"zrepl%s%s\"\n", word,
			blank, name);
	fprintf(stderr, "See: zrepl%s%s --help\n", blank, name);
	return 1;
}

static bool is_help(const char *arg)
{
	return strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0;
}

/* help [COMMAND [PART]] */
static int help(int argc, char **argv)
{
	const struct command *c, *part = NULL;

	if (argc < 2 || is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return 0;
	}
	if (!(c = find(commands, argv[1])))
		return unknown(NULL, argv[1]);
	if (c->parts && argc > 2 && !is_help(argv[2]) &&
	    !(part = find(c->parts, argv[2])))
		return unknown(c, argv[2]);
	print_help(part ? part : c, stdout);
	return 0;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (is_help(argv[i]))
			return true;
	return false;
}

static int run(const struct command *c, const char *config, int argc, char **argv)
{
	if (asks_for_help(argc, argv)) {
		print_help(c, stdout);
		return 0;
	}
	return c->run(c, config, argc, argv);
}

static int run_part(const struct command *c, const char *config, int argc, char **argv)
{
	const struct command *part;

	if (argc < 2 || is_help(argv[1])) {
		print_help(c, stdout);
		return 0;
	}
	if (!(part = find(c->parts, argv[1])))
		return unknown(c, argv[1]);
	return run(part, config, argc - 1, argv + 1);
}

/*
 * Take "--config PATH" and "--config=PATH" out of argv, wherever they stand before "--",
 * as the option belongs to every command.  1: found, 0: not there, -1: the value is
 * missing.
 */
static int take_config(int *argc, char **argv, const char **path)
{
	int found = 0, to = 1;

	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			while (i < *argc)
				argv[to++] = argv[i++];
			break;
		}
		if (strncmp(argv[i], "--config=", 9) == 0) {
			*path = argv[i] + 9;
			found = 1;
		} else if (strcmp(argv[i], "--config") == 0) {
			if (i + 1 == *argc)
				return -1;
			*path = argv[++i];
			found = 1;
		} else {
			argv[to++] = argv[i];
		}
	}
	*argc = to;
	argv[to] = NULL;
	return found;
}

int cli_main(int argc, char **argv)
{
	const char *config = NULL;
	const struct command *c;

	if (take_config(&argc, argv, &config) < 0) {
		fputs("Error: --config needs a path\nSee: zrepl --help\n", stderr);
		return 1;
	}
	if (config && !*config)
		config = NULL;
	if (argc < 2 || is_help(argv[1])) {
		print_usage(stdout);
		return 0;
	}
	if (strcmp(argv[1], "help") == 0)
		return help(argc - 1, argv + 1);
	if (!(c = find(commands, argv[1])))
		return unknown(NULL, argv[1]);
	return (c->parts ? run_part : run)(c, config, argc - 1, argv + 1);
}
