/*
 * checks.h - what involves several jobs, or several keys of one.
 *
 * Everything is found, not only the first: each problem is one schema_fail() or
 * schema_warn(), at the key of the job that has to change.  Pure functions of the
 * configuration; 1,000 jobs take some milliseconds.
 *
 * What is refused although zrepl 0.7 accepts it, and why: docs/decisions/012.
 */
#ifndef CONF_CHECKS_H
#define CONF_CHECKS_H

#include "conf/meetings.h"
#include "conf/place.h"
#include "conf/schema.h"

/* The jobs of all files, those that were decoded without a problem; -1 if anything is
 * refused. */
int checks_run(struct schema *s, const struct conf_job *jobs, size_t n) must_check;
/* Names alone: those with a problem elsewhere are among them. */
int checks_names(struct schema *s, const struct conf_job *jobs, size_t n) must_check;

/* ---- its parts ---- */

struct checks {
	struct schema *s;
	const struct conf_job *jobs;
	size_t n;
	int result; /* -1 once something is refused */
};

/* key: "root_fs" for "jobs[2].root_fs" */
void checks_refuse(struct checks *c, const struct conf_job *j, const char *key,
		   const char *fmt, ...) printf_like(4, 5);
void checks_warn(struct checks *c, const struct conf_job *j, const char *key,
		 const char *fmt, ...) printf_like(4, 5);

/* Of the same name: one job, given twice.  Once this is mended, the rest probably is. */
bool checks_is_copy(const struct conf_job *a, const struct conf_job *b);
bool checks_takes_snapshots(const struct conf_job *j);

/* No job receives where another one does. */
void checks_places(struct checks *c, const struct places *p);
/* No job takes snapshots of what is received, nor sends it to where it is. */
void checks_filesystems(struct checks *c, const struct places *p);
/* No two jobs take snapshots of a dataset with the same prefix. */
void checks_prefixes(struct checks *c, const struct meetings *m);
/* What the keep rules destroy that they probably should not. */
void checks_keeps(struct checks *c, const struct meetings *m);

#endif
