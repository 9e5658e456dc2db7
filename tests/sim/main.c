#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int cmd_load_key(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	usage("\tload-key [-rn] [-L <keylocation>] <-a | filesystem|volume>");
}

static int cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("zfs-2.2.0-simzfs\nzfs-kmod-2.2.0-simzfs");
	return 0;
}

static int zpool(int argc, char **argv)
{
	const char *name = argc >= 2 ? argv[1] : "";
	char **names;
	size_t n;

	if (strcmp(name, "get") == 0) {
		if (!ds_exists(argv[argc - 1]))
			die("cannot open '%s': no such pool", argv[argc - 1]);
		puts("active");
		return 0;
	}
	if (strcmp(name, "list") != 0)
		die("simzfs: unsupported: zpool %s", name);
	names = ds_names(NULL, &n);
	for (size_t i = 0; i < n; i++)
		if (strchr(names[i], '/') == NULL)
			puts(names[i]);
	return 0;
}

/* Append what runs to $SIMZFS_LOG, in one write so that lines stay whole. */
static void log_start(int argc, char **argv)
{
	const char *path = getenv("SIMZFS_LOG");
	struct timespec t;
	struct buf b = { 0 };
	int fd;

	if (path == NULL || *path == '\0')
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	buf_u64(&b, (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
	buf_put(&b, " ", 1);
	buf_u64(&b, (uint64_t)getpid());
	buf_put(&b, " ", 1);
	buf_u64(&b, (uint64_t)getppid());
	for (int i = 0; i < argc; i++) {
		buf_put(&b, i == 0 ? " " : "\t", 1);
		buf_str(&b, argv[i]);
	}
	buf_put(&b, "\n", 1);
	buf_flush(&b, fd);
	close(fd);
}

/* Was this command line chosen to fail? */
static bool is_chosen(int argc, char **argv)
{
	const char *chosen = setting("SIMZFS_FAIL");
	struct buf line = { 0 };

	if (chosen == NULL)
		return false;
	for (int i = 1; i < argc; i++) {
		buf_str(&line, argv[i]);
		buf_put(&line, i + 1 < argc ? " " : "", 1);
	}
	buf_put(&line, "", 1);
	return line.data != NULL && strncmp(line.data, chosen, strlen(chosen)) == 0;
}

static const struct {
	const char *name;
	command_fn *run;
} commands[] = {
	{ "list", cmd_list },
	{ "get", cmd_get },
	{ "set", cmd_set },
	{ "inherit", cmd_inherit },
	{ "create", cmd_create },
	{ "destroy", cmd_destroy },
	{ "snapshot", cmd_snapshot },
	{ "snap", cmd_snapshot },
	{ "bookmark", cmd_bookmark },
	{ "hold", cmd_hold },
	{ "holds", cmd_holds },
	{ "release", cmd_release },
	{ "rollback", cmd_rollback },
	{ "send", cmd_send },
	{ "recv", cmd_recv },
	{ "receive", cmd_recv },
	{ "load-key", cmd_load_key },
	{ "version", cmd_version },
	{ "sim-populate", cmd_sim_populate },
	{ "sim-version", cmd_sim_version },
	{ "sim-show", cmd_sim_show },
	{ "sim-fail", cmd_sim_fail },
};

int main(int argc, char **argv)
{
	const char *base = strrchr(argv[0], '/');
	const char *name = argc >= 2 ? argv[1] : "";
	const char *delay = getenv("SIMZFS_DELAY_US");

	argv[0] = (char *)(base != NULL ? base + 1 : argv[0]);
	log_start(argc, argv);
	if (delay != NULL && *delay != '\0')
		usleep((useconds_t)strtoul(delay, NULL, 10));
	state_open();
	if (strncmp(name, "sim-", 4) != 0 && (fail_now() || is_chosen(argc, argv)))
		die("cannot %s: simulated failure", name);
	if (strcmp(argv[0], "zpool") == 0)
		return zpool(argc, argv);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	die("unrecognized command '%s'", name);
}
