#include "base/log.h"

#include <stdarg.h>

void log_write(const struct log *l, enum log_level level, const struct log_field *fields,
	       size_t n_fields, const char *fmt, ...)
{
	struct log_entry e = {
		.level = level,
		.job = l->job,
		.subsystem = l->subsystem,
		.fields = fields,
		.n_fields = n_fields,
	};
	cleanup(str_freep) char *msg = NULL;
	va_list ap;

	if (!l->write)
		return;
	va_start(ap, fmt);
	msg = xvasprintf(fmt, ap);
	va_end(ap);
	clock_gettime(CLOCK_REALTIME, &e.time);
	e.msg = msg;
	l->write(l->arg, &e);
}

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = {
		[LOG_DEBUG] = "debug",
		[LOG_INFO] = "info",
		[LOG_WARN] = "warn",
		[LOG_ERROR] = "error",
	};

	return names[level];
}
