/*
 * What the server makes of requests, and the client of replies, that are not as they
 * should be.
 */
#include "h2_ends.h"
#include "h2_text.h"
#include "tap.h"

/* ---- requests ---- */

#define REQUEST ":method=POST", ":scheme=http", ":path=/m"
#define TYPE    "content-type=application/grpc"
#define OK      "headers 1 :status=200 content-type=application/grpc\n"
#define REFUSED(http, status, text)                                                    \
	"headers 1 :status=" http " content-type=application/grpc grpc-status=" status \
	" grpc-message=" text ", end\n"

/* What the server answers to a request of these headers and an empty message. */
static void check_request(const char *const *fields, const char *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_text t = { 0 };
	struct server_end s;
	struct buf b = { 0 };

	server_end_init(&s, 0);
	s.echoes = true;
	h2_put_hello(&b);
	h2_put_headers(&b, 1, false, fields);
	h2_put(&b, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, VIEW("\0\0\0\0\0"));
	CHECK_INT(h2_server_feed(s.s, b.p, b.len, 0, &e), 0);
	h2_text_feed(&t, h2_server_output(s.s));
	if (!CHECK_STR(h2_text_take(&t, "headers reset"), want))
		printf("# of: %s\n", fields[0]);
	CHECK_INT(s.n, strncmp(want, OK, strlen(OK)) == 0 ? 1 : 0);
	CHECK_INT(h2_server_pending(s.s), 0);
	server_end_fini(&s);
	h2_text_fini(&t);
	buf_free(&b);
}

#define FIELDS(...) ((const char *[]){ __VA_ARGS__, NULL })

static const char ok[] = OK "headers 1 grpc-status=0 grpc-message=, end\n";
static const char malformed[] = "reset 1 PROTOCOL_ERROR\n";

TEST(any_authority_will_do)
{
	check_request(FIELDS(REQUEST, TYPE), ok);
	check_request(FIELDS(REQUEST, ":authority=", TYPE), ok);
	check_request(FIELDS(REQUEST, ":authority=doesn't matter done by dialer", TYPE),
		      ok);
	check_request(FIELDS(REQUEST, ":authority=zrepl", "host=other", TYPE), ok);
	check_request(FIELDS(REQUEST, ":authority=a", ":authority=a", TYPE), malformed);
	check_request(FIELDS(REQUEST, "host=a", "host=a", TYPE), malformed);
}

TEST(what_a_request_needs_is_post_a_path_and_the_content_type)
{
	check_request(FIELDS(":method=GET", ":scheme=http", ":path=/m", TYPE),
		      REFUSED("405", "13", "method is not POST"));
	check_request(FIELDS(REQUEST),
		      REFUSED("415", "13", "content-type is not application/grpc"));
	check_request(FIELDS(REQUEST, "content-type=application/json"),
		      REFUSED("415", "13", "content-type is not application/grpc"));
	check_request(FIELDS(REQUEST, "content-type=application/grpcx"),
		      REFUSED("415", "13", "content-type is not application/grpc"));
	check_request(FIELDS(REQUEST, "content-type=application/grpc+proto"), ok);
	check_request(FIELDS(":method=POST", ":scheme=http", TYPE), malformed);
	check_request(FIELDS(":scheme=http", ":path=/m", TYPE), malformed);
	check_request(FIELDS(REQUEST, ":path=/n", TYPE), malformed);
	check_request(FIELDS(REQUEST, ":method=POST", TYPE), malformed);
	check_request(FIELDS(":method=POST", ":path=", TYPE), malformed);
	check_request(FIELDS(":method=POST", ":path=m", TYPE), malformed);
	check_request(FIELDS(":method=POST", ":path=/a\nb", TYPE), malformed);
	check_request(FIELDS(":method=POST", ":path=/a b", TYPE), malformed);
	check_request(FIELDS(":method=POST", ":path=/\xc3\xa4", TYPE), malformed);
	check_request(FIELDS(REQUEST, ":unknown=x", TYPE), malformed);
}

TEST(other_fields_matter_only_when_they_change_the_meaning)
{
	check_request(FIELDS(REQUEST, TYPE, "te=trailers", "x-anything=1"), ok);
	check_request(FIELDS(REQUEST, TYPE, "grpc-encoding=identity"), ok);
	check_request(FIELDS(REQUEST, TYPE, "grpc-encoding=gzip"),
		      REFUSED("200", "12", "grpc-encoding is not known"));
	check_request(FIELDS(REQUEST, TYPE, "grpc-timeout=10S"), ok);
	check_request(FIELDS(REQUEST, TYPE, "grpc-timeout=10"),
		      REFUSED("400", "13", "malformed grpc-timeout"));
	check_request(FIELDS(REQUEST, TYPE, "connection=close"), malformed);
}

/* What the server says after hello and b, which is freed. */
static void check_bytes(struct buf *b, const char *want)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct buf hello = { 0 };
	struct h2_text t = { 0 };
	struct server_end s;

	server_end_init(&s, 0);
	s.echoes = true;
	h2_put_hello(&hello);
	CHECK_INT(h2_server_feed(s.s, hello.p, hello.len, 0, &e), 0);
	CHECK_INT(h2_server_feed(s.s, b->p, b->len, 0, &e), 0);
	h2_text_feed(&t, h2_server_output(s.s));
	CHECK_STR(h2_text_take(&t, "headers reset"), want);
	CHECK_INT(s.n, strncmp(want, OK, strlen(OK)) == 0 ? 1 : 0);
	server_end_fini(&s);
	h2_text_fini(&t);
	buf_free(&hello);
	buf_free(b);
}

TEST(a_body_that_is_no_message_is_refused)
{
	struct buf b = { 0 };

	h2_put_headers(&b, 1, true, FIELDS(REQUEST, TYPE));
	check_bytes(&b, REFUSED("200", "13", "message of 0 bytes has no prefix"));
	h2_put_headers(&b, 1, false, FIELDS(REQUEST, TYPE));
	h2_put(&b, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, VIEW("\0\0\0\0\2x"));
	check_bytes(&b, REFUSED("200", "13", "message of 2 bytes in a body of 1"));
	h2_put_headers(&b, 1, false, FIELDS(REQUEST, TYPE));
	h2_put(&b, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, VIEW("\1\0\0\0\0"));
	check_bytes(&b, REFUSED("200", "13", "message is compressed"));
}

TEST(a_message_that_will_be_too_large_is_refused_at_its_prefix)
{
	struct buf b = { 0 };

	h2_put_headers(&b, 1, false, FIELDS(REQUEST, TYPE));
	h2_put(&b, NGHTTP2_DATA, 0, 1, VIEW("\0\0\x40\0\1"));
	check_bytes(&b, REFUSED("200", "8", "request is too large") "reset 1 NO_ERROR\n");
}

TEST(what_a_refused_request_still_sends_is_ignored)
{
	struct buf b = { 0 };

	h2_put_headers(&b, 1, false, FIELDS(REQUEST));
	h2_put(&b, NGHTTP2_DATA, 0, 1, VIEW("abc"));
	h2_put(&b, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, VIEW("def"));
	check_bytes(&b, REFUSED("415", "13", "content-type is not application/grpc"));
}

TEST(trailers_may_end_a_request)
{
	struct buf b = { 0 };

	h2_put_headers(&b, 1, false, FIELDS(REQUEST, TYPE));
	h2_put(&b, NGHTTP2_DATA, 0, 1, VIEW("\0\0\0\0\0"));
	h2_put_headers(&b, 1, true, FIELDS("x=y", "content-type=text/html"));
	check_bytes(&b, ok);
	h2_put_headers(&b, 1, false, FIELDS(REQUEST, TYPE));
	h2_put(&b, NGHTTP2_DATA, 0, 1, VIEW("\0\0\0\0\0"));
	h2_put_headers(&b, 1, false, FIELDS("x=y"));
	h2_put(&b, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, VIEW(""));
	check_bytes(&b, malformed);
}

/* ---- replies ---- */

/* Headers, DATA, headers, in this order, each unless it is NULL; the last one ends. */
struct answer {
	const char *const *head;
	const struct view *data;
	const char *const *tail;
	enum err_kind kind;
	const char *want; /* the body, or the error */
};

static void check_reply(const struct answer *a)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r = { 0 };
	struct buf b = { 0 };

	end_call(c, "/m", VIEW(""), &r);
	h2_client_sent(c, h2_client_output(c).len);
	h2_put(&b, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
	if (a->head)
		h2_put_headers(&b, 1, !a->data && !a->tail, a->head);
	if (a->data)
		h2_put(&b, NGHTTP2_DATA, a->tail ? 0 : NGHTTP2_FLAG_END_STREAM, 1,
		       *a->data);
	if (a->tail)
		h2_put_headers(&b, 1, true, a->tail);
	CHECK_INT(h2_client_feed(c, b.p, b.len, 0, &e), 0);
	CHECK_INT(r.times, 1);
	CHECK_INT(r.err.kind, a->kind);
	CHECK_STR(r.err.kind ? err_msg(&r.err) : buf_str(&r.body), a->want);
	end_reply_fini(&r);
	h2_client_free(c);
	buf_free(&b);
}

#define HEAD      FIELDS(":status=200", TYPE)
#define OKAY      FIELDS("grpc-status=0", "grpc-message=")
#define DATA(lit) (&VIEW(lit))

TEST(a_reply_is_head_message_and_status)
{
	const struct answer t[] = {
		{ HEAD, DATA("\0\0\0\0\1x"), OKAY, ERR_NONE, "x" },
		{ HEAD, DATA("\0\0\0\0\0"), FIELDS("grpc-status=0"), ERR_NONE, "" },
		{ FIELDS(":status=200", "content-type=application/grpc+proto"),
		  DATA("\0\0\0\0\0"), OKAY, ERR_NONE, "" },
		{ HEAD, DATA("\0\0\0\0\1x"),
		  FIELDS("grpc-status=2", "grpc-message=no%21"), ERR_REMOTE, "no!" },
		{ HEAD, NULL, FIELDS("grpc-status=2", "grpc-message= blanks "),
		  ERR_REMOTE, " blanks " },
		{ FIELDS(":status=200", TYPE, "grpc-status=2", "grpc-message=boom"), NULL,
		  NULL, ERR_REMOTE, "boom" },
		{ FIELDS(":status=200", TYPE, "grpc-status=14"), NULL, NULL, ERR_NETWORK,
		  "peer is not available" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		check_reply(&t[i]);
}

TEST(a_reply_without_one_of_these_is_no_success)
{
	const struct answer t[] = {
		{ HEAD, DATA("\0\0\0\0\1x"), NULL, ERR_PROTOCOL,
		  "reply has no grpc-status" },
		{ HEAD, DATA("\0\0\0\0\1x"), FIELDS("x=y"), ERR_PROTOCOL,
		  "reply has no grpc-status" },
		{ HEAD, DATA("\0\0\0\0\1x"), FIELDS("grpc-status="), ERR_PROTOCOL,
		  "reply has no grpc-status" },
		{ HEAD, DATA("\0\0\0\0\1x"), FIELDS("grpc-status=-1"), ERR_PROTOCOL,
		  "reply has no grpc-status" },
		{ HEAD, DATA("\0\0\0\0\1x"), FIELDS("grpc-status=4294967296"),
		  ERR_PROTOCOL, "reply has no grpc-status" },
		{ HEAD, NULL, OKAY, ERR_PROTOCOL,
		  "reply: message of 0 bytes has no prefix" },
		{ HEAD, DATA("\0\0\0\0\2x"), OKAY, ERR_PROTOCOL,
		  "reply: message of 2 bytes in a body of 1" },
		{ HEAD, DATA("\1\0\0\0\1x"), OKAY, ERR_PROTOCOL,
		  "reply: message is compressed" },
		{ HEAD, DATA("\0\0\x40\0\1"), OKAY, ERR_PROTOCOL, "reply is too large" },
		{ FIELDS(":status=103"), DATA("\0\0\0\0\1x"), OKAY, ERR_PROTOCOL,
		  "reply begins without a header" },
		{ FIELDS(":status=200", TYPE, "grpc-status=0"), NULL, NULL, ERR_PROTOCOL,
		  "reply: message of 0 bytes has no prefix" },
		{ FIELDS(":status=200", TYPE, "grpc-encoding=gzip"), DATA("\0\0\0\0\1x"),
		  OKAY, ERR_PROTOCOL,
		  "reply with HTTP status 200 and an unknown grpc-encoding" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		check_reply(&t[i]);
}

TEST(something_else_than_a_grpc_server_is_told_apart)
{
	const struct answer t[] = {
		{ FIELDS(":status=200", "content-type=text/html"), DATA("<html>"), OKAY,
		  ERR_PROTOCOL, "peer is no gRPC server: HTTP status 200" },
		{ FIELDS(":status=404", "content-type=text/html"), DATA("<html>"), NULL,
		  ERR_PROTOCOL, "peer is no gRPC server: HTTP status 404" },
		{ FIELDS(":status=503"), NULL, NULL, ERR_NETWORK,
		  "peer is no gRPC server: HTTP status 503" },
		{ FIELDS(":status=200", ":status=200"), NULL, NULL, ERR_PROTOCOL,
		  "peer is no gRPC server: HTTP status 18446744073709551615" },
		{ FIELDS(":status=404", TYPE, "grpc-status=5", "grpc-message=x"), NULL,
		  NULL, ERR_REMOTE, "status 5: x" },
		{ FIELDS(":status=500", TYPE), DATA("\0\0\0\0\0"), OKAY, ERR_PROTOCOL,
		  "reply has no grpc-status" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		check_reply(&t[i]);
}

TEST(an_interim_response_is_skipped)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r = { 0 };
	struct buf b = { 0 };

	end_call(c, "/m", VIEW(""), &r);
	h2_client_output(c);
	h2_put(&b, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
	h2_put_headers(&b, 1, false, FIELDS(":status=103"));
	h2_put_headers(&b, 1, false, HEAD);
	h2_put(&b, NGHTTP2_DATA, 0, 1, VIEW("\0\0\0\0\1x"));
	h2_put_headers(&b, 1, true, OKAY);
	CHECK_INT(h2_client_feed(c, b.p, b.len, 0, &e), 0);
	CHECK_INT(r.times, 1);
	CHECK_STR(buf_str(&r.body), "x");
	end_reply_fini(&r);
	h2_client_free(c);
	buf_free(&b);
}

TEST(headers_in_the_middle_of_a_reply_are_an_error)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r = { 0 };
	struct h2_text t = { 0 };
	struct buf b = { 0 };

	end_call(c, "/m", VIEW(""), &r);
	h2_client_sent(c, h2_client_output(c).len);
	h2_put(&b, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
	h2_put_headers(&b, 1, false, HEAD);
	h2_put_headers(&b, 1, false, OKAY);
	h2_put(&b, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, VIEW("\0\0\0\0\1x"));
	CHECK_INT(h2_client_feed(c, b.p, b.len, 0, &e), 0);
	CHECK_INT(r.times, 1);
	CHECK_STR(err_msg(&r.err), "reply has a header in its middle");
	h2_text_feed(&t, h2_client_output(c));
	CHECK_STR(h2_text_take(&t, "reset"), "reset 1 CANCEL\n");
	end_reply_fini(&r);
	h2_client_free(c);
	h2_text_fini(&t);
	buf_free(&b);
}

TEST(a_call_that_the_peer_resets_says_so)
{
	static const struct {
		uint32_t code;
		enum err_kind kind;
		const char *msg;
	} t[] = {
		{ NGHTTP2_REFUSED_STREAM, ERR_NETWORK,
		  "call was reset by the peer: REFUSED_STREAM" },
		{ NGHTTP2_PROTOCOL_ERROR, ERR_PROTOCOL,
		  "call was reset by the peer: PROTOCOL_ERROR" },
		{ NGHTTP2_NO_ERROR, ERR_PROTOCOL,
		  "call was reset by the peer: NO_ERROR" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct h2_client *c = h2_client_new(0);
		struct end_reply r = { 0 };
		struct buf b = { 0 };

		end_call(c, "/m", VIEW(""), &r);
		h2_client_output(c);
		h2_put(&b, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
		h2_put_headers(&b, 1, false, HEAD);
		h2_put_reset(&b, 1, t[i].code);
		CHECK_INT(h2_client_feed(c, b.p, b.len, 0, &e), 0);
		CHECK_INT(r.times, 1);
		CHECK_INT(r.err.kind, t[i].kind);
		CHECK_STR(err_msg(&r.err), t[i].msg);
		CHECK(h2_client_is_usable(c));
		end_reply_fini(&r);
		h2_client_free(c);
		buf_free(&b);
	}
}

TEST(an_answer_before_the_end_of_the_request_counts_and_stops_it)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r = { 0 };
	struct h2_text t = { 0 };
	struct buf b = { 0 }, big = { 0 };

	memset(buf_reserve(&big, 100000), 'x', 100000); /* more than the first window */
	buf_added(&big, 100000);
	end_call(c, "/m", buf_view(&big), &r);
	for (struct view v; (v = h2_client_output(c)).len > 0;)
		h2_client_sent(c, v.len);
	h2_put(&b, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
	h2_put_headers(&b, 1, true,
		       FIELDS(":status=200", TYPE, "grpc-status=8", "grpc-message=no"));
	CHECK_INT(h2_client_feed(c, b.p, b.len, 0, &e), 0);
	CHECK_INT(r.times, 1);
	CHECK_STR(err_msg(&r.err), "resource exhausted: no");
	h2_text_feed(&t, h2_client_output(c));
	CHECK_STR(h2_text_take(&t, "reset data"), "reset 1 CANCEL\n");
	end_reply_fini(&r);
	h2_client_free(c);
	h2_text_fini(&t);
	buf_free(&b);
	buf_free(&big);
}

TEST(all_calls_fail_with_the_connection_each_once)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = h2_client_new(0);
	struct end_reply r[10] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		end_call(c, "/m", VIEW(""), &r[i]);
	err_set(&e, ERR_NETWORK, "cut");
	h2_client_fail(c, &e);
	h2_client_fail(c, &e);
	for (size_t i = 0; i < ARRAY_LEN(r); i++) {
		CHECK_INT(r[i].times, 1);
		CHECK_STR(err_msg(&r[i].err), "cut");
		end_reply_fini(&r[i]);
	}
	h2_client_free(c);
}

TEST_MAIN()
