#include "rpc/server_visits.h"

#include "base/thread.h"
#include "base/wake.h"
#include "net/refusals.h"
#include "rpc/hello.h"
#include "rpc/session.h"

#include <inttypes.h>

enum visit_state { VISIT_HALF_OPEN, VISIT_OPEN, VISIT_GONE };

struct visit {
	struct visit *next; /* younger; guarded by visits.lock */
	struct visits *all;
	struct thread thread;
	struct ctx *ctx;
	struct visitor *visitor; /* the visit's thread's */
	char *origin;
	/* guarded by visits.lock */
	enum visit_state state;
	char *identity; /* once open */
	bool gives_way;
};

struct visits {
	struct rpc_server_opts o;
	struct wake gone;
	pthread_mutex_t lock;
	struct visit *oldest;
	size_t n[VISIT_GONE + 1]; /* in each state; guarded by lock */
	struct refusals refusals; /* guarded by lock */
};

/* ---- what the log says ---- */

/* Peers decide how often; so not every time. */
static void complain(struct visit *v, const struct err *why)
{
	struct visits *s = v->all;
	uint64_t unsaid = 0;
	char others[24];
	bool is_said;

	pthread_mutex_lock(&s->lock);
	is_said = refusals_say(&s->refusals, v->origin, err_msg(why), now_ms(), &unsaid);
	pthread_mutex_unlock(&s->lock);
	if (!is_said)
		return;
	snprintf(others, sizeof(others), "%" PRIu64, unsaid);
	log_at(&s->o.log, LOG_WARN,
	       LOG_FIELDS({ "origin", v->origin },
			  { "client_identity", v->identity ? v->identity : "" },
			  { "err", err_msg(why) }, { "not_logged_before", others }),
	       "connection failed");
}

/* ---- a visit, in its thread ---- */

static void set_state(struct visit *v, enum visit_state state)
{
	v->all->n[v->state]--;
	v->state = state;
	v->all->n[state]++;
}

/* Locked. */
static size_t count_open(const struct visits *s, const char *identity)
{
	size_t n = 0;

	for (const struct visit *v = s->oldest; v; v = v->next)
		n += v->state == VISIT_OPEN && strcmp(v->identity, identity) == 0;
	return n;
}

/* Locked. */
static int check_room(const struct visit *v, const char *identity, struct err *err)
{
	if (v->gives_way)
		return err_set(err, ERR_BUSY, "too many half-open connections");
	if (v->all->n[VISIT_OPEN] >= RPC_OPEN_MAX)
		return err_set(err, ERR_BUSY, "too many open connections");
	if (count_open(v->all, identity) >= RPC_OPEN_PER_CLIENT_MAX)
		return err_set(err, ERR_BUSY, "too many open connections of %s",
			       identity);
	return 0;
}

static int become_open(struct visit *v, const char *identity, struct err *err)
{
	int r;

	pthread_mutex_lock(&v->all->lock);
	r = check_room(v, identity, err);
	if (r == 0) {
		v->identity = xstrdup(identity);
		set_state(v, VISIT_OPEN);
	}
	pthread_mutex_unlock(&v->all->lock);
	return r;
}

/* TLS has a limit of its own for its handshake, from the configuration. */
static struct conn *admit(struct visit *v, struct err *err)
{
	const struct rpc_server_opts *o = &v->all->o;
	cleanup(ctx_freep) struct ctx *bounded = ctx_new(v->ctx);

	if (o->conf->type != SERVE_TLS)
		ctx_set_timeout(bounded, o->env->rpc_server_handshake_ms);
	return visitor_admit(bounded, TAKE(v->visitor), err);
}

static int serve(struct visit *v, struct conn *taken, enum hello_label label,
		 struct err *err)
{
	const struct rpc_server_opts *o = &v->all->o;
	cleanup(conn_closep) struct conn *c = taken;
	struct session session = { .env = o->env, .log = &o->log, .client = v->identity };
	cleanup(ep_closep) struct endpoint *ep = o->endpoint(o->arg, v->identity, err);

	if (!ep)
		return -1;
	session.ep = ep;
	switch (label) {
	case HELLO_CONTROL:
		return session_control(v->ctx, &session, TAKE(c), err);
	case HELLO_DATA:
		return session_bulk(v->ctx, &session, TAKE(c), err);
	}
	return err_set(err, ERR_INTERNAL, "label %d", (int)label);
}

static int visit(struct visit *v, struct err *err)
{
	cleanup(conn_closep) struct conn *c = admit(v, err);
	enum hello_label label;

	if (!c || hello_accept(v->ctx, c, v->all->o.env, &label, err) < 0 ||
	    become_open(v, conn_identity(c), err) < 0)
		return -1;
	return serve(v, TAKE(c), label, err);
}

static void visit_run(void *arg)
{
	struct visit *v = arg;
	cleanup(err_clear) struct err err = ERR_INIT;
	bool gives_way;
	int r = visit(v, &err);

	pthread_mutex_lock(&v->all->lock);
	gives_way = v->gives_way;
	set_state(v, VISIT_GONE);
	pthread_mutex_unlock(&v->all->lock);
	if (r < 0 && gives_way)
		err_set(&err, ERR_BUSY, "too many half-open connections");
	if (r < 0 && !err_is(&err, ERR_CANCELLED)) /* or we are being stopped */
		complain(v, &err);
	wake_signal(&v->all->gone);
}

/* ---- all of them, in the accepting thread ---- */

struct visits *visits_new(const struct rpc_server_opts *o)
{
	struct visits *s = xcalloc(1, sizeof(*s));

	s->o = *o;
	wake_init(&s->gone);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void visits_free(struct visits *s)
{
	if (!s)
		return;
	wake_fini(&s->gone);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int visits_fd(const struct visits *s)
{
	return s->gone.fd;
}

void visits_count(struct visits *s, size_t *half_open, size_t *open)
{
	pthread_mutex_lock(&s->lock);
	*half_open = s->n[VISIT_HALF_OPEN];
	*open = s->n[VISIT_OPEN];
	pthread_mutex_unlock(&s->lock);
}

/* Waits for its thread. */
static void remove_visit(struct visits *s, struct visit *v)
{
	struct visit **at = &s->oldest;

	thread_join(&v->thread);
	pthread_mutex_lock(&s->lock);
	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
	s->n[v->state]--;
	pthread_mutex_unlock(&s->lock);
	ctx_free(v->ctx);
	free(v->origin);
	free(v->identity);
	free(v);
}

/* The oldest one in that state, or NULL. */
static struct visit *find(struct visits *s, enum visit_state state)
{
	struct visit *v;

	pthread_mutex_lock(&s->lock);
	v = s->oldest;
	while (v && v->state != state)
		v = v->next;
	pthread_mutex_unlock(&s->lock);
	return v;
}

void visits_reap(struct visits *s)
{
	struct visit *v;

	wake_clear(&s->gone);
	while ((v = find(s, VISIT_GONE)))
		remove_visit(s, v);
}

/* Locked. */
static size_t half_open_of(const struct visits *s, const char *origin)
{
	size_t n = 0;

	for (const struct visit *v = s->oldest; v; v = v->next)
		n += v->state == VISIT_HALF_OPEN && strcmp(v->origin, origin) == 0;
	return n;
}

/* Locked. */
static struct visit *oldest_of_the_greediest(const struct visits *s)
{
	struct visit *found = NULL;
	size_t most = 0;

	for (struct visit *v = s->oldest; v; v = v->next) {
		size_t n = v->state == VISIT_HALF_OPEN ? half_open_of(s, v->origin) : 0;

		if (n > most) {
			most = n;
			found = v;
		}
	}
	return found;
}

/* It is told to go, and does at once: whatever it waits for ends with its ctx. */
static void make_room(struct visits *s)
{
	struct visit *v = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->n[VISIT_HALF_OPEN] >= RPC_HALF_OPEN_MAX)
		v = oldest_of_the_greediest(s);
	if (v)
		v->gives_way = true;
	pthread_mutex_unlock(&s->lock);
	if (!v)
		return;
	ctx_cancel(v->ctx);
	remove_visit(s, v);
}

void visits_add(struct visits *s, struct ctx *ctx, struct visitor *visitor)
{
	struct visit *v = xcalloc(1, sizeof(*v));
	struct visit **at = &s->oldest;

	make_room(s);
	v->all = s;
	v->ctx = ctx_new(ctx);
	v->visitor = visitor;
	v->origin = xstrdup(visitor_origin(visitor));
	pthread_mutex_lock(&s->lock);
	while (*at)
		at = &(*at)->next;
	*at = v;
	s->n[VISIT_HALF_OPEN]++;
	pthread_mutex_unlock(&s->lock);
	thread_start(&v->thread, "visit", visit_run, v);
}

void visits_end_half_open(struct visits *s)
{
	struct visit *v;

	while ((v = find(s, VISIT_HALF_OPEN))) {
		ctx_cancel(v->ctx);
		remove_visit(s, v);
	}
}

void visits_join(struct visits *s)
{
	while (s->oldest)
		remove_visit(s, s->oldest);
}
