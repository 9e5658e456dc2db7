# A daemon on a simulated machine (tests/sim), for scripts.
#
#	. "$(dirname "$0")/lib.sh"      with ZREPL and SIMZFS as its arguments
#	sim create -p tank/a            a zfs command that the daemon has not run
#	config <<CONF ...               the jobs; global is added
#	start_daemon; mark; zrepl signal wakeup push; wait_log '...'; stop_daemon
#	fault <<SH ...; no_fault        what every zfs does first, with its arguments in "$@"
#
# Nothing here waits by sleeping: wait_log follows the log, stop_daemon waits for the process.
# shellcheck shell=bash
set -u
zrepl=$(realpath "$1") simzfs=$(realpath "$2")
. "$(dirname "${BASH_SOURCE[0]}")/../tap/tap.sh"

readonly patience=40 # seconds, for anything to happen
dir=$tap_dir
conf=$dir/zrepl.yml log=$dir/log
daemon_pid= log_mark=1
unset "${!ZREPL_@}" "${!SIMZFS_@}"
export SIMZFS_DIR=$dir/pools SIMZFS_LOG=$dir/simlog TSAN_OPTIONS="exitcode=66 ${TSAN_OPTIONS-}"
system_path=$PATH

mkdir "$dir/sim" "$dir/bin" "$dir/empty"
mkdir -m 700 "$dir/run"
: >"$dir/simlog"
: >"$dir/pids"
: >"$log"
for name in zfs zpool; do
	ln -s "$simzfs" "$dir/sim/$name"
	cat >"$dir/bin/$name" <<-SH
		#!/bin/sh
		echo \$\$ >>$dir/pids
		[ ! -e $dir/fault ] || . $dir/fault
		exec $dir/sim/$name "\$@"
	SH
	chmod +x "$dir/bin/$name"
done

at_exit() {
	[ "$BASHPID" = $$ ] || return # of a child that was ended before it was anything else
	[ -z "$daemon_pid" ] || kill -KILL "$daemon_pid"
	if [ "$tap_failed" -gt 0 ]; then
		echo "# the end of the daemon's log:"
		tail -n 40 "$log" | sed 's/^/# /'
	fi
	rm -rf "$dir"
}
trap at_exit EXIT

sim() { SIMZFS_LOG='' "$dir/sim/zfs" "$@"; }
zrepl() { "$zrepl" --config "$conf" "$@"; }
fault() { cat >"$dir/fault.new" && mv "$dir/fault.new" "$dir/fault"; }
no_fault() { rm -f "$dir/fault"; }

config() {
	cat >"$conf" <<-GLOBAL
		global:
		  logging: [{type: stdout, level: debug, format: human}]
		  control: {sockpath: $dir/run/control}
	GLOBAL
	cat >>"$conf"
}

# A job push from tank to backup/sink, pruning what each side has too much of its own.
push_and_sink() { # push_and_sink [SNAPSHOTTING]
	config <<-CONF
		jobs:
		- name: push
		  type: push
		  connect: {type: local, listener_name: backup, client_identity: me}
		  filesystems: {"tank<": true, "tank": false}
		  snapshotting: ${1:-"{type: manual}"}
		  pruning:
		    keep_sender: [{type: not_replicated}, {type: last_n, count: 3}]
		    keep_receiver: [{type: last_n, count: 5}]
		- name: backup
		  type: sink
		  root_fs: backup/sink
		  serve: {type: local, listener_name: backup}
		  recv: {placeholder: {encryption: inherit}}
		- name: snap
		  type: snap
		  filesystems: {"home<": true, "home": false}
		  snapshotting: ${2:-"{type: manual}"}
		  pruning: {keep: [{type: last_n, count: 3}]}
	CONF
}

# launch COMMAND...: it becomes the daemon. Returns as soon as it logs or has ended.
launch() {
	PATH=$dir/bin:$system_path "$@" >>"$log" 2>&1 &
	daemon_pid=$!
}

start_daemon() { # start_daemon [VARIABLE=VALUE]...
	mark
	launch env "$@" "$zrepl" --config "$conf" daemon
	wait_log 'starting daemon'
}

mark() { log_mark=$(($(wc -l <"$log") + 1)); }
logged() { tail -n "+$log_mark" "$log"; }

# Wait until a line behind the mark matches. If the daemon ends before, or nothing comes, that is the end of the test.
wait_log() { # wait_log EXTENDED-REGEX
	local lines tail_pid rc=0
	exec {lines}< <(exec tail -n "+$log_mark" --pid="$daemon_pid" -f "$log" 2>/dev/null)
	tail_pid=$!
	timeout "$patience" grep -qE -m 1 -e "$1" <&"$lines" || rc=1
	exec {lines}<&-
	kill "$tail_pid" 2>/dev/null
	wait "$tail_pid" 2>/dev/null
	[ $rc = 0 ] && return
	fail "the log says /$1/"
	done_testing # what follows would wait in vain, too
}

# Wake a job up and wait until it is idle again; logged shows what it said.
run_job() {
	mark
	ok "job $1 is woken up" zrepl signal wakeup "$1"
	wait_log "\[$1\]\[job\]: invocation ends"
}

# End the daemon; its status is in $rc, and how long it took, in ms, in $took.
stop_daemon() { # stop_daemon [SIGNAL]...
	local s start=${EPOCHREALTIME/./}
	for s in "${@:-TERM}"; do
		kill "-$s" "$daemon_pid"
	done
	await_daemon 2>/dev/null
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
}

await_daemon() {
	timeout "$patience" tail --pid="$daemon_pid" -s 0.05 -f /dev/null || kill -KILL "$daemon_pid"
	rc=0
	wait "$daemon_pid" 2>/dev/null || rc=$?
	daemon_pid=
}

# An expression about the status document d and its jobs J.
status() {
	zrepl status --mode raw | python3 -ISc 'import json, sys
d = json.load(sys.stdin)
J = {k: v[v["type"]] for k, v in d["Jobs"].items()}
print(eval(sys.argv[1]))' "$1" 2>&1
}

# The processes of zfs(8) that the daemon has run since count_from: how many, and of which commands.
count_from() { : >"$dir/simlog"; }
count() { wc -l <"$dir/simlog"; }
counts() { cut -f 2 "$dir/simlog" | sort | uniq -c | awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }'; }

# The processes that zfs was run as, and are still there.
left_over() {
	sed 's|.*|/proc/&/environ|' "$dir/pids" | xargs -r grep -lsaF "$dir" | cut -d / -f 3 | sort -u
}

# A run of both jobs with this fault. It is in the log and in the status, and the pools stay as they were: $before.
troubled() { # troubled SENTENCE REGEX-OF-ERROR
	local errors job pruning said
	for job in push snap; do
		mark
		zrepl signal wakeup $job || fail "job $job is woken up"
		wait_log "\[$job\]\[job\]: invocation ends"
		errors=$(logged | grep '\[ERRO\]')
		like "$errors" "$2" "$1: the log of $job says so"
		is "$(grep -cvE '^[0-9TZ:-]+ \[ERRO\]\['$job'\]\[' <<<"$errors")" 0 'in lines of that job'
	done
	said=$(status 'J["push"]["Replication"]["Attempts"][-1]["State"], J["push"]["Replication"]["Attempts"][-1]["PlanError"]["Err"]')
	like "$said" "^\('planning-error', .*$2" 'the status of push, too'
	pruning=$(status 'J["snap"]["Pruning"]["State"], J["snap"]["Pruning"]["Error"]')
	like "$pruning" "^\('PlanErr', .*$2" 'and that of snap'
	like "$(zrepl status --mode dump --job push)" "^   Problem: .*$2" 'and a dump'
	is "$(sim sim-show)" "$before" 'nothing has changed'
	is "$(left_over)" '' 'and nobody is left behind'
}

six_snapshots() {
	local i
	sim create -p tank/a
	sim create tank/b
	sim create -p backup/sink
	sim create -p home/h
	for i in 1 2 3 4 5 6; do sim snapshot tank/a@$i tank/b@$i home/h@$i; done
	push_and_sink
	before=$(sim sim-show)
}

# The stream ends, or stays, after 100000 bytes: break_stream send|recv SHELL-COMMAND
break_stream() {
	fault <<-SH
		case "\$1 \$2" in
		'send -n'*) ;;
		'$1 '*)
			[ $1 = send ] || head -c 100000 >/dev/null
			[ $1 = recv ] || $dir/sim/zfs "\$@" | head -c 100000
			$2
			;;
		esac
	SH
}
