#include "conf/config.h"
#include "tap.h"

static struct config *load(const char *text)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	struct config *c = config_parse("t.yml", view_of(text), &err);

	if (!CHECK(c))
		printf("# %s\n", err_msg(&err));
	return c;
}

TEST(an_empty_file_has_the_defaults)
{
	cleanup(config_freep) struct config *c = load("");

	REQUIRE(c);
	CHECK_INT(c->n_jobs, 0);
	CHECK_INT(c->n_warnings, 0);
	CHECK_STR(c->global.control_sockpath, "/var/run/zrepl/control");
	CHECK_STR(c->global.stdinserver_sockdir, "/var/run/zrepl/stdinserver");
	REQUIRE(c->global.n_outlets == 1);
	CHECK_INT(c->global.outlets[0].level, LOG_WARN);
	CHECK_INT(c->global.outlets[0].format, LOG_FORMAT_HUMAN);
	CHECK(c->global.outlets[0].time && c->global.outlets[0].color);
	CHECK(!c->global.outlets[0].bare);
}

TEST(an_empty_list_of_outlets_is_a_bare_one)
{
	cleanup(config_freep) struct config *c = load("global: {logging: []}");

	REQUIRE(c);
	REQUIRE(c->global.n_outlets == 1);
	CHECK(c->global.outlets[0].bare);
	CHECK(!c->global.outlets[0].time && !c->global.outlets[0].color);
	CHECK_INT(c->global.outlets[0].level, LOG_WARN);
}

TEST(an_outlet_has_its_defaults)
{
	cleanup(config_freep) struct config *c =
		load("global: {logging: [{type: stdout, level: debug, format: json, "
		     "color: ~}]}");

	REQUIRE(c);
	REQUIRE(c->global.n_outlets == 1);
	CHECK_INT(c->global.outlets[0].level, LOG_DEBUG);
	CHECK_INT(c->global.outlets[0].format, LOG_FORMAT_JSON);
	CHECK(c->global.outlets[0].time);
	CHECK(!c->global.outlets[0].color);
	CHECK(!c->global.outlets[0].bare);
}

TEST(a_minimal_push_job_has_its_defaults)
{
	cleanup(config_freep) struct config *c =
		load("jobs:\n"
		     "  - name: j\n"
		     "    type: push\n"
		     "    connect: {type: local, listener_name: l, client_identity: c}\n"
		     "    filesystems: {\"<\": true}\n"
		     "    snapshotting: {type: manual}\n"
		     "    pruning:\n"
		     "      keep_sender: [{type: last_n, count: 1}]\n"
		     "      keep_receiver: [{type: last_n, count: 1}]\n");

	REQUIRE(c);
	REQUIRE(c->n_jobs == 1);
	const struct conf_job *j = &c->jobs[0];

	CHECK_STR(j->name, "j");
	CHECK_INT(j->type, JOB_PUSH);
	CHECK_STR(j->file, "t.yml");
	CHECK_INT(j->line, 2);
	CHECK_INT(j->column, 5);
	CHECK_STR(j->path, "jobs[0]");
	CHECK_STR(j->connect.listener_name, "l");
	CHECK_STR(j->connect.client_identity, "c");
	CHECK_INT(j->connect.dial_timeout_ms, 2000);
	CHECK(dsfilter_accepts(&j->filesystems, "any/thing"));
	CHECK_INT(j->snapshotting.type, SNAPSHOTTING_MANUAL);
	CHECK(!j->send.encrypted && !j->send.raw && !j->send.send_properties);
	CHECK(!j->send.backup_properties && !j->send.large_blocks && !j->send.compressed);
	CHECK(!j->send.embedded_data && !j->send.saved);
	CHECK_INT(j->replication.protect_initial, PROTECTION_RESUMABILITY);
	CHECK_INT(j->replication.protect_incremental, PROTECTION_RESUMABILITY);
	CHECK_INT(j->replication.concurrency_steps, 1);
	CHECK_INT(j->replication.concurrency_size_estimates, 4);
	CHECK_INT(j->replication.initial_replication, INITIAL_MOST_RECENT);
	REQUIRE(j->keep_sender.n == 1 && j->keep_receiver.n == 1);
	CHECK_INT(j->keep_sender.v[0].type, KEEP_LAST_N);
	CHECK(!j->keep_sender.v[0].regex);
	CHECK_STR(j->keep_sender.v[0].text, "last_n 1");
	REQUIRE(c->n_warnings == 3);
	CHECK_STR(c->warnings[0],
		  "t.yml:4:43: jobs[0].connect.listener_name: no sink of this file "
		  "serves \"l\"");
	CHECK(!c->warnings[3]);
}

TEST(a_minimal_sink_has_its_defaults)
{
	cleanup(config_freep) struct config *c =
		load("jobs:\n- type: sink\n  name: s\n  root_fs: tank/backups\n"
		     "  serve: {type: local, listener_name: l}\n");

	REQUIRE(c);
	REQUIRE(c->n_jobs == 1);
	const struct conf_job *j = &c->jobs[0];

	CHECK_STR(j->name, "s");
	CHECK_INT(j->type, JOB_SINK);
	CHECK_STR(j->root_fs, "tank/backups");
	CHECK_STR(j->serve.listener_name, "l");
	CHECK_INT(j->recv.n_inherit, 0);
	CHECK_INT(j->recv.n_override, 0);
	CHECK_INT(j->recv.placeholder_encryption, PLACEHOLDER_ENCRYPTION_UNSPECIFIED);
	CHECK_INT(c->n_warnings, 0);
}

TEST(a_minimal_snap_job_has_its_defaults)
{
	cleanup(config_freep) struct config *c =
		load("jobs:\n- type: snap\n  name: s\n  filesystems: {\"tank<\": true}\n"
		     "  snapshotting: {type: periodic, prefix: p_, interval: 1h}\n"
		     "  pruning: {keep: [{type: regex, regex: x}, {type: last_n, count: "
		     "60}]}\n");

	REQUIRE(c);
	REQUIRE(c->n_jobs == 1);
	const struct conf_job *j = &c->jobs[0];

	CHECK_STR(j->name, "s");
	CHECK_INT(j->type, JOB_SNAP);
	CHECK_INT(j->snapshotting.type, SNAPSHOTTING_PERIODIC);
	CHECK_STR(j->snapshotting.timestamp_format, "dense");
	CHECK_STR(j->snapshotting.timestamp_location, "UTC");
	REQUIRE(j->keep.n == 2);
	CHECK(!j->keep.v[0].negate);
	CHECK_STR(j->keep.v[0].text, "regex x");
	CHECK_INT(j->keep.v[1].count, 60);
}

static const char whole[] =
	"global:\n"
	"  logging:\n"
	"    - {type: stdout, level: warn, format: human, time: true, color: true}\n"
	"  control: {sockpath: /run/z/control}\n"
	"  serve: {stdinserver: {sockdir: /run/z/stdinserver}}\n"
	"jobs:\n"
	"  - name: example push\n"
	"    type: push\n"
	"    connect: {type: local, listener_name: localsink, client_identity: me,\n"
	"              dial_timeout: 2500ms}\n"
	"    filesystems: {\"tank<\": true, \"tank/tmp<\": false, \"tank/tmp/keep\": "
	"true}\n"
	"    snapshotting:\n"
	"      type: periodic\n"
	"      prefix: zrepl_\n"
	"      interval: 10m\n"
	"      timestamp_format: ISO-8601\n"
	"      timestamp_location: UTC\n"
	"      hooks: []\n"
	"    send:\n"
	"      encrypted: true\n"
	"      raw: yes\n"
	"      send_properties: on\n"
	"      backup_properties: true\n"
	"      large_blocks: true\n"
	"      compressed: true\n"
	"      embedded_data: true\n"
	"      saved: true\n"
	"      bandwidth_limit: {max: -1 B, bucket_capacity: 128 KiB}\n"
	"    replication:\n"
	"      protection: {initial: guarantee_nothing, incremental: "
	"guarantee_incremental}\n"
	"      concurrency: {steps: 2, size_estimates: 8}\n"
	"    conflict_resolution: {initial_replication: fail}\n"
	"    pruning:\n"
	"      keep_sender:\n"
	"        - {type: not_replicated, keep_snapshot_at_cursor: false}\n"
	"        - {type: last_n, count: 10, regex: \"^zrepl_\"}\n"
	"      keep_receiver:\n"
	"        - {type: grid, grid: \"1x1h(keep=all) | 24x1h | 30x1d\", regex: "
	"\"^zrepl_\"}\n"
	"        - {type: regex, regex: \"^zrepl_\", negate: true}\n"
	"  - name: example local sink\n"
	"    type: sink\n"
	"    root_fs: backup/local\n"
	"    serve: {type: local, listener_name: localsink}\n"
	"    recv:\n"
	"      properties: {inherit: [mountpoint, a:b], override: {canmount: off, x: "
	"\"\"}}\n"
	"      bandwidth_limit: {max: -1 B, bucket_capacity: 128 KiB}\n"
	"      placeholder: {encryption: inherit}\n"
	"  - name: example snap\n"
	"    type: snap\n"
	"    filesystems: {\"tank<\": true}\n"
	"    snapshotting: {type: manual}\n"
	"    pruning:\n"
	"      keep: [{type: last_n, count: 60}]\n";

static void check_whole_push(const struct conf_job *j)
{
	struct timespec t = { .tv_sec = 1715721383 };

	REQUIRE(j && j->type == JOB_PUSH);
	CHECK_STR(j->connect.listener_name, "localsink");
	CHECK_STR(j->connect.client_identity, "me");
	CHECK_INT(j->connect.dial_timeout_ms, 2500);
	CHECK(dsfilter_accepts(&j->filesystems, "tank/a"));
	CHECK(!dsfilter_accepts(&j->filesystems, "tank/tmp/a"));
	CHECK(dsfilter_accepts(&j->filesystems, "tank/tmp/keep"));
	CHECK_INT(j->snapshotting.type, SNAPSHOTTING_PERIODIC);
	CHECK_STR(j->snapshotting.prefix, "zrepl_");
	CHECK_INT(j->snapshotting.interval_s, 600);
	CHECK_STR(j->snapshotting.timestamp_format, "ISO-8601");
	REQUIRE(j->snapshotting.name);
	cleanup(str_freep) char *name = snapname_at(j->snapshotting.name, t);

	CHECK_STR(name, "zrepl_2024-05-14T21:16:23.000Z");
	CHECK(j->send.encrypted && j->send.raw && j->send.send_properties);
	CHECK(j->send.backup_properties && j->send.large_blocks && j->send.compressed);
	CHECK(j->send.embedded_data && j->send.saved);
	CHECK_INT(j->replication.protect_initial, PROTECTION_NOTHING);
	CHECK_INT(j->replication.protect_incremental, PROTECTION_INCREMENTAL);
	CHECK_INT(j->replication.concurrency_steps, 2);
	CHECK_INT(j->replication.concurrency_size_estimates, 8);
	CHECK_INT(j->replication.initial_replication, INITIAL_FAIL);
}

static void check_whole_rules(const struct conf_job *j)
{
	cleanup(err_clear) struct err err = ERR_INIT;

	REQUIRE(j && j->keep_sender.n == 2 && j->keep_receiver.n == 2);
	const struct conf_keep *s = j->keep_sender.v, *r = j->keep_receiver.v;

	CHECK_INT(s[0].type, KEEP_NOT_REPLICATED);
	CHECK(!s[0].keep_snapshot_at_cursor);
	CHECK_STR(s[0].text, "not_replicated");
	CHECK_INT(s[1].type, KEEP_LAST_N);
	CHECK_INT(s[1].count, 10);
	CHECK_STR(s[1].text, "last_n 10 ^zrepl_");
	REQUIRE(s[1].regex);
	CHECK_INT(regex_matches(s[1].regex, "zrepl_1", &err), 1);
	CHECK_INT(r[0].type, KEEP_GRID);
	REQUIRE(r[0].grid.n == 3 && r[0].regex);
	CHECK_INT(r[0].grid.v[0].keep, GRID_KEEP_ALL);
	CHECK_INT(r[0].grid.v[2].repeat, 30);
	CHECK_INT(r[0].grid.v[2].length_s, 86400);
	CHECK_STR(r[0].text, "grid 1x1h(keep=all) | 24x1h | 30x1d ^zrepl_");
	CHECK_INT(r[1].type, KEEP_REGEX);
	CHECK(r[1].negate && r[1].regex);
	CHECK_STR(r[1].text, "regex not ^zrepl_");
}

TEST(every_value_of_a_whole_file_arrives)
{
	cleanup(config_freep) struct config *c = load(whole);

	REQUIRE(c && c->n_jobs == 3);
	CHECK_INT(c->n_warnings, 2); /* of keep rules */
	CHECK_STR(c->global.control_sockpath, "/run/z/control");
	CHECK_STR(c->global.stdinserver_sockdir, "/run/z/stdinserver");
	check_whole_push(&c->jobs[0]);
	check_whole_rules(&c->jobs[0]);

	const struct conf_job *sink = &c->jobs[1];

	CHECK_STR(sink->name, "example local sink");
	CHECK_STR(sink->root_fs, "backup/local");
	CHECK_STR(sink->serve.listener_name, "localsink");
	REQUIRE(sink->recv.n_inherit == 2 && sink->recv.n_override == 2);
	CHECK_STR(sink->recv.inherit[0], "mountpoint");
	CHECK_STR(sink->recv.inherit[1], "a:b");
	CHECK_STR(sink->recv.override[0].name, "canmount");
	CHECK_STR(sink->recv.override[0].value, "off");
	CHECK_STR(sink->recv.override[1].value, "");
	CHECK_INT(sink->recv.placeholder_encryption, PLACEHOLDER_ENCRYPTION_INHERIT);
	CHECK_STR(c->jobs[2].name, "example snap");
	CHECK_INT(c->jobs[2].line, 48);
}

TEST(anchors_and_merge_keys_share_parts_of_jobs)
{
	cleanup(config_freep) struct config *c =
		load("jobs:\n"
		     "- &a {type: snap, name: a, filesystems: {x: true}, snapshotting: "
		     "{type: manual},\n"
		     "      pruning: {keep: [{type: grid, grid: 2x1h, regex: r}]}}\n"
		     "- {<<: *a, name: b, filesystems: {y: true}}\n");

	REQUIRE(c && c->n_jobs == 2);
	CHECK_STR(c->jobs[1].name, "b");
	CHECK(dsfilter_accepts(&c->jobs[1].filesystems, "y"));
	CHECK(!dsfilter_accepts(&c->jobs[1].filesystems, "x"));
	CHECK_STR(c->jobs[1].keep.v[0].text, "grid 2x1h r");
}

TEST(words_have_names)
{
	CHECK_STR(job_type_name(JOB_PUSH), "push");
	CHECK_STR(job_type_name(JOB_SINK), "sink");
	CHECK_STR(job_type_name(JOB_SNAP), "snap");
	CHECK_STR(protection_name(PROTECTION_INCREMENTAL), "guarantee_incremental");
	CHECK(!protection_name(PROTECTION_INVALID));
	CHECK_STR(initial_replication_name(INITIAL_FAIL), "fail");
}

TEST_MAIN()
