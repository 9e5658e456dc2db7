/*
 * report.h - copies of a pruner's report, and their end.
 */
#ifndef PRUNE_REPORT_H
#define PRUNE_REPORT_H

#include "prune/pruner.h"

void prune_report_dup(const struct prune_report *r, struct prune_report *out);
void prune_report_fs_fini(struct prune_report_fs *f);

#endif
