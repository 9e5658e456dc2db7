/*
 * Cron specifications: errors are one line, and what is accepted comes at times that
 * ascend, by whole seconds, within the years it is looked ahead.  The first two bytes
 * choose the time to begin at.
 */
#include "base/parse.h"
#include "codec/civil.h"
#include "codec/cron.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int64_t t, next;

	if (size < 2 || size > 200)
		return 0;
	/* 2000 to about 2045, by 6 hours */
	t = 946684800 + (int64_t)(data[0] << 8 | data[1]) * 21600;
	cleanup(str_freep) char *text =
		view_dup((struct view){ (const char *)data + 2, size - 2 });
	cleanup(cron_freep) struct cron *c = cron_new(text, t, &e);

	if (!c) {
		assert(e.kind == ERR_INVALID);
		for (const char *p = err_msg(&e); *p; p++)
			assert((unsigned char)*p >= ' ' && *p != 0x7f);
		return 0;
	}
	assert(strcmp(cron_text(c), text) == 0);
	for (int i = 0; i < 20; i++) {
		int64_t again;

		if (!cron_next(c, t, &next)) {
			assert(i > 0); /* else it would have been refused */
			break;
		}
		assert(next > t);
		assert(civil_from_s(next).year <=
		       civil_from_s(t).year + CRON_MAX_YEARS + 1);
		/* from just before it, it is the same */
		assert(cron_next(c, next - 1, &again) && again == next);
		t = next;
	}
	return 0;
}
