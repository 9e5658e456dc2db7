# For the end-to-end tests: a daemon on two pools of a real OpenZFS, and TAP.
#
#	. tests/e2e/lib.sh
#	setup                           pools $A (sending) and $B (receiving), root of the sink: $B/sink
#	push_and_sink FILTER            or write_config <<CONF, with jobs of any kind
#	start_daemon; run_job push; stop_daemon
#	is "$(guids ...)" "..." "sentence"
#	done_testing
#
# Nothing here waits by sleeping: run_job and wait_log follow the daemon's log.
# shellcheck shell=bash
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
. "$here/../../testbed/pools.sh"

readonly patience=120 # seconds, for anything to happen
zrepl=${ZREPL:-$here/../../build/gcc/zrepl}
[ -x "$zrepl" ] || { echo "Bail out! no program at $zrepl"; exit 1; }
tap_n=0 tap_failed=0 is_done=
daemon_pid=
launch=() # what runs the daemon

# ---- TAP ----

ok() { # ok SENTENCE: the command before has succeeded; use with `if`
	echo "ok $((++tap_n)) - $1"
}

not_ok() { # not_ok SENTENCE [EXPLANATION]
	echo "not ok $((++tap_n)) - $1"
	tap_failed=$((tap_failed + 1))
	[ -z "${2-}" ] || printf '%s\n' "$2" | sed 's/^/# /'
}

is() { # is GOT WANTED SENTENCE
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3" "got:
$1
wanted:
$2"
	fi
}

like() { # like TEXT EXTENDED-REGEX SENTENCE
	if grep -qE -e "$2" <<<"$1"; then ok "$3"; else not_ok "$3" "no /$2/ in:
$1"; fi
}

unlike() { # unlike TEXT EXTENDED-REGEX SENTENCE
	if grep -qE -e "$2" <<<"$1"; then not_ok "$3" "/$2/ in:
$1"; else ok "$3"; fi
}

succeeds() { # succeeds SENTENCE COMMAND...
	local sentence=$1 out
	shift
	if out=$("$@" 2>&1); then ok "$sentence"; else not_ok "$sentence" "$* said:
$out"; fi
}

fails() { # fails SENTENCE COMMAND...
	local sentence=$1 out
	shift
	if out=$("$@" 2>&1); then not_ok "$sentence" "$* succeeded: $out"; else ok "$sentence"; fi
}

done_testing() {
	stop_daemon
	echo "1..$tap_n"
	is_done=1
	exit $((tap_failed > 0))
}

# However the test ends. Without a plan, it has failed.
clean_up() {
	local rc=$? log
	stop_daemon KILL
	# Of testbed/network.sh, if the test uses it.
	! declare -F network_destroy >/dev/null || network_destroy
	[ "$rc" = 0 ] || [ -n "$is_done" ] || echo "# ended early, with status $rc"
	if [ "$rc" != 0 ]; then
		for log in "$top/log" "$top"/*/log; do
			[ -f "$log" ] || continue
			echo "# the end of the daemon's log${log#"$top"}:"
			tail -n 60 "$log" | sed 's/^/# /'
		done
	fi
	pools_destroy || rc=1
	rm -rf "$top"
	exit "$rc"
}

# ---- pools, configuration, daemon ----

# Pools $A and $B of the given size (default 512M), $B/sink, and a directory $top for everything else.
setup() {
	top=$(mktemp -d) dir=$top
	trap clean_up EXIT
	pool_create a "${1:-512M}"
	pool_create b "${1:-512M}"
	A=$(pool_name a) B=$(pool_name b)
	SHIM_ZFS=$(command -v zfs)
	make_home
	zfs create -o mountpoint=none "$B/sink"
}

# The directory $dir of one daemon. It has a shim of zfs(8) first in its PATH: see interrupt_send.
make_home() {
	mkdir -p "$dir/bin"
	mkdir -m 700 "$dir/run" "$dir/run/stdinserver"
	mkfifo "$dir/send-hangs" "$dir/send-go"
	cp "$here/zfs-shim" "$dir/bin/zfs"
}

# The jobs come on standard input.
write_config() {
	cat >"$dir/zrepl.yml" <<-GLOBAL
		global:
		  logging: [{type: stdout, level: debug, format: logfmt}]
		  control: {sockpath: $dir/run/control}
		  serve: {stdinserver: {sockdir: $dir/run/stdinserver}}
	GLOBAL
	cat >>"$dir/zrepl.yml"
}

# A push job that prunes nothing, unless $PRUNING says so.
push_job() { # push_job NAME LISTENER IDENTITY FILTER [MORE]
	cat <<-CONF
		- name: $1
		  type: push
		  connect: {type: local, listener_name: $2, client_identity: $3}
		  filesystems: $4
		  pruning: ${PRUNING:-"{keep_sender: [{type: regex, regex: '.*'}], keep_receiver: [{type: regex, regex: '.*'}]}"}
		$(sed 's/^/  /' <<<"${5-}")
		$(grep -q '^snapshotting:' <<<"${5-}" || echo '  snapshotting: {type: manual}')
	CONF
}

sink_job() { # sink_job NAME ROOT-FS [MORE]: its listener has its name
	cat <<-CONF
		- name: $1
		  type: sink
		  root_fs: $2
		  serve: {type: local, listener_name: $1}
		$(sed 's/^/  /' <<<"${3-"recv: {placeholder: {encryption: inherit}}"}")
	CONF
}

# Two jobs: push, from $A, and sink, to $B/sink/me.
push_and_sink() { # push_and_sink FILTER [MORE-OF-PUSH [MORE-OF-SINK]]
	{
		echo jobs:
		push_job push sink me "$1" "${2-}"
		sink_job sink "$B/sink" "${@:3:1}"
	} | write_config
}

zrepl() { "$zrepl" --config "$dir/zrepl.yml" "$@"; }

start_daemon() {
	[ -z "$daemon_pid" ] || return 0
	local at
	at=$(log_position)
	SHIM_ZFS=$SHIM_ZFS SHIM_DIR=$dir PATH=$dir/bin:$PATH "${launch[@]}" "$zrepl" --config "$dir/zrepl.yml" daemon >>"$dir/log" 2>&1 &
	daemon_pid=$!
	wait_log "$at" 'msg="starting daemon"'
}

stop_daemon() { # TERM, unless told otherwise
	[ -n "$daemon_pid" ] || return 0
	kill -"${1:-TERM}" "$daemon_pid" 2>/dev/null || :
	wait "$daemon_pid" 2>/dev/null || :
	daemon_pid=
}

restart_daemon() {
	stop_daemon "$@"
	start_daemon
}

log_position() { wc -c 2>/dev/null <"$dir/log" || echo 0; }

# Wait until a line with the text appears behind the position.
wait_log() { # wait_log POSITION TEXT
	local tail_pid rc=0
	touch "$dir/log"
	exec {tail_fd}< <(exec tail -c "+$(($1 + 1))" -f "$dir/log")
	tail_pid=$!
	timeout "$patience" grep -q -m 1 -F -e "$2" <&"$tail_fd" || rc=$?
	exec {tail_fd}<&-
	kill "$tail_pid" 2>/dev/null || :
	if [ "$rc" != 0 ]; then
		not_ok "'$2' appears in the daemon's log" "$(tail -n 30 "$dir/log")"
		return 1
	fi
}

log_since() { tail -c "+$(($1 + 1))" "$dir/log"; }

# Wake jobs up and wait until they are idle again. $last_log is what the daemon logged meanwhile.
run_job() { # run_job JOB...
	start_job "$@"
	wait_job "$@"
}

start_job() {
	local job
	job_began=$(log_position)
	for job in "$@"; do zrepl signal wakeup "$job"; done
}

wait_job() {
	local job
	for job in "$@"; do wait_log "$job_began" "job=$job subsystem=job msg=\"invocation ends\""; done
	last_log=$(log_since "$job_began")
}

# Of $last_log, the lines of one job.
log_of() { grep -F " job=$1 " <<<"$last_log" || :; }

# ---- interrupting ----

# The next `zfs send` delivers so many bytes, then hangs until it is ended, or break_send or continue_send lets it go.
interrupt_send() { echo "$1" >"$dir/send-limit"; }
# The next zfs command that matches the pattern hangs before it does anything; otherwise the same.
interrupt_command() { echo "$1" >"$dir/hang"; }
# Wait until it hangs. $interrupted is its command line.
wait_interrupted() {
	interrupted=$(timeout "$patience" cat "$dir/send-hangs") || not_ok "the send is interrupted"
}
# Let it end there, as if the sender had died.
break_send() { tell_shim break; }
# Let it deliver the rest, or only so many bytes more.
continue_send() { tell_shim "${1:-continue}"; }
tell_shim() { timeout "$patience" bash -c 'echo "$1" >"$2"' _ "$1" "$dir/send-go" || not_ok "the send hangs"; }

# The processes of the daemon, and what it started, even if it is gone itself.
processes() { grep -lszxF -e "SHIM_DIR=$dir" /proc/[0-9]*/environ | cut -d / -f 3 || :; }
# Wait until none of them is left.
wait_processes() {
	local pid
	for pid in $(processes); do
		timeout "$patience" tail --pid="$pid" -s 0.1 -f /dev/null || not_ok "process $pid ends"
	done
}

# ---- status ----

# steps FILESYSTEM: of the latest attempt of job `push`, a line each: from to resumed expected-bytes replicated-bytes;
# from is "-" for a full send
steps() {
	zrepl status --mode raw | tr -d '\n' | sed -e 's/": */":/g' -e "s|.*{\"Name\":\"$1\"}||" -e 's/"Info":{"Name".*//' |
		grep -oE '"From":"[^"]*", *"To":"[^"]*", *"Resumed":[a-z]*, *"BytesExpected":[0-9]*, *"BytesReplicated":[0-9]*' |
		sed -E 's/"[A-Za-z]*"://g; s/""/-/; s/"//g; s/, */ /g'
}

# ---- what is on the pools ----

snap() { zfs snapshot -r "$1"; }

# name and guid of the snapshots of a dataset, oldest first
snapshots() { zfs list -Hp -t snapshot -o name,guid -s createtxg -d 1 "$1" 2>/dev/null | sed 's/^[^@]*//'; }
snapshot_names() { zfs list -Hp -t snapshot -o name -s createtxg -d 1 "$1" 2>/dev/null | sed 's/^[^@]*@//' | paste -sd ' '; }
bookmarks() { zfs list -H -t bookmark -o name -s createtxg -d 1 "$1" 2>/dev/null | sed 's/^[^#]*#//'; }
guid() { zfs get -Hp -o value guid "$1"; }
hex_guid() { printf '%016x' "$(guid "$1")"; }
cursor() { echo "zrepl_CURSOR_G_$(hex_guid "$1")_J_${2:-push}"; }
tentative() { echo "zrepl_CURSORTENTATIVE__G_$(hex_guid "$1")_J_push"; }
# snapshot and tag of all holds on a dataset's snapshots, one a line
holds() {
	local s
	mapfile -t s < <(zfs list -Hp -t snapshot -o name -s createtxg -d 1 "$1" 2>/dev/null)
	[ ${#s[@]} = 0 ] || zfs holds -H "${s[@]}" | awk -F '\t' '{ sub(/^[^@]*/, "", $1); print $1, $2 }'
}
# checksums of the files in a snapshot
contents() {
	mkdir -p "$dir/mnt"
	mount -t zfs -o ro "$1" "$dir/mnt" && (cd "$dir/mnt" && find . -type f | sort | xargs -r sha256sum)
	umount "$dir/mnt"
}
