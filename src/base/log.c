#include "base/log.h"

#include <stdarg.h>
#include <string.h>

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

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
	return level_names[level];
}

int log_level_parse(const char *name, enum log_level *out)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -1;
}
