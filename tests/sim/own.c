#include "sim.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void populate_one(const char *base, unsigned fs, unsigned nsnaps, uint64_t seed,
			 const char *cursor_job, const char *received_job)
{
	struct version v = { '@', NULL, 0, 0, 0, "" };
	struct dataset d;

	ds_init(&d, format("%s/fs%05u", base, fs), 'f');
	v.txg = txg_take(nsnaps);
	for (unsigned s = 0; s < nsnaps; s++, v.txg++) {
		char text[64];
		struct tm tm;

		v.creation = 1704067200 + (uint64_t)s * 600;
		gmtime_r(&(time_t){ (time_t)v.creation }, &tm);
		strftime(text, sizeof(text), "zrepl_%Y%m%d_%H%M%S_000", &tm);
		v.name = dup_text(text);
		v.guid = mix64(mix64(seed) ^ ((uint64_t)fs << 32 | (s + 1)));
		if (s + 1 == nsnaps && received_job != NULL)
			v.tags = format("zrepl_last_received_J_%s", received_job);
		ds_add_version(&d, v);
	}
	if (nsnaps > 0 && cursor_job != NULL) {
		v = d.versions[d.nversions - 1];
		v.name = format("zrepl_CURSOR_G_%016" PRIx64 "_J_%s", v.guid, cursor_job);
		v.kind = '#';
		v.tags = "";
		ds_add_version(&d, v);
	}
	if (!ds_create(&d))
		die("cannot create '%s': dataset already exists", d.name);
	free(d.versions);
}

int cmd_sim_populate(int argc, char **argv)
{
	const char *cursor_job = NULL, *received_job = NULL;
	uint64_t seed = 1;
	struct dataset d;

	for (int c; (c = getopt(argc, argv, "+g:c:l:")) != -1;) {
		if (c == 'g')
			seed = strtoull(optarg, NULL, 10);
		else if (c == 'c')
			cursor_job = optarg;
		else if (c == 'l')
			received_job = optarg;
		else
			usage("\tsim-populate [-g seed] [-c job] [-l job] base nfs "
			      "nsnaps");
	}
	if (optind + 3 != argc)
		usage("\tsim-populate [-g seed] [-c job] [-l job] base nfs nsnaps");
	create_parents(argv[optind]);
	ds_init(&d, argv[optind], 'f');
	ds_create(&d);
	for (unsigned i = 0; i < strtoul(argv[optind + 1], NULL, 10); i++)
		populate_one(argv[optind], i,
			     (unsigned)strtoul(argv[optind + 2], NULL, 10), seed,
			     cursor_job, received_job);
	return 0;
}

/* Of the snapshot with that guid, as a bookmark of it would have it, or a new one. */
static uint64_t txg_of(const struct dataset *d, uint64_t guid)
{
	for (size_t i = 0; i < d->nversions; i++)
		if (d->versions[i].guid == guid)
			return d->versions[i].txg;
	return txg_take(1);
}

int cmd_sim_version(int argc, char **argv)
{
	struct dataset d;
	struct version v = { .tags = "", .creation = (uint64_t)time(NULL) };
	char *delimiter;

	if (argc < 3 || (delimiter = strpbrk(argv[1], "@#")) == NULL)
		usage("\tsim-version <snapshot|bookmark> <guid> [tag] ...");
	v.kind = *delimiter;
	*delimiter = '\0';
	v.name = delimiter + 1;
	v.guid = strtoull(argv[2], NULL, 10);
	for (int i = 3; i < argc; i++)
		v.tags = i == 3 ? argv[i] : format("%s\t%s", v.tags, argv[i]);
	target_open(&d, argv[1], true);
	v.txg = v.kind == '#' ? txg_of(&d, v.guid) : txg_take(1);
	ds_add_version(&d, v);
	ds_save(&d);
	return 0;
}

static void show(struct buf *out, const char *name)
{
	struct dataset d;

	if (!ds_open(&d, name, false))
		die_missing(name);
	buf_str(out, name);
	for (size_t i = 0; i < d.nprops; i++)
		buf_str(out, format(" %s=%s", d.props[i].key, d.props[i].value));
	for (size_t i = 0; i < d.nversions; i++) {
		const struct version *v = &d.versions[i];
		char *tags = dup_text(v->tags);

		for (char *p = tags; *p != '\0'; p++)
			*p = *p == '\t' ? ' ' : *p;
		buf_str(out, format(" %c%s", v->kind, v->name));
		if (*tags != '\0')
			buf_str(out, format("{%s}", tags));
	}
	buf_str(out, "\n");
}

int cmd_sim_show(int argc, char **argv)
{
	struct buf out = { 0 };
	char **names = argv + 1;
	size_t n = (size_t)argc - 1;

	if (n == 0)
		names = ds_names(NULL, &n);
	for (size_t i = 0; i < n; i++)
		show(&out, names[i]);
	buf_flush(&out, STDOUT_FILENO);
	return 0;
}

int cmd_sim_fail(int argc, char **argv)
{
	if (argc != 2)
		usage("\tsim-fail <n>");
	fail_set(strtoull(argv[1], NULL, 10));
	return 0;
}
