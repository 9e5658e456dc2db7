/*
 * status_json.h - the status document of /status: member names, enum values and null
 * versus empty exactly as zrepl 0.7 gives them, and two members more: "Listener", of
 * passive jobs, and "Reason", of a snapshot in a pruning report (why it is kept, or not:
 * prune_reason_text()).  Pure: values in, text out.
 */
#ifndef DAEMON_STATUS_JSON_H
#define DAEMON_STATUS_JSON_H

#include "codec/jsonw.h"
#include "job/job.h"

/* { "type": ..., "<type>": { ... } } */
void status_json_job(struct jsonw *w, const struct job_status *s);

/* { "Active": [ ... ] | null }, { "Entries": [ ... ] } and the environment */
void status_json_global(struct jsonw *w, struct zfs *zfs, const struct env *env,
			char *const *environ_);

#endif
