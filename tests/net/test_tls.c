#include "tls_bench.h"

#include <openssl/pem.h>

/* Who is let in, and what those learn who are not. */

static void check_text(const struct err *e, enum err_kind kind, const char *want)
{
	const char *text = err_msg(e);

	CHECK_INT(e->kind, kind);
	if (!CHECK(strstr(text, want) != NULL))
		printf("# \"%s\"\n# does not say \"%s\"\n", text, want);
}

static void check_accepted(struct side *server, struct side *client, const char *identity)
{
	cleanup(pair_fini) struct pair p = pair_new(server, client);

	CHECK_STR(err_msg(&p.server_err), "no error");
	CHECK_STR(err_msg(&p.client_err), "no error");
	REQUIRE(p.server && p.client);
	CHECK_STR(conn_identity(p.server), identity);
	CHECK(conn_identity(p.client) == NULL);
	CHECK_STR(conn_peer(p.client), "server");
	check_writes(p.client, "from the client");
	check_reads(p.server, "from the client");
	check_writes(p.server, "from the server");
	check_reads(p.client, "from the server");
}

/* Either side may say why. */
static void check_refused(struct side *server, struct side *client,
			  const char *server_says, const char *client_says)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		cleanup(pair_fini) struct pair p = { 0 };

		side_limit(client, versions[i]);
		p = pair_new(server, client);
		CHECK(!p.server && !p.client);
		check_text(&p.server_err, ERR_DENIED, server_says);
		check_text(&p.client_err, ERR_DENIED, client_says);
	}
}

static void check_client(const char *server_ca, const char *client_cert,
			 const char *server_says, const char *client_says)
{
	cleanup(side_freep) struct side *server =
		server_new(server_ca, "server.chain", "client");
	cleanup(side_freep) struct side *client =
		client_new("root.crt", client_cert, "server.example");

	check_refused(server, client, server_says, client_says);
}

static void check_server(const char *client_ca, const char *server_cert, const char *name,
			 const char *server_says, const char *client_says)
{
	cleanup(side_freep) struct side *server =
		server_new("root.crt", server_cert, "client");
	cleanup(side_freep) struct side *client =
		client_new(client_ca, "client.chain", name);

	check_refused(server, client, server_says, client_says);
}

static void check_named(const char *server_cert, const char *name)
{
	cleanup(side_freep) struct side *server =
		server_new("root.crt", server_cert, "client");
	cleanup(side_freep) struct side *client =
		client_new("root.crt", "client.chain", name);

	check_accepted(server, client, "client");
}

TEST(two_machines_that_know_each_others_certificate_connect)
{
	cleanup(side_freep) struct side *server =
		server_new("bob.crt", "alice.crt", "bob");
	cleanup(side_freep) struct side *client =
		client_new("alice.crt", "bob.crt", "alice");

	check_accepted(server, client, "bob");
	side_limit(client, TLS1_2_VERSION);
	check_accepted(server, client, "bob");
}

TEST(a_chain_with_an_intermediate_is_accepted)
{
	check_named("server.chain", "server.example");
}

TEST(a_chain_without_its_intermediate_is_refused)
{
	check_client("root.crt", "client.crt",
		     "certificate of CN = client, issued by CN = middle: neither is in /",
		     "the peer refuses our certificate (CN = client, valid until "
		     "2120-01-01 00:00:00 UTC): unknown CA");
}

TEST(an_intermediate_is_trust_enough)
{
	cleanup(side_freep) struct side *server =
		server_new("middle.crt", "server.chain", "client");
	cleanup(side_freep) struct side *client =
		client_new("middle.crt", "client.crt", "server.example");

	check_accepted(server, client, "client");
}

TEST(a_leaf_in_ca_is_trusted_though_it_has_not_signed_itself)
{
	cleanup(side_freep) struct side *server =
		server_new("client.crt", "server.crt", "client");
	cleanup(side_freep) struct side *client =
		client_new("server.crt", "client.crt", "server.example");

	check_accepted(server, client, "client");
}

TEST(a_client_of_another_ca_is_refused)
{
	check_client("root.crt", "stranger.crt",
		     "certificate of CN = client, issued by CN = other-root: neither",
		     "unknown CA");
}

TEST(a_server_of_another_ca_is_refused)
{
	check_server("other-root.crt", "server.chain", "server.example", "unknown CA",
		     "issued by CN = root: neither is in /");
}

TEST(a_self_signed_certificate_that_nobody_knows_is_refused)
{
	check_client("root.crt", "alice.crt",
		     "certificate of CN = alice is self-signed and not in /",
		     "unknown CA");
	check_server("root.crt", "bob.crt", "bob", "unknown CA",
		     "certificate of CN = bob is self-signed and not in /");
}

TEST(a_client_that_is_not_listed_is_refused_and_told)
{
	check_client("alice.crt", "alice.crt",
		     "tls handshake with client: unauthorized client common name "
		     "\"alice\": not among client_cns",
		     "bad certificate; is its common name among client_cns there?");
}

TEST(the_last_common_name_is_the_identity)
{
	cleanup(side_freep) struct side *server =
		server_new("root.crt", "server.chain", "last");
	cleanup(side_freep) struct side *client =
		client_new("root.crt", "two-names.crt", "server.example");

	check_accepted(server, client, "last");
	server->cns[1] = "first";
	check_refused(server, client, "unauthorized client common name \"last\"",
		      "bad certificate");
}

TEST(a_certificate_without_a_common_name_is_refused)
{
	check_client("root.crt", "no-name.crt", "certificate has no common name",
		     "bad certificate");
}

/* openssl(1) does not make such a thing. */
static void make_cert_with_nul(void)
{
	cleanup(str_freep) char *key_path = certs_file("nul.key");
	cleanup(str_freep) char *cert_path = certs_file("nul.crt");
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	FILE *f;

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
				   (const uint8_t *)"client\0.evil", 12, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
	f = fopen(cert_path, "we");
	CHECK(f && PEM_write_X509(f, cert) && fclose(f) == 0);
	f = fopen(key_path, "we");
	CHECK(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) &&
	      fclose(f) == 0);
	X509_free(cert);
	EVP_PKEY_free(key);
}

TEST(a_common_name_with_a_nul_byte_is_refused)
{
	make_cert_with_nul();
	check_client("nul.crt", "nul.crt",
		     "unauthorized client common name \"client\\00.evil\"",
		     "bad certificate");
}

TEST(an_expired_certificate_is_refused_with_its_date)
{
	check_client("root.crt", "expired.crt",
		     "certificate of CN = client expired 2024-01-01 00:00:00 UTC",
		     "the peer refuses our certificate (CN = client, valid until "
		     "2024-01-01 00:00:00 UTC): certificate expired");
	check_server("root.crt", "expired.crt", "server.example", "certificate expired",
		     "certificate of CN = client expired 2024-01-01 00:00:00 UTC");
}

TEST(a_certificate_of_the_future_is_refused_with_its_date)
{
	check_client("root.crt", "future.crt",
		     "certificate of CN = client is not valid before 2100-01-01 "
		     "00:00:00 UTC",
		     "bad certificate");
}

TEST(a_certificate_is_used_for_what_it_is_meant_for)
{
	check_client("root.crt", "for-servers.crt",
		     "certificate of CN = client is not meant for a client (key usage)",
		     "unsupported certificate");
	check_server("root.crt", "for-clients.crt", "server.example",
		     "unsupported certificate",
		     "certificate of CN = server is not meant for a server (key usage)");
	/* Even one that ca itself names. */
	check_client("for-servers.crt", "for-servers.crt", "is not meant for a client",
		     "unsupported certificate");
	check_named("both-uses.crt", "server.example");
}

TEST(the_servers_names_are_those_of_its_san_only)
{
	check_named("server.chain", "server.example");
	check_named("server.chain", "SERVER.example.");
	check_named("server.chain", "any.wild.example");
	check_named("server.chain", "192.0.2.1");
	check_named("server.chain", "2001:db8:0::1");
	check_named("server.chain", "[2001:db8::1]");
	check_server("root.crt", "no-san.crt", "server.example", "bad certificate",
		     "certificate of CN = server.example has no subjectAltName, so it "
		     "is not for server_cn \"server.example\"");
	check_server("root.crt", "server.chain", "server",
		     "bad certificate; is the server_cn there among its subjectAltNames?",
		     "certificate of CN = server is not for server_cn \"server\" but for "
		     "DNS:server.example, DNS:*.wild.example, IP Address:192.0.2.1");
	check_server("root.crt", "server.chain", "a.b.wild.example", "bad certificate",
		     "is not for server_cn \"a.b.wild.example\"");
	check_server("root.crt", "server.chain", "192.0.2.2", "bad certificate",
		     "is not for server_cn \"192.0.2.2\"");
}

static int note_name(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	snprintf(arg, 64, "%s", name ? name : "none");
	return SSL_TLSEXT_ERR_OK;
}

static void check_sni(const char *server_cn, const char *want)
{
	cleanup(side_freep) struct side *server =
		server_new("root.crt", "server.chain", "client");
	cleanup(side_freep) struct side *client =
		client_new("root.crt", "client.chain", server_cn);
	struct err e = ERR_INIT;
	SSL_CTX *c = tls_context(server->tls, &e);
	char sni[64] = "";

	REQUIRE(c);
	SSL_CTX_set_tlsext_servername_callback(c, note_name);
	SSL_CTX_set_tlsext_servername_arg(c, sni);
	SSL_CTX_free(c);
	check_accepted(server, client, "client");
	CHECK_STR(sni, want);
}

TEST(a_name_goes_into_the_client_hello_and_an_address_does_not)
{
	check_sni("server.example", "server.example");
	check_sni("server.example.", "server.example");
	check_sni("192.0.2.1", "none");
	check_sni("[2001:db8::1]", "none");
}

/* ---- time, and those who do not speak TLS ---- */

struct quiet_peer {
	struct side *server;
	struct ctx *ctx;
	int ours, theirs;
	struct err e;
};

static struct quiet_peer quiet_new(int64_t handshake_timeout_ms)
{
	struct quiet_peer q = { .e = ERR_INIT };

	q.server = side_new("root.crt", "server.chain");
	q.server->serve.client_cns = q.server->cns;
	q.server->serve.handshake_timeout_ms = handshake_timeout_ms;
	q.server->tls = tls_server_new(&q.server->serve, &q.server->log);
	q.ctx = ctx_new(NULL);
	loopback_pair(&q.ours, &q.theirs);
	return q;
}

static void check_fails(struct quiet_peer *q, enum err_kind kind, const char *want)
{
	CHECK(tls_handshake(q->ctx, q->server->tls, q->ours, "them", &q->e) == NULL);
	check_text(&q->e, kind, want);
	CHECK(fcntl(q->ours, F_GETFD) < 0); /* closed */
	fd_closep(&q->theirs);
	ctx_free(q->ctx);
	side_free(q->server);
	err_clear(&q->e);
}

TEST(a_handshake_timeout_of_nothing_has_expired)
{
	struct quiet_peer q = quiet_new(0);

	check_fails(&q, ERR_TIMEOUT, "tls handshake with them: timed out");
}

TEST(a_peer_that_says_nothing_is_given_up)
{
	struct quiet_peer q = quiet_new(20);

	check_fails(&q, ERR_TIMEOUT, "tls handshake with them: timed out");
}

TEST(a_handshake_ends_when_it_is_cancelled)
{
	struct quiet_peer q = quiet_new(PATIENCE_MS);

	ctx_cancel(q.ctx);
	check_fails(&q, ERR_CANCELLED, "tls handshake with them: cancelled");
}

TEST(a_peer_that_goes_away_in_the_handshake_is_a_lost_connection)
{
	struct quiet_peer q = quiet_new(PATIENCE_MS);

	fd_closep(&q.theirs);
	q.theirs = -1;
	check_fails(&q, ERR_NETWORK, "the connection was cut off");
}

TEST(a_peer_that_does_not_speak_tls_is_told_apart)
{
	static const char banner[] =
		"0000000056 ZREPL_ZFS_REPLICATION PROTOVERSION=0007 EXTENSIONS=0000\n";
	struct quiet_peer q = quiet_new(PATIENCE_MS);

	CHECK(write(q.theirs, banner, sizeof(banner) - 1) > 0);
	CHECK(shutdown(q.theirs, SHUT_WR) == 0);
	check_fails(&q, ERR_PROTOCOL,
		    "what the peer sends is not TLS: is its transport of type tls, too?");
	q = quiet_new(PATIENCE_MS);
	CHECK(write(q.theirs, "GET / HTTP/1.0\r\n\r\n", 18) > 0);
	CHECK(shutdown(q.theirs, SHUT_WR) == 0);
	check_fails(&q, ERR_PROTOCOL, "the peer speaks HTTP, not TLS");
}

TEST(a_handshake_without_certificates_is_not_tried)
{
	struct quiet_peer q = quiet_new(PATIENCE_MS);
	cleanup(str_freep) char *missing = certs_file("missing.crt");

	tls_free(q.server->tls);
	q.server->serve.tls.cert = missing;
	q.server->tls = tls_server_new(&q.server->serve, &q.server->log);
	check_fails(&q, ERR_SYSTEM, "tls handshake with them: cert /");
}

/* ---- over bad lines ---- */

struct relay {
	struct thread thread;
	int a, b;
};

/* From each to the other, byte by byte, until both have ended. */
static void relay_bytes(void *arg)
{
	struct relay *r = arg;
	struct pollfd fds[2] = { { r->a, POLLIN, 0 }, { r->b, POLLIN, 0 } };
	const int one = 1;

	setsockopt(r->a, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one));
	setsockopt(r->b, IPPROTO_TCP, 1, &one, sizeof(one));
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (poll(fds, 2, PATIENCE_MS) <= 0)
			return;
		for (int i = 0; i < 2; i++) {
			char byte;

			if (fds[i].revents == 0)
				continue;
			if (read(fds[i].fd, &byte, 1) == 1) {
				CHECK(write(i ? r->a : r->b, &byte, 1) == 1);
				continue;
			}
			shutdown(i ? r->a : r->b, SHUT_WR);
			fds[i].fd = -1;
		}
	}
}

TEST(bytes_that_come_one_by_one_are_as_good_as_many_at_once)
{
	cleanup(side_freep) struct side *server =
		server_new("root.crt", "server.chain", "client");
	cleanup(side_freep) struct side *client =
		client_new("root.crt", "client.chain", "server.example");
	struct relay r = { .a = -1, .b = -1 };
	struct pair p;
	int s, c;

	loopback_pair(&s, &r.a);
	loopback_pair(&c, &r.b);
	thread_start(&r.thread, "relay", relay_bytes, &r);
	p = pair_over(server, client, s, c);
	REQUIRE(p.server && p.client);
	check_writes(p.client, "one by one");
	check_finishes(p.client);
	check_reads(p.server, "one by one");
	check_ends(p.server);
	check_writes(p.server, "after its end");
	check_finishes(p.server);
	check_reads(p.client, "after its end");
	check_ends(p.client);
	pair_fini(&p);
	thread_join(&r.thread);
	fd_closep(&r.a);
	fd_closep(&r.b);
}

TEST_MAIN()
