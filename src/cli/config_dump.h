/*
 * config_dump.h - the configuration as it was understood, as JSON (which is YAML too).
 * Passwords are not in it.
 */
#ifndef CLI_CONFIG_DUMP_H
#define CLI_CONFIG_DUMP_H

#include "base/buf.h"
#include "conf/config.h"

enum { DUMP_LOGGING = 1, DUMP_JOBS = 2, DUMP_GLOBAL = 4 };
#define DUMP_ALL ((unsigned)DUMP_LOGGING | DUMP_JOBS | DUMP_GLOBAL)

void config_dump(struct buf *out, const struct config *c, unsigned what);

#endif
