/*
 * recorded.h - a bulk connection of two peers of zrepl 0.7, taken apart.
 */
#ifndef TESTS_RPC_RECORDED_H
#define TESTS_RPC_RECORDED_H

#include "rpc/frame.h"

#include <stdio.h>

enum { BANNER_LEN = 67, LABEL_LEN = 64, RST_LEN = FRAME_HEAD_LEN };

struct recorded {
	struct buf active, passive; /* all bytes */
	struct buf request;         /* the protobuf */
	struct buf stream;          /* payload, whoever sent it */
};

static inline struct buf recorded_file(const char *name, const char *side)
{
	cleanup(str_freep) char *path = xasprintf(RECORDINGS "/%s-%s.bin", name, side);
	FILE *f = fopen(path, "rb");
	struct buf b = { 0 };
	size_t n;

	if (!f)
		abort();
	do {
		n = fread(buf_reserve(&b, 65536), 1, 65536, f);
		buf_added(&b, n);
	} while (n > 0);
	fclose(f);
	return b;
}

static inline uint32_t recorded_u32(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Payloads of all frames of that type, behind what came before the first frame. */
static inline void recorded_payloads(const struct buf *from, size_t at, uint32_t type,
				     struct buf *out)
{
	while (at + FRAME_HEAD_LEN <= from->len) {
		size_t n = recorded_u32(from->p + at + 4);

		if (recorded_u32(from->p + at) == type)
			buf_put(out, from->p + at + FRAME_HEAD_LEN, n);
		at += FRAME_HEAD_LEN + n;
	}
}

static inline struct recorded recorded_load(const char *name)
{
	struct recorded r = { .active = recorded_file(name, "active"),
			      .passive = recorded_file(name, "passive") };

	recorded_payloads(&r.active, BANNER_LEN + LABEL_LEN, FRAME_REQUEST, &r.request);
	recorded_payloads(&r.active, BANNER_LEN + LABEL_LEN, FRAME_STREAM, &r.stream);
	recorded_payloads(&r.passive, BANNER_LEN, FRAME_STREAM, &r.stream);
	return r;
}

static inline void recorded_fini(struct recorded *r)
{
	buf_free(&r->active);
	buf_free(&r->passive);
	buf_free(&r->request);
	buf_free(&r->stream);
}

static const char *const recorded_receives[] = { "push/02", "push/03", "push/04",
						 "push/05", "push/06", "push/07",
						 "push/09", "push/10", "push/11" };
static const char *const recorded_sends[] = { "pull/02", "pull/03", "pull/04" };

#endif
