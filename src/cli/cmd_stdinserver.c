#include "cli/options.h"
#include "conf/config.h"
#include "net/stdinserver.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

/* compat: zrepl 0.7 says when, in UTC; sshd passes it on to the client. */
static void say(const char *what, const char *identity)
{
	char when[sizeof("2006/01/02 15:04:05")] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(when, sizeof(when), "%Y/%m/%d %H:%M:%S", &tm);
	fprintf(stderr, "%s [%s] %s\n", when, identity, what);
}

static int run(const struct command *self, const char *config_path, int argc, char **argv)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *config = NULL;
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int n = options_parse(self, NULL, 0, argc, argv);

	if (n < 0)
		return 1;
	if (n != 1 || !*argv[1])
		return cli_usage_error(self,
				       "expected one argument: the client's identity");
	if (!(config = cli_load(config_path, &err)))
		return cli_fail(&err);
	sigaction(SIGPIPE, &ignore, NULL);
	say("handing over to the daemon", argv[1]);
	if (stdinserver_proxy(config->global.stdinserver_sockdir, argv[1], STDIN_FILENO,
			      STDOUT_FILENO, &err) < 0)
		return cli_fail(&err);
	say("the daemon is done", argv[1]);
	return 0;
}

const struct command cmd_stdinserver = {
	.name = "stdinserver",
	.args = "CLIENT_IDENTITY",
	.summary = "hand a connection that came by ssh over to the daemon",
	.help = "For sshd, not for people.  In authorized_keys, on one line:\n"
		"  command=\"zrepl stdinserver CLIENT_IDENTITY\",restrict KEY\n"
		"The daemon needs a job with serve type stdinserver that lists this "
		"identity.\n"
		"Ends when the daemon has closed the connection.\n",
	.run = run,
};
