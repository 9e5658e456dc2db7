#include "cli/cli.h"

static const struct command *const parts[] = {
	&cmd_test_filesystems,
	&cmd_test_placeholder,
	&cmd_test_decode,
	&cmd_test_prune,
	NULL,
};

const struct command cmd_test = {
	.name = "test",
	.summary = "ask what a filter, the rules of pruning or a token mean, changing "
		   "nothing",
	.help = "",
	.parts = parts,
};
