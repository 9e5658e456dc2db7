/*
 * A served control connection, asked by a client that is the test's own: what it does
 * at the same time, in what order, and how it ends.
 */
#include "rpc/control_server.h"

#include "base/thread.h"
#include "base/wake.h"
#include "h2_ends.h"
#include "h2_text.h"
#include "tap.h"

#include <semaphore.h>
#include <sys/eventfd.h>

#define GATHER "/Replication/gather"
#define BLOCK  "/Replication/block"
#define ECHO   "/Replication/echo"

struct bench {
	struct ctx *ctx, *server_ctx;
	struct conn *conn; /* ours */
	struct h2_client *c;

	struct conn *far;
	struct control_service service;
	struct thread thread;
	int rc;
	struct err err;

	sem_t begun, cancelled;
	int gate; /* an eventfd: each count lets one handler through */
	pthread_mutex_t lock;
	size_t running, most_running;  /* guarded, as is what follows */
	size_t batches[16], n_batches; /* of GATHER */
};

static void open_gate(struct bench *b, uint64_t for_so_many)
{
	CHECK(write(b->gate, &for_so_many, sizeof(for_so_many)) == sizeof(for_so_many));
}

static void count(struct bench *b, int by)
{
	pthread_mutex_lock(&b->lock);
	b->running += (size_t)by;
	if (b->running > b->most_running)
		b->most_running = b->running;
	pthread_mutex_unlock(&b->lock);
}

/* Until the gate lets it through, or it is cancelled. */
static void block(struct bench *b, struct ctx *ctx, struct err *err)
{
	struct pollfd p = { .fd = b->gate, .events = POLLIN };
	uint64_t one;

	sem_post(&b->begun);
	while (read(b->gate, &one, sizeof(one)) < 0) {
		if (ctx_poll(ctx, &p, 1, -1, err) < 0) {
			sem_post(&b->cancelled);
			return;
		}
	}
}

static void handle(void *arg, struct ctx *ctx, struct control_request *v, size_t n)
{
	struct bench *b = arg;

	count(b, 1);
	if (strcmp(v[0].path, GATHER) == 0) {
		pthread_mutex_lock(&b->lock);
		b->batches[b->n_batches++] = n;
		pthread_mutex_unlock(&b->lock);
	}
	if (strcmp(v[0].path, ECHO) != 0)
		block(b, ctx, &v[0].err);
	for (size_t i = 0; i < n; i++)
		buf_put(&v[i].reply, v[i].body.p, v[i].body.len);
	count(b, -1);
}

static bool is_batched(const char *path)
{
	return strcmp(path, GATHER) == 0;
}

static void serve(void *arg)
{
	struct bench *b = arg;

	b->rc = control_serve(b->server_ctx, b->far, &b->service, &b->err);
}

static void bench_open(struct bench *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	*b = (struct bench){ .service = { handle, b, is_batched } };
	b->ctx = ctx_new(NULL);
	b->server_ctx = ctx_new(NULL);
	sem_init(&b->begun, 0, 0);
	sem_init(&b->cancelled, 0, 0);
	b->gate = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&b->lock, NULL);
	b->c = h2_client_new(0);
	CHECK_INT(conn_pair(&b->conn, &b->far, &e), 0);
	thread_start(&b->thread, "serve", serve, b);
}

static void bench_close(struct bench *b, enum err_kind want)
{
	conn_close(b->conn);
	thread_join(&b->thread);
	CHECK_INT(b->rc, want == ERR_NONE ? 0 : -1);
	CHECK_INT(b->err.kind, want);
	CHECK_INT(b->running, 0);
	err_clear(&b->err);
	h2_client_free(b->c);
	ctx_free(b->ctx);
	ctx_free(b->server_ctx);
	sem_destroy(&b->begun);
	sem_destroy(&b->cancelled);
	close(b->gate);
	pthread_mutex_destroy(&b->lock);
}

/* Send what there is, in one piece. */
static void bench_send(struct bench *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct view v;

	while ((v = h2_client_output(b->c)).len > 0) {
		CHECK_INT(conn_write_all(b->ctx, b->conn, v.p, v.len, &e), 0);
		h2_client_sent(b->c, v.len);
	}
}

/* Until the reply is there; false: the server has ended instead. */
static bool bench_await(struct bench *b, const struct end_reply *r)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char in[4096];

	for (bench_send(b); r->times == 0; bench_send(b)) {
		struct pollfd fds[CONN_FDS];
		nfds_t n = conn_poll(b->conn, true, false, fds);
		size_t got;
		enum conn_result res = conn_read(b->conn, in, sizeof(in), &got, &e);

		if (res == CONN_AGAIN && ctx_poll(b->ctx, fds, n, -1, &e) > 0)
			continue;
		if (res != CONN_OK || h2_client_feed(b->c, in, got, 0, &e) < 0)
			return false;
	}
	return true;
}

/* What was sent before is with the server now: it handles things in their order. */
static void bench_sync(struct bench *b)
{
	struct end_reply r = { 0 };

	end_call(b->c, ECHO, VIEW("sync"), &r);
	CHECK(bench_await(b, &r));
	CHECK_STR(buf_str(&r.body), "sync");
	end_reply_fini(&r);
}

/* The same when nobody is free to handle anything. */
static void bench_ping(struct bench *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct h2_text t = { 0 };
	struct buf ping = { 0 };
	char in[4096];

	bench_send(b);
	h2_put_ping(&ping, "abcdefgh");
	CHECK_INT(conn_write_all(b->ctx, b->conn, ping.p, ping.len, &e), 0);
	while (!t.text.p || !strstr(t.text.p, "ping ack 6162636465666768\n")) {
		struct pollfd fds[CONN_FDS];
		nfds_t n = conn_poll(b->conn, true, false, fds);
		size_t got;
		enum conn_result res = conn_read(b->conn, in, sizeof(in), &got, &e);

		if (res == CONN_AGAIN && ctx_poll(b->ctx, fds, n, -1, &e) > 0)
			continue;
		if (!CHECK_INT(res, CONN_OK))
			break;
		h2_text_feed(&t, (struct view){ in, got });
		CHECK_INT(h2_client_feed(b->c, in, got, 0, &e), 0);
	}
	buf_free(&ping);
	h2_text_fini(&t);
}

TEST(what_waits_together_is_handled_together)
{
	struct end_reply r[33] = { 0 };
	struct bench b;

	bench_open(&b);
	end_call(b.c, GATHER, VIEW("0"), &r[0]);
	bench_send(&b);
	sem_wait(&b.begun);
	for (size_t i = 1; i < ARRAY_LEN(r); i++) {
		char body[8];

		snprintf(body, sizeof(body), "%zu", i);
		end_call(b.c, GATHER, view_of(body), &r[i]);
	}
	bench_sync(&b);
	open_gate(&b, 1);
	sem_wait(&b.begun);
	open_gate(&b, 1);
	for (size_t i = 0; i < ARRAY_LEN(r); i++) {
		char body[8];

		snprintf(body, sizeof(body), "%zu", i);
		CHECK(bench_await(&b, &r[i]));
		CHECK_STR(buf_str(&r[i].body), body);
		end_reply_fini(&r[i]);
	}
	CHECK_INT(b.n_batches, 2);
	CHECK_INT(b.batches[0], 1);
	CHECK_INT(b.batches[1], ARRAY_LEN(r) - 1);
	bench_close(&b, ERR_NONE);
}

TEST(four_are_handled_at_a_time_and_the_rest_wait)
{
	struct end_reply r[10] = { 0 };
	struct bench b;

	bench_open(&b);
	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		end_call(b.c, BLOCK, VIEW("x"), &r[i]);
	bench_send(&b);
	open_gate(&b, ARRAY_LEN(r));
	for (size_t i = 0; i < ARRAY_LEN(r); i++) {
		CHECK(bench_await(&b, &r[i]));
		CHECK_INT(r[i].err.kind, ERR_NONE);
		end_reply_fini(&r[i]);
	}
	CHECK(b.most_running <= CONTROL_WORKERS);
	bench_close(&b, ERR_NONE);
}

TEST(pings_are_answered_while_all_handlers_are_at_work)
{
	struct end_reply r[6] = { 0 };
	struct bench b;

	bench_open(&b);
	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		end_call(b.c, BLOCK, VIEW("x"), &r[i]);
	bench_send(&b);
	for (size_t i = 0; i < CONTROL_WORKERS; i++)
		sem_wait(&b.begun);
	bench_ping(&b);
	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		CHECK_INT(r[i].times, 0);
	bench_close(&b, ERR_NETWORK); /* six requests unanswered */
}

TEST(one_that_is_cancelled_while_it_waits_is_never_handled)
{
	struct end_reply r[CONTROL_WORKERS + 1] = { 0 };
	int32_t last = 0;
	struct bench b;

	bench_open(&b);
	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		last = end_call(b.c, BLOCK, VIEW("x"), &r[i]);
	bench_send(&b);
	for (size_t i = 0; i < CONTROL_WORKERS; i++)
		sem_wait(&b.begun);
	h2_client_cancel(b.c, last);
	bench_ping(&b);
	open_gate(&b, CONTROL_WORKERS);
	for (size_t i = 0; i < CONTROL_WORKERS; i++) {
		CHECK(bench_await(&b, &r[i]));
		end_reply_fini(&r[i]);
	}
	bench_sync(&b);
	CHECK_INT(sem_trywait(&b.begun), -1);
	bench_close(&b, ERR_NONE);
}

TEST(a_batch_is_cancelled_when_nobody_wants_any_of_it)
{
	struct end_reply r[3] = { 0 };
	int32_t id[3];
	struct bench b;

	bench_open(&b);
	id[0] = end_call(b.c, GATHER, VIEW("0"), &r[0]);
	bench_send(&b);
	sem_wait(&b.begun);
	id[1] = end_call(b.c, GATHER, VIEW("1"), &r[1]);
	id[2] = end_call(b.c, GATHER, VIEW("2"), &r[2]);
	bench_sync(&b);
	open_gate(&b, 1);
	sem_wait(&b.begun);
	CHECK(bench_await(&b, &r[0]));
	CHECK_INT(id[0], 1);
	h2_client_cancel(b.c, id[1]);
	bench_sync(&b);
	CHECK_INT(sem_trywait(&b.cancelled), -1); /* one of them is still wanted */
	h2_client_cancel(b.c, id[2]);
	bench_send(&b);
	sem_wait(&b.cancelled);
	end_reply_fini(&r[0]);
	bench_close(&b, ERR_NONE);
}

static int32_t call_with_timeout(struct bench *b, const char *path, struct end_reply *r)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	return h2_client_call(b->c,
			      &(struct h2_call){ .path = path,
						 .timeout_ms = 20,
						 .reply = end_reply_take,
						 .arg = r },
			      &e);
}

TEST(a_timeout_of_the_peer_ends_a_request_running_or_waiting)
{
	struct end_reply running = { 0 }, waiting = { 0 }, others[3] = { 0 };
	struct bench b;

	bench_open(&b);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		end_call(b.c, BLOCK, VIEW("x"), &others[i]);
	bench_send(&b);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		sem_wait(&b.begun);
	call_with_timeout(&b, BLOCK, &running);
	call_with_timeout(&b, BLOCK, &waiting);
	CHECK(bench_await(&b, &running));
	CHECK(bench_await(&b, &waiting));
	CHECK_STR(err_msg(&running.err), "deadline exceeded: timed out");
	CHECK_INT(running.err.kind, ERR_TIMEOUT);
	CHECK_INT(waiting.err.kind, ERR_TIMEOUT);
	open_gate(&b, ARRAY_LEN(others));
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		CHECK(bench_await(&b, &others[i]));
		end_reply_fini(&others[i]);
	}
	end_reply_fini(&running);
	end_reply_fini(&waiting);
	bench_close(&b, ERR_NONE);
}

TEST(when_the_server_stops_its_handlers_are_cancelled_and_the_peer_is_told)
{
	struct end_reply r[6] = { 0 };
	struct bench b;

	bench_open(&b);
	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		end_call(b.c, BLOCK, VIEW("x"), &r[i]);
	bench_send(&b);
	for (size_t i = 0; i < CONTROL_WORKERS; i++)
		sem_wait(&b.begun);
	ctx_cancel(b.server_ctx);
	CHECK(!bench_await(&b, &r[0])); /* no answer: it would be taken for one */
	CHECK(!h2_client_is_usable(b.c));
	for (size_t i = 0; i < CONTROL_WORKERS; i++)
		sem_wait(&b.cancelled);
	bench_close(&b, ERR_NONE);
}

TEST(when_the_peer_is_gone_its_handlers_are_cancelled)
{
	struct end_reply r = { 0 };
	struct bench b;

	bench_open(&b);
	end_call(b.c, BLOCK, VIEW("x"), &r);
	bench_send(&b);
	sem_wait(&b.begun);
	conn_close(TAKE(b.conn));
	sem_wait(&b.cancelled);
	bench_close(&b, ERR_NETWORK);
}

/* Until the server has closed its side. */
static void bench_await_end(struct bench *b)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char c;

	while (conn_read_all(b->ctx, b->conn, &c, 1, &e) == 0)
		continue;
	CHECK_INT(e.kind, ERR_NETWORK);
}

TEST(a_peer_that_ends_with_nothing_to_answer_has_ended_well)
{
	for (int i = 0; i < 2; i++) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct bench b;

		bench_open(&b);
		if (i == 0) /* or not even a preface */
			bench_sync(&b);
		CHECK_INT(conn_finish(b.conn, &e), CONN_OK);
		bench_await_end(&b);
		bench_close(&b, ERR_NONE);
	}
}

TEST(a_goodbye_ends_it_well)
{
	struct bench b;

	bench_open(&b);
	bench_sync(&b);
	h2_client_goodbye(b.c);
	bench_send(&b);
	bench_await_end(&b);
	bench_close(&b, ERR_NONE);
}

TEST(what_is_no_http2_is_the_end)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct bench b;

	bench_open(&b);
	CHECK_INT(conn_write_all(b.ctx, b.conn, "GET / HTTP/1.1\r\nHost: here\r\n\r\n",
				 30, &e),
		  0);
	conn_close(TAKE(b.conn));
	bench_close(&b, ERR_PROTOCOL);
}

TEST_MAIN()
