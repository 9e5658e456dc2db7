#include "conf/value.h"

#include <string.h>

/* ---- the interval of a pull job ---- */

static int decode_interval(struct schema *s, const struct schema_type *t,
			   const struct yaml_node *n, void *out)
{
	const struct schema_type positive = {
		.decode = schema_zdur.decode,
		.want = t->want,
		.size = t->size,
	};
	const char *text;
	int64_t manual = 0;

	if (schema_text(s, n, t->want, &text) < 0)
		return -1;
	if (strcmp(text, "manual") != 0)
		return positive.decode(s, &positive, n, out);
	memcpy(out, &manual, sizeof(manual));
	return 0;
}

const struct schema_type value_interval = {
	.decode = decode_interval,
	.want = "a duration above zero: one number and one unit, such as 10m or 1d, or "
		"manual",
	.size = sizeof(int64_t),
};
