#include "conf/value.h"

#include "codec/cron.h"

#include <string.h>
#include <time.h>

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
	.see = "Durations",
	.want = "a duration above zero: one number and one unit, such as 10m or 1d, or "
		"manual",
	.size = sizeof(int64_t),
};

/* ---- cron ---- */

static void free_cron(void *p)
{
	cron_free(p);
}

static int decode_cron(struct schema *s, const struct schema_type *t,
		       const struct yaml_node *n, void *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct cron *cron;
	const char *text;

	if (schema_text(s, n, t->want, &text) < 0)
		return -1;
	if (!(cron = cron_new(text, time(NULL), &why)))
		return schema_fail_err(s, n, &why);
	arena_defer(s->arena, free_cron, cron);
	memcpy(out, &cron, sizeof(cron));
	return 0;
}

const struct schema_type value_cron = {
	.decode = decode_cron,
	.see = "Cron",
	.want = "minute, hour, day of month, month and day of week, such as "
		"\"15 * * * *\", perhaps with seconds before them",
	.size = sizeof(struct cron *),
};
