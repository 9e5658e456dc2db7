#include "rpc/h2_session.h"

#include <stdio.h>

/* ---- the meter ---- */

enum {
	PREFACE_LEN = 24,
	METER_MAX = 4000,
	METER_PER_S = 200,
	SMALL_DATA = 256,
};

void h2_meter_init(struct h2_meter *m, bool has_preface, int64_t now)
{
	*m = (struct h2_meter){
		.preface_left = has_preface ? PREFACE_LEN : 0,
		.tokens = METER_MAX,
		.at = now,
	};
}

void h2_meter_earn(struct h2_meter *m, int64_t tokens)
{
	m->tokens += tokens;
	if (m->tokens > METER_MAX)
		m->tokens = METER_MAX;
}

static int64_t price(uint8_t type, uint8_t flags, uint32_t len)
{
	bool is_ack = flags & NGHTTP2_FLAG_ACK;

	switch (type) {
	case NGHTTP2_DATA:
		return len < SMALL_DATA ? 1 : 0;
	case NGHTTP2_HEADERS:
	case NGHTTP2_WINDOW_UPDATE:
	case NGHTTP2_GOAWAY:
		return 1;
	case NGHTTP2_PING:
		return is_ack ? 1 : 4;
	case NGHTTP2_SETTINGS:
		return is_ack ? 1 : 16;
	case NGHTTP2_RST_STREAM:
	case NGHTTP2_PUSH_PROMISE:
	case NGHTTP2_CONTINUATION:
		return 16;
	default:
		return 4; /* priorities, and what nobody knows */
	}
}

bool h2_meter_spend(struct h2_meter *m, const uint8_t *p, size_t n, int64_t now)
{
	int64_t per_token = 1000 / METER_PER_S;

	h2_meter_earn(m, (now - m->at) / per_token);
	m->at += (now - m->at) / per_token * per_token;
	while (n > 0 && m->tokens >= 0) {
		size_t skip = m->preface_left ? m->preface_left : m->payload_left;
		uint8_t *h = m->head;

		if (skip > n)
			skip = n;
		if (m->preface_left)
			m->preface_left -= skip;
		else
			m->payload_left -= (uint32_t)skip;
		p += skip;
		n -= skip;
		if (n == 0 || m->preface_left)
			break;
		h[m->head_len++] = *p++;
		n--;
		if (m->head_len < sizeof(m->head))
			continue;
		m->head_len = 0;
		m->payload_left = (uint32_t)h[0] << 16 | (uint32_t)h[1] << 8 | h[2];
		m->tokens -= price(h[3], h[4], m->payload_left);
	}
	return m->tokens >= 0;
}

/* ---- the session ---- */

int h2_check(int rv)
{
	if (rv == NGHTTP2_ERR_NOMEM) {
		fprintf(stderr, "out of memory\n");
		abort();
	}
	return rv;
}

/*
 * Clients of zrepl 0.7 leave with a GOAWAY whose last stream is 2^31-1, which is no
 * stream of a server's, and so the library ends the connection.  They have closed it
 * already, and what they had called for is of no use to them: it is a goodbye all the
 * same.
 */
static int on_invalid(nghttp2_session *ng, const nghttp2_frame *f, int code, void *user)
{
	struct h2_session *s = user;

	(void)ng;
	(void)code;
	if (f->hd.type == NGHTTP2_GOAWAY) {
		h2_session_received(s, f);
		s->peer_left = true;
	}
	return 0;
}

nghttp2_session_callbacks *h2_callbacks_new(void)
{
	nghttp2_session_callbacks *cb;

	h2_check(nghttp2_session_callbacks_new(&cb));
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(cb, on_invalid);
	return cb;
}

/*
 * Not the library's idea of HTTP: peers send an empty :authority, or one with blanks in
 * it, and blanks at the end of grpc-message.
 */
static nghttp2_option *options_new(void)
{
	nghttp2_option *o;

	h2_check(nghttp2_option_new(&o));
	nghttp2_option_set_no_http_messaging(o, 1);
	nghttp2_option_set_no_closed_streams(o, 1);
	nghttp2_option_set_max_outbound_ack(o, 4 * METER_MAX); /* the meter's business */
	return o;
}

void h2_session_init(struct h2_session *s, bool is_server,
		     nghttp2_session_callbacks *callbacks, int64_t now)
{
	nghttp2_option *o = options_new();

	if (is_server)
		h2_check(nghttp2_session_server_new2(&s->ng, callbacks, s, o));
	else
		h2_check(nghttp2_session_client_new2(&s->ng, callbacks, s, o));
	nghttp2_option_del(o);
	nghttp2_session_callbacks_del(callbacks);
	h2_meter_init(&s->meter, is_server, now);
	s->heard = now;
	s->pinged = -1;
}

void h2_session_fini(struct h2_session *s)
{
	nghttp2_session_del(s->ng);
	buf_free(&s->out);
	err_clear(&s->why);
}

void h2_session_end(struct h2_session *s, uint32_t code, enum err_kind kind,
		    const char *why)
{
	if (!err_is(&s->why, ERR_NONE))
		return;
	err_set(&s->why, kind, "%s", why);
	h2_check(nghttp2_session_terminate_session(s->ng, code));
}

static char *goaway_text(const nghttp2_goaway *g)
{
	struct buf text = { 0 };
	size_t n = g->opaque_data_len < 256 ? g->opaque_data_len : 256;

	buf_printf(&text, "%s", nghttp2_http2_strerror(g->error_code));
	if (n > 0)
		buf_put(&text, ": ", 2);
	for (size_t i = 0; i < n; i++) {
		char c = (char)g->opaque_data[i];

		buf_put(&text, c >= 0x20 && c <= 0x7e ? &c : "?", 1);
	}
	return buf_take(&text);
}

void h2_session_received(struct h2_session *s, const nghttp2_frame *f)
{
	cleanup(str_freep) char *text = NULL;
	uint32_t code = f->goaway.error_code;

	if (f->hd.type != NGHTTP2_GOAWAY)
		return;
	s->peer_goodbye = true;
	if (code == NGHTTP2_NO_ERROR || !err_is(&s->why, ERR_NONE))
		return;
	text = goaway_text(&f->goaway);
	err_set(&s->why,
		code == NGHTTP2_ENHANCE_YOUR_CALM || code == NGHTTP2_INTERNAL_ERROR
			? ERR_NETWORK
			: ERR_PROTOCOL,
		"peer ends the connection: %s", text);
}

void h2_session_sent(struct h2_session *s, const nghttp2_frame *f)
{
	cleanup(str_freep) char *text = NULL;

	if (f->hd.type != NGHTTP2_GOAWAY || f->goaway.error_code == NGHTTP2_NO_ERROR ||
	    !err_is(&s->why, ERR_NONE))
		return;
	text = goaway_text(&f->goaway); /* the library's verdict */
	err_set(&s->why, ERR_PROTOCOL, "peer breaks HTTP/2: %s", text);
}

static void fill(struct h2_session *s)
{
	const uint8_t *p;
	ssize_t n = 0;

	while (s->out.len < H2_OUT_FILL && !s->peer_left) {
		n = nghttp2_session_mem_send(s->ng, &p);
		if (n <= 0)
			break;
		buf_put(&s->out, p, (size_t)n);
	}
	h2_check((int)n);
	if (n < 0 && err_is(&s->why, ERR_NONE))
		err_set(&s->why, ERR_INTERNAL, "HTTP/2: %s", nghttp2_strerror((int)n));
}

static void receive(struct h2_session *s, const void *p, size_t n)
{
	ssize_t r;

	if (!h2_meter_spend(&s->meter, p, n, s->heard)) {
		h2_session_end(s, NGHTTP2_ENHANCE_YOUR_CALM, ERR_PROTOCOL,
			       "peer sends too much that carries no call");
		return;
	}
	r = nghttp2_session_mem_recv(s->ng, p, n);
	h2_check((int)r);
	if (r < 0)
		h2_session_end(s, NGHTTP2_PROTOCOL_ERROR, ERR_PROTOCOL,
			       nghttp2_strerror((int)r));
}

static int why(const struct h2_session *s, struct err *err)
{
	if (err_is(&s->why, ERR_NONE))
		return 0;
	err_copy(err, &s->why);
	return -1;
}

int h2_session_feed(struct h2_session *s, const void *p, size_t n, int64_t now,
		    struct err *err)
{
	if (why(s, err) < 0)
		return -1;
	s->heard = now;
	s->pinged = -1;
	receive(s, p, n);
	fill(s);
	return why(s, err);
}

struct view h2_session_output(struct h2_session *s)
{
	fill(s);
	return buf_view(&s->out);
}

bool h2_session_is_choked(const struct h2_session *s)
{
	return s->out.len >= H2_OUT_FILL &&
	       nghttp2_session_get_outbound_queue_size(s->ng) > H2_QUEUE_MAX;
}

int h2_session_tick(struct h2_session *s, int64_t now, int64_t *next, struct err *err)
{
	const int64_t answer_ms = 10000;

	if (why(s, err) < 0)
		return -1;
	if (s->pinged >= 0 && now >= s->pinged + answer_ms)
		return err_set(err, ERR_TIMEOUT, "peer is silent");
	if (s->pinged < 0 && now >= s->heard + s->idle_ms) {
		h2_check(nghttp2_submit_ping(s->ng, NGHTTP2_FLAG_NONE, NULL));
		s->pinged = now;
	}
	*next = s->pinged >= 0 ? s->pinged + answer_ms : s->heard + s->idle_ms;
	return 0;
}

void h2_session_goodbye(struct h2_session *s, const char *text)
{
	h2_check(nghttp2_submit_goaway(
		s->ng, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(s->ng),
		NGHTTP2_NO_ERROR, (const uint8_t *)text, strlen(text)));
}

nghttp2_nv h2_header(const char *name, const char *value)
{
	return (nghttp2_nv){
		.name = (uint8_t *)name,
		.value = (uint8_t *)value,
		.namelen = strlen(name),
		.valuelen = strlen(value),
	};
}
