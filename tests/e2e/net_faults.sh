# What net_faults_push.test and net_faults_pull.test do, after `kind=push` or `kind=pull`: whatever happens to the
# network, or to either daemon, the active side goes on by itself, and nothing that has arrived is sent again.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/net_lib.sh"

setup_hosts
fs=$A/fs
readonly MiB=1048576
ends "${kind:?push or pull}" tcp "{'$fs': true}"
copy=$into/$fs
zfs create "$fs"

# ---- helpers of both ----

# A snapshot with so many MiB that were not in the one before; on the very first, that is all.
newest=0
grow() { head -c "$1M" /dev/urandom >"$(pool_mount a)/fs/data" && zfs snapshot "$fs@$((++newest))"; }

# What was sent has arrived, but for what is in pipes.
settle() {
	local end=$((SECONDS + patience))
	until [ -z "$(network_run right ss -Htn '( sport = :8888 or dport = :8888 )' | awk '$2 + $3 > 0')" ]; do
		[ $SECONDS -lt $end ] || { not_ok "the network settles" && return; }
	done
}

# The stream to the newest snapshot, of 8 MiB, has gone halfway and hangs.
halfway() {
	grow 8
	: >"$top/left/commands"
	on left interrupt_send $((5 * MiB))
	at_active=$(on $active log_position) at_passive=$(on $passive log_position)
	on $active start_job $job
	on left wait_interrupted
	settle
}

# All the snapshots are there, and nothing else.
is_complete() { # is_complete WHEN
	local all
	all=$(seq -s ' ' "$newest")
	look
	is "$(picture "$fs") -> $(picture "$copy" "$fs")" "$all cursor($newest) -> $all last-received($newest)" \
		"$1: what is on both sides"
}

# The run that was interrupted, or the one after it, has come to its end, and has sent but the rest.
went_on() { # went_on WHEN [NUMBER-OF-ATTEMPT]
	local sends bytes
	on $active wait_job $job
	like "$last_log" "attempt_number=${2:-[1-9]} state=done" "$1: replication goes on by itself"
	is_complete "$1"
	# A token that was read before all had been written is refused, and another follows.
	sends=$(grep '^send ' "$top/left/commands" | grep -v ' -n' | sed 's/ -t .*/ -t/; s/ -i .*//' | uniq)
	is "$sends" $'send\nsend -t' "$1: the rest is sent by a token"
	bytes=$(on $active steps "$fs" | awk 'NR == 1 { print $5 }')
	if [ "${bytes:-0}" -gt $((2 * MiB)) ] && [ "$bytes" -lt $((5 * MiB)) ]; then
		ok "$1: only the rest goes over"
	else
		not_ok "$1: only the rest goes over" "$bytes"
	fi
}

readonly waits='a side could not be reached'

# ---- nobody is there ----

export ZREPL_REPLICATION_RECONNECT_HARD_FAIL_TIMEOUT=2s
start_host $active
unset ZREPL_REPLICATION_RECONNECT_HARD_FAIL_TIMEOUT
grow 1
on $active run_job $job
like "$last_log" 'level=error .*no connection, give up.*[Cc]onnection refused' "nobody is there: the log says so in the end"
like "$(on $active zrepl status --mode dump)" '[Cc]onnection refused' "nobody is there: so does the status"

# The address is taken, and then free. The active side waits for all that.
on $active stop_daemon
start_host $active
network_start $passive python3 -c '
import signal, socket, sys
s = socket.create_server((sys.argv[1], 8888))
print("has it", flush=True)
while True: signal.pause()' "$(network_address $passive)" >"$top/squatter" 2>&1
squatter=$!
wait_text "$top/squatter" "has it"
at_passive=$(on $passive log_position)
on $passive start_daemon
on $passive wait_log "$at_passive" 'ddress already in use'
like "$(on $passive log_since "$at_passive")" 'level=error .*192\.0\.2\.[12]:8888' "the address is taken: the log says which"
like "$(on $passive zrepl status --mode dump)" '192\.0\.2\.[12]:8888.*already in use' "the address is taken: so does the status"
kill "$squatter"
on $active start_job $job
on $passive wait_listening "$at_passive" $passive_job
on $active wait_job $job
is_complete "the address is free"

stop_hosts
start_host $active
grow 1
at_active=$(on $active log_position)
on $active start_job $job
on $active wait_log "$at_active" "$waits"
start_host $passive
on $active wait_job $job
is_complete "the passive side comes later"

# ---- the network is bad ----

network_shape both delay 50ms loss 5% rate 20mbit
grow 1
on $active run_job $job
network_shape both
unlike "$last_log" 'level=(warn|error)' "a slow network that loses packets: no warning is logged"
is_complete "a slow network that loses packets"

# The network is gone while nothing flows; the active side may know it at once.
halfway
network_cut $active
cut_at=$SECONDS
on $active wait_log "$at_active" "$waits"
# For half a minute, long after both sides have noticed: this is no waiting for them.
left=$((cut_at + 31 - SECONDS))
[ "$left" -le 0 ] || timeout "$left" tail -f /dev/null || :
network_restore
went_on "the cable is cut"
like "$(on $passive log_since "$at_passive")" "level=warn .*(connection|request) failed.*client_identity=me" \
	"the cable is cut: the log of the passive side says so"

# It is gone while the stream flows, and nobody is told.
halfway
network_shape left rate 1mbit
on left continue_send
network_shape both loss 100%
on $active wait_log "$at_active" "$waits"
network_shape both
went_on "packets vanish"

# The connections break.
testbed_modules tcp_diag
halfway
network_run $active ss -K dst "$(network_address $passive)" >/dev/null
went_on "the connections are reset"

# ---- a daemon is gone ----

# What hangs is let go, to die of having nobody to write to.
kill_daemon() { # kill_daemon SIDE
	on "$1" stop_daemon KILL
	[ "$1" = right ] || on left break_send
	on "$1" wait_processes
}

halfway
kill_daemon $passive
on $active wait_log "$at_active" "$waits"
start_host $passive
went_on "the passive daemon is killed, and comes again"

halfway
kill_daemon $active
start_host $active
on $active start_job $job
went_on "the active daemon is killed, and comes again" 0
