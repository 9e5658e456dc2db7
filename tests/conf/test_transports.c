#include "check_text.h"

#include <arpa/inet.h>

/* ---- a job of which one part is replaced ---- */

struct cases {
	const char *instead, *want; /* as for check_text() */
};

static void check_connect(const struct cases *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup(buf_free) struct buf b = { 0 };

		buf_printf(&b,
			   "jobs:\n- type: pull\n  name: p\n  root_fs: r\n  interval: "
			   "1h\n  connect: %s\n"
			   "  pruning: {keep_sender: [{type: regex, regex: .+}],\n"
			   "            keep_receiver: [{type: regex, regex: .+}]}\n",
			   c[i].instead);
		check_text(buf_str(&b), c[i].want);
	}
}

static void check_serve(const struct cases *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup(buf_free) struct buf b = { 0 };

		buf_printf(&b,
			   "jobs:\n- type: sink\n  name: s\n  root_fs: r\n  serve: %s\n",
			   c[i].instead);
		check_text(buf_str(&b), c[i].want);
	}
}

#define TCP_TO "{type: tcp, address: "

TEST(an_address_is_a_host_and_a_port)
{
	static const struct cases c[] = {
		{ TCP_TO "'backup1:8888'}", NULL },
		{ TCP_TO "backup1:8888}", NULL },
		{ TCP_TO "'192.0.2.7:8888'}", NULL },
		{ TCP_TO "'[2001:db8::1]:8888'}", NULL },
		{ TCP_TO "'[fe80::1%eth0]:8888'}", NULL },
		{ TCP_TO "':8888'}", NULL },
		{ TCP_TO "'h:'}", NULL },
		{ TCP_TO "'h:http'}", NULL },
		{ TCP_TO "'8888'}",
		  "t.yml:6:33: jobs[0].connect.address: \"8888\" has no port; want "
		  "HOST:PORT, such as backup1:8888, [2001:db8::1]:8888 or :8888" },
		{ TCP_TO "'::1:8'}", "\"::1:8\" has several colons" },
		{ TCP_TO "'h:1:2'}",
		  "\"h:1:2\" has several colons; an IPv6 address belongs into brackets" },
		{ TCP_TO "'[::1]'}", "\"[::1]\" has no port behind its ']'" },
		{ TCP_TO "'[::1:8'}", "has no ']' before its port" },
		{ TCP_TO "'[::1]x:8'}", "has no ']' before its port" },
		{ TCP_TO "'[]]:8'}", "has a bracket at an odd place" },
		{ TCP_TO "'a]b:8'}", "has a bracket at an odd place" },
		{ TCP_TO "'a[b:8'}", "has a bracket at an odd place" },
		{ TCP_TO "'h:[8]'}", "has a bracket at an odd place" },
		{ TCP_TO "''}", "address: is required, but empty" },
		{ TCP_TO "[h]}", "address: is a list; want HOST:PORT" },
		{ "{type: tcp}", "address: is required, but missing; want HOST:PORT" },
		{ "{type: tcp, address: 'h:1', dial_timeout: -1s}",
		  "dial_timeout: \"-1s\" is below zero" },
		{ "{type: tcp, address: 'h:1', dial_timeout: 0}", NULL },
		{ "{type: tcp, address: 'h:1', ca: x}",
		  "connect.ca: unknown key; connect of type tcp has type, address, "
		  "dial_timeout" },
	};

	check_connect(c, ARRAY_LEN(c));
}

#define TLS "{type: tls, address: 'h:1', ca: a, cert: b, key: c"
#define SSH "{type: ssh+stdinserver, host: h, user: u, identity_file: i"

TEST(tls_and_ssh_need_their_files_and_names)
{
	static const struct cases c[] = {
		{ TLS ", server_cn: s}", NULL },
		{ TLS ", server_cn: s, dial_timeout: 0}", NULL },
		{ TLS "}", "server_cn: is required, but missing; want one of the names" },
		{ TLS ", server_cn: ''}", "server_cn: is required, but empty" },
		{ "{type: tls, address: 'h:1', ca: a, cert: '', key: c, server_cn: s}",
		  "t.yml:6:53: jobs[0].connect.cert: is required, but empty; want the "
		  "path of a PEM file" },
		{ "{type: tls, address: 'h:1', cert: b, key: c, server_cn: s}",
		  "connect.ca: is required, but missing" },
		{ SSH ", port: 22}", NULL },
		{ SSH ", port: 65535, options: [], ssh_command: ~}", NULL },
		{ SSH ", port: 22, options: [Compression=yes, IdentitiesOnly=yes]}",
		  NULL },
		{ SSH ", port: 22, options: [~]}", "options[0]: is null" },
		{ SSH ", port: 22, options: x}", "options: is \"x\"; want a list" },
		{ SSH ", port: 22, transport_open_command: [a, b]}", NULL },
		{ SSH ", port: 22, transport_open_command: a}",
		  "transport_open_command: is \"a\"; want a list of texts" },
		{ SSH "}", "port: is required, but missing; want a port" },
		{ SSH ", port: 0}", "port: is 0; want at least 1" },
		{ SSH ", port: 65536}", "port: is 65536; want at most 65535" },
		{ SSH ", port: '22'}",
		  "port: is the quoted text \"22\"; want a port, from 1 to 65535" },
		{ "{type: ssh+stdinserver, user: u, identity_file: i, port: 1}",
		  "host: is required, but missing; want the name or address" },
	};

	check_connect(c, ARRAY_LEN(c));
}

#define LISTEN "{type: tcp, listen: ':1', clients: "

TEST(clients_are_a_map_of_addresses_to_identities)
{
	static const struct cases c[] = {
		{ LISTEN "{10.1.2.3: a}}", NULL },
		{ LISTEN "{10.1.2.3: a, 10.0.0.0/8: 'b-*'}, listen_freebind: yes}",
		  NULL },
		{ LISTEN "{'fe80::/16%eth1': 'san-*', '::1': me}}", NULL },
		{ LISTEN "{10.1.2.3: a, 10.1.2.4: a}}", NULL },
		{ LISTEN "{}}", "clients: is required, but empty; want a map of" },
		{ LISTEN "[a]}", "clients: is a list; want a map of addresses" },
		{ "{type: tcp, listen: ':1'}", "clients: is required, but missing" },
		{ LISTEN "{10.1.2.3: ~}}",
		  "t.yml:5:56: jobs[0].serve.clients[\"10.1.2.3\"]: is null; want the "
		  "client's identity" },
		{ LISTEN "{10.1.2.3: [a]}}", "[\"10.1.2.3\"]: is a list; want" },
		{ LISTEN "{10.1.2.3: a, 10.1.2.3: b}}", "the key is there twice" },
		{ LISTEN "{10.1.2.3: a, 10.1.2.3/32: 'b*'}}",
		  "t.yml:5:59: jobs[0].serve.clients[\"10.1.2.3/32\"]: " },
		{ LISTEN "{a.b: c}}", "t.yml:5:46: jobs[0].serve.clients[\"a.b\"]: " },
		{ LISTEN "{10.1.2.3: 'a-*'}}", "clients[\"10.1.2.3\"]: " },
		{ LISTEN "{10.0.0.0/8: a}}", "clients[\"10.0.0.0/8\"]: " },
		{ LISTEN "{10.0.0.0/8: '**'}}", "clients[\"10.0.0.0/8\"]: " },
		{ LISTEN "{10.1.2.3: a/b}}", "clients[\"10.1.2.3\"]: " },
		{ LISTEN "{010.0.0.1: a}}", "clients[\"010.0.0.1\"]: " },
		{ "{type: tcp, listen: '1', clients: {10.1.2.3: a}}",
		  "serve.listen: \"1\" has no port" },
	};

	check_serve(c, ARRAY_LEN(c));
}

#define TLS_AT "{type: tls, listen: ':1', ca: a, cert: b, key: c, client_cns: "
#define STDIN  "{type: stdinserver, client_identities: "

TEST(names_of_clients_are_components)
{
	static const struct cases c[] = {
		{ TLS_AT "[a]}", NULL },
		{ TLS_AT "[a, b c, a]}", NULL },
		{ TLS_AT "[a], handshake_timeout: 30s, listen_freebind: true}", NULL },
		{ TLS_AT "[]}", "client_cns: is required, but empty; want a list" },
		{ TLS_AT "[~]}", "client_cns[0]: is null" },
		{ TLS_AT "[a, b/c]}", "t.yml:5:76: jobs[0].serve.client_cns[1]: " },
		{ TLS_AT "[..]}", "serve.client_cns[0]: " },
		{ TLS_AT "[a], handshake_timeout: -1s}", "is below zero" },
		{ STDIN "[a, b, a]}", NULL },
		{ STDIN "[]}", "client_identities: is required, but empty" },
		{ STDIN "[a@b]}", "serve.client_identities[0]: " },
		{ STDIN "a}", "client_identities: is \"a\"; want a list of identities" },
	};

	check_serve(c, ARRAY_LEN(c));
}

TEST(a_pull_job_is_checked)
{
#define PULL "jobs: [{type: pull, name: p, root_fs: r, "
#define REST                                                                    \
	"connect: {type: tcp, address: 'h:1'}, pruning: {keep_sender: [{type: " \
	"last_n, count: 1}], keep_receiver: [{type: regex, regex: .+}]}"
	check_text(PULL REST ", interval: 10m}]", NULL);
	check_text(PULL REST ", interval: manual}]", NULL);
	check_text(PULL REST ", interval: 1d, recv: {placeholder: {encryption: off}}}]",
		   NULL);
	check_text(PULL REST "}]", "jobs[0].interval: is required, but missing; want a "
				   "duration above zero: one number and one unit, such "
				   "as 10m or 1d, or manual");
	check_text(PULL REST ", interval: ''}]", "interval: is required, but empty");
	check_text(PULL REST ", interval: Manual}]", "jobs[0].interval: ");
	check_text(PULL REST ", interval: 0s}]",
		   "interval: is not above zero; want a duration above zero: one number "
		   "and one unit, such as 10m or 1d, or manual");
	check_text(PULL REST ", interval: -1h}]", "interval: is not above zero");
	check_text(PULL REST ", interval: 1h30m}]", "jobs[0].interval: ");
	check_text(PULL REST ", interval: 1h, send: {}}]",
		   "jobs[0].send: unknown key; a pull job has type, name, connect, "
		   "root_fs, interval, pruning, recv, replication, conflict_resolution");
	check_text("jobs: [{type: pull, name: p, interval: 1h, " REST "}]",
		   "jobs[0].root_fs: is required, but missing");
}

TEST(a_source_job_is_checked)
{
#define SOURCE                                                                    \
	"jobs: [{type: source, name: s, serve: {type: local, listener_name: l}, " \
	"snapshotting: {type: manual}, "
	check_text(SOURCE "filesystems: {a: y}}]", NULL);
	check_text(SOURCE "filesystems: {a: y}, send: {raw: y}}]", NULL);
	check_text(SOURCE "}]", "jobs[0].filesystems: is required, but missing");
	check_text(SOURCE "filesystems: {}}]", "filesystems: is required, but empty");
	check_text(SOURCE "filesystems: {a: y}, pruning: {}}]",
		   "jobs[0].pruning: unknown key; a source job has type, name, serve, "
		   "filesystems, snapshotting, send");
	check_text(SOURCE "filesystems: {a: y}, root_fs: r}]",
		   "jobs[0].root_fs: unknown key");
}

/* ---- values ---- */

static struct config *load(const char *text)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	struct config *c = config_parse("t.yml", view_of(text), &err);

	if (!CHECK(c))
		printf("# %s\n", err_msg(&err));
	return c;
}

#define KEEPS                                                                  \
	"  pruning: {keep_sender: [{type: regex, regex: .+}], keep_receiver: " \
	"[{type: regex, regex: .+}]}\n"
#define SNAPS "  filesystems: {\"<\": true}\n  snapshotting: {type: manual}\n"

TEST(what_connects_has_its_defaults_and_its_values)
{
	cleanup(config_freep) struct config *c = load(
		"jobs:\n"
		"- type: pull\n  name: a\n  root_fs: r/a\n  interval: manual\n"
		"  connect: {type: tcp, address: '[2001:db8::1]:8888'}\n" KEEPS
		"- type: pull\n  name: b\n  root_fs: r/b\n  interval: 2m\n"
		"  connect: {type: tls, address: 'h:https', ca: /ca, cert: /cert, key: "
		"/key, server_cn: srv, dial_timeout: 1500us}\n"
		"  recv: {bandwidth_limit: {max: 10 MiB, bucket_capacity: 1 KiB}}\n" KEEPS
		"- type: push\n  name: c\n"
		"  connect: {type: ssh+stdinserver, host: h, user: u, port: 22, "
		"identity_file: /id, options: [A=b, C=d]}\n"
		"  send: {bandwidth_limit: {max: 23.5 Kib}}\n" SNAPS KEEPS);

	REQUIRE(c && c->n_jobs == 3);
	const struct conf_connect *tcp = &c->jobs[0].connect, *tls = &c->jobs[1].connect,
				  *ssh = &c->jobs[2].connect;

	CHECK_INT(c->n_warnings, 0);
	CHECK_INT(c->jobs[0].type, JOB_PULL);
	CHECK_STR(c->jobs[0].root_fs, "r/a");
	CHECK_INT(c->jobs[0].interval_s, 0);
	CHECK_INT(c->jobs[0].recv.bandwidth.max, -1);
	CHECK_INT(c->jobs[0].recv.bandwidth.bucket_capacity, 128 << 10);
	CHECK_INT(c->jobs[0].replication.concurrency_size_estimates, 4);
	CHECK_INT(c->jobs[0].keep_receiver.n, 1);
	CHECK_INT(tcp->type, CONNECT_TCP);
	CHECK_STR(tcp->address.host, "2001:db8::1");
	CHECK_STR(tcp->address.port, "8888");
	CHECK_INT(tcp->dial_timeout_ms, 10000);
	CHECK_INT(c->jobs[1].interval_s, 120);
	CHECK_INT(c->jobs[1].recv.bandwidth.max, 10 << 20);
	CHECK_INT(c->jobs[1].recv.bandwidth.bucket_capacity, 1024);
	CHECK_INT(tls->type, CONNECT_TLS);
	CHECK_STR(tls->address.host, "h");
	CHECK_STR(tls->address.port, "https");
	CHECK_STR(tls->tls.ca, "/ca");
	CHECK_STR(tls->tls.cert, "/cert");
	CHECK_STR(tls->tls.key, "/key");
	CHECK_STR(tls->server_cn, "srv");
	CHECK_INT(tls->dial_timeout_ms, 2);
	CHECK_INT(c->jobs[2].send.bandwidth.max, 3008);
	CHECK_INT(ssh->type, CONNECT_SSH);
	CHECK_STR(ssh->ssh_host, "h");
	CHECK_STR(ssh->ssh_user, "u");
	CHECK_STR(ssh->ssh_identity_file, "/id");
	CHECK_STR(ssh->ssh_command, "ssh");
	CHECK_INT(ssh->ssh_port, 22);
	CHECK_INT(ssh->dial_timeout_ms, 10000);
	REQUIRE(ssh->n_ssh_options == 2);
	CHECK_STR(ssh->ssh_options[1], "C=d");
}

TEST(what_listens_has_its_defaults_and_its_values)
{
	cleanup(config_freep) struct config *c =
		load("jobs:\n"
		     "- type: source\n  name: a\n  serve: {type: tcp, listen: ':8888', "
		     "clients: {192.0.2.7: db1, 10.0.0.0/8: lan-*}}\n" SNAPS
		     "- type: source\n  name: b\n  serve: {type: tls, listen: 'h:1', ca: "
		     "/ca, cert: /cert, key: /key, client_cns: [x, y]}\n" SNAPS
		     "- type: sink\n  name: c\n  root_fs: r\n  serve: {type: "
		     "stdinserver, client_identities: [x, y, z]}\n"
		     "- type: source\n  name: d\n  serve: {type: local, listener_name: "
		     "l}\n  send: {bandwidth_limit: {max: 1 B}}\n" SNAPS);
	struct in6_addr peer;

	REQUIRE(c && c->n_jobs == 4);
	const struct conf_serve *tcp = &c->jobs[0].serve, *tls = &c->jobs[1].serve,
				*ssh = &c->jobs[2].serve;

	CHECK_INT(c->n_warnings, 0);
	CHECK_INT(c->jobs[0].type, JOB_SOURCE);
	CHECK(dsfilter_accepts(&c->jobs[0].filesystems, "any"));
	CHECK_INT(c->jobs[0].send.bandwidth.max, -1);
	CHECK_INT(c->jobs[3].send.bandwidth.max, 1);
	CHECK_INT(tcp->type, SERVE_TCP);
	CHECK_STR(tcp->listen.host, "");
	CHECK_STR(tcp->listen.port, "8888");
	CHECK(!tcp->listen_freebind);
	REQUIRE(tcp->n_client_texts == 2);
	CHECK_STR(tcp->client_texts[1].address, "10.0.0.0/8");
	CHECK_STR(tcp->client_texts[1].identity, "lan-*");
	REQUIRE(inet_pton(AF_INET6, "::ffff:10.1.2.3", &peer) == 1);
	cleanup(str_freep) char *identity = ipmap_find(tcp->clients, &peer, "");

	CHECK_STR(identity, "lan-10.1.2.3");
	CHECK_INT(tls->type, SERVE_TLS);
	CHECK_INT(tls->handshake_timeout_ms, 10000);
	REQUIRE(tls->n_client_cns == 2);
	CHECK_STR(tls->client_cns[1], "y");
	CHECK_STR(tls->tls.key, "/key");
	CHECK_INT(ssh->type, SERVE_STDINSERVER);
	REQUIRE(ssh->n_client_identities == 3);
	CHECK_STR(ssh->client_identities[2], "z");
	CHECK_INT(c->jobs[3].serve.type, SERVE_LOCAL);
}

static void check_warning(const char *text, const char *want)
{
	cleanup(config_freep) struct config *c = load(text);

	REQUIRE(c != NULL);
	CHECK_INT(c->n_warnings, want ? 1 : 0);
	if (want && c->n_warnings > 0)
		CHECK_STR(c->warnings[0], want);
}

#define SERVES(name, serve) \
	"- {type: sink, name: " name ", root_fs: " name ", serve: {" serve "}}\n"
#define PULLS(name, root, connect)                                            \
	"- {type: pull, name: " name ", root_fs: " root                       \
	", interval: 1h, pruning: {keep_sender: [{type: regex, regex: .+}], " \
	"keep_receiver: [{type: regex, regex: .+}]}, connect: {" connect "}}\n"
TEST(a_timeout_that_has_always_expired_is_warned_of)
{
	check_warning("jobs:\n" PULLS("b", "r",
				      "type: ssh+stdinserver, host: h, user: "
				      "u, port: 22, identity_file: i, "
				      "dial_timeout: 0"),
		      "t.yml:2:239: jobs[0].connect.dial_timeout: with a timeout of zero "
		      "no connection will ever be made");
	check_warning("jobs:\n" SERVES("a", "type: tls, listen: ':1', ca: a, cert: a, "
					    "key: a, client_cns: [a], handshake_timeout: "
					    "0s"),
		      "t.yml:2:130: jobs[0].serve.handshake_timeout: with a timeout of "
		      "zero no connection will ever be made");
	check_warning("jobs:\n" PULLS("b", "r", "type: tcp, address: 'h:'"),
		      "t.yml:2:176: jobs[0].connect.address: \"h:\" has an empty port");
}

TEST(a_port_that_cannot_be_is_warned_of)
{
	static const char *const bad[] = { "65536", "-1", "88 ", "+80" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup(str_freep) char *text = xasprintf(
			"jobs:\n" PULLS("b", "r", "type: tcp, address: 'h:%s'"), bad[i]);
		cleanup(str_freep) char *want = xasprintf(
			"t.yml:2:176: jobs[0].connect.address: \"h:%s\": the port "
			"is not in 0 to 65535",
			bad[i]);

		check_warning(text, want);
	}
	check_warning("jobs:\n" PULLS("b", "r", "type: tcp, address: 'h:65535'"), NULL);
	check_warning("jobs:\n" PULLS("b", "r", "type: tcp, address: 'h:zrepl'"), NULL);
}

TEST(transports_have_names)
{
	CHECK_STR(connect_type_name(CONNECT_SSH), "ssh+stdinserver");
	CHECK_STR(connect_type_name(CONNECT_LOCAL), "local");
	CHECK_STR(serve_type_name(SERVE_STDINSERVER), "stdinserver");
	CHECK_STR(serve_type_name(SERVE_TLS), "tls");
	CHECK_STR(job_type_name(JOB_PULL), "pull");
	CHECK_STR(job_type_name(JOB_SOURCE), "source");
}

TEST_MAIN()
