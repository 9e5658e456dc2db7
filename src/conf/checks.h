/*
 * checks.h - what involves several jobs, or several keys of one.
 *
 * Everything is found, not only the first: each problem is one schema_fail() or
 * schema_warn() at the place of the job that comes later in the files.
 */
#ifndef CONF_CHECKS_H
#define CONF_CHECKS_H

#include "conf/config.h"
#include "conf/schema.h"

/* The jobs of all files, those that were decoded without a problem.  -1 if anything is
 * refused. */
int checks_run(struct schema *s, const struct conf_job *jobs, size_t n) must_check;

#endif
