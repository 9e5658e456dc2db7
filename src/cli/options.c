#include "cli/options.h"

#include <string.h>

static const struct option_spec *find_long(const struct option_spec *specs, size_t n,
					   const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(specs[i].name, name, len) == 0 && specs[i].name[len] == '\0')
			return &specs[i];
	return NULL;
}

static const struct option_spec *find_letter(const struct option_spec *specs, size_t n,
					     char letter)
{
	for (size_t i = 0; i < n; i++)
		if (letter && specs[i].letter == letter)
			return &specs[i];
	return NULL;
}

/* One option at argv[*i]; moves *i behind its value. */
static int parse_one(const struct command *c, const struct option_spec *specs, size_t n,
		     char **argv, int *i)
{
	const char *arg = argv[*i];
	const char *value = NULL;
	const struct option_spec *s;

	if (arg[1] == '-') {
		const char *name = arg + 2;
		size_t len = strcspn(name, "=");

		s = find_long(specs, n, name, len);
		value = name[len] == '=' ? name + len + 1 : NULL;
	} else {
		s = find_letter(specs, n, arg[1]);
		value = arg[2] ? arg + 2 : NULL;
	}
	if (!s)
		return cli_usage_error(c, "unknown option %s", arg), -1;
	if (s->flag) {
		if (value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return cli_usage_error(c, "--%s takes no value", s->name), -1;
		*s->flag = !value || strcmp(value, "true") == 0;
		return 0;
	}
	if (!value)
		value = argv[++*i];
	if (!value)
		return cli_usage_error(c, "option %s needs a value", arg), -1;
	*s->value = value;
	return 0;
}

int options_parse(const struct command *c, const struct option_spec *specs, size_t n,
		  int argc, char **argv)
{
	int positionals = 0;
	bool options = true;

	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && argv[i][0] == '-' && argv[i][1]) {
			if (parse_one(c, specs, n, argv, &i) < 0)
				return -1;
		} else {
			argv[1 + positionals++] = argv[i];
		}
	}
	return positionals;
}
