#include "base/buf.h"
#include "conf/env.h"
#include "tap.h"

TEST(defaults_are_those_of_zrepl_0_7)
{
	struct env e = env_defaults();

	CHECK_INT(e.replication_max_attempts, 3);
	CHECK_INT(e.reconnect_hard_fail_ms, 600000);
	CHECK_INT(e.syncup_warn_min_ms, 1000);
	CHECK_INT(e.wallclock_max_delay_ms, 10000);
	CHECK_INT(e.recv_peek_bytes, 1 << 20);
	CHECK(!e.disable_placeholder_restoration);
	CHECK_INT(e.control_read_ms, 1000);
	CHECK_INT(e.control_write_ms, 1000);
	CHECK_INT(e.destroy_max_batch, 0);
	CHECK_INT(e.send_stderr_max, 32768);
	CHECK(e.size_estimate_incorrect_threshold == INT64_MAX);
	CHECK_INT(e.max_hold_tag_len, 255);
	CHECK_INT(e.max_hook_log_bytes, 1 << 20);
	CHECK_INT(e.send_pipe_bytes, 0);
	CHECK_INT(e.recv_pipe_bytes, 0);
	CHECK_INT(e.rpc_client_handshake_ms, 10000);
	CHECK_INT(e.rpc_server_handshake_ms, 10000);
	CHECK_INT(e.rpc_label_ms, 10000);
	CHECK_INT(e.rpc_ping_sleep_ms, 1000);
	CHECK_INT(e.zfs_command_ms, 600000);
	CHECK_INT(e.stream_stall_ms, 1800000);
}

/* Loads with one variable set; the error's text, or "" */
static char *load_with(const char *var, const char *value, struct env *e)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	int r;

	setenv(var, value, 1);
	r = env_load(e, &err);
	unsetenv(var);
	if (r < 0)
		CHECK_INT(err.kind, ERR_INVALID);
	return xstrdup(r < 0 ? err_msg(&err) : "");
}

TEST(knobs_are_read_from_the_environment)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	struct env e;

	setenv("ZREPL_REPLICATION_MAX_ATTEMPTS", "-1", 1);
	setenv("ZREPL_REPLICATION_RECONNECT_HARD_FAIL_TIMEOUT", "1h30m", 1);
	setenv("ZREPL_SNAPPER_SYNCUP_WARN_MIN_DURATION", "1ns", 1);
	setenv("ZREPL_ENDPOINT_DISABLE_PLACEHOLDER_RESTORATION", "T", 1);
	setenv("ZREPL_DESTROY_MAX_BATCH_SIZE", "100", 1);
	setenv("ZREPL_ZFS_SEND_SIZE_ESTIMATE_INCORRECT_THRESHOLD", "0", 1);
	setenv("ZREPL_RPC_CLIENT_VERSIONHANDSHAKE_TIMEOUT", "1s", 1);
	setenv("ZREPL_RPC_SERVER_VERSIONHANDSHAKE_TIMEOUT", "2s", 1);
	setenv("ZREPL_TRANSPORT_DEMUX_TIMEOUT", "3s", 1);
	setenv("ZREPL_RPC_DATACONN_PING_SLEEP", "4s", 1);
	setenv("ZREPL_STREAM_STALL_TIMEOUT", "250ms", 1);
	CHECK_INT(env_load(&e, &err), 0);
	CHECK_INT(e.replication_max_attempts, -1);
	CHECK_INT(e.reconnect_hard_fail_ms, 5400000);
	CHECK_INT(e.syncup_warn_min_ms, 1);
	CHECK(e.disable_placeholder_restoration);
	CHECK_INT(e.destroy_max_batch, 100);
	CHECK(e.size_estimate_incorrect_threshold == 0);
	CHECK_INT(e.rpc_client_handshake_ms, 1000);
	CHECK_INT(e.rpc_server_handshake_ms, 2000);
	CHECK_INT(e.rpc_label_ms, 3000);
	CHECK_INT(e.rpc_ping_sleep_ms, 4000);
	CHECK_INT(e.stream_stall_ms, 250);
	CHECK_INT(e.wallclock_max_delay_ms, 10000);
	clearenv();
}

TEST(an_empty_value_is_as_good_as_none)
{
	struct env e;
	cleanup(str_freep) char *msg = load_with("ZREPL_DESTROY_MAX_BATCH_SIZE", "", &e);

	CHECK_STR(msg, "");
	CHECK_INT(e.destroy_max_batch, 0);
}

TEST(a_bad_value_is_refused_with_what_would_be_right)
{
	static const struct {
		const char *var, *value, *want;
	} cases[] = {
		{ "ZREPL_REPLICATION_MAX_ATTEMPTS", "0",
		  "a number of at least 1 and at most 2147483647, or -1; the default is "
		  "3" },
		{ "ZREPL_REPLICATION_MAX_ATTEMPTS", "-2",
		  "a number of at least 1 and at most 2147483647, or -1; the default is "
		  "3" },
		{ "ZREPL_REPLICATION_MAX_ATTEMPTS", "three",
		  "a number of at least 1 and at most 2147483647, or -1; the default is "
		  "3" },
		{ "ZREPL_REPLICATION_RECONNECT_HARD_FAIL_TIMEOUT", "0",
		  "a duration of at least 1ms; the default is 10m0s" },
		{ "ZREPL_REPLICATION_RECONNECT_HARD_FAIL_TIMEOUT", "-1s",
		  "a duration of at least 1ms; the default is 10m0s" },
		{ "ZREPL_WALLCLOCKTIMER_MAX_DELAY", "30",
		  "a duration of at least 1ms; the default is 10s" },
		{ "ZREPL_ENDPOINT_DISABLE_PLACEHOLDER_RESTORATION", "yes",
		  "true or false" },
		{ "ZREPL_ZFS_SEND_SIZE_ESTIMATE_INCORRECT_THRESHOLD", "-1",
		  "a number of at least 0; the default is 9223372036854775807" },
		{ "ZREPL_DAEMON_CONTROL_SERVER_READ_TIMEOUT", "-1ns",
		  "a duration of at least 0s; the default is 1s" },
		{ "ZFS_SEND_PIPE_CAPACITY_HINT", "99999999999999999999",
		  "a number of at least 0 and at most 2147483647; the default is 0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct env e;
		cleanup(str_freep) char *msg =
			load_with(cases[i].var, cases[i].value, &e);
		cleanup(buf_free) struct buf want = { 0 };

		buf_printf(&want, "environment variable %s is \"%s\"; want %s",
			   cases[i].var, cases[i].value, cases[i].want);
		CHECK_STR(msg, buf_str(&want));
	}
}

TEST(a_threshold_beyond_63_bits_is_as_good_as_none)
{
	struct env e;
	cleanup(str_freep) char *msg =
		load_with("ZREPL_ZFS_SEND_SIZE_ESTIMATE_INCORRECT_THRESHOLD",
			  "18446744073709551615", &e);

	CHECK_STR(msg, "");
	CHECK(e.size_estimate_incorrect_threshold == INT64_MAX);
}

static void collect(void *arg, const char *var, const char *value, const char *go_type)
{
	buf_printf(arg, "%s=%s %s\n", var, value, go_type);
}

TEST(knobs_can_be_listed)
{
	cleanup(buf_free) struct buf all = { 0 };
	struct env e = env_defaults();

	env_each(&e, collect, &all);
	CHECK(strstr(buf_str(&all), "ZREPL_REPLICATION_MAX_ATTEMPTS=3 int\n"));
	CHECK(strstr(
		buf_str(&all),
		"ZREPL_REPLICATION_RECONNECT_HARD_FAIL_TIMEOUT=10m0s time.Duration\n"));
	CHECK(strstr(buf_str(&all), "ZREPL_ENDPOINT_RECV_PEEK_SIZE=1048576 int64\n"));
	CHECK(strstr(buf_str(&all),
		     "ZREPL_ENDPOINT_DISABLE_PLACEHOLDER_RESTORATION=false bool\n"));
	CHECK(strstr(buf_str(&all), "ZREPL_ZFS_SEND_SIZE_ESTIMATE_INCORRECT_THRESHOLD="
				    "9223372036854775807 uint64\n"));
	CHECK(strstr(buf_str(&all), "ZREPL_STREAM_STALL_TIMEOUT=30m0s time.Duration\n"));
}

TEST_MAIN()
