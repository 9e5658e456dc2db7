/*
 * transport.h - how a job connects, or listens, as the configuration says.
 *
 * Parts of a struct conf_job, which has them checked: see config.h.
 */
#ifndef CONF_TRANSPORT_H
#define CONF_TRANSPORT_H

#include "codec/ipmap.h"

enum conf_family { FAMILY_ANY, FAMILY_IPV4, FAMILY_IPV6 };

struct conf_hostport {
	/* "": all addresses (listening); an IPv6 address has no brackets */
	const char *host;
	const char *port; /* digits or a service's name, as written */
};

struct conf_tls { /* PEM files, which are read when a connection needs them */
	const char *ca, *cert, *key;
};

enum connect_type { CONNECT_LOCAL, CONNECT_TCP, CONNECT_TLS, CONNECT_SSH };

struct conf_connect {
	enum connect_type type;
	int64_t dial_timeout_ms; /* 0: local, tcp, tls: for ever; ssh: expired at once */
	/* local */
	const char *listener_name;
	const char *client_identity;
	/* tcp, tls */
	struct conf_hostport address;
	enum conf_family family;
	/* tls */
	struct conf_tls tls;
	const char *server_cn;     /* must be among the names of the peer's certificate */
	const char *server_cn_key; /* the key it stands in; NULL: "server_cn" */
	/* ssh */
	const char *ssh_host, *ssh_user, *ssh_identity_file, *ssh_command;
	int64_t ssh_port;
	const char **ssh_options; /* -o */
	size_t n_ssh_options;
};

struct conf_client {
	const char *address; /* or a network */
	const char *identity;
};

enum serve_type { SERVE_LOCAL, SERVE_TCP, SERVE_TLS, SERVE_STDINSERVER };

struct conf_serve {
	enum serve_type type;
	/* local */
	const char *listener_name;
	/* tcp, tls */
	struct conf_hostport listen;
	bool listen_freebind;
	/* tcp */
	const struct ipmap *clients;
	struct conf_client *client_texts; /* the same, as written */
	size_t n_client_texts;
	/* tls */
	struct conf_tls tls;
	const char **client_cns;
	size_t n_client_cns;
	int64_t handshake_timeout_ms; /* 0: expired at once */
	/* stdinserver */
	const char **client_identities;
	size_t n_client_identities;
};

/* The words of the file, such as "ssh+stdinserver". */
const char *connect_type_name(enum connect_type t);
const char *serve_type_name(enum serve_type t);

#endif
