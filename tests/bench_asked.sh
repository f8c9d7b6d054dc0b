# bench_asked.sh - what the scripts share that measure programs of requests: each is attached to a cgroup of its own, and
# asked for /dev/null from there.

ROUNDS=${ROUNDS:-40} COUNT=${COUNT:-20000}
stats=$(cat /proc/sys/kernel/bpf_stats_enabled)
cat >"$T/ask.c" <<'C'
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	FILE *f = fopen(argv[1], "w");
	static gid_t groups[1 << 16];
	int n = argc > 3 ? atoi(argv[3]) : 0; /* as a member of so many groups: 100, 101, ... */
	for (int i = 0; i < n; i++)
		groups[i] = 100 + (gid_t)i;
	if (argc < 3 || (n && setgroups(n, groups)) || !f || fprintf(f, "%d", getpid()) < 0 || fclose(f))
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

declare -A ARGS # more arguments of ask
counters() { bpftool prog show id "$1" --json | sed 's/.*"run_time_ns":\([0-9]*\).*"run_cnt":\([0-9]*\).*/\1 \2/;t;s/.*/0 0/'; }
measure() # ns a run of the program, over COUNT requests
{
	local before after
	before=$(counters "${ID[$1]}")
	"$T/ask" "${OF[$1]}/cgroup.procs" "$COUNT" ${ARGS[$1]-} || return
	after=$(counters "${ID[$1]}")
	awk -v b="$before" -v a="$after" 'BEGIN { split(b, x); split(a, y); printf "%.3f\n", (y[1] - x[1]) / (y[2] - x[2]) }'
}
