/*
 * abstraction.h - what we leave on the pools, by name (compat: zrepl 0.7, byte for byte).
 *
 *	#zrepl_CURSOR_G_<guid>_J_<job>            sender: replicated up to here
 *	#zrepl_CURSORTENTATIVE__G_<guid>_J_<job>  sender: an end of a step under way
 *	zrepl_STEP_J_<job>                        sender: hold on the ends of a step
 *	zrepl_last_received_J_<job>               receiver: hold on the newest one
 *
 * <guid> is 16 lower-case hexadecimal digits.  ZFS is the only database: these names are
 * all the state there is.  Pure text.
 */
#ifndef ENDPOINT_ABSTRACTION_H
#define ENDPOINT_ABSTRACTION_H

#include "base/err.h"
#include "zfs/version.h"

enum abstraction {
	ABS_NONE, /* not ours */
	ABS_CURSOR,
	ABS_TENTATIVE_CURSOR,
	ABS_CURSOR_V1, /* "zrepl_replication_cursor", has no job */
};

/* Short bookmark names and hold tags; the caller frees. */
char *abs_cursor_name(uint64_t guid, const char *job) must_check;
char *abs_tentative_name(uint64_t guid, const char *job) must_check;
char *abs_step_tag(const char *job) must_check;
char *abs_last_received_tag(const char *job) must_check;

/*
 * What a bookmark is.  *job is borrowed from the name (its tail), NULL for v1.  One whose
 * embedded guid is not its own is ABS_NONE.
 */
enum abstraction abs_of_bookmark(const struct version *bookmark, const char **job);

/* Is it of this kind and of this job? */
bool abs_is_bookmark(const struct version *v, enum abstraction kind, const char *job);

#endif
