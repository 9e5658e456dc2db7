#include "conf/tables.h"

#include "conf/value.h"

#include <inttypes.h>

#define AT(member) offsetof(struct conf_keep, member)

static const struct schema_type count_type = {
	.decode = schema_decode_int,
	.want = "the number of snapshots to keep, at least 1",
	.min = 1,
	.max = INT64_MAX,
};

static const struct schema_key not_replicated_keys[] = {
	DEFAULT("keep_snapshot_at_cursor", &schema_bool, AT(keep_snapshot_at_cursor),
		"true",
		"Keep also the snapshot that was replicated last, although its bookmark "
		"is enough to go on from. On the receiving side it has no effect."),
};
static const struct schema_key last_n_keys[] = {
	REQUIRED("count", &count_type, AT(count), "How many of the youngest stay."),
	OPTIONAL("regex", &value_regex, AT(regex),
		 "Count only snapshots whose name matches. Others are not kept by this "
		 "rule."),
};
static const struct schema_key grid_keys[] = {
	REQUIRED("grid", &value_grid, AT(grid),
		 "Intervals into the past, from the youngest matching snapshot on, and "
		 "how many of the oldest stay in each."),
	REQUIRED("regex", &value_regex, AT(regex),
		 "Snapshots whose name matches are put into the grid. Others are not "
		 "kept by this rule."),
};
static const struct schema_key regex_keys[] = {
	REQUIRED("regex", &value_regex, AT(regex),
		 "Snapshots whose name matches are kept."),
	DEFAULT("negate", &schema_bool, AT(negate), "false",
		"Those that do not match are kept instead."),
};

/* The rule as a user would name it. */
static int finish_keep(struct schema *s, const struct yaml_node *n, void *out)
{
	struct conf_keep *k = out;
	const char *regex = k->regex ? regex_pattern(k->regex) : "";

	switch (k->type) {
	case KEEP_NOT_REPLICATED:
		k->text = "not_replicated";
		break;
	case KEEP_LAST_N:
		k->text = arena_printf(s->arena, "last_n %" PRId64 "%s%s", k->count,
				       *regex ? " " : "", regex);
		break;
	case KEEP_GRID:
		k->text = arena_printf(s->arena, "grid %s %s", yaml_get(n, "grid")->text,
				       regex);
		break;
	case KEEP_REGEX:
		k->text = arena_printf(s->arena, "regex %s%s", k->negate ? "not " : "",
				       regex);
		break;
	}
	return 0;
}

static const struct schema_table not_replicated_table =
	SCHEMA_TABLE("a not_replicated rule", not_replicated_keys, finish_keep);
static const struct schema_table last_n_table =
	SCHEMA_TABLE("a last_n rule", last_n_keys, finish_keep);
static const struct schema_table grid_table =
	SCHEMA_TABLE("a grid rule", grid_keys, finish_keep);
static const struct schema_table regex_table =
	SCHEMA_TABLE("a regex rule", regex_keys, finish_keep);

#define KEEP_VARIANTS(not_replicated_, refusal_)                                       \
	{ "not_replicated", KEEP_NOT_REPLICATED, not_replicated_, refusal_,            \
	  "Keeps what is not replicated yet." },                                       \
		{ "last_n", KEEP_LAST_N, &last_n_table, NULL, "Keeps the youngest." }, \
		{ "grid", KEEP_GRID, &grid_table, NULL,                                \
		  "Keeps the fewer the older they are." },                             \
	{                                                                              \
		"regex", KEEP_REGEX, &regex_table, NULL, "Keeps by name."              \
	}

static const struct schema_variant keep_variants[] = {
	KEEP_VARIANTS(&not_replicated_table, NULL),
};
static const struct schema_variant snap_keep_variants[] = {
	KEEP_VARIANTS(NULL,
		      "a snap job replicates nothing, so that not_replicated would keep "
		      "everything; want one of last_n, grid, regex"),
};

static const struct schema_union keep_union =
	SCHEMA_UNION("keep rule", keep_variants, AT(type));
static const struct schema_union snap_keep_union =
	SCHEMA_UNION("keep rule of a snap job", snap_keep_variants, AT(type));

static const char keep_want[] = "a keep rule such as {type: last_n, count: 10}";
static const char keeps_want[] =
	"a list of keep rules such as [{type: last_n, count: 10}]";

static const struct schema_type keep_type = {
	.decode = schema_decode_union,
	.want = keep_want,
	.size = sizeof(struct conf_keep),
	.variants = &keep_union,
};
static const struct schema_type snap_keep_type = {
	.decode = schema_decode_union,
	.want = keep_want,
	.size = sizeof(struct conf_keep),
	.variants = &snap_keep_union,
};
const struct schema_type table_keeps = LIST_TYPE(keep_type, keeps_want);
const struct schema_type table_snap_keeps = LIST_TYPE(snap_keep_type, keeps_want);

#undef AT
