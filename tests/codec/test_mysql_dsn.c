#include "codec/mysql_dsn.h"
#include "tap.h"

struct want {
	const char *user, *password, *host, *port, *socket, *database;
};

static void check_ok(const char *text, const struct want *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct mysql_dsn d = { 0 };

	if (!CHECK_INT(mysql_dsn_parse(text, &d, &e), 0)) {
		printf("# '%s': %s\n", text, err_msg(&e));
		return;
	}
	CHECK_STR(d.user, want->user ? want->user : "");
	CHECK_STR(d.password, want->password ? want->password : "");
	CHECK_STR(d.database, want->database ? want->database : "");
	if (want->socket) {
		CHECK(!d.host && !d.port);
		CHECK_STR(d.socket, want->socket);
	} else {
		CHECK(!d.socket);
		CHECK_STR(d.host, want->host ? want->host : "127.0.0.1");
		CHECK_STR(d.port, want->port ? want->port : "3306");
	}
	mysql_dsn_free(&d);
	CHECK(!d.user && !d.params.v);
}

#define CHECK_DSN(text, ...) check_ok((text), &(const struct want){ __VA_ARGS__ })

static void check_bad(const char *text, const char *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct mysql_dsn d = { 0 };

	if (!CHECK_INT(mysql_dsn_parse(text, &d, &e), -1)) {
		printf("# '%s'\n", text);
		mysql_dsn_free(&d);
		return;
	}
	CHECK_INT(e.kind, ERR_INVALID);
	CHECK(!d.user && !d.params.v);
	if (!CHECK(strstr(err_msg(&e), want)))
		printf("# '%s': %s\n", text, err_msg(&e));
	CHECK(!strstr(err_msg(&e), "s3cret"));
}

TEST(everything_but_the_slash_may_be_missing)
{
	CHECK_DSN("/", .user = "");
	CHECK_DSN("/db", .database = "db");
	CHECK_DSN("u@/", .user = "u");
	CHECK_DSN("u:@/", .user = "u");
	CHECK_DSN(":p@/", .password = "p");
	CHECK_DSN("tcp/db", .database = "db");
	CHECK_DSN("tcp()/db", .database = "db");
	CHECK_DSN("@tcp(h)/", .host = "h");
}

TEST(user_and_password_end_at_the_last_at_before_the_last_slash)
{
	CHECK_DSN("u:p@tcp(localhost)/", .user = "u", .password = "p",
		  .host = "localhost");
	CHECK_DSN("u:p@ss:w@rd/(@tcp(h:1)/db", .user = "u", .password = "p@ss:w@rd/(",
		  .host = "h", .port = "1", .database = "db");
	CHECK_DSN("u@unix(/run/mysqld/mysqld.sock)/db", .user = "u",
		  .socket = "/run/mysqld/mysqld.sock", .database = "db");
	CHECK_DSN("u:p%41+@/", .user = "u", .password = "p%41+");
	CHECK_DSN("/db?x=u@h", .database = "db");
}

TEST(addresses_have_a_default_for_each_part)
{
	CHECK_DSN("tcp(:3307)/", .port = "3307");
	CHECK_DSN("tcp(db.example)/", .host = "db.example");
	CHECK_DSN("tcp(db.example:)/", .host = "db.example");
	CHECK_DSN("tcp([::1])/", .host = "::1");
	CHECK_DSN("tcp([fe80::1%eth0]:65535)/", .host = "fe80::1%eth0", .port = "65535");
	CHECK_DSN("(h:1)/", .host = "h", .port = "1");
	CHECK_DSN("unix/", .socket = "/tmp/mysql.sock");
	CHECK_DSN("unix()/", .socket = "/tmp/mysql.sock");
	CHECK_DSN("unix(rel.sock)/", .socket = "rel.sock");
}

TEST(what_is_malformed_is_refused_without_the_password)
{
	check_bad("", "no '/' before the name of the database");
	check_bad("u:s3cret@tcp(h)", "no '/' before the name of the database; want "
				     "USER:PASSWORD@tcp(HOST:PORT)/ or "
				     "USER:PASSWORD@unix(PATH)/");
	check_bad("u:s3cret/db", "neither tcp nor unix");
	check_bad("u:s3cret@udp(h)/", "neither tcp nor unix");
	check_bad("u:s3cret@TCP(h)/", "neither tcp nor unix");
	check_bad("u:s3cret@tcp(h/", "does not end in ')'");
	check_bad("u:s3cret@tcp(/", "does not end in ')'");
	check_bad("u:s3cret@tcp(h)x/", "does not end in ')'");
	check_bad("u:s3cret@tcp(::1)/", "more than one ':'; write an IPv6");
	check_bad("u:s3cret@tcp([::1)/", "malformed; write e.g. tcp([::1]:3306)");
	check_bad("u:s3cret@tcp([::1]3306)/", "malformed");
	check_bad("u:s3cret@tcp(h:mysql)/", "port is not a number from 1 to 65535");
	check_bad("u:s3cret@tcp(h:0)/", "port");
	check_bad("u:s3cret@tcp(h:65536)/", "port");
	check_bad("u:s3cret@tcp(h:-1)/", "port");
	check_bad("u:s3cret@/db?a=%", "write %25");
	check_bad("u:s3cret@/db?a=%4", "write %25");
	check_bad("u:s3cret@/db?a=%g0", "write %25");
	check_bad("u:s3cret@/db?a=%00", "write %25");
	check_bad("u:s3cret@/db?s3cret%zz=1", "write %25");
}

TEST(parameters_are_decoded_in_their_order_and_those_without_a_value_ignored)
{
	static const struct {
		const char *name, *value;
	} want[] = {
		{ "timeout", "5s" }, { "tls", "" },       { "loc", "Europe/Berlin" },
		{ "a b", "c= d=e" }, { "timeout", "6s" },
	};
	cleanup(err_clear) struct err e = ERR_INIT;
	struct mysql_dsn d;

	REQUIRE(CHECK_INT(mysql_dsn_parse("u@/db?timeout=5s&tls=&bare&loc=Europe%2FBerlin"
					  "&a+b=c%3d+d=e&timeout=6s&",
					  &d, &e),
			  0));
	CHECK_STR(d.database, "db");
	REQUIRE(CHECK_INT(d.params.n, ARRAY_LEN(want)));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		CHECK_STR(d.params.v[i].name, want[i].name);
		CHECK_STR(d.params.v[i].value, want[i].value);
	}
	mysql_dsn_free(&d);
	CHECK_INT(d.params.n, 0);
}

TEST_MAIN()
