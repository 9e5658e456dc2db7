#include "tls_bench.h"

#include <sys/stat.h>

/* Certificates in files: those that are of no use, and those that change. */

/* Before the first handshake. */
static char keylog_path[] = "/tmp/zrepl-keylog-XXXXXX";

__attribute__((constructor)) static void set_keylog(void)
{
	int fd = mkstemp(keylog_path);

	if (fd < 0 || write(fd, "old", 3) != 3 || fchmod(fd, 0644) < 0 || close(fd) < 0 ||
	    setenv("ZREPL_KEYLOG_FILE", keylog_path, 1) < 0)
		abort();
}

__attribute__((destructor)) static void remove_keylog(void)
{
	unlink(keylog_path);
}

/* ---- what is of no use ---- */

/* want: NULL: they are fine; otherwise, before or after it stands the file's path. */
static void check_load(const struct side *s, enum err_kind kind, const char *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK_INT(tls_load(s->tls, &e), want ? -1 : 0);
	CHECK_INT(e.kind, kind);
	if (want && !CHECK(strstr(err_msg(&e), want) != NULL))
		printf("# \"%s\"\n# does not say \"%s\"\n", err_msg(&e), want);
}

/* ca, cert, key: in certs_dir(). */
static void check_files(const char *ca, const char *cert, const char *key,
			enum err_kind kind, const char *want)
{
	cleanup(str_freep) char *ca_path = certs_file(ca);
	cleanup(str_freep) char *cert_path = certs_file(cert);
	cleanup(str_freep) char *key_path = certs_file(key);
	cleanup(side_freep) struct side *s = server_new("root.crt", "client.crt", "x");

	tls_free(s->tls);
	s->serve.tls = (struct conf_tls){ ca_path, cert_path, key_path };
	s->tls = tls_server_new(&s->serve, &s->log);
	check_load(s, kind, want);
}

static void put_file(const char *name, const char *text, size_t n)
{
	cleanup(str_freep) char *path = certs_file(name);
	FILE *f = fopen(path, "we");

	CHECK(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
}

static void put_text(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
}

TEST(good_files_are_loaded)
{
	check_files("root.crt", "client.chain", "client.key", ERR_NONE, NULL);
	check_files("bob.crt", "alice.crt", "alice.key", ERR_NONE, NULL);
}

TEST(keys_of_all_usual_forms_are_loaded)
{
	check_files("root.crt", "sec1.crt", "sec1.key", ERR_NONE, NULL);
	check_files("root.crt", "pkcs1.crt", "pkcs1.key", ERR_NONE, NULL);
}

TEST(a_file_that_is_missing_is_named)
{
	check_files("no.crt", "client.crt", "client.key", ERR_SYSTEM,
		    "/no.crt: No such file or directory");
	check_files("root.crt", "no.crt", "client.key", ERR_SYSTEM,
		    "/no.crt: No such file or directory");
	check_files("root.crt", "client.crt", "no.key", ERR_SYSTEM,
		    "/no.key: No such file or directory");
}

TEST(a_file_that_cannot_be_read_is_named)
{
	check_files("root.crt", "client.crt", ".", ERR_SYSTEM, "/.: Is a directory");
}

TEST(a_file_that_is_something_else_is_named)
{
	put_text("garbage", "this is not a certificate\n");
	put_text("empty", "");
	check_files("garbage", "client.crt", "client.key", ERR_INVALID,
		    "/garbage: no certificate (PEM) in it");
	check_files("empty", "client.crt", "client.key", ERR_INVALID,
		    "/empty: no certificate (PEM) in it");
	check_files("root.crt", "client.key", "client.key", ERR_INVALID,
		    "/client.key: no certificate (PEM) in it");
	check_files("root.crt", "client.crt", "client.crt", ERR_INVALID,
		    "/client.crt: no private key (PEM) in it");
}

TEST(a_certificate_that_is_broken_is_counted)
{
	put_text("broken", "-----BEGIN CERTIFICATE-----\n"
			   "MIIBAAAA\n"
			   "-----END CERTIFICATE-----\n");
	check_files("broken", "client.crt", "client.key", ERR_INVALID,
		    "nested asn1 error: ASN1 lib: certificate 1 in it");
}

TEST(a_file_too_large_to_be_one_is_not_read)
{
	size_t n = 1024 * 1024 + 1;
	char *much = xcalloc(1, n);

	put_file("large", much, n);
	free(much);
	check_files("large", "client.crt", "client.key", ERR_INVALID,
		    "/large: larger than 1048576 bytes");
}

TEST(a_key_of_another_certificate_is_told)
{
	check_files("root.crt", "client.crt", "alice.key", ERR_INVALID,
		    "/alice.key: not the key of the certificate in /");
	/* Not even of the same kind. */
	check_files("root.crt", "client.crt", "pkcs1.key", ERR_INVALID,
		    "/pkcs1.key: not the key of the certificate in /");
}

TEST(nobody_is_asked_for_a_passphrase)
{
	check_files("root.crt", "client.crt", "encrypted.key", ERR_INVALID,
		    "/encrypted.key: encrypted, and nobody is there to be asked "
		    "for the passphrase");
}

TEST(our_own_certificate_is_looked_at_before_peers_refuse_it)
{
	cleanup(side_freep) struct side *old =
		client_new("root.crt", "expired.crt", "server.example");
	cleanup(side_freep) struct side *young =
		client_new("root.crt", "future.crt", "server.example");

	check_load(old, ERR_NONE, NULL);
	CHECK(strstr(buf_str(&old->said.text),
		     "/expired.crt expired 2024-01-01 00:00:00 UTC: peers refuse it"));
	check_load(young, ERR_NONE, NULL);
	CHECK(strstr(buf_str(&young->said.text),
		     "/future.crt is not valid before 2100-01-01 "
		     "00:00:00 UTC: peers refuse it"));
}

/* ---- what changes ---- */

/* to is replaced as a whole, as those who renew certificates do. */
static void put_copy(const char *from, const char *to)
{
	cleanup(str_freep) char *from_path = certs_file(from), *to_path = certs_file(to),
				*tmp = certs_file("tmp");
	char bytes[8192];
	FILE *f = fopen(from_path, "re");
	size_t n;

	REQUIRE(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	put_file("tmp", bytes, n);
	CHECK(rename(tmp, to_path) == 0);
}

static void remove_file(const char *name)
{
	cleanup(str_freep) char *path = certs_file(name);

	CHECK(unlink(path) == 0);
}

static size_t lines(struct side *s, const char *what)
{
	size_t n = 0;

	for (const char *p = buf_str(&s->said.text); (p = strstr(p, what)); p++)
		n++;
	return n;
}

/* identity: NULL: refused. */
static void check_connects(struct side *server, struct side *client, const char *identity)
{
	cleanup(pair_fini) struct pair p = pair_new(server, client);

	if (!identity) {
		CHECK(!p.server && !p.client);
		CHECK_INT(p.server_err.kind, ERR_DENIED);
		return;
	}
	CHECK_STR(err_msg(&p.server_err), "no error");
	CHECK_STR(err_msg(&p.client_err), "no error");
	if (CHECK(p.server != NULL))
		CHECK_STR(conn_identity(p.server), identity);
}

static struct side *changing_server(void)
{
	put_copy("root.crt", "now-ca.crt");
	put_copy("server.chain", "now.crt");
	put_copy("server.key", "now.key");
	return server_new("now-ca.crt", "now.crt", "client");
}

TEST(files_that_change_are_read_again)
{
	cleanup(side_freep) struct side *server = changing_server();
	cleanup(side_freep) struct side *client =
		client_new("root.crt", "client.chain", "server.example");
	cleanup(side_freep) struct side *other =
		client_new("other-root.crt", "client.chain", "server.example");

	check_connects(server, client, "client");
	check_connects(server, other, NULL);
	put_copy("stranger.crt", "now.crt");
	put_copy("stranger.key", "now.key");
	check_connects(server, other, "client");
	check_connects(server, client, NULL);
	CHECK_INT(lines(server, "have changed: the new ones are used"), 1);
	CHECK_INT(lines(server, "\n"), 1);
}

TEST(who_is_taken_out_of_ca_is_out)
{
	cleanup(side_freep) struct side *server = changing_server();
	cleanup(side_freep) struct side *client =
		client_new("root.crt", "client.chain", "server.example");

	check_connects(server, client, "client");
	put_copy("bob.crt", "now-ca.crt");
	check_connects(server, client, NULL);
	put_copy("root.crt", "now-ca.crt");
	check_connects(server, client, "client");
}

TEST(who_is_taken_out_of_client_cns_is_out)
{
	cleanup(side_freep) struct side *server = changing_server();
	cleanup(side_freep) struct side *client =
		client_new("root.crt", "client.chain", "server.example");

	check_connects(server, client, "client");
	/* A configuration is read once; this is a daemon started again. */
	tls_free(server->tls);
	server->serve.n_client_cns = 1;
	server->tls = tls_server_new(&server->serve, &server->log);
	check_connects(server, client, NULL);
}

TEST(old_certificates_stay_while_new_ones_are_of_no_use)
{
	cleanup(side_freep) struct side *server = changing_server();
	cleanup(side_freep) struct side *client =
		client_new("root.crt", "client.chain", "server.example");

	check_connects(server, client, "client");
	/* Half of a change: the key does not fit yet. */
	put_copy("both-uses.crt", "now.crt");
	check_connects(server, client, "client");
	check_connects(server, client, "client");
	CHECK_INT(lines(server, "the old certificates stay in use: key "), 1);
	CHECK_INT(lines(server, "\n"), 1);
	/* Another half: one more line. */
	remove_file("now.key");
	check_connects(server, client, "client");
	check_connects(server, client, "client");
	CHECK_INT(lines(server, "now.key: No such file or directory"), 1);
	CHECK_INT(lines(server, "\n"), 2);
	/* And the rest of it. */
	put_copy("both-uses.key", "now.key");
	check_connects(server, client, "client");
	CHECK_INT(lines(server, "have changed: the new ones are used"), 1);
	CHECK_INT(lines(server, "\n"), 3);
}

TEST(files_that_come_later_are_found)
{
	cleanup(side_freep) struct side *server = changing_server();
	cleanup(side_freep) struct side *client =
		client_new("root.crt", "client.chain", "server.example");

	remove_file("now.key");
	{
		cleanup(pair_fini) struct pair p = pair_new(server, client);

		CHECK(!p.server);
		CHECK_INT(p.server_err.kind, ERR_SYSTEM);
	}
	put_copy("server.key", "now.key");
	check_connects(server, client, "client");
	CHECK_STR(buf_str(&server->said.text), "");
}

TEST(a_connection_outlives_a_change_and_the_side_itself)
{
	struct side *server = changing_server();
	struct side *client = client_new("root.crt", "client.chain", "server.example");
	cleanup(pair_fini) struct pair p = pair_new(server, client);

	REQUIRE(p.server && p.client);
	put_copy("alice.crt", "now-ca.crt");
	check_connects(server, client, NULL);
	side_free(server);
	side_free(client);
	check_writes(p.client, "still there");
	check_reads(p.server, "still there");
}

struct visitor {
	struct thread thread;
	struct side *server, *client;
};

static void connect_often(void *arg)
{
	struct visitor *v = arg;

	for (int i = 0; i < 10; i++)
		check_connects(v->server, v->client, "client");
}

TEST(many_connect_while_files_change)
{
	cleanup(side_freep) struct side *server = changing_server();
	cleanup(side_freep) struct side *client =
		client_new("root.crt", "client.chain", "server.example");
	struct visitor v[3] = { 0 };

	check_connects(server, client, "client");
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		v[i].server = server;
		v[i].client = client;
		thread_start(&v[i].thread, "visitor", connect_often, &v[i]);
	}
	for (int i = 0; i < 10; i++)
		put_copy("root.crt", "now-ca.crt");
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		thread_join(&v[i].thread);
	CHECK_INT(lines(server, "stay in use"), 0);
}

/* ---- key log ---- */

TEST(the_key_log_is_begun_anew_and_for_our_eyes_only)
{
	cleanup(pair_fini) struct pair p = good_pair(TLS1_3_VERSION);
	char text[8 * 1024] = "";
	struct stat st;
	FILE *f = fopen(keylog_path, "re");

	REQUIRE(p.client && f && fstat(fileno(f), &st) == 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	CHECK(strncmp(text, "old", 3) != 0);
	CHECK(strstr(text, "\nCLIENT_TRAFFIC_SECRET_0 ") != NULL);
	CHECK(strstr(text, "\nSERVER_TRAFFIC_SECRET_0 ") != NULL);
}

TEST_MAIN()
