/* Configurations: what is accepted needs no further checks, errors are lines. */
#include "conf/config.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *msg)
{
	assert(strstr(msg, ":"));
	for (const char *c = msg; *c; c++)
		assert((unsigned char)*c >= ' ' && *c != 0x7f);
}

/* One for each problem, without a line that is empty. */
static void check_lines(const char *msg)
{
	char *copy = xstrdup(msg), *at = copy;

	assert(*at);
	for (char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		*end = '\0';
		check_line(at);
	}
	if (at == copy || strncmp(at, "and ", 4) != 0)
		check_line(at);
	free(copy);
}

static void check_keeps(const struct conf_keeps *keeps)
{
	assert(keeps->n > 0);
	for (size_t i = 0; i < keeps->n; i++) {
		const struct conf_keep *k = &keeps->v[i];

		assert(k->text && *k->text);
		assert(k->type != KEEP_LAST_N || k->count > 0);
		assert(k->type != KEEP_GRID || (k->grid.n > 0 && k->regex));
		assert(k->type != KEEP_REGEX || k->regex);
	}
}

static void check_hook(const struct conf_hook *h)
{
	assert(hook_type_name(h->type));
	assert(h->timeout_ms > 0);
	if (h->type == HOOK_COMMAND)
		assert(*h->path);
	else
		assert(*h->dsn && h->filesystems.n > 0);
	assert(h->type != HOOK_MYSQL_LOCK_TABLES || h->mysql.database);
}

static void check_outlet(const struct conf_outlet *o)
{
	assert(o->type == OUTLET_STDOUT || o->retry_interval_ms > 0);
	assert(o->facility <= 23);
	if (o->type == OUTLET_TCP)
		assert(o->address.host && o->address.port);
	if (o->has_tls)
		assert(*o->tls.ca && *o->tls.cert && *o->tls.key);
}

static void check_snapshots(const struct conf_job *j)
{
	assert(j->filesystems.n > 0);
	if (j->snapshotting.type == SNAPSHOTTING_MANUAL)
		return;
	assert(j->snapshotting.name && *j->snapshotting.prefix);
	if (j->snapshotting.type == SNAPSHOTTING_PERIODIC)
		assert(j->snapshotting.interval_s > 0);
	else
		assert(j->snapshotting.cron);
	for (size_t i = 0; i < j->snapshotting.n_hooks; i++)
		check_hook(&j->snapshotting.hooks[i]);
}

static void check_bandwidth(const struct conf_bandwidth *b)
{
	assert(b->max != 0 && b->bucket_capacity > 0);
}

static void check_recv(const struct conf_job *j)
{
	assert(*j->root_fs);
	check_bandwidth(&j->recv.bandwidth);
	for (size_t i = 0; i < j->recv.n_inherit; i++)
		assert(*j->recv.inherit[i]);
	for (size_t i = 0; i < j->recv.n_override; i++)
		assert(*j->recv.override[i].name && j->recv.override[i].value);
}

static void check_tls(const struct conf_tls *t)
{
	assert(*t->ca && *t->cert && *t->key);
}

static void check_connect(const struct conf_connect *c)
{
	assert(c->dial_timeout_ms >= 0);
	switch (c->type) {
	case CONNECT_LOCAL:
		assert(*c->listener_name && *c->client_identity);
		break;
	case CONNECT_TLS:
		check_tls(&c->tls);
		assert(*c->server_cn);
		break;
	case CONNECT_TCP:
		assert(c->address.host && c->address.port);
		break;
	case CONNECT_SSH:
		assert(*c->ssh_host && *c->ssh_user && *c->ssh_identity_file);
		assert(*c->ssh_command && c->ssh_port > 0);
		for (size_t i = 0; i < c->n_ssh_options; i++)
			assert(*c->ssh_options[i]);
		break;
	}
}

static void check_serve(const struct conf_serve *s)
{
	switch (s->type) {
	case SERVE_LOCAL:
		assert(*s->listener_name);
		break;
	case SERVE_TLS:
		check_tls(&s->tls);
		assert(s->handshake_timeout_ms >= 0);
		for (size_t i = 0; i < s->n_client_cns; i++)
			assert(*s->client_cns[i]);
		assert(*s->listen.port);
		break;
	case SERVE_TCP:
		assert(s->clients);
		break;
	case SERVE_STDINSERVER:
		for (size_t i = 0; i < s->n_client_identities; i++)
			assert(*s->client_identities[i]);
		break;
	}
}

static void check_active(const struct conf_job *j)
{
	check_keeps(&j->keep_sender);
	check_keeps(&j->keep_receiver);
	check_connect(&j->connect);
	assert(protection_name(j->replication.protect_initial));
	assert(protection_name(j->replication.protect_incremental));
	assert(initial_replication_name(j->replication.initial_replication));
	assert(j->replication.concurrency_steps > 0);
	assert(j->replication.concurrency_size_estimates > 0);
}

static void check_job(const struct config *c, const struct conf_job *j)
{
	for (const struct conf_job *other = c->jobs; other < j; other++)
		assert(strcmp(other->name, j->name) != 0);
	assert(job_type_name(j->type));
	assert(j->file && j->path && j->line > 0 && j->column > 0);
	switch (j->type) {
	case JOB_PUSH:
		check_snapshots(j);
		check_bandwidth(&j->send.bandwidth);
		check_active(j);
		break;
	case JOB_PULL:
		check_recv(j);
		check_active(j);
		assert(j->interval_s >= 0);
		break;
	case JOB_SINK:
		check_recv(j);
		check_serve(&j->serve);
		break;
	case JOB_SOURCE:
		check_snapshots(j);
		check_bandwidth(&j->send.bandwidth);
		check_serve(&j->serve);
		break;
	case JOB_SNAP:
		check_snapshots(j);
		check_keeps(&j->keep);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(config_freep) struct config *c = config_parse(
		"/nonexistent/t.yml", (struct view){ (const char *)data, size }, &e);

	if (!c) {
		check_lines(err_msg(&e));
		return 0;
	}
	assert(c->global.n_outlets > 0 && *c->global.control_sockpath);
	for (size_t i = 0; i < c->global.n_outlets; i++)
		check_outlet(&c->global.outlets[i]);
	for (size_t i = 0; i < c->n_warnings; i++)
		check_line(c->warnings[i]);
	for (size_t i = 0; i < c->n_jobs; i++)
		check_job(c, &c->jobs[i]);
	return 0;
}
