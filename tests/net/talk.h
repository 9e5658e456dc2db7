/*
 * talk.h - for tests: bytes through a connection, and what is expected of them.
 */
#ifndef TALK_H
#define TALK_H

#include "net/conn.h"
#include "tap.h"

enum { PATIENCE_MS = 30 * 1000 }; /* no test takes so long unless it fails */

/* The n-th byte of what goes through in these tests. */
static inline uint8_t nth(size_t n)
{
	return (uint8_t)(n * 7 + n / 251);
}

static inline void fill_pattern(uint8_t *p, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		p[i] = nth(at + i);
}

static inline bool is_pattern(const uint8_t *p, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != nth(at + i))
			return false;
	return true;
}

static inline void check_writes(struct conn *c, const char *text)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	ctx_set_timeout(ctx, PATIENCE_MS);
	CHECK_INT(conn_write_all(ctx, c, text, strlen(text), &e), 0);
	CHECK_STR(err_msg(&e), "no error");
}

static inline void check_reads(struct conn *c, const char *text)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);
	char got[64] = "";

	ctx_set_timeout(ctx, PATIENCE_MS);
	CHECK_INT(conn_read_all(ctx, c, got, strlen(text), &e), 0);
	CHECK_STR(err_msg(&e), "no error");
	CHECK_STR(got, text);
}

static inline bool wait_readable(const struct conn *c)
{
	struct pollfd fds[CONN_FDS];
	nfds_t n = conn_poll(c, true, false, fds);

	return CHECK(conn_ready(c) || poll(fds, n, PATIENCE_MS) > 0);
}

/* What comes next, once it is there. */
static inline enum conn_result wait_read(struct conn *c, void *p, size_t n, size_t *got,
					 struct err *err)
{
	enum conn_result r;

	while ((r = conn_read(c, p, n, got, err)) == CONN_AGAIN)
		if (!wait_readable(c))
			break;
	return r;
}

static inline void check_ends(struct conn *c)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char byte;
	size_t got;

	CHECK_INT(wait_read(c, &byte, 1, &got, &e), CONN_END);
	CHECK_STR(err_msg(&e), "no error");
}

static inline void check_finishes(struct conn *c)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	CHECK_INT(conn_finish(c, &e), CONN_OK);
	CHECK_STR(err_msg(&e), "no error");
}

#endif
