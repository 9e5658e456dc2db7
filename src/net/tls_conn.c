#include "net/fdio.h"
#include "net/kept.h"
#include "net/tls_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <openssl/err.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	RECORD_MAX = 16 * 1024,              /* of plain bytes */
	RECORD_WIRE_MAX = RECORD_MAX + 1024, /* what OpenSSL may hold of one */
	SPLICE_SIZE = 512 * 1024,
};

/*
 * Output:
 *
 *	OPEN --finish--> CLOSING --close_notify sent, SHUT_WR--> CLOSED
 *
 * Both: one alone is an error to Go's side, or to one that watches only the socket.
 */
enum output { OUT_OPEN, OUT_CLOSING, OUT_CLOSED };

struct tls_conn {
	struct conn base;
	SSL *ssl;
	int fd;
	bool kernel_sends, kernel_receives;
	short read_events, write_events; /* what the last attempt waits for */
	enum output output;
	int want; /* see fdio_want() */
	struct kept kept;
	/* Pieces put together for OpenSSL; and of those that it could not get rid of, it
	 * wants to see the same `under_way` bytes again. */
	uint8_t *record;
	size_t under_way;
	struct err broken; /* found after bytes that go first */
};

static struct tls_conn *of(struct conn *c)
{
	return CONTAINER_OF(c, struct tls_conn, base);
}

static const struct tls_conn *of_const(const struct conn *c)
{
	return CONTAINER_OF(c, const struct tls_conn, base);
}

/* ---- reading ---- */

static enum conn_result read_failed(struct tls_conn *t, int returned)
{
	switch (SSL_get_error(t->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
		t->read_events = POLLIN;
		return CONN_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		t->read_events = POLLOUT;
		return CONN_AGAIN;
	case SSL_ERROR_ZERO_RETURN: /* close_notify */
		return CONN_END;
	}
	tls_explain(t->ssl, returned, NULL, &t->broken);
	return CONN_FAILED;
}

/* As much of n as is there. */
static enum conn_result read_in(struct tls_conn *t, uint8_t *p, size_t n, size_t *got,
				struct err *err)
{
	enum conn_result r = CONN_OK;

	*got = 0;
	if (t->broken.kind != ERR_NONE)
		r = CONN_FAILED;
	while (r == CONN_OK && *got < n) {
		size_t k = 0;
		int ok;

		ERR_clear_error();
		ok = SSL_read_ex(t->ssl, p + *got, n - *got, &k);
		if (ok > 0)
			*got += k;
		else
			r = read_failed(t, ok);
	}
	if (*got > 0) /* how it goes on is seen again */
		return CONN_OK;
	if (r == CONN_FAILED)
		err_copy(err, &t->broken);
	return r;
}

static enum conn_result tls_read(struct conn *c, void *p, size_t n, size_t *got,
				 struct err *err)
{
	struct tls_conn *t = of(c);

	if (!kept_has(&t->kept))
		return read_in(t, p, n, got, err);
	kept_read(&t->kept, p, n, got);
	return CONN_OK;
}

static enum conn_result tls_splice(struct conn *c, int pipe, size_t n, size_t *got,
				   struct err *err)
{
	struct tls_conn *t = of(c);
	struct kept *k = &t->kept;

	if (!kept_has(k)) {
		size_t have;
		enum conn_result r;

		if (!k->p)
			k->p = xcalloc(1, SPLICE_SIZE);
		k->at = k->end = 0;
		r = read_in(t, k->p, n < SPLICE_SIZE ? n : SPLICE_SIZE, &have, err);
		if (r != CONN_OK)
			return r;
		k->end = have;
	}
	return kept_put(k, pipe, n, got, err);
}

/* ---- writing ---- */

/* Where conn_write() has got to. */
struct cursor {
	const struct iovec *iov;
	int n;
	size_t at; /* in iov[0] */
};

static void advance(struct cursor *c, size_t n)
{
	while (c->n > 0 && n >= c->iov->iov_len - c->at) {
		n -= c->iov->iov_len - c->at;
		c->iov++;
		c->n--;
		c->at = 0;
	}
	c->at += n;
}

/* At most max bytes from there, without moving. */
static size_t gather(struct cursor c, uint8_t *to, size_t max)
{
	size_t have = 0;

	while (c.n > 0 && have < max) {
		size_t n = c.iov->iov_len - c.at;

		if (n > max - have)
			n = max - have;
		if (n > 0)
			memcpy(to + have, (const char *)c.iov->iov_base + c.at, n);
		have += n;
		advance(&c, n);
	}
	return have;
}

/* A caller that changes its mind would make a mess of the stream: see conn.h. */
static bool starts_with(struct cursor c, const uint8_t *p, size_t n)
{
	while (c.n > 0 && n > 0) {
		size_t k = c.iov->iov_len - c.at;

		if (k > n)
			k = n;
		if (k > 0 && memcmp((const char *)c.iov->iov_base + c.at, p, k) != 0)
			return false;
		p += k;
		n -= k;
		advance(&c, k);
	}
	return n == 0;
}

/*
 * Large pieces as they are.  Small ones together: each would be a record, a system call
 * and a packet of its own.
 */
static struct view next_piece(struct tls_conn *t, const struct cursor *c)
{
	size_t n = c->iov->iov_len - c->at;

	if (t->under_way > 0)
		return (struct view){ (char *)t->record, t->under_way };
	if (n >= RECORD_MAX || c->n == 1)
		return (struct view){ (char *)c->iov->iov_base + c->at, n };
	if (!t->record)
		t->record = xcalloc(1, RECORD_MAX);
	return (struct view){ (char *)t->record, gather(*c, t->record, RECORD_MAX) };
}

static void keep_under_way(struct tls_conn *t, struct view piece)
{
	t->under_way = piece.len < RECORD_MAX ? piece.len : RECORD_MAX;
	if (!t->record)
		t->record = xcalloc(1, RECORD_MAX);
	if ((char *)t->record != piece.p)
		memcpy(t->record, piece.p, t->under_way);
}

/* A peer that refuses us says why and closes: its words may be there to be read. */
static enum conn_result write_broke(struct tls_conn *t, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	uint8_t byte;
	size_t got;

	if (err_is(err, ERR_NETWORK) && read_in(t, &byte, 1, &got, &why) == CONN_FAILED &&
	    !err_is(&why, ERR_NETWORK))
		err_move(err, &why);
	return CONN_FAILED;
}

static enum conn_result write_failed(struct tls_conn *t, int returned, struct err *err)
{
	switch (SSL_get_error(t->ssl, returned)) {
	case SSL_ERROR_WANT_WRITE:
		t->write_events = POLLOUT;
		return CONN_AGAIN;
	case SSL_ERROR_WANT_READ:
		t->write_events = POLLIN;
		return CONN_AGAIN;
	}
	tls_explain(t->ssl, returned, NULL, err);
	return write_broke(t, err);
}

/* OpenSSL takes a record at a time (SSL_MODE_ENABLE_PARTIAL_WRITE). */
static enum conn_result write_out(struct tls_conn *t, struct cursor c, size_t *put,
				  struct err *err)
{
	*put = 0;
	if (t->under_way > 0 && !starts_with(c, t->record, t->under_way)) {
		err_set(err, ERR_INTERNAL, "other bytes than those that are under way");
		return CONN_FAILED;
	}
	for (advance(&c, 0); c.n > 0;) {
		struct view piece = next_piece(t, &c);
		enum conn_result r;
		size_t k = 0;
		int ok;

		ERR_clear_error();
		ok = SSL_write_ex(t->ssl, piece.p, piece.len, &k);
		if (ok > 0) {
			t->under_way = 0;
			t->write_events = POLLOUT;
			*put += k;
			advance(&c, k);
			continue;
		}
		r = write_failed(t, ok, err);
		if (r == CONN_AGAIN)
			keep_under_way(t, piece);
		return r == CONN_AGAIN && *put > 0 ? CONN_OK : r;
	}
	return CONN_OK;
}

static enum conn_result after_end(struct err *err)
{
	err_set(err, ERR_INTERNAL, "written to after its end");
	return CONN_FAILED;
}

static enum conn_result tls_write(struct conn *c, const struct iovec *iov, int n,
				  size_t *put, struct err *err)
{
	struct tls_conn *t = of(c);

	if (t->output != OUT_OPEN)
		return after_end(err);
	return write_out(t, (struct cursor){ iov, n, 0 }, put, err);
}

/* ---- writing where the kernel makes the records: straight to the socket ---- */

static enum conn_result kernel_write(struct conn *c, const struct iovec *iov, int n,
				     size_t *put, struct err *err)
{
	struct tls_conn *t = of(c);
	enum conn_result r;

	if (t->output != OUT_OPEN)
		return after_end(err);
	r = fdio_send(t->fd, iov, n, c->more, put, err);
	return r == CONN_FAILED ? write_broke(t, err) : r;
}

static enum conn_result kernel_splice_from(struct conn *c, int pipe, size_t n,
					   size_t *put, struct err *err)
{
	struct tls_conn *t = of(c);
	enum conn_result r;

	if (t->output != OUT_OPEN)
		return after_end(err);
	r = fdio_splice_from(pipe, t->fd, n, c->more, put, err);
	return r == CONN_FAILED ? write_broke(t, err) : r;
}

/* ---- the end ---- */

static enum conn_result tls_finish(struct conn *c, struct err *err)
{
	struct tls_conn *t = of(c);

	if (t->output == OUT_CLOSED)
		return CONN_OK;
	t->output = OUT_CLOSING;
	if (t->under_way > 0) { /* it has begun, and goes first */
		const struct iovec v = { t->record, t->under_way };
		enum conn_result r;
		size_t put;

		r = write_out(t, (struct cursor){ &v, 1, 0 }, &put, err);
		if (r != CONN_OK || t->under_way > 0)
			return r == CONN_OK ? CONN_AGAIN : r;
	}
	ERR_clear_error();
	/* After a failure only: one more call would wait for the peer's close_notify. */
	if (SSL_shutdown(t->ssl) < 0)
		return write_failed(t, -1, err);
	t->output = OUT_CLOSED;
	return shutdown(t->fd, SHUT_WR) == 0 ? CONN_OK : conn_failed(errno, err);
}

static void tls_close(struct conn *c)
{
	struct tls_conn *t = of(c);

	SSL_free(t->ssl);
	fd_closep(&t->fd);
	free(t->kept.p);
	free(t->record);
	err_clear(&t->broken);
}

/* ---- waiting ---- */

static nfds_t tls_poll(const struct conn *c, bool read, bool write, struct pollfd *fds)
{
	const struct tls_conn *t = of_const(c);
	const int events = (read ? t->read_events : 0) | (write ? t->write_events : 0);

	if (events == 0)
		return 0;
	fds[0] = (struct pollfd){ t->fd, (short)events, 0 };
	return 1;
}

/* A close_notify may have come with the bytes before it, and nothing after it. */
static bool tls_ready(const struct conn *c)
{
	const struct tls_conn *t = of_const(c);

	return kept_has(&t->kept) || t->broken.kind != ERR_NONE ||
	       SSL_pending(t->ssl) > 0 ||
	       (SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

/*
 * n plain bytes take more than n on the wire, less what OpenSSL has of a record whose end
 * has not come yet.
 */
static void tls_want(struct conn *c, size_t n)
{
	struct tls_conn *t = of(c);

	if (!t->kernel_receives)
		fdio_want(t->fd, n > RECORD_WIRE_MAX ? n - RECORD_WIRE_MAX : 1, &t->want);
}

static bool tls_is_flushed(const struct conn *c)
{
	const struct tls_conn *t = of_const(c);
	int left = 0;

	return t->under_way == 0 && (ioctl(t->fd, SIOCOUTQ, &left) < 0 || left == 0);
}

static const struct conn_ops tls_ops = {
	.read = tls_read,
	.splice = tls_splice,
	.write = tls_write,
	.finish = tls_finish,
	.poll = tls_poll,
	.ready = tls_ready,
	.want = tls_want,
	.is_flushed = tls_is_flushed,
	.close = tls_close,
};

static const struct conn_ops kernel_ops = {
	.read = tls_read,
	.splice = tls_splice,
	.write = kernel_write,
	.splice_from = kernel_splice_from,
	.finish = tls_finish,
	.poll = tls_poll,
	.ready = tls_ready,
	.want = tls_want,
	.is_flushed = tls_is_flushed,
	.close = tls_close,
};

struct conn *tls_conn_new(SSL *ssl, int fd, const char *peer, char *identity)
{
	struct tls_conn *t = xcalloc(1, sizeof(*t));

	t->ssl = ssl;
	t->fd = fd;
	t->kernel_sends = BIO_get_ktls_send(SSL_get_wbio(ssl));
	t->kernel_receives = BIO_get_ktls_recv(SSL_get_rbio(ssl));
	t->base.ops = t->kernel_sends ? &kernel_ops : &tls_ops;
	t->base.peer = xstrdup(peer);
	t->base.identity = identity;
	t->read_events = POLLIN;
	t->write_events = POLLOUT;
	t->want = 1;
	return &t->base;
}

void tls_kernel(const struct conn *c, bool *sends, bool *receives)
{
	*sends = of_const(c)->kernel_sends;
	*receives = of_const(c)->kernel_receives;
}
