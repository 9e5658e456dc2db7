#include "conf/tables.h"

#include "conf/value.h"

#define AT(member) offsetof(struct conf_snapshotting, member)

/* What all have that take snapshots by themselves. */
#define AUTOMATIC_KEYS                                                                   \
	OPTIONAL("hooks", &table_hooks, AT(hooks),                                       \
		 "What to run around each snapshot, in this order before it, backwards " \
		 "after it."),                                                           \
		DEFAULT("timestamp_format", &schema_string, AT(timestamp_format),        \
			"dense",                                                         \
			"The form of the time in the name: `dense`, `human`, "           \
			"`iso-8601`, `unix-seconds` or a layout of Go. See [Names of "   \
			"snapshots](#names-of-snapshots)."),                             \
		DEFAULT("timestamp_location", &schema_string, AT(timestamp_location),    \
			"UTC",                                                           \
			"The time zone of the time in the name: `UTC`, `Local` or a "    \
			"name such as `Europe/Berlin`. All named formats but "           \
			"`iso-8601` need UTC."),                                         \
		DEFAULT("skip_unchanged", &schema_bool, AT(skip_unchanged), "false",     \
			"Take no snapshot of a filesystem to which nothing was written " \
			"since its last one. Not in zrepl 0.7.")

static const struct schema_key periodic_keys[] = {
	REQUIRED("prefix", &value_prefix, AT(prefix),
		 "What names of snapshots begin with. Snapshots with it count as this "
		 "job's own when it is decided when the next one is due."),
	REQUIRED("interval", &schema_zdur, AT(interval_s),
		 "How long from one round of snapshots to the next."),
	AUTOMATIC_KEYS,
};
static const struct schema_key cron_keys[] = {
	REQUIRED("prefix", &value_prefix, AT(prefix),
		 "What names of snapshots begin with."),
	REQUIRED("cron", &value_cron, AT(cron), "When to take snapshots."),
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

/* Such as a misspelt "dense", which is a layout then. */
static void warn_if_constant(struct schema *s, const struct yaml_node *n,
			     const struct conf_snapshotting *c)
{
	/* of which every part of a layout is another one */
	const struct timespec some = { .tv_sec = 1715721383, .tv_nsec = 987654321 };
	const struct timespec other = { .tv_sec = 1357088645 };
	cleanup(str_freep) char *a = snapname_at(c->name, some);
	cleanup(str_freep) char *b = snapname_at(c->name, other);
	const struct yaml_node *at = yaml_get(n, "timestamp_format");
	size_t mark = schema_enter_key(s, "timestamp_format");

	if (strcmp(a, b) == 0)
		schema_warn(s, at ? at : n,
			    "\"%s\" has no time in it, so that all snapshots of a "
			    "filesystem would have the same name; want dense, human, "
			    "iso-8601, unix-seconds, or a layout such as "
			    "2006-01-02_15-04-05",
			    c->timestamp_format);
	schema_leave(s, mark);
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
		warn_if_constant(s, n, c);
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
	{ "manual", SNAPSHOTTING_MANUAL, &manual_table, NULL,
	  "The job takes no snapshots by itself; there are no further keys." },
	{ "periodic", SNAPSHOTTING_PERIODIC, &periodic_table, NULL,
	  "At a fixed interval." },
	{ "cron", SNAPSHOTTING_CRON, &cron_table, NULL, "At certain times." },
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
