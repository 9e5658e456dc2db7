/* The bytes of a time zone file. */
#include "codec/tzif.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(tzif_freep) struct tzif *z =
		tzif_parse((struct view){ (const char *)data, size }, &e);

	if (!z) {
		assert(e.kind == ERR_INVALID);
		return 0;
	}
	for (int64_t s = -(int64_t)60000000000; s < (int64_t)250000000000;
	     s += 1000000007) {
		struct tzif_time t = tzif_at(z, s);

		assert(t.offset_s >= -26 * 3600 && t.offset_s <= 26 * 3600);
		assert(strlen(t.abbrev) < 4096);
	}
	return 0;
}
