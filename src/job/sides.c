#include "job/sides.h"

void sides_maker_init(struct sides_maker *m, const struct job_core *core)
{
	const struct conf_job *conf = core->conf;

	*m = (struct sides_maker){ .core = core };
	if (conf->type == JOB_PULL)
		m->receiver = core_receiver(core);
	if (conf->type == JOB_SNAP || conf->connect.type == CONNECT_LOCAL)
		return;
	m->connector = connector_new(&conf->connect, &core->log);
	m->remote = (struct rpc_client_opts){
		.peer = conf->type == JOB_PULL ? RPC_SENDER : RPC_RECEIVER,
		.connector = m->connector,
		.env = core->s->env,
		.log = core->log,
	};
}

void sides_maker_fini(struct sides_maker *m)
{
	receiver_free(m->receiver);
	connector_free(m->connector);
	*m = (struct sides_maker){ 0 };
}

static struct endpoint *connect_peer(const struct sides_maker *m, enum rpc_side wanted,
				     struct err *err)
{
	if (m->connector)
		return rpc_client_new(&m->remote);
	return offers_connect(m->core->s->offers, &m->core->conf->connect, wanted, err);
}

int sides_open(const struct sides_maker *m, struct sides *s, struct err *err)
{
	if (m->receiver) {
		s->receiver = receiver_for(m->receiver, NULL, err);
		if (!s->receiver)
			return -1;
		s->sender = connect_peer(m, RPC_SENDER, err);
		return s->sender ? 0 : -1;
	}
	s->sender = core_sender(m->core);
	if (m->core->conf->type == JOB_SNAP)
		return 0;
	s->receiver = connect_peer(m, RPC_RECEIVER, err);
	return s->receiver ? 0 : -1;
}

void sides_close(struct sides *s)
{
	ep_close(s->sender);
	ep_close(s->receiver);
}

static const struct conf_keeps *rules_of(const struct conf_job *conf,
					 enum prune_side side)
{
	switch (side) {
	case PRUNE_SENDER:
		return &conf->keep_sender;
	case PRUNE_RECEIVER:
		return &conf->keep_receiver;
	case PRUNE_LOCAL:
		break;
	}
	return &conf->keep;
}

/* Only guarantee_nothing leaves no cursor; it is enough if either step may. */
static bool may_lack_cursor(const struct conf_replication *r)
{
	return r->protect_initial == PROTECTION_NOTHING ||
	       r->protect_incremental == PROTECTION_NOTHING;
}

struct pruner_opts sides_pruner_opts(const struct job_core *core, const struct sides *s,
				     enum prune_side side)
{
	return (struct pruner_opts){
		.side = side,
		.target = side == PRUNE_RECEIVER ? s->receiver : s->sender,
		.sender = s->sender,
		.rules = rules_of(core->conf, side),
		.cursor_may_be_missing =
			side != PRUNE_LOCAL && may_lack_cursor(&core->conf->replication),
		.log = log_with_subsystem(&core->log, "pruning"),
	};
}
