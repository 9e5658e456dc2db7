# Two hosts on a network, for tests: to be sourced by a bash script that runs in testbed/vm or under testbed/native.
#
#     . testbed/network.sh
#     network_create
#     network_start right zrepl --config sink.yml daemon >>log 2>&1
#     daemon=$!
#     network_shape both delay 20ms rate 10mbit
#     network_run left zrepl --config push.yml signal wakeup push
#     network_cut left; ...; network_restore
#
# The hosts `left` and `right` are network namespaces, joined by a cable (a veth pair, called `wire` in both) and with
# no way to anywhere else. Files, mounts and processes are those of the whole machine. Where a SIDE is asked for, it is
# left or right. The namespaces have names that nobody else uses; they and what runs in them are gone when the script
# ends. This file sets the traps of EXIT, HUP, INT and TERM. If testbed/pools.sh is used too, it is sourced first; a
# script that needs a trap of EXIT itself calls network_destroy in it, before pools_destroy. Needs bash, root,
# iproute2, util-linux and kmod.
# shellcheck shell=bash

case ${TESTBED:-} in
vm | native) ;;
*)
	echo "testbed: networks are made in testbed/vm or under testbed/native only" >&2
	exit 125
	;;
esac

network_prefix=zrt$$_${RANDOM}
network_shapes=0

# testbed_modules NAME...: loads kernel modules, with what they need. The virtual machine has those that `offered` in
# testbed/build names. Most load themselves when they are asked for something; on a host that forbids it this helps.
testbed_modules() { modprobe -a -- "$@"; }

# network_create: makes both hosts, with their addresses, loopback devices, and the cable between them.
network_create() {
	local side
	testbed_modules veth &&
		ip netns add "${network_prefix}_left" &&
		ip netns add "${network_prefix}_right" &&
		ip link add wire netns "${network_prefix}_left" address 02:00:00:00:00:01 type veth \
			peer name wire netns "${network_prefix}_right" address 02:00:00:00:00:01 || return
	for side in left right; do
		# Nobody asks for the address of the other interface, which is the same: with a network that loses packets
		# that would add delays which two hosts with a router between them do not see.
		# shellcheck disable=SC2016  # for the shell on the host
		network_run $side sh -ec '
			cd /proc/sys/net/ipv6/conf
			echo 0 >lo/disable_ipv6
			echo 0 >wire/disable_ipv6
			echo 1 >wire/keep_addr_on_down
			exec ip -batch -' <<-IP || return
				link set lo up
				link set wire addrgenmode none arp off
				address add $(network_address $side)/24 dev wire
				address add $(network_address $side 6)/64 dev wire nodad
				link set wire up
			IP
	done
}

# network_address SIDE [4|6]: prints the host's address, of IPv4 if not told otherwise.
network_address() {
	case $1/${2:-4} in
	left/4) echo 192.0.2.1 ;;
	right/4) echo 192.0.2.2 ;;
	left/6) echo 2001:db8::1 ;;
	right/6) echo 2001:db8::2 ;;
	*)
		echo "testbed: no host '$1' with an address of IPv${2:-4}" >&2
		return 1
		;;
	esac
}

# network_run SIDE COMMAND...: runs a command on one of the hosts. (Not with ip-netns(8), which would hide from everyone
# else what the command mounts.)
network_run() { nsenter --net="/run/netns/${network_prefix}_$1" -- "${@:2}"; }

# network_start SIDE COMMAND...: the same in the background; $! is the command itself, to be signalled or waited for.
network_start() { nsenter --net="/run/netns/${network_prefix}_$1" -- "${@:2}" & }

# network_shape SIDE|both [OPTION...]: what the host sends from now on is treated as the options say, which are those
# of tc-netem(8), e.g. "delay 50ms 5ms loss 1% rate 10mbit". They replace those of an earlier call; with none, what
# is sent arrives at once. What was on its way is lost. "loss 100%" is a failure between the hosts that neither is
# told of.
network_shape() {
	local side sides=("$1")
	shift
	[ "${sides[0]}" != both ] || sides=(left right)
	for side in "${sides[@]}"; do
		if [ $# -eq 0 ]; then
			network_run "$side" tc qdisc delete dev wire root 2>/dev/null || : # there may be none
			continue
		fi
		# One takes the place of the other, since none can be changed in all its options; by another number, or it would
		# be changed. Between deleting and adding, much would get through.
		network_shapes=$((network_shapes % 9000 + 1))
		network_run "$side" tc qdisc replace dev wire root handle "$network_shapes:" netem "$@" || return
	done
}

# network_cut SIDE: takes down the interface of one host. It finds the network unreachable; the other host finds no
# signal on its cable, and what it sends is lost.
network_cut() { network_run "$1" ip link set wire down; }

# network_restore: takes the interfaces of both hosts up again. What network_shape said stays.
network_restore() { network_run left ip link set wire up && network_run right ip link set wire up; }

# network_destroy: ends what runs on the hosts and removes them.
network_destroy() {
	local name pids end=$((SECONDS + 30))
	for name in "${network_prefix}_left" "${network_prefix}_right"; do
		[ -e "/run/netns/$name" ] || continue
		# Until nothing is left: a process may have started another meanwhile.
		while mapfile -t pids < <(ip netns pids "$name") && [ ${#pids[@]} -gt 0 ]; do
			if [ $SECONDS -ge $end ]; then
				echo "testbed: processes are left behind on $name: ${pids[*]}" >&2
				break
			fi
			# Bash would announce each process that it finds killed.
			{ kill -KILL "${pids[@]}" || :; sleep 0.05; } 2>/dev/null
		done
		ip netns delete "$name" || :
	done
}

if declare -F pools_destroy >/dev/null; then
	trap 'network_destroy; pools_destroy' EXIT
else
	trap network_destroy EXIT
fi
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
