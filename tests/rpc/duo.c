#include "duo.h"

#include "base/vec.h"

#include <assert.h>

struct served {
	struct endpoint ep;
	struct duo *d;
};

static struct duo *duo_of(struct endpoint *e)
{
	return CONTAINER_OF(e, struct served, ep)->d;
}

static struct endpoint *behind(struct endpoint *e)
{
	return &duo_of(e)->w.sender.ep;
}

static void note(struct duo *d, const char *what, const char *fs)
{
	pthread_mutex_lock(&d->w.lock);
	strs_addf(&d->asked, "%s %s", what, fs);
	pthread_mutex_unlock(&d->w.lock);
}

/* ---- questions ---- */

static int list_filesystems(struct ctx *ctx, struct endpoint *e,
			    struct ep_filesystems *out, struct err *err)
{
	return behind(e)->ops->list_filesystems(ctx, behind(e), out, err);
}

static int list_versions(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
			 struct ep_version_lists *out, struct err *err)
{
	return behind(e)->ops->list_versions(ctx, behind(e), paths, out, err);
}

static int cursors(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
		   struct ep_cursors *out, struct err *err)
{
	(void)ctx;
	(void)err;
	for (size_t i = 0; i < paths->n; i++) {
		struct ep_cursor c = { .path = xstrdup(paths->v[i]) };

		note(duo_of(e), "cursor", paths->v[i]);
		c.exists = strcmp(c.path, "a") == 0;
		c.guid = c.exists ? 7 : 0;
		if (strcmp(c.path, "missing") == 0)
			err_set(&c.err, ERR_NOT_FOUND, "dataset does not exist");
		VEC_PUSH(out, c);
	}
	return 0;
}

static int send_dry(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		    uint64_t *bytes, struct err *err)
{
	return behind(e)->ops->send_dry(ctx, behind(e), req, bytes, err);
}

static int send_completed(struct ctx *ctx, struct endpoint *e,
			  const struct ep_send_req *req, struct err *err)
{
	return behind(e)->ops->send_completed(ctx, behind(e), req, err);
}

static int destroy_snapshots(struct ctx *ctx, struct endpoint *e, const char *fs,
			     const struct strs *names, struct ep_destroy_results *out,
			     struct err *err)
{
	(void)ctx;
	note(duo_of(e), "destroy", fs);
	if (strcmp(fs, "missing") == 0)
		return err_set(err, ERR_NOT_FOUND, "dataset does not exist");
	for (size_t i = 0; i < names->n; i++) {
		struct err r = ERR_INIT;

		if (strcmp(names->v[i], "held") == 0)
			err_set(&r, ERR_BUSY, "snapshot is held");
		VEC_PUSH(out, r);
	}
	return 0;
}

/* ---- streams ---- */

static int send_flow(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		     struct ep_stream **out, struct err *err)
{
	struct duo *d = duo_of(e);
	struct ep_stream *unused;

	note(d, req->token ? req->token : "send", req->fs);
	/* it fails, counts and blocks as it is told */
	if (behind(e)->ops->send(ctx, behind(e), req, &unused, err) < 0)
		return -1;
	stream_finish(unused, err);
	err_clear(err);
	*out = flow_new(&d->flow);
	return 0;
}

static int receive(struct ctx *ctx, struct endpoint *e, const struct ep_recv_req *req,
		   struct ep_stream *in, struct err *err)
{
	struct duo *d = duo_of(e);
	struct flow_sink sink = { .peek = d->sink.peek,
				  .stop_after = d->sink.stop_after,
				  .keep = d->sink.keep,
				  .moved = &d->streaming };
	int r;

	note(d, req->clear_token ? "receive" : "resume", req->fs);
	if (strcmp(req->fs, "full") == 0)
		return err_set(err, ERR_CHILD, "cannot receive: disk full");
	r = flow_drain(ctx, in, &sink, err);
	atomic_store(r < 0 ? &d->failed_after : &d->received, atomic_load(&sink.got));
	if (atomic_load(&sink.is_wrong))
		atomic_store(&d->sink.is_wrong, true);
	if (r < 0)
		return err_wrap(err, "cannot receive");
	if (d->receive_error)
		return err_set(err, ERR_CHILD, "%s", d->receive_error);
	return 0;
}

static void close_served(struct endpoint *e)
{
	atomic_fetch_sub(&duo_of(e)->n_endpoints, 1);
	free(CONTAINER_OF(e, struct served, ep));
}

static const struct endpoint_ops sender_ops = {
	.list_filesystems = list_filesystems,
	.list_versions = list_versions,
	.cursors = cursors,
	.send_dry = send_dry,
	.send = send_flow,
	.send_completed = send_completed,
	.destroy_snapshots = destroy_snapshots,
	.close = close_served,
};

static const struct endpoint_ops receiver_ops = {
	.list_filesystems = list_filesystems,
	.list_versions = list_versions,
	.receive = receive,
	.destroy_snapshots = destroy_snapshots,
	.close = close_served,
};

static struct endpoint *open_served(void *arg, const char *identity, struct err *err)
{
	struct duo *d = arg;
	struct served *s;

	note(d, "endpoint", identity);
	if (atomic_load(&d->is_refused)) {
		err_set(err, ERR_INVALID, "no endpoint for %s", identity);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->d = d;
	s->ep = d->side == RPC_SENDER ? (struct endpoint){ &sender_ops, "sender" }
				      : (struct endpoint){ &receiver_ops, "receiver" };
	atomic_fetch_add(&d->n_endpoints, 1);
	return &s->ep;
}

/* ---- both ---- */

static void collect(void *arg, const struct log_entry *e)
{
	struct duo *d = arg;

	fake_log(&d->w, e);
	sem_post(&d->said);
}

void duo_wait_for_log(struct duo *d, const char *text)
{
	while (fake_logged(&d->w, text) == 0)
		sem_wait(&d->said);
}

static void run_server(void *arg)
{
	struct duo *d = arg;

	rpc_server_run(d->server_ctx, d->server);
}

void duo_init(struct duo *d, enum rpc_side served)
{
	static const struct conf_global global = { 0 };

	*d = (struct duo){ .side = served, .env = env_defaults() };
	d->env.rpc_ping_sleep_ms = 1;
	fake_net_init(&d->net);
	fake_init(&d->w);
	sem_init(&d->streaming, 0, 0);
	sem_init(&d->said, 0, 0);
	d->server_ctx = ctx_new(NULL);
	d->ctx = ctx_new(NULL);
	ctx_set_timeout(d->ctx, 60 * 1000); /* no test takes so long unless it fails */
	d->server = rpc_server_new(&(struct rpc_server_opts){
		.conf = &d->net.conf,
		.global = &global,
		.env = &d->env,
		.log = { collect, d, "sink", "endpoint" },
		.endpoint = open_served,
		.arg = d,
	});
	d->client = rpc_client_new(&(struct rpc_client_opts){
		.peer = served,
		.connector = &d->net.connector,
		.env = &d->env,
		.log = { collect, d, "push", "repl" },
	});
}

void duo_start(struct duo *d)
{
	thread_start(&d->thread, "server", run_server, d);
}

void duo_stop_server(struct duo *d)
{
	ctx_cancel(d->server_ctx);
	thread_join(&d->thread);
}

void duo_fini(struct duo *d)
{
	ep_close(d->client);
	duo_stop_server(d);
	assert(atomic_load(&d->n_endpoints) == 0);
	assert(d->net.n_open_listeners == 0);
	assert(d->w.open_streams == 0);
	assert(!atomic_load(&d->sink.is_wrong));
	rpc_server_free(d->server);
	ctx_free(d->ctx);
	ctx_free(d->server_ctx);
	fake_fini(&d->w);
	fake_net_fini(&d->net);
	strs_free(&d->asked);
	sem_destroy(&d->streaming);
	sem_destroy(&d->said);
	err_clear(&d->err);
}

static char name_a[] = "a", name_b[] = "b";
static const struct version a1 = { .name = name_a, .guid = 1, .createtxg = 1 };
static const struct version b2 = { .name = name_b, .guid = 2, .createtxg = 2 };
static const struct ep_protection protection = { PROTECTION_RESUMABILITY,
						 PROTECTION_INCREMENTAL };

struct ep_send_req duo_send_req(const char *fs)
{
	return (struct ep_send_req){
		.fs = fs, .from = &a1, .to = &b2, .protection = protection
	};
}

struct ep_recv_req duo_recv_req(const char *fs)
{
	return (struct ep_recv_req){
		.fs = fs, .to = &b2, .clear_token = true, .protection = protection
	};
}
