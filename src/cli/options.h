/*
 * options.h - a command's own options, by a table.
 *
 * Long options "--name VALUE", "--name=VALUE" and, where given, "-x VALUE"; flags without
 * value.  Options and positionals may be mixed; "--" ends the options.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/cli.h"

struct option_spec {
	const char *name;
	char letter;        /* 0: none */
	const char **value; /* takes a value, stored here; or NULL: a flag */
	bool *flag;
};

/*
 * What is left in argv[1..] are the positionals; returns their number, or -1 after
 * cli_usage_error().
 */
int options_parse(const struct command *c, const struct option_spec *specs, size_t n,
		  int argc, char **argv) must_check;

#endif
