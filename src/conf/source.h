/*
 * source.h - the files a configuration is read from.
 */
#ifndef CONF_SOURCE_H
#define CONF_SOURCE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"

enum { SOURCE_MAX_INCLUDED = 1000 }; /* files, in all */

/*
 * The first of n candidates that exists, borrowed.  NULL with ERR_SYSTEM: there is none;
 * with ERR_INVALID: the first one there is not a regular file.
 */
const char *source_find(const char *const *candidates, size_t n, struct err *err)
	must_check;

/* Replaces *out.  ERR_SYSTEM: cannot read; ERR_INVALID: larger than YAML_MAX_BYTES. */
int source_read(const char *path, struct buf *out, struct err *err) must_check;

/*
 * The files that `entry` of the include list of `main` stands for, appended to files: a
 * .yml file, or all of a directory, by name.  A relative entry is meant from main's
 * directory; if there is none, and one from the working directory, that is taken, and
 * *from_cwd says so (compat: zrepl 0.7).
 */
int source_expand(const char *main, const char *entry, struct strs *files, bool *from_cwd,
		  struct err *err) must_check;

#endif
