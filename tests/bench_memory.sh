#!/bin/bash
# bench_memory.sh - the kernel memory of audited guards of one rule: run by bench. BEFORE names
# another build of the tool to compare with. Nothing is asserted.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
[ -n "$reason" ] || { command -v bpftool && command -v jq; } >/dev/null || reason="bpftool or jq is not installed"
[ -z "$reason" ] || { echo "kernel memory: skipped: $reason"; exit 0; }
GUARDS=${GUARDS:-300}
build_opener
mknod -m 666 "$T/kmsg" c 1 11
mknod -m 666 "$T/null" c 1 3
NAME=bm$$
cat >"$T/guard.rb" <<RUBY
policy "$NAME"
audit :denied
default :allow
deny "c 1:11 rw", label: "no kernel log"
RUBY

programs() { bpftool -j prog show | jq --arg n "$NAME" '[.[] | select(.name == $n) | .bytes_memlock] | add // 0'; } # their bytes
measure() # measure NAME TOOL [OPTION...]
{
	local name=$1 tool=$2 i ids; shift 2
	for ((i = 0; i < GUARDS; i++)); do
		scratch "memory.$i"
		"$tool" apply "$T/guard.rb" "$CG" "$@" >"$T/out" 2>&1 || { cat "$T/out" >&2; exit 1; }
		[ $i -ge 10 ] || inside "$CG" "$OPENER" loop 3 "$T/null" "$T/kmsg" </dev/null >/dev/null
	done
	ids=$(bpftool -j prog show | jq --arg n "$NAME" '[.[] | select(.name == $n) | .map_ids[]]')
	bpftool -j map show | jq -r --argjson ids "$ids" --arg name "$name" --argjson prog "$(programs)" --argjson n "$GUARDS" '
		[.[] | select(.id as $i | $ids | index($i))] as $maps
		| def sum(f): [$maps[] | select(f) | .bytes_memlock] | add // 0;
		def kib: . / $n / 1024 * 10 | round / 10;
		[$name, ($prog | kib), (sum(.name == "devguard_events") | kib), (sum(.name == "devguard_tally") | kib),
		 (sum(.name == "devguard_names") | kib), (sum(.name | test("^devguard_(events|tally|names)$") | not) | kib),
		 (($prog + sum(true)) / 1048576 * 10 | round / 10)] | @tsv' |
		awk -F'\t' '{ printf "%-24s %8s %8s %8s %8s %8s %10s\n", $1, $2, $3, $4, $5, $6, $7 }'
	sweep
}
printf '%-24s %8s %8s %8s %8s %8s %10s\n' "KiB of each, $GUARDS guards" program ring tallies names others "all, MiB"
[ -z "${BEFORE-}" ] || measure before "$BEFORE"
measure now "$DEVGUARD"
measure "now, --ring 16K" "$DEVGUARD" --ring 16K
