/*
 * dsname.h - which names ZFS accepts, and which we accept.
 *
 * Pure text checks; nothing here asks ZFS.  All functions return 0, or -1 with
 * ERR_INVALID that shows the name (non-printing bytes escaped) and says what is
 * wrong with it.
 */
#ifndef CODEC_DSNAME_H
#define CODEC_DSNAME_H

#include "base/err.h"
#include "base/strs.h"

enum {
	ZFS_MAX_NAME = 255, /* bytes, of a dataset, snapshot or bookmark name */
	ZFS_MAX_HOLD_TAG = 255,
	ZFS_MAX_PROPERTY_NAME = 256,
};

/*
 * Lenient path: root_fs, filter patterns, CLI arguments.  "" is the empty path; none of
 * @ # | TAB < > *; the last component is not empty.
 */
int dsname_check_lenient(const char *path, struct err *err) must_check;

/*
 * Strict component: job names, client identities, snapshot names.  1..255 bytes of
 * [0-9A-Za-z], '-', '_', '.', ':', ' '; not "." or "..".
 */
int dsname_check_component(const char *name, struct err *err) must_check;

/* A dataset that we may create or receive into: strict components joined by '/'. */
int dsname_check_dataset(const char *path, struct err *err) must_check;

/*
 * FS@SNAP or FS#BOOKMARK (kind is '@' or '#') that we are about to create or send: at
 * most 255 bytes, exactly one delimiter, in the last component, all parts strict.
 */
int dsname_check_version(const char *full, char kind, struct err *err) must_check;

/* zrepl job name: a strict component that fits into our bookmark names and hold tags
 * (at most 203 bytes) and does not start with '_'. */
int dsname_check_job(const char *name, struct err *err) must_check;

/* 1..256 bytes of [0-9A-Za-z] - _ . : that do not start with '-'. */
int dsname_check_property(const char *name, struct err *err) must_check;

/* Is path equal to root, or below it?  By whole components; "" is above everything. */
bool dsname_is_at_or_below(const char *path, const char *root);
bool dsname_is_below(const char *path, const char *root);

/* "a/b/c" -> "a", "a/b" (ancestors only, from the pool downwards), appended to out. */
void dsname_ancestors(const char *path, struct strs *out);

#endif
