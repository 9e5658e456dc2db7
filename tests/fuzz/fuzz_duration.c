/* Durations: what is accepted and shown again reads back as the same. */
#include "base/parse.h"
#include "codec/duration.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(str_freep) char *text =
		view_dup((struct view){ (const char *)data, size });
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(buf_free) struct buf shown = { 0 };
	int64_t ns, back;

	if (zdur_parse(text, &ns, &e) == 0)
		assert(ns % NS_PER_S == 0);
	if (gdur_parse(text, &ns, &e) < 0)
		return 0;
	gdur_format(&shown, ns);
	assert(gdur_parse(shown.p, &back, &e) == 0);
	assert(back == ns);
	bytes_format(&shown, (uint64_t)ns);
	return 0;
}
