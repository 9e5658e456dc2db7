#include "show.h"

#include <inttypes.h>

/* ---- parts of jobs ---- */

static void show_filter(const struct dsfilter *f, struct buf *out)
{
	for (size_t i = 0; i < f->n; i++)
		buf_printf(out, "%s\"%s%s\" %s", i ? ", " : "", f->v[i].path,
			   f->v[i].subtree ? "<" : "", f->v[i].accept ? "yes" : "no");
	if (f->n == 0)
		buf_printf(out, "nothing");
}

static void show_texts(const char *const *v, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%s", i ? ", " : "", v[i]);
}

static void show_name(const struct conf_job *j, struct buf *out)
{
	buf_printf(out, "%s", j->name);
}

static void show_filesystems(const struct conf_job *j, struct buf *out)
{
	show_filter(&j->filesystems, out);
}

static void show_snapshotting(const struct conf_job *j, struct buf *out)
{
	const struct conf_snapshotting *s = &j->snapshotting;

	buf_printf(out, "%s", snapshotting_type_name(s->type));
	if (s->type == SNAPSHOTTING_MANUAL)
		return;
	if (s->type == SNAPSHOTTING_PERIODIC)
		buf_printf(out, " every %" PRId64 " s", s->interval_s);
	else
		buf_printf(out, " at %s", cron_text(s->cron));
	struct timespec t = { 1590969600, 123456789 };
	cleanup(str_freep) char *name = snapname_at(s->name, t);

	buf_printf(out, ", %s%s", name, s->skip_unchanged ? ", skip_unchanged" : "");
}

static void show_hooks(const struct conf_job *j, struct buf *out)
{
	for (size_t i = 0; i < j->snapshotting.n_hooks; i++) {
		const struct conf_hook *h = &j->snapshotting.hooks[i];

		buf_printf(out, "%s%s %s %" PRId64 " ms%s (", i ? "; " : "",
			   hook_type_name(h->type),
			   h->type == HOOK_COMMAND ? h->path : h->dsn, h->timeout_ms,
			   h->err_is_fatal ? " fatal" : "");
		show_filter(&h->filesystems, out);
		buf_printf(out, ")");
	}
	if (j->snapshotting.n_hooks == 0)
		buf_printf(out, "no hooks");
}

static void show_rules(const struct conf_keeps *keeps, struct buf *out)
{
	for (size_t i = 0; i < keeps->n; i++) {
		const struct conf_keep *k = &keeps->v[i];

		buf_printf(out, "%s%s", i ? "; " : "", k->text);
		if (k->type == KEEP_NOT_REPLICATED && !k->keep_snapshot_at_cursor)
			buf_printf(out, " not even at cursor");
		for (size_t n = 0; n < k->grid.n; n++)
			buf_printf(out,
				   " [%" PRId64 " of %" PRId64 " s keep %" PRId64 "]",
				   k->grid.v[n].repeat, k->grid.v[n].length_s,
				   k->grid.v[n].keep);
	}
}

static void show_keep(const struct conf_job *j, struct buf *out)
{
	show_rules(&j->keep, out);
}

static void show_keep_sender(const struct conf_job *j, struct buf *out)
{
	show_rules(&j->keep_sender, out);
}

static void show_keep_receiver(const struct conf_job *j, struct buf *out)
{
	show_rules(&j->keep_receiver, out);
}

static void show_tls(const struct conf_tls *t, struct buf *out)
{
	buf_printf(out, " ca %s cert %s key %s", t->ca, t->cert, t->key);
}

static void show_connect(const struct conf_job *j, struct buf *out)
{
	const struct conf_connect *c = &j->connect;

	buf_printf(out, "%s ", connect_type_name(c->type));
	switch (c->type) {
	case CONNECT_LOCAL:
		buf_printf(out, "%s as %s", c->listener_name, c->client_identity);
		break;
	case CONNECT_TCP:
		buf_printf(out, "[%s]:%s", c->address.host, c->address.port);
		break;
	case CONNECT_TLS:
		buf_printf(out, "[%s]:%s", c->address.host, c->address.port);
		show_tls(&c->tls, out);
		buf_printf(out, " of %s", c->server_cn);
		break;
	case CONNECT_SSH:
		buf_printf(out, "%s %s@%s:%" PRId64 " with %s -o (", c->ssh_command,
			   c->ssh_user, c->ssh_host, c->ssh_port, c->ssh_identity_file);
		show_texts(c->ssh_options, c->n_ssh_options, out);
		buf_printf(out, ")");
		break;
	}
	buf_printf(out, ", %" PRId64 " ms", c->dial_timeout_ms);
}

static void show_serve(const struct conf_job *j, struct buf *out)
{
	const struct conf_serve *s = &j->serve;

	buf_printf(out, "%s ", serve_type_name(s->type));
	if (s->type == SERVE_TCP || s->type == SERVE_TLS)
		buf_printf(out, "[%s]:%s%s ", s->listen.host, s->listen.port,
			   s->listen_freebind ? " freebind" : "");
	switch (s->type) {
	case SERVE_LOCAL:
		buf_printf(out, "%s", s->listener_name);
		break;
	case SERVE_TCP:
		for (size_t i = 0; i < s->n_client_texts; i++)
			buf_printf(out, "%s%s is %s", i ? ", " : "",
				   s->client_texts[i].address,
				   s->client_texts[i].identity);
		break;
	case SERVE_TLS:
		show_texts(s->client_cns, s->n_client_cns, out);
		show_tls(&s->tls, out);
		buf_printf(out, ", %" PRId64 " ms", s->handshake_timeout_ms);
		break;
	case SERVE_STDINSERVER:
		show_texts(s->client_identities, s->n_client_identities, out);
		break;
	}
}

static void show_limit(const struct conf_bandwidth *b, struct buf *out)
{
	buf_printf(out, "%" PRId64 " of %" PRId64, b->max, b->bucket_capacity);
}

/* Flags of zfs-send(8). */
static void show_send(const struct conf_job *j, struct buf *out)
{
	const struct conf_send *s = &j->send;

	buf_printf(out, "zfs send%s%s%s%s%s%s%s%s limit ",
		   s->encrypted ? " encrypted" : "", s->raw ? " -w" : "",
		   s->send_properties ? " -p" : "", s->backup_properties ? " -b" : "",
		   s->large_blocks ? " -L" : "", s->compressed ? " -c" : "",
		   s->embedded_data ? " -e" : "", s->saved ? " -S" : "");
	show_limit(&s->bandwidth, out);
}

static void show_recv(const struct conf_job *j, struct buf *out)
{
	static const char *const placeholder[] = { "unspecified", "inherit", "off" };
	const struct conf_recv *r = &j->recv;

	for (size_t i = 0; i < r->n_inherit; i++)
		buf_printf(out, "-x %s ", r->inherit[i]);
	for (size_t i = 0; i < r->n_override; i++)
		buf_printf(out, "-o %s=%s ", r->override[i].name, r->override[i].value);
	buf_printf(out, "placeholder %s limit ", placeholder[r->placeholder_encryption]);
	show_limit(&r->bandwidth, out);
}

static void show_replication(const struct conf_job *j, struct buf *out)
{
	const struct conf_replication *r = &j->replication;

	buf_printf(out, "%s %s %" PRId64 " %" PRId64 " %s",
		   protection_name(r->protect_initial),
		   protection_name(r->protect_incremental), r->concurrency_steps,
		   r->concurrency_size_estimates,
		   initial_replication_name(r->initial_replication));
}

static void show_interval(const struct conf_job *j, struct buf *out)
{
	buf_printf(out, "%" PRId64 " s", j->interval_s);
}

static void show_root_fs(const struct conf_job *j, struct buf *out)
{
	buf_printf(out, "%s", j->root_fs);
}

/* ---- the whole ---- */

static void show_jobs(const struct config *c, struct buf *out)
{
	for (size_t i = 0; i < c->n_jobs; i++)
		buf_printf(out, "%s%s %s", i ? ", " : "", job_type_name(c->jobs[i].type),
			   c->jobs[i].name);
	if (c->n_jobs == 0)
		buf_printf(out, "no jobs");
}

static void show_outlet(const struct conf_outlet *o, struct buf *out)
{
	static const char *const type[] = { "stdout", "syslog", "tcp" };
	static const char *const format[] = { "human", "logfmt", "json" };
	static const char *const family[] = { "tcp", "tcp4", "tcp6" };

	buf_printf(out, "%s %s %s", type[o->type], log_level_name(o->level),
		   format[o->format]);
	if (o->type == OUTLET_STDOUT)
		buf_printf(out, "%s%s%s", o->time ? " time" : "",
			   o->color ? " color" : "", o->bare ? " bare" : "");
	if (o->type == OUTLET_SYSLOG)
		buf_printf(out, " facility %u", o->facility);
	if (o->type == OUTLET_TCP)
		buf_printf(out, " %s [%s]:%s", family[o->family], o->address.host,
			   o->address.port);
	if (o->type == OUTLET_TCP && o->has_tls)
		show_tls(&o->tls, out);
	if (o->type != OUTLET_STDOUT)
		buf_printf(out, " %" PRId64 " ms", o->retry_interval_ms);
}

static void show_logging(const struct config *c, struct buf *out)
{
	for (size_t i = 0; i < c->global.n_outlets; i++) {
		buf_printf(out, "%s", i ? "; " : "");
		show_outlet(&c->global.outlets[i], out);
	}
}

static void show_monitoring(const struct config *c, struct buf *out)
{
	const struct conf_prometheus *p = c->global.prometheus;

	if (p)
		buf_printf(out, "[%s]:%s%s", p->listen.host, p->listen.port,
			   p->listen_freebind ? " freebind" : "");
	else
		buf_printf(out, "none");
}

static void show_sockets(const struct config *c, struct buf *out)
{
	buf_printf(out, "\"%s\" \"%s\"", c->global.control_sockpath,
		   c->global.stdinserver_sockdir);
}

/* ---- keys ---- */

bool show_job(const struct conf_job *j, const char *key, struct buf *out)
{
	static const struct {
		const char *key;
		void (*show)(const struct conf_job *, struct buf *);
	} keys[] = {
		{ "name", show_name },
		{ "filesystems", show_filesystems },
		{ "snapshotting", show_snapshotting },
		{ "hooks", show_hooks },
		{ "keep", show_keep },
		{ "keep_sender", show_keep_sender },
		{ "keep_receiver", show_keep_receiver },
		{ "connect", show_connect },
		{ "serve", show_serve },
		{ "send", show_send },
		{ "recv", show_recv },
		{ "replication", show_replication },
		{ "interval", show_interval },
		{ "root_fs", show_root_fs },
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].key, key) != 0)
			continue;
		keys[i].show(j, out);
		return true;
	}
	return false;
}

bool show(const struct config *c, const char *key, struct buf *out)
{
	static const struct {
		const char *key;
		void (*show)(const struct config *, struct buf *);
	} keys[] = {
		{ "jobs", show_jobs },
		{ "logging", show_logging },
		{ "monitoring", show_monitoring },
		{ "sockets", show_sockets },
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].key, key) != 0)
			continue;
		keys[i].show(c, out);
		return true;
	}
	if (strcmp(key, "nothing") == 0)
		return true;
	return c->n_jobs > 0 && show_job(&c->jobs[0], key, out);
}
