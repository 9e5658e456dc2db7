#include "rpc/server_visits.h"

enum {
	PAUSE_FIRST_MS = 250, /* somebody else may just be leaving the port */
	PAUSE_MAX_MS = 30000,
	ACCEPT_MAX = 64, /* at a time: those who have gone are waited for, too */
};

struct rpc_server {
	struct rpc_server_opts o;
	struct visits *visits;
	pthread_mutex_t lock;
	char *address;    /* guarded by lock */
	struct err error; /* guarded by lock */
};

struct rpc_server *rpc_server_new(const struct rpc_server_opts *o)
{
	struct rpc_server *s = xcalloc(1, sizeof(*s));

	s->o = *o;
	s->visits = visits_new(o);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void rpc_server_free(struct rpc_server *s)
{
	if (!s)
		return;
	visits_free(s->visits);
	pthread_mutex_destroy(&s->lock);
	free(s->address);
	err_clear(&s->error);
	free(s);
}

/* ---- what it is at ---- */

void rpc_server_report(struct rpc_server *s, struct rpc_server_report *out)
{
	*out = (struct rpc_server_report){ 0 };
	pthread_mutex_lock(&s->lock);
	out->address = xstrdup_or_null(s->address);
	err_copy(&out->error, &s->error);
	pthread_mutex_unlock(&s->lock);
	visits_count(s->visits, &out->half_open, &out->open);
}

void rpc_server_report_free(struct rpc_server_report *r)
{
	free(r->address);
	err_clear(&r->error);
	*r = (struct rpc_server_report){ 0 };
}

static void set_listening(struct rpc_server *s, const char *address)
{
	pthread_mutex_lock(&s->lock);
	free(s->address);
	s->address = xstrdup_or_null(address);
	err_clear(&s->error);
	pthread_mutex_unlock(&s->lock);
	if (address)
		log_info(&s->o.log, "listening on %s", address);
}

/* Logged unless it is what was said the last time. */
static void set_failed(struct rpc_server *s, const struct err *why)
{
	bool is_new;

	pthread_mutex_lock(&s->lock);
	is_new = s->error.kind == ERR_NONE ||
		 strcmp(err_msg(&s->error), err_msg(why)) != 0;
	free(s->address);
	s->address = NULL;
	err_copy(&s->error, why);
	pthread_mutex_unlock(&s->lock);
	if (is_new)
		log_at(&s->o.log, LOG_ERROR, LOG_FIELDS({ "err", err_msg(why) }),
		       "cannot listen; trying again until it works");
}

/* ---- listening ---- */

static int accept_some(struct ctx *ctx, struct rpc_server *s, struct listener *l,
		       struct err *err)
{
	for (int i = 0; i < ACCEPT_MAX; i++) {
		struct visitor *v;
		int r = listener_accept(l, &v, err);

		if (r <= 0)
			return r;
		visits_add(s->visits, ctx, v);
	}
	return 0;
}

/* -1: ctx is done, or the listener is of no use any more. */
static int listen_on(struct ctx *ctx, struct rpc_server *s, struct listener *l,
		     struct err *err)
{
	struct pollfd fds[2] = {
		{ .fd = listener_fd(l), .events = POLLIN },
		{ .fd = visits_fd(s->visits), .events = POLLIN },
	};

	for (;;) {
		if (ctx_poll(ctx, fds, ARRAY_LEN(fds), -1, err) < 0)
			return -1;
		visits_reap(s->visits);
		if (fds[0].revents && accept_some(ctx, s, l, err) < 0)
			return -1;
	}
}

/* Returns, with why, when it does not listen any more; *did_listen. */
static void listen_once(struct ctx *ctx, struct rpc_server *s, bool *did_listen,
			struct err *err)
{
	cleanup(listener_closep) struct listener *l =
		listener_open(s->o.conf, s->o.global, &s->o.log, err);

	*did_listen = l != NULL;
	if (!l)
		return;
	set_listening(s, listener_address(l));
	if (listen_on(ctx, s, l, err) < 0 && ctx_done(ctx))
		visits_join(s->visits);
	else
		visits_end_half_open(s->visits);
}

void rpc_server_run(struct ctx *ctx, struct rpc_server *s)
{
	int64_t pause = PAUSE_FIRST_MS;

	for (;;) {
		cleanup(err_clear) struct err err = ERR_INIT;
		bool did_listen;

		listen_once(ctx, s, &did_listen, &err);
		if (did_listen)
			pause = PAUSE_FIRST_MS;
		if (ctx_done(ctx))
			break;
		set_failed(s, &err);
		if (ctx_sleep(ctx, pause, &err) < 0)
			break;
		pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
	}
	visits_join(s->visits);
	set_listening(s, NULL);
}
