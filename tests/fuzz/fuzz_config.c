/* Configurations: what is accepted needs no further checks, errors are lines. */
#include "codec/dsname.h"
#include "conf/config.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_number(const char *s)
{
	assert(is_digit(*s));
	while (is_digit(*s))
		s++;
	return s;
}

/* "FILE:LINE:COLUMN: what", and nothing that a terminal would mind. */
static void check_line(struct view line)
{
	static const char file[] = "/nonexistent/t.yml:";
	const char *at = line.p + sizeof(file) - 1;

	for (size_t i = 0; i < line.len; i++)
		assert((unsigned char)line.p[i] >= ' ' && line.p[i] != 0x7f);
	/* What it includes may be there, in the working directory. */
	assert(memchr(line.p, ':', line.len));
	if (strncmp(line.p, file, sizeof(file) - 1) != 0)
		return;
	assert(line.len > sizeof(file));
	/* A few are about the file as a whole. */
	if (!is_digit(*at))
		return;
	at = skip_number(at);
	assert(*at == ':');
	at = skip_number(at + 1);
	assert(at[0] == ':' && at[1] == ' ' && at + 2 < line.p + line.len);
}

/* All problems, and perhaps how many more there are. */
static void check_lines(const char *msg)
{
	size_t n = 0;

	for (;; n++) {
		struct view line = { msg, strcspn(msg, "\n") };

		if (n < CONFIG_MAX_PROBLEMS)
			check_line(line);
		else
			assert(strncmp(msg, "and ", 4) == 0);
		if (!msg[line.len])
			break;
		msg += line.len + 1;
	}
	assert(n <= CONFIG_MAX_PROBLEMS);
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
		for (size_t n = 0; n < k->grid.n; n++)
			assert(k->grid.v[n].repeat > 0 && k->grid.v[n].length_s > 0 &&
			       (k->grid.v[n].keep > 0 ||
				k->grid.v[n].keep == GRID_KEEP_ALL));
	}
}

static void check_hook(const struct conf_hook *h)
{
	assert(hook_type_name(h->type));
	assert(h->timeout_ms > 0);
	switch (h->type) {
	case HOOK_COMMAND:
		assert(*h->path);
		break;
	case HOOK_POSTGRES_CHECKPOINT:
		assert(*h->dsn && h->filesystems.n > 0);
		break;
	case HOOK_MYSQL_LOCK_TABLES:
		assert(*h->dsn && h->filesystems.n > 0);
		assert(h->mysql.user && h->mysql.password && h->mysql.database);
		assert(!h->mysql.host != !h->mysql.socket);
		assert(!h->mysql.host || h->mysql.port);
		break;
	}
}

/* Snapshots at that time, and later, have names that ZFS takes. */
static void check_schedule(const struct conf_snapshotting *s)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	int64_t now = 1700000000, next;
	cleanup(str_freep) char *name =
		snapname_at(s->name, (struct timespec){ .tv_sec = now });

	assert(dsname_check_component(name, &err) == 0);
	assert(strncmp(name, s->prefix, strlen(s->prefix)) == 0);
	if (s->type == SNAPSHOTTING_PERIODIC) {
		assert(s->interval_s > 0 && !s->cron);
		return;
	}
	assert(*cron_text(s->cron));
	if (cron_next(s->cron, now, &next))
		assert(next > now &&
		       next <= now + (CRON_MAX_YEARS + 1) * INT64_C(31622400));
}

static void check_snapshots(const struct conf_job *j)
{
	const struct conf_snapshotting *s = &j->snapshotting;

	assert(j->filesystems.n > 0);
	assert(snapshotting_type_name(s->type));
	if (s->type == SNAPSHOTTING_MANUAL)
		return;
	assert(s->name && *s->prefix && *s->timestamp_format);
	check_schedule(s);
	for (size_t i = 0; i < s->n_hooks; i++)
		check_hook(&s->hooks[i]);
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

static void check_outlets(const struct conf_global *g)
{
	size_t n[] = { [OUTLET_STDOUT] = 0, [OUTLET_SYSLOG] = 0, [OUTLET_TCP] = 0 };

	assert(g->n_outlets > 0);
	for (size_t i = 0; i < g->n_outlets; i++) {
		const struct conf_outlet *o = &g->outlets[i];

		n[o->type]++;
		assert(log_level_name(o->level) && o->format <= LOG_FORMAT_JSON);
		assert(o->type == OUTLET_STDOUT || o->retry_interval_ms > 0);
		assert(o->type != OUTLET_SYSLOG || o->facility <= 23);
		assert(o->type != OUTLET_TCP || (o->address.host && o->address.port));
		if (o->has_tls)
			check_tls(&o->tls);
	}
	assert(n[OUTLET_STDOUT] <= 1 && n[OUTLET_SYSLOG] <= 1);
}

static void check_global(const struct conf_global *g)
{
	check_outlets(g);
	assert(*g->control_sockpath && g->stdinserver_sockdir);
	assert(!g->prometheus ||
	       (g->prometheus->listen.host && g->prometheus->listen.port));
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
	check_global(&c->global);
	for (size_t i = 0; i < c->n_warnings; i++)
		check_line(view_of(c->warnings[i]));
	for (size_t i = 0; i < c->n_jobs; i++)
		check_job(c, &c->jobs[i]);
	return 0;
}
