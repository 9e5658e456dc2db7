#include "daemon/process_metrics.h"

#include "base/parse.h"
#include "base/version.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PLAIN(var_, type_, name_, help_)                          \
	static const struct metric_desc var_ = { .type = (type_), \
						 .name = (name_), \
						 .help = (help_) }

PLAIN(cpu_desc, METRIC_COUNTER, "process_cpu_seconds_total",
      "Total user and system CPU time spent in seconds.");
PLAIN(open_fds_desc, METRIC_GAUGE, "process_open_fds",
      "Number of open file descriptors.");
PLAIN(max_fds_desc, METRIC_GAUGE, "process_max_fds",
      "Maximum number of open file descriptors.");
PLAIN(resident_desc, METRIC_GAUGE, "process_resident_memory_bytes",
      "Resident memory size in bytes.");
PLAIN(virtual_desc, METRIC_GAUGE, "process_virtual_memory_bytes",
      "Virtual memory size in bytes.");
PLAIN(virtual_max_desc, METRIC_GAUGE, "process_virtual_memory_max_bytes",
      "Maximum amount of virtual memory available in bytes.");
PLAIN(started_desc, METRIC_GAUGE, "process_start_time_seconds",
      "Start time of the process since unix epoch in seconds.");

static const struct metric_desc start_desc = {
	.type = METRIC_GAUGE,
	.name = "zrepl_start_time",
	.help = "zrepl daemon start time",
	.labels = { "raw", "version_info" },
};

static void set(struct metrics *m, const struct metric_desc *d, double v)
{
	metric_set(metric_of(m, d), METRIC_NO_LABELS, v);
}

/* The fields of a one-line file of /proc, as text; "" if there is none. */
static struct view read_file(const char *path, char *text, size_t size)
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size);

	return (struct view){ text, n < 0 ? 0 : (size_t)n };
}

/* 0: no such field. */
static double nth_number(struct view fields, unsigned n)
{
	cleanup(err_clear) struct err ignored = ERR_INIT;
	struct view field = { 0 };
	uint64_t v = 0;

	for (unsigned i = 0; i <= n && fields.p; i++)
		field = parse_field(&fields, ' ');
	return parse_u64(view_trim(field), &v, &ignored) < 0 ? 0 : (double)v;
}

/* RLIM_INFINITY is a number, too, as Go's client has it. */
static double soft(const struct rlimit *l)
{
	return (double)l->rlim_cur;
}

static void update_descriptors(struct metrics *m)
{
	DIR *d = opendir("/proc/self/fd");
	int n = -3; /* ".", ".." and the one we look with */

	if (!d)
		return;
	while (readdir(d))
		n++;
	closedir(d);
	set(m, &open_fds_desc, n);
}

static void update_memory(struct metrics *m)
{
	char text[256];
	struct view statm = read_file("/proc/self/statm", text, sizeof(text));
	double page = (double)sysconf(_SC_PAGESIZE);

	set(m, &virtual_desc, nth_number(statm, 0) * page);
	set(m, &resident_desc, nth_number(statm, 1) * page);
}

void process_metrics_update(struct metrics *m)
{
	struct rusage u = { 0 };

	getrusage(RUSAGE_SELF, &u);
	set(m, &cpu_desc,
	    (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	update_descriptors(m);
	update_memory(m);
}

/* When the kernel started it, by its clock since boot. */
static double start_time(void)
{
	char text[1024];
	struct view stat = read_file("/proc/self/stat", text, sizeof(text));
	struct timespec now, up;
	const char *end = memrchr(text, ')', stat.len);

	if (!end || stat.len < (size_t)(end - text) + 2)
		return (double)time(NULL);
	stat = (struct view){ end + 2, stat.len - (size_t)(end + 2 - text) };
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	return (double)(now.tv_sec - up.tv_sec) +
	       (double)(now.tv_nsec - up.tv_nsec) / 1e9 +
	       nth_number(stat, 19) / (double)sysconf(_SC_CLK_TCK);
}

void process_metrics_start(struct metrics *m)
{
	const struct version_info *v = version_info();
	cleanup(str_freep) char *line = version_text(v);
	struct rlimit l;

	if (!m)
		return;
	metric_set(metric_of(m, &start_desc), METRIC_LABELS(v->version, line),
		   (double)time(NULL));
	set(m, &started_desc, start_time());
	if (getrlimit(RLIMIT_NOFILE, &l) == 0)
		set(m, &max_fds_desc, soft(&l));
	if (getrlimit(RLIMIT_AS, &l) == 0)
		set(m, &virtual_max_desc, soft(&l));
}
