/*
 * log.h - what the program says while it runs.
 *
 * A struct log is a small value: where entries go (a function), and the job
 * and subsystem that every entry carries.  It is copied freely; the strings
 * and the receiver of entries must outlive all copies.  Formats and outlets
 * are the daemon's business; a test passes a function that collects.
 *
 * Thread safety: a log may be used from any thread; the receiver serialises.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

#include <time.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *key;
	const char *value;
};

struct log_entry {
	enum log_level level;
	struct timespec time;  /* wall clock */
	const char *job;       /* or NULL */
	const char *subsystem; /* or NULL */
	const char *msg;
	const struct log_field *fields;
	size_t n_fields;
};

typedef void log_write_fn(void *arg, const struct log_entry *e);

/* A zeroed log drops everything. */
struct log {
	log_write_fn *write;
	void *arg;
	const char *job;
	const char *subsystem; /* one of: meta job repl endpoint pruning snapshot hook
				  zfs.cmd */
};

static inline struct log log_with_subsystem(const struct log *l, const char *subsystem)
{
	return (struct log){ l->write, l->arg, l->job, subsystem };
}

/*
 * log_info(&l, "took %zu snapshots", n);
 * log_at(&l, LOG_ERROR, LOG_FIELDS({ "fs", fs }, { "err", err_msg(&e) }), "cannot hold");
 */
#define LOG_FIELDS(...)                                              \
	((const struct log_field[]){ __VA_ARGS__ }),                 \
		(sizeof((const struct log_field[]){ __VA_ARGS__ }) / \
		 sizeof(struct log_field))
#define LOG_NO_FIELDS NULL, 0

#define log_debug(l, ...) log_at((l), LOG_DEBUG, LOG_NO_FIELDS, __VA_ARGS__)
#define log_info(l, ...)  log_at((l), LOG_INFO, LOG_NO_FIELDS, __VA_ARGS__)
#define log_warn(l, ...)  log_at((l), LOG_WARN, LOG_NO_FIELDS, __VA_ARGS__)
#define log_error(l, ...) log_at((l), LOG_ERROR, LOG_NO_FIELDS, __VA_ARGS__)

/* log_at is a macro so that fields and their count, one macro, count as two arguments. */
#define log_at(l, level, ...) log_write((l), (level), __VA_ARGS__)
void log_write(const struct log *l, enum log_level level, const struct log_field *fields,
	       size_t n_fields, const char *fmt, ...) printf_like(5, 6);

const char *log_level_name(enum log_level level); /* "debug" ... "error" */

#endif
