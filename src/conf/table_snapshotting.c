#include "conf/tables.h"

#include "conf/value.h"

#define AT(member) offsetof(struct conf_snapshotting, member)

/* What all have that take snapshots by themselves. */
#define AUTOMATIC_KEYS                                                                \
	OPTIONAL("hooks", &table_hooks, AT(hooks)),                                   \
		DEFAULT("timestamp_format", &schema_string, AT(timestamp_format),     \
			"dense"),                                                     \
		DEFAULT("timestamp_location", &schema_string, AT(timestamp_location), \
			"UTC"),                                                       \
		DEFAULT("skip_unchanged", &schema_bool, AT(skip_unchanged), "false")

static const struct schema_key periodic_keys[] = {
	REQUIRED("prefix", &value_prefix, AT(prefix)),
	REQUIRED("interval", &schema_zdur, AT(interval_s)),
	AUTOMATIC_KEYS,
};
static const struct schema_key cron_keys[] = {
	REQUIRED("prefix", &value_prefix, AT(prefix)),
	REQUIRED("cron", &value_cron, AT(cron)),
	AUTOMATIC_KEYS,
};

static void free_snapname(void *p)
{
	snapname_free(p);
}

static bool is_fine(const char *prefix, const char *format, const char *location)
{
	cleanup(err_clear) struct err unused = ERR_INIT;
	cleanup(snapname_freep) struct snapname *name =
		snapname_new(prefix, format, location, &unused);

	return name != NULL;
}

/* The key to blame where prefix, format and location make no name. */
static const char *culprit(const struct conf_snapshotting *c)
{
	if (!is_fine(c->prefix, "dense", "UTC"))
		return "prefix";
	if (!is_fine("p", c->timestamp_format, "UTC"))
		return "timestamp_format";
	if (!is_fine("p", c->timestamp_format, c->timestamp_location))
		return "timestamp_location";
	return "prefix"; /* too long together */
}

static int finish_automatic(struct schema *s, const struct yaml_node *n, void *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct conf_snapshotting *c = out;
	const struct yaml_node *at;
	const char *key;

	c->name =
		snapname_new(c->prefix, c->timestamp_format, c->timestamp_location, &why);
	if (c->name) {
		arena_defer(s->arena, free_snapname, c->name);
		return 0;
	}
	key = culprit(c);
	at = yaml_get(n, key);
	schema_enter_key(s, key);
	return schema_fail_want(s, at ? at : n, &why,
				"what a snapshot may be named: letters, digits, - _ . : "
				"and spaces");
}

static const struct schema_table manual_table = { .what = "manual snapshotting" };
static const struct schema_table periodic_table =
	SCHEMA_TABLE("periodic snapshotting", periodic_keys, finish_automatic);
static const struct schema_table cron_table =
	SCHEMA_TABLE("snapshotting of type cron", cron_keys, finish_automatic);

static const struct schema_variant snapshotting_variants[] = {
	{ "manual", SNAPSHOTTING_MANUAL, &manual_table, NULL },
	{ "periodic", SNAPSHOTTING_PERIODIC, &periodic_table, NULL },
	{ "cron", SNAPSHOTTING_CRON, &cron_table, NULL },
};
static const struct schema_union snapshotting_union =
	SCHEMA_UNION("snapshotting type", snapshotting_variants, AT(type));
const struct schema_type table_snapshotting = {
	.decode = schema_decode_union,
	.want = "a map with the type of snapshotting, such as {type: manual}",
	.variants = &snapshotting_union,
};

#undef AT

const char *snapshotting_type_name(enum snapshotting_type t)
{
	for (size_t i = 0; i < ARRAY_LEN(snapshotting_variants); i++)
		if (snapshotting_variants[i].value == t)
			return snapshotting_variants[i].name;
	return NULL;
}
