/* Retention grids: what is accepted keeps the promises of grid.h. */
#include "base/parse.h"
#include "codec/grid.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(str_freep) char *text =
		view_dup((struct view){ (const char *)data, size });
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(grid_free) struct grid g = { 0 };
	int64_t buckets = 0;

	if (grid_parse(text, &g, &e) < 0) {
		assert(e.kind == ERR_INVALID && g.n == 0);
		return 0;
	}
	assert(g.n > 0);
	for (size_t i = 0; i < g.n; i++) {
		assert(g.v[i].repeat >= 1 && g.v[i].length_s > 0);
		assert(g.v[i].keep >= 1 || g.v[i].keep == GRID_KEEP_ALL);
		buckets += g.v[i].repeat;
		assert(buckets <= GRID_MAX_BUCKETS);
	}
	return 0;
}
