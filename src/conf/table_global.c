#include "conf/tables.h"

#include "conf/value.h"

#include <string.h>

#define AT(member) offsetof(struct conf_outlet, member)

static const struct schema_word level_words[] = {
	{ "debug", LOG_DEBUG },
	{ "info", LOG_INFO },
	{ "warn", LOG_WARN },
	{ "error", LOG_ERROR },
};
static const struct schema_word format_words[] = {
	{ "human", LOG_FORMAT_HUMAN },
	{ "logfmt", LOG_FORMAT_LOGFMT },
	{ "json", LOG_FORMAT_JSON },
};
static const struct schema_type level_type = ENUM_TYPE(level_words);
static const struct schema_type format_type = ENUM_TYPE(format_words);

static const struct schema_word family_words[] = {
	{ "tcp", FAMILY_ANY },
	{ "tcp4", FAMILY_IPV4 },
	{ "tcp6", FAMILY_IPV6 },
};
static const struct schema_type family_type = ENUM_TYPE(family_words);

/* RFC 5424, section 6.2.1. */
static const struct schema_word facility_words[] = {
	{ "kern", 0 },    { "user", 1 },    { "mail", 2 },      { "daemon", 3 },
	{ "auth", 4 },    { "syslog", 5 },  { "lpr", 6 },       { "news", 7 },
	{ "uucp", 8 },    { "cron", 9 },    { "authpriv", 10 }, { "ftp", 11 },
	{ "local0", 16 }, { "local1", 17 }, { "local2", 18 },   { "local3", 19 },
	{ "local4", 20 }, { "local5", 21 }, { "local6", 22 },   { "local7", 23 },
};

/* compat: zrepl 0.7: null is the default. */
static int decode_facility(struct schema *s, const struct schema_type *t,
			   const struct yaml_node *n, void *out)
{
	unsigned local0 = 16;

	if (n->kind != YAML_NULL)
		return schema_decode_enum(s, t, n, out);
	memcpy(out, &local0, sizeof(local0));
	return 0;
}

static const struct schema_type facility_type = {
	.decode = decode_facility,
	.words = WORDS(facility_words),
};

static const struct schema_key tls_keys[] = {
	REQUIRED(
		"ca", &value_pem_file, AT(tls.ca),
		"The certificates of the authorities that may have signed the server's."),
	REQUIRED("cert", &value_pem_file, AT(tls.cert),
		 "The client's certificate, with those between it and the authority "
		 "behind it."),
	REQUIRED("key", &value_pem_file, AT(tls.key), "The private key of `cert`."),
};
static const struct schema_table tls_table =
	SCHEMA_TABLE("tls of an outlet", tls_keys, NULL);

/* out: the whole struct conf_outlet. */
static int decode_tls(struct schema *s, const struct schema_type *t,
		      const struct yaml_node *n, void *out)
{
	struct conf_outlet *o = out;

	if (n->kind == YAML_NULL)
		return 0;
	o->has_tls = true;
	return schema_decode_table(s, t, n, out);
}

static const struct schema_type tls_type = {
	.decode = decode_tls,
	.want = "a map with ca, cert and key",
	.table = &tls_table,
};

static const struct schema_key stdout_keys[] = {
	REQUIRED("level", &level_type, AT(level), "What is less important is left out."),
	REQUIRED("format", &format_type, AT(format), "How a line looks."),
	DEFAULT("time", &schema_bool, AT(time), "true", "Lines begin with the time."),
	DEFAULT("color", &schema_bool, AT(color), "true",
		"Colours by level, on a terminal."),
};
static const struct schema_key syslog_keys[] = {
	REQUIRED("level", &level_type, AT(level), "What is less important is left out."),
	REQUIRED("format", &format_type, AT(format), "How a line looks."),
	DEFAULT("facility", &facility_type, AT(facility), "local0",
		"The facility of syslog under which lines are sent."),
	DEFAULT("retry_interval", &schema_gdur_positive, AT(retry_interval_ms), "10s",
		"How long to wait before syslog is tried again after a failure."),
};
static const struct schema_key tcp_keys[] = {
	REQUIRED("level", &level_type, AT(level), "What is less important is left out."),
	REQUIRED("format", &format_type, AT(format), "How a line looks."),
	REQUIRED("address", &value_hostport, AT(address), "Where lines are sent."),
	DEFAULT("net", &family_type, AT(family), "tcp",
		"The addresses to be tried: all, those of IPv4, or those of IPv6."),
	DEFAULT("retry_interval", &schema_gdur_positive, AT(retry_interval_ms), "10s",
		"How long to wait before the server is tried again after a failure."),
	OPTIONAL("tls", &tls_type, 0,
		 "Lines are sent through TLS. The server's certificate must be for the "
		 "host in `address`."),
};

static int finish_outlet(struct schema *s, const struct yaml_node *n, void *out)
{
	struct conf_outlet *o = out;

	o->file = arena_strdup(s->arena, s->file);
	o->line = n->line;
	o->column = n->column;
	o->path = arena_strdup(s->arena, buf_str(&s->path));
	return 0;
}

static const struct schema_table stdout_table =
	SCHEMA_TABLE("an outlet of type stdout", stdout_keys, finish_outlet);
static const struct schema_table syslog_table =
	SCHEMA_TABLE("an outlet of type syslog", syslog_keys, finish_outlet);
static const struct schema_table tcp_table =
	SCHEMA_TABLE("an outlet of type tcp", tcp_keys, finish_outlet);
static const struct schema_variant outlet_variants[] = {
	{ "stdout", OUTLET_STDOUT, &stdout_table, NULL,
	  "To the standard output of the daemon. One at most." },
	{ "syslog", OUTLET_SYSLOG, &syslog_table, NULL,
	  "To the syslog of this host. One at most." },
	{ "tcp", OUTLET_TCP, &tcp_table, NULL, "To a server, a line each." },
};
static const struct schema_union outlet_union =
	SCHEMA_UNION("outlet type", outlet_variants, AT(type));
static const struct schema_type outlet_type = {
	.decode = schema_decode_union,
	.want = "an outlet such as {type: stdout, level: warn, format: human}",
	.size = sizeof(struct conf_outlet),
	.variants = &outlet_union,
};

/* Refuses the second element of that type and those after it, whatever else is wrong with
 * them. */
static int check_single(struct schema *s, const struct yaml_node *n, const char *type,
			const char *what)
{
	size_t n_seen = 0;
	int r = 0;

	for (size_t i = 0; n->kind == YAML_LIST && i < n->n_items; i++) {
		const struct yaml_node *at = n->items[i].value;
		const struct yaml_node *t = yaml_get(at, "type");

		if (!t || t->kind != YAML_SCALAR || strcmp(t->text, type) != 0 ||
		    n_seen++ == 0)
			continue;
		size_t mark = schema_enter(s, "[%zu]", i);

		r = schema_fail(s, at, "a second %s of type %s; there can be one", what,
				type);
		schema_leave(s, mark);
	}
	return r;
}

/* compat: zrepl 0.7.  The same lines would stand twice in the same place. */
static int decode_outlets(struct schema *s, const struct schema_type *t,
			  const struct yaml_node *n, void *out)
{
	int r = schema_decode_list(s, t, n, out);

	if (check_single(s, n, "stdout", "outlet") < 0)
		r = -1;
	if (check_single(s, n, "syslog", "outlet") < 0)
		r = -1;
	return r;
}

static const struct schema_type outlets_type = {
	.decode = decode_outlets,
	.want = "a list of outlets",
	.size = sizeof(struct schema_list),
	.element = &outlet_type,
};

#undef AT
#define AT(member) offsetof(struct conf_prometheus, member)

static const struct schema_key prometheus_keys[] = {
	REQUIRED("listen", &value_hostport, AT(listen),
		 "Where `/metrics` is served, over HTTP."),
	DEFAULT("listen_freebind", &schema_bool, AT(listen_freebind), "false",
		"Listen on an address that this host does not have yet."),
};
static const struct schema_table prometheus_table =
	SCHEMA_TABLE("monitoring of type prometheus", prometheus_keys, NULL);
static const struct schema_variant monitoring_variants[] = {
	{ "prometheus", 0, &prometheus_table, NULL, "Metrics for Prometheus." },
};
static const struct schema_union monitoring_union =
	SCHEMA_UNION("monitoring type", monitoring_variants, SCHEMA_NO_TAG);
static const struct schema_type exporter_type = {
	.decode = schema_decode_union,
	.want = "an exporter such as {type: prometheus, listen: \":9811\"}",
	.size = sizeof(struct conf_prometheus),
	.variants = &monitoring_union,
};

static int decode_monitoring(struct schema *s, const struct schema_type *t,
			     const struct yaml_node *n, void *out)
{
	struct schema_list list = { 0 };
	int r = schema_decode_list(s, t, n, &list);

	if (check_single(s, n, "prometheus", "exporter") < 0 || r < 0)
		return -1;
	if (list.n > 0)
		memcpy(out, &list.v, sizeof(list.v));
	return 0;
}

static const struct schema_type monitoring_type = {
	.decode = decode_monitoring,
	.want = "a list of exporters",
	.size = sizeof(struct conf_prometheus *),
	.element = &exporter_type,
};

#undef AT
#define AT(member) offsetof(struct conf_global, member)

static const struct schema_key control_keys[] = {
	DEFAULT("sockpath", &value_socket, AT(control_sockpath), "/var/run/zrepl/control",
		"The socket by which `zrepl status` and `zrepl signal` reach the daemon. "
		"Its directory must exist and be closed to others."),
};
static const struct schema_key stdinserver_keys[] = {
	DEFAULT("sockdir", &schema_string, AT(stdinserver_sockdir),
		"/var/run/zrepl/stdinserver",
		"The directory of the sockets of `serve` with type `stdinserver`, one "
		"for each client. It must exist and be closed to others."),
};
static const struct schema_table control_table =
	SCHEMA_TABLE("global.control", control_keys, NULL);
static const struct schema_table stdinserver_table =
	SCHEMA_TABLE("global.serve.stdinserver", stdinserver_keys, NULL);
static const struct schema_type control_type =
	TABLE_TYPE(control_table, "a map with sockpath");
static const struct schema_type stdinserver_type =
	TABLE_TYPE(stdinserver_table, "a map with sockdir");

static const struct schema_key global_serve_keys[] = {
	SECTION("stdinserver", &stdinserver_type, 0,
		"Where clients arrive that come through ssh."),
};
static const struct schema_table global_serve_table =
	SCHEMA_TABLE("global.serve", global_serve_keys, NULL);
static const struct schema_type global_serve_type =
	TABLE_TYPE(global_serve_table, "a map with stdinserver");

static const struct schema_key global_keys[] = {
	OPTIONAL("logging", &outlets_type, AT(outlets),
		 "Where log lines go. Absent or null: to stdout, from level `warn`, for "
		 "humans. An empty list: the same without time and level."),
	OPTIONAL("monitoring", &monitoring_type, AT(prometheus),
		 "Who may ask for metrics; one exporter at most."),
	SECTION("control", &control_type, 0, "The daemon's own socket."),
	SECTION("serve", &global_serve_type, 0,
		"What all listening jobs have in common."),
};

/* There always is an outlet. */
static int finish_global(struct schema *s, const struct yaml_node *n, void *out)
{
	const struct yaml_node *logging = yaml_get(n, "logging");
	struct conf_global *g = out;

	if (g->n_outlets > 0)
		return 0;
	bool bare = logging && logging->kind == YAML_LIST;

	g->outlets = arena_alloc(s->arena, 1, sizeof(*g->outlets));
	g->n_outlets = 1;
	g->outlets[0] = (struct conf_outlet){
		.level = LOG_WARN,
		.format = LOG_FORMAT_HUMAN,
		.time = !bare,
		.color = !bare,
		.bare = bare,
	};
	return 0;
}

static const struct schema_table global_table =
	SCHEMA_TABLE("global", global_keys, finish_global);
const struct schema_type table_global =
	TABLE_TYPE(global_table, "a map with logging, monitoring, control and serve");

#undef AT

const char *outlet_type_name(enum outlet_type t)
{
	for (size_t i = 0; i < ARRAY_LEN(outlet_variants); i++)
		if (outlet_variants[i].value == t)
			return outlet_variants[i].name;
	return NULL;
}

const char *facility_name(unsigned facility)
{
	return schema_word(&facility_type.words, facility);
}
