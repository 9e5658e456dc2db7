#include "rpc/control_client.h"

#include "base/thread.h"
#include "base/wake.h"
#include "rpc/control_io.h"
#include "rpc/h2_client.h"
#include "rpc/hello.h"

#include <assert.h>

enum { FAREWELL_MS = 1000 };

/*
 * The calls of one caller:
 *
 *	QUEUED ---> ACTIVE ---> FINISHED
 *	in the      the I/O     the caller's again
 *	inbox       thread's
 */
enum state { QUEUED, ACTIVE, FINISHED };

struct group {
	struct group *next; /* in the inbox, or among the active ones */
	enum state state;   /* guarded by the client's lock */
	bool is_withdrawn;  /* likewise */
	struct wake finished;
	struct err err; /* of all of them */

	char *path;
	struct control_call *calls;
	size_t n, n_sent, n_done;
	struct flight *flights;
};

struct flight { /* a call under way */
	struct flight *next;
	struct group *group;
	struct control_call *call;
	int32_t id;
};

struct control_client {
	control_dial_fn *dial;
	void *arg;
	struct connector *connector; /* of control_client_open() */
	const struct env *env;
	struct log log;

	struct ctx *ctx; /* until close */
	pthread_mutex_t lock;
	struct thread thread; /* guarded: started by the first call */
	struct wake wake;     /* something is in the inbox, or withdrawn */
	struct group *inbox;  /* guarded */
	struct ctx *dialling; /* guarded; NULL: it is not */

	/* The I/O thread's own. */
	struct group *active;
	struct control_io io;
	struct h2_client *h2;
};

/* ---- groups, on the I/O thread ---- */

static void flight_free(struct flight *f)
{
	struct flight **at = &f->group->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	free(f);
}

static void on_reply(void *arg, const struct err *err, struct view body)
{
	struct flight *f = arg;
	struct group *g = f->group;

	if (err_is(err, ERR_NETWORK) && err_is(&g->err, ERR_NONE))
		err_copy(&g->err, err); /* the connection's, not only this call's */
	err_copy(&f->call->err, err);
	if (err_is(err, ERR_NONE))
		buf_put(&f->call->reply, body.p, body.len);
	g->n_done++;
	flight_free(f);
}

static void send_call(struct control_client *c, struct group *g)
{
	struct flight *f = xcalloc(1, sizeof(*f));

	f->group = g;
	f->call = &g->calls[g->n_sent++];
	f->next = g->flights;
	g->flights = f;
	f->id = h2_client_call(c->h2,
			       &(struct h2_call){ .path = g->path,
						  .body = buf_view(&f->call->request),
						  .reply = on_reply,
						  .arg = f },
			       &f->call->err);
	if (f->id >= 0)
		return;
	if (err_is(&f->call->err, ERR_NETWORK))
		err_copy(&g->err, &f->call->err);
	g->n_done++;
	flight_free(f);
}

/* It is the caller's again: the last access. */
static void finish(struct control_client *c, struct group *g)
{
	while (g->flights) {
		struct flight *f = g->flights;

		g->flights = f->next;
		h2_client_cancel(c->h2, f->id);
		free(f);
	}
	pthread_mutex_lock(&c->lock);
	g->state = FINISHED;
	wake_signal(&g->finished);
	pthread_mutex_unlock(&c->lock);
}

static bool is_withdrawn(struct control_client *c, const struct group *g)
{
	bool is;

	pthread_mutex_lock(&c->lock);
	is = g->is_withdrawn;
	pthread_mutex_unlock(&c->lock);
	return is;
}

/* Send what may be sent; done with those that are done, withdrawn, or lost. */
static void advance(struct control_client *c)
{
	for (struct group **at = &c->active; *at;) {
		struct group *g = *at;
		bool over = is_withdrawn(c, g);

		while (!over && g->n_sent < g->n && err_is(&g->err, ERR_NONE) &&
		       g->n_sent - g->n_done < CONTROL_IN_FLIGHT_MAX)
			send_call(c, g);
		if (over || g->n_done == g->n || !err_is(&g->err, ERR_NONE)) {
			*at = g->next;
			finish(c, g);
		} else {
			at = &g->next;
		}
	}
}

static void take_inbox(struct control_client *c)
{
	struct group **end = &c->active;

	while (*end)
		end = &(*end)->next;
	pthread_mutex_lock(&c->lock);
	*end = TAKE(c->inbox);
	for (struct group *g = *end; g; g = g->next)
		g->state = ACTIVE;
	pthread_mutex_unlock(&c->lock);
}

static void fail_active(struct control_client *c, const struct err *why)
{
	while (c->active) {
		struct group *g = c->active;

		c->active = g->next;
		err_copy(&g->err, why);
		finish(c, g);
	}
}

/* ---- the connection ---- */

static int feed(void *h2, const void *p, size_t n, int64_t now, struct err *err)
{
	return h2_client_feed(h2, p, n, now, err);
}

static struct view output(void *h2)
{
	return h2_client_output(h2);
}

static void sent(void *h2, size_t n)
{
	h2_client_sent(h2, n);
}

static int tick(void *h2, int64_t now, int64_t *next, struct err *err)
{
	return h2_client_tick(h2, now, next, err);
}

static bool is_choked(void *h2)
{
	return h2_client_is_choked(h2);
}

static const struct control_engine engine = { feed, output, sent, tick, is_choked };

static bool has_inbox(struct control_client *c)
{
	bool has;

	pthread_mutex_lock(&c->lock);
	has = c->inbox;
	pthread_mutex_unlock(&c->lock);
	return has;
}

/* The error of each caller, and of nobody when it is that nobody was left. */
static void dial_failed(struct control_client *c, const struct err *why)
{
	if (err_is(why, ERR_CANCELLED) && !ctx_done(c->ctx))
		return;
	take_inbox(c);
	fail_active(c, why);
}

static void dial(struct control_client *c)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct ctx *ctx = ctx_new(c->ctx);
	struct conn *conn = NULL;

	pthread_mutex_lock(&c->lock);
	if (c->inbox)
		c->dialling = ctx;
	pthread_mutex_unlock(&c->lock);
	if (c->dialling)
		conn = c->dial(ctx, c->arg, &e);
	pthread_mutex_lock(&c->lock);
	c->dialling = NULL;
	pthread_mutex_unlock(&c->lock);
	ctx_free(ctx);
	if (conn) {
		c->h2 = h2_client_new(now_ms());
		c->io = (struct control_io){
			.conn = conn,
			.h2 = c->h2,
			.engine = &engine,
			.wake = &c->wake,
		};
	} else if (!err_is(&e, ERR_NONE)) {
		dial_failed(c, &e);
	}
}

static void hang_up(struct control_client *c)
{
	h2_client_free(TAKE(c->h2));
	conn_close(TAKE(c->io.conn));
}

static int talk(struct control_client *c, struct err *err)
{
	for (;;) {
		/* What comes while the peer is leaving is for the next connection. */
		if (h2_client_is_usable(c->h2))
			take_inbox(c);
		advance(c);
		if (c->io.peer_ended)
			return err_set(err, ERR_NETWORK, "peer closed the connection");
		if (!h2_client_is_usable(c->h2) && !c->active)
			return err_set(err, ERR_NETWORK, "peer ends the connection");
		if (control_io_turn(c->ctx, &c->io, INT64_MAX, err) < 0)
			return -1;
	}
}

static void serve_callers(struct control_client *c)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	talk(c, &e);
	if (!ctx_done(c->ctx) && !c->active)
		log_debug(&c->log, "control connection ended while idle: %s",
			  err_msg(&e));
	fail_active(c, &e);
	if (ctx_done(c->ctx)) {
		h2_client_goodbye(c->h2);
		control_io_farewell(&c->io, FAREWELL_MS);
	}
	hang_up(c);
}

static void run(void *arg)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	struct control_client *c = arg;

	while (!ctx_done(c->ctx)) {
		if (c->h2)
			serve_callers(c);
		else if (has_inbox(c))
			dial(c);
		else if (wake_wait(&c->wake, c->ctx, -1, &e) < 0)
			break;
	}
	if (err_is(&e, ERR_NONE))
		err_set(&e, ERR_CANCELLED, "cancelled");
	if (c->h2)
		hang_up(c);
	take_inbox(c);
	fail_active(c, &e);
}

/* ---- callers ---- */

static struct conn *dial_connector(struct ctx *ctx, void *arg, struct err *err)
{
	struct control_client *c = arg;
	cleanup(conn_closep) struct conn *conn = connector_dial(ctx, c->connector, err);

	if (!conn)
		return NULL;
	if (hello_dial(ctx, conn, HELLO_CONTROL, c->env, err) < 0) {
		err_wrap(err, "%s", connector_target(c->connector));
		return NULL;
	}
	return TAKE(conn);
}

struct control_client *control_client_open_with(control_dial_fn *dial_fn, void *arg,
						const struct log *log)
{
	struct control_client *c = xcalloc(1, sizeof(*c));

	c->dial = dial_fn;
	c->arg = arg;
	c->log = *log;
	c->ctx = ctx_new(NULL);
	c->wake.fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

struct control_client *control_client_open(struct connector *to, const struct env *env,
					   const struct log *log)
{
	struct control_client *c = control_client_open_with(dial_connector, NULL, log);

	c->arg = c;
	c->connector = to;
	c->env = env;
	return c;
}

void control_client_close(struct control_client *c)
{
	if (!c)
		return;
	ctx_cancel(c->ctx);
	thread_join(&c->thread);
	assert(!c->inbox && !c->active);
	wake_fini(&c->wake);
	pthread_mutex_destroy(&c->lock);
	ctx_free(c->ctx);
	free(c);
}

/* With what it will wait on, so that it cannot lack that later. */
static int start_locked(struct control_client *c, struct err *err)
{
	if (c->thread.running)
		return 0;
	if (c->wake.fd < 0 && wake_open(&c->wake, err) < 0)
		return -1;
	if (ctx_poll(c->ctx, NULL, 0, 0, err) < 0)
		return -1;
	thread_start(&c->thread, "rpc-calls", run, c);
	return 0;
}

static int submit(struct control_client *c, struct group *g, struct err *err)
{
	int r;

	pthread_mutex_lock(&c->lock);
	r = start_locked(c, err);
	if (r == 0) {
		struct group **end = &c->inbox;

		while (*end)
			end = &(*end)->next;
		*end = g;
		wake_signal(&c->wake);
	}
	pthread_mutex_unlock(&c->lock);
	return r;
}

static void remove_from_inbox(struct control_client *c, struct group *g)
{
	struct group **at = &c->inbox;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	g->state = FINISHED;
	if (!c->inbox && c->dialling)
		ctx_cancel(c->dialling);
}

/* The caller does not wait any longer. */
static void withdraw(struct control_client *c, struct group *g)
{
	enum state st;

	pthread_mutex_lock(&c->lock);
	if (g->state == QUEUED) {
		remove_from_inbox(c, g);
	} else if (g->state == ACTIVE) {
		g->is_withdrawn = true;
		wake_signal(&c->wake);
	}
	st = g->state;
	pthread_mutex_unlock(&c->lock);
	/* Until the I/O thread has let go of it, which never waits long. */
	while (st != FINISHED) {
		wake_await(&g->finished);
		pthread_mutex_lock(&c->lock);
		st = g->state;
		pthread_mutex_unlock(&c->lock);
	}
}

int control_calls(struct ctx *ctx, struct control_client *c, const char *method,
		  struct control_call *calls, size_t n, struct err *err)
{
	struct group g = { .calls = calls, .n = n };
	int r;

	if (n == 0)
		return 0;
	if (wake_open(&g.finished, err) < 0)
		return -1;
	g.path = xasprintf("/Replication/%s", method);
	r = submit(c, &g, err);
	if (r == 0) {
		r = wake_wait(&g.finished, ctx, -1, err) < 0 ? -1 : 0;
		withdraw(c, &g);
	}
	if (r == 0 && !err_is(&g.err, ERR_NONE)) {
		err_move(err, &g.err);
		r = -1;
	}
	err_clear(&g.err);
	free(g.path);
	wake_fini(&g.finished);
	return r;
}
