/*
 * global.h - the daemon as a whole, as the configuration says: where log lines go, who
 * may ask for metrics, where sockets are.
 *
 * A part of struct config, which has it checked: see config.h.
 */
#ifndef CONF_GLOBAL_H
#define CONF_GLOBAL_H

#include "base/log.h"
#include "conf/transport.h"

enum log_format { LOG_FORMAT_HUMAN, LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

enum outlet_type { OUTLET_STDOUT, OUTLET_SYSLOG, OUTLET_TCP };

struct conf_outlet {
	enum outlet_type type;
	const char *file; /* where it stands, for messages */
	unsigned line, column;
	const char *path; /* in its file: "global.logging[0]" */
	enum log_level level;
	enum log_format format;
	/* stdout, at most one */
	bool time, color;
	bool bare; /* `logging: []`: warn, human, without time and level */
	/* syslog, at most one, and tcp */
	int64_t retry_interval_ms; /* > 0 */
	unsigned facility;         /* syslog: its code in RFC 5424, kern 0 to local7 23 */
	/* tcp */
	enum conf_family family;
	struct conf_hostport address;
	bool has_tls;
	struct conf_tls tls;
};

struct conf_prometheus {
	struct conf_hostport listen;
	bool listen_freebind;
};

struct conf_global {
	struct conf_outlet *outlets;
	size_t n_outlets;                   /* >= 1 */
	struct conf_prometheus *prometheus; /* NULL: none */
	const char *control_sockpath;       /* fits into a sockaddr_un */
	const char *stdinserver_sockdir;    /* of serve type stdinserver */
};

/* The words of the file, such as "syslog" and "local0"; NULL: no such. */
const char *outlet_type_name(enum outlet_type t);
const char *facility_name(unsigned facility);

#endif
