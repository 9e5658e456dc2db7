/* The first bytes of a connection: what is taken for a banner or a label is one. */
#include "rpc/hello.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was accepted begins as our own does, and has our version. */
static void check_banner(struct view v)
{
	static const char start[] = "ZREPL_ZFS_REPLICATION PROTOVERSION=0007 EXTENSIONS=";

	assert(v.len > sizeof(start) && memcmp(v.p, start, sizeof(start) - 1) == 0);
	assert(v.p[v.len - 1] == '\n');
}

static void check_label(const char *bytes, enum hello_label label)
{
	cleanup(buf_free) struct buf again = { 0 };

	hello_put_label(&again, label);
	assert(again.len == HELLO_LABEL_LEN);
	assert(memcmp(again.p, bytes, HELLO_LABEL_LEN) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct view in = { (const char *)data, size };
	enum hello_label label = HELLO_CONTROL;
	size_t n = 0;

	/* any bytes as the body of a banner */
	if (hello_parse_body(in, &e) == 0)
		check_banner(in);
	else
		assert(e.kind == ERR_PROTOCOL);

	/* and as all that a dialler sends */
	if (in.len < HELLO_HEAD_LEN)
		return 0;
	if (hello_parse_head(in.p, &n, &e) < 0) {
		assert(e.kind == ERR_PROTOCOL);
		return 0;
	}
	assert(n <= HELLO_BODY_MAX);
	in = (struct view){ in.p + HELLO_HEAD_LEN, in.len - HELLO_HEAD_LEN };
	if (in.len < n || hello_parse_body((struct view){ in.p, n }, &e) < 0)
		return 0;
	check_banner((struct view){ in.p, n });
	in = (struct view){ in.p + n, in.len - n };
	if (in.len >= HELLO_LABEL_LEN && hello_parse_label(in.p, &label, &e) == 0)
		check_label(in.p, label);
	return 0;
}
