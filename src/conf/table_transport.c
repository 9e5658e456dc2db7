#include "conf/tables.h"

#include "conf/value.h"

/* A timeout of zero is no limit for some, and has expired for others (compat: zrepl 0.7).
 */
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

static const struct schema_type pem_type = {
	.decode = schema_decode_string,
	.want = "the path of a PEM file",
	.size = sizeof(const char *),
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
	REQUIRED("listener_name", &value_listener, AT(listener_name)),
	REQUIRED("client_identity", &value_identity, AT(client_identity)),
	DEFAULT("dial_timeout", &schema_gdur, AT(dial_timeout_ms), "2s"),
};
static const struct schema_key connect_tcp_keys[] = {
	REQUIRED("address", &value_hostport, AT(address)),
	DEFAULT("dial_timeout", &schema_gdur, AT(dial_timeout_ms), "10s"),
};
static const struct schema_key connect_tls_keys[] = {
	REQUIRED("address", &value_hostport, AT(address)),
	REQUIRED("ca", &pem_type, AT(tls.ca)),
	REQUIRED("cert", &pem_type, AT(tls.cert)),
	REQUIRED("key", &pem_type, AT(tls.key)),
	REQUIRED("server_cn", &server_cn_type, AT(server_cn)),
	DEFAULT("dial_timeout", &schema_gdur, AT(dial_timeout_ms), "10s"),
};
static const struct schema_key connect_ssh_keys[] = {
	REQUIRED("host", &host_type, AT(ssh_host)),
	REQUIRED("user", &user_type, AT(ssh_user)),
	REQUIRED("port", &port_type, AT(ssh_port)),
	REQUIRED("identity_file", &identity_file_type, AT(ssh_identity_file)),
	OPTIONAL("options", &value_ssh_options, AT(ssh_options)),
	OPTIONAL("ssh_command", &schema_string, AT(ssh_command)),
	OPTIONAL("transport_open_command", &value_ignored_texts, 0),
	DEFAULT("dial_timeout", &schema_gdur, AT(dial_timeout_ms), "10s"),
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
	{ "tcp", CONNECT_TCP, &connect_tcp_table, NULL },
	{ "tls", CONNECT_TLS, &connect_tls_table, NULL },
	{ "ssh+stdinserver", CONNECT_SSH, &connect_ssh_table, NULL },
	{ "local", CONNECT_LOCAL, &connect_local_table, NULL },
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
	REQUIRED("listener_name", &value_listener, AT(listener_name)),
};
static const struct schema_key serve_tcp_keys[] = {
	REQUIRED("listen", &value_hostport, AT(listen)),
	REQUIRED("clients", &value_clients, 0),
	DEFAULT("listen_freebind", &schema_bool, AT(listen_freebind), "false"),
};
static const struct schema_key serve_tls_keys[] = {
	REQUIRED("listen", &value_hostport, AT(listen)),
	REQUIRED("ca", &pem_type, AT(tls.ca)),
	REQUIRED("cert", &pem_type, AT(tls.cert)),
	REQUIRED("key", &pem_type, AT(tls.key)),
	REQUIRED("client_cns", &value_identities, AT(client_cns)),
	DEFAULT("listen_freebind", &schema_bool, AT(listen_freebind), "false"),
	DEFAULT("handshake_timeout", &schema_gdur, AT(handshake_timeout_ms), "10s"),
};
static const struct schema_key serve_stdinserver_keys[] = {
	REQUIRED("client_identities", &value_identities, AT(client_identities)),
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
	{ "tcp", SERVE_TCP, &serve_tcp_table, NULL },
	{ "tls", SERVE_TLS, &serve_tls_table, NULL },
	{ "stdinserver", SERVE_STDINSERVER, &serve_stdinserver_table, NULL },
	{ "local", SERVE_LOCAL, &serve_local_table, NULL },
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
