#include "rpc/grpc.h"

#include "base/parse.h"
#include "codec/utf8.h"

#include <inttypes.h>

/* ---- messages ---- */

void grpc_put_prefix(uint8_t prefix[GRPC_PREFIX_LEN], uint32_t len)
{
	prefix[0] = 0; /* not compressed */
	for (int i = 0; i < 4; i++)
		prefix[1 + i] = (uint8_t)(len >> (24 - 8 * i));
}

bool grpc_get_length(struct view body, uint32_t *len)
{
	const uint8_t *p = (const uint8_t *)body.p;

	if (body.len < GRPC_PREFIX_LEN)
		return false;
	*len = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
	return true;
}

int grpc_get_message(struct view body, struct view *message, struct err *err)
{
	uint32_t len;

	if (!grpc_get_length(body, &len))
		return err_set(err, ERR_PROTOCOL, "message of %zu bytes has no prefix",
			       body.len);
	if (body.p[0] != 0)
		return err_set(err, ERR_PROTOCOL, "message is compressed");
	if (len > GRPC_MESSAGE_MAX)
		return err_set(err, ERR_PROTOCOL,
			       "message of %" PRIu32 " bytes is larger than %d", len,
			       GRPC_MESSAGE_MAX);
	if (len != body.len - GRPC_PREFIX_LEN)
		return err_set(err, ERR_PROTOCOL,
			       "message of %" PRIu32 " bytes in a body of %zu", len,
			       body.len - GRPC_PREFIX_LEN);
	*message = (struct view){ body.p + GRPC_PREFIX_LEN, len };
	return 0;
}

bool grpc_is_content_type(struct view v)
{
	const char *base = "application/grpc";
	size_t n = strlen(base);

	return view_starts(v, base) && (v.len == n || v.p[n] == '+' || v.p[n] == ';');
}

/* ---- text ---- */

/* A blank at either end would be lost: field values have none there (RFC 9113, 8.2.1). */
static bool is_plain(const struct buf *b, size_t i)
{
	unsigned char c = (unsigned char)b->p[i];

	if (c == ' ')
		return i > 0 && i + 1 < b->len;
	return c > 0x20 && c <= 0x7e && c != '%';
}

void grpc_put_text(struct buf *out, const char *text)
{
	struct buf utf8 = { 0 };

	utf8_put(&utf8, view_of(text), GRPC_TEXT_MAX);
	for (size_t i = 0; i < utf8.len; i++) {
		if (is_plain(&utf8, i))
			buf_put(out, utf8.p + i, 1);
		else
			buf_printf(out, "%%%02X", (unsigned char)utf8.p[i]);
	}
	buf_free(&utf8);
}

void grpc_get_text(struct buf *out, struct view encoded)
{
	struct buf raw = { 0 };

	for (size_t i = 0; i < encoded.len; i++) {
		uint64_t byte = (unsigned char)encoded.p[i];
		char c;

		if (encoded.p[i] == '%' && i + 2 < encoded.len &&
		    parse_digits((struct view){ encoded.p + i + 1, 2 }, 16, &byte))
			i += 2;
		c = byte ? (char)byte : '\xff'; /* no UTF-8: it will be replaced */
		buf_put(&raw, &c, 1);
	}
	utf8_put(out, buf_view(&raw), 3 * raw.len);
	buf_free(&raw);
}

/* ---- timeouts ---- */

enum { TIMEOUT_DIGITS = 8 };

static const struct unit {
	char name;
	int64_t num, den; /* of a millisecond */
} units[] = {
	{ 'n', 1, 1000000 }, { 'u', 1, 1000 },  { 'm', 1, 1 },
	{ 'S', 1000, 1 },    { 'M', 60000, 1 }, { 'H', 3600000, 1 },
};

int grpc_get_timeout(struct view text, int64_t *ms, struct err *err)
{
	struct view digits = { text.p, text.len > 0 ? text.len - 1 : 0 };
	uint64_t n;

	if (digits.len > 0 && digits.len <= TIMEOUT_DIGITS &&
	    parse_digits(digits, 10, &n)) {
		for (size_t i = 0; i < ARRAY_LEN(units); i++) {
			const struct unit *u = &units[i];

			if (u->name != text.p[text.len - 1])
				continue;
			*ms = ((int64_t)n * u->num + u->den - 1) / u->den;
			return 0;
		}
	}
	return err_set(err, ERR_PROTOCOL, "\"%.*s\" is no grpc-timeout",
		       text.len > 32 ? 32 : (int)text.len, text.p);
}

void grpc_put_timeout(struct buf *out, int64_t ms)
{
	const int64_t most = 99999999;
	int64_t n = ms < 0 ? 0 : ms;

	for (size_t i = 2; i < ARRAY_LEN(units); i++) {
		const struct unit *u = &units[i];
		int64_t of_unit = n / u->num + (n % u->num != 0);

		if (of_unit > most && i + 1 < ARRAY_LEN(units))
			continue;
		buf_printf(out, "%" PRId64 "%c", of_unit > most ? most : of_unit,
			   u->name);
		return;
	}
}

/* ---- status ---- */

int grpc_status_err(int status, const char *text, struct err *err)
{
	static const struct meaning {
		int status;
		enum err_kind kind;
		const char *words;
	} meanings[] = {
		{ GRPC_UNKNOWN, ERR_REMOTE, NULL }, /* the peer's own words */
		{ GRPC_CANCELLED, ERR_REMOTE, "cancelled by the peer" },
		{ GRPC_DEADLINE_EXCEEDED, ERR_TIMEOUT, "deadline exceeded" },
		{ GRPC_RESOURCE_EXHAUSTED, ERR_REMOTE, "resource exhausted" },
		{ GRPC_UNIMPLEMENTED, ERR_PROTOCOL, "not implemented by the peer" },
		{ GRPC_INTERNAL, ERR_REMOTE, "internal error of the peer" },
		{ GRPC_UNAVAILABLE, ERR_NETWORK, "peer is not available" },
	};

	if (status == GRPC_OK)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		const struct meaning *m = &meanings[i];

		if (m->status != status)
			continue;
		if (!m->words)
			return err_set(err, m->kind, "%s",
				       text[0] ? text : "peer failed without a reason");
		return err_set(err, m->kind, "%s%s%s", m->words, text[0] ? ": " : "",
			       text);
	}
	return err_set(err, ERR_REMOTE, "status %d%s%s", status, text[0] ? ": " : "",
		       text);
}
