/*
 * exporter.h - `monitoring: prometheus`: metrics over HTTP, at GET /metrics.
 *
 * Where it cannot listen the log says so, and every ten seconds it is tried again; the
 * daemon goes on.  There is nothing to ask for but the metrics, no TLS and no password:
 * who reaches the address reads them.  Connections, of all and of one address, header
 * sizes and idle times are bounded.
 */
#ifndef DAEMON_EXPORTER_H
#define DAEMON_EXPORTER_H

#include "base/metric.h"
#include "conf/config.h"

struct exporter_opts { /* borrowed until exporter_stop() */
	const struct conf_prometheus *conf;
	struct metrics *metrics;
	struct log log; /* of job _prometheus */
};

struct exporter;
struct exporter *exporter_start(const struct exporter_opts *o) must_check;
void exporter_stop(struct exporter *e); /* NULL is fine */

#endif
