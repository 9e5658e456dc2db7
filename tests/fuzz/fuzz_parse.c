/* Numbers and fields: what is accepted prints as it was read. */
#include "base/parse.h"

#include <assert.h>
#include <inttypes.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view all = { (const char *)data, size };
	char text[32];

	while (all.p) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct view field = view_trim(parse_field(&all, ','));
		uint64_t u;
		int64_t i;

		if (parse_u64(field, &u, &e) == 0) {
			/* Leading zeros are digits as well. */
			while (field.len > 1 && *field.p == '0')
				field = (struct view){ field.p + 1, field.len - 1 };
			snprintf(text, sizeof(text), "%" PRIu64, u);
			assert(view_eq(field, view_of(text)));
		} else if (parse_i64(field, &i, &e) == 0) {
			assert(i <= 0 && view_starts(field, "-"));
		}
	}
	return 0;
}
