#include "conf/tables.h"

#include "conf/value.h"

#define AT(member) offsetof(struct conf_connect, member)

static const struct schema_key connect_local_keys[] = {
	REQUIRED("listener_name", &value_listener, AT(listener_name)),
	REQUIRED("client_identity", &value_identity, AT(client_identity)),
	DEFAULT("dial_timeout", &schema_gdur, AT(dial_timeout_ms), "2s"),
};
static const struct schema_table connect_local_table =
	SCHEMA_TABLE("connect of type local", connect_local_keys, NULL);
static const struct schema_variant connect_variants[] = {
	{ "local", 0, &connect_local_table, NULL },
	{ "tcp", 0, NULL, NULL },
	{ "tls", 0, NULL, NULL },
	{ "ssh+stdinserver", 0, NULL, NULL },
};
static const struct schema_union connect_union =
	SCHEMA_UNION("connect type", connect_variants, SCHEMA_NO_TAG);
const struct schema_type table_connect = {
	.decode = schema_decode_union,
	.want = "a map that says how to reach the sink, such as {type: local, ...}",
	.variants = &connect_union,
};

#undef AT

static const struct schema_key serve_local_keys[] = {
	REQUIRED("listener_name", &value_listener,
		 offsetof(struct conf_serve, listener_name)),
};
static const struct schema_table serve_local_table =
	SCHEMA_TABLE("serve of type local", serve_local_keys, NULL);
static const struct schema_variant serve_variants[] = {
	{ "local", 0, &serve_local_table, NULL },
	{ "tcp", 0, NULL, NULL },
	{ "tls", 0, NULL, NULL },
	{ "stdinserver", 0, NULL, NULL },
};
static const struct schema_union serve_union =
	SCHEMA_UNION("serve type", serve_variants, SCHEMA_NO_TAG);
const struct schema_type table_serve = {
	.decode = schema_decode_union,
	.want = "a map that says where to listen, such as {type: local, listener_name: "
		"NAME}",
	.variants = &serve_union,
};
