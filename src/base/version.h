/*
 * version.h - what this program is.  The fields are those of zrepl 0.7, whose Go-specific
 * ones say what there is to say of a C program.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#include "base/base.h"

struct version_info {
	const char *version;
	const char *runtime; /* "glibc2.36" in place of Go's version */
	const char *os;
	const char *arch;
	const char *compiler;
};

const struct version_info *version_info(void);
/* "zrepl version=... go=... GOOS=... GOARCH=... Compiler=..."; the caller frees. */
char *version_text(const struct version_info *v) must_check;

#endif
