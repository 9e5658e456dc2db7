# TAP for scripts that drive the program.
#
#	. tests/tap/tap.sh
#	run zrepl version
#	is "$rc" 0 'version succeeds'
#	done_testing
#
# What has failed shows what was got and what was wanted; the script goes on.
# shellcheck shell=bash
tap_n=0 tap_failed=0

pass() { echo "ok $((++tap_n)) - $1"; }

fail() { # fail SENTENCE [EXPLANATION]
	echo "not ok $((++tap_n)) - $1"
	tap_failed=$((tap_failed + 1))
	[ -z "${2-}" ] || printf '%s\n' "$2" | tail -n 30 | cut -c 1-300 | sed 's/^/# /'
}

skip() { echo "ok $((++tap_n)) - $1 # SKIP $2"; } # skip SENTENCE WHY

is() { # is GOT WANTED SENTENCE
	if [ "$1" = "$2" ]; then pass "$3"; else fail "$3" "got:    $1
wanted: $2"; fi
}

like() { # like TEXT EXTENDED-REGEX SENTENCE
	if grep -qE -e "$2" <<<"$1"; then pass "$3"; else fail "$3" "no /$2/ in:
$1"; fi
}

unlike() { # unlike TEXT EXTENDED-REGEX SENTENCE
	if grep -qE -e "$2" <<<"$1"; then fail "$3" "/$2/ in:
$1"; else pass "$3"; fi
}

# ok SENTENCE COMMAND...: it succeeds.
ok() {
	local sentence=$1 said
	shift
	if said=$("$@" 2>&1); then pass "$sentence"; else fail "$sentence" "$*:
$said"; fi
}

# run COMMAND...: its stdout, stderr and exit status are in $out, $err and $rc.
run() {
	rc=0
	out=$("$@" 2>"$tap_dir/stderr") || rc=$?
	err=$(cat "$tap_dir/stderr")
}

# shows RC OUT ERR SENTENCE: the last run had this status; OUT and ERR match, '' is nothing at all.
shows() {
	local got="status $rc
stdout: $out
stderr: $err"
	if [ "$rc" = "$1" ] && said "$out" "$2" && said "$err" "$3"; then
		pass "$4"
	else
		fail "$4" "$got
wanted: status $1, /$2/, /$3/"
	fi
}

said() {
	if [ -z "$2" ]; then [ -z "$1" ]; else grep -qE -e "$2" <<<"$1"; fi
}

done_testing() {
	echo "1..$tap_n"
	exit $((tap_failed > 0))
}

tap_dir=$(mktemp -d)
