#include "sim.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void set_assignment(struct dataset *d, const char *assignment)
{
	const char *eq = strchr(assignment, '=');
	char key[MAX_NAME];

	if (eq == NULL)
		die("missing '=' in property assignment '%s'", assignment);
	name_copy(key, assignment, (size_t)(eq - assignment));
	ds_set_prop(d, key, eq + 1);
}

int cmd_set(int argc, char **argv)
{
	struct dataset d;

	if (argc < 3)
		usage("\tset <property=value> ... <filesystem|volume|snapshot> ...");
	target_open(&d, argv[argc - 1], true);
	for (int i = 1; i < argc - 1; i++)
		set_assignment(&d, argv[i]);
	ds_save(&d);
	return 0;
}

int cmd_inherit(int argc, char **argv)
{
	struct dataset d;

	if (argc != 3)
		usage("\tinherit <property> <filesystem|volume>");
	target_open(&d, argv[2], true);
	ds_unset_prop(&d, argv[1]);
	ds_save(&d);
	return 0;
}

void create_parents(const char *name)
{
	char parent[MAX_NAME];
	struct dataset d;

	for (const char *p = name; (p = strchr(p, '/')) != NULL; p++) {
		name_copy(parent, name, (size_t)(p - name));
		if (ds_exists(parent))
			continue;
		ds_init(&d, parent, 'f');
		ds_create(&d);
	}
}

static void check_parent(const char *name)
{
	const char *slash = strrchr(name, '/');
	char parent[MAX_NAME];

	if (slash == NULL)
		return;
	name_copy(parent, name, (size_t)(slash - name));
	if (!ds_exists(parent))
		die("cannot create '%s': parent does not exist", name);
}

int cmd_create(int argc, char **argv)
{
	static const char text[] = "\tcreate [-psu] [-o property=value] ... [-V size] "
				   "<dataset>";
	struct dataset options = { .type = 'f' }, d;
	bool parents = false;

	for (int c; (c = getopt(argc, argv, "+psub:o:V:")) != -1;) {
		if (c == 'o')
			set_assignment(&options, optarg);
		else if (c == 'V')
			options.type = 'v';
		else if (c == 'p')
			parents = true;
		else if (c == '?')
			usage(text);
	}
	if (optind + 1 != argc)
		usage(text);
	if (parents)
		create_parents(argv[optind]);
	check_parent(argv[optind]);
	ds_init(&d, argv[optind], options.type);
	d.props = options.props;
	d.nprops = options.nprops;
	if (!ds_create(&d))
		die("cannot create '%s': dataset already exists", argv[optind]);
	return 0;
}

/* False, with words, if it cannot be taken. */
static bool can_snapshot(const char *fs, const char *snap)
{
	struct dataset d;

	if (!ds_open(&d, fs, false)) {
		say_missing(fs);
		return false;
	}
	if (ds_version(&d, '@', snap) == NULL)
		return true;
	fprintf(stderr, "cannot create snapshot '%s@%s': dataset already exists\n", fs,
		snap);
	return false;
}

static void snapshot_one(const char *fs, const char *snap)
{
	struct dataset d;

	if (!ds_open(&d, fs, true))
		die_missing(fs);
	ds_add_version(&d, (struct version){ '@', dup_text(snap), guid_new(), txg_take(1),
					     (uint64_t)time(NULL), "" });
	ds_unset_prop(&d, "sim:written");
	ds_save(&d);
}

/* All of them, or none if one cannot be. */
int cmd_snapshot(int argc, char **argv)
{
	bool recursive = false, ok = true;

	for (int c; (c = getopt(argc, argv, "+ro:")) != -1;) {
		if (c == '?')
			usage("\tsnapshot [-r] [-o property=value] ... <dataset>@<snap> "
			      "...");
		recursive |= c == 'r';
	}
	if (optind == argc)
		usage("\tsnapshot [-r] [-o property=value] ... <dataset>@<snap> ...");
	for (int doing = 0; doing < 2; doing++) {
		for (int i = optind; i < argc; i++) {
			char *fs = dup_text(argv[i]), *snap = strchr(fs, '@');
			char **names = &fs;
			size_t n = 1;

			if (snap == NULL)
				die("cannot create snapshot '%s': missing '@' delimiter",
				    argv[i]);
			*snap++ = '\0';
			if (recursive)
				names = ds_names(fs, &n);
			for (size_t k = 0; k < n; k++) {
				if (doing)
					snapshot_one(names[k], snap);
				else
					ok &= can_snapshot(names[k], snap);
			}
		}
		if (!ok)
			die("no snapshots were created");
	}
	return 0;
}

int cmd_bookmark(int argc, char **argv)
{
	struct dataset d;
	struct version *v, bookmark;
	char *hash;

	if (argc != 3 || (hash = strchr(argv[2], '#')) == NULL)
		usage("\tbookmark <snapshot|bookmark> <newbookmark>");
	v = target_open(&d, argv[1], true);
	if (v == NULL)
		die("cannot create bookmark '%s': invalid source", argv[2]);
	if (ds_version(&d, '#', hash + 1) != NULL)
		die("cannot create bookmark '%s': bookmark exists", argv[2]);
	bookmark = *v;
	bookmark.kind = '#';
	bookmark.name = hash + 1;
	bookmark.tags = "";
	ds_add_version(&d, bookmark);
	ds_save(&d);
	return 0;
}

static void destroy_datasets(const char *name, bool recursive)
{
	struct dataset d;
	size_t n;
	char **names;

	if (!ds_open(&d, name, false))
		die_missing(name);
	names = ds_names(name, &n);
	if (!recursive && (n > 1 || d.nversions > 0))
		die("cannot destroy '%s': filesystem has children\n"
		    "use '-r' to destroy the following datasets:\n%s",
		    name, names[n - 1]);
	while (n > 0)
		ds_remove(names[--n]);
}

struct doomed {
	bool *v; /* by the place among the versions */
	size_t found, held;
};

/* One item of "a,b%c": a snapshot, or all from one to another. */
static void doom(const struct dataset *d, char *item, struct doomed *doomed)
{
	char *last = strchr(item, '%');
	uint64_t from = 0, to = UINT64_MAX;

	if (last != NULL)
		*last++ = '\0';
	for (size_t i = 0; last != NULL && i < d->nversions; i++) {
		const struct version *v = &d->versions[i];

		if (v->kind == '@' && strcmp(v->name, item) == 0)
			from = v->txg;
		if (v->kind == '@' && strcmp(v->name, last) == 0)
			to = v->txg;
	}
	for (size_t i = 0; i < d->nversions; i++) {
		const struct version *v = &d->versions[i];

		if (v->kind != '@' || (last != NULL ? v->txg < from || v->txg > to
						    : strcmp(v->name, item) != 0))
			continue;
		doomed->v[i] = true;
		doomed->found++;
		if (*v->tags == '\0')
			continue;
		fprintf(stderr,
			"cannot destroy snapshot %s@%s: it's being held. "
			"Run 'zfs holds -r %s@%s' to see holders.\n",
			d->name, v->name, d->name, v->name);
		doomed->held++;
	}
}

/* As in ZFS, none is destroyed if one cannot be. */
static void destroy_snapshots(struct dataset *d, char *list, bool dry)
{
	struct doomed doomed = { .v = calloc(d->nversions + 1, sizeof(*doomed.v)) };
	size_t kept = 0;

	if (doomed.v == NULL)
		die("out of memory");
	for (char *item; (item = strsep(&list, ",")) != NULL;)
		doom(d, item, &doomed);
	if (doomed.found == 0)
		die("could not find any snapshots to destroy; check snapshot names.");
	if (doomed.held > 0)
		exit(1);
	if (dry)
		return;
	for (size_t i = 0; i < d->nversions; i++)
		if (!doomed.v[i])
			d->versions[kept++] = d->versions[i];
	d->nversions = kept;
	ds_save(d);
}

int cmd_destroy(int argc, char **argv)
{
	static const char text[] =
		"\tdestroy [-fnpRrv] <filesystem|volume>\n"
		"\tdestroy [-dnpRrv] <filesystem|volume>@<snap>[%<snap>][,...]\n"
		"\tdestroy <filesystem|volume>#<bookmark>";
	bool recursive = false, dry = false;
	struct dataset d;
	size_t len;
	char *arg, kind;

	for (int c; (c = getopt(argc, argv, "+fnpRrvd")) != -1;) {
		if (c == '?')
			usage(text);
		recursive |= c == 'r' || c == 'R';
		dry |= c == 'n';
	}
	if (optind + 1 != argc)
		usage(text);
	arg = argv[optind];
	len = strcspn(arg, "@#");
	kind = arg[len];
	if (kind == '\0') {
		destroy_datasets(arg, recursive);
		return 0;
	}
	arg[len] = '\0';
	if (!ds_open(&d, arg, true))
		die_missing(arg);
	if (kind == '@') {
		destroy_snapshots(&d, arg + len + 1, dry);
		return 0;
	}
	struct version *v = ds_version(&d, '#', arg + len + 1);

	if (v == NULL)
		die("bookmark '%s#%s' does not exist.", arg, arg + len + 1);
	memmove(v, v + 1, (size_t)(d.versions + --d.nversions - v) * sizeof(*v));
	ds_save(&d);
	return 0;
}

int cmd_rollback(int argc, char **argv)
{
	struct dataset d;
	struct version *v;
	uint64_t txg;
	size_t kept = 0;

	if (argc < 2)
		usage("\trollback [-rRf] <snapshot>");
	v = target_open(&d, argv[argc - 1], true);
	if (v == NULL)
		die("cannot rollback '%s': not a snapshot", argv[argc - 1]);
	txg = v->txg;
	for (size_t i = 0; i < d.nversions; i++)
		if (d.versions[i].txg <= txg)
			d.versions[kept++] = d.versions[i];
	d.nversions = kept;
	ds_save(&d);
	return 0;
}
