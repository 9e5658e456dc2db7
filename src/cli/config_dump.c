#include "cli/config_dump.h"

#include "codec/jsonw.h"

static void put_str(struct jsonw *w, const char *key, const char *value)
{
	jsonw_key(w, key);
	jsonw_str(w, value);
}

static void put_i64(struct jsonw *w, const char *key, int64_t n)
{
	jsonw_key(w, key);
	jsonw_i64(w, n);
}

static void put_bool(struct jsonw *w, const char *key, bool b)
{
	jsonw_key(w, key);
	jsonw_bool(w, b);
}

static void put_global(struct jsonw *w, const struct conf_global *g)
{
	static const char *const formats[] = {
		[LOG_FORMAT_HUMAN] = "human",
		[LOG_FORMAT_LOGFMT] = "logfmt",
		[LOG_FORMAT_JSON] = "json",
	};

	jsonw_key(w, "Global");
	jsonw_object(w);
	put_str(w, "ControlSockPath", g->control_sockpath);
	jsonw_key(w, "Logging");
	jsonw_array(w);
	for (size_t i = 0; i < g->n_outlets; i++) {
		jsonw_object(w);
		put_str(w, "Type", "stdout");
		put_str(w, "Level", log_level_name(g->outlets[i].level));
		put_str(w, "Format", formats[g->outlets[i].format]);
		put_bool(w, "Time", g->outlets[i].time);
		put_bool(w, "Color", g->outlets[i].color);
		jsonw_end(w);
	}
	jsonw_end(w);
	jsonw_end(w);
}

static void put_filter(struct jsonw *w, const struct dsfilter *f)
{
	jsonw_key(w, "Filesystems");
	jsonw_array(w);
	for (size_t i = 0; i < f->n; i++) {
		jsonw_object(w);
		put_str(w, "Path", f->v[i].path);
		put_bool(w, "Subtree", f->v[i].subtree);
		put_bool(w, "Accept", f->v[i].accept);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void put_snapshotting(struct jsonw *w, const struct conf_snapshotting *s)
{
	jsonw_key(w, "Snapshotting");
	jsonw_object(w);
	switch (s->type) {
	case SNAPSHOTTING_MANUAL:
		put_str(w, "Type", "manual");
		break;
	case SNAPSHOTTING_PERIODIC:
		put_str(w, "Type", "periodic");
		put_str(w, "Prefix", s->prefix);
		put_i64(w, "IntervalSeconds", s->interval_s);
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

static void put_send(struct jsonw *w, const struct conf_send *s)
{
	jsonw_key(w, "Send");
	jsonw_object(w);
	put_bool(w, "Encrypted", s->encrypted);
	put_bool(w, "Raw", s->raw);
	put_bool(w, "SendProperties", s->send_properties);
	put_bool(w, "BackupProperties", s->backup_properties);
	put_bool(w, "LargeBlocks", s->large_blocks);
	put_bool(w, "Compressed", s->compressed);
	put_bool(w, "EmbeddedData", s->embedded_data);
	put_bool(w, "Saved", s->saved);
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
	jsonw_key(w, "Inherit");
	jsonw_array(w);
	for (size_t i = 0; i < r->n_inherit; i++)
		jsonw_str(w, r->inherit[i]);
	jsonw_end(w);
	jsonw_key(w, "Override");
	jsonw_object(w);
	for (size_t i = 0; i < r->n_override; i++)
		put_str(w, r->override[i].name, r->override[i].value);
	jsonw_end(w);
	put_str(w, "PlaceholderEncryption", encryption[r->placeholder_encryption]);
	jsonw_end(w);
}

static void put_push(struct jsonw *w, const struct conf_job *j)
{
	const struct conf_replication *r = &j->replication;

	jsonw_key(w, "Connect");
	jsonw_object(w);
	put_str(w, "Type", "local");
	put_str(w, "ListenerName", j->connect.listener_name);
	put_str(w, "ClientIdentity", j->connect.client_identity);
	put_i64(w, "DialTimeoutMilliseconds", j->connect.dial_timeout_ms);
	jsonw_end(w);
	put_filter(w, &j->filesystems);
	put_snapshotting(w, &j->snapshotting);
	put_send(w, &j->send);
	jsonw_key(w, "Replication");
	jsonw_object(w);
	put_str(w, "ProtectionInitial", protection_name(r->protect_initial));
	put_str(w, "ProtectionIncremental", protection_name(r->protect_incremental));
	put_i64(w, "ConcurrencySteps", r->concurrency_steps);
	put_i64(w, "ConcurrencySizeEstimates", r->concurrency_size_estimates);
	put_str(w, "InitialReplication",
		initial_replication_name(r->initial_replication));
	jsonw_end(w);
	put_keeps(w, "KeepSender", &j->keep_sender);
	put_keeps(w, "KeepReceiver", &j->keep_receiver);
}

static void put_job(struct jsonw *w, const struct conf_job *j)
{
	jsonw_object(w);
	put_str(w, "Name", j->name);
	put_str(w, "Type", job_type_name(j->type));
	switch (j->type) {
	case JOB_PUSH:
		put_push(w, j);
		break;
	case JOB_SINK:
		put_str(w, "RootFS", j->root_fs);
		jsonw_key(w, "Serve");
		jsonw_object(w);
		put_str(w, "Type", "local");
		put_str(w, "ListenerName", j->serve.listener_name);
		jsonw_end(w);
		put_recv(w, &j->recv);
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
	if (what & DUMP_LOGGING)
		put_global(&w, &c->global);
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
