/*
 * report.h - copies of a snapper's report, and their end.
 */
#ifndef SNAP_REPORT_H
#define SNAP_REPORT_H

#include "snap/snapper.h"

void snapper_report_dup(const struct snapper_report *r, struct snapper_report *out);

#endif
