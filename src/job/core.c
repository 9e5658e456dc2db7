#include "job/core.h"

#include "endpoint/sender.h"

static const struct conf_bandwidth *bandwidth_of(const struct conf_job *conf)
{
	switch (conf->type) {
	case JOB_PUSH:
	case JOB_SOURCE:
		return &conf->send.bandwidth;
	case JOB_PULL:
	case JOB_SINK:
		return &conf->recv.bandwidth;
	case JOB_SNAP:
		break;
	}
	return NULL;
}

void core_init(struct job_core *c, const struct conf_job *conf,
	       const struct job_surroundings *s)
{
	const struct conf_bandwidth *b = bandwidth_of(conf);

	*c = (struct job_core){ .conf = conf, .s = s, .log = s->log };
	c->log.job = conf->name;
	c->log.subsystem = "job";
	c->zfs = zfs_for(s->zfs, &c->log);
	if (b && b->max > 0)
		c->limit = rate_new(b->max, b->bucket_capacity);
}

void core_fini(struct job_core *c)
{
	rate_free(c->limit);
	zfs_free(c->zfs);
}

struct endpoint *core_sender(const struct job_core *c)
{
	return sender_new(&(struct sender_opts){
		.job = c->conf->name,
		.filter = &c->conf->filesystems,
		.flags = &c->conf->send,
		.zfs = c->zfs,
		.limit = c->limit,
		.log = log_with_subsystem(&c->log, "endpoint"),
	});
}

struct receiver *core_receiver(const struct job_core *c)
{
	return receiver_new(&(struct receiver_opts){
		.job = c->conf->name,
		.root_fs = c->conf->root_fs,
		.recv = &c->conf->recv,
		.zfs = c->zfs,
		.env = c->s->env,
		.limit = c->limit,
		.log = log_with_subsystem(&c->log, "endpoint"),
	});
}

struct snapper *core_snapper(const struct job_core *c, snapper_cycle_fn *on_cycle,
			     void *arg)
{
	return snapper_new(&(struct snapper_opts){
		.conf = &c->conf->snapshotting,
		.filter = &c->conf->filesystems,
		.zfs = c->zfs,
		.env = c->s->env,
		.log = log_with_subsystem(&c->log, "snapshot"),
		.on_cycle = on_cycle,
		.on_cycle_arg = arg,
	});
}

int core_snapshot(const struct job_core *c, struct snapper *snapper, struct err *err)
{
	if (!snapper)
		return err_set(err, ERR_INVALID,
			       "job \"%s\" takes no snapshots: it is a %s job",
			       c->conf->name, job_type_name(c->conf->type));
	if (snapper_trigger(snapper, err) < 0)
		return -1;
	log_info(&c->log, "snapshots are asked for by a signal");
	return 0;
}
