#include "base/parse.h"
#include "base/vec.h"
#include "codec/dsname.h"
#include "zfs/cmd.h"
#include "zfs/names.h"
#include "zfs/output.h"

#include <string.h>

/*
 * Listings are about several datasets at once.  One that does not exist gets its line
 * on stderr, the others are listed all the same, and the exit status is 1.
 */
static int judge(const char *const *argv, const struct zfs_exit *x,
		 bool (*may_miss)(void *arg, struct view name), void *arg,
		 struct err *err)
{
	struct view said = buf_view(&x->text);
	size_t missing = 0;

	if (x->status == 0)
		return 0;
	while (said.p && said.len > 0) {
		struct view line = parse_field(&said, '\n'), name;

		if (line.len == 0)
			continue;
		if (!out_is_missing(line, &name) || !may_miss(arg, name))
			return zfs_exit_err(argv, x, err);
		missing++;
	}
	return missing > 0 ? 0 : zfs_exit_err(argv, x, err);
}

static void add_words(struct strs *argv, const char *const *words)
{
	for (; *words; words++)
		strs_add(argv, *words);
}

/* ---- datasets ---- */

static bool is_asked_for(const struct strs *roots, bool recursive, struct view name)
{
	cleanup(str_freep) char *path = NULL;

	if (!recursive)
		return zfs_names_find(roots, name) < roots->n;
	path = view_dup(name);
	for (size_t i = 0; i < roots->n; i++)
		if (dsname_is_at_or_below(path, roots->v[i]))
			return true;
	return false;
}

struct dataset_query {
	struct out_datasets got;
	const struct strs *names; /* roots, or exact names; sorted */
	bool recursive;
};

static bool dataset_may_miss(void *arg, struct view name)
{
	const struct dataset_query *q = arg;

	return is_asked_for(q->names, q->recursive, name);
}

static int take_dataset_line(void *arg, struct view line, struct err *err)
{
	struct dataset_query *q = arg;

	return out_dataset_line(&q->got, line, err);
}

static void query_free(struct dataset_query *q)
{
	out_datasets_free(&q->got);
}

/* names [from, to) into out; what was not asked for is dropped. */
static int get_datasets(struct ctx *ctx, struct zfs *z, const struct strs *names,
			bool recursive, struct zfs_datasets *out, struct err *err)
{
	static const char *const words[] = { "zfs",
					     "get",
					     "-Hp",
					     "-o",
					     "name,property,value,source",
					     "-t",
					     "filesystem,volume",
					     NULL };
	cleanup(strs_free) struct strs argv = { 0 };
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	cleanup(query_free) struct dataset_query q = {
		.names = names,
		.recursive = recursive,
	};
	struct zfs_cmd cmd = { .line = take_dataset_line, .arg = &q };

	add_words(&argv, words);
	if (recursive)
		strs_add(&argv, "-r");
	strs_add(&argv, "type,guid,encryption,zrepl:placeholder,receive_resume_token");
	if (!recursive || names->v[0][0] != '\0')
		strs_copy(&argv, names);
	cmd.argv = strs_argv(&argv);
	if (zfs_run(ctx, z, &cmd, &x, err) < 0 ||
	    judge(cmd.argv, &x, dataset_may_miss, &q, err) < 0)
		return -1;
	if (out_dataset_end(&q.got, err) < 0)
		return err_wrap(err, "zfs get");
	for (size_t i = 0; i < q.got.list.n; i++) {
		struct zfs_dataset *ds = &q.got.list.v[i];

		if (!is_asked_for(names, recursive, view_of(ds->name)))
			continue;
		VEC_PUSH(out, *ds);
		*ds = (struct zfs_dataset){ 0 };
	}
	return 0;
}

/* Sorted; only those that are not below another one, and "" alone. */
static int check_roots(const struct strs *subtrees, struct strs *out, struct err *err)
{
	for (size_t i = 0; subtrees && i < subtrees->n; i++)
		if (subtrees->v[i][0] != '\0' &&
		    zfs_check_dataset(subtrees->v[i], err) < 0)
			return -1;
	for (size_t i = 0; subtrees && i < subtrees->n; i++) {
		bool is_covered = false;

		for (size_t k = 0; k < subtrees->n && !is_covered; k++)
			is_covered = dsname_is_below(subtrees->v[i], subtrees->v[k]);
		if (!is_covered)
			strs_add(out, subtrees->v[i]);
	}
	zfs_sort_unique(out);
	return 0;
}

static int compare_datasets(const void *a, const void *b)
{
	const struct zfs_dataset *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int sort_datasets(struct zfs_datasets *l, struct err *err)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare_datasets);
	for (size_t i = 1; i < l->n; i++)
		if (strcmp(l->v[i - 1].name, l->v[i].name) == 0)
			return err_set(err, ERR_PROTOCOL, "zfs get: lists %s twice",
				       l->v[i].name);
	return 0;
}

static int list_exact(struct ctx *ctx, struct zfs *z, const struct strs *roots,
		      const struct strs *exact, struct zfs_datasets *out, struct err *err)
{
	cleanup(strs_free) struct strs all = { 0 }, rest = { 0 };

	if (zfs_check_datasets(exact, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++)
		if (!is_asked_for(roots, true, view_of(all.v[i])))
			strs_add(&rest, all.v[i]);
	for (size_t from = 0, to; from < rest.n; from = to) {
		struct strs batch =
			zfs_slice(&rest, from, to = zfs_batch_end(&rest, from));

		if (get_datasets(ctx, z, &batch, false, out, err) < 0)
			return -1;
	}
	return 0;
}

int zfs_list_datasets(struct ctx *ctx, struct zfs *z, const struct strs *subtrees,
		      const struct strs *exact, struct zfs_datasets *out, struct err *err)
{
	cleanup(strs_free) struct strs roots = { 0 };
	cleanup(zfs_datasets_free) struct zfs_datasets l = { 0 };

	if (check_roots(subtrees, &roots, err) < 0 ||
	    (roots.n > 0 && get_datasets(ctx, z, &roots, true, &l, err) < 0) ||
	    (exact && list_exact(ctx, z, &roots, exact, &l, err) < 0) ||
	    sort_datasets(&l, err) < 0)
		return err_wrap(err, "list datasets");
	*out = l;
	l = (struct zfs_datasets){ 0 };
	return 0;
}

const struct zfs_dataset *zfs_datasets_find(const struct zfs_datasets *l,
					    const char *name)
{
	struct zfs_dataset key = { .name = (char *)name };

	return l->n ? bsearch(&key, l->v, l->n, sizeof(*l->v), compare_datasets) : NULL;
}

void zfs_datasets_free(struct zfs_datasets *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].resume_token);
		free(l->v[i].placeholder);
	}
	free(l->v);
	*l = (struct zfs_datasets){ 0 };
}

/* ---- versions ---- */

struct version_query {
	const struct strs *names; /* sorted, unique */
	struct versions *lists;   /* one for each */
	bool *is_missing;         /* likewise */
	size_t last;              /* listings come dataset by dataset */
};

static void version_query_free(struct version_query *q)
{
	for (size_t i = 0; q->lists && i < q->names->n; i++)
		versions_free(&q->lists[i]);
	free(q->lists);
	free(q->is_missing);
}

static int take_version_line(void *arg, struct view line, struct err *err)
{
	struct version_query *q = arg;
	struct version v;
	struct view fs;

	if (out_version(line, &fs, &v, err) < 0)
		return -1;
	if (q->last == q->names->n || !view_eq(fs, view_of(q->names->v[q->last])))
		q->last = zfs_names_find(q->names, fs);
	if (q->last < q->names->n)
		versions_add(&q->lists[q->last], v);
	else
		version_fini(&v); /* of a dataset that nobody asked for */
	return 0;
}

/* A snapshot that goes while it is listed is not the dataset. */
static bool version_may_miss(void *arg, struct view name)
{
	struct version_query *q = arg;
	const char *at = memchr(name.p, '@', name.len);
	struct view fs = { name.p, at ? (size_t)(at - name.p) : name.len };
	size_t i = zfs_names_find(q->names, fs);

	if (i == q->names->n)
		return false;
	if (!at)
		q->is_missing[i] = true;
	return true;
}

static int list_batch(struct ctx *ctx, struct zfs *z, const char *types,
		      struct version_query *q, const struct strs *batch, struct err *err)
{
	const char *words[] = {
		"zfs", "list", "-Hp", "-o", "name,guid,createtxg,creation,userrefs",
		"-t",  types,  "-d",  "1",  "-r",
		NULL
	};
	cleanup(strs_free) struct strs argv = { 0 };
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	struct zfs_cmd cmd = { .line = take_version_line, .arg = q };

	add_words(&argv, words);
	strs_copy(&argv, batch);
	cmd.argv = strs_argv(&argv);
	if (zfs_run(ctx, z, &cmd, &x, err) < 0)
		return -1;
	return judge(cmd.argv, &x, version_may_miss, q, err);
}

/* From one list for each name to one for each that was asked for. */
static void hand_out(struct version_query *q, const struct strs *fs,
		     struct zfs_version_lists *out)
{
	size_t *first = xcalloc(q->names->n + 1, sizeof(*first)); /* plus one */

	for (size_t i = 0; i < fs->n; i++) {
		size_t k = zfs_names_find(q->names, view_of(fs->v[i]));
		struct zfs_version_list l = {
			.fs = xstrdup(fs->v[i]),
			.exists = !q->is_missing[k],
		};

		if (first[k] > 0) {
			versions_copy(&l.versions, &out->v[first[k] - 1].versions);
		} else {
			versions_sort(&q->lists[k]);
			l.versions = q->lists[k];
			q->lists[k] = (struct versions){ 0 };
			first[k] = i + 1;
		}
		VEC_PUSH(out, l);
	}
	free(first);
}

int zfs_list_versions(struct ctx *ctx, struct zfs *z, const struct strs *fs,
		      unsigned kinds, struct zfs_version_lists *out, struct err *err)
{
	static const char *const types[] = {
		[ZFS_SNAPSHOTS] = "snapshot",
		[ZFS_BOOKMARKS] = "bookmark",
		[ZFS_SNAPSHOTS | ZFS_BOOKMARKS] = "bookmark,snapshot",
	};
	cleanup(strs_free) struct strs names = { 0 };
	cleanup(version_query_free) struct version_query q = { .names = &names };

	if (kinds == 0 || kinds >= ARRAY_LEN(types))
		return err_set(err, ERR_INTERNAL, "list versions: neither kind");
	if (zfs_check_datasets(fs, &names, err) < 0)
		return err_wrap(err, "list versions");
	q.lists = xcalloc(names.n + 1, sizeof(*q.lists));
	q.is_missing = xcalloc(names.n + 1, sizeof(*q.is_missing));
	q.last = names.n;
	for (size_t from = 0, to; from < names.n; from = to) {
		struct strs batch =
			zfs_slice(&names, from, to = zfs_batch_end(&names, from));

		const int64_t start_us = now_in_us();

		if (list_batch(ctx, z, types[kinds], &q, &batch, err) < 0)
			return err_wrap(err, "list versions");
		zfs_meter_set(z->meters.list_versions, &batch, start_us);
	}
	*out = (struct zfs_version_lists){ 0 };
	hand_out(&q, fs, out);
	return 0;
}

void zfs_version_lists_free(struct zfs_version_lists *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].fs);
		versions_free(&l->v[i].versions);
	}
	free(l->v);
	*l = (struct zfs_version_lists){ 0 };
}

/* ---- written ---- */

struct written_query {
	const struct strs *names; /* sorted, unique */
	struct zfs_written *v;    /* one for each */
};

static int take_written_line(void *arg, struct view line, struct err *err)
{
	struct written_query *q = arg;
	struct view name;
	uint64_t bytes;
	size_t i;

	if (out_written(line, &name, &bytes, err) < 0)
		return -1;
	i = zfs_names_find(q->names, name);
	if (i < q->names->n)
		q->v[i] = (struct zfs_written){ .exists = true, .bytes = bytes };
	return 0;
}

static bool written_may_miss(void *arg, struct view name)
{
	const struct written_query *q = arg;

	return zfs_names_find(q->names, name) < q->names->n;
}

static int list_written(struct ctx *ctx, struct zfs *z, struct written_query *q,
			const struct strs *batch, struct err *err)
{
	static const char *const words[] = {
		"zfs", "list", "-Hp", "-o", "name,written", "-t", "filesystem,volume",
		NULL
	};
	cleanup(strs_free) struct strs argv = { 0 };
	cleanup(zfs_exit_free) struct zfs_exit x = { 0 };
	struct zfs_cmd cmd = { .line = take_written_line, .arg = q };

	add_words(&argv, words);
	strs_copy(&argv, batch);
	cmd.argv = strs_argv(&argv);
	if (zfs_run(ctx, z, &cmd, &x, err) < 0)
		return -1;
	return judge(cmd.argv, &x, written_may_miss, q, err);
}

int zfs_list_written(struct ctx *ctx, struct zfs *z, const struct strs *fs,
		     struct zfs_written *out, struct err *err)
{
	cleanup(strs_free) struct strs names = { 0 };
	struct written_query q = { .names = &names };
	int r = 0;

	if (zfs_check_datasets(fs, &names, err) < 0)
		return err_wrap(err, "list what is written");
	q.v = xcalloc(names.n + 1, sizeof(*q.v));
	for (size_t from = 0, to; from < names.n && r == 0; from = to) {
		struct strs batch =
			zfs_slice(&names, from, to = zfs_batch_end(&names, from));

		r = list_written(ctx, z, &q, &batch, err);
	}
	for (size_t i = 0; i < fs->n && r == 0; i++)
		out[i] = q.v[zfs_names_find(&names, view_of(fs->v[i]))];
	free(q.v);
	return r < 0 ? err_wrap(err, "list what is written") : 0;
}
