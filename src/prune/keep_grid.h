/*
 * keep_grid.h - what a retention grid keeps.  Pure.
 *
 * Buckets are laid out from `now` into the past.  The younger edge of a bucket belongs to
 * it, the older does not.  Of a bucket that holds more than it may, the oldest stay.
 * What is older than the last bucket goes, what is younger than `now` stays.  Buckets are
 * numbered from 1 on, the youngest first; what is in none has 0.
 * compat: zrepl 0.7.
 */
#ifndef PRUNE_KEEP_GRID_H
#define PRUNE_KEEP_GRID_H

#include "codec/grid.h"

/* dates: Unix time, youngest first.  Fills in keep[0..n) and bucket[0..n). */
void keep_grid(const struct grid *g, int64_t now_s, const int64_t *dates, size_t n,
	       bool *keep, uint64_t *bucket);

#endif
