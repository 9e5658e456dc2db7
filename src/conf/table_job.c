#include "conf/tables.h"

#include "conf/value.h"

#define AT(member) offsetof(struct conf_job, member)

static const struct schema_key both_pruning_keys[] = {
	REQUIRED("keep_sender", &table_keeps, AT(keep_sender),
		 "What stays on the sending side. See [Pruning](#pruning)."),
	REQUIRED("keep_receiver", &table_keeps, AT(keep_receiver),
		 "What stays on the receiving side."),
};
static const struct schema_key snap_pruning_keys[] = {
	REQUIRED("keep", &table_snap_keeps, AT(keep),
		 "What stays. See [Pruning](#pruning)."),
};
static const struct schema_table both_pruning_table =
	SCHEMA_TABLE("pruning of a push or pull job", both_pruning_keys, NULL);
static const struct schema_table snap_pruning_table =
	SCHEMA_TABLE("pruning of a snap job", snap_pruning_keys, NULL);
static const struct schema_type both_pruning_type =
	TABLE_TYPE(both_pruning_table, "a map with keep_sender and keep_receiver");
static const struct schema_type snap_pruning_type =
	TABLE_TYPE(snap_pruning_table, "a map with keep");

/* What several kinds of jobs have. */
#define NAME_KEY                                                                        \
	REQUIRED("name", &value_job_name, AT(name),                                     \
		 "The job's name, by which it is known to commands, logs and metrics. " \
		 "It "                                                                  \
		 "is part of the names of bookmarks and holds: a renamed job loses "    \
		 "track "                                                               \
		 "of what it has replicated.")
#define REPLICATION_KEYS                                                   \
	SECTION("replication", &table_replication, AT(replication),        \
		"How much is protected, and how much happens at a time."), \
		SECTION("conflict_resolution", &table_conflict_resolution, \
			AT(replication),                                   \
			"What to do where the two sides do not fit together.")

static const struct schema_key push_keys[] = {
	NAME_KEY,
	REQUIRED("connect", &table_connect, AT(connect), "How to reach the sink."),
	REQUIRED("filesystems", &value_filesystems, AT(filesystems),
		 "What is replicated, snapshotted and pruned."),
	REQUIRED("snapshotting", &table_snapshotting, AT(snapshotting),
		 "When and how snapshots are taken. Each round of periodic and cron "
		 "snapshots is followed by a replication."),
	REQUIRED("pruning", &both_pruning_type, 0, "What stays after each replication."),
	SECTION("send", &table_send, AT(send), "How streams are made."),
	REPLICATION_KEYS,
};
static const struct schema_key pull_keys[] = {
	NAME_KEY,
	REQUIRED("connect", &table_connect, AT(connect), "How to reach the source."),
	REQUIRED("root_fs", &value_root_fs, AT(root_fs),
		 "What is received is put below this dataset, which must exist: "
		 "`root_fs`/PATH OF THE SENDER."),
	REQUIRED("interval", &value_interval, AT(interval_s),
		 "How long from one replication to the next; with `manual`, only `zrepl "
		 "signal wakeup` begins one."),
	REQUIRED("pruning", &both_pruning_type, 0,
		 "What stays after each replication, on both sides."),
	SECTION("recv", &table_recv, AT(recv), "How streams are received."),
	REPLICATION_KEYS,
};
static const struct schema_key source_keys[] = {
	NAME_KEY,
	REQUIRED("serve", &table_serve, AT(serve), "Where to listen, and who may come."),
	REQUIRED("filesystems", &value_filesystems, AT(filesystems),
		 "What clients may fetch, and what is snapshotted."),
	REQUIRED("snapshotting", &table_snapshotting, AT(snapshotting),
		 "When and how snapshots are taken."),
	SECTION("send", &table_send, AT(send), "How streams are made."),
};
static const struct schema_key sink_keys[] = {
	NAME_KEY,
	REQUIRED("serve", &table_serve, AT(serve), "Where to listen, and who may come."),
	REQUIRED("root_fs", &value_root_fs, AT(root_fs),
		 "What is received is put below this dataset, which must exist: "
		 "`root_fs`/IDENTITY OF THE CLIENT/PATH OF THE SENDER."),
	SECTION("recv", &table_recv, AT(recv), "How streams are received."),
};
static const struct schema_key snap_keys[] = {
	NAME_KEY,
	REQUIRED("filesystems", &value_filesystems, AT(filesystems),
		 "What is snapshotted and pruned."),
	REQUIRED("snapshotting", &table_snapshotting, AT(snapshotting),
		 "When and how snapshots are taken."),
	REQUIRED("pruning", &snap_pruning_type, 0,
		 "What stays after each round of snapshots."),
};

/* ---- where they stand ---- */

static const char *const placed_keys[] = {
	"name",
	"filesystems",
	"root_fs",
	"snapshotting.prefix",
	"pruning.keep",
	"pruning.keep_sender",
	"pruning.keep_receiver",
	"connect",
	"connect.listener_name",
	"serve",
	"serve.listen",
	"serve.listener_name",
	"serve.client_identities",
};

/* NULL: it is not there. */
static const struct yaml_node *get_path(const struct yaml_node *n, const char *path)
{
	const char *dot = strchr(path, '.');
	const struct yaml_node *section;
	char name[32];

	if (!dot)
		return yaml_get(n, path);
	snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
	section = yaml_get(n, name);
	return section && section->kind == YAML_MAP ? yaml_get(section, dot + 1) : NULL;
}

static void put_places(struct schema *s, const struct yaml_node *n, struct conf_job *j)
{
	struct conf_place *p = arena_alloc(s->arena, ARRAY_LEN(placed_keys), sizeof(*p));

	for (size_t i = 0; i < ARRAY_LEN(placed_keys); i++) {
		const struct yaml_node *at = get_path(n, placed_keys[i]);

		if (at)
			p[j->n_places++] = (struct conf_place){
				.key = placed_keys[i],
				.line = at->line,
				.column = at->column,
			};
	}
	j->places = p;
}

struct conf_place conf_job_place(const struct conf_job *j, const char *key)
{
	for (size_t i = 0; i < j->n_places; i++)
		if (strcmp(j->places[i].key, key) == 0)
			return j->places[i];
	return (struct conf_place){ .key = "", .line = j->line, .column = j->column };
}

/* The place is known of those with problems, too. */
static int decode_job(struct schema *s, const struct schema_type *t,
		      const struct yaml_node *n, void *out)
{
	struct conf_job *j = out;

	j->file = arena_strdup(s->arena, s->file);
	j->line = n->line;
	j->column = n->column;
	j->path = arena_strdup(s->arena, buf_str(&s->path));
	put_places(s, n, j);
	if (schema_decode_union(s, t, n, out) < 0)
		return -1;
	j->is_whole = true;
	return 0;
}

static const struct schema_table push_table = SCHEMA_TABLE("a push job", push_keys, NULL);
static const struct schema_table pull_table = SCHEMA_TABLE("a pull job", pull_keys, NULL);
static const struct schema_table source_table =
	SCHEMA_TABLE("a source job", source_keys, NULL);
static const struct schema_table sink_table = SCHEMA_TABLE("a sink job", sink_keys, NULL);
static const struct schema_table snap_table = SCHEMA_TABLE("a snap job", snap_keys, NULL);

static const struct schema_variant job_variants[] = {
	{ "push", JOB_PUSH, &push_table, NULL,
	  "Snapshots, sends to a sink, and prunes both sides." },
	{ "sink", JOB_SINK, &sink_table, NULL,
	  "Waits for push jobs and receives what they send." },
	{ "snap", JOB_SNAP, &snap_table, NULL,
	  "Snapshots and prunes, without replication." },
	{ "pull", JOB_PULL, &pull_table, NULL,
	  "Fetches from a source, and prunes both sides." },
	{ "source", JOB_SOURCE, &source_table, NULL,
	  "Snapshots, and waits for pull jobs that fetch." },
};
static const struct schema_union job_union =
	SCHEMA_UNION("job type", job_variants, AT(type));
static const struct schema_type job_type = {
	.decode = decode_job,
	.want = "a job, a map such as {type: snap, name: hourly, ...}",
	.size = sizeof(struct conf_job),
	.variants = &job_union,
};
const struct schema_type table_jobs = LIST_TYPE(job_type, "a list of jobs");

#undef AT

const char *job_type_name(enum job_type t)
{
	for (size_t i = 0; i < ARRAY_LEN(job_variants); i++)
		if (job_variants[i].value == t)
			return job_variants[i].name;
	return NULL;
}
