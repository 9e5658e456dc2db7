# For with-postgres and with-mariadb: a server that ends when the script does, however that is.
# shellcheck shell=bash

dir='' port='' server_pid='' user=()

skip() {
	echo "ok 1 - the hook works with a real server # SKIP $1"
	echo 1..1
	exit 0
}

give_up() { # give_up FILE: what it said
	sed 's/^/# /' "$1"
	echo "Bail out! the server does not work"
	exit 1
}

stop_server() {
	[ -n "$server_pid" ] || return 0
	# PostgreSQL's way to stop at once, and clean up.
	kill -QUIT "$server_pid" 2>/dev/null || :
	timeout 20 tail --pid="$server_pid" -s 0.05 -f /dev/null || kill -KILL "$server_pid"
	wait "$server_pid" 2>/dev/null || :
	server_pid=
}

# shellcheck disable=SC2317  # called by a trap
at_exit() {
	stop_server
	[ -z "$dir" ] || rm -rf "$dir"
}
trap at_exit EXIT
trap 'exit 143' HUP INT TERM

# The servers refuse to be root.
make_directory() { # make_directory USER
	local top=${TMPDIR:-/tmp}
	[ ! -w /dev/shm ] || [ "$(df --output=avail -k /dev/shm | tail -n 1)" -lt 400000 ] || top=/dev/shm
	dir=$(mktemp -d "$top/zrepl-$1-XXXXXX") # short, since a socket is in it
	chmod 755 "$dir"
	if [ "$(id -u)" = 0 ]; then
		user=(setpriv --reuid="$1" --regid="$1" --clear-groups)
		chown "$1" "$dir"
	fi
}

as_user() { (cd "$dir" && HOME=$dir exec "${user[@]}" "$@" </dev/null); }

# Somebody else may have the port: then another one is tried.
start_server() { # start_server WHEN-IT-SAYS COMMAND...: to which the port is added
	local try said
	for try in {1..10}; do
		port=$((20000 + RANDOM % 10000))
		: >"$dir/log"
		(cd "$dir" && HOME=$dir exec "${user[@]}" setpriv --pdeathsig KILL -- "${@:2}" "$port") \
			</dev/null >>"$dir/log" 2>&1 &
		server_pid=$!
		# It ends as soon as the server is ready, or is no more.
		exec {said}< <(exec tail -c +1 --pid="$server_pid" -s 0.05 -f "$dir/log")
		if timeout 60 grep -q -m 1 -F -e "$1" <&"$said"; then
			exec {said}<&-
			return
		fi
		exec {said}<&-
		echo "# try $try: there is no server on port $port"
		stop_server
	done
	give_up "$dir/log"
}
