#include "rpc/control_server.h"

#include "base/thread.h"
#include "base/vec.h"
#include "rpc/control_io.h"
#include "rpc/h2_server.h"

#include <assert.h>

enum {
	BATCH_MAX = 64,
	FAREWELL_MS = 1000,
};

/* A request, from when it came until it is answered. */
struct job {
	struct job *next;
	int32_t id;
	char *path;
	struct buf body;
	int64_t deadline; /* 0: none */
	bool is_cancelled;
};

enum state {
	IDLE, /* the owner's turn */
	BUSY, /* the worker's */
	DONE,
};

struct worker {
	struct server *server;
	struct thread thread; /* running: started */
	struct wake wake;
	enum state state; /* guarded by the server's lock; the rest: whose turn it is */
	struct ctx *ctx;
	struct job *jobs;
	struct control_request *v; /* of jobs, in their order */
	size_t n;
};

struct server {
	const struct control_service *service;
	struct ctx *ctx; /* of all that runs for this connection */
	struct h2_server *h2;
	struct control_io io;
	struct wake wake; /* a worker is done */
	pthread_mutex_t lock;
	struct job *waiting, **waiting_end;
	struct worker workers[CONTROL_WORKERS];
};

/* ---- requests ---- */

static void job_free(struct job *j)
{
	free(j->path);
	buf_free(&j->body);
	free(j);
}

static void jobs_free(struct job *j)
{
	while (j) {
		struct job *next = j->next;

		job_free(j);
		j = next;
	}
}

/* Out of what waits; *at is it. */
static struct job *take_out(struct server *s, struct job **at)
{
	struct job *j = *at;

	*at = j->next;
	if (s->waiting_end == &j->next)
		s->waiting_end = at;
	j->next = NULL;
	return j;
}

static void on_request(void *arg, const struct h2_request *r)
{
	struct server *s = arg;
	struct job *j = xcalloc(1, sizeof(*j));

	j->id = r->id;
	j->path = xstrdup(r->path);
	buf_put(&j->body, r->body.p, r->body.len);
	if (r->timeout_ms > 0)
		j->deadline = now_ms() + r->timeout_ms;
	*s->waiting_end = j;
	s->waiting_end = &j->next;
}

static void cancel_running(struct worker *w, int32_t id)
{
	bool all = true;

	for (struct job *j = w->jobs; j; j = j->next) {
		j->is_cancelled |= j->id == id;
		all = all && j->is_cancelled;
	}
	if (w->jobs && all)
		ctx_cancel(w->ctx);
}

static void on_cancelled(void *arg, int32_t id)
{
	struct server *s = arg;

	for (struct job **at = &s->waiting; *at; at = &(*at)->next) {
		if ((*at)->id == id) {
			job_free(take_out(s, at));
			return;
		}
	}
	for (size_t i = 0; i < CONTROL_WORKERS; i++)
		cancel_running(&s->workers[i], id);
}

/* ---- workers ---- */

static enum state state_of(struct worker *w)
{
	enum state st;

	pthread_mutex_lock(&w->server->lock);
	st = w->state;
	pthread_mutex_unlock(&w->server->lock);
	return st;
}

static void set_state(struct worker *w, enum state st)
{
	pthread_mutex_lock(&w->server->lock);
	w->state = st;
	pthread_mutex_unlock(&w->server->lock);
}

static void work(void *arg)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct worker *w = arg;
	const struct control_service *service = w->server->service;

	while (wake_wait(&w->wake, w->server->ctx, -1, &e) == 1) {
		if (state_of(w) != BUSY)
			continue;
		service->handle(service->arg, w->ctx, w->v, w->n);
		set_state(w, DONE);
		wake_signal(&w->server->wake);
	}
}

/* One that is free; NULL: none, or none more can be had, which is an error only when
 * there is not even one. */
static struct worker *free_worker(struct server *s, struct err *err)
{
	for (size_t i = 0; i < CONTROL_WORKERS; i++) {
		struct worker *w = &s->workers[i];

		if (w->thread.running && state_of(w) != IDLE)
			continue;
		if (!w->thread.running) {
			cleanup(err_clear) struct err e = ERR_INIT;

			if (wake_open(&w->wake, &e) < 0) {
				if (i == 0)
					err_move(err, &e);
				return NULL;
			}
			w->server = s;
			thread_start(&w->thread, "rpc-control", work, w);
		}
		return w;
	}
	return NULL;
}

static bool is_batched(const struct server *s, const struct job *j)
{
	return s->service->is_batched && j->deadline == 0 &&
	       s->service->is_batched(j->path);
}

static bool is_running(const struct server *s, const char *path)
{
	for (size_t i = 0; i < CONTROL_WORKERS; i++) {
		const struct job *j = s->workers[i].jobs;

		if (j && strcmp(j->path, path) == 0)
			return true;
	}
	return false;
}

/*
 * The next ones to be handled, taken out: the first that waits, with those that can be
 * handled together with it.  While some of such a kind are handled, others gather.
 */
static struct job *next_batch(struct server *s, size_t *n)
{
	struct job **at = &s->waiting, *first, **end;

	while (*at && is_batched(s, *at) && is_running(s, (*at)->path))
		at = &(*at)->next;
	if (!*at)
		return NULL;
	first = take_out(s, at);
	end = &first->next;
	*n = 1;
	if (!is_batched(s, first))
		return first;
	while (*at && *n < BATCH_MAX) {
		if (!is_batched(s, *at) || strcmp((*at)->path, first->path) != 0) {
			at = &(*at)->next;
			continue;
		}
		*end = take_out(s, at);
		end = &(*end)->next;
		(*n)++;
	}
	return first;
}

static void start(struct worker *w, struct job *jobs, size_t n, int64_t now)
{
	struct control_request *r;

	w->ctx = ctx_new(w->server->ctx);
	if (jobs->deadline)
		ctx_set_timeout(w->ctx, jobs->deadline - now);
	w->jobs = jobs;
	w->n = n;
	w->v = r = xcalloc(n, sizeof(*w->v));
	for (struct job *j = jobs; j; j = j->next) {
		r->path = j->path;
		r->body = buf_view(&j->body);
		r->reply.max = SIZE_MAX; /* what is too large is refused, not fatal */
		r++;
	}
	set_state(w, BUSY);
	wake_signal(&w->wake);
}

static int dispatch(struct server *s, struct err *err)
{
	while (s->waiting && h2_server_has_room(s->h2)) {
		cleanup(err_clear) struct err e = ERR_INIT;
		struct worker *w = free_worker(s, &e);
		struct job *jobs;
		size_t n = 0;

		if (!w && !err_is(&e, ERR_NONE)) {
			err_move(err, &e);
			return -1;
		}
		if (!w || !(jobs = next_batch(s, &n)))
			return 0;
		start(w, jobs, n, now_ms());
	}
	return 0;
}

/* ---- answers ---- */

static enum grpc_status status_of(const struct control_request *r, const struct job *j)
{
	if (err_is(&r->err, ERR_NONE))
		return GRPC_OK;
	if (r->no_such_method)
		return GRPC_UNIMPLEMENTED;
	if (err_is(&r->err, ERR_PROTOCOL))
		return GRPC_INTERNAL;
	if (err_is(&r->err, ERR_TIMEOUT) && j->deadline && now_ms() >= j->deadline)
		return GRPC_DEADLINE_EXCEEDED;
	return GRPC_UNKNOWN;
}

/* What the worker has had; it is free then. */
static void put_down(struct worker *w)
{
	for (size_t i = 0; i < w->n; i++) {
		buf_free(&w->v[i].reply);
		err_clear(&w->v[i].err);
	}
	free(TAKE(w->v));
	jobs_free(TAKE(w->jobs));
	ctx_free(TAKE(w->ctx));
	w->n = 0;
	w->state = IDLE;
}

static void collect(struct server *s)
{
	for (size_t i = 0; i < CONTROL_WORKERS; i++) {
		struct worker *w = &s->workers[i];
		const struct control_request *r = w->v;

		if (!w->thread.running || state_of(w) != DONE)
			continue;
		for (struct job *j = w->jobs; j; j = j->next, r++)
			h2_server_reply(s->h2, j->id, status_of(r, j), err_msg(&r->err),
					buf_view(&r->reply));
		pthread_mutex_lock(&s->lock);
		put_down(w);
		pthread_mutex_unlock(&s->lock);
	}
}

/* Those whose time is up before their turn has come; returns when the next one's is. */
static int64_t expire(struct server *s, int64_t now)
{
	int64_t next = INT64_MAX;

	for (struct job **at = &s->waiting; *at;) {
		struct job *j = *at;

		if (j->deadline && j->deadline <= now) {
			h2_server_reply(s->h2, j->id, GRPC_DEADLINE_EXCEEDED,
					"deadline exceeded", (struct view){ 0 });
			job_free(take_out(s, at));
			continue;
		}
		if (j->deadline && j->deadline < next)
			next = j->deadline;
		at = &j->next;
	}
	return next;
}

/* ---- the connection ---- */

static int feed(void *h2, const void *p, size_t n, int64_t now, struct err *err)
{
	return h2_server_feed(h2, p, n, now, err);
}

static struct view output(void *h2)
{
	return h2_server_output(h2);
}

static void sent(void *h2, size_t n)
{
	h2_server_sent(h2, n);
}

static int tick(void *h2, int64_t now, int64_t *next, struct err *err)
{
	return h2_server_tick(h2, now, next, err);
}

static bool is_choked(void *h2)
{
	return h2_server_is_choked(h2);
}

static const struct control_engine engine = { feed, output, sent, tick, is_choked };

static int ended(struct server *s, struct err *err)
{
	size_t n = h2_server_pending(s->h2);

	if (n == 0)
		return 0;
	return err_set(err, ERR_NETWORK, "peer is gone with %zu requests unanswered", n);
}

static int serve(struct ctx *ctx, struct server *s, struct err *err)
{
	for (;;) {
		int64_t next;

		collect(s);
		next = expire(s, now_ms());
		if (dispatch(s, err) < 0)
			return -1;
		if (h2_server_is_done(s->h2))
			return 0;
		if (s->io.peer_ended)
			return ended(s, err);
		if (control_io_turn(ctx, &s->io, next, err) < 0)
			return -1;
	}
}

static void stop(struct server *s)
{
	for (size_t i = 0; i < CONTROL_WORKERS; i++) {
		struct worker *w = &s->workers[i];

		if (!w->thread.running)
			continue;
		thread_join(&w->thread);
		put_down(w);
		wake_fini(&w->wake);
	}
	jobs_free(s->waiting);
	h2_server_free(s->h2);
	conn_close(s->io.conn);
	wake_fini(&s->wake);
	pthread_mutex_destroy(&s->lock);
	ctx_free(s->ctx);
	free(s);
}

int control_serve(struct ctx *ctx, struct conn *c, const struct control_service *service,
		  struct err *err)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct server *s = xcalloc(1, sizeof(*s));
	int r;

	s->service = service;
	s->ctx = ctx_new(ctx);
	s->waiting_end = &s->waiting;
	pthread_mutex_init(&s->lock, NULL);
	s->h2 = h2_server_new(now_ms(), on_request, on_cancelled, s);
	s->io = (struct control_io){
		.conn = c,
		.h2 = s->h2,
		.engine = &engine,
		.wake = &s->wake,
	};
	s->wake.fd = -1;
	r = wake_open(&s->wake, &e);
	if (r == 0)
		r = serve(ctx, s, &e);
	if (r < 0 && ctx_done(ctx)) {
		h2_server_goodbye(s->h2);
		r = 0;
	}
	ctx_cancel(s->ctx); /* the handlers, meanwhile */
	control_io_farewell(&s->io, FAREWELL_MS);
	stop(s);
	if (r < 0)
		err_move(err, &e);
	return r;
}
