#include "rpc/hello.h"

#include "base/parse.h"

#include <inttypes.h>

#define BODY_START "ZREPL_ZFS_REPLICATION PROTOVERSION="
#define BODY_COUNT " EXTENSIONS="

enum { LENGTH_DIGITS = 10, NUMBER_DIGITS = 4 };

static const char *const labels[] = {
	[HELLO_CONTROL] = "zrepl_control",
	[HELLO_DATA] = "zrepl_data",
};

/* ---- the bytes ---- */

void hello_put_banner(struct buf *out)
{
	cleanup(buf_free) struct buf body = { 0 };

	buf_printf(&body, BODY_START "%04d" BODY_COUNT "%04d\n", HELLO_VERSION, 0);
	buf_printf(out, "%0*zu %s", LENGTH_DIGITS, body.len, buf_str(&body));
}

void hello_put_label(struct buf *out, enum hello_label label)
{
	char padded[HELLO_LABEL_LEN] = { 0 };

	memcpy(padded, labels[label], strlen(labels[label]));
	buf_put(out, padded, sizeof(padded));
}

/* Somebody else listens, or calls, there: what it says tells who. */
static int no_banner(const char *head, struct err *err)
{
	char shown[HELLO_HEAD_LEN + 1] = { 0 };

	if ((head[0] == 0x15 || head[0] == 0x16) && head[1] == 3) /* alert, handshake */
		return err_set(err, ERR_PROTOCOL,
			       "the peer speaks TLS: one side is configured as tls, "
			       "the other one is not");
	for (size_t i = 0; i < HELLO_HEAD_LEN; i++)
		shown[i] = head[i] >= ' ' && head[i] <= '~' ? head[i] : '.';
	return err_set(err, ERR_PROTOCOL,
		       "what the peer begins with is no banner of zrepl: \"%s\"", shown);
}

/* The length does not count the 11 bytes it is written in, nor does its limit. */
int hello_parse_head(const char *head, size_t *body_len, struct err *err)
{
	uint64_t n;

	if (head[LENGTH_DIGITS] != ' ' ||
	    !parse_digits((struct view){ head, LENGTH_DIGITS }, 10, &n))
		return no_banner(head, err);
	if (n > HELLO_BODY_MAX)
		return err_set(err, ERR_PROTOCOL,
			       "the peer announces a banner of %" PRIu64 " bytes", n);
	*body_len = (size_t)n;
	return 0;
}

static bool skip_number(struct view *v, uint64_t *out)
{
	if (v->len < NUMBER_DIGITS ||
	    !parse_digits((struct view){ v->p, NUMBER_DIGITS }, 10, out))
		return false;
	v->p += NUMBER_DIGITS;
	v->len -= NUMBER_DIGITS;
	return true;
}

static bool has_lines(struct view v, uint64_t n)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < v.len; i++)
		lines += v.p[i] == '\n';
	return lines == n && (v.len == 0 || v.p[v.len - 1] == '\n');
}

int hello_parse_body(struct view body, struct err *err)
{
	struct view rest = body;
	uint64_t version = 0, extensions;

	if (!view_skip(&rest, BODY_START) || !skip_number(&rest, &version) ||
	    version == 0 || !view_skip(&rest, BODY_COUNT))
		return err_set(err, ERR_PROTOCOL, "the peer's banner is none of zrepl's");
	if (version != HELLO_VERSION) /* neither older nor newer will do */
		return err_set(err, ERR_PROTOCOL,
			       "the peer speaks version %" PRIu64
			       " of the protocol, we speak %d",
			       version, HELLO_VERSION);
	if (!skip_number(&rest, &extensions) || !view_skip(&rest, "\n") ||
	    !has_lines(rest, extensions))
		return err_set(err, ERR_PROTOCOL,
			       "the peer's banner does not end as it should");
	return 0;
}

int hello_parse_label(const char *label, enum hello_label *out, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		cleanup(buf_free) struct buf want = { 0 };

		hello_put_label(&want, (enum hello_label)i);
		if (memcmp(want.p, label, HELLO_LABEL_LEN) == 0) {
			*out = (enum hello_label)i;
			return 0;
		}
	}
	return err_set(err, ERR_PROTOCOL, "the peer asks for a service that is unknown");
}

/* ---- on a connection ---- */

static int read_banner(struct ctx *ctx, struct conn *c, struct err *err)
{
	cleanup(str_freep) char *body = NULL;
	char head[HELLO_HEAD_LEN];
	size_t n = 0;

	if (conn_read_all(ctx, c, head, sizeof(head), err) < 0 ||
	    hello_parse_head(head, &n, err) < 0)
		return -1;
	body = xcalloc(n, 1);
	if (n > 0 && conn_read_all(ctx, c, body, n, err) < 0)
		return -1;
	return hello_parse_body((struct view){ body, n }, err);
}

static int exchange(struct ctx *ctx, struct conn *c, const struct buf *ours, int64_t ms,
		    struct err *err)
{
	cleanup(ctx_freep) struct ctx *timed = ctx_new(ctx);

	ctx_set_timeout(timed, ms);
	if (conn_write_all(timed, c, ours->p, ours->len, err) < 0 ||
	    read_banner(timed, c, err) < 0)
		return err_wrap(err, "version handshake");
	return 0;
}

int hello_dial(struct ctx *ctx, struct conn *c, enum hello_label label,
	       const struct env *env, struct err *err)
{
	cleanup(buf_free) struct buf ours = { 0 };

	hello_put_banner(&ours);
	hello_put_label(&ours, label);
	return exchange(ctx, c, &ours, env->rpc_client_handshake_ms, err);
}

static int read_label(struct ctx *ctx, struct conn *c, int64_t ms,
		      enum hello_label *label, struct err *err)
{
	cleanup(ctx_freep) struct ctx *timed = ctx_new(ctx);
	char bytes[HELLO_LABEL_LEN];

	ctx_set_timeout(timed, ms);
	if (conn_read_all(timed, c, bytes, sizeof(bytes), err) < 0 ||
	    hello_parse_label(bytes, label, err) < 0)
		return err_wrap(err, "service label");
	return 0;
}

int hello_accept(struct ctx *ctx, struct conn *c, const struct env *env,
		 enum hello_label *label, struct err *err)
{
	cleanup(buf_free) struct buf ours = { 0 };

	hello_put_banner(&ours);
	if (exchange(ctx, c, &ours, env->rpc_server_handshake_ms, err) < 0)
		return -1;
	return read_label(ctx, c, env->rpc_label_ms, label, err);
}
