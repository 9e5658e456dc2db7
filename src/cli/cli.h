/*
 * cli.h - the commands of zrepl: one file and one table entry each.
 *
 * A command gets its own arguments, the global --config taken out.  It returns the exit
 * status: 0, or 1 after one message on stderr.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "conf/config.h"

#include <stdio.h>

struct command {
	const char *name;
	const struct command *parent; /* of whose parts it is one, or NULL */
	const char *args;             /* behind the name, in the usage line */
	const char *summary;          /* one line */
	const char *help;             /* options and details; ends with a newline */
	int (*run)(const struct command *self, const char *config_path, int argc,
		   char **argv);
	/* Instead of run and args, for one that is made of others, which have no parts
	 * themselves; ends with NULL. */
	const struct command *const *parts;
};

extern const struct command cmd_configcheck, cmd_daemon, cmd_signal, cmd_status,
	cmd_stdinserver, cmd_test, cmd_test_decode, cmd_test_filesystems,
	cmd_test_placeholder, cmd_test_prune, cmd_version;

/* The whole program; argv as main() has it. */
int cli_main(int argc, char **argv);

/* For commands: "Error: ..." and the usage on stderr; returns 1. */
int cli_usage_error(const struct command *c, const char *fmt, ...) printf_like(2, 3);
/* config_load(); the error says that it is about the configuration. */
struct config *cli_load(const char *path, struct err *err) must_check;
/* NULL: there is none of that name. */
const struct conf_job *cli_find_job(const struct config *config, const char *name,
				    struct err *err) must_check;
/* The message, wrapped in nothing, on stderr; returns 1. */
int cli_fail(const struct err *err);

#endif
