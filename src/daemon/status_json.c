#include "daemon/status_json.h"

#include <inttypes.h>

/* What is absent is empty, not null. */
static void put_str(struct jsonw *w, const char *key, const char *value)
{
	jsonw_member_str(w, key, value ? value : "");
}

/* ---- replication ---- */

static void put_timed_error(struct jsonw *w, const char *key, const struct timed_error *e)
{
	jsonw_key(w, key);
	if (!e->text) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	put_str(w, "Err", e->text);
	jsonw_member_time(w, "Time", e->time);
	jsonw_end(w);
}

static void put_step(struct jsonw *w, const struct report_step *s)
{
	jsonw_object(w);
	jsonw_key(w, "Info");
	jsonw_object(w);
	put_str(w, "From", s->from);
	put_str(w, "To", s->to);
	jsonw_member_bool(w, "Resumed", s->resumed);
	jsonw_member_u64(w, "BytesExpected", s->bytes_expected);
	jsonw_member_u64(w, "BytesReplicated", s->bytes_replicated);
	jsonw_end(w);
	jsonw_end(w);
}

static void put_filesystem(struct jsonw *w, const struct report_fs *f)
{
	jsonw_object(w);
	jsonw_key(w, "Info");
	jsonw_object(w);
	put_str(w, "Name", f->path);
	jsonw_end(w);
	put_str(w, "State", fs_state_name(f->state));
	put_str(w, "BlockedOn", fs_blocked_name(f->blocked_on));
	put_timed_error(w, "PlanError", &f->plan_error);
	put_timed_error(w, "StepError", &f->step_error);
	jsonw_member_u64(w, "CurrentStep", f->current_step);
	jsonw_key(w, "Steps");
	jsonw_array(w);
	for (size_t i = 0; i < f->n_steps; i++)
		put_step(w, &f->steps[i]);
	jsonw_end(w);
	jsonw_end(w);
}

static void put_attempt(struct jsonw *w, const struct report_attempt *a)
{
	jsonw_object(w);
	put_str(w, "State", attempt_state_name(a->state));
	jsonw_member_time(w, "StartAt", a->start);
	jsonw_member_time(w, "FinishAt", a->finish);
	put_timed_error(w, "PlanError", &a->plan_error);
	jsonw_key(w, "Filesystems");
	jsonw_array(w);
	for (size_t i = 0; i < a->n_fs; i++)
		put_filesystem(w, &a->fs[i]);
	jsonw_end(w);
	jsonw_end(w);
}

static void put_replication(struct jsonw *w, bool has, const struct repl_report *r)
{
	jsonw_key(w, "Replication");
	if (!has) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	jsonw_member_time(w, "StartAt", r->start);
	jsonw_member_time(w, "FinishAt", r->finish);
	jsonw_member_time(w, "WaitReconnectSince", r->wait_reconnect_since);
	jsonw_member_time(w, "WaitReconnectUntil", r->wait_reconnect_until);
	put_timed_error(w, "WaitReconnectError", &r->wait_reconnect_error);
	jsonw_key(w, "Attempts");
	jsonw_array(w);
	for (size_t i = 0; i < r->n_attempts; i++)
		put_attempt(w, &r->attempts[i]);
	jsonw_end(w);
	jsonw_end(w);
}

/* ---- pruning ---- */

static void put_snap(struct jsonw *w, const struct prune_report_snap *s)
{
	jsonw_object(w);
	put_str(w, "Name", s->name);
	jsonw_member_bool(w, "Replicated", s->replicated);
	jsonw_member_time(w, "Date", (struct timespec){ .tv_sec = s->creation_s });
	put_str(w, "Reason", s->reason);
	jsonw_end(w);
}

static void put_snaps(struct jsonw *w, const char *key, const struct prune_report_fs *f,
		      bool only_destroyed)
{
	jsonw_key(w, key);
	if (f->skip != PRUNE_NOT_SKIPPED) {
		jsonw_null(w);
		return;
	}
	jsonw_array(w);
	for (size_t i = 0; i < f->n_snaps; i++)
		if (!only_destroyed || f->snaps[i].destroy)
			put_snap(w, &f->snaps[i]);
	jsonw_end(w);
}

static void put_prune_list(struct jsonw *w, const char *key, const struct prune_report *r,
			   bool completed)
{
	jsonw_key(w, key);
	if (r->state == PRUNER_PLAN || r->state == PRUNER_PLAN_ERR) {
		jsonw_null(w);
		return;
	}
	jsonw_array(w);
	for (size_t i = 0; i < r->n_fs; i++) {
		const struct prune_report_fs *f = &r->fs[i];

		if (f->completed != completed)
			continue;
		jsonw_object(w);
		put_str(w, "Filesystem", f->path);
		put_snaps(w, "SnapshotList", f, false);
		put_snaps(w, "DestroyList", f, true);
		put_str(w, "SkipReason", prune_skip_name(f->skip));
		put_str(w, "LastError", f->error);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void put_pruner(struct jsonw *w, const char *key, bool has,
		       const struct prune_report *r)
{
	jsonw_key(w, key);
	if (!has) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	put_str(w, "State", pruner_state_name(r->state));
	put_str(w, "Error", r->error);
	put_prune_list(w, "Pending", r, false);
	put_prune_list(w, "Completed", r, true);
	jsonw_end(w);
}

/* ---- snapshotting ---- */

static void put_snap_fs(struct jsonw *w, const struct snap_report_fs *f)
{
	jsonw_object(w);
	put_str(w, "Path", f->path);
	jsonw_member_u64(w, "State", f->state);
	put_str(w, "SnapName", f->snap_name);
	jsonw_member_time(w, "StartAt", f->start);
	put_str(w, "Hooks", f->hooks);
	jsonw_member_bool(w, "HooksHadError", f->hooks_had_error);
	jsonw_member_time(w, "DoneAt", f->done);
	jsonw_end(w);
}

static void put_progress(struct jsonw *w, const struct snapper_report *r)
{
	jsonw_key(w, "Progress");
	jsonw_array(w);
	for (size_t i = 0; i < r->n_fs; i++)
		put_snap_fs(w, &r->fs[i]);
	jsonw_end(w);
}

static void put_periodic(struct jsonw *w, const struct snapper_report *r)
{
	jsonw_object(w);
	jsonw_member_u64(w, "State", r->state);
	jsonw_member_time(w, "SleepUntil", r->sleep_until);
	put_str(w, "Error", r->error);
	put_progress(w, r);
	jsonw_end(w);
}

/* Null if there are none. */
static void put_cron_errors(struct jsonw *w, const struct snapper_report *r)
{
	cleanup(str_freep) char *missed = NULL;

	jsonw_key(w, "Errors");
	if (!r->error && r->n_missed == 0) {
		jsonw_null(w);
		return;
	}
	jsonw_array(w);
	if (r->error)
		jsonw_str(w, r->error);
	if (r->n_missed > 0) {
		missed = xasprintf("cron frequency is too high, %s%" PRIu64
				   " activations passed while snapshots were taken",
				   r->n_missed == SNAPPER_MAX_MISSED ? "at least " : "",
				   r->n_missed);
		jsonw_str(w, missed);
	}
	jsonw_end(w);
}

static void put_cron(struct jsonw *w, const struct snapper_report *r)
{
	bool is_running =
		r->state == SNAPPER_PLANNING || r->state == SNAPPER_SNAPSHOTTING;

	jsonw_object(w);
	put_str(w, "State", is_running ? "running" : "waiting");
	jsonw_member_time(w, "WakeupTime", is_running ? r->began : r->sleep_until);
	put_cron_errors(w, r);
	put_progress(w, r);
	jsonw_end(w);
}

static void put_snapper(struct jsonw *w, const char *key, bool has,
			const struct snapper_report *r)
{
	jsonw_key(w, key);
	if (!has) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	put_str(w, "Type", snapshotting_type_name(r->type));
	jsonw_key(w, "Periodic");
	if (r->type == SNAPSHOTTING_PERIODIC)
		put_periodic(w, r);
	else
		jsonw_null(w);
	jsonw_key(w, "Cron");
	if (r->type == SNAPSHOTTING_CRON)
		put_cron(w, r);
	else
		jsonw_null(w);
	jsonw_key(w, "Manual");
	if (r->type == SNAPSHOTTING_MANUAL) {
		jsonw_object(w);
		jsonw_end(w);
	} else {
		jsonw_null(w);
	}
	jsonw_end(w);
}

/* ---- the document ---- */

static void put_listener(struct jsonw *w, bool has, const struct rpc_server_report *r)
{
	jsonw_key(w, "Listener");
	if (!has) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	put_str(w, "Address", r->address);
	put_str(w, "Error", err_is(&r->error, ERR_NONE) ? "" : err_msg(&r->error));
	jsonw_member_u64(w, "HalfOpen", r->half_open);
	jsonw_member_u64(w, "Open", r->open);
	jsonw_end(w);
}

void status_json_job(struct jsonw *w, const struct job_status *s)
{
	jsonw_object(w);
	put_str(w, "type", job_type_name(s->type));
	jsonw_key(w, job_type_name(s->type));
	jsonw_object(w);
	switch (s->type) {
	case JOB_PUSH:
	case JOB_PULL:
		put_replication(w, s->has_replication, &s->replication);
		put_pruner(w, "PruningSender", s->has_prune_sender, &s->prune_sender);
		put_pruner(w, "PruningReceiver", s->has_prune_receiver,
			   &s->prune_receiver);
		put_snapper(w, "Snapshotting", s->has_snapper, &s->snapper);
		break;
	case JOB_SNAP:
		put_pruner(w, "Pruning", s->has_prune, &s->prune);
		put_snapper(w, "Snapshotting", s->has_snapper, &s->snapper);
		break;
	case JOB_SINK:
	case JOB_SOURCE:
		put_snapper(w, "Snapper", s->has_snapper, &s->snapper);
		put_listener(w, s->has_listener, &s->listener);
		break;
	}
	jsonw_end(w);
	jsonw_end(w);
}

struct active {
	struct jsonw *w;
	bool any;
};

static void put_command(void *arg, const char *const *argv, struct timespec started)
{
	struct active *a = arg;

	if (!a->any)
		jsonw_array(a->w);
	a->any = true;
	jsonw_object(a->w);
	put_str(a->w, "Path", argv[0]);
	jsonw_key(a->w, "Args");
	jsonw_array(a->w);
	for (; *argv; argv++)
		jsonw_str(a->w, *argv);
	jsonw_end(a->w);
	jsonw_member_time(a->w, "StartedAt", started);
	jsonw_end(a->w);
}

static void put_knob(void *arg, const char *var, const char *value, const char *go_type)
{
	struct jsonw *w = arg;

	jsonw_object(w);
	put_str(w, "Var", var);
	put_str(w, "Value", value);
	put_str(w, "ValueGoType", go_type);
	jsonw_end(w);
}

void status_json_global(struct jsonw *w, struct zfs *zfs, const struct env *env,
			char *const *environ_)
{
	struct active active = { .w = w };

	jsonw_object(w);
	jsonw_key(w, "ZFSCmds");
	jsonw_object(w);
	jsonw_key(w, "Active");
	zfs_each_active(zfs, put_command, &active);
	if (active.any)
		jsonw_end(w);
	else
		jsonw_null(w);
	jsonw_end(w);
	jsonw_key(w, "Envconst");
	jsonw_object(w);
	jsonw_key(w, "Entries");
	jsonw_array(w);
	env_each(env, put_knob, w);
	jsonw_end(w);
	jsonw_end(w);
	jsonw_key(w, "OsEnviron");
	jsonw_array(w);
	for (; *environ_; environ_++)
		jsonw_str(w, *environ_);
	jsonw_end(w);
	jsonw_end(w);
}
