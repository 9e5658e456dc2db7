/*
 * process_metrics.h - what the process itself uses: process_*, as all that Prometheus
 * watches has it, and zrepl_start_time.
 */
#ifndef DAEMON_PROCESS_METRICS_H
#define DAEMON_PROCESS_METRICS_H

#include "base/metric.h"

void process_metrics_start(struct metrics *m);  /* the daemon starts; m may be NULL */
void process_metrics_update(struct metrics *m); /* before they are read */

#endif
