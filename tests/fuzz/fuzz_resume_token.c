/* What zfs says about a resume token. */
#include "base/parse.h"
#include "codec/dsname.h"
#include "codec/resume_token.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(resume_token_free) struct resume_token t = { 0 };
	cleanup(str_freep) char *dataset = NULL;

	if (resume_token_parse((struct view){ (const char *)data, size }, &t, &e) < 0) {
		assert(e.kind == ERR_INVALID || e.kind == ERR_NOT_FOUND);
		return 0;
	}
	dataset = resume_token_dataset(&t);
	assert(dataset[0] != '\0' && dsname_check_lenient(dataset, &e) == 0);
	assert(t.to_name[strlen(dataset)] == '@');
	return 0;
}
