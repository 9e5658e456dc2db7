#include "check_text.h"

/* ---- one job, of which one part is replaced ---- */

enum slot { CONNECT, FILESYSTEMS, SNAPSHOTTING, KEEP_SENDER, EXTRA, N_SLOTS };

static const char *const usual[N_SLOTS] = {
	[CONNECT] = "{type: local, listener_name: l, client_identity: c}",
	[FILESYSTEMS] = "{\"<\": true}",
	[SNAPSHOTTING] = "{type: manual}",
	[KEEP_SENDER] = "[{type: last_n, count: 1}]",
	[EXTRA] = "",
};

static char *push_job(enum slot slot, const char *instead)
{
	const char *part[N_SLOTS];
	struct buf b = { 0 };

	memcpy(part, usual, sizeof(part));
	part[slot] = instead;
	buf_printf(&b,
		   "jobs:\n"
		   "  - name: j\n"
		   "    type: push\n"
		   "    connect: %s\n"
		   "    filesystems: %s\n"
		   "    snapshotting: %s\n"
		   "    pruning:\n"
		   "      keep_sender: %s\n"
		   "      keep_receiver: [{type: last_n, count: 1}]\n"
		   "    %s\n",
		   part[CONNECT], part[FILESYSTEMS], part[SNAPSHOTTING],
		   part[KEEP_SENDER], part[EXTRA]);
	return buf_take(&b);
}

struct substitution {
	enum slot slot;
	const char *instead, *want;
};

static void check_substitutions(const struct substitution *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup(str_freep) char *text = push_job(s[i].slot, s[i].instead);

		check_text(text, s[i].want);
	}
}

TEST(the_job_that_parts_are_replaced_in_is_valid)
{
	cleanup(str_freep) char *text = push_job(EXTRA, "");

	check_text(text, NULL);
}

TEST(filesystems_are_a_map_of_patterns_to_booleans)
{
	static const struct substitution s[] = {
		{ FILESYSTEMS, "{}",
		  "t.yml:5:18: jobs[0].filesystems: is required, but empty; want a map "
		  "of patterns to true or false, such as {\"tank/data<\": true}" },
		{ FILESYSTEMS, "~",
		  "jobs[0].filesystems: is required, but null; want a map" },
		{ FILESYSTEMS, "[]",
		  "jobs[0].filesystems: is required, but empty; want a map" },
		{ FILESYSTEMS, "[a]", "jobs[0].filesystems: is a list; want a map" },
		{ FILESYSTEMS, "{\"a\": yes, \"b\": off}", NULL },
		{ FILESYSTEMS, "{\"a\": \"true\"}",
		  "t.yml:5:24: jobs[0].filesystems[\"a\"]: is the quoted text \"true\"; "
		  "want true or false, without quotes" },
		{ FILESYSTEMS, "{\"a\": 1}", "[\"a\"]: is \"1\"; want true or false" },
		{ FILESYSTEMS, "{\"a\": ~}", "[\"a\"]: is null; want true or false" },
		{ FILESYSTEMS, "{\"a\": true, \"a\": true}",
		  "t.yml:5:30: jobs[0].filesystems[\"a\"]: the key is there twice, first "
		  "in line 5" },
		{ FILESYSTEMS, "{a@b: true}",
		  "t.yml:5:19: jobs[0].filesystems[\"a@b\"]: " },
		{ FILESYSTEMS, "{\"a<b\": true}", "jobs[0].filesystems[\"a<b\"]: " },
		{ FILESYSTEMS, "{\"tank/<\": true}",
		  "jobs[0].filesystems[\"tank/<\"]: " },
		{ FILESYSTEMS, "{~: true}", "a key is null; quote it" },
	};

	check_substitutions(s, ARRAY_LEN(s));
}

TEST(keep_rules_are_checked)
{
	static const struct substitution s[] = {
		{ KEEP_SENDER, "[]",
		  "t.yml:8:20: jobs[0].pruning.keep_sender: is required, but empty; want "
		  "a list of keep rules such as [{type: last_n, count: 10}]" },
		{ KEEP_SENDER, "~", "keep_sender: is required, but null" },
		{ KEEP_SENDER, "[~]",
		  "t.yml:8:21: jobs[0].pruning.keep_sender[0]: is null; remove the "
		  "element, or give a keep rule" },
		{ KEEP_SENDER, "[{type: last_n, count: 0}]",
		  "t.yml:8:43: jobs[0].pruning.keep_sender[0].count: is 0; want at least "
		  "1" },
		{ KEEP_SENDER, "[{type: last_n}]",
		  "t.yml:8:21: jobs[0].pruning.keep_sender[0].count: is required, but "
		  "missing; want the number of snapshots to keep, at least 1" },
		{ KEEP_SENDER, "[{type: last_n, count: \"3\"}]",
		  "count: is the quoted text \"3\"" },
		{ KEEP_SENDER, "[{type: last_n, count: ~}]",
		  "count: is required, but null" },
		{ KEEP_SENDER, "[{type: last_n, count: -1}]",
		  "count: is -1; want at least 1" },
		{ KEEP_SENDER, "[{type: last_n, count: 1.5}]", NULL },
		{ KEEP_SENDER, "[{type: last_n, count: 1, regex: ''}]", NULL },
		{ KEEP_SENDER, "[{type: last_n, count: 1, regex: ~}]", NULL },
		{ KEEP_SENDER, "[{type: last_n, count: 1, regex: '('}]",
		  "t.yml:8:53: jobs[0].pruning.keep_sender[0].regex: " },
		{ KEEP_SENDER, "[{type: not_replicated}]", NULL },
		{ KEEP_SENDER, "[{type: not_replicated, foo: 1}]",
		  "keep_sender[0].foo: unknown key; a not_replicated rule has type, "
		  "keep_snapshot_at_cursor" },
		{ KEEP_SENDER, "[{type: bogus}]",
		  "t.yml:8:28: jobs[0].pruning.keep_sender[0].type: keep rule \"bogus\" "
		  "is unknown; there are not_replicated, last_n, grid, regex" },
		{ KEEP_SENDER, "[{}]", "keep_sender[0].type: is required, but missing" },
		{ KEEP_SENDER, "[last_n]",
		  "keep_sender[0]: is \"last_n\"; want a keep rule" },
		{ KEEP_SENDER, "[{type: regex, regex: ''}]",
		  "keep_sender[0].regex: is required, but empty" },
		{ KEEP_SENDER, "[{type: regex, regex: '(?=x)'}]",
		  "keep_sender[0].regex: " },
		{ KEEP_SENDER, "[{type: grid, grid: 1x1h}]",
		  "keep_sender[0].regex: is required, but missing; want a regular "
		  "expression" },
	};

	check_substitutions(s, ARRAY_LEN(s));
}

TEST(grids_are_checked)
{
	static const struct {
		const char *grid;
		bool is_valid;
	} cases[] = {
		{ "1x1h(keep=all) | 24x1h", true },
		{ "1 x 1 h ", true },
		{ "1x1h( keep=2)", true },
		{ "1x+1h", true },
		{ "1x1h(keep=all)|1x30m", true },
		{ "1x1h(keep=all )", false },
		{ "1x1h()", false },
		{ "0x1h", false },
		{ "1x1h|", false },
		{ "1x1", false },
		{ "1X1h", false },
		{ "1x1h(keep=2,foo=3)", false },
		{ "1x1h(keep=0)", false },
		{ "1x1h|1x30m", false },
		{ "1x1h(keep=all)|1x30m|1x10m", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(buf_free) struct buf rule = { 0 };

		buf_printf(&rule, "[{type: grid, regex: x, grid: \"%s\"}]",
			   cases[i].grid);
		cleanup(str_freep) char *text = push_job(KEEP_SENDER, buf_str(&rule));

		check_text(text, cases[i].is_valid ? NULL : "keep_sender[0].grid: ");
	}
}

TEST(a_local_connection_is_checked)
{
#define LOCAL "{type: local, listener_name: l, client_identity: c, "
	static const struct substitution s[] = {
		{ CONNECT, LOCAL "dial_timeout: 0}", NULL },
		{ CONNECT, LOCAL "dial_timeout: 30}", NULL },
		{ CONNECT, LOCAL "dial_timeout: ~}", NULL },
		{ CONNECT, LOCAL "dial_timeout: 1h30m}", NULL },
		{ CONNECT, LOCAL "dial_timeout: 1d}",
		  "t.yml:4:80: jobs[0].connect.dial_timeout: " },
		{ CONNECT, LOCAL "dial_timeout: -1s}",
		  "dial_timeout: \"-1s\" is below zero; want a duration such as 10s "
		  "or 1m30s, or 0" },
		{ CONNECT, LOCAL "port: 1}",
		  "connect.port: unknown key; connect of type local has type, "
		  "listener_name, client_identity, dial_timeout" },
		{ CONNECT, "{}",
		  "t.yml:4:14: jobs[0].connect: is required, but empty; want a map" },
		{ CONNECT, "{type: local, listener_name: '', client_identity: c}",
		  "connect.listener_name: is required, but empty" },
		{ CONNECT, "{type: local, listener_name: l}",
		  "connect.client_identity: is required, but missing" },
		{ CONNECT, "{type: local, listener_name: l, client_identity: a/b}",
		  "t.yml:4:63: jobs[0].connect.client_identity: " },
		{ CONNECT, "{type: local, listener_name: l, client_identity: ..}",
		  "connect.client_identity: " },
		{ CONNECT, "{type: quic}",
		  "t.yml:4:21: jobs[0].connect.type: connect type \"quic\" is unknown; "
		  "there are tcp, tls, ssh+stdinserver, local" },
		{ CONNECT, "{}",
		  "t.yml:4:14: jobs[0].connect: is required, but empty; want a map that "
		  "says how to reach the other side" },
	};

	check_substitutions(s, ARRAY_LEN(s));
}

TEST(snapshotting_is_checked)
{
#define PERIODIC "{type: periodic, prefix: p, "
	static const struct substitution s[] = {
		{ SNAPSHOTTING, "{type: manual, prefix: x}",
		  "t.yml:6:34: jobs[0].snapshotting.prefix: unknown key; manual "
		  "snapshotting has type" },
		{ SNAPSHOTTING, "{type: Manual}",
		  "snapshotting type \"Manual\" is unknown, perhaps \"manual\" is meant; "
		  "there are manual, periodic" },
		{ SNAPSHOTTING, PERIODIC "interval: 1w}", NULL },
		{ SNAPSHOTTING, PERIODIC "interval: 10}",
		  "t.yml:6:57: jobs[0].snapshotting.interval: " },
		{ SNAPSHOTTING, PERIODIC "interval: 0s}",
		  "snapshotting.interval: is not above zero; want a duration above zero: "
		  "one number and one unit, such as 10m or 1d" },
		{ SNAPSHOTTING, PERIODIC "interval: 1h30m}", "snapshotting.interval: " },
		{ SNAPSHOTTING, PERIODIC "interval: ~}",
		  "interval: is required, but null" },
		{ SNAPSHOTTING, "{type: periodic, interval: 1h}",
		  "snapshotting.prefix: is required, but missing" },
		{ SNAPSHOTTING, "{type: periodic, interval: 1h, prefix: ''}",
		  "snapshotting.prefix: is required, but empty" },
		{ SNAPSHOTTING, "{type: periodic, interval: 1h, prefix: a/b}",
		  "t.yml:6:58: jobs[0].snapshotting.prefix: " },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, hooks: []}", NULL },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, hooks: ~}", NULL },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, hooks: [{type: command}]}",
		  "t.yml:6:69: jobs[0].snapshotting.hooks[0].path: is required, but "
		  "missing; want the path of a program" },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, hooks: [~]}",
		  "snapshotting.hooks[0]: is null" },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, skip_unchanged: yes}", NULL },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, skip_unchanged: 1}",
		  "snapshotting.skip_unchanged: is \"1\"; want true or false" },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, hooks: {}}",
		  "snapshotting.hooks: is a map; want a list of hooks" },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, timestamp_format: Human}", NULL },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, timestamp_location: ~}", NULL },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, timestamp_location: Local}",
		  "jobs[0].snapshotting.timestamp_location: the timestamp format dense "
		  "needs the location UTC, not \"Local\"; write UTC" },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, timestamp_location: No/Where}",
		  "jobs[0].snapshotting.timestamp_location: " },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, timestamp_format: a+b}",
		  "jobs[0].snapshotting.timestamp_format: the timestamp format \"a+b\" "
		  "contains" },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, timestamp_format: ''}",
		  "jobs[0].snapshotting.timestamp_format: the timestamp format is "
		  "empty" },
		{ SNAPSHOTTING, PERIODIC "interval: 1h, cron: x}",
		  "snapshotting.cron: unknown key" },
		{ SNAPSHOTTING, "{type: cron, prefix: p, cron: '0 3 * * *'}", NULL },
		{ SNAPSHOTTING, "{type: cron, prefix: p, cron: '0 0 30 2 *'}",
		  "t.yml:6:49: jobs[0].snapshotting.cron: " },
		{ SNAPSHOTTING, "{type: cron, prefix: p, cron: '@daily'}",
		  "jobs[0].snapshotting.cron: " },
		{ SNAPSHOTTING, "{type: cron, prefix: p, cron: TZ=UTC}",
		  "jobs[0].snapshotting.cron: " },
		{ SNAPSHOTTING,
		  "{type: cron, prefix: p, cron: '0 3 * * *', interval: 1h}",
		  "snapshotting.interval: unknown key" },
		{ SNAPSHOTTING, "{type: cron, prefix: p}",
		  "snapshotting.cron: is required, but missing" },
	};

	check_substitutions(s, ARRAY_LEN(s));
}

#define HOOK PERIODIC "interval: 1h, hooks: [{type: "

TEST(hooks_are_checked)
{
	static const struct substitution s[] = {
		{ SNAPSHOTTING, HOOK "command, path: /bin/true}]}", NULL },
		{ SNAPSHOTTING, HOOK "command, path: ''}]}",
		  "hooks[0].path: is required, but empty" },
		{ SNAPSHOTTING, HOOK "command, path: /x, timeout: 0s}]}",
		  "hooks[0].timeout: \"0s\" is not above zero; want a duration above "
		  "zero such as 10s or 1m30s" },
		{ SNAPSHOTTING, HOOK "command, path: /x, timeout: ~}]}",
		  "hooks[0].timeout: " },
		{ SNAPSHOTTING, HOOK "command, path: /x, timeout: 1d}]}",
		  "hooks[0].timeout: " },
		{ SNAPSHOTTING, HOOK "command, path: /x, filesystems: {}}]}", NULL },
		{ SNAPSHOTTING, HOOK "command, path: /x, filesystems: {\"a<b\": y}}]}",
		  "hooks[0].filesystems[\"a<b\"]: " },
		{ SNAPSHOTTING, HOOK "command, path: /x, filesystems: '{\"<\": true}'}]}",
		  "filesystems: is the quoted text" },
		{ SNAPSHOTTING, HOOK "command, path: /x, dsn: y}]}",
		  "hooks[0].dsn: unknown key" },
		{ SNAPSHOTTING, HOOK "command, path: /x, err_is_fatal: y}]}", NULL },
#if HAVE_LIBPQ
		{ SNAPSHOTTING,
		  HOOK "postgres-checkpoint, dsn: host=/run user=u, filesystems: {a: "
		       "y}}]}",
		  NULL },
		{ SNAPSHOTTING,
		  HOOK "postgres-checkpoint, dsn: 'postgresql://u:p@h/d', filesystems: "
		       "{a: y}}]}",
		  NULL },
		{ SNAPSHOTTING,
		  HOOK "postgres-checkpoint, dsn: password=geheim rest, filesystems: "
		       "{a: y}}]}",
		  "hooks[0].dsn: libpq does not understand it: a word in it has no "
		  "'='; want" },
		/* that for the other database, of which libpq quotes all or a part */
		{ SNAPSHOTTING,
		  HOOK "postgres-checkpoint, dsn: 'u:geheim@tcp(h)/', filesystems: {a: "
		       "y}}]}",
		  "hooks[0].dsn: libpq does not understand it: a word in it has no "
		  "'='; want" },
		{ SNAPSHOTTING,
		  HOOK "postgres-checkpoint, dsn: 'u:geheim@tcp(h)/?a=b', filesystems: "
		       "{a: y}}]}",
		  "hooks[0].dsn: libpq does not understand it; want" },
		{ SNAPSHOTTING,
		  HOOK "postgres-checkpoint, 'dsn:u:geheim@h', filesystems: {a: y}}]}",
		  "hooks[0].dsn...: unknown key, perhaps \"dsn\" is meant" },
		{ SNAPSHOTTING,
		  "{type: periodic, interval: 1h, prefix: z, hooks: "
		  "['postgres://u:geheim@h/']}",
		  "hooks[0]: is the quoted text \"postgres...\"; want a hook" },
		{ SNAPSHOTTING,
		  HOOK "postgres-checkpoint, dsn: hots=x, filesystems: {a: y}}]}",
		  "hooks[0].dsn: libpq does not understand it: invalid connection "
		  "option \"hots\"; want" },
		{ SNAPSHOTTING,
		  HOOK "postgres-checkpoint, dsn: host=x, filesystems: {}}]}",
		  "hooks[0].filesystems: is required, but empty" },
#endif
#if HAVE_LIBMARIADB
		{ SNAPSHOTTING,
		  HOOK "mysql-lock-tables, dsn: 'u:p@tcp(h:1)/d', filesystems: {a: "
		       "y}}]}",
		  NULL },
		{ SNAPSHOTTING,
		  HOOK "mysql-lock-tables, dsn: 'u:p@tcp(h:1)', filesystems: {a: "
		       "y}}]}",
		  "hooks[0].dsn: " },
		{ SNAPSHOTTING, HOOK "mysql-lock-tables, filesystems: {a: y}}]}",
		  "hooks[0].dsn: is required, but missing; want USER:PASSWORD@NET" },
#endif
		{ SNAPSHOTTING, HOOK "comand, path: /x}]}",
		  "hook type \"comand\" is unknown, perhaps \"command\" is meant; there "
		  "are command" },
	};

	check_substitutions(s, ARRAY_LEN(s));
}

TEST(sections_with_defaults_are_checked)
{
	static const struct substitution s[] = {
		{ EXTRA, "recv: {}",
		  "t.yml:10:5: jobs[0].recv: unknown key; a push job "
		  "has type, name, connect, filesystems, snapshotting, pruning, send, "
		  "replication, conflict_resolution" },
		{ EXTRA, "name: k",
		  "t.yml:10:5: jobs[0].name: the key is there twice, first in line 2; "
		  "remove one of them" },
		{ EXTRA, "root_fs: a", "jobs[0].root_fs: unknown key" },
		{ EXTRA, "send: ~", NULL },
		{ EXTRA, "send: {}", NULL },
		{ EXTRA, "send: {raw: ~}", NULL },
		{ EXTRA, "send: {raw: 'yes'}", "jobs[0].send.raw: is the quoted text" },
		{ EXTRA, "send: {compresed: y}", "perhaps \"compressed\" is meant" },
		{ EXTRA, "send: {bandwidth_limit: {}}", NULL },
		{ EXTRA, "send: {bandwidth_limit: ~}", NULL },
		{ EXTRA, "send: {bandwidth_limit: {max: -1 B}}", NULL },
		{ EXTRA, "send: {bandwidth_limit: {max: -1}}",
		  "t.yml:10:35: jobs[0].send.bandwidth_limit.max: \"-1\" lacks a unit" },
		{ EXTRA, "send: {bandwidth_limit: {max: 10kB}}",
		  "max: \"10kB\" has an unknown unit; write" },
		{ EXTRA, "send: {bandwidth_limit: {max: 1.2.3 B}}",
		  "max: \"1.2.3 B\" does not begin" },
		{ EXTRA, "send: {bandwidth_limit: {max: 1.5 bit}}",
		  "max: \"1.5 bit\" has" },
		{ EXTRA, "send: {bandwidth_limit: {max: ~}}", "max: is below one byte" },
		{ EXTRA, "send: {bandwidth_limit: {max: 0 B}}",
		  "max: is below one byte" },
		{ EXTRA, "send: {bandwidth_limit: {max: 7 bit}}",
		  "t.yml:10:35: jobs[0].send.bandwidth_limit.max: is below one byte a "
		  "second, and nothing would ever be sent; want -1 B for no limit" },
		{ EXTRA, "send: {bandwidth_limit: {max: 1 B}}", NULL },
		{ EXTRA, "send: {bandwidth_limit: {max: 23.5 MiB}}", NULL },
		{ EXTRA, "send: {bandwidth_limit: {bucket_capacity: -1 B}}",
		  "bucket_capacity: is below one byte; want a size such as 128 KiB" },
		{ EXTRA, "send: {bandwidth_limit: {bucket_capacity: 0 B}}",
		  "bucket_capacity: is below one byte" },
		{ EXTRA, "replication: {protection: {initial: foo}}",
		  "t.yml:10:41: jobs[0].replication.protection.initial: \"foo\" is "
		  "unknown; want one of guarantee_resumability, guarantee_incremental, "
		  "guarantee_nothing" },
		{ EXTRA, "replication: {protection: ~, concurrency: ~}", NULL },
		{ EXTRA, "replication: {protection: {initial: ~}}", "initial: is null" },
		{ EXTRA, "replication: {concurrency: {steps: 0}}",
		  "jobs[0].replication.concurrency.steps: is 0; want at least 1" },
		{ EXTRA, "replication: {concurrency: {size_estimates: -1}}",
		  "size_estimates: is -1; want at least 1" },
		{ EXTRA, "conflict_resolution: {initial_replication: all}", NULL },
		{ EXTRA, "conflict_resolution: {initial_replication: ~}",
		  "initial_replication: is null; want one of most_recent, all, fail" },
	};

	check_substitutions(s, ARRAY_LEN(s));
}

TEST(the_top_level_is_checked)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "jobs: []", NULL },
		{ "jobs: ~", NULL },
		{ "", NULL },
		{ "---", NULL },
		{ "  # nothing\n\n", NULL },
		{ "global: ~", NULL },
		{ "include: []", NULL },
		{ "jobs: {}", "t.yml:1:7: jobs: is a map; want a list of jobs" },
		{ "[]", "t.yml:1:1: is a list; want a map with global, jobs, include" },
		{ "job: []", "t.yml:1:1: job: unknown key, perhaps \"jobs\" is meant; a "
			     "configuration file has "
			     "global, jobs, include" },
		{ "jobs: []\n---\n}{", NULL },
		{ "jobs: [~]",
		  "t.yml:1:8: jobs[0]: is null; remove the element, or give a job" },
		{ "jobs: [",
		  "t.yml:2:1: did not find expected node content, while parsing a flow "
		  "node" },
		{ "jobs: [{type: sink, root_fs: r, serve: {type: local, listener_name: "
		  "l}}]",
		  "t.yml:1:8: jobs[0].name: is required, but missing" },
		{ "jobs: [{type: psh, name: x}]",
		  "job type \"psh\" is unknown, perhaps \"push\"" },
		{ "jobs: [{name: x}]",
		  "jobs[0].type: is required, but missing; want one of push, "
		  "sink, snap, pull, source" },
		{ "a: &a [*a]", "t.yml:1:8: anchor \"&a\" contains itself" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_text(cases[i].text, cases[i].want);
}

#define OUTLET "global: {logging: [{level: info, format: human, type: "

TEST(global_is_checked)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "global: {monitoring: []}", NULL },
		{ "global: {monitoring: ~, logging: ~, control: ~, serve: ~}", NULL },
		{ "global: {monitoring: [{type: prometheus, listen: ':9811'}]}", NULL },
		{ "global: {monitoring: [{type: prometheus}]}",
		  "t.yml:1:23: global.monitoring[0].listen: is required, but missing" },
		{ "global: {monitoring: [{type: prometheus, listen: ':1'}, "
		  "{type: prometheus, listen: ':2'}]}",
		  "t.yml:1:57: global.monitoring[1]: a second exporter of type "
		  "prometheus; there can be one" },
		{ "global: {monitoring: [{type: Prometheus, listen: ':1'}]}",
		  "monitoring type \"Prometheus\" is unknown, perhaps \"prometheus\" is "
		  "meant" },
		{ "global: {monitoring: [~]}", "global.monitoring[0]: is null" },
		{ "global: {logging: [{type: stdout, format: human}]}",
		  "global.logging[0].level: is required, but missing; want one of debug, "
		  "info, warn, error" },
		{ "global: {logging: [{type: stdout, level: info}]}",
		  "global.logging[0].format: is required, but missing; want one of "
		  "human, logfmt, json" },
		{ "global: {logging: [{type: stdout, level: loud, format: human}]}",
		  "level: \"loud\" is unknown" },
		{ "global: {logging: [{type: stdout, level: info, format: xml}]}",
		  "format: \"xml\" is unknown" },
		{ OUTLET "syslog}]}", NULL },
		{ OUTLET "syslog, facility: daemon, retry_interval: 1m}]}", NULL },
		{ OUTLET "syslog, facility: ~}]}", NULL },
		{ OUTLET "syslog, facility: ''}]}", "global.logging[0].facility: " },
		{ OUTLET "syslog, facility: local8}]}",
		  "facility: \"local8\" is unknown, perhaps \"local0\" is meant" },
		{ OUTLET "syslog, retry_interval: 0s}]}",
		  "retry_interval: \"0s\" is not above zero; want a duration above "
		  "zero" },
		{ OUTLET "syslog, color: y}]}", "global.logging[0].color: unknown key" },
		{ OUTLET "syslog}, {level: info, format: human, type: syslog}]}",
		  "global.logging[1]: a second outlet of type syslog; there can be one" },
		{ OUTLET "tcp, address: 'log:514'}]}", NULL },
		{ OUTLET "tcp, address: 'log:514', net: tcp6}, {level: info, format: "
			 "json, type: tcp, address: 'log:515'}]}",
		  NULL },
		{ OUTLET "tcp, address: 'log:514', net: udp}]}",
		  "net: \"udp\" is unknown; want one of tcp, tcp4, "
		  "tcp6" },
		{ OUTLET "tcp, address: log}]}",
		  "global.logging[0].address: \"log\" has no port" },
		{ OUTLET "tcp}]}",
		  "global.logging[0].address: is required, but missing" },
		{ OUTLET "tcp, address: 'l:1', tls: ~}]}", NULL },
		{ OUTLET "tcp, address: 'l:1', tls: {ca: a, cert: b, key: c}}]}", NULL },
		{ OUTLET "tcp, address: 'l:1', tls: {ca: a, cert: b}}]}",
		  "global.logging[0].tls.key: is required, but missing; want the path of "
		  "a PEM file" },
		{ OUTLET "tcp, address: 'l:1', tls: []}]}",
		  "tls: is a list; want a map with ca, cert and key" },
		{ "global: {logging: [&a {type: stdout, level: info, format: json}, *a]}",
		  "global.logging[1]: a second outlet of type stdout; there can be one" },
		{ "global: {logging: {}}",
		  "global.logging: is a map; want a list of outlets" },
		{ "global: {control: {sockpath: ~}}",
		  "global.control.sockpath: the path is empty; want the path of a unix "
		  "socket" },
		{ "global: {serve: {stdinserver: {sockdir: /x}}}", NULL },
		{ "global: {serve: {stdinserver: {sockets: /x}}}", "unknown key" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_text(cases[i].text, cases[i].want);
}

TEST(the_control_socket_has_a_path_that_fits)
{
	for (int len = 107; len <= 108; len++) {
		cleanup(buf_free) struct buf b = { 0 };

		buf_printf(&b, "global: {control: {sockpath: /%0*d}}", len - 1, 1);
		check_text(buf_str(&b), len == 107 ? NULL
						   : "global.control.sockpath: the path "
						     "has 108 bytes; want the path of a "
						     "unix socket, of 1 to 107 bytes");
	}
}

TEST(job_names_are_checked)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "validjobname", NULL },
		{ "valid with spaces", NULL },
		{ "a.b:c-d_e", NULL },
		{ "123", NULL },
		{ "'with\ttab'", "t.yml:1:27: jobs[0].name: " },
		{ "'a#b'", "jobs[0].name: " },
		{ "a@b", "jobs[0].name: " },
		{ "a/", "jobs[0].name: " },
		{ "\"a\\nb\"", "jobs[0].name: " },
		{ "\xc3\xa4", "jobs[0].name: " },
		{ "a%b", "jobs[0].name: " },
		{ "a+b", "jobs[0].name: " },
		{ ".", "jobs[0].name: " },
		{ "..", "jobs[0].name: " },
		{ "''", "jobs[0].name: is required, but empty; want a name such as" },
		{ "_internal", "jobs[0].name: " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(buf_free) struct buf b = { 0 };

		buf_printf(
			&b,
			"jobs: [{type: sink, name: %s, root_fs: r, serve: {type: local, "
			"listener_name: l}}]",
			cases[i].name);
		check_text(buf_str(&b), cases[i].want);
	}
}

TEST(a_sink_is_checked)
{
	static const struct {
		const char *keys, *want;
	} cases[] = {
		{ "root_fs: a", NULL },
		{ "root_fs: a/b c/d", NULL },
		{ "root_fs: ''",
		  "jobs[0].root_fs: is required, but empty; want a dataset" },
		{ "root_fs: a/", "jobs[0].root_fs: " },
		{ "root_fs: a@b", "jobs[0].root_fs: " },
		{ "recv: {}",
		  "jobs[0].root_fs: is required, but missing; want a dataset such as "
		  "tank/backups" },
		{ "root_fs: a, recv: ~", NULL },
		{ "root_fs: a, recv: {properties: ~, placeholder: ~, bandwidth_limit: ~}",
		  NULL },
		{ "root_fs: a, recv: {properties: {inherit: ~, override: ~}}", NULL },
		{ "root_fs: a, recv: {properties: {inherit: [-x]}}",
		  "jobs[0].recv.properties.inherit[0]: " },
		{ "root_fs: a, recv: {properties: {inherit: [a, ~]}}",
		  "jobs[0].recv.properties.inherit[1]: is null; remove the element, or "
		  "give the name of a property" },
		{ "root_fs: a, recv: {properties: {override: {'a b': c}}}",
		  "jobs[0].recv.properties.override[\"a b\"]: " },
		{ "root_fs: a, recv: {properties: {override: {a: b, a: c}}}",
		  "override[\"a\"]: the key is there twice" },
		{ "root_fs: a, recv: {properties: {override: {a: ~}}}",
		  "override[\"a\"]: is null; want a text, the value of the property" },
		{ "root_fs: a, recv: {properties: {override: {a: [b]}}}",
		  "override[\"a\"]: is a list; want a text" },
		{ "root_fs: a, recv: {properties: {override: [a]}}",
		  "override: is a list" },
		{ "root_fs: a, recv: {placeholder: {encryption: on}}",
		  "jobs[0].recv.placeholder.encryption: \"on\" is unknown; want one of "
		  "unspecified, inherit, off" },
		{ "root_fs: a, recv: {placeholder: {encryption: ~}}",
		  "encryption: is null" },
		{ "root_fs: a, recv: {bandwidth_limit: {max: 1 MB}}", NULL },
		{ "root_fs: a, recv: {bandwidth_limit: {max: 0 B}}",
		  "jobs[0].recv.bandwidth_limit.max: is below one byte a second" },
		{ "root_fs: a, filesystems: {}",
		  "jobs[0].filesystems: unknown key; a sink job has "
		  "type, name, serve, root_fs, recv" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(buf_free) struct buf b = { 0 };

		buf_printf(&b,
			   "jobs: [{type: sink, name: s, serve: {type: local, "
			   "listener_name: l}, "
			   "%s}]",
			   cases[i].keys);
		check_text(buf_str(&b), cases[i].want);
	}
	check_text("jobs: [{type: sink, name: s, root_fs: r, serve: {type: quic}}]",
		   "jobs[0].serve.type: serve type \"quic\" is unknown; there are tcp, "
		   "tls, stdinserver, local");
	check_text("jobs: [{type: sink, name: s, root_fs: r, serve: {type: local}}]",
		   "jobs[0].serve.listener_name: is required, but missing");
}

TEST(a_snap_job_has_no_rule_about_replication)
{
	check_text("jobs: [{type: snap, name: s, filesystems: {a: y}, snapshotting: "
		   "{type: manual}, pruning: {keep: [{type: not_replicated}]}}]",
		   "t.yml:1:105: jobs[0].pruning.keep[0].type: a snap job replicates "
		   "nothing, so "
		   "that not_replicated would keep everything; want one of last_n, grid, "
		   "regex");
	check_text("jobs: [{type: snap, name: s, filesystems: {a: y}, snapshotting: "
		   "{type: manual}, "
		   "pruning: {keep_sender: [], keep: [{type: last_n, count: 1}]}}]",
		   "jobs[0].pruning.keep_sender: unknown key, perhaps \"keep\" is meant; "
		   "pruning of a snap job has "
		   "keep");
}

TEST(names_of_jobs_and_listeners_differ)
{
	check_text(
		"jobs:\n"
		"- {type: sink, name: a, root_fs: r, serve: {type: local, "
		"listener_name: l}}\n"
		"- {type: sink, name: a, root_fs: s, serve: {type: local, "
		"listener_name: m}}\n",
		"t.yml:3:22: jobs[1].name: \"a\" is also the name of the job at t.yml:2; "
		"names must differ");
	check_text(
		"jobs:\n"
		"- {type: sink, name: a, root_fs: r, serve: {type: local, "
		"listener_name: l}}\n"
		"- {type: sink, name: b, root_fs: s, serve: {type: local, "
		"listener_name: l}}\n",
		"t.yml:3:73: jobs[1].serve.listener_name: \"l\" is also the listener of "
		"job \"a\" at t.yml:2; names of listeners must differ");
	check_text("jobs:\n"
		   "- {type: sink, name: a, root_fs: r, serve: {type: local, "
		   "listener_name: l}}\n"
		   "- {type: sink, name: b, root_fs: r, serve: {type: local, "
		   "listener_name: m}}\n",
		   NULL);
}

TEST_MAIN()
