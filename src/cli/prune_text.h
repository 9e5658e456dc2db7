/*
 * prune_text.h - what pruning would destroy, to read or as JSON.  Pure.
 *
 *	{ "job": ..., "sides": [ {
 *	    "side": "sender" | "receiver" | "local",
 *	    "error": null | why nothing is known of this side,
 *	    "filesystems": [ { "path": ..., "skipped": null | why, "error": null | why,
 *	        "snapshots": [ { "name": ..., "created": RFC 3339, "replicated": bool,
 *	                         "destroy": bool, "reason": ... } ] } ] } ],
 *	  "destroy": number, "keep": number, "errors": number }
 *
 * Of a filesystem with an error nothing or less than all may be known.
 */
#ifndef CLI_PRUNE_TEXT_H
#define CLI_PRUNE_TEXT_H

#include "codec/tzif.h"
#include "prune/plan.h"

struct prune_text_side {
	enum prune_side side;
	struct prune_plan plan;
	struct err err; /* of the side as a whole */
};

struct prune_counts {
	size_t filesystems, skipped, errors; /* errors: filesystems, or a side */
	size_t keep, destroy;
};
void prune_text_count(const struct prune_text_side *s, struct prune_counts *c); /* adds */

/* Appends lines; times as in zone.  The error of the side itself is not among them. */
void prune_text_put(struct buf *out, const struct prune_text_side *s,
		    const struct tzif *zone);
void prune_text_put_json(struct buf *out, const char *job,
			 const struct prune_text_side *sides, size_t n);

#endif
