#include "cli/config_dump.h"

#include "codec/jsonw.h"

static void put_global(struct jsonw *w, const struct conf_global *g)
{
	static const char *const formats[] = {
		[LOG_FORMAT_HUMAN] = "human",
		[LOG_FORMAT_LOGFMT] = "logfmt",
		[LOG_FORMAT_JSON] = "json",
	};

	jsonw_key(w, "Global");
	jsonw_object(w);
	jsonw_member_str(w, "ControlSockPath", g->control_sockpath);
	jsonw_key(w, "Logging");
	jsonw_array(w);
	for (size_t i = 0; i < g->n_outlets; i++) {
		jsonw_object(w);
		jsonw_member_str(w, "Type", "stdout");
		jsonw_member_str(w, "Level", log_level_name(g->outlets[i].level));
		jsonw_member_str(w, "Format", formats[g->outlets[i].format]);
		jsonw_member_bool(w, "Time", g->outlets[i].time);
		jsonw_member_bool(w, "Color", g->outlets[i].color);
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
		jsonw_member_str(w, "Path", f->v[i].path);
		jsonw_member_bool(w, "Subtree", f->v[i].subtree);
		jsonw_member_bool(w, "Accept", f->v[i].accept);
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
		jsonw_member_str(w, "Type", "manual");
		break;
	case SNAPSHOTTING_PERIODIC:
		jsonw_member_str(w, "Type", "periodic");
		jsonw_member_str(w, "Prefix", s->prefix);
		jsonw_member_i64(w, "IntervalSeconds", s->interval_s);
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
	jsonw_member_bool(w, "Encrypted", s->encrypted);
	jsonw_member_bool(w, "Raw", s->raw);
	jsonw_member_bool(w, "SendProperties", s->send_properties);
	jsonw_member_bool(w, "BackupProperties", s->backup_properties);
	jsonw_member_bool(w, "LargeBlocks", s->large_blocks);
	jsonw_member_bool(w, "Compressed", s->compressed);
	jsonw_member_bool(w, "EmbeddedData", s->embedded_data);
	jsonw_member_bool(w, "Saved", s->saved);
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
		jsonw_member_str(w, r->override[i].name, r->override[i].value);
	jsonw_end(w);
	jsonw_member_str(w, "PlaceholderEncryption",
			 encryption[r->placeholder_encryption]);
	jsonw_end(w);
}

static void put_push(struct jsonw *w, const struct conf_job *j)
{
	const struct conf_replication *r = &j->replication;

	jsonw_key(w, "Connect");
	jsonw_object(w);
	jsonw_member_str(w, "Type", "local");
	jsonw_member_str(w, "ListenerName", j->connect.listener_name);
	jsonw_member_str(w, "ClientIdentity", j->connect.client_identity);
	jsonw_member_i64(w, "DialTimeoutMilliseconds", j->connect.dial_timeout_ms);
	jsonw_end(w);
	put_filter(w, &j->filesystems);
	put_snapshotting(w, &j->snapshotting);
	put_send(w, &j->send);
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

static void put_job(struct jsonw *w, const struct conf_job *j)
{
	jsonw_object(w);
	jsonw_member_str(w, "Name", j->name);
	jsonw_member_str(w, "Type", job_type_name(j->type));
	switch (j->type) {
	case JOB_PUSH:
		put_push(w, j);
		break;
	case JOB_SINK:
		jsonw_member_str(w, "RootFS", j->root_fs);
		jsonw_key(w, "Serve");
		jsonw_object(w);
		jsonw_member_str(w, "Type", "local");
		jsonw_member_str(w, "ListenerName", j->serve.listener_name);
		jsonw_end(w);
		put_recv(w, &j->recv);
		break;
	case JOB_PULL:
	case JOB_SOURCE:
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
