#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>

static const struct command *const commands[] = {
	&cmd_daemon, &cmd_configcheck, &cmd_status,
	&cmd_signal, &cmd_stdinserver, &cmd_version,
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

static void print_usage(FILE *to)
{
	fputs(usage, to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-12s  %s\n", commands[i]->name, commands[i]->summary);
	fputs(usage_end, to);
}

static void print_help(const struct command *c, FILE *to)
{
	fprintf(to, "%s\n\nUsage:\n  zrepl [--config PATH] %s%s%s\n", c->summary, c->name,
		*c->args ? " " : "", c->args);
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
	fprintf(stderr,
		"\nUsage:\n  zrepl [--config PATH] %s%s%s\nSee: zrepl %s --help\n",
		c->name, *c->args ? " " : "", c->args, c->name);
	return 1;
}

int cli_fail(const struct err *err)
{
	fprintf(stderr, "%s\n", err_msg(err));
	return 1;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int unknown(const char *word)
{
	if (word[0] == '-')
		fprintf(stderr, "Error: unknown option %s\nSee: zrepl --help\n", word);
	else
		fprintf(stderr,
			"Error: unknown command \"%s\" for \"zrepl\"\n"
			"See: zrepl --help\n",
			word);
	return 1;
}

static bool is_help(const char *arg)
{
	return strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0;
}

static int help(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2 || is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return 0;
	}
	if (!(c = find(argv[1])))
		return unknown(argv[1]);
	print_help(c, stdout);
	return 0;
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
	if (!(c = find(argv[1])))
		return unknown(argv[1]);
	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (is_help(argv[i])) {
			print_help(c, stdout);
			return 0;
		}
	}
	return c->run(c, config, argc - 1, argv + 1);
}
