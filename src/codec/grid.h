/*
 * grid.h - the text of a retention grid: "1x1h(keep=all) | 24x1h | 30x1d(keep=2)".
 *
 * Parsing only; prune/ says what a grid keeps.
 */
#ifndef CODEC_GRID_H
#define CODEC_GRID_H

#include "base/err.h"

enum { GRID_KEEP_ALL = -1, GRID_MAX_BUCKETS = 100000 };

/* NxL(keep=K), adjacent and from the youngest into the past. */
struct grid_interval {
	int64_t repeat;   /* >= 1 */
	int64_t length_s; /* > 0 */
	int64_t keep;     /* >= 1, or GRID_KEEP_ALL */
};

struct grid {
	struct grid_interval *v;
	size_t n, cap;
};

/*
 * ERR_INVALID: syntax, keep < 1 (but -1 means all), an interval shorter than the one
 * before it (unless all before it keep all), more than GRID_MAX_BUCKETS buckets, lengths
 * that overflow.
 */
int grid_parse(const char *text, struct grid *out, struct err *err) must_check;
void grid_free(struct grid *g);

#endif
