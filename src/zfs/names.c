#include "zfs/names.h"

#include "codec/dsname.h"

#include <string.h>

/*
 * Linux allows 2 MiB with the default stack limit; the environment and the system's
 * reserve must fit in as well.  500 of the longest names take 130 KiB.
 */
enum { BATCH_BYTES = 256 * 1024, TOKEN_MAX = 32 * 1024 };

static int check_pool(const char *name, struct err *err)
{
	char c = name[0];

	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return 0;
	return err_set(err, ERR_INVALID, "\"%s\" does not begin with a letter", name);
}

int zfs_check_dataset(const char *fs, struct err *err)
{
	return dsname_check_dataset(fs, err) < 0 ? -1 : check_pool(fs, err);
}

int zfs_check_version(const char *full, char kind, struct err *err)
{
	return dsname_check_version(full, kind, err) < 0 ? -1 : check_pool(full, err);
}

int zfs_check_token(const char *token, struct err *err)
{
	size_t len = strlen(token);

	if (len == 0 || token[0] == '-' || len > TOKEN_MAX ||
	    strspn(token, "0123456789abcdefABCDEF-") != len)
		return err_set(err, ERR_INVALID, "not a resume token: \"%.80s\"", token);
	return 0;
}

void zfs_sort_unique(struct strs *l)
{
	size_t n = 0;

	strs_sort(l);
	for (size_t i = 0; i < l->n; i++) {
		if (n > 0 && strcmp(l->v[i], l->v[n - 1]) == 0)
			free(l->v[i]);
		else
			l->v[n++] = l->v[i];
	}
	l->n = n;
}

int zfs_check_datasets(const struct strs *in, struct strs *out, struct err *err)
{
	for (size_t i = 0; i < in->n; i++)
		if (zfs_check_dataset(in->v[i], err) < 0)
			return -1;
	strs_copy(out, in);
	zfs_sort_unique(out);
	return 0;
}

int zfs_check_versions(const struct strs *in, char kind, struct strs *out,
		       struct err *err)
{
	for (size_t i = 0; i < in->n; i++)
		if (zfs_check_version(in->v[i], kind, err) < 0)
			return -1;
	strs_copy(out, in);
	zfs_sort_unique(out);
	return 0;
}

/* As strcmp(), which is how the list was sorted. */
static int compare(struct view a, const char *b)
{
	size_t n = strlen(b);
	int r = memcmp(a.p, b, a.len < n ? a.len : n);

	return r ? r : (a.len > n) - (a.len < n);
}

size_t zfs_names_find(const struct strs *sorted, struct view name)
{
	size_t lo = 0, hi = sorted->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int r = compare(name, sorted->v[mid]);

		if (r == 0)
			return mid;
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return sorted->n;
}

size_t zfs_batch_end(const struct strs *l, size_t from)
{
	size_t bytes = 0, i = from;

	while (i < l->n) {
		bytes += strlen(l->v[i]) + 1 + sizeof(char *);
		if (i > from && bytes > BATCH_BYTES)
			break;
		i++;
	}
	return i;
}
