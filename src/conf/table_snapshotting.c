#include "conf/tables.h"

#include "conf/value.h"

#define AT(member) offsetof(struct conf_snapshotting, member)

static const struct schema_key periodic_keys[] = {
	REQUIRED("prefix", &value_prefix, AT(prefix)),
	REQUIRED("interval", &schema_zdur, AT(interval_s)),
	OPTIONAL("hooks", &value_no_hooks, 0),
	DEFAULT("timestamp_format", &schema_string, AT(timestamp_format), "dense"),
	DEFAULT("timestamp_location", &schema_string, AT(timestamp_location), "UTC"),
};

static void free_snapname(void *p)
{
	snapname_free(p);
}

static int finish_periodic(struct schema *s, const struct yaml_node *n, void *out)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct conf_snapshotting *c = out;

	c->name =
		snapname_new(c->prefix, c->timestamp_format, c->timestamp_location, &why);
	if (!c->name)
		return schema_fail_err(s, n, &why);
	arena_defer(s->arena, free_snapname, c->name);
	return 0;
}

static const struct schema_table manual_table = { .what = "manual snapshotting" };
static const struct schema_table periodic_table =
	SCHEMA_TABLE("periodic snapshotting", periodic_keys, finish_periodic);

static const struct schema_variant snapshotting_variants[] = {
	{ "manual", SNAPSHOTTING_MANUAL, &manual_table, NULL },
	{ "periodic", SNAPSHOTTING_PERIODIC, &periodic_table, NULL },
	{ "cron", 0, NULL, NULL },
};
static const struct schema_union snapshotting_union =
	SCHEMA_UNION("snapshotting type", snapshotting_variants, AT(type));
const struct schema_type table_snapshotting = {
	.decode = schema_decode_union,
	.want = "a map with the type of snapshotting, such as {type: manual}",
	.variants = &snapshotting_union,
};

#undef AT
