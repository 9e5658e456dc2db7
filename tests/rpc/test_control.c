/*
 * Calls by many threads against a served connection, over socket pairs; and what becomes
 * of both when the other one, or the line, fails.
 */
#include "rpc/control_client.h"

#include "base/parse.h"
#include "base/thread.h"
#include "base/vec.h"
#include "base/wake.h"
#include "h2_text.h"
#include "rpc/control_server.h"
#include "rpc/grpc.h"
#include "tap.h"

#include <semaphore.h>

enum { SERVED_MAX = 8 };

struct served { /* a connection */
	struct thread thread;
	struct place *place;
	struct ctx *ctx;
	struct conn *conn;
	int rc;
	struct err err;
};

/*
 * A server that can be dialled.  Paths say what is done: /Replication/echo,
 * /Replication/fail (with the body as the error), /Replication/block (until gate, or
 * cancelled), /Replication/gather (a batch: replies how many they were), ...
 */
struct place {
	struct control_service service;
	struct ctx *ctx;
	struct control_client *client;

	pthread_mutex_t lock;
	struct served served[SERVED_MAX]; /* guarded, as is what follows */
	size_t n_dialled;
	struct err refusal; /* what dialling fails with */
	bool is_deaf;       /* dialling blocks, until its ctx is done */
	struct conn *raw;   /* of a connection that is not served, for the test */
	bool wants_raw;

	sem_t begun;     /* posted by each handler that blocks */
	sem_t cancelled; /* and when it was */
	sem_t dialling;  /* posted by each dial, when it begins */
	sem_t dialled;   /* and when it has succeeded */
	struct wake gate;
	size_t handled, largest_batch;
};

static void serve_one(void *arg)
{
	struct served *s = arg;

	s->rc = control_serve(s->ctx, s->conn, &s->place->service, &s->err);
}

static struct conn *dial(struct ctx *ctx, void *arg, struct err *err)
{
	struct place *p = arg;
	struct conn *near, *far;
	struct served *s;

	sem_post(&p->dialling);
	if (p->is_deaf && ctx_sleep(ctx, -1, err) < 0)
		return NULL;
	pthread_mutex_lock(&p->lock);
	s = &p->served[p->n_dialled++];
	if (!err_is(&p->refusal, ERR_NONE)) {
		err_copy(err, &p->refusal);
		near = NULL;
	} else if (conn_pair(&near, &far, err) < 0) {
		near = NULL;
	} else if (p->wants_raw) {
		p->raw = far;
	} else {
		*s = (struct served){ .place = p, .conn = far };
		s->ctx = ctx_new(p->ctx);
		thread_start(&s->thread, "serve", serve_one, s);
	}
	pthread_mutex_unlock(&p->lock);
	if (near)
		sem_post(&p->dialled);
	return near;
}

static void block(struct place *p, struct ctx *ctx, struct control_request *r)
{
	sem_post(&p->begun);
	if (wake_wait(&p->gate, ctx, -1, &r->err) < 0)
		sem_post(&p->cancelled);
}

static void handle_one(struct place *p, struct ctx *ctx, struct control_request *r)
{
	const char *what = r->path + strlen("/Replication/");
	char *text = view_dup(r->body);

	if (strcmp(what, "echo") == 0 || strcmp(what, "block") == 0)
		buf_put(&r->reply, r->body.p, r->body.len);
	if (strcmp(what, "block") == 0)
		block(p, ctx, r);
	else if (strcmp(what, "fail") == 0)
		err_set(&r->err, ERR_SYSTEM, "%s", text);
	else if (strcmp(what, "malformed") == 0)
		err_set(&r->err, ERR_PROTOCOL, "field 3: %s", text);
	else if (strcmp(what, "large") == 0)
		buf_added(
			&r->reply,
			(memset(buf_reserve(&r->reply, 5000000), 'x', 5000000), 5000000));
	else if (strcmp(what, "echo") != 0)
		r->no_such_method = err_set(&r->err, ERR_NOT_FOUND, "unknown %s", what);
	free(text);
}

static void handle(void *arg, struct ctx *ctx, struct control_request *v, size_t n)
{
	struct place *p = arg;

	pthread_mutex_lock(&p->lock);
	p->handled += n;
	if (n > p->largest_batch)
		p->largest_batch = n;
	pthread_mutex_unlock(&p->lock);
	if (strcmp(v[0].path, "/Replication/gather") != 0) {
		CHECK_INT(n, 1);
		handle_one(p, ctx, &v[0]);
		return;
	}
	block(p, ctx, &v[0]);
	for (size_t i = 0; i < n; i++)
		buf_printf(&v[i].reply, "%zu", n);
}

static bool is_batched(const char *path)
{
	return strcmp(path, "/Replication/gather") == 0;
}

static void place_open(struct place *p)
{
	const struct log log = { 0 };

	*p = (struct place){ .service = { handle, p, is_batched } };
	p->ctx = ctx_new(NULL);
	pthread_mutex_init(&p->lock, NULL);
	sem_init(&p->begun, 0, 0);
	sem_init(&p->cancelled, 0, 0);
	sem_init(&p->dialling, 0, 0);
	sem_init(&p->dialled, 0, 0);
	wake_init(&p->gate);
	p->client = control_client_open_with(dial, p, &log);
}

/* The client leaves, and every connection has ended well, or as it is said. */
static void place_close(struct place *p, enum err_kind want)
{
	control_client_close(p->client);
	for (size_t i = 0; i < p->n_dialled; i++) {
		struct served *s = &p->served[i];

		thread_join(&s->thread);
		if (s->ctx)
			CHECK_INT(s->err.kind, want);
		err_clear(&s->err);
		ctx_free(s->ctx);
	}
	conn_close(p->raw);
	ctx_free(p->ctx);
	pthread_mutex_destroy(&p->lock);
	sem_destroy(&p->begun);
	sem_destroy(&p->cancelled);
	sem_destroy(&p->dialling);
	sem_destroy(&p->dialled);
	wake_fini(&p->gate);
	err_clear(&p->refusal);
}

/* ---- a call in a thread of its own ---- */

struct caller {
	struct thread thread;
	struct place *place;
	struct ctx *ctx;
	const char *method, *body;
	struct control_call call;
	int rc;
	struct err err;
};

static void do_call(void *arg)
{
	struct caller *k = arg;

	k->rc = control_calls(k->ctx, k->place->client, k->method, &k->call, 1, &k->err);
}

static void caller_start(struct caller *k, struct place *p, const char *method,
			 const char *body)
{
	*k = (struct caller){ .place = p, .method = method, .body = body };
	k->ctx = ctx_new(NULL);
	buf_put(&k->call.request, body, strlen(body));
	thread_start(&k->thread, "caller", do_call, k);
}

static void caller_fini(struct caller *k)
{
	thread_join(&k->thread);
	ctx_free(k->ctx);
	buf_free(&k->call.request);
	buf_free(&k->call.reply);
	err_clear(&k->call.err);
	err_clear(&k->err);
}

/* In this thread. */
static void caller_run(struct caller *k, struct place *p, const char *method,
		       const char *body)
{
	caller_start(k, p, method, body);
	thread_join(&k->thread);
}

/* ---- what is well ---- */

TEST(a_call_dials_and_the_next_one_does_not)
{
	struct place p;
	struct caller k;

	place_open(&p);
	for (int i = 0; i < 3; i++) {
		caller_run(&k, &p, "echo", "hello");
		CHECK_INT(k.rc, 0);
		CHECK_STR(buf_str(&k.call.reply), "hello");
		CHECK_INT(k.call.err.kind, ERR_NONE);
		caller_fini(&k);
	}
	CHECK_INT(p.n_dialled, 1);
	place_close(&p, ERR_NONE);
}

TEST(a_client_that_never_calls_never_dials)
{
	struct place p;

	place_open(&p);
	CHECK_INT(control_calls(p.ctx, p.client, "echo", NULL, 0, &p.refusal), 0);
	place_close(&p, ERR_NONE);
	CHECK_INT(p.n_dialled, 0);
	control_client_close(NULL);
}

TEST(errors_come_with_the_call)
{
	static const struct {
		const char *method, *body;
		enum err_kind kind;
		const char *msg;
	} t[] = {
		{ "fail", "no \xc3\xa4 100%\n", ERR_REMOTE, "no \xc3\xa4 100%\n" },
		{ "malformed", "x", ERR_REMOTE,
		  "internal error of the peer: field 3: x" },
		{ "nonsense", "", ERR_PROTOCOL,
		  "not implemented by the peer: unknown nonsense" },
		{ "large", "", ERR_REMOTE,
		  "resource exhausted: reply of 5000000 bytes, but no more than 4194304 "
		  "can be sent" },
	};
	struct place p;

	place_open(&p);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct caller k;

		caller_run(&k, &p, t[i].method, t[i].body);
		CHECK_INT(k.rc, 0);
		CHECK_INT(k.call.err.kind, t[i].kind);
		CHECK_STR(err_msg(&k.call.err), t[i].msg);
		caller_fini(&k);
	}
	CHECK_INT(p.n_dialled, 1);
	place_close(&p, ERR_NONE);
}

TEST(many_calls_at_once_each_get_their_own_reply)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct control_call *calls = xcalloc(1000, sizeof(*calls));
	struct place p;

	place_open(&p);
	for (size_t i = 0; i < 1000; i++)
		buf_printf(&calls[i].request, "call %zu", i);
	CHECK_INT(control_calls(p.ctx, p.client, "echo", calls, 1000, &e), 0);
	for (size_t i = 0; i < 1000; i++) {
		CHECK_INT(calls[i].err.kind, ERR_NONE);
		CHECK_STR(buf_str(&calls[i].reply), buf_str(&calls[i].request));
		buf_free(&calls[i].request);
		buf_free(&calls[i].reply);
	}
	CHECK_INT(p.handled, 1000);
	free(calls);
	place_close(&p, ERR_NONE);
}

TEST(many_callers_share_one_connection)
{
	struct caller k[16];
	struct place p;

	place_open(&p);
	for (size_t i = 0; i < ARRAY_LEN(k); i++)
		caller_start(&k[i], &p, i % 2 ? "echo" : "fail", i % 2 ? "odd" : "even");
	for (size_t i = 0; i < ARRAY_LEN(k); i++) {
		thread_join(&k[i].thread);
		CHECK_INT(k[i].rc, 0);
		CHECK_STR(i % 2 ? buf_str(&k[i].call.reply) : err_msg(&k[i].call.err),
			  i % 2 ? "odd" : "even");
		caller_fini(&k[i]);
	}
	CHECK_INT(p.n_dialled, 1);
	place_close(&p, ERR_NONE);
}

/* ---- what is not ---- */

TEST(a_dial_that_fails_fails_the_calls_and_the_next_one_dials_again)
{
	struct caller k;
	struct place p;

	place_open(&p);
	err_set(&p.refusal, ERR_NETWORK, "connection refused");
	caller_run(&k, &p, "echo", "x");
	CHECK_INT(k.rc, -1);
	CHECK_INT(k.err.kind, ERR_NETWORK);
	CHECK_STR(err_msg(&k.err), "connection refused");
	caller_fini(&k);
	err_clear(&p.refusal);
	caller_run(&k, &p, "echo", "x");
	CHECK_INT(k.rc, 0);
	CHECK_STR(buf_str(&k.call.reply), "x");
	caller_fini(&k);
	CHECK_INT(p.n_dialled, 2);
	place_close(&p, ERR_NONE);
}

TEST(a_caller_can_leave_while_it_is_dialled)
{
	struct caller k[2];
	struct place p;

	place_open(&p);
	p.is_deaf = true;
	caller_start(&k[0], &p, "echo", "x");
	sem_wait(&p.dialling);
	ctx_cancel(k[0].ctx);
	thread_join(&k[0].thread);
	CHECK_INT(k[0].rc, -1);
	CHECK_INT(k[0].err.kind, ERR_CANCELLED);
	/* The dial was for nobody any more; a new one is for this one. */
	caller_start(&k[1], &p, "echo", "y");
	sem_wait(&p.dialling);
	ctx_cancel(k[1].ctx);
	caller_fini(&k[1]);
	caller_fini(&k[0]);
	place_close(&p, ERR_NONE);
}

TEST(a_client_can_be_closed_after_its_caller_left_the_dial)
{
	struct caller k;
	struct place p;

	place_open(&p);
	p.is_deaf = true;
	caller_start(&k, &p, "echo", "x");
	sem_wait(&p.dialling);
	ctx_cancel(k.ctx);
	caller_fini(&k);
	place_close(&p, ERR_NONE);
	CHECK_INT(p.n_dialled, 0);
}

TEST(a_caller_that_leaves_has_its_call_cancelled_there)
{
	struct caller k;
	struct place p;

	place_open(&p);
	caller_start(&k, &p, "block", "x");
	sem_wait(&p.begun);
	ctx_cancel(k.ctx);
	thread_join(&k.thread);
	CHECK_INT(k.rc, -1);
	CHECK_INT(k.err.kind, ERR_CANCELLED);
	sem_wait(&p.cancelled); /* which the handler sees */
	caller_fini(&k);
	caller_run(&k, &p, "echo", "and the connection goes on");
	CHECK_INT(k.rc, 0);
	caller_fini(&k);
	CHECK_INT(p.n_dialled, 1);
	place_close(&p, ERR_NONE);
}

TEST(a_lost_connection_fails_all_calls_alike_and_the_next_one_dials)
{
	struct caller k[4], again;
	struct place p;

	place_open(&p);
	for (size_t i = 0; i < ARRAY_LEN(k); i++)
		caller_start(&k[i], &p, "block", "x");
	for (size_t i = 0; i < ARRAY_LEN(k); i++)
		sem_wait(&p.begun);
	ctx_cancel(p.served[0].ctx);
	for (size_t i = 0; i < ARRAY_LEN(k); i++) {
		thread_join(&k[i].thread);
		CHECK_INT(k[i].rc, -1);
		CHECK_INT(k[i].err.kind, ERR_NETWORK);
		CHECK_STR(err_msg(&k[i].err), err_msg(&k[0].err));
	}
	for (size_t i = 0; i < ARRAY_LEN(k); i++)
		caller_fini(&k[i]);
	caller_run(&again, &p, "echo", "x");
	CHECK_INT(again.rc, 0);
	caller_fini(&again);
	CHECK_INT(p.n_dialled, 2);
	place_close(&p, ERR_NONE);
}

TEST(a_connection_that_ends_while_idle_fails_nobody)
{
	struct caller k;
	struct place p;

	place_open(&p);
	caller_run(&k, &p, "echo", "x");
	caller_fini(&k);
	ctx_cancel(p.served[0].ctx);
	thread_join(&p.served[0].thread);
	caller_run(&k, &p, "echo", "y");
	CHECK_INT(k.rc, 0);
	CHECK_STR(buf_str(&k.call.reply), "y");
	caller_fini(&k);
	CHECK_INT(p.n_dialled, 2);
	place_close(&p, ERR_NONE);
}

/* Reads until there are n bytes, or the end. */
static void raw_read(struct place *p, struct buf *in, size_t n)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	char b[4096];

	while (in->len < n) {
		struct pollfd fds[CONN_FDS];
		size_t got = 0;
		enum conn_result r = conn_read(p->raw, b, sizeof(b), &got, &e);

		if (r == CONN_OK)
			buf_put(in, b, got);
		else if (r != CONN_AGAIN ||
			 ctx_poll(p->ctx, fds, conn_poll(p->raw, true, false, fds), -1,
				  &e) < 0)
			return;
	}
}

TEST(a_line_that_is_cut_in_a_reply_is_no_reply)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct buf in = { 0 }, out = { 0 };
	struct caller k;
	struct place p;

	place_open(&p);
	p.wants_raw = true;
	caller_start(&k, &p, "echo", "x");
	sem_wait(&p.dialled);
	raw_read(&p, &in, 24);
	h2_put(&out, NGHTTP2_SETTINGS, 0, 0, VIEW(""));
	h2_put_headers(
		&out, 1, false,
		(const char *[]){ ":status=200", "content-type=application/grpc", NULL });
	h2_put(&out, NGHTTP2_DATA, 0, 1, VIEW("\0\0\0\0\1x"));
	CHECK_INT(conn_write_all(p.ctx, p.raw, out.p, out.len, &e), 0);
	conn_close(TAKE(p.raw));
	thread_join(&k.thread);
	CHECK_INT(k.rc, -1);
	CHECK_INT(k.err.kind, ERR_NETWORK);
	caller_fini(&k);
	place_close(&p, ERR_NONE);
	buf_free(&in);
	buf_free(&out);
}

TEST(a_request_that_is_too_large_is_an_error_of_its_own)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct control_call calls[2] = { 0 };
	struct place p;

	place_open(&p);
	memset(buf_reserve(&calls[0].request, 5000000), 'x', 5000000);
	buf_added(&calls[0].request, 5000000);
	CHECK_INT(control_calls(p.ctx, p.client, "echo", calls, 2, &e), 0);
	CHECK_INT(calls[0].err.kind, ERR_INVALID);
	CHECK_INT(calls[1].err.kind, ERR_NONE);
	err_clear(&calls[0].err);
	buf_free(&calls[0].request);
	buf_free(&calls[1].reply);
	place_close(&p, ERR_NONE);
}

static void close_client(void *arg)
{
	control_client_close(arg);
}

TEST(a_client_says_goodbye_and_waits_until_it_is_heard)
{
	struct thread closer = { 0 };
	struct buf in = { 0 };
	struct h2_text t = { 0 };
	struct caller k;
	struct place p;

	place_open(&p);
	p.wants_raw = true;
	caller_start(&k, &p, "echo", "x");
	sem_wait(&p.dialled);
	raw_read(&p, &in, 24 + 9 + 12 + 13 + 9 + 1); /* into the headers of the call */
	ctx_cancel(k.ctx);
	caller_fini(&k);
	thread_start(&closer, "closer", close_client, TAKE(p.client));
	raw_read(&p, &in, SIZE_MAX);
	h2_text_feed(&t, buf_view(&in));
	CHECK_STR(h2_text_take(&t, "reset goaway"),
		  "reset 1 CANCEL\ngoaway 0 NO_ERROR client is going away\n");
	conn_close(TAKE(p.raw));
	thread_join(&closer);
	place_close(&p, ERR_NONE);
	buf_free(&in);
	h2_text_fini(&t);
}

TEST_MAIN()
