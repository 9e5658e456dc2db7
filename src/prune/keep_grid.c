#include "prune/keep_grid.h"

#include "base/vec.h"

/* For date <= now, whatever a peer said. */
static uint64_t age(int64_t now_s, int64_t date)
{
	return (uint64_t)now_s - (uint64_t)date;
}

/* A bucket of n snapshots, youngest first. */
static void keep_oldest(int64_t how_many, bool *keep, size_t n)
{
	size_t surplus = 0;

	if (how_many != GRID_KEEP_ALL && n > (uint64_t)how_many)
		surplus = n - (size_t)how_many;
	for (size_t i = 0; i < n; i++)
		keep[i] = i >= surplus;
}

void keep_grid(const struct grid *g, int64_t now_s, const int64_t *dates, size_t n,
	       bool *keep, uint64_t *bucket)
{
	const struct grid_interval *iv;
	uint64_t edge = 0; /* age at the older edge of the bucket */
	uint64_t number = 0;
	size_t i = 0;

	for (; i < n && dates[i] > now_s; i++) {
		keep[i] = true;
		bucket[i] = 0;
	}
	VEC_FOREACH (iv, g) {
		for (int64_t b = 0; b < iv->repeat && i < n; b++) {
			size_t first = i;

			edge += (uint64_t)iv->length_s;
			number++;
			while (i < n && age(now_s, dates[i]) < edge)
				bucket[i++] = number;
			keep_oldest(iv->keep, keep + first, i - first);
		}
	}
	for (; i < n; i++) {
		keep[i] = false;
		bucket[i] = 0;
	}
}
