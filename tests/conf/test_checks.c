#include "conf/identity.h"
#include "outcome.h"

/* ---- jobs, each a line, so that job N of a file is in line N + 2 ---- */

#define ALL           "{type: regex, regex: .}" /* keeps everything: nothing to warn of */
#define RULES         "pruning: {keep_sender: [" ALL "], keep_receiver: [" ALL "]}"
#define MANUAL        "snapshotting: {type: manual}"
#define EVERY(prefix) "snapshotting: {type: periodic, interval: 1h, prefix: " prefix "}"

#define SINK(name, root, serve) \
	"- {type: sink, name: " name ", root_fs: " root ", serve: {" serve "}}\n"
#define LOCAL_SINK(name, root) SINK(name, root, "type: local, listener_name: " name)
#define TCP_SINK(name, root, clients) \
	SINK(name, root, "type: tcp, listen: 'h:" name "', clients: {" clients "}")
#define PULL_FROM(name, root, connect)                                           \
	"- {type: pull, name: " name ", root_fs: " root ", interval: 1h, " RULES \
	", connect: {" connect "}}\n"
#define PULL(name, root) PULL_FROM(name, root, "type: tcp, address: 'h:1'")
#define PUSH_TO(name, filesystems, snapshotting, connect)                       \
	"- {type: push, name: " name ", filesystems: {" filesystems "}, " RULES \
	", " snapshotting ", connect: {" connect "}}\n"
#define PUSH(name, filesystems, snapshotting) \
	PUSH_TO(name, filesystems, snapshotting, "type: tcp, address: 'h:1'")
#define PUSH_LOCAL(name, filesystems, sink, identity) \
	PUSH_TO(name, filesystems, MANUAL,            \
		"type: local, listener_name: " sink ", client_identity: " identity)
#define SNAP(name, filesystems, snapshotting)                                          \
	"- {type: snap, name: " name ", filesystems: {" filesystems "}, " snapshotting \
	", pruning: {keep: [" ALL "]}}\n"
#define SOURCE_AT(name, filesystems, snapshotting, serve)                                \
	"- {type: source, name: " name ", filesystems: {" filesystems "}, " snapshotting \
	", serve: {" serve "}}\n"
#define SOURCE(name, filesystems, snapshotting)    \
	SOURCE_AT(name, filesystems, snapshotting, \
		  "type: stdinserver, client_identities: [" name "]")

struct jobs_case {
	const char *jobs, *want;
};

static void check_cases(const struct jobs_case *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup(str_freep) char *text = xasprintf("jobs:\n%s", v[i].jobs);

		check_outcome(text, v[i].want);
	}
}

/* ---- names, listeners, addresses, identities ---- */

#define LISTEN_TWICE                                                                  \
	"warning: t.yml:3:64: jobs[1].serve.listen: this contains, or is among, the " \
	"addresses at which job \"a\" at t.yml:2 listens, and only one of them may "  \
	"get there; want another port, or one address for each"

TEST(an_address_that_contains_that_of_another_job_is_warned_of)
{
#define LISTENERS(a, b)                                                   \
	SINK("a", "r", "type: tcp, listen: '" a "', clients: {'::1': a}") \
	SINK("b", "s", "type: tcp, listen: '" b "', clients: {'::1': a}")
	static const struct jobs_case v[] = {
		{ LISTENERS("0.0.0.0:1", "10.0.0.1:1"), LISTEN_TWICE },
		{ LISTENERS("10.0.0.1:1", "[::]:1"), LISTEN_TWICE },
		{ LISTENERS("10.0.0.1:1", ":1"), LISTEN_TWICE },
		{ LISTENERS("0.0.0.0:1", "[::]:1"), LISTEN_TWICE },
		{ LISTENERS(":1", "[2001:db8::1]:1"), LISTEN_TWICE },
		{ LISTENERS("0.0.0.0:1", "[2001:db8::1]:1"), "" },
		{ LISTENERS("0.0.0.0:1", "10.0.0.1:2"), "" },
		{ LISTENERS("10.0.0.2:1", "10.0.0.1:1"), "" },
	};

	check_cases(v, ARRAY_LEN(v));
}

TEST(what_only_one_job_can_have_is_refused_to_the_second)
{
	static const struct jobs_case v[] = {
		{ PULL("a", "r") PULL("b", "s") PULL("a", "r"),
		  "t.yml:4:22: jobs[2].name: \"a\" is also the name of the job at "
		  "t.yml:2; names must differ" },
		{ LOCAL_SINK("a", "r")
			  SOURCE_AT("b", "x: y", MANUAL, "type: local, listener_name: a"),
		  "t.yml:3:114: jobs[1].serve.listener_name: \"a\" is also the listener "
		  "of "
		  "job \"a\" at t.yml:2; names of listeners must differ" },
		{ SINK("a", "r", "type: tcp, listen: ':1', clients: {'::1': a}")
			  SINK("b", "s",
			       "type: tls, listen: ':1', ca: a, cert: a, key: a, "
			       "client_cns: [a]"),
		  "t.yml:3:64: jobs[1].serve.listen: job \"a\" at t.yml:2 listens there "
		  "as well; want another port, or another address of this host" },
		{ SINK("a", "r", "type: tcp, listen: ':1', clients: {'::1': a}")
			  SINK("b", "s", "type: tcp, listen: 'h:1', clients: {'::1': a}"),
		  LISTEN_TWICE },
		{ SINK("a", "r", "type: tcp, listen: 'h:1', clients: {'::1': a}")
			  SINK("b", "s", "type: tcp, listen: 'h:2', clients: {'::1': a}"),
		  "" },
		{ SINK("a", "r", "type: stdinserver, client_identities: [x, y, x]")
			  SINK("b", "s", "type: stdinserver, client_identities: [z, y]"),
		  "t.yml:3:83: jobs[1].serve.client_identities: \"y\" is a client of job "
		  "\"a\" at t.yml:2 as well, and can reach only one of them; want an "
		  "identity of its own for each" },
	};

	check_cases(v, ARRAY_LEN(v));
}

TEST(a_local_connection_wants_the_other_kind_of_job)
{
#define TO_A "type: local, listener_name: a, client_identity: c"
	static const struct jobs_case v[] = {
		{ LOCAL_SINK("a", "r") PULL_FROM("b", "s", TO_A),
		  "warning: t.yml:3:182: jobs[1].connect.listener_name: no source of "
		  "this "
		  "file serves \"a\"" },
		{ SOURCE_AT("a", "x: y", MANUAL, "type: local, listener_name: a")
			  PULL_FROM("b", "s", TO_A),
		  "" },
		{ PUSH_TO("b", "x: y", MANUAL, TO_A),
		  "warning: t.yml:2:207: jobs[0].connect.listener_name: no sink of this "
		  "file serves \"a\"" },
		{ PUSH_TO("b", "x: y", MANUAL, TO_A) LOCAL_SINK("a", "r"), "" },
	};

	check_cases(v, ARRAY_LEN(v));
}

/* ---- where jobs receive ---- */

#define APART "; want places of which none is another or inside another"

TEST(no_job_receives_where_another_one_does)
{
	static const struct jobs_case v[] = {
		{ PULL("a", "r") PULL("b", "r"), "t.yml:3:34: jobs[1].root_fs: this job "
						 "receives into \"r\", job \"a\" at "
						 "t.yml:2 into \"r\"" APART },
		{ PULL("a", "r/x/y") PULL("b", "r"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into \"r\", job \"a\" "
		  "at t.yml:2 into \"r/x/y\"" APART },
		/* neighbours in the order of bytes are not all there is */
		{ PULL("a", "r") PULL("b", "r-x") PULL("c", "r/y"),
		  "t.yml:4:34: jobs[2].root_fs: this job receives into \"r/y\", job "
		  "\"a\" "
		  "at t.yml:2 into \"r\"" APART },
		{ PULL("a", "r") PULL("b", "r-x") PULL("c", "rr") PULL("d", "s/r"), "" },
		/* each of several, and only once */
		{ PULL("a", "r") PULL("b", "r") PULL("c", "r/x/y"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into \"r\", job \"a\" "
		  "at t.yml:2 into \"r\"" APART "\n"
		  "t.yml:4:34: jobs[2].root_fs: this job receives into \"r/x/y\", job "
		  "\"a\" at t.yml:2 into \"r\"" APART },
		/* a sink, by the identities of its clients */
		{ TCP_SINK("1", "r", "'::1': a, '::2': b") PULL("b", "r"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into \"r\", job \"1\" "
		  "at t.yml:2 into \"r/a\"" APART },
		{ TCP_SINK("1", "r", "'::1': a, '::2': b") PULL("b", "r/b/c"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into \"r/b/c\", job "
		  "\"1\" at t.yml:2 into \"r/b\"" APART },
		{ TCP_SINK("1", "r/b/c", "'::1': a") TCP_SINK("2", "r", "'::1': b"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into \"r/b\", job "
		  "\"1\" "
		  "at t.yml:2 into \"r/b/c/a\"" APART },
		{ TCP_SINK("1", "r", "'::1': a, '::2': b")
			  SINK("b", "r",
			       "type: tls, listen: ':9', ca: a, cert: a, key: a, "
			       "client_cns: [z, b]"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into \"r/b\", job "
		  "\"1\" "
		  "at t.yml:2 into \"r/b\"" APART },
		{ SINK("a", "r", "type: stdinserver, client_identities: [x, y]")
			  TCP_SINK("1", "r", "'::1': y"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into \"r/y\", job "
		  "\"a\" "
		  "at t.yml:2 into \"r/y\"" APART },
		/* the clients of a local sink are those that connect to it */
		{ LOCAL_SINK("a", "r") PUSH_LOCAL("p", "x: y", "a", "me")
			  PULL("b", "r/me"),
		  "t.yml:4:34: jobs[2].root_fs: this job receives into \"r/me\", job "
		  "\"a\" at t.yml:2 into \"r/me\"" APART },
		{ LOCAL_SINK("a", "r") PULL("b", "r/me"),
		  "warning: t.yml:3:34: jobs[1].root_fs: \"r/me\" is inside \"r\", the "
		  "root_fs of job \"a\", where a client \"me\" would get into its way" },
		{ LOCAL_SINK("a", "r") PULL("b", "r"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into \"r\", job \"a\" "
		  "at t.yml:2 into \"r/*\"" APART },
	};

	check_cases(v, ARRAY_LEN(v));
}

TEST(sinks_share_a_root_fs_as_long_as_their_clients_differ)
{
	static const struct jobs_case v[] = {
		{ TCP_SINK("1", "r", "'::1': a") TCP_SINK("2", "r", "'::1': b"), "" },
		{ LOCAL_SINK("a", "r") LOCAL_SINK("b", "r"), "" },
		{ LOCAL_SINK("a", "r") LOCAL_SINK("b", "r") PUSH_LOCAL(
			  "p", "x: y", "a", "me") PUSH_LOCAL("q", "x: y", "b", "you"),
		  "" },
		{ LOCAL_SINK("a", "r") LOCAL_SINK("b", "r") PUSH_LOCAL(
			  "p", "x: y", "a", "me") PUSH_LOCAL("q", "x: y", "b", "me"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into \"r/me\", job "
		  "\"a\" at t.yml:2 into \"r/me\"" APART },
		/* one inside the other works today */
		{ TCP_SINK("1", "r", "'::1': a") TCP_SINK("2", "r/x", "'::1': a"),
		  "warning: t.yml:3:34: jobs[1].root_fs: \"r/x\" is inside \"r\", the "
		  "root_fs of job \"1\", where a client \"x\" would get into its way" },
		{ PULL("p", "r/x/y") TCP_SINK("1", "r", "'::1': a"),
		  "warning: t.yml:2:34: jobs[0].root_fs: \"r/x/y\" is inside \"r\", the "
		  "root_fs of job \"1\", where a client \"x\" would get into its way" },
	};

	check_cases(v, ARRAY_LEN(v));
}

TEST(networks_stand_for_the_identities_their_addresses_make)
{
	static const struct jobs_case v[] = {
		{ TCP_SINK("1", "r", "10.1.0.0/16: lan-*") PULL("p", "r/lan-10.1.2.3"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into "
		  "\"r/lan-10.1.2.3\", "
		  "job \"1\" at t.yml:2 into \"r/lan-*\"" APART },
		{ TCP_SINK("1", "r", "10.1.0.0/16: lan-*")
			  TCP_SINK("2", "r", "'::1': lan-10.2.2.3"),
		  "" },
		{ TCP_SINK("1", "r", "10.1.0.0/16: lan-*")
			  TCP_SINK("2", "r", "'::1': lan-10.1.2.3"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into "
		  "\"r/lan-10.1.2.3\", "
		  "job \"1\" at t.yml:2 into \"r/lan-*\"" APART },
		{ TCP_SINK("1", "r", "10.1.0.0/16: lan-*")
			  TCP_SINK("2", "r", "10.1.9.0/24: lan-*"),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into \"r/lan-*\", job "
		  "\"1\" at t.yml:2 into \"r/lan-*\"" APART },
		{ TCP_SINK("1", "r", "10.1.0.0/16: lan-*")
			  TCP_SINK("2", "r", "10.2.0.0/16: lan-*")
				  TCP_SINK("3", "r", "10.1.0.0/16: wan-*"),
		  "" },
	};

	check_cases(v, ARRAY_LEN(v));
}

static struct identity client(const char *address, const char *text)
{
	return identity_of_client(&(struct conf_client){ address, text });
}

TEST(an_identity_covers_exactly_what_it_may_become)
{
	static const struct {
		const char *address, *text, *name;
		bool want;
	} v[] = {
		{ "10.1.2.3", "db", "db", true },
		{ "10.1.2.3", "db", "db1", false },
		{ "10.1.0.0/16", "a-*-z", "a-10.1.255.0-z", true },
		{ "10.1.0.0/16", "a-*-z", "a-10.2.0.0-z", false },
		{ "10.1.0.0/16", "a-*-z", "a-10.1.0.0", false },
		{ "10.1.0.0/16", "a-*-z", "a--z", false },
		{ "10.1.0.0/16", "a-*-z", "a-z", false },
		{ "10.1.0.0/16", "a-*-z", "a-10.1.0.0.0-z", false },
		{ "10.1.0.0/16", "*", "10.1.0.7", true },
		{ "10.1.0.0/16", "*", "::ffff:10.1.0.7", false },
		{ "10.1.0.0/17", "*", "10.1.127.1", true },
		{ "10.1.0.0/17", "*", "10.1.128.1", false },
		{ "0.0.0.0/0", "*", "1.2.3.4", true },
		{ "::/0", "*", "1.2.3.4", false },
		{ "::/0", "*", "2001:db8::1", true },
		{ "::/0", "*", "2001:0db8::1", false }, /* never spelt like that */
		{ "fe80::/16%eth1", "san-*", "san-fe80::23:42-eth1", true },
		{ "fe80::/16%eth1", "san-*", "san-fe80::23:42-eth2", false },
		{ "fe80::/16%eth1", "san-*", "san-fe80::23:42", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct identity id = client(v[i].address, v[i].text);

		if (!CHECK_INT(identity_covers(&id, view_of(v[i].name)), v[i].want))
			printf("# %s: %s, %s\n", v[i].address, v[i].text, v[i].name);
	}
}

TEST(networks_overlap_if_an_identity_is_in_both)
{
	static const struct {
		struct conf_client a, b;
		bool want;
	} v[] = {
		{ { "10.0.0.0/8", "*" }, { "10.1.0.0/16", "*" }, true },
		{ { "10.0.0.0/8", "*" }, { "11.0.0.0/8", "*" }, false },
		{ { "10.0.0.0/8", "*" }, { "10.1.0.0/16", "x*" }, false },
		{ { "10.0.0.0/8", "a*" }, { "10.1.0.0/16", "a1*" }, true }, /* a10.... */
		{ { "10.0.0.0/8", "*a" }, { "10.1.0.0/16", "*b" }, false },
		{ { "10.0.0.0/8", "*-x" }, { "10.1.0.0/16", "*" }, false },
		{ { "fe80::/10%eth0", "*" }, { "fe80::/10%eth1", "*" }, false },
		{ { "fe80::/10%eth0", "*" }, { "fe80::/10%eth0", "*" }, true },
		{ { "fe80::/10", "*" }, { "fe80::/10%eth0", "*" }, false },
		{ { "::/0", "*" }, { "0.0.0.0/0", "*" }, false },
		{ { "10.0.0.0/8", "*" }, { "10.1.2.3", "10.1.2.3" }, true },
		{ { "10.0.0.0/8", "*" }, { "10.1.2.3", "db" }, false },
	};
	struct identity any = { IDENTITY_ANY, .text = "*", .zone = "" };

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct identity a = identity_of_client(&v[i].a);
		struct identity b = identity_of_client(&v[i].b);

		if (!CHECK_INT(identity_overlap(&a, &b), v[i].want) ||
		    !CHECK_INT(identity_overlap(&b, &a), v[i].want))
			printf("# %s: %s, %s: %s\n", v[i].a.address, v[i].a.identity,
			       v[i].b.address, v[i].b.identity);
		CHECK(identity_overlap(&any, &b));
	}
}

/* ---- filesystems where something is received ---- */

TEST(no_job_takes_snapshots_of_what_is_received)
{
#define STOPS(job, line, place)                                                      \
	"job \"" job "\" at t.yml:" line " receives below \"" place "\", and where " \
	"snapshots are taken nothing more can be received; exclude it with \"" place \
	"<\": false, or want snapshotting of type manual"
	static const struct jobs_case v[] = {
		{ PULL("a", "r/a") SNAP("s", "'r<': y", EVERY("s_")),
		  "t.yml:3:38: jobs[1].filesystems: " STOPS("a", "2", "r/a") },
		{ PULL("a", "r/a") SNAP("s", "'r<': y, 'r/a<': n", EVERY("s_")), "" },
		{ PULL("a", "r/a") SNAP("s", "'r/a': y", EVERY("s_")), "" },
		{ PULL("a", "r/a")
			  SNAP("s", "'r<': y, 'r/a<': n, 'r/a/b/c': y", EVERY("s_")),
		  "t.yml:3:38: jobs[1].filesystems: " STOPS("a", "2", "r/a") },
		{ PULL("a", "r/a") SNAP("s", "'r-a<': y, r: y", EVERY("s_")), "" },
		{ PULL("a", "r/a") SOURCE("s", "'<': y",
					  "snapshotting: {type: cron, prefix: s_, cron: "
					  "'0 3 * * *'}"),
		  "t.yml:3:40: jobs[1].filesystems: " STOPS("a", "2", "r/a") },
		{ PULL("a", "r/a") PUSH("p", "'<': y", EVERY("p_")),
		  "t.yml:3:38: jobs[1].filesystems: " STOPS("a", "2", "r/a") },
		/* a sink, by its clients */
		{ TCP_SINK("1", "r", "'::1': a") SNAP("s", "'r/b<': y", EVERY("s_")),
		  "" },
		{ TCP_SINK("1", "r", "'::1': a") SNAP("s", "'r<': y", EVERY("s_")),
		  "t.yml:3:38: jobs[1].filesystems: " STOPS("1", "2", "r/a") },
		{ TCP_SINK("1", "r", "'::/0': '*'") SNAP("s", "'r/b<': y", EVERY("s_")),
		  "t.yml:3:38: jobs[1].filesystems: " STOPS("1", "2", "r") },
	};

	check_cases(v, ARRAY_LEN(v));
}

TEST(what_is_received_may_be_sent_on_and_pruned)
{
	static const struct jobs_case v[] = {
		{ PULL("a", "r/a") PUSH("p", "'<': y", MANUAL), "" },
		{ PULL("a", "r/a") SOURCE("p", "'r/a<': y", MANUAL), "" },
		{ PULL("a", "r/a") SNAP("p", "'r/a<': y", MANUAL),
		  "warning: t.yml:3:38: jobs[1].filesystems: job \"a\" receives below "
		  "\"r/a\", and needs the last snapshot it received; the rules of this "
		  "job may destroy it, unless excluded with \"r/a<\": false" },
	};

	check_cases(v, ARRAY_LEN(v));
}

TEST(no_job_sends_to_where_it_sends_from)
{
	static const struct jobs_case v[] = {
		{ LOCAL_SINK("a", "r") PUSH_LOCAL("p", "'<': y", "a", "me"),
		  "t.yml:3:38: jobs[1].filesystems: \"r/me\" is where job \"a\" puts "
		  "what "
		  "this job sends, so that every copy would be copied again; exclude it "
		  "with \"r/me<\": false" },
		{ LOCAL_SINK("a", "r") PUSH_LOCAL("p", "'<': y, 'r<': n", "a", "me"),
		  "" },
		{ LOCAL_SINK("a", "r") PUSH_LOCAL("p", "'<': y, 'r/me<': n", "a", "me"),
		  "" },
		{ LOCAL_SINK("a", "r") PUSH_LOCAL("p", "'r/you<': y", "a", "me")
			  PUSH_LOCAL("q", "'z<': y", "a", "you"),
		  "" },
		{ SOURCE_AT("a", "'<': y", MANUAL, "type: local, listener_name: a")
			  PULL_FROM("p", "r/p", TO_A),
		  "t.yml:3:34: jobs[1].root_fs: \"r/p\" is among the filesystems of job "
		  "\"a\", from which this job receives, so that every copy would be "
		  "copied again; exclude it there with \"r/p<\": false" },
		{ SOURCE_AT("a", "'<': y, 'r/p<': n", MANUAL,
			    "type: local, listener_name: a") PULL_FROM("p", "r/p", TO_A),
		  "" },
	};

	check_cases(v, ARRAY_LEN(v));
}

/* ---- the same snapshots, twice ---- */

TEST(no_two_jobs_take_snapshots_of_a_dataset_with_the_same_prefix)
{
#define TWICE(job, line, prefix, example)                                             \
	".snapshotting.prefix: job \"" job "\" at t.yml:" line                        \
	" takes snapshots \"" prefix "...\" of the same datasets, such as \"" example \
	"\"; want another "                                                           \
	"prefix, or one job that takes them and type manual in the other"
	static const struct jobs_case v[] = {
		{ SNAP("a", "'t<': y", EVERY("z_")) PUSH("b", "'t/x<': y", EVERY("z_")),
		  "t.yml:3:197: jobs[1]" TWICE("a", "2", "z_", "t/x<") },
		{ SNAP("a", "'t/x': y", EVERY("z_")) SNAP("b", "'<': y", EVERY("z_")),
		  "t.yml:3:101: jobs[1]" TWICE("a", "2", "z_", "t/x") },
		{ SNAP("a", "t: y", EVERY("z_")) SOURCE("b", "t: y", EVERY("z_"))
			  PUSH("c", "t: y", EVERY("z_")),
		  "t.yml:3:101: jobs[1]" TWICE(
			  "a", "2", "z_", "t") "\n"
					       "t.yml:4:192: jobs[2]" TWICE("a", "2",
									    "z_", "t") },
		{ SNAP("a", "'t<': y", EVERY("z_")) SNAP("b", "'t<': y", EVERY("y_")),
		  "" },
		{ SNAP("a", "'t<': y", EVERY("z_")) PUSH("b", "'t<': y", MANUAL), "" },
		{ SNAP("a", "'t<': y", MANUAL) PUSH("b", "'t<': y", MANUAL), "" },
		{ SNAP("a", "'t<': y, 't/x<': n", EVERY("z_")) SNAP(
			  "b", "'t/x<': y", EVERY("z_")) SNAP("c", "tt: y", EVERY("z_")),
		  "" },
		{ SNAP("a", "t: y", EVERY("z_")) SNAP("b", "'t<': y, t: n", EVERY("z_")),
		  "" },
	};

	check_cases(v, ARRAY_LEN(v));
}

/* ---- keep rules ---- */

#define SNAPS_AND_KEEPS(prefix, rules)                         \
	"- {type: snap, name: s, filesystems: {x: y}, " EVERY( \
		prefix) ",\n pruning: {keep: [" rules "]}}\n"
#define PRUNES_BOTH(snapshotting, sender, receiver)                                  \
	"- {type: push, name: s, filesystems: {x: y}, " snapshotting                 \
	", connect: {type: tcp, address: 'h:1'}, pruning: {\n keep_sender: [" sender \
	"],\n keep_receiver: [" receiver "]}}\n"
#define KEEP        "warning: t.yml:3:18: jobs[0].pruning.keep: "
#define LAST        "{type: last_n, count: 9}"
#define GRID(regex) "{type: grid, grid: 9x1h, regex: '" regex "'}"
#define BUT(regex)  "{type: regex, negate: true, regex: '" regex "'}"

TEST(rules_that_destroy_what_no_job_took_are_warned_of)
{
	static const struct jobs_case v[] = {
		{ SNAPS_AND_KEEPS("z_", GRID("^z_")),
		  KEEP "snapshots that no job took, such as \"manual-1\", do not match "
		       "\"^z_\", and will be destroyed; to keep them add " BUT("^z_") },
		{ SNAPS_AND_KEEPS("z_", GRID("^z_") ", " BUT("^z_")), "" },
		{ SNAPS_AND_KEEPS("z_", LAST),
		  KEEP "snapshots that no job took, such as \"manual-1\", will be "
		       "destroyed when they get old; to keep them add " BUT("^z_") },
		{ SNAPS_AND_KEEPS("z_", LAST ", {type: regex, regex: '^manual'}"), "" },
		{ SNAPS_AND_KEEPS("z_", LAST ", {type: regex, regex: '^manual_.*'}"),
		  "" },
		/* the name is one that no job gives, and the prefix no pattern */
		{ SNAPS_AND_KEEPS("man", LAST),
		  KEEP "snapshots that no job took, such as \"before-upgrade\", will be "
		       "destroyed when they get old; to keep them add " BUT("^man") },
		{ SNAPS_AND_KEEPS("a.b", LAST),
		  KEEP "snapshots that no job took, such as \"manual-1\", will be "
		       "destroyed when they get old; to keep them add " BUT("^a\\.b") },
		{ PRUNES_BOTH(EVERY("z_"), "{type: not_replicated}, " GRID("^z_"), ALL),
		  "warning: t.yml:3:15: jobs[0].pruning.keep_sender: snapshots that no "
		  "job took, such as \"manual-1\", do not match \"^z_\", and will be "
		  "destroyed once they are replicated; to keep them add " BUT("^z_") },
		{ PRUNES_BOTH(MANUAL, ALL, GRID("it''s")),
		  "warning: t.yml:4:17: jobs[0].pruning.keep_receiver: snapshots that no "
		  "job took, such as \"manual-1\", do not match \"it's\", and will be "
		  "destroyed; to keep them add " BUT("it''s") },
		{ PRUNES_BOTH(MANUAL, ALL, LAST),
		  "warning: t.yml:4:17: jobs[0].pruning.keep_receiver: snapshots that no "
		  "job took, such as \"manual-1\", will be destroyed when they get old; "
		  "to keep them add a rule of type regex that matches them" },
	};

	check_cases(v, ARRAY_LEN(v));
}

TEST(rules_that_do_not_fit_the_snapshots_of_their_job_are_warned_of)
{
	static const struct jobs_case v[] = {
		{ SNAPS_AND_KEEPS("z_", GRID("^zz_") ", " GRID(
						"^x_") ", "
						       "{type: regex, regex: '^manual'}"),
		  KEEP
		  "the snapshots of this job, such as \"z_20240514_211623_000\", do "
		  "not match \"^zz_\" nor \"^x_\", and will be destroyed at once; want "
		  "a rule whose regex matches them" },
		{ SNAPS_AND_KEEPS("z_", "{type: regex, regex: '^manual'}"),
		  KEEP "the snapshots of this job, such as \"z_20240514_211623_000\", "
		       "match no rule and will be destroyed at once; want a rule whose "
		       "regex matches them" },
		{ PRUNES_BOTH(EVERY("z_"), "{type: not_replicated}, " GRID("^zz_"), ALL),
		  "warning: t.yml:3:15: jobs[0].pruning.keep_sender: the snapshots of "
		  "this job, such as \"z_20240514_211623_000\", do not match \"^zz_\", "
		  "and "
		  "will be destroyed once they are replicated; want a rule whose regex "
		  "matches them" },
		/* nothing is kept here on purpose */
		{ PRUNES_BOTH(EVERY("z_"),
			      "{type: not_replicated}, {type: regex, regex: '^manual'}",
			      ALL),
		  "" },
		{ SNAPS_AND_KEEPS("z_", GRID("^z_") ", " BUT("^zz_")), KEEP
		  "\"regex not ^zz_\" keeps the snapshots of this job, such as "
		  "\"z_20240514_211623_000\", for ever, so that \"grid 9x1h ^z_\" is "
		  "without effect" },
		/* those of midnight are kept, or only they: that may be meant */
		{ SNAPS_AND_KEEPS(
			  "z_",
			  GRID("^z_") ", {type: regex, regex: _000000_}, " BUT("^z_")),
		  "" },
		{ SNAPS_AND_KEEPS("z_", GRID("^z_.*_000000_") ", " BUT("^z_")), "" },
	};

	check_cases(v, ARRAY_LEN(v));
}

#define PRUNES(name, filesystems, prefix, rules)                    \
	"- {type: snap, name: " name ", filesystems: {" filesystems \
	"}, " EVERY(prefix) ",\n pruning: {keep: [" rules "]}}\n"
#define THEIRS(job, where, name, fate)                                           \
	"snapshots of job \"" job "\" in \"" where "\", such as \"" name         \
	"_20240514_211623_000\", will be " fate " by the rules of this job; to " \
	"keep them add "

TEST(rules_that_destroy_what_another_job_takes_are_warned_of)
{
	static const struct jobs_case v[] = {
		{ PRUNES("a", "'t<': y", "z_", GRID("^z_") ", " BUT("^z_")) PRUNES(
			  "b", "'t<': y", "z_m_",
			  "{type: last_n, count: 12, regex: '^z_m_'}, " BUT("^z_m_")),
		  KEEP THEIRS("b", "t<", "z_m",
			      "thinned out") "{type: regex, regex: '^z_m_'}" },
		/* kept by a rule of their own */
		{ PRUNES("a", "'t<': y", "z_",
			 GRID("^z_") ", " BUT("^z_") ", {type: regex, regex: '^z_m_'}")
			  PRUNES("b", "'t/x': y", "z_m_",
				 LAST ", {type: regex, negate: true, regex: '^z_m'}"),
		  "" },
		{ PRUNES("a", "'t<': y", "a_", GRID("^a_"))
			  PRUNES("b", "'t/x': y", "b_", ALL),
		  KEEP THEIRS("b", "t/x", "b", "destroyed") BUT("^a_") },
		{ PRUNES("a", "'t<': y", "a_", LAST) PRUNES("b", "'t/x': y", "b_", LAST),
		  KEEP THEIRS("b", "t/x", "b", "thinned out")
			  BUT("^a_") "\n"
				     "warning: t.yml:5:18: jobs[1].pruning.keep: " THEIRS(
					     "a", "t/x", "a", "thinned out") BUT("^b_") },
		/* the shorter prefix is that of the other */
		{ PRUNES("a", "'t<': y", "z_m_", LAST) PRUNES("b", "t: y", "z_", ALL),
		  KEEP THEIRS("b", "t", "z", "thinned out") BUT("^z_m_") },
		/* elsewhere, or not by itself */
		{ PRUNES("a", "'t<': y", "a_",
			 GRID("^a_") ", {type: regex, regex: "
				     "'^[^ab]'}") PRUNES("b", "'u<': y", "b_", ALL)
			  SNAP("c", "'t<': y", MANUAL),
		  "" },
		{ PRUNES_BOTH(EVERY("z_"), "{type: not_replicated}, " GRID("^z_"), LAST)
			  PRUNES("b", "x: y", "b_", ALL),
		  "warning: t.yml:3:15: jobs[0].pruning.keep_sender: " THEIRS(
			  "b", "x", "b", "destroyed once they are replicated")
			  BUT("^z_") "\n"
				     "warning: t.yml:4:17: "
				     "jobs[0].pruning.keep_receiver: snapshots that no "
				     "job took, such as \"manual-1\", will be destroyed "
				     "when they get old; "
				     "to keep them add " BUT("^z_") },
	};

	check_cases(v, ARRAY_LEN(v));
}

/* ---- all at once ---- */

TEST(all_problems_of_several_jobs_are_reported)
{
	static const struct jobs_case v[] = {
		{ PULL("a", "r") PULL("b", "r/x") PULL("a", "s") SNAP(
			  "c", "'r<': y", EVERY("z_")) SNAP("d", "'t<': y", EVERY("z_"))
			  SNAP("e", "'t<': y", EVERY("z_")),
		  "t.yml:3:34: jobs[1].root_fs: this job receives into \"r/x\", job "
		  "\"a\" "
		  "at t.yml:2 into \"r\"" APART "\n"
		  "t.yml:4:22: jobs[2].name: \"a\" is also the name of the job at "
		  "t.yml:2; names must differ\n"
		  "t.yml:5:38: jobs[3].filesystems: " STOPS(
			  "a", "2", "r") "\n"
					 "t.yml:7:102: jobs[5]" TWICE("d", "6", "z_",
								      "t<") },
	};

	check_cases(v, ARRAY_LEN(v));
}

TEST(a_thousand_jobs_that_are_all_in_order_have_nothing_to_be_told)
{
	cleanup(buf_free) struct buf b = { 0 };

	buf_printf(&b, "jobs:\n");
	for (int i = 0; i < 250; i++) {
		buf_printf(&b, PULL("a%d", "'r/%d'"), i, i);
		buf_printf(&b, TCP_SINK("%d", "s", "'::1': c%d"), i, i, i);
		buf_printf(&b, SNAP("c%d", "'t/%d<': y", EVERY("z_")), i, i);
		buf_printf(&b,
			   SNAP("d%d",
				"'<': y, 'r<': n, 's<': n, 't<': n, 'u<': n, "
				"'u/%d': y",
				EVERY("y%d_")),
			   i, i, i);
	}
	check_outcome(buf_str(&b), "");
}

TEST_MAIN()
