#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/*
 * 0, 1 and 2 are open afterwards, so that no file or socket gets one of these numbers.
 * What was closed is opened the wrong way round: using it still fails.
 */
static void open_standard_fds(void)
{
	static const int wrong_way[] = { O_WRONLY, O_RDONLY, O_RDONLY };
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", wrong_way[fd]) != fd)
			abort();
}

/* Whoever started us may have ignored it, and then exit statuses would be lost. */
static void reset_sigchld(void)
{
	struct sigaction def = { .sa_handler = SIG_DFL };

	sigaction(SIGCHLD, &def, NULL);
}

/* Half an answer is not a success, even if a full disk was noticed late. */
static int check_output(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "cannot write to standard output%s%s\n", errno ? ": " : "",
		errno ? strerrordesc_np(errno) : "");
	return 1;
}

int main(int argc, char **argv)
{
	open_standard_fds();
	reset_sigchld();
	return check_output(cli_main(argc, argv));
}
