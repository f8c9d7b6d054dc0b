#!/bin/bash
# bench_request.sh - what a request costs: the floor (`return 1`), shipped and large policies, and
# the program that crun gives a container. Run by bench. Nothing is asserted.
. "$(dirname "$0")/containers.sh"
. "$TESTS/bench.sh"

reason=$(need_kernel)
[ -z "$reason" ] || { echo "what a request costs: skipped: $reason"; exit 0; }
ROUNDS=${ROUNDS:-40} COUNT=${COUNT:-20000}
stats=$(cat /proc/sys/kernel/bpf_stats_enabled)
on_exit()
{
	echo "$stats" >/proc/sys/kernel/bpf_stats_enabled
	[ ! -d "$T/crun" ] || crun delete -f "$DGTEST_PREFIX.crun" >/dev/null 2>&1
}

cat >"$T/ask.c" <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	FILE *f = fopen(argv[1], "w");
	if (argc < 3 || !f || fprintf(f, "%d", getpid()) < 0 || fclose(f))
		return 1;
	for (int i = atoi(argv[2]); i > 0; i--)
		faccessat(AT_FDCWD, "/dev/null", R_OK | W_OK, AT_EACCESS);
	return 0;
}
C
$CC -O2 -o "$T/ask" "$T/ask.c" || exit 1

# ---- the programs, each attached to a cgroup of its own -------------------------------------------

declare -A OF ID # cgroup, program
NAMES=()
attached() # attached NAME CGROUP
{
	OF[$1]=$2
	ID[$1]=$(bpftool cgroup list "$2" | awk '$2 ~ /device/ { print $1; exit }')
	[ -n "${ID[$1]}" ] || { echo "bench: no program for $1" >&2; exit 1; }
	NAMES+=("$1")
}

ours() # ours NAME POLICY [OPTION...]
{
	scratch "$1"
	"$DEVGUARD" apply "$2" "$CG" "${@:3}" >"$T/out" 2>&1 || { cat "$T/out" >&2; exit 1; }
	attached "$1" "$CG"
}

# A program that only returns 1: the least a program can cost.
floor()
{
	command -v clang >/dev/null || { no_floor="clang is not installed"; return; }
	cat >"$T/floor.c" <<'C'
__attribute__((section("cgroup/dev"), used)) int floor_program(void *ctx) { (void)ctx; return 1; }
char gpl[] __attribute__((section("license"), used)) = "GPL";
C
	clang -target bpf -O2 -g -c -o "$T/floor.o" "$T/floor.c" || exit 1
	scratch floor
	unshare -m --propagation private bash -c 'mkdir "$1/bpf" && mount -t bpf bpf "$1/bpf" &&
		bpftool prog load "$1/floor.o" "$1/bpf/floor" >/dev/null &&
		bpftool cgroup attach "$2" device pinned "$1/bpf/floor" multi' - "$T" "$CG" || exit 1
	attached floor "$CG"
}

theirs() # crun's own program
{
	no_crun=$(need_containers)
	[ -n "$no_crun" ] || [ -n "$CRUN" ] || no_crun="crun is not installed"
	[ -z "$no_crun" ] || return
	bundle crun createRuntime "sleep 7200" 'del(.hooks)'
	crun run -d -b "$T/b/crun" "$DGTEST_PREFIX.crun" >"$T/out" 2>&1 || { no_crun="crun: $(tail -n 1 "$T/out")"; return; }
	attached crun "$CG"
}

awk 'BEGIN { srand(7); for (i = 0; i < 2000; i++) printf "allow \"c %d:%d rw\"\n", rand() * 4096, rand() * 1048576;
	print "allow :null" }' >"$T/scattered.rb"
printf 'allow "a *:* m"\n' >"$T/denies.rb"
no_floor= no_crun=
floor
theirs
ours container "$ROOT/policies/container-default.rb"
ours audited "$ROOT/policies/container-default.rb" --audit denied
ours scattered "$T/scattered.rb"
ours denied "$T/denies.rb"
ours reported "$T/denies.rb" --audit denied

# ---- in rounds --------------------------------------------------------------------------------------

counters() { bpftool prog show id "$1" --json | sed 's/.*"run_time_ns":\([0-9]*\).*"run_cnt":\([0-9]*\).*/\1 \2/;t;s/.*/0 0/'; }
measure() # ns a run of the program, over COUNT requests
{
	local before after
	before=$(counters "${ID[$1]}")
	"$T/ask" "${OF[$1]}/cgroup.procs" "$COUNT" || return
	after=$(counters "${ID[$1]}")
	awk -v b="$before" -v a="$after" 'BEGIN { split(b, x); split(a, y); printf "%.3f\n", (y[1] - x[1]) / (y[2] - x[2]) }'
}
echo 1 >/proc/sys/kernel/bpf_stats_enabled
rounds "$ROUNDS" "${NAMES[@]}"

row() # row TEXT NAME
{
	[ -n "${ID[$2]-}" ] || return 0
	printf '%-36s %24s %24s\n' "$1" "$(spread "$2")" "$([ -n "$no_floor" ] || ratio "$2" floor)"
	bar "$1" "$2"
}
printf '%-36s %24s %24s\n' "a request for /dev/null" "ns (quartiles)" "/ floor"
row "return 1 (the floor)" floor
row "container-default" container
row "container-default, audit denied" audited
row "2,000 scattered rules" scattered
row "denied" denied
row "denied and reported, no reader" reported
row "crun's default program" crun
[ -z "$no_floor" ] || echo "return 1 (the floor): skipped: $no_floor"
if [ -n "$no_crun" ]; then echo "crun's default program: skipped: $no_crun"
elif [ -z "$no_floor" ]; then echo "(ours - floor) / (theirs - floor): container-default, crun: $(ratio container crun floor)"; fi
drawn request "What a request for /dev/null costs" "ns a run of the program, as the kernel counts them"
echo "$ROUNDS rounds of $COUNT requests each: the median, in brackets the quartiles of the rounds"
