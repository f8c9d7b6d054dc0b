# lib.sh - what every test script shares: where things are, scratch space and
# scratch cgroups that are always removed, and the counting of results.
#
# A script sources this, calls pass/fail/skip/check/expect once a fact, and ends
# with `summary`. Run by tests/run, the facts are counted there as well.

set -u
export LC_ALL=C NO_COLOR=1
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TESTS=$ROOT/tests
BUILD=$(realpath -m "$(cd "$ROOT" && realpath -m "${BUILD:-build}")")
DEVGUARD=$(realpath -m "${DEVGUARD:-$BUILD/rucy-devguard}")
CC=${CC:-cc}
export BUILD DEVGUARD CC

[ -x "$DEVGUARD" ] || { echo "$DEVGUARD is not built: run make" >&2; exit 1; }

# ---- scratch space: one directory, and cgroups whose names start with PREFIX -----

OWNER=$$
T=$(mktemp -d "${TMPDIR:-/tmp}/dgtest.XXXXXX")
: "${DGTEST_PREFIX:=${T##*/}}" # nobody else's: a process id may be another one's in its namespace
export DGTEST_PREFIX
# The v2 hierarchy, wherever it is mounted.
CG2=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i+1) == "cgroup2") { print $5; exit } }' \
	/proc/self/mountinfo)

need_kernel() # the reason why the kernel cannot be asked, or nothing
{
	if [ "$(id -u)" != 0 ]; then echo "not root"
	elif [ -z "$CG2" ]; then echo "no cgroup v2 hierarchy is mounted"
	elif [ ! -w "$CG2" ]; then echo "$CG2 is read-only"
	elif ! grep -q devtmpfs /proc/filesystems; then echo "no device files here"
	fi
}

kernel_before() # kernel_before VERSION
{
	[ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1)" != "$1" ]
}

locked_down() { grep -qs '\[confidentiality\]' /sys/kernel/security/lockdown; } # no bpf_probe_read_kernel
task_untold() { locked_down && kernel_before 6.1; } # by nothing else these kernels let a program read a task

scratch() # scratch NAME: a new cgroup, its path in CG
{
	CG=$CG2/$DGTEST_PREFIX.$1
	mkdir "$CG"
}

# Kills what runs in the scratch cgroups (only what the tests put there) and removes them.
sweep()
{
	local i dir pids
	[ -n "$CG2" ] || return 0
	for i in 1 2 3 4 5 6 7 8 9 10; do
		pids=$(find "$CG2" -maxdepth 12 -path "$CG2/$DGTEST_PREFIX.*" -name cgroup.procs \
			-exec cat {} + 2>/dev/null)
		[ -z "$pids" ] || kill -9 $pids 2>/dev/null
		find "$CG2" -maxdepth 12 -depth -type d -path "$CG2/$DGTEST_PREFIX.*" \
			-exec rmdir {} + 2>/dev/null
		dir=$(find "$CG2" -maxdepth 1 -name "$DGTEST_PREFIX.*" 2>/dev/null)
		[ -n "$dir" ] || return 0
		sleep 0.1
	done
	echo "left behind: $dir" >&2
	return 1
}

BACKGROUND=() # pids to end; a script adds its own
on_exit() { :; } # a script may define its own
cleanup()
{
	local status=$?
	trap - EXIT INT TERM HUP
	[ "$BASHPID" = "$OWNER" ] || exit $status
	on_exit
	[ ${#BACKGROUND[@]} = 0 ] || kill -9 "${BACKGROUND[@]}" 2>/dev/null
	wait 2>/dev/null
	sweep || status=1
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do # an engine's helper may still write there
		rm -rf "$T" 2>/dev/null && break
		sleep 0.2
	done
	[ ! -e "$T" ] || { echo "left behind: $T" >&2; status=1; }
	exit $status
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# inside CG COMMAND...: the command in that cgroup, nothing else moves
inside()
{
	local cg=$1; shift
	(echo "$BASHPID" >"$cg/cgroup.procs" && exec "$@")
}

program_of() # program_of CGROUP: the number of the first device program there, or nothing
{
	if kernel_before 6.0; then # bpftool asks for more than these kernels tell, and shows none
		"$DEVGUARD" status --json "$1" | python3 -c 'import json, sys; print(*[p["program"] for p in json.load(sys.stdin)["cgroups"][0]["programs"]][:1])'
	else bpftool cgroup list "$1" | awk '$2 ~ /device/ { print $1; exit }'; fi
}

# The helper that opens and makes device nodes and names the errno (opener.c).
OPENER=$BUILD/tests/opener
build_opener()
{
	mkdir -p "$BUILD/tests"
	[ "$OPENER" -nt "$TESTS/opener.c" ] || $CC -D_GNU_SOURCE -O2 -o "$OPENER" "$TESTS/opener.c"
}

# ask CGROUP: the kernel's answers to some requests, as a cases file
ask()
{
	local type major minor answer path=$T/node
	for node in c:1:3 c:1:5 c:1:9 c:5:2 c:7:0 c:7:9 c:10:1 c:10:2 c:3:3 b:8:0 b:7:3 b:1:3; do
		IFS=: read -r type major minor <<<"$node"
		answer=$(inside "$1" "$OPENER" mknod "$type" "$major" "$minor" "$path")
		case $answer in ok) echo "allow $type $major:$minor m" ;; EPERM) echo "deny $type $major:$minor m" ;; esac
	done
	for node in "1:3 /dev/null" "1:5 /dev/zero" "1:9 /dev/urandom"; do
		for how in r w rw; do
			answer=$(inside "$1" "$OPENER" open "$how" "${node#* }")
			case $answer in EPERM) echo "deny c ${node% *} $how" ;; *) echo "allow c ${node% *} $how" ;; esac
		done
	done
}

# ---- results -----------------------------------------------------------------------

PASSED=0 FAILED=0 SKIPPED=0
tally() { [ -z "${DGTEST_TALLY:-}" ] || echo "$1" >>"$DGTEST_TALLY"; }
pass() { PASSED=$((PASSED + 1)); tally passed; [ -z "${VERBOSE:-}" ] || echo "ok: $1"; }
skip() { SKIPPED=$((SKIPPED + 1)); tally skipped; echo "skipped: $1: $2"; }
fail() # fail NAME [OUTPUT]
{
	FAILED=$((FAILED + 1)); tally failed
	echo "FAILED: $1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | head -n "${LINES_SHOWN:-40}" | sed 's/^/    /'
	[ -z "${FIRST:-}" ] || exit 1 # mutants: one is enough
}

# check NAME COMMAND...: the command succeeds
check()
{
	local name=$1 out; shift
	if out=$("$@" 2>&1); then pass "$name"; else fail "$name" "status $?: $*
$out"; fi
}

# expect NAME STATUS TEXT COMMAND...: exits so, and its output has that text
expect()
{
	local name=$1 status=$2 text=$3 out rc; shift 3
	out=$("$@" 2>&1 </dev/null); rc=$?
	if [ "$rc" = "$status" ] && [[ $out == *"$text"* ]]; then pass "$name"
	else fail "$name" "$*
status $rc, expected $status; expected text: $text
$out"; fi
}

# same NAME EXPECTED-FILE GOT-FILE
same()
{
	local out
	if out=$(diff -u "$2" "$3" 2>&1); then pass "$1"; else fail "$1" "$out"; fi
}

equal() # equal NAME WANTED GOT
{
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "$(diff <(echo "$2") <(echo "$3"))"; fi
}

has() # has NAME TEXT FILE
{
	if grep -qF -- "$2" "$3"; then pass "$1"; else fail "$1" "no '$2' in:
$(head -c 4000 "$3")"; fi
}

until_true() # until_true COMMAND...: for at most 20 s, times SLOWER
{
	local i
	for ((i = 0; i < 400 * ${SLOWER:-1}; i++)); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done
	return 1
}

summary() # also the exit status
{
	echo "$PASSED passed, $FAILED failed$([ $SKIPPED = 0 ] || echo ", $SKIPPED skipped")"
	[ $FAILED = 0 ]
}
