# Pools for tests: to be sourced by a bash script that runs in testbed/vm or under testbed/native.
#
#     . testbed/pools.sh
#     pool_create source
#     zfs create "$(pool_name source)/data"
#     echo hello >"$(pool_mount source)/data/file"
#
# A pool lies on a sparse file in a private directory, has a name that no other test and no administrator uses, and
# its file systems are mounted below the private directory. All of it is gone when the script ends, be it by a
# failure or by SIGINT or SIGTERM. This file sets the traps of EXIT, HUP, INT and TERM; a script that needs a trap of
# EXIT itself calls pools_destroy in it. Needs bash, zfs and zpool.
# shellcheck shell=bash

case ${TESTBED:-} in
vm | native) ;;
*)
	echo "testbed: pools are made in testbed/vm or under testbed/native only" >&2
	exit 125
	;;
esac

pools_directory=$(mktemp -d "${TMPDIR:-/tmp}/pools.XXXXXXXX")
pools_prefix=zrt$$_${RANDOM}
mkdir "$pools_directory/files" "$pools_directory/mounts"

# pool_create NAME [SIZE]: makes a pool of SIZE (as truncate(1) takes it, 256M by default; 64M is the minimum).
pool_create() {
	local file=$pools_directory/files/$1
	truncate -s "${2:-256M}" "$file" &&
		zpool create -R "$pools_directory/mounts" -O mountpoint="/$1" "$(pool_name "$1")" "$file"
}

# pool_name NAME: prints the name under which zfs and zpool know the pool.
pool_name() { echo "${pools_prefix}_$1"; }

# pool_mount NAME: prints the directory where the pool's root file system is mounted.
pool_mount() { echo "$pools_directory/mounts/$1"; }

# zvol_device VOLUME: prints the path of a volume's block device, once it is there. Its full name is given, e.g.
# "$(pool_name source)/disk". The device appears some time after the command that made the volume.
zvol_device() {
	local device=/dev/zvol/$1 end=$((SECONDS + 30))
	until [ -b "$device" ]; do
		if [ $SECONDS -ge $end ]; then
			echo "testbed: $device did not appear" >&2
			return 1
		fi
		sleep 0.05
	done
	echo "$device"
}

# A pool is busy while a killed command still holds something of it, so this may take some attempts.
pools_destroy() {
	local file pool end=$((SECONDS + 30)) result=0
	cd /
	for file in "$pools_directory"/files/*; do
		pool=$(pool_name "${file##*/}")
		while zpool list -H -o name "$pool" >/dev/null 2>&1; do
			if zpool destroy -f "$pool" 2>"$pools_directory/why"; then break; fi
			if [ $SECONDS -ge $end ]; then
				echo "testbed: pool $pool is left behind: $(cat "$pools_directory/why")" >&2
				result=1
				break
			fi
			sleep 0.1
		done
	done
	[ $result -ne 0 ] || rm -rf "$pools_directory"
	return $result
}

trap pools_destroy EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
