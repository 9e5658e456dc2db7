#include "cli/config_dump.h"

#include "codec/jsonw.h"
#include "net/address.h"

#include <string.h>

static void put_address(struct jsonw *w, const char *key, const struct conf_hostport *a)
{
	cleanup(str_freep) char *text = hostport_text(a);

	jsonw_member_str(w, key, text);
}

static void put_tls(struct jsonw *w, const struct conf_tls *t)
{
	jsonw_member_str(w, "CA", t->ca);
	jsonw_member_str(w, "Cert", t->cert);
	jsonw_member_str(w, "Key", t->key);
}

/* ---- global ---- */

static void put_outlet_tcp(struct jsonw *w, const struct conf_outlet *o)
{
	static const char *const nets[] = {
		[FAMILY_ANY] = "tcp",
		[FAMILY_IPV4] = "tcp4",
		[FAMILY_IPV6] = "tcp6",
	};

	put_address(w, "Address", &o->address);
	jsonw_member_str(w, "Net", nets[o->family]);
	jsonw_member_i64(w, "RetryIntervalMilliseconds", o->retry_interval_ms);
	if (!o->has_tls)
		return;
	jsonw_key(w, "TLS");
	jsonw_object(w);
	put_tls(w, &o->tls);
	jsonw_end(w);
}

static void put_outlet(struct jsonw *w, const struct conf_outlet *o)
{
	static const char *const formats[] = {
		[LOG_FORMAT_HUMAN] = "human",
		[LOG_FORMAT_LOGFMT] = "logfmt",
		[LOG_FORMAT_JSON] = "json",
	};

	jsonw_object(w);
	jsonw_member_str(w, "Type", outlet_type_name(o->type));
	jsonw_member_str(w, "Level", log_level_name(o->level));
	jsonw_member_str(w, "Format", formats[o->format]);
	switch (o->type) {
	case OUTLET_STDOUT:
		jsonw_member_bool(w, "Time", o->time);
		jsonw_member_bool(w, "Color", o->color);
		break;
	case OUTLET_SYSLOG:
		jsonw_member_str(w, "Facility", facility_name(o->facility));
		jsonw_member_i64(w, "RetryIntervalMilliseconds", o->retry_interval_ms);
		break;
	case OUTLET_TCP:
		put_outlet_tcp(w, o);
		break;
	}
	jsonw_end(w);
}

static void put_logging(struct jsonw *w, const struct conf_global *g)
{
	jsonw_key(w, "Logging");
	jsonw_array(w);
	for (size_t i = 0; i < g->n_outlets; i++)
		put_outlet(w, &g->outlets[i]);
	jsonw_end(w);
}

/* what: all of it, or only where log lines go */
static void put_global(struct jsonw *w, const struct conf_global *g, unsigned what)
{
	jsonw_key(w, "Global");
	jsonw_object(w);
	if (what & DUMP_GLOBAL) {
		jsonw_member_str(w, "ControlSockPath", g->control_sockpath);
		jsonw_member_str(w, "StdinserverSockDir", g->stdinserver_sockdir);
		jsonw_key(w, "Monitoring");
		jsonw_array(w);
		if (g->prometheus) {
			jsonw_object(w);
			jsonw_member_str(w, "Type", "prometheus");
			put_address(w, "Listen", &g->prometheus->listen);
			jsonw_member_bool(w, "ListenFreeBind",
					  g->prometheus->listen_freebind);
			jsonw_end(w);
		}
		jsonw_end(w);
	}
	put_logging(w, g);
	jsonw_end(w);
}

/* ---- snapshots ---- */

static void put_filter(struct jsonw *w, const struct dsfilter *f)
{
	jsonw_key(w, "Filesystems");
	jsonw_array(w);
	for (size_t i = 0; i < f->n; i++) {
		jsonw_object(w);
		jsonw_member_str(w, "Path", f->v[i].path);
		jsonw_member_bool(w, "Subtree", f->v[i].subtree);
		jsonw_member_bool(w, "Accept", f->v[i].accept);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void put_hook(struct jsonw *w, const struct conf_hook *h)
{
	cleanup(str_freep) char *dsn = hook_dsn_shown(h);

	jsonw_object(w);
	jsonw_member_str(w, "Type", hook_type_name(h->type));
	if (h->type == HOOK_COMMAND)
		jsonw_member_str(w, "Path", h->path);
	else
		jsonw_member_str(w, "DSN", dsn);
	jsonw_member_i64(w, "TimeoutMilliseconds", h->timeout_ms);
	jsonw_member_bool(w, "ErrIsFatal", h->err_is_fatal);
	put_filter(w, &h->filesystems);
	jsonw_end(w);
}

static void put_automatic(struct jsonw *w, const struct conf_snapshotting *s)
{
	jsonw_member_str(w, "Prefix", s->prefix);
	jsonw_member_str(w, "TimestampFormat", s->timestamp_format);
	jsonw_member_str(w, "TimestampLocation", s->timestamp_location);
	jsonw_member_bool(w, "SkipUnchanged", s->skip_unchanged);
	jsonw_key(w, "Hooks");
	jsonw_array(w);
	for (size_t i = 0; i < s->n_hooks; i++)
		put_hook(w, &s->hooks[i]);
	jsonw_end(w);
}

static void put_snapshotting(struct jsonw *w, const struct conf_snapshotting *s)
{
	jsonw_key(w, "Snapshotting");
	jsonw_object(w);
	jsonw_member_str(w, "Type", snapshotting_type_name(s->type));
	switch (s->type) {
	case SNAPSHOTTING_MANUAL:
		break;
	case SNAPSHOTTING_PERIODIC:
		jsonw_member_i64(w, "IntervalSeconds", s->interval_s);
		put_automatic(w, s);
		break;
	case SNAPSHOTTING_CRON:
		jsonw_member_str(w, "Cron", cron_text(s->cron));
		put_automatic(w, s);
		break;
	}
	jsonw_end(w);
}

static void put_keeps(struct jsonw *w, const char *key, const struct conf_keeps *k)
{
	jsonw_key(w, key);
	jsonw_array(w);
	for (size_t i = 0; i < k->n; i++)
		jsonw_str(w, k->v[i].text);
	jsonw_end(w);
}

static void put_strings(struct jsonw *w, const char *key, const char *const *v, size_t n)
{
	jsonw_key(w, key);
	jsonw_array(w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(w, v[i]);
	jsonw_end(w);
}

/* ---- sending and receiving ---- */

static void put_bandwidth(struct jsonw *w, const struct conf_bandwidth *b)
{
	jsonw_key(w, "BandwidthLimit");
	jsonw_object(w);
	jsonw_member_i64(w, "MaxBytesPerSecond", b->max);
	jsonw_member_i64(w, "BucketCapacityBytes", b->bucket_capacity);
	jsonw_end(w);
}

static void put_send(struct jsonw *w, const struct conf_send *s)
{
	jsonw_key(w, "Send");
	jsonw_object(w);
	jsonw_member_bool(w, "Encrypted", s->encrypted);
	jsonw_member_bool(w, "Raw", s->raw);
	jsonw_member_bool(w, "SendProperties", s->send_properties);
	jsonw_member_bool(w, "BackupProperties", s->backup_properties);
	jsonw_member_bool(w, "LargeBlocks", s->large_blocks);
	jsonw_member_bool(w, "Compressed", s->compressed);
	jsonw_member_bool(w, "EmbeddedData", s->embedded_data);
	jsonw_member_bool(w, "Saved", s->saved);
	put_bandwidth(w, &s->bandwidth);
	jsonw_end(w);
}

static void put_recv(struct jsonw *w, const struct conf_recv *r)
{
	static const char *const encryption[] = {
		[PLACEHOLDER_ENCRYPTION_UNSPECIFIED] = "unspecified",
		[PLACEHOLDER_ENCRYPTION_INHERIT] = "inherit",
		[PLACEHOLDER_ENCRYPTION_OFF] = "off",
	};

	jsonw_key(w, "Recv");
	jsonw_object(w);
	put_strings(w, "Inherit", r->inherit, r->n_inherit);
	jsonw_key(w, "Override");
	jsonw_object(w);
	for (size_t i = 0; i < r->n_override; i++)
		jsonw_member_str(w, r->override[i].name, r->override[i].value);
	jsonw_end(w);
	jsonw_member_str(w, "PlaceholderEncryption",
			 encryption[r->placeholder_encryption]);
	put_bandwidth(w, &r->bandwidth);
	jsonw_end(w);
}

/* ---- transports ---- */

static void put_connect(struct jsonw *w, const struct conf_connect *c)
{
	jsonw_key(w, "Connect");
	jsonw_object(w);
	jsonw_member_str(w, "Type", connect_type_name(c->type));
	switch (c->type) {
	case CONNECT_LOCAL:
		jsonw_member_str(w, "ListenerName", c->listener_name);
		jsonw_member_str(w, "ClientIdentity", c->client_identity);
		break;
	case CONNECT_TCP:
		put_address(w, "Address", &c->address);
		break;
	case CONNECT_TLS:
		put_address(w, "Address", &c->address);
		put_tls(w, &c->tls);
		jsonw_member_str(w, "ServerCN", c->server_cn);
		break;
	case CONNECT_SSH:
		jsonw_member_str(w, "Host", c->ssh_host);
		jsonw_member_str(w, "User", c->ssh_user);
		jsonw_member_i64(w, "Port", c->ssh_port);
		jsonw_member_str(w, "IdentityFile", c->ssh_identity_file);
		put_strings(w, "Options", c->ssh_options, c->n_ssh_options);
		jsonw_member_str(w, "SSHCommand", c->ssh_command);
		break;
	}
	jsonw_member_i64(w, "DialTimeoutMilliseconds", c->dial_timeout_ms);
	jsonw_end(w);
}

static void put_clients(struct jsonw *w, const struct conf_serve *s)
{
	jsonw_key(w, "Clients");
	jsonw_object(w);
	for (size_t i = 0; i < s->n_client_texts; i++)
		jsonw_member_str(w, s->client_texts[i].address,
				 s->client_texts[i].identity);
	jsonw_end(w);
}

static void put_serve(struct jsonw *w, const struct conf_serve *s)
{
	jsonw_key(w, "Serve");
	jsonw_object(w);
	jsonw_member_str(w, "Type", serve_type_name(s->type));
	switch (s->type) {
	case SERVE_LOCAL:
		jsonw_member_str(w, "ListenerName", s->listener_name);
		break;
	case SERVE_TCP:
		put_address(w, "Listen", &s->listen);
		jsonw_member_bool(w, "ListenFreeBind", s->listen_freebind);
		put_clients(w, s);
		break;
	case SERVE_TLS:
		put_address(w, "Listen", &s->listen);
		jsonw_member_bool(w, "ListenFreeBind", s->listen_freebind);
		put_tls(w, &s->tls);
		put_strings(w, "ClientCNs", s->client_cns, s->n_client_cns);
		jsonw_member_i64(w, "HandshakeTimeoutMilliseconds",
				 s->handshake_timeout_ms);
		break;
	case SERVE_STDINSERVER:
		put_strings(w, "ClientIdentities", s->client_identities,
			    s->n_client_identities);
		break;
	}
	jsonw_end(w);
}

/* ---- jobs ---- */

static void put_replication(struct jsonw *w, const struct conf_job *j)
{
	const struct conf_replication *r = &j->replication;

	jsonw_key(w, "Replication");
	jsonw_object(w);
	jsonw_member_str(w, "ProtectionInitial", protection_name(r->protect_initial));
	jsonw_member_str(w, "ProtectionIncremental",
			 protection_name(r->protect_incremental));
	jsonw_member_i64(w, "ConcurrencySteps", r->concurrency_steps);
	jsonw_member_i64(w, "ConcurrencySizeEstimates", r->concurrency_size_estimates);
	jsonw_member_str(w, "InitialReplication",
			 initial_replication_name(r->initial_replication));
	jsonw_end(w);
	put_keeps(w, "KeepSender", &j->keep_sender);
	put_keeps(w, "KeepReceiver", &j->keep_receiver);
}

static void put_interval(struct jsonw *w, int64_t seconds)
{
	jsonw_member_bool(w, "Manual", seconds == 0);
	jsonw_member_i64(w, "IntervalSeconds", seconds);
}

static void put_job(struct jsonw *w, const struct conf_job *j)
{
	jsonw_object(w);
	jsonw_member_str(w, "Name", j->name);
	jsonw_member_str(w, "Type", job_type_name(j->type));
	switch (j->type) {
	case JOB_PUSH:
		put_connect(w, &j->connect);
		put_filter(w, &j->filesystems);
		put_snapshotting(w, &j->snapshotting);
		put_send(w, &j->send);
		put_replication(w, j);
		break;
	case JOB_PULL:
		put_connect(w, &j->connect);
		jsonw_member_str(w, "RootFS", j->root_fs);
		put_interval(w, j->interval_s);
		put_recv(w, &j->recv);
		put_replication(w, j);
		break;
	case JOB_SINK:
		jsonw_member_str(w, "RootFS", j->root_fs);
		put_serve(w, &j->serve);
		put_recv(w, &j->recv);
		break;
	case JOB_SOURCE:
		put_serve(w, &j->serve);
		put_filter(w, &j->filesystems);
		put_snapshotting(w, &j->snapshotting);
		put_send(w, &j->send);
		break;
	case JOB_SNAP:
		put_filter(w, &j->filesystems);
		put_snapshotting(w, &j->snapshotting);
		put_keeps(w, "Keep", &j->keep);
		break;
	}
	jsonw_end(w);
}

void config_dump(struct buf *out, const struct config *c, unsigned what)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w);
	if (what & (DUMP_GLOBAL | DUMP_LOGGING))
		put_global(&w, &c->global, what);
	if (what & DUMP_JOBS) {
		jsonw_key(&w, "Jobs");
		jsonw_array(&w);
		for (size_t i = 0; i < c->n_jobs; i++)
			put_job(&w, &c->jobs[i]);
		jsonw_end(&w);
	}
	jsonw_end(&w);
	buf_put(out, "\n", 1);
}
