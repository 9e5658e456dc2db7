#include "conf/tables.h"

#include "conf/value.h"

#define AT(member) offsetof(struct conf_job, member)

static const struct schema_key both_pruning_keys[] = {
	REQUIRED("keep_sender", &table_keeps, AT(keep_sender)),
	REQUIRED("keep_receiver", &table_keeps, AT(keep_receiver)),
};
static const struct schema_key snap_pruning_keys[] = {
	REQUIRED("keep", &table_snap_keeps, AT(keep)),
};
static const struct schema_table both_pruning_table =
	SCHEMA_TABLE("pruning of a push or pull job", both_pruning_keys, NULL);
static const struct schema_table snap_pruning_table =
	SCHEMA_TABLE("pruning of a snap job", snap_pruning_keys, NULL);
static const struct schema_type both_pruning_type =
	TABLE_TYPE(both_pruning_table, "a map with keep_sender and keep_receiver");
static const struct schema_type snap_pruning_type =
	TABLE_TYPE(snap_pruning_table, "a map with keep");

static const struct schema_key push_keys[] = {
	REQUIRED("name", &value_job_name, AT(name)),
	REQUIRED("connect", &table_connect, AT(connect)),
	REQUIRED("filesystems", &value_filesystems, AT(filesystems)),
	REQUIRED("snapshotting", &table_snapshotting, AT(snapshotting)),
	REQUIRED("pruning", &both_pruning_type, 0),
	SECTION("send", &table_send, AT(send)),
	SECTION("replication", &table_replication, AT(replication)),
	SECTION("conflict_resolution", &table_conflict_resolution, AT(replication)),
};
static const struct schema_key pull_keys[] = {
	REQUIRED("name", &value_job_name, AT(name)),
	REQUIRED("connect", &table_connect, AT(connect)),
	REQUIRED("root_fs", &value_root_fs, AT(root_fs)),
	REQUIRED("interval", &value_interval, AT(interval_s)),
	REQUIRED("pruning", &both_pruning_type, 0),
	SECTION("recv", &table_recv, AT(recv)),
	SECTION("replication", &table_replication, AT(replication)),
	SECTION("conflict_resolution", &table_conflict_resolution, AT(replication)),
};
static const struct schema_key source_keys[] = {
	REQUIRED("name", &value_job_name, AT(name)),
	REQUIRED("serve", &table_serve, AT(serve)),
	REQUIRED("filesystems", &value_filesystems, AT(filesystems)),
	REQUIRED("snapshotting", &table_snapshotting, AT(snapshotting)),
	SECTION("send", &table_send, AT(send)),
};
static const struct schema_key sink_keys[] = {
	REQUIRED("name", &value_job_name, AT(name)),
	REQUIRED("serve", &table_serve, AT(serve)),
	REQUIRED("root_fs", &value_root_fs, AT(root_fs)),
	SECTION("recv", &table_recv, AT(recv)),
};
static const struct schema_key snap_keys[] = {
	REQUIRED("name", &value_job_name, AT(name)),
	REQUIRED("filesystems", &value_filesystems, AT(filesystems)),
	REQUIRED("snapshotting", &table_snapshotting, AT(snapshotting)),
	REQUIRED("pruning", &snap_pruning_type, 0),
};

static int finish_job(struct schema *s, const struct yaml_node *n, void *out)
{
	struct conf_job *j = out;

	j->file = arena_strdup(s->arena, s->file);
	j->line = n->line;
	j->column = n->column;
	j->path = arena_strdup(s->arena, buf_str(&s->path));
	return 0;
}

static const struct schema_table push_table =
	SCHEMA_TABLE("a push job", push_keys, finish_job);
static const struct schema_table pull_table =
	SCHEMA_TABLE("a pull job", pull_keys, finish_job);
static const struct schema_table source_table =
	SCHEMA_TABLE("a source job", source_keys, finish_job);
static const struct schema_table sink_table =
	SCHEMA_TABLE("a sink job", sink_keys, finish_job);
static const struct schema_table snap_table =
	SCHEMA_TABLE("a snap job", snap_keys, finish_job);

static const struct schema_variant job_variants[] = {
	{ "push", JOB_PUSH, &push_table, NULL },
	{ "sink", JOB_SINK, &sink_table, NULL },
	{ "snap", JOB_SNAP, &snap_table, NULL },
	{ "pull", JOB_PULL, &pull_table, NULL },
	{ "source", JOB_SOURCE, &source_table, NULL },
};
static const struct schema_union job_union =
	SCHEMA_UNION("job type", job_variants, AT(type));
static const struct schema_type job_type = {
	.decode = schema_decode_union,
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
