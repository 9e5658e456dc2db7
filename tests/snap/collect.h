/*
 * collect.h - what was logged, a line each.
 */
#ifndef TEST_COLLECT_H
#define TEST_COLLECT_H

#include "base/strs.h"
#include "log_text.h"
#include "tap.h"

static inline void collect_log(void *arg, const struct log_entry *e)
{
	struct strs *log = arg;

	strs_addf(log, "%s %s@%s: %s: %s", log_level_name(e->level),
		  log_text_field(e, "fs"), log_text_field(e, "snap"), e->msg,
		  log_text_field(e, "err"));
}

static inline void check_list(const struct strs *l, const char *want)
{
	cleanup(str_freep) char *got = strs_join(l, "\n");

	CHECK_STR(got ? got : "", want);
}

#endif
