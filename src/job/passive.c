#include "job/passive.h"

#include "base/thread.h"

struct passive {
	const struct job_core *core;
	struct ctx *ctx;           /* while started; borrowed */
	struct receiver *receiver; /* sink */
	struct snapper *snapper;   /* source */
	struct rpc_server *server; /* NULL: local */
	struct rpc_server_opts serve;
	struct thread server_thread, snapper_thread;
};

static struct endpoint *endpoint_for(void *arg, const char *identity, struct err *err)
{
	struct passive *p = arg;

	if (p->receiver)
		return receiver_for(p->receiver, identity, err);
	return core_sender(p->core);
}

static void run_server(void *arg)
{
	struct passive *p = arg;

	rpc_server_run(p->ctx, p->server);
}

static void run_snapper(void *arg)
{
	struct passive *p = arg;

	snapper_run(p->ctx, p->snapper);
}

static void offer(struct passive *p)
{
	offers_add(p->core->s->offers,
		   &(struct offer){
			   .listener_name = p->core->conf->serve.listener_name,
			   .side = p->receiver ? RPC_RECEIVER : RPC_SENDER,
			   .endpoint = endpoint_for,
			   .arg = p,
		   });
}

struct passive *passive_new(const struct job_core *core)
{
	struct passive *p = xcalloc(1, sizeof(*p));

	p->core = core;
	if (core->conf->type == JOB_SINK)
		p->receiver = core_receiver(core);
	else
		p->snapper = core_snapper(core, NULL, NULL);
	p->serve = (struct rpc_server_opts){
		.conf = &core->conf->serve,
		.global = core->s->global,
		.env = core->s->env,
		.log = core->log,
		.endpoint = endpoint_for,
		.arg = p,
	};
	if (core->conf->serve.type == SERVE_LOCAL)
		offer(p);
	else
		p->server = rpc_server_new(&p->serve);
	return p;
}

void passive_free(struct passive *p)
{
	if (!p)
		return;
	rpc_server_free(p->server);
	receiver_free(p->receiver);
	snapper_free(p->snapper);
	free(p);
}

void passive_start(struct passive *p, struct ctx *ctx)
{
	p->ctx = ctx;
	if (p->server)
		thread_start(&p->server_thread, "server", run_server, p);
	if (p->snapper)
		thread_start(&p->snapper_thread, "snapper", run_snapper, p);
}

void passive_stop(struct passive *p)
{
	thread_join(&p->server_thread);
	thread_join(&p->snapper_thread);
}

int passive_snapshot(struct passive *p, struct err *err)
{
	return core_snapshot(p->core, p->snapper, err);
}

void passive_status(struct passive *p, struct job_status *out)
{
	out->has_snapper = p->snapper != NULL;
	if (p->snapper)
		snapper_report(p->snapper, &out->snapper);
	out->has_listener = p->server != NULL;
	if (p->server)
		rpc_server_report(p->server, &out->listener);
}
