#include "zfs/meter.h"

#include "zfs/cmd.h"

#include <string.h>

static const double command_bounds[] = { 0.01, 0.1, 0.2, 0.5, 0.75, 1, 2, 5, 10, 60 };

#define COMMAND(field_, help_)                                                   \
	{                                                                        \
		.type = METRIC_HISTOGRAM, .name = "zrepl_zfscmd_" field_,        \
		.help = (help_), .labels = { "jobid", "zfsbinary", "zfsverb" },  \
		.bounds = command_bounds, .n_bounds = ARRAY_LEN(command_bounds), \
	}

static const struct metric_desc runtime_desc =
	COMMAND("runtime", "number of seconds that the command took from start to end");
static const struct metric_desc user_desc =
	COMMAND("usertime", "number of seconds of CPU time that the command used itself");
static const struct metric_desc system_desc =
	COMMAND("systemtime",
		"number of seconds of CPU time that the kernel used for the command");

#define DURATION(what_, help_, ...)                                                 \
	{                                                                           \
		.type = METRIC_HISTOGRAM, .name = "zrepl_zfs_" what_ "_duration",   \
		.help = (help_), .labels = { __VA_ARGS__ },                         \
		.bounds = metric_default_bounds, .n_bounds = METRIC_DEFAULT_BOUNDS, \
	}

static const struct metric_desc list_versions_desc =
	DURATION("list_filesystem_versions",
		 "seconds it took to list the versions of a filesystem", "filesystem");
static const struct metric_desc snapshot_desc =
	DURATION("snapshot", "seconds it took to snapshot a filesystem", "filesystem");
static const struct metric_desc bookmark_desc =
	DURATION("bookmark", "seconds it took to bookmark a snapshot, checks included",
		 "filesystem");
static const struct metric_desc destroy_desc =
	DURATION("destroy", "seconds it took to destroy snapshots or a bookmark",
		 "dataset_type", "filesystem");
static const struct metric_desc unmatched_desc = {
	.type = METRIC_GAUGE,
	.name = "zrepl_zfs_list_unmatched_user_specified_dataset_count",
	.help = "datasets named in a filter that were not found, added up over listings",
	.labels = { "jobid" },
};

void zfs_meter(struct zfs *z, struct metrics *m)
{
	z->meters = (struct zfs_meters){
		.runtime = metric_of(m, &runtime_desc),
		.usertime = metric_of(m, &user_desc),
		.systemtime = metric_of(m, &system_desc),
		.list_versions = metric_of(m, &list_versions_desc),
		.snapshot = metric_of(m, &snapshot_desc),
		.bookmark = metric_of(m, &bookmark_desc),
		.destroy = metric_of(m, &destroy_desc),
		.unmatched = metric_of(m, &unmatched_desc),
	};
}

static const char *job_of(const struct zfs *z)
{
	return z->log.job ? z->log.job : "_nojobid";
}

static double seconds(int64_t us)
{
	return (double)us / 1e6;
}

void zfs_meter_child(const struct zfs_child *c)
{
	const struct zfs_meters *m = &c->z->meters;
	const char *labels[] = { job_of(c->z), c->argv[0], c->argv[1] ? c->argv[1] : "" };

	if (!m->runtime)
		return;
	metric_observe(m->runtime, labels, seconds(now_in_us() - c->started_us));
	if (c->proc.user_us < 0)
		return;
	metric_observe(m->usertime, labels, seconds(c->proc.user_us));
	metric_observe(m->systemtime, labels, seconds(c->proc.system_us));
}

void zfs_meter_one(struct metric *m, const char *const *labels, int64_t start_us)
{
	metric_observe(m, labels, seconds(now_in_us() - start_us));
}

static char *filesystem_of(const char *full)
{
	return xasprintf("%.*s", (int)strcspn(full, "@#"), full);
}

void zfs_meter_set(struct metric *m, const struct strs *names, int64_t start_us)
{
	const double s = seconds(now_in_us() - start_us);

	for (size_t i = 0; m && i < names->n; i++) {
		cleanup(str_freep) char *fs = filesystem_of(names->v[i]);

		metric_observe(m, METRIC_LABELS(fs), s);
	}
}

void zfs_meter_destroy(const struct zfs *z, const char *type, const char *full,
		       int64_t start_us)
{
	cleanup(str_freep) char *fs = NULL;

	if (!z->meters.destroy)
		return;
	fs = filesystem_of(full);
	zfs_meter_one(z->meters.destroy, METRIC_LABELS(type, fs), start_us);
}

/* A rule that rejects may be about what nobody has asked for. */
void zfs_meter_unmatched(const struct zfs *z, const struct dsfilter *filter,
			 const struct zfs_datasets *found)
{
	size_t n = 0;

	if (!z->meters.unmatched)
		return;
	for (size_t i = 0; i < filter->n; i++) {
		const struct dsfilter_rule *r = &filter->v[i];

		n += r->accept && *r->path && !zfs_datasets_find(found, r->path);
	}
	metric_add(z->meters.unmatched, METRIC_LABELS(job_of(z)), (double)n);
}
