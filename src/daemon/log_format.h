/*
 * log_format.h - a log entry as a line of text.  Pure.
 *
 * human   TIME [LEVL][job][subsystem]: message field="value" ...
 * logfmt  time=... level=... job=... subsystem=... msg=... field=value ...
 * json    one object, keys sorted
 *
 * Appended without a newline; an entry is always one line, whatever is in it.
 */
#ifndef DAEMON_LOG_FORMAT_H
#define DAEMON_LOG_FORMAT_H

#include "base/buf.h"
#include "conf/config.h"

struct log_style {
	enum log_format format;
	bool time, level; /* human, logfmt */
	bool color;       /* human */
};

void log_format(struct buf *out, const struct log_style *style,
		const struct log_entry *e);

#endif
