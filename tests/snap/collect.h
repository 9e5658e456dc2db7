/*
 * collect.h - what was logged, a line each.
 */
#ifndef TEST_COLLECT_H
#define TEST_COLLECT_H

#include "base/log.h"
#include "base/strs.h"
#include "tap.h"

static inline const char *field(const struct log_entry *e, const char *key)
{
	for (size_t i = 0; i < e->n_fields; i++)
		if (strcmp(e->fields[i].key, key) == 0)
			return e->fields[i].value;
	return "";
}

static inline void collect_log(void *arg, const struct log_entry *e)
{
	struct strs *log = arg;

	strs_addf(log, "%s %s@%s: %s: %s", log_level_name(e->level), field(e, "fs"),
		  field(e, "snap"), e->msg, field(e, "err"));
}

static inline void check_list(const struct strs *l, const char *want)
{
	cleanup(str_freep) char *got = strs_join(l, "\n");

	CHECK_STR(got ? got : "", want);
}

#endif
