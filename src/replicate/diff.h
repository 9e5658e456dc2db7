/*
 * diff.h - what a receiver lacks, or why that cannot be said.  Pure.
 */
#ifndef REPLICATE_DIFF_H
#define REPLICATE_DIFF_H

#include "zfs/version.h"

enum diff_outcome {
	DIFF_PATH,       /* increments to send */
	DIFF_UP_TO_DATE, /* the newest common one is the newest on both sides */
	DIFF_NO_COMMON,  /* nothing in common; the receiver may be empty */
	DIFF_DIVERGED,   /* the receiver has snapshots after the newest common one */
	DIFF_NO_SENDER_VERSIONS,
};

/* Pointers are borrowed from the lists that were compared. */
struct diff {
	enum diff_outcome outcome;
	/* DIFF_PATH: path[0] (may be a bookmark) is common, steps are consecutive pairs;
	 * n >= 2 */
	const struct version **path;
	size_t n;
	/* DIFF_DIVERGED: newest common version, and what comes after it on each side */
	const struct version *common_sender, *common_receiver;
};

/*
 * Both lists are sorted (versions_sort); bookmarks of the receiver are ignored.  compat:
 * zrepl 0.7: versions are matched by guid, scanning both from the newest, the receiver's
 * in the outer loop; bookmarks of the sender serve only as the start.
 */
void diff_versions(const struct versions *sender, const struct versions *receiver,
		   struct diff *out);
void diff_free(struct diff *d);

/* One line that names what each side has, for DIFF_NO_COMMON and DIFF_DIVERGED; the
 * caller frees.  Long lists are shortened: first, last and how many. */
char *diff_explain(const struct diff *d, const struct versions *sender,
		   const struct versions *receiver) must_check;

#endif
