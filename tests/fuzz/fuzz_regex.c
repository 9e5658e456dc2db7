/* Regular expressions: a pattern, a newline, and the text to match. */
#include "base/parse.h"
#include "codec/regex.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(str_freep) char *text =
		view_dup((struct view){ (const char *)data, size });
	cleanup(regex_freep) struct regex *r = NULL;
	char *newline = strchr(text, '\n');
	const char *subject = "zrepl_20200601_000000_000";
	int matches;

	if (newline) {
		*newline = '\0';
		subject = newline + 1;
	}
	r = regex_new(text, &e);
	if (!r) {
		assert(e.kind == ERR_INVALID);
		return 0;
	}
	matches = regex_matches(r, subject, &e);
	assert(matches >= 0 || e.kind == ERR_INTERNAL);
	return 0;
}
