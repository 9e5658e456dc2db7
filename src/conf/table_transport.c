#include "conf/tables.h"

#include "conf/value.h"

/* compat: zrepl 0.7: a timeout of zero is no limit for some, has expired for others. */
static void warn_expired(struct schema *s, const struct yaml_node *n, const char *key,
			 int64_t timeout_ms)
{
	size_t mark = schema_enter(s, ".%s", key);
	const struct yaml_node *at = yaml_get(n, key);

	if (timeout_ms == 0)
		schema_warn(s, at ? at : n,
			    "with a timeout of zero no connection will ever be made");
	schema_leave(s, mark);
}

/* ---- connect ---- */

#define AT(member) offsetof(struct conf_connect, member)

static const struct schema_type port_type = {
	.decode = schema_decode_int,
	.want = "a port, from 1 to 65535",
	.min = 1,
	.max = 65535,
};

static const struct schema_type server_cn_type = {
	.decode = schema_decode_string,
	.want = "one of the names in the server's certificate",
	.size = sizeof(const char *),
};
static const struct schema_type host_type = {
	.decode = schema_decode_string,
	.want = "the name or address of the host that ssh logs in to",
	.size = sizeof(const char *),
};
static const struct schema_type user_type = {
	.decode = schema_decode_string,
	.want = "the user as whom ssh logs in",
	.size = sizeof(const char *),
};
static const struct schema_type identity_file_type = {
	.decode = schema_decode_string,
	.want = "the path of the private key for ssh",
	.size = sizeof(const char *),
};

static const struct schema_key connect_local_keys[] = {
	REQUIRED("listener_name", &value_listener, AT(listener_name),
		 "The `listener_name` of a sink or source of the same daemon."),
	REQUIRED("client_identity", &value_identity, AT(client_identity),
		 "As whom to come."),
	DEFAULT("dial_timeout", &schema_gdur, AT(dial_timeout_ms), "2s",
		"How long to wait for the listener; 0: for ever."),
};
static const struct schema_key connect_tcp_keys[] = {
	REQUIRED("address", &value_hostport, AT(address),
		 "Where the other side listens. The connection is not encrypted."),
	DEFAULT("dial_timeout", &schema_gdur, AT(dial_timeout_ms), "10s",
		"How long connecting may take; 0: as long as it takes."),
};
static const struct schema_key connect_tls_keys[] = {
	REQUIRED("address", &value_hostport, AT(address),
		 "Where the other side listens."),
	REQUIRED(
		"ca", &value_pem_file, AT(tls.ca),
		"The certificates of the authorities that may have signed the server's."),
	REQUIRED("cert", &value_pem_file, AT(tls.cert),
		 "Our certificate, with those between it and the authority behind it. "
		 "Its common name is our identity there."),
	REQUIRED("key", &value_pem_file, AT(tls.key), "The private key of `cert`."),
	REQUIRED("server_cn", &server_cn_type, AT(server_cn),
		 "The name that must be among the subjectAltNames of the server's "
		 "certificate."),
	DEFAULT("dial_timeout", &schema_gdur, AT(dial_timeout_ms), "10s",
		"How long the TCP connection may take; 0: as long as it takes."),
};
static const struct schema_key connect_ssh_keys[] = {
	REQUIRED("host", &host_type, AT(ssh_host),
		 "Where `zrepl stdinserver` is run, by the forced command of the key."),
	REQUIRED("user", &user_type, AT(ssh_user), "As whom to log in."),
	REQUIRED("port", &port_type, AT(ssh_port), "The port of the ssh server."),
	REQUIRED("identity_file", &identity_file_type, AT(ssh_identity_file),
		 "The key to log in with."),
	OPTIONAL("options", &value_ssh_options, AT(ssh_options),
		 "Further options, each with `-o`. ssh is run without any environment, "
		 "not even HOME, and in batch mode."),
	OPTIONAL("ssh_command", &schema_string, AT(ssh_command),
		 "Another program than `ssh`."),
	OPTIONAL("transport_open_command", &value_ignored_texts, 0, "Of no effect."),
	DEFAULT("dial_timeout", &schema_gdur, AT(dial_timeout_ms), "10s",
		"How long all may take up to the first byte of the other side; 0 has "
		"expired at once, and is warned of."),
};

static int finish_connect_ssh(struct schema *s, const struct yaml_node *n, void *out)
{
	struct conf_connect *c = out;

	if (!c->ssh_command || !*c->ssh_command)
		c->ssh_command = "ssh";
	warn_expired(s, n, "dial_timeout", c->dial_timeout_ms);
	return 0;
}

static const struct schema_table connect_local_table =
	SCHEMA_TABLE("connect of type local", connect_local_keys, NULL);
static const struct schema_table connect_tcp_table =
	SCHEMA_TABLE("connect of type tcp", connect_tcp_keys, NULL);
static const struct schema_table connect_tls_table =
	SCHEMA_TABLE("connect of type tls", connect_tls_keys, NULL);
static const struct schema_table connect_ssh_table = SCHEMA_TABLE(
	"connect of type ssh+stdinserver", connect_ssh_keys, finish_connect_ssh);
static const struct schema_variant connect_variants[] = {
	{ "tcp", CONNECT_TCP, &connect_tcp_table, NULL, "TCP, not encrypted." },
	{ "tls", CONNECT_TLS, &connect_tls_table, NULL,
	  "TLS, where both sides show certificates." },
	{ "ssh+stdinserver", CONNECT_SSH, &connect_ssh_table, NULL,
	  "Through ssh, and `zrepl stdinserver` on the other side." },
	{ "local", CONNECT_LOCAL, &connect_local_table, NULL,
	  "To a job of the same daemon." },
};
static const struct schema_union connect_union =
	SCHEMA_UNION("connect type", connect_variants, AT(type));
const struct schema_type table_connect = {
	.decode = schema_decode_union,
	.want = "a map that says how to reach the other side, such as {type: tcp, "
		"address: \"backup1:8888\"}",
	.variants = &connect_union,
};

#undef AT

/* ---- serve ---- */

#define AT(member) offsetof(struct conf_serve, member)

static const struct schema_key serve_local_keys[] = {
	REQUIRED("listener_name", &value_listener, AT(listener_name),
		 "By which a push or pull job of the same daemon finds this one."),
};
static const struct schema_key serve_tcp_keys[] = {
	REQUIRED("listen", &value_hostport, AT(listen),
		 "Where to listen; with an empty host, on all addresses."),
	REQUIRED("clients", &value_clients, 0,
		 "Who may come, and as whom: addresses, or networks whose identity has "
		 "one `*` that becomes the address. The longest prefix wins. A "
		 "link-local address needs its zone: `fe80::/10%eth1`."),
	DEFAULT("listen_freebind", &schema_bool, AT(listen_freebind), "false",
		"Listen on an address that this host does not have yet."),
};
static const struct schema_key serve_tls_keys[] = {
	REQUIRED("listen", &value_hostport, AT(listen),
		 "Where to listen; with an empty host, on all addresses."),
	REQUIRED("ca", &value_pem_file, AT(tls.ca),
		 "The certificates of the authorities that may have signed a client's."),
	REQUIRED("cert", &value_pem_file, AT(tls.cert),
		 "Our certificate, with those between it and the authority behind it."),
	REQUIRED("key", &value_pem_file, AT(tls.key), "The private key of `cert`."),
	REQUIRED("client_cns", &value_identities, AT(client_cns),
		 "Who may come: the common names in certificates of clients, which also "
		 "are their identities."),
	DEFAULT("listen_freebind", &schema_bool, AT(listen_freebind), "false",
		"Listen on an address that this host does not have yet."),
	DEFAULT("handshake_timeout", &schema_gdur, AT(handshake_timeout_ms), "10s",
		"How long the TLS handshake may take; 0 has expired at once, and is "
		"warned of."),
};
static const struct schema_key serve_stdinserver_keys[] = {
	REQUIRED("client_identities", &value_identities, AT(client_identities),
		 "Who may come, through `zrepl stdinserver IDENTITY`."),
};

static int finish_serve_tls(struct schema *s, const struct yaml_node *n, void *out)
{
	const struct conf_serve *c = out;

	warn_expired(s, n, "handshake_timeout", c->handshake_timeout_ms);
	return 0;
}

static const struct schema_table serve_local_table =
	SCHEMA_TABLE("serve of type local", serve_local_keys, NULL);
static const struct schema_table serve_tcp_table =
	SCHEMA_TABLE("serve of type tcp", serve_tcp_keys, NULL);
static const struct schema_table serve_tls_table =
	SCHEMA_TABLE("serve of type tls", serve_tls_keys, finish_serve_tls);
static const struct schema_table serve_stdinserver_table =
	SCHEMA_TABLE("serve of type stdinserver", serve_stdinserver_keys, NULL);
static const struct schema_variant serve_variants[] = {
	{ "tcp", SERVE_TCP, &serve_tcp_table, NULL, "TCP, not encrypted." },
	{ "tls", SERVE_TLS, &serve_tls_table, NULL,
	  "TLS, where both sides show certificates." },
	{ "stdinserver", SERVE_STDINSERVER, &serve_stdinserver_table, NULL,
	  "Through sshd and `zrepl stdinserver`." },
	{ "local", SERVE_LOCAL, &serve_local_table, NULL,
	  "For a job of the same daemon." },
};
static const struct schema_union serve_union =
	SCHEMA_UNION("serve type", serve_variants, AT(type));
const struct schema_type table_serve = {
	.decode = schema_decode_union,
	.want = "a map that says where to listen, such as {type: tcp, listen: "
		"\":8888\", clients: {192.0.2.7: db1}}",
	.variants = &serve_union,
};

#undef AT

/* ---- names ---- */

const char *connect_type_name(enum connect_type t)
{
	for (size_t i = 0; i < ARRAY_LEN(connect_variants); i++)
		if (connect_variants[i].value == t)
			return connect_variants[i].name;
	return NULL;
}

const char *serve_type_name(enum serve_type t)
{
	for (size_t i = 0; i < ARRAY_LEN(serve_variants); i++)
		if (serve_variants[i].value == t)
			return serve_variants[i].name;
	return NULL;
}
