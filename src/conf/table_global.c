#include "conf/tables.h"

#include "conf/value.h"

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

static const struct schema_key stdout_keys[] = {
	REQUIRED("level", &level_type, AT(level)),
	REQUIRED("format", &format_type, AT(format)),
	DEFAULT("time", &schema_bool, AT(time), "true"),
	DEFAULT("color", &schema_bool, AT(color), "true"),
};
static const struct schema_table stdout_table =
	SCHEMA_TABLE("an outlet of type stdout", stdout_keys, NULL);
static const struct schema_variant outlet_variants[] = {
	{ "stdout", 0, &stdout_table, NULL },
	{ "syslog", 0, NULL, NULL },
	{ "tcp", 0, NULL, NULL },
};
static const struct schema_union outlet_union =
	SCHEMA_UNION("outlet type", outlet_variants, SCHEMA_NO_TAG);
static const struct schema_type outlet_type = {
	.decode = schema_decode_union,
	.want = "an outlet such as {type: stdout, level: warn, format: human}",
	.size = sizeof(struct conf_outlet),
	.variants = &outlet_union,
};
static const struct schema_type outlets_type =
	LIST_TYPE(outlet_type, "a list of outlets");

#undef AT
#define AT(member) offsetof(struct conf_global, member)

static const struct schema_key control_keys[] = {
	DEFAULT("sockpath", &value_socket, AT(control_sockpath),
		"/var/run/zrepl/control"),
};
static const struct schema_key stdinserver_keys[] = {
	DEFAULT("sockdir", &schema_string, AT(stdinserver_sockdir),
		"/var/run/zrepl/stdinserver"),
};
static const struct schema_table control_table =
	SCHEMA_TABLE("control", control_keys, NULL);
static const struct schema_table stdinserver_table =
	SCHEMA_TABLE("stdinserver", stdinserver_keys, NULL);
static const struct schema_type control_type =
	TABLE_TYPE(control_table, "a map with sockpath");
static const struct schema_type stdinserver_type =
	TABLE_TYPE(stdinserver_table, "a map with sockdir");

static const struct schema_key global_serve_keys[] = {
	SECTION("stdinserver", &stdinserver_type, 0),
};
static const struct schema_table global_serve_table =
	SCHEMA_TABLE("global.serve", global_serve_keys, NULL);
static const struct schema_type global_serve_type =
	TABLE_TYPE(global_serve_table, "a map with stdinserver");

static const struct schema_key global_keys[] = {
	OPTIONAL("logging", &outlets_type, AT(outlets)),
	OPTIONAL("monitoring", &value_no_monitoring, 0),
	SECTION("control", &control_type, 0),
	SECTION("serve", &global_serve_type, 0),
};

/* Two outlets would write the same lines to the same place; none is made into one. */
static int finish_global(struct schema *s, const struct yaml_node *n, void *out)
{
	const struct yaml_node *logging = yaml_get(n, "logging");
	struct conf_global *g = out;

	if (g->n_outlets > 1) {
		schema_enter(s, ".logging[1]");
		return schema_fail(s, logging->items[1].value,
				   "a second outlet of type stdout; there can be one");
	}
	if (g->n_outlets == 1)
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
