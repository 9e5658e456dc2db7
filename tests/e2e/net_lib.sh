# For the end-to-end tests over a network: two hosts with a daemon each. On top of lib.sh and testbed/network.sh.
#
#	. tests/e2e/net_lib.sh
#	setup_hosts                     pool $A is sent, from host left; $B receives, on host right
#	ends push tcp FILTER
#	start_hosts; on $active run_job $job
#	is "$(picture "$fs")" "1 2 cursor(2)" "sentence"
#	end_hosts; done_testing
#
# What lib.sh does for the daemon in $dir, `on` does for that of a host: on left start_daemon, on right wait_log ...
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$here/../../testbed/network.sh"

# shellcheck disable=SC2034 # see on()
left_pid='' right_pid=''

on() { # on SIDE COMMAND...
	# shellcheck disable=SC2034 # they are for the command
	local dir=$top/$1 launch=(nsenter "--net=/run/netns/${network_prefix}_$1" --)
	# shellcheck disable=SC2178 # no array
	local -n daemon_pid=$1_pid
	"${@:2}"
}

setup_hosts() { # setup_hosts [SIZE-OF-POOLS]
	local side
	setup "$@"
	network_create
	for side in left right; do on $side make_home; done
}

# ---- transports ----

# What reaches the other host, and what it listens with. Who dials is known as `me`.
connect() { # connect tcp|tcp6|tls|ssh TO [PORT]
	local to
	to=$(network_address "$2")
	case $1 in
	tcp) echo "{type: tcp, address: '$to:${3:-8888}', dial_timeout: 3s}" ;;
	tcp6) echo "{type: tcp, address: '[$(network_address "$2" 6)]:${3:-8888}', dial_timeout: 3s}" ;;
	tls) echo "{type: tls, address: '$to:${3:-8889}', dial_timeout: 3s, server_cn: $2, $(tls_files "$(other "$2")" "$2")}" ;;
	ssh)
		echo "{type: ssh+stdinserver, host: $to, port: ${3:-2222}, user: root, identity_file: $top/ssh/key," \
			"dial_timeout: 60s, options: [UserKnownHostsFile=$top/ssh/known_hosts, StrictHostKeyChecking=yes]}"
		;;
	esac
}

serve() { # serve tcp|tcp6|tls|ssh ON [IDENTITY]
	local on from
	on=$(network_address "$2") from=$(network_address "$(other "$2")")
	case $1 in
	tcp) echo "{type: tcp, listen: '$on:8888', clients: {$from: ${3:-me}}}" ;;
	tcp6) echo "{type: tcp, listen: '[$(network_address "$2" 6)]:8888', clients: {'$(network_address "$(other "$2")" 6)': ${3:-me}}}" ;;
	tls) echo "{type: tls, listen: '$on:8889', client_cns: [${3:-me}], $(tls_files "$2" "$(other "$2")")}" ;;
	ssh) echo "{type: stdinserver, client_identities: [${3:-me}]}" ;;
	esac
}

other() { if [ "$1" = left ]; then echo right; else echo left; fi; }

tls_files() { # tls_files SIDE OTHER
	echo "ca: $top/tls/$2.crt, cert: $top/tls/$1.crt, key: $top/tls/$1.key"
}

# A certificate that vouches for itself, with a key, in $top/tls/SIDE.{crt,key}. Its common name is `me`.
self_signed() { # self_signed SIDE
	mkdir -p "$top/tls"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=me \
		-addext "subjectAltName=DNS:$1" -keyout "$top/tls/$1.key" -out "$top/tls/$1.crt" 2>/dev/null
}

# An sshd on each host, which lets nobody in but who has the key, to run nothing but stdinserver; without the user's
# own .bashrc, which bash would read.
start_sshd() {
	local side
	mkdir -p /run/sshd
	mkdir -m 700 "$top/ssh"
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$top/ssh/host"
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$top/ssh/key"
	for side in left right; do
		echo "[$(network_address $side)]:2222 $(cat "$top/ssh/host.pub")" >>"$top/ssh/known_hosts"
		echo "command=\"$zrepl --config $top/$side/zrepl.yml stdinserver me\",restrict $(cat "$top/ssh/key.pub")" \
			>"$top/ssh/authorized_$side"
		cat >"$top/ssh/config_$side" <<-CONF
			Port 2222
			HostKey $top/ssh/host
			AuthorizedKeysFile $top/ssh/authorized_$side
			KexAlgorithms curve25519-sha256
			AuthenticationMethods publickey
			PermitRootLogin forced-commands-only
			StrictModes no
			UsePAM no
			SetEnv HOME=$top
			PidFile none
		CONF
		network_start $side /usr/sbin/sshd -D -e -f "$top/ssh/config_$side" >"$top/$side/sshd.log" 2>&1
		wait_text "$top/$side/sshd.log" 'Server listening'
	done
}

wait_text() { # wait_text FILE TEXT
	timeout "$patience" bash -c 'tail -n +1 -f "$1" 2>/dev/null | grep -q -m 1 -F -e "$2"' _ "$1" "$2" ||
		not_ok "'$2' appears in $1" "$(tail "$1")"
}

# ---- jobs ----

# One job. FILTER is for those that send, ROOT-FS for those that receive.
REPLICATION="{concurrency: {steps: 3}}"
PRUNING="{keep_sender: [{type: regex, regex: '.*'}], keep_receiver: [{type: regex, regex: '.*'}]}" # none
job() { # job push|pull|sink|source NAME CONNECT-OR-SERVE FILTER-OR-ROOT-FS
	local keys=("name: $2" "type: $1")
	case $1 in
	push | pull) keys+=("connect: $3" "replication: $REPLICATION" "pruning: $PRUNING") ;;
	sink | source) keys+=("serve: $3") ;;
	esac
	case $1 in
	push | source) keys+=("filesystems: $4" "snapshotting: {type: manual}") ;;
	sink | pull) keys+=("root_fs: $4" "recv: {placeholder: {encryption: inherit}}") ;;
	esac
	[ "$1" != pull ] || keys+=("interval: manual")
	printf -- '- %s\n' "${keys[0]}"
	printf '  %s\n' "${keys[@]:1}"
}

# Both ends of one replication from left to right: `push` and `sink`, or `pull` and `source`.
ends() { # ends push|pull TRANSPORT FILTER
	case $1 in
	push) active=left passive=right job=push passive_job=sink sending=push receiving=sink into=$B/sink/me ;;
	pull) active=right passive=left job=pull passive_job=source sending=source receiving=pull into=$B/sink ;;
	esac
	local connect serve
	connect=$(connect "$2" $passive)
	serve=$(serve "$2" $passive)
	case $1 in
	push)
		on left write_config < <(echo jobs: && job push push "$connect" "$3")
		on right write_config < <(echo jobs: && job sink sink "$serve" "$B/sink")
		;;
	pull)
		on left write_config < <(echo jobs: && job source source "$serve" "$3")
		on right write_config < <(echo jobs: && job pull pull "$connect" "$B/sink")
		;;
	esac
}

# ---- daemons ----

start_host() { # start_host SIDE: and wait until its jobs listen
	local at job
	at=$(on "$1" log_position)
	on "$1" start_daemon
	for job in $(awk '/^- name:/ { name = $3 } /^  serve:/ { print name }' "$top/$1/zrepl.yml"); do
		on "$1" wait_listening "$at" "$job"
	done
}

wait_listening() { wait_log "$1" "job=$2 subsystem=job msg=\"listening on "; }

start_hosts() { start_host right && start_host left; }
stop_hosts() { on left stop_daemon "$@" && on right stop_daemon "$@"; }

# Both end when they are told to, and leave nobody behind.
end_hosts() {
	local side rc
	for side in left right; do
		rc=0
		local -n pid=${side}_pid
		kill -TERM "$pid"
		wait "$pid" || rc=$?
		pid=''
		is "$rc $(on $side processes)" "0 " "the daemon on $side ends with status 0, and leaves no process behind"
	done
}

# ---- what is on the pools ----

# What the pools have, in two processes; for picture.
look() {
	local name guid refs hex held=()
	declare -gA guid_of=() name_of=() # by name, by guid in hexadecimal
	inventory=$(zfs list -Hp -t snapshot,bookmark -o name,guid,userrefs -s createtxg -r "$A" "$B")
	while IFS=$'\t' read -r name guid refs; do
		case $name in
		*@*)
			printf -v hex %016x "$guid"
			guid_of[$name]=$guid name_of[$hex]=${name#*@}
			[ "$refs" = 0 ] || held+=("$name")
			;;
		esac
	done <<<"$inventory"
	[ ${#held[@]} = 0 ] || inventory+=$'\n'$(zfs holds -H "${held[@]}" | awk -F '\t' '{ print $1 "\t" $2 "\thold" }')
}

# What is on a dataset, in a line: the names of its snapshots, oldest first, then bookmarks and holds. A snapshot that
# the original has with another guid is marked: 2!. What is ours is abbreviated: cursor(3) is the cursor that $sending
# keeps at snapshot 3, last-received(3) the hold of $receiving.
picture() { # picture DATASET [ORIGINAL]
	local name what refs out=() more=()
	while IFS=$'\t' read -r name what refs; do
		case $refs:$name in
		hold:"$1@"*)
			[ "$what" != "zrepl_last_received_J_$receiving" ] || what=last-received
			more+=("$what(${name#*@})")
			;;
		*:"$1@"*)
			[ "${guid_of[${2:-$1}@${name#*@}]:-$what}" = "$what" ] && refs='' || refs='!'
			out+=("${name#*@}$refs")
			;;
		*:"$1#"*)
			name=${name#*#}
			if [[ $name =~ ^zrepl_CURSOR_G_([0-9a-f]{16})_J_$sending$ ]]; then
				name="cursor(${name_of[${BASH_REMATCH[1]}]:-gone})"
			fi
			more+=("$name")
			;;
		esac
	done <<<"$inventory"
	echo "${out[*]}${more[*]:+ ${more[*]}}"
}
