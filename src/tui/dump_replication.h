/*
 * dump_replication.h - the replication report of an active job as text: the attempts, and
 * the filesystems of the last one.  Pure, like dump.h.
 */
#ifndef TUI_DUMP_REPLICATION_H
#define TUI_DUMP_REPLICATION_H

#include "tui/page.h"

struct json_object;

/* report: "Replication" of the status document, or NULL: none yet. */
void dump_replication(struct page *p, struct json_object *report);

#endif
