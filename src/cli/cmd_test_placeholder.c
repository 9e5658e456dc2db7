#include "cli/local_zfs.h"
#include "cli/options.h"

static int show(const char *dataset, struct err *err)
{
	cleanup(local_zfs_fini) struct local_zfs z = { 0 };
	cleanup(zfs_datasets_free) struct zfs_datasets found = { 0 };

	if (local_zfs_init(&z, err) < 0 || local_zfs_list(&z, dataset, &found, err) < 0)
		return -1;
	if (dataset && found.n == 0)
		return err_set(err, ERR_NOT_FOUND, "filesystem %s does not exist",
			       dataset);
	for (size_t i = 0; i < found.n; i++) {
		const struct zfs_dataset *d = &found.v[i];

		printf("%s\t%s\t%s\n", d->is_placeholder ? "yes" : "no", d->name,
		       d->placeholder ? d->placeholder : "");
	}
	return 0;
}

static int run(const struct command *self, const char *config_path, int argc, char **argv)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	const char *dataset = NULL;
	bool all = false;
	const struct option_spec specs[] = {
		{ "dataset", 0, &dataset, NULL },
		{ "all", 0, NULL, &all },
	};
	int n = options_parse(self, specs, ARRAY_LEN(specs), argc, argv);

	(void)config_path;
	if (n < 0)
		return 1;
	if (n > 0)
		return cli_usage_error(self, "unexpected argument %s", argv[1]);
	if (all == (dataset != NULL))
		return cli_usage_error(self, "expected one of --dataset and --all");
	/* compat: zrepl 0.7: also if nothing follows */
	puts("IS_PLACEHOLDER\tDATASET\tzrepl:placeholder");
	fflush(stdout);
	return show(dataset, &err) < 0 ? cli_fail(&err) : 0;
}

const struct command cmd_test_placeholder = {
	.name = "placeholder",
	.parent = &cmd_test,
	.args = "(--dataset DATASET | --all)",
	.summary = "which datasets are placeholders?",
	.help = "Prints a line for each: yes or no, the dataset, and what "
		"zrepl:placeholder is set\n"
		"to there, separated by tabs.  Needs no configuration.\n"
		"\n"
		"Options:\n"
		"  --dataset DATASET  this one\n"
		"  --all              all filesystems and volumes of this host\n",
	.run = run,
};
