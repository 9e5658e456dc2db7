/*
 * Lines wait in a queue, of which a thread sends what it can:
 *
 *	no connection --dial--> connected --lines in the queue are sent--> ...
 *	      ^                     |
 *	      +-- retry_interval <--+ lost, refused, or nothing moves for retry_interval
 *
 * A line leaves the queue when the kernel has all of it; a line that a connection ended
 * in is sent again, from its beginning, over the next.  What the kernel had and the
 * collector never read is lost.
 */
#include "base/thread.h"
#include "base/wake.h"
#include "daemon/outlet.h"
#include "net/connector.h"
#include "net/tls.h"

#include <stdatomic.h>

enum { CHUNK = 8 * 1024, FLUSH_MS = 1000, READS_AT_ONCE = 16 };

struct outlet_tcp {
	struct outlet outlet;
	const struct conf_outlet *conf;
	struct conf_connect target;
	struct connector *connector;
	outlet_error_fn *on_error;
	void *on_error_arg;
	struct ctx *ctx;
	struct thread thread;
	struct wake wake; /* the queue is no longer empty, or it is to end */
	struct wake done; /* the thread has sent what it could */
	int64_t end_ms;   /* when to be done: known to who closes */
	atomic_bool is_ending;
	pthread_mutex_t lock;
	struct buf queue; /* lines; guarded by lock */

	/* The thread's own. */
	struct conn *conn;
	size_t sent; /* of the first line in the queue */
	int64_t connected_ms, next_dial_ms;
	int64_t stalled_ms; /* nothing can be written since; 0: it can */
	bool is_outage;     /* on_error has been told */
};

static const struct log nobody; /* what would be logged is in the error, too */

/* ---- the queue ---- */

static int write_line(struct outlet *outlet, enum log_level level, struct view line,
		      struct err *err)
{
	struct outlet_tcp *o = CONTAINER_OF(outlet, struct outlet_tcp, outlet);
	bool fits, was_empty;

	(void)level;
	pthread_mutex_lock(&o->lock);
	was_empty = o->queue.len == 0;
	fits = o->queue.len + line.len < OUTLET_QUEUE_MAX;
	if (fits) {
		buf_put(&o->queue, line.p, line.len);
		buf_put(&o->queue, "\n", 1);
	}
	pthread_mutex_unlock(&o->lock);
	if (!fits)
		return err_set(err, ERR_BUSY, "connection broken or not fast enough");
	if (was_empty)
		wake_signal(&o->wake);
	return 0;
}

static bool has_lines(struct outlet_tcp *o)
{
	bool yes;

	pthread_mutex_lock(&o->lock);
	yes = o->queue.len > 0;
	pthread_mutex_unlock(&o->lock);
	return yes;
}

/* What comes next; the same again until it was sent (TLS insists). */
static size_t next_chunk(struct outlet_tcp *o, char *to)
{
	size_t n;

	pthread_mutex_lock(&o->lock);
	n = o->queue.len - o->sent;
	if (n > CHUNK)
		n = CHUNK;
	memcpy(to, o->queue.p + o->sent, n);
	pthread_mutex_unlock(&o->lock);
	return n;
}

/* So much more was sent.  Lines leave the queue as wholes. */
static void advance(struct outlet_tcp *o, size_t n)
{
	const char *end;

	pthread_mutex_lock(&o->lock);
	o->sent += n;
	end = memrchr(o->queue.p, '\n', o->sent);
	if (end) {
		size_t lines = (size_t)(end + 1 - o->queue.p);

		buf_drop(&o->queue, lines);
		o->sent -= lines;
	}
	pthread_mutex_unlock(&o->lock);
}

/* ---- the connection ---- */

static void report(struct outlet_tcp *o, const struct err *e)
{
	if (o->is_outage)
		return;
	o->is_outage = true;
	o->on_error(o->on_error_arg, o->conf, e);
}

static void disconnect(struct outlet_tcp *o)
{
	conn_close(TAKE(o->conn));
	o->sent = 0;
	o->stalled_ms = 0;
}

static int connect_now(struct outlet_tcp *o)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	o->conn = connector_dial(o->ctx, o->connector, &e);
	o->connected_ms = now_ms();
	o->next_dial_ms = o->connected_ms + o->conf->retry_interval_ms;
	if (o->conn)
		return 0;
	if (!ctx_done(o->ctx))
		report(o, &e);
	return -1;
}

/* The time for the next attempt has come; -1: not before we are to end. */
static int wait_to_dial(struct outlet_tcp *o)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int64_t left;

	while (!atomic_load(&o->is_ending) && (left = o->next_dial_ms - now_ms()) > 0)
		if (wake_wait(&o->wake, o->ctx, left, &e) < 0)
			return -1;
	return 0;
}

/* It has nothing to say to us, but that it goes, or why it refuses us. */
static void read_from_peer(struct outlet_tcp *o)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char ignored[1024];
	size_t n;

	for (int i = 0; i < READS_AT_ONCE; i++) {
		switch (conn_read(o->conn, ignored, sizeof(ignored), &n, &e)) {
		case CONN_OK:
			continue;
		case CONN_FAILED:
			report(o, &e);
			disconnect(o);
			return;
		case CONN_END:
			disconnect(o);
			return;
		case CONN_AGAIN:
		case CONN_PIPE_FULL:
		case CONN_PIPE_CLOSED:
		case CONN_PIPE_EMPTY:
			return;
		}
	}
}

/* Until something happens: new lines, room for more, words of the peer.  0: nothing. */
static int wait_for_news(struct outlet_tcp *o, bool wants_room, int64_t ms,
			 struct err *err)
{
	struct pollfd p[1 + CONN_FDS] = { { .fd = o->wake.fd, .events = POLLIN } };
	nfds_t n = 1;
	int r = 1;

	if (o->conn)
		n += conn_poll(o->conn, true, wants_room, p + 1);
	if (!o->conn || !conn_ready(o->conn))
		r = ctx_poll(o->ctx, p, n, ms, err);
	wake_clear(&o->wake);
	if (r > 0 && o->conn)
		read_from_peer(o);
	return r;
}

static void give_up_connection(struct outlet_tcp *o, const struct err *e)
{
	report(o, e);
	disconnect(o);
}

static void wait_for_room(struct outlet_tcp *o)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	int64_t now = now_ms(), limit = o->conf->retry_interval_ms, left;

	if (o->stalled_ms == 0)
		o->stalled_ms = now;
	left = o->stalled_ms + limit - now;
	if (left > 0 && wait_for_news(o, true, left, &e) != 0)
		return;
	err_set(&e, ERR_TIMEOUT, "%s: nothing was read for %lld ms", conn_peer(o->conn),
		(long long)limit);
	give_up_connection(o, &e);
}

static void send_some(struct outlet_tcp *o)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char chunk[CHUNK];
	struct iovec iov = { .iov_base = chunk };
	size_t put = 0;

	iov.iov_len = next_chunk(o, chunk);
	switch (conn_write(o->conn, &iov, 1, &put, &e)) {
	case CONN_OK:
		advance(o, put);
		o->stalled_ms = 0;
		if (now_ms() >= o->next_dial_ms) /* it lasts */
			o->is_outage = false;
		break;
	case CONN_FAILED:
		give_up_connection(o, &e);
		break;
	case CONN_AGAIN:
	case CONN_END:
	case CONN_PIPE_FULL:
	case CONN_PIPE_CLOSED:
	case CONN_PIPE_EMPTY:
		wait_for_room(o);
		break;
	}
}

static void say_goodbye(struct outlet_tcp *o)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct pollfd p[CONN_FDS];

	while (conn_finish(o->conn, &e) == CONN_AGAIN) {
		nfds_t n = conn_poll(o->conn, false, true, p);

		if (ctx_poll(o->ctx, p, n, -1, &e) < 0)
			return;
	}
	read_from_peer(o); /* closing with input unread would take back what we sent */
}

static void run(void *arg)
{
	struct outlet_tcp *o = arg;

	while (!ctx_done(o->ctx)) {
		cleanup(err_clear) struct err e = ERR_INIT;

		if (has_lines(o)) {
			if (o->conn)
				send_some(o);
			else if (wait_to_dial(o) < 0 ||
				 (connect_now(o) < 0 && atomic_load(&o->is_ending)))
				break;
		} else if (atomic_load(&o->is_ending)) {
			break;
		} else {
			(void)wait_for_news(o, false, -1, &e);
		}
	}
	if (o->conn)
		say_goodbye(o);
	disconnect(o);
	wake_signal(&o->done);
}

/* ---- life ---- */

static void end_tcp(struct outlet *outlet)
{
	struct outlet_tcp *o = CONTAINER_OF(outlet, struct outlet_tcp, outlet);

	o->end_ms = now_ms() + FLUSH_MS;
	atomic_store(&o->is_ending, true);
	wake_signal(&o->wake);
}

static void close_tcp(struct outlet *outlet)
{
	struct outlet_tcp *o = CONTAINER_OF(outlet, struct outlet_tcp, outlet);
	cleanup(ctx_freep) struct ctx *patience = ctx_new(NULL);
	cleanup(err_clear) struct err e = ERR_INIT;
	int64_t left = o->end_ms - now_ms();

	(void)!wake_wait(&o->done, patience, left > 0 ? left : 0, &e);
	ctx_cancel(o->ctx);
	thread_join(&o->thread);
	connector_free(o->connector);
	ctx_free(o->ctx);
	wake_fini(&o->wake);
	wake_fini(&o->done);
	buf_free(&o->queue);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

/* compat: zrepl 0.7 has one limit for all; but the name to verify is the host. */
static struct conf_connect target_of(const struct conf_outlet *conf)
{
	return (struct conf_connect){
		.type = conf->has_tls ? CONNECT_TLS : CONNECT_TCP,
		.dial_timeout_ms = conf->retry_interval_ms,
		.address = conf->address,
		.family = conf->family,
		.tls = conf->tls,
		.server_cn = conf->address.host,
		.server_cn_key = "address",
	};
}

struct outlet *outlet_tcp_new(const struct conf_outlet *conf, outlet_error_fn *on_error,
			      void *arg)
{
	static const struct outlet_ops ops = { write_line, end_tcp, close_tcp };
	struct outlet_tcp *o = xcalloc(1, sizeof(*o));
	cleanup(err_clear) struct err e = ERR_INIT;

	o->outlet.ops = &ops;
	o->conf = conf;
	o->target = target_of(conf);
	o->connector = connector_new(&o->target, &nobody);
	o->on_error = on_error;
	o->on_error_arg = arg;
	o->ctx = ctx_new(NULL);
	(void)!ctx_sleep(o->ctx, 0,
			 &e); /* now it has its descriptor: waiting cannot fail */
	wake_init(&o->wake);
	wake_init(&o->done);
	pthread_mutex_init(&o->lock, NULL);
	thread_start(&o->thread, "log-tcp", run, o);
	return &o->outlet;
}

int outlet_tcp_check(const struct conf_outlet *conf, struct err *err)
{
	const struct conf_connect target = target_of(conf);
	struct tls *t;
	int r;

	if (!conf->has_tls)
		return 0;
	if (*conf->address.host == '\0')
		return err_set(err, ERR_INVALID,
			       "address has no host, which the certificate of the server "
			       "must be for; write HOST:PORT");
	t = tls_client_new(&target, &nobody);
	r = tls_load(t, err);
	tls_free(t);
	return r;
}
