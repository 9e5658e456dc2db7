#include "cli/local_zfs.h"
#include "cli/options.h"
#include "codec/dsname.h"
#include "conf/config.h"

/* Prints a line; false: that is no name of a dataset. */
static bool show(const struct dsfilter *filter, const char *dataset)
{
	cleanup(err_clear) struct err why = ERR_INIT;

	if (dsname_check_lenient(dataset, &why) < 0) {
		printf("ERROR\t%s\t%s\n", dataset, err_msg(&why));
		return false;
	}
	printf("%s\t%s\t\n", dsfilter_accepts(filter, dataset) ? "ACCEPT" : "REJECT",
	       dataset);
	return true;
}

static int show_all(const struct dsfilter *filter, bool *good, struct err *err)
{
	cleanup(local_zfs_fini) struct local_zfs z = { 0 };
	cleanup(zfs_datasets_free) struct zfs_datasets all = { 0 };

	if (local_zfs_init(&z, err) < 0 || local_zfs_list(&z, NULL, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++)
		*good = show(filter, all.v[i].name) && *good;
	return 0;
}

/* NULL: this kind of job has none. */
static const struct dsfilter *filter_of(const struct conf_job *job, struct err *err)
{
	switch (job->type) {
	case JOB_PUSH:
	case JOB_SOURCE:
	case JOB_SNAP:
		return &job->filesystems;
	case JOB_SINK:
	case JOB_PULL:
		break;
	}
	err_set(err, ERR_INVALID,
		"job \"%s\" is a %s job, which has no filter of filesystems", job->name,
		job_type_name(job->type));
	return NULL;
}

static int run(const struct command *self, const char *config_path, int argc, char **argv)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *config = NULL;
	const char *job_name = NULL, *input = NULL;
	bool all = false, good = true;
	const struct option_spec specs[] = {
		{ "job", 0, &job_name, NULL },
		{ "all", 0, NULL, &all },
		{ "input", 0, &input, NULL },
	};
	int n = options_parse(self, specs, ARRAY_LEN(specs), argc, argv);
	const struct dsfilter *filter;
	const struct conf_job *job;

	if (n < 0)
		return 1;
	if (n > 0)
		return cli_usage_error(self, "unexpected argument %s", argv[1]);
	if (!job_name)
		return cli_usage_error(self, "--job is missing");
	if (all == (input != NULL))
		return cli_usage_error(self, "expected one of --all and --input");
	if (!(config = cli_load(config_path, &err)))
		return cli_fail(&err);
	job = cli_find_job(config, job_name, &err);
	filter = job ? filter_of(job, &err) : NULL;
	if (!filter || (all && show_all(filter, &good, &err) < 0))
		return cli_fail(&err);
	if (input)
		good = show(filter, input);
	if (!good)
		fputs("not all of these are names of datasets\n", stderr);
	return good ? 0 : 1;
}

const struct command cmd_test_filesystems = {
	.name = "filesystems",
	.parent = &cmd_test,
	.args = "--job JOB (--all | --input DATASET)",
	.summary = "which datasets does the filter of a job accept?",
	.help = "Prints a line for each: ACCEPT, REJECT or ERROR, the dataset, and what "
		"is wrong\n"
		"with it, separated by tabs.\n"
		"\n"
		"Options:\n"
		"  --job JOB        a push, source or snap job\n"
		"  --all            all filesystems and volumes of this host\n"
		"  --input DATASET  this one, which need not exist\n",
	.run = run,
};
