/*
 * dump.h - a job's status as text, as `zrepl status --mode dump` shows it.
 *
 * Pure: a job of the status document (see daemon/status_json.h) in, lines out.  Members
 * that are missing or of another type than expected read as empty, so that the documents
 * of other versions can be shown as far as they go.
 */
#ifndef TUI_DUMP_H
#define TUI_DUMP_H

#include "base/buf.h"

#include <time.h>

struct json_object;
struct tzif;

/* Appends; `job` is the value below "Jobs"; times are shown in `zone`. */
void dump_job(struct buf *out, const char *name, struct json_object *job,
	      struct timespec now, const struct tzif *zone);

#endif
