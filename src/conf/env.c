#include "conf/env.h"

#include "base/parse.h"
#include "codec/duration.h"

#include <inttypes.h>
#include <string.h>

enum knob_type { KNOB_INT, KNOB_INT64, KNOB_UINT64, KNOB_BOOL, KNOB_DURATION };

static const char *const go_types[] = {
	[KNOB_INT] = "int",
	[KNOB_INT64] = "int64",
	[KNOB_UINT64] = "uint64",
	[KNOB_BOOL] = "bool",
	[KNOB_DURATION] = "time.Duration",
};

/* Durations: all three numbers are milliseconds.  min: of what is accepted. */
struct knob {
	const char *var;
	enum knob_type type;
	size_t offset;
	int64_t def, min, max;
	bool minus_one; /* -1 is accepted as well */
};

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, MiB = 1 << 20 };

#define AT(member) offsetof(struct env, member)

/* Names, types and defaults are those of zrepl 0.7; the last two are ours. */
static const struct knob knobs[] = {
	{ "ZREPL_REPLICATION_MAX_ATTEMPTS", KNOB_INT, AT(replication_max_attempts), 3, 1,
	  INT32_MAX, true },
	{ "ZREPL_REPLICATION_RECONNECT_HARD_FAIL_TIMEOUT", KNOB_DURATION,
	  AT(reconnect_hard_fail_ms), 10 * MINUTE_MS, 1, INT64_MAX, false },
	{ "ZREPL_SNAPPER_SYNCUP_WARN_MIN_DURATION", KNOB_DURATION, AT(syncup_warn_min_ms),
	  SECOND_MS, 0, INT64_MAX, false },
	{ "ZREPL_WALLCLOCKTIMER_MAX_DELAY", KNOB_DURATION, AT(wallclock_max_delay_ms),
	  10 * SECOND_MS, 1, INT64_MAX, false },
	{ "ZREPL_ENDPOINT_RECV_PEEK_SIZE", KNOB_INT64, AT(recv_peek_bytes), MiB, 1,
	  64 * MiB, false },
	{ "ZREPL_ENDPOINT_DISABLE_PLACEHOLDER_RESTORATION", KNOB_BOOL,
	  AT(disable_placeholder_restoration), 0, 0, 1, false },
	{ "ZREPL_DAEMON_CONTROL_SERVER_READ_TIMEOUT", KNOB_DURATION, AT(control_read_ms),
	  SECOND_MS, 0, INT64_MAX, false },
	{ "ZREPL_DAEMON_CONTROL_SERVER_WRITE_TIMEOUT", KNOB_DURATION,
	  AT(control_write_ms), SECOND_MS, 0, INT64_MAX, false },
	{ "ZREPL_DESTROY_MAX_BATCH_SIZE", KNOB_INT, AT(destroy_max_batch), 0, 0,
	  INT32_MAX, false },
	{ "ZREPL_ZFS_SEND_STDERR_MAX_CAPTURE_SIZE", KNOB_INT, AT(send_stderr_max), 32768,
	  0, 16 * MiB, false },
	{ "ZREPL_ZFS_SEND_SIZE_ESTIMATE_INCORRECT_THRESHOLD", KNOB_UINT64,
	  AT(size_estimate_incorrect_threshold), INT64_MAX, 0, INT64_MAX, false },
	{ "ZREPL_ZFS_MAX_HOLD_TAG_LEN", KNOB_INT, AT(max_hold_tag_len), 255, 1, INT32_MAX,
	  false },
	{ "ZREPL_MAX_HOOK_LOG_SIZE", KNOB_INT, AT(max_hook_log_bytes), MiB, 0, 64 * MiB,
	  false },
	{ "ZFS_SEND_PIPE_CAPACITY_HINT", KNOB_INT64, AT(send_pipe_bytes), 0, 0, INT32_MAX,
	  false },
	{ "ZFS_RECV_PIPE_CAPACITY_HINT", KNOB_INT64, AT(recv_pipe_bytes), 0, 0, INT32_MAX,
	  false },
	{ "ZREPL_RPC_CLIENT_VERSIONHANDSHAKE_TIMEOUT", KNOB_DURATION,
	  AT(rpc_client_handshake_ms), 10 * SECOND_MS, 1, INT64_MAX, false },
	{ "ZREPL_RPC_SERVER_VERSIONHANDSHAKE_TIMEOUT", KNOB_DURATION,
	  AT(rpc_server_handshake_ms), 10 * SECOND_MS, 1, INT64_MAX, false },
	{ "ZREPL_TRANSPORT_DEMUX_TIMEOUT", KNOB_DURATION, AT(rpc_label_ms),
	  10 * SECOND_MS, 1, INT64_MAX, false },
	{ "ZREPL_RPC_DATACONN_PING_SLEEP", KNOB_DURATION, AT(rpc_ping_sleep_ms),
	  SECOND_MS, 1, INT64_MAX, false },
	{ "ZREPL_ZFS_COMMAND_TIMEOUT", KNOB_DURATION, AT(zfs_command_ms), 10 * MINUTE_MS,
	  1, INT64_MAX, false },
	{ "ZREPL_STREAM_STALL_TIMEOUT", KNOB_DURATION, AT(stream_stall_ms),
	  30 * MINUTE_MS, 1, INT64_MAX, false },
};

#undef AT

static void set(struct env *e, const struct knob *k, int64_t v)
{
	char *at = (char *)e + k->offset;

	switch (k->type) {
	case KNOB_BOOL:
		memcpy(at, &(bool){ v != 0 }, sizeof(bool));
		break;
	case KNOB_UINT64:
		memcpy(at, &(uint64_t){ (uint64_t)v }, sizeof(uint64_t));
		break;
	case KNOB_INT:
	case KNOB_INT64:
	case KNOB_DURATION:
		memcpy(at, &v, sizeof(v));
		break;
	}
}

static int64_t get(const struct env *e, const struct knob *k)
{
	const char *at = (const char *)e + k->offset;
	int64_t v = 0;
	bool b;

	switch (k->type) {
	case KNOB_BOOL:
		memcpy(&b, at, sizeof(b));
		return b;
	case KNOB_UINT64:
	case KNOB_INT:
	case KNOB_INT64:
	case KNOB_DURATION:
		memcpy(&v, at, sizeof(v));
		break;
	}
	return v;
}

static int parse(const struct knob *k, const char *text, int64_t *out, struct err *err)
{
	uint64_t u;
	int64_t ns;
	bool b;

	switch (k->type) {
	case KNOB_BOOL:
		if (!parse_bool(view_of(text), &b))
			return err_set(err, ERR_INVALID, "neither true nor false");
		*out = b;
		return 0;
	case KNOB_UINT64:
		if (parse_u64(view_of(text), &u, err) < 0)
			return -1;
		*out = u > INT64_MAX ? INT64_MAX
				     : (int64_t)u; /* neither is ever reached */
		return 0;
	case KNOB_DURATION:
		if (gdur_parse(text, &ns, err) < 0)
			return -1;
		/* away from zero, so that what is not zero stays so */
		*out = ns / NS_PER_MS + (ns % NS_PER_MS > 0) - (ns % NS_PER_MS < 0);
		return 0;
	case KNOB_INT:
	case KNOB_INT64:
		break;
	}
	return parse_i64(view_of(text), out, err);
}

static void put_value(struct buf *out, const struct knob *k, int64_t v)
{
	switch (k->type) {
	case KNOB_BOOL:
		buf_printf(out, "%s", v ? "true" : "false");
		break;
	case KNOB_DURATION:
		gdur_format(out, v > INT64_MAX / NS_PER_MS ? INT64_MAX : v * NS_PER_MS);
		break;
	case KNOB_INT:
	case KNOB_INT64:
	case KNOB_UINT64:
		buf_printf(out, "%" PRId64, v);
		break;
	}
}

/* What would be right: "want a duration of at least 1ms, such as 10m0s". */
static int fail_knob(const struct knob *k, const char *text, struct err *err)
{
	cleanup(buf_free) struct buf want = { 0 };

	if (k->type == KNOB_BOOL) {
		buf_printf(&want, "true or false");
	} else {
		buf_printf(&want, k->type == KNOB_DURATION ? "a duration" : "a number");
		buf_printf(&want, " of at least ");
		put_value(&want, k, k->min);
		if (k->max != INT64_MAX) {
			buf_printf(&want, " and at most ");
			put_value(&want, k, k->max);
		}
		buf_printf(&want, k->minus_one ? ", or -1" : "");
		buf_printf(&want, "; the default is ");
		put_value(&want, k, k->def);
	}
	return err_set(err, ERR_INVALID, "environment variable %s is \"%.100s\"; want %s",
		       k->var, text, buf_str(&want));
}

struct env env_defaults(void)
{
	struct env e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(knobs); i++)
		set(&e, &knobs[i], knobs[i].def);
	return e;
}

int env_load(struct env *out, struct err *err)
{
	struct env e = env_defaults();

	for (size_t i = 0; i < ARRAY_LEN(knobs); i++) {
		cleanup(err_clear) struct err why = ERR_INIT;
		const struct knob *k = &knobs[i];
		const char *text = getenv(k->var);
		int64_t v;

		if (!text || !*text)
			continue;
		if (parse(k, text, &v, &why) < 0)
			return fail_knob(k, text, err);
		if ((v < k->min || v > k->max) && !(v == -1 && k->minus_one))
			return fail_knob(k, text, err);
		set(&e, k, v);
	}
	*out = e;
	return 0;
}

void env_each(const struct env *e, env_each_fn *fn, void *arg)
{
	for (size_t i = 0; i < ARRAY_LEN(knobs); i++) {
		cleanup(buf_free) struct buf value = { 0 };

		put_value(&value, &knobs[i], get(e, &knobs[i]));
		fn(arg, knobs[i].var, buf_str(&value), go_types[knobs[i].type]);
	}
}
