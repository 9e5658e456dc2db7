#include "cli/options.h"
#include "daemon/daemon.h"

#include <unistd.h>

static int run(const struct command *self, const char *config_path, int argc, char **argv)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *config = NULL;
	struct env env;
	int n = options_parse(self, NULL, 0, argc, argv);

	if (n < 0)
		return 1;
	if (n > 0)
		return cli_usage_error(self, "unexpected argument %s", argv[1]);
	if (!(config = cli_load(config_path, &err)))
		return cli_fail(&err);
	if (env_load(&env, &err) < 0 || daemon_run(config, &env, STDOUT_FILENO, &err) < 0)
		return cli_fail(&err);
	return 0;
}

const struct command cmd_daemon = {
	.name = "daemon",
	.args = "",
	.summary = "run the jobs of the configuration, in the foreground",
	.help = "Ends in order on SIGINT or SIGTERM: running zfs commands are ended, "
		"then jobs.\n"
		"A second signal ends it at once.\n",
	.run = run,
};
