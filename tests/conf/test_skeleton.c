/* A file that has every key once, and what each of its values becomes. */
#include "outcome.h"
#include "show.h"

#define FILE_NAME SKELETON_DIR "/zrepl.yml"

enum { MAX_FILE = 1 << 16 };

static struct buf read_skeleton(void)
{
	struct buf b = { 0 };
	FILE *f = fopen(FILE_NAME, "rb");

	if (!CHECK(f != NULL))
		return b;
	buf_added(&b, fread(buf_reserve(&b, MAX_FILE), 1, MAX_FILE, f));
	fclose(f);
	return b;
}

/* Its jobs are for several hosts: two of them would not get along on one. */
static struct config *load_for_one_host(void)
{
	static const char everywhere[] = "filesystems: {\"<\": true}\n"
					 "    snapshotting: {type: cron";
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf text = read_skeleton();
	char *at = strstr(buf_str(&text), everywhere);
	struct config *c;

	if (!CHECK(at != NULL))
		return NULL;
	memcpy(at, "filesystems: {\"a\": true}", 24); /* as long */
	c = config_parse(FILE_NAME, buf_view(&text), &err);
	if (!CHECK(c))
		printf("# %s\n", err_msg(&err));
	return c;
}

TEST(its_jobs_are_refused_on_one_host_for_two_reasons_only)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *c = config_load(FILE_NAME, &err);

	CHECK(!c);
	CHECK_STR(
		err_msg(&err), FILE_NAME
		":77:18: jobs[3].filesystems: job \"example pull\" at " FILE_NAME
		":57 receives below \"backup/a\", and where snapshots are taken "
		"nothing more can be received; exclude it with \"backup/a<\": false, "
		"or want snapshotting of type manual\n" FILE_NAME
		":78:40: jobs[3].snapshotting.prefix: job \"example push\" at " FILE_NAME
		":21 takes snapshots \"zrepl_...\" of the same datasets, such as "
		"\"tank<\"; want another prefix, or one job that takes them and type "
		"manual in the other");
}

struct value {
	int job; /* -1: the whole */
	const char *key, *want;
};

static void check_value(const struct config *c, const struct value *v)
{
	cleanup(buf_free) struct buf got = { 0 };

	if (v->job < 0)
		CHECK(show(c, v->key, &got));
	else
		CHECK(show_job(&c->jobs[v->job], v->key, &got));
	if (!CHECK_STR(buf_str(&got), v->want))
		printf("# %d %s\n", v->job, v->key);
}

TEST(every_value_arrives)
{
	static const struct value values[] = {
		{ -1, "logging",
		  "stdout warn human time color; syslog info logfmt facility 16 10000 "
		  "ms; tcp debug json tcp [logs.example]:10202 ca /x/ca.pem cert "
		  "/x/c.pem key /x/k.pem 10000 ms" },
		{ -1, "monitoring", "[]:9811" },
		{ -1, "sockets",
		  "\"/var/run/zrepl/control\" \"/var/run/zrepl/stdinserver\"" },
		{ -1, "jobs",
		  "push example push, pull example pull, sink example sink, source "
		  "example source, sink example local sink, source example tls source, "
		  "snap example snap, snap included" },
		{ 0, "connect",
		  "tls [b.example]:8888 ca /x/ca cert /x/crt key /x/key of b.example, "
		  "10000 ms" },
		{ 0, "filesystems",
		  "\"tank<\" yes, \"tank/tmp<\" no, \"tank/tmp/keep\" yes" },
		{ 0, "snapshotting", "periodic every 600 s, zrepl_20200601_000000_000" },
		{ 0, "hooks",
		  "command /etc/zrepl/h.sh 30000 ms (\"<\" yes); postgres-checkpoint "
		  "host=localhost 30000 ms (\"tank/pg\" yes); mysql-lock-tables "
		  "u:p@tcp(localhost)/ 30000 ms (\"tank/my\" yes)" },
		{ 0, "send", "zfs send limit -1 of 131072" },
		{ 0, "replication",
		  "guarantee_resumability guarantee_resumability 1 4 most_recent" },
		{ 0, "keep_sender", "not_replicated; last_n 10 ^zrepl_" },
		{ 0, "keep_receiver",
		  "grid 1x1h(keep=all) | 24x1h | 30x1d ^zrepl_ [1 of 3600 s keep -1] [24 "
		  "of 3600 s keep 1] [30 of 86400 s keep 1]; regex not ^zrepl_" },
		{ 1, "connect",
		  "ssh+stdinserver ssh root@a:22 with /x/id -o (Compression=yes), 10000 "
		  "ms" },
		{ 1, "root_fs", "backup/a" },
		{ 1, "interval", "600 s" },
		{ 1, "recv",
		  "-x mountpoint -o canmount=off placeholder unspecified limit -1 of "
		  "131072" },
		{ 1, "replication",
		  "guarantee_resumability guarantee_resumability 1 4 most_recent" },
		{ 1, "keep_sender", "regex .*" },
		{ 1, "keep_receiver", "last_n 100" },
		{ 2, "root_fs", "backup/sink" },
		{ 2, "serve", "tcp []:8888 10.0.0.1 is laptop, 10.1.0.0/16 is net-*" },
		{ 2, "recv", "placeholder unspecified limit -1 of 131072" },
		{ 3, "filesystems", "\"a\" yes" },
		{ 3, "snapshotting", "cron at 0 3 * * *, zrepl_20200601_000000_000" },
		{ 3, "serve", "stdinserver client1" },
		{ 3, "send", "zfs send limit -1 of 131072" },
		{ 4, "root_fs", "backup/local" },
		{ 4, "serve", "local localsink" },
		{ 5, "filesystems", "\"<\" yes" },
		{ 5, "snapshotting", "manual" },
		{ 5, "serve",
		  "tls []:8889 b.example ca /x/ca cert /x/crt key /x/key, 10000 ms" },
		{ 6, "filesystems", "\"tank<\" yes" },
		{ 6, "snapshotting", "manual" },
		{ 6, "keep", "last_n 60" },
		{ 7, "name", "included" },
		{ 7, "filesystems", "\"other\" yes" },
	};
	cleanup(config_freep) struct config *c = load_for_one_host();

	REQUIRE(c && c->n_jobs == 8);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		check_value(c, &values[i]);
	CHECK_STR(c->jobs[0].snapshotting.hooks[2].mysql.user, "u");
	CHECK_STR(c->jobs[0].snapshotting.hooks[2].mysql.password, "p");
	CHECK_STR(c->jobs[0].snapshotting.hooks[2].mysql.host, "localhost");
}

TEST(what_it_is_warned_of)
{
	cleanup(config_freep) struct config *c = load_for_one_host();
	cleanup(buf_free) struct buf got = { 0 };

	REQUIRE(c != NULL);
	for (size_t i = 0; i < c->n_warnings; i++) {
		const char *w = c->warnings[i];

		CHECK(strncmp(w, SKELETON_DIR "/", strlen(SKELETON_DIR "/")) == 0);
		buf_printf(&got, "%s\n", w + strlen(SKELETON_DIR "/"));
	}
	CHECK_STR(buf_str(&got),
		  "zrepl.yml:51:9: jobs[0].pruning.keep_sender: snapshots that no job "
		  "took, such as \"manual-1\", do not match \"^zrepl_\", and will be "
		  "destroyed once they are replicated; to keep them add {type: regex, "
		  "negate: true, regex: '^zrepl_'}\n"
		  "zrepl.yml:68:22: jobs[1].pruning.keep_receiver: snapshots that no job "
		  "took, such as \"manual-1\", will be destroyed when they get old; to "
		  "keep them add a rule of type regex that matches them\n"
		  "zrepl.yml:97:13: jobs[6].pruning.keep: snapshots that no job took, "
		  "such as \"manual-1\", will be destroyed when they get old; to keep "
		  "them add a rule of type regex that matches them\n");
}

TEST_MAIN()
