#include "snap/syncup.h"

#include <inttypes.h>

static int64_t due(int64_t latest_s, int64_t interval_s)
{
	int64_t t;

	return __builtin_add_overflow(latest_s, interval_s, &t) ? INT64_MAX : t;
}

int syncup_when(const struct syncup_fs *fs, size_t n, int64_t now_s, int64_t interval_s,
		int64_t *when_s, struct err *err)
{
	bool has_history = false;
	size_t in_future = 0;
	int64_t first = now_s;

	for (size_t i = 0; i < n; i++) {
		if (!fs[i].has_snapshot)
			continue;
		if (fs[i].latest_s > now_s) {
			in_future++;
			continue;
		}
		int64_t t = due(fs[i].latest_s, interval_s);

		if (!has_history || t < first)
			first = t;
		has_history = true;
	}
	if (n > 0 && in_future == n)
		return err_set(
			err, ERR_INVALID,
			"the latest snapshot of every filesystem is in the future, "
			"that of %s by %" PRId64 " seconds",
			fs[0].path, fs[0].latest_s - now_s);
	*when_s = first;
	return 0;
}

static bool counts(const struct syncup_fs *fs, int64_t now_s)
{
	return fs->has_snapshot && fs->latest_s <= now_s;
}

void syncup_level(struct syncup_fs *fs, size_t n, int64_t now_s)
{
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < n; i++)
		if (counts(&fs[i], now_s) && fs[i].latest_s > newest)
			newest = fs[i].latest_s;
	for (size_t i = 0; i < n; i++)
		if (counts(&fs[i], now_s))
			fs[i].latest_s = newest;
}
