#include "rpc/h2_server.h"

#include "base/parse.h"
#include "rpc/h2_session.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * A request's life:
 *
 *	READING ---> ASKED ---> ANSWERED ---> closed
 *	   |   whole      reply     ^   all sent, and the peer has ended too, or was reset
 *	   +------------------------+
 *	         refused by us
 *
 * A stream that the peer resets is closed at once, from any state.
 */
enum state { READING, ASKED, ANSWERED };

struct head { /* what the header fields say */
	size_t bytes;
	char *path;
	bool has_method, is_post, is_grpc, is_encoded, has_bad_timeout;
	int authorities, hosts;
	bool is_malformed;
	int64_t timeout_ms;
};

struct stream {
	struct stream *next;
	int32_t id;
	enum state state;
	bool has_head, peer_ended;
	struct head head;
	struct buf body;
	size_t held;      /* of body, in the account of the server */
	struct buf reply; /* prefix and message */
	size_t reply_sent;
};

struct h2_server {
	struct h2_session session;
	h2_request_fn *request;
	h2_cancelled_fn *cancelled;
	void *arg;
	struct stream *streams;
	size_t n_asked, held, unsent;
	uint64_t taken;        /* bytes of replies that have left, ever */
	uint64_t taken_before; /* at the last tick */
	int64_t stalled_since; /* -1: it takes what there is */
};

static struct h2_server *server_of(void *user)
{
	return CONTAINER_OF(user, struct h2_server, session);
}

/* ---- streams ---- */

static struct stream *stream_get(struct h2_server *s, int32_t id)
{
	return nghttp2_session_get_stream_user_data(s->session.ng, id);
}

static void stream_new(struct h2_server *s, int32_t id)
{
	struct stream *st = xcalloc(1, sizeof(*st));

	st->id = id;
	st->body.max = GRPC_PREFIX_LEN + GRPC_MESSAGE_MAX;
	st->next = s->streams;
	s->streams = st;
	nghttp2_session_set_stream_user_data(s->session.ng, id, st);
}

static void release_body(struct h2_server *s, struct stream *st)
{
	s->held -= st->held;
	st->held = 0;
	buf_free(&st->body);
}

static void stream_free(struct h2_server *s, struct stream *st)
{
	struct stream **at = &s->streams;

	while (*at != st)
		at = &(*at)->next;
	*at = st->next;
	release_body(s, st);
	s->unsent -= st->reply.len - st->reply_sent;
	buf_free(&st->reply);
	free(st->head.path);
	free(st);
}

static void reset(struct h2_server *s, struct stream *st, uint32_t code)
{
	st->state = ANSWERED;
	h2_check(nghttp2_submit_rst_stream(s->session.ng, NGHTTP2_FLAG_NONE, st->id,
					   code));
}

/* ---- answers ---- */

/* Trailers only.  What the peer still sends of its request is ignored. */
static void refuse(struct h2_server *s, struct stream *st, const char *http,
		   enum grpc_status status, const char *text)
{
	struct buf encoded = { 0 };
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)status);
	grpc_put_text(&encoded, text);
	st->state = ANSWERED;
	release_body(s, st);
	h2_check(nghttp2_submit_response(
		s->session.ng, st->id,
		(nghttp2_nv[]){ h2_header(":status", http),
				h2_header("content-type", "application/grpc"),
				h2_header("grpc-status", number),
				h2_header("grpc-message", buf_str(&encoded)) },
		4, NULL));
	buf_free(&encoded);
}

/* budget: the parameters are nghttp2's */
static ssize_t give_reply(nghttp2_session *ng, int32_t id, uint8_t *to, size_t room,
			  uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct h2_server *s = server_of(user);
	struct stream *st = source->ptr;
	size_t left = st->reply.len - st->reply_sent;
	size_t n = left < room ? left : room;

	memcpy(to, st->reply.p + st->reply_sent, n);
	st->reply_sent += n;
	s->unsent -= n;
	s->taken += n;
	h2_meter_earn(&s->session.meter, H2_METER_DATA);
	if (n == left) {
		*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
		h2_check(nghttp2_submit_trailer(
			ng, id,
			(nghttp2_nv[]){ h2_header("grpc-status", "0"),
					h2_header("grpc-message", "") },
			2));
	}
	return (ssize_t)n;
}

static void answer(struct h2_server *s, struct stream *st, struct view body)
{
	nghttp2_data_provider source = { .source.ptr = st, .read_callback = give_reply };
	uint8_t prefix[GRPC_PREFIX_LEN];

	grpc_put_prefix(prefix, (uint32_t)body.len);
	buf_put(&st->reply, prefix, sizeof(prefix));
	buf_put(&st->reply, body.p, body.len);
	st->state = ANSWERED;
	release_body(s, st);
	s->unsent += st->reply.len;
	h2_check(nghttp2_submit_response(
		s->session.ng, st->id,
		(nghttp2_nv[]){ h2_header(":status", "200"),
				h2_header("content-type", "application/grpc") },
		2, &source));
}

void h2_server_reply(struct h2_server *s, int32_t id, enum grpc_status status,
		     const char *text, struct view body)
{
	struct stream *st = stream_get(s, id);
	char why[96];

	if (!st || st->state != ASKED)
		return;
	s->n_asked--;
	h2_meter_earn(&s->session.meter, H2_METER_CALL);
	if (status == GRPC_OK && body.len > GRPC_MESSAGE_MAX) {
		snprintf(why, sizeof(why),
			 "reply of %zu bytes, but no more than %d can be sent", body.len,
			 GRPC_MESSAGE_MAX);
		refuse(s, st, "200", GRPC_RESOURCE_EXHAUSTED, why);
	} else if (status == GRPC_OK) {
		answer(s, st, body);
	} else {
		/* An active side would wait ten minutes for us to come back. */
		refuse(s, st, "200", status == GRPC_UNAVAILABLE ? GRPC_UNKNOWN : status,
		       text);
	}
}

/* ---- requests ---- */

/* Which of the peer's header fields matter, and how. */
static void method_field(struct head *h, struct view v)
{
	h->is_malformed |= h->has_method;
	h->has_method = true;
	h->is_post = view_eq(v, VIEW("POST"));
}

static void path_field(struct head *h, struct view v)
{
	bool ok = !h->path && v.len > 0 && v.p[0] == '/';

	for (size_t i = 0; i < v.len; i++)
		ok = ok && v.p[i] > 0x20 && v.p[i] < 0x7f;
	h->is_malformed |= !ok;
	if (ok)
		h->path = view_dup(v);
}

static void authority_field(struct head *h, struct view v)
{
	(void)v; /* empty, or anything */
	h->is_malformed |= ++h->authorities > 1;
}

static void host_field(struct head *h, struct view v)
{
	(void)v;
	h->is_malformed |= ++h->hosts > 1;
}

static void connection_field(struct head *h, struct view v)
{
	(void)v;
	h->is_malformed = true; /* RFC 9113, 8.2.2 */
}

static void scheme_field(struct head *h, struct view v)
{
	(void)h;
	(void)v;
}

static void content_type_field(struct head *h, struct view v)
{
	h->is_grpc = grpc_is_content_type(v);
}

static void encoding_field(struct head *h, struct view v)
{
	h->is_encoded = !view_eq(v, VIEW("identity"));
}

static void timeout_field(struct head *h, struct view v)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	h->has_bad_timeout = grpc_get_timeout(v, &h->timeout_ms, &e) < 0;
}

static const struct field {
	const char *name;
	void (*take)(struct head *h, struct view value);
} fields[] = {
	{ ":method", method_field },
	{ ":path", path_field },
	{ ":scheme", scheme_field },
	{ ":authority", authority_field },
	{ "host", host_field },
	{ "connection", connection_field },
	{ "content-type", content_type_field },
	{ "grpc-encoding", encoding_field },
	{ "grpc-timeout", timeout_field },
};

/* budget: the parameters are nghttp2's */
static int on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len,
		     uint8_t flags, void *user)
{
	struct h2_server *s = server_of(user);
	struct stream *st = stream_get(s, f->hd.stream_id);
	struct view n = { (const char *)name, name_len };

	(void)ng;
	(void)flags;
	if (!st)
		return 0;
	st->head.bytes += name_len + value_len + 32;
	if (st->head.bytes > H2_HEADERS_MAX) {
		h2_session_end(&s->session, NGHTTP2_ENHANCE_YOUR_CALM, ERR_PROTOCOL,
			       "peer sends a request with too large a header");
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	if (st->has_head)
		return 0; /* trailers */
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (view_eq(n, view_of(fields[i].name))) {
			fields[i].take(&st->head,
				       (struct view){ (const char *)value, value_len });
			return 0;
		}
	}
	st->head.is_malformed |= view_starts(n, ":");
	return 0;
}

static void head_is_there(struct h2_server *s, struct stream *st)
{
	const struct head *h = &st->head;

	st->has_head = true;
	if (h->is_malformed || !h->has_method || !h->path)
		reset(s, st, NGHTTP2_PROTOCOL_ERROR);
	else if (!h->is_post)
		refuse(s, st, "405", GRPC_INTERNAL, "method is not POST");
	else if (!h->is_grpc)
		refuse(s, st, "415", GRPC_INTERNAL,
		       "content-type is not application/grpc");
	else if (h->has_bad_timeout)
		refuse(s, st, "400", GRPC_INTERNAL, "malformed grpc-timeout");
	else if (h->is_encoded)
		refuse(s, st, "200", GRPC_UNIMPLEMENTED, "grpc-encoding is not known");
}

static void request_is_whole(struct h2_server *s, struct stream *st)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_request r = {
		.id = st->id,
		.path = st->head.path,
		.timeout_ms = st->head.timeout_ms,
	};

	if (st->state != READING)
		return;
	if (grpc_get_message(buf_view(&st->body), &r.body, &e) < 0) {
		refuse(s, st, "200", GRPC_INTERNAL, err_msg(&e));
		return;
	}
	st->state = ASKED;
	s->n_asked++;
	s->request(s->arg, &r);
	buf_free(&st->body); /* whoever answers has a copy, so it stays in the account */
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *p,
		   size_t n, void *user)
{
	struct h2_server *s = server_of(user);
	struct stream *st = stream_get(s, id);
	uint32_t len = 0;

	(void)ng;
	(void)flags;
	if (!st || st->state != READING)
		return 0;
	if (n > buf_room(&st->body)) {
		refuse(s, st, "200", GRPC_RESOURCE_EXHAUSTED, "request is too large");
		return 0;
	}
	if (n > H2_REQUEST_BYTES_MAX - s->held) {
		refuse(s, st, "200", GRPC_RESOURCE_EXHAUSTED,
		       "requests are too large together");
		return 0;
	}
	buf_put(&st->body, p, n);
	st->held += n;
	s->held += n;
	/* As soon as it is known: the bytes are still to come. */
	if (grpc_get_length(buf_view(&st->body), &len) && len > GRPC_MESSAGE_MAX)
		refuse(s, st, "200", GRPC_RESOURCE_EXHAUSTED, "request is too large");
	return 0;
}

/* ---- frames ---- */

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
	(void)ng;
	if (f->hd.type == NGHTTP2_HEADERS && f->headers.cat == NGHTTP2_HCAT_REQUEST)
		stream_new(server_of(user), f->hd.stream_id);
	return 0;
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
	struct h2_server *s = server_of(user);
	bool is_headers = f->hd.type == NGHTTP2_HEADERS;
	struct stream *st;

	(void)ng;
	h2_session_received(&s->session, f);
	if (!is_headers && f->hd.type != NGHTTP2_DATA)
		return 0;
	st = stream_get(s, f->hd.stream_id);
	if (!st)
		return 0;
	st->peer_ended = f->hd.flags & NGHTTP2_FLAG_END_STREAM;
	if (is_headers && !st->has_head)
		head_is_there(s, st);
	else if (is_headers && !st->peer_ended)
		reset(s, st, NGHTTP2_PROTOCOL_ERROR);
	if (st->peer_ended)
		request_is_whole(s, st);
	return 0;
}

static int on_sent(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
	struct h2_server *s = server_of(user);
	struct stream *st;

	(void)ng;
	h2_session_sent(&s->session, f);
	if (f->hd.type != NGHTTP2_HEADERS || !(f->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	st = stream_get(s, f->hd.stream_id);
	if (st && !st->peer_ended)
		reset(s, st, NGHTTP2_NO_ERROR); /* RFC 9113, 8.1: stop sending it */
	return 0;
}

static int on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *user)
{
	struct h2_server *s = server_of(user);
	struct stream *st = stream_get(s, id);

	(void)ng;
	(void)code;
	if (!st)
		return 0;
	if (st->state == ASKED) {
		s->n_asked--;
		s->cancelled(s->arg, id);
	}
	stream_free(s, st);
	return 0;
}

/* ---- the connection ---- */

static nghttp2_session_callbacks *callbacks_new(void)
{
	nghttp2_session_callbacks *cb = h2_callbacks_new();

	nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
	return cb;
}

struct h2_server *h2_server_new(int64_t now, h2_request_fn *request,
				h2_cancelled_fn *cancelled, void *arg)
{
	struct h2_server *s = xcalloc(1, sizeof(*s));

	s->request = request;
	s->cancelled = cancelled;
	s->arg = arg;
	s->session.idle_ms = 5000;
	s->stalled_since = -1;
	h2_session_init(&s->session, true, callbacks_new(), now);
	h2_check(nghttp2_submit_settings(
		s->session.ng, NGHTTP2_FLAG_NONE,
		(nghttp2_settings_entry[]){
			{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_REQUESTS_MAX },
			{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H2_HEADERS_MAX } },
		2));
	return s;
}

void h2_server_free(struct h2_server *s)
{
	if (!s)
		return;
	while (s->streams)
		stream_free(s, s->streams);
	h2_session_fini(&s->session);
	free(s);
}

int h2_server_feed(struct h2_server *s, const void *p, size_t n, int64_t now,
		   struct err *err)
{
	return h2_session_feed(&s->session, p, n, now, err);
}

struct view h2_server_output(struct h2_server *s)
{
	return h2_session_output(&s->session);
}

void h2_server_sent(struct h2_server *s, size_t n)
{
	buf_drop(&s->session.out, n);
}

/* Replies wait, and nothing of them leaves. */
static bool is_stalled(struct h2_server *s, int64_t now)
{
	if (s->unsent == 0 || s->taken != s->taken_before)
		s->stalled_since = -1;
	else if (s->stalled_since < 0)
		s->stalled_since = now;
	s->taken_before = s->taken;
	return s->stalled_since >= 0 && now - s->stalled_since >= H2_STALL_MS;
}

int h2_server_tick(struct h2_server *s, int64_t now, int64_t *next, struct err *err)
{
	if (is_stalled(s, now)) {
		h2_session_end(&s->session, NGHTTP2_ENHANCE_YOUR_CALM, ERR_TIMEOUT,
			       "peer does not take its replies");
		h2_session_output(&s->session);
	}
	return h2_session_tick(&s->session, now, next, err);
}

bool h2_server_is_choked(const struct h2_server *s)
{
	return h2_session_is_choked(&s->session);
}

bool h2_server_has_room(const struct h2_server *s)
{
	return s->unsent < H2_REPLY_BYTES_MAX;
}

size_t h2_server_pending(const struct h2_server *s)
{
	return s->n_asked;
}

bool h2_server_is_done(const struct h2_server *s)
{
	return s->session.peer_left || (s->session.peer_goodbye && !s->streams);
}

void h2_server_goodbye(struct h2_server *s)
{
	h2_session_goodbye(&s->session, "server is going away");
}
