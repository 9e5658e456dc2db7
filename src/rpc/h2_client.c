#include "rpc/h2_client.h"

#include "base/parse.h"
#include "rpc/h2_session.h"

#include <inttypes.h>

struct head { /* what the header fields of a reply say */
	size_t bytes;
	uint64_t http; /* :status; 0: none */
	bool is_grpc, is_encoded, has_status;
	uint64_t status;
	struct buf text;
};

struct call {
	struct call *next;
	int32_t id;
	h2_reply_fn *reply;
	void *arg;
	struct buf request; /* prefix and message */
	size_t request_sent;
	bool has_head, is_sent;
	struct head head;
	struct buf body;
};

struct h2_client {
	struct h2_session session;
	struct call *calls;
	size_t held; /* of all bodies */
};

static struct h2_client *client_of(void *user)
{
	return CONTAINER_OF(user, struct h2_client, session);
}

/* ---- calls ---- */

static struct call *call_get(struct h2_client *c, int32_t id)
{
	struct call *call = c->calls;

	while (call && call->id != id)
		call = call->next;
	return call;
}

static void call_free(struct call *call)
{
	buf_free(&call->request);
	buf_free(&call->head.text);
	buf_free(&call->body);
	free(call);
}

/* From now on nothing that the peer says reaches it. */
static void call_unlink(struct h2_client *c, struct call *call)
{
	struct call **at = &c->calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	c->held -= call->body.len;
}

static void reset(struct h2_client *c, int32_t id, uint32_t code)
{
	h2_check(nghttp2_submit_rst_stream(c->session.ng, NGHTTP2_FLAG_NONE, id, code));
}

static void finish(struct h2_client *c, struct call *call, const struct err *e,
		   struct view body)
{
	call_unlink(c, call);
	call->reply(call->arg, e, body);
	call_free(call);
}

static void fail(struct h2_client *c, struct call *call, const struct err *e)
{
	finish(c, call, e, (struct view){ 0 });
}

/* The reply is no reply: the peer need not go on with it. */
static void reject(struct h2_client *c, struct call *call, const char *why)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	err_set(&e, ERR_PROTOCOL, "%s", why);
	reset(c, call->id, NGHTTP2_CANCEL);
	fail(c, call, &e);
}

/* budget: the parameters are nghttp2's */
static ssize_t give_request(nghttp2_session *ng, int32_t id, uint8_t *to, size_t room,
			    uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct h2_client *c = client_of(user);
	struct call *call = call_get(c, id);
	size_t left, n;

	(void)ng;
	(void)source;
	if (!call) /* cancelled; the reset is on its way */
		return NGHTTP2_ERR_DEFERRED;
	left = call->request.len - call->request_sent;
	n = left < room ? left : room;
	memcpy(to, call->request.p + call->request_sent, n);
	call->request_sent += n;
	h2_meter_earn(&c->session.meter, H2_METER_DATA);
	if (n == left) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		call->is_sent = true;
		buf_free(&call->request);
	}
	return (ssize_t)n;
}

static struct call *call_new(const struct h2_call *from)
{
	struct call *call = xcalloc(1, sizeof(*call));
	uint8_t prefix[GRPC_PREFIX_LEN];

	call->reply = from->reply;
	call->arg = from->arg;
	call->body.max = GRPC_PREFIX_LEN + GRPC_MESSAGE_MAX;
	grpc_put_prefix(prefix, (uint32_t)from->body.len);
	buf_put(&call->request, prefix, sizeof(prefix));
	buf_put(&call->request, from->body.p, from->body.len);
	return call;
}

int32_t h2_client_call(struct h2_client *c, const struct h2_call *h, struct err *err)
{
	nghttp2_data_provider source = { .read_callback = give_request };
	struct buf timeout = { 0 };
	struct call *call;
	int32_t id;

	if (!h2_client_is_usable(c))
		return err_set(err, ERR_NETWORK, "connection is at its end");
	if (h->body.len > GRPC_MESSAGE_MAX)
		return err_set(err, ERR_INVALID, "request of %zu bytes is larger than %d",
			       h->body.len, GRPC_MESSAGE_MAX);
	if (h->timeout_ms > 0)
		grpc_put_timeout(&timeout, h->timeout_ms);
	call = call_new(h);
	/* The order is that of zrepl 0.7, and so is the empty :authority. */
	id = nghttp2_submit_request(
		c->session.ng, NULL,
		(nghttp2_nv[]){ h2_header(":method", "POST"),
				h2_header(":scheme", "http"), h2_header(":path", h->path),
				h2_header(":authority", ""),
				h2_header("content-type", "application/grpc"),
				h2_header("user-agent", "zrepl/" ZREPL_VERSION),
				h2_header("te", "trailers"),
				h2_header("grpc-timeout", buf_str(&timeout)) },
		timeout.len ? 8 : 7, &source, NULL);
	buf_free(&timeout);
	if (h2_check(id) < 0) {
		call_free(call);
		return err_set(err, ERR_NETWORK, "no more calls on this connection: %s",
			       nghttp2_strerror(id));
	}
	call->id = id;
	call->next = c->calls;
	c->calls = call;
	return id;
}

void h2_client_cancel(struct h2_client *c, int32_t id)
{
	struct call *call = call_get(c, id);

	if (!call)
		return;
	reset(c, id, NGHTTP2_CANCEL);
	call_unlink(c, call);
	call_free(call);
}

void h2_client_fail(struct h2_client *c, const struct err *why)
{
	while (c->calls)
		fail(c, c->calls, why);
}

/* ---- replies ---- */

static void status_field(struct head *h, struct view v)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	h->has_status = parse_u64(v, &h->status, &e) == 0 && h->status <= INT32_MAX;
}

static int take_field(struct h2_client *c, struct call *call, struct view name,
		      struct view v)
{
	struct head *h = &call->head;

	h->bytes += name.len + v.len + 32;
	if (h->bytes > H2_REPLY_HEADERS_MAX) {
		h2_session_end(&c->session, NGHTTP2_ENHANCE_YOUR_CALM, ERR_PROTOCOL,
			       "peer sends a reply with too large a header");
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	if (view_eq(name, VIEW(":status"))) {
		if (h->http != 0 || !parse_digits(v, 10, &h->http))
			h->http = UINT64_MAX;
	} else if (view_eq(name, VIEW("content-type"))) {
		h->is_grpc = grpc_is_content_type(v);
	} else if (view_eq(name, VIEW("grpc-encoding"))) {
		h->is_encoded = !view_eq(v, VIEW("identity"));
	} else if (view_eq(name, VIEW("grpc-status"))) {
		status_field(h, v);
	} else if (view_eq(name, VIEW("grpc-message"))) {
		buf_free(&h->text);
		grpc_get_text(&h->text, v);
	}
	return 0;
}

/* budget: the parameters are nghttp2's */
static int on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len,
		     uint8_t flags, void *user)
{
	struct h2_client *c = client_of(user);
	struct call *call = call_get(c, f->hd.stream_id);

	(void)ng;
	(void)flags;
	if (!call || f->hd.type != NGHTTP2_HEADERS)
		return 0;
	return take_field(c, call, (struct view){ (const char *)name, name_len },
			  (struct view){ (const char *)value, value_len });
}

/* As zrepl 0.7 reads answers of something that is no gRPC server. */
static void http_err(uint64_t http, struct err *err)
{
	enum err_kind kind =
		http == 429 || (http >= 502 && http <= 504) ? ERR_NETWORK : ERR_PROTOCOL;

	err_set(err, kind, "peer is no gRPC server: HTTP status %" PRIu64, http);
}

/* No more of it is wanted; is_end: nor will the peer send more. */
static void whole(struct h2_client *c, struct call *call, bool is_end)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	const struct head *h = &call->head;
	struct view body = { 0 };

	if (!h->is_grpc)
		http_err(h->http, &e);
	else if (!h->has_status)
		err_set(&e, ERR_PROTOCOL, "reply has no grpc-status");
	else if (grpc_status_err((int)h->status, buf_str(&h->text), &e) < 0)
		(void)0; /* that is the answer */
	else if (h->http != 200 || h->is_encoded)
		err_set(&e, ERR_PROTOCOL, "reply with HTTP status %" PRIu64 "%s", h->http,
			h->is_encoded ? " and an unknown grpc-encoding" : "");
	else if (grpc_get_message(buf_view(&call->body), &body, &e) < 0)
		err_wrap(&e, "reply");
	if (!is_end || !call->is_sent)
		reset(c, call->id, NGHTTP2_CANCEL);
	h2_meter_earn(&c->session.meter, H2_METER_CALL);
	finish(c, call, &e, body);
}

static void headers(struct h2_client *c, struct call *call, bool is_end)
{
	struct head *h = &call->head;

	if (is_end) {
		whole(c, call, true);
	} else if (call->has_head) {
		reject(c, call, "reply has a header in its middle");
	} else if (h->http >= 100 && h->http <= 199) {
		buf_free(&h->text);
		*h = (struct head){ .bytes = h->bytes }; /* the real one is to come */
	} else if (h->http != 200 || !h->is_grpc) {
		whole(c, call, false);
	} else {
		call->has_head = true;
	}
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *p,
		   size_t n, void *user)
{
	struct h2_client *c = client_of(user);
	struct call *call = call_get(c, id);
	uint32_t len = 0;

	(void)ng;
	(void)flags;
	if (!call)
		return 0;
	if (!call->has_head) {
		reject(c, call, "reply begins without a header");
	} else if (n > buf_room(&call->body)) {
		reject(c, call, "reply is too large");
	} else if (n > H2_CLIENT_REPLIES_MAX - c->held) {
		reject(c, call, "replies are too large together");
	} else {
		buf_put(&call->body, p, n);
		c->held += n;
		if (grpc_get_length(buf_view(&call->body), &len) &&
		    len > GRPC_MESSAGE_MAX)
			reject(c, call, "reply is too large");
	}
	return 0;
}

/* ---- frames ---- */

static int on_frame(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
	struct h2_client *c = client_of(user);
	bool is_end = f->hd.flags & NGHTTP2_FLAG_END_STREAM;
	struct call *call = call_get(c, f->hd.stream_id);

	(void)ng;
	h2_session_received(&c->session, f);
	if (!call)
		return 0;
	if (f->hd.type == NGHTTP2_HEADERS)
		headers(c, call, is_end);
	else if (f->hd.type == NGHTTP2_DATA && is_end)
		whole(c, call, true);
	return 0;
}

static int on_sent(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
	(void)ng;
	h2_session_sent(&client_of(user)->session, f);
	return 0;
}

/* The peer refused it, gave it up, or says in GOAWAY that it did not look at it. */
static int on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *user)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = client_of(user);
	struct call *call = call_get(c, id);
	bool is_lost = code == NGHTTP2_REFUSED_STREAM || c->session.peer_goodbye;

	(void)ng;
	if (!call)
		return 0;
	err_set(&e, is_lost ? ERR_NETWORK : ERR_PROTOCOL,
		"call was reset by the peer: %s", nghttp2_http2_strerror(code));
	fail(c, call, &e);
	return 0;
}

static int on_not_sent(nghttp2_session *ng, const nghttp2_frame *f, int code, void *user)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_client *c = client_of(user);
	struct call *call = call_get(c, f->hd.stream_id);

	(void)ng;
	if (!call || f->hd.type != NGHTTP2_HEADERS)
		return 0;
	err_set(&e, ERR_NETWORK, "call cannot be sent: %s", nghttp2_strerror(code));
	fail(c, call, &e);
	return 0;
}

/* ---- the connection ---- */

static nghttp2_session_callbacks *callbacks_new(void)
{
	nghttp2_session_callbacks *cb = h2_callbacks_new();

	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_sent);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(cb, on_not_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
	return cb;
}

struct h2_client *h2_client_new(int64_t now)
{
	struct h2_client *c = xcalloc(1, sizeof(*c));

	c->session.idle_ms = 10000; /* peers end connections that are pinged too often */
	h2_session_init(&c->session, false, callbacks_new(), now);
	h2_check(nghttp2_submit_settings(
		c->session.ng, NGHTTP2_FLAG_NONE,
		(nghttp2_settings_entry[]){
			{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
			{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_CLIENT_WINDOW } },
		2));
	h2_check(nghttp2_session_set_local_window_size(c->session.ng, NGHTTP2_FLAG_NONE,
						       0, 4 * H2_CLIENT_WINDOW));
	return c;
}

void h2_client_free(struct h2_client *c)
{
	if (!c)
		return;
	while (c->calls) {
		struct call *call = c->calls;

		call_unlink(c, call);
		call_free(call);
	}
	h2_session_fini(&c->session);
	free(c);
}

int h2_client_feed(struct h2_client *c, const void *p, size_t n, int64_t now,
		   struct err *err)
{
	if (h2_session_feed(&c->session, p, n, now, err) < 0)
		return -1;
	if (c->session.peer_left || (c->session.peer_goodbye && !c->calls))
		return err_set(err, ERR_NETWORK, "peer ends the connection");
	return 0;
}

struct view h2_client_output(struct h2_client *c)
{
	return h2_session_output(&c->session);
}

void h2_client_sent(struct h2_client *c, size_t n)
{
	buf_drop(&c->session.out, n);
}

bool h2_client_is_choked(const struct h2_client *c)
{
	return h2_session_is_choked(&c->session);
}

int h2_client_tick(struct h2_client *c, int64_t now, int64_t *next, struct err *err)
{
	return h2_session_tick(&c->session, now, next, err);
}

void h2_client_goodbye(struct h2_client *c)
{
	h2_session_goodbye(&c->session, "client is going away");
}

bool h2_client_is_usable(const struct h2_client *c)
{
	return err_is(&c->session.why, ERR_NONE) && !c->session.peer_goodbye;
}
