/*
 * env.h - knobs from the environment, by the names that zrepl 0.7 uses.
 *
 * env_load() reads and checks all of them once, at start, so that a bad value is one
 * clear error and not a surprise in the night.  Afterwards they are constants.  An empty
 * value is as good as none.
 */
#ifndef CONF_ENV_H
#define CONF_ENV_H

#include "base/err.h"

struct env {
	int64_t replication_max_attempts; /* -1: unlimited */
	int64_t reconnect_hard_fail_ms;
	int64_t syncup_warn_min_ms;
	int64_t wallclock_max_delay_ms;
	int64_t recv_peek_bytes;
	bool disable_placeholder_restoration;
	int64_t control_read_ms, control_write_ms;
	int64_t destroy_max_batch; /* names in one zfs destroy; 0: no limit */
	int64_t send_stderr_max;
	uint64_t size_estimate_incorrect_threshold; /* 0: off */
	int64_t max_hold_tag_len;
	int64_t max_hook_log_bytes;               /* of what one edge of a hook prints */
	int64_t send_pipe_bytes, recv_pipe_bytes; /* 0: what the system allows */
	int64_t rpc_client_handshake_ms;          /* banner */
	int64_t rpc_server_handshake_ms;
	int64_t rpc_label_ms;      /* ZREPL_TRANSPORT_DEMUX_TIMEOUT */
	int64_t rpc_ping_sleep_ms; /* ZREPL_RPC_DATACONN_PING_SLEEP */
	/* Ours: a zfs(8) that says nothing for so long is given up; a stream likewise. */
	int64_t zfs_command_ms;  /* ZREPL_ZFS_COMMAND_TIMEOUT, 10m */
	int64_t stream_stall_ms; /* ZREPL_STREAM_STALL_TIMEOUT, 30m */
};

/* ERR_INVALID names the variable, its value, and what would be right. */
int env_load(struct env *out, struct err *err) must_check;

/* For tests: all defaults, nothing read. */
struct env env_defaults(void);

/*
 * The knobs one by one: their names, values as text, and Go's name of their type
 * ("int", "time.Duration", "bool", "uint64", "int64"), for the status document.
 */
typedef void env_each_fn(void *arg, const char *var, const char *value,
			 const char *go_type);
void env_each(const struct env *e, env_each_fn *fn, void *arg);

#endif
