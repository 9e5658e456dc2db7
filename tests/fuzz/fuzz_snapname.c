/* Names of snapshots: prefix, format and location, a line each. */
#include "base/parse.h"
#include "codec/dsname.h"
#include "codec/snapname.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct timespec times[] = {
		{ 1590969600, 0 }, { 1606780800, 999999999 }, { 2540000000, 123456789 },
		{ 0, 0 },          { INT64_MIN, 1 },          { INT64_MAX, 1 },
	};
	struct view rest = { (const char *)data, size };
	cleanup(str_freep) char *prefix = view_dup(parse_field(&rest, '\n'));
	cleanup(str_freep) char *format = view_dup(parse_field(&rest, '\n'));
	cleanup(str_freep) char *location = view_dup(parse_field(&rest, '\n'));
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(snapname_freep) struct snapname *s =
		snapname_new(prefix, format, location, &e);

	if (!s) {
		assert(e.kind == ERR_INVALID);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		cleanup(str_freep) char *name = snapname_at(s, times[i]);

		assert(strncmp(name, prefix, strlen(prefix)) == 0);
		assert(!strpbrk(name, "+@#/%"));
		if (i == 0)
			assert(dsname_check_component(name, &e) == 0);
	}
	return 0;
}
