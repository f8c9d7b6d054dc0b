#!/bin/bash
# bench_host.sh - what the host program adds to a request: of one that is allowed, with each of its parts, and of one that is
# denied. Run by bench. Nothing is asserted.
. "$(dirname "$0")/lib.sh"
. "$TESTS/bench.sh"

reason=$(need_kernel)
[ -n "$reason" ] || ! kernel_before 6.1 || reason="Linux 6.1 is needed"
[ -z "$reason" ] || { echo "what the host program costs: skipped: $reason"; exit 0; }
ROUNDS=${ROUNDS:-40} COUNT=${COUNT:-20000}
stats=$(cat /proc/sys/kernel/bpf_stats_enabled)
on_exit() { echo "$stats" >/proc/sys/kernel/bpf_stats_enabled; }
echo 1 >/proc/sys/kernel/bpf_stats_enabled
"$BUILD/tests/host_cost" "$ROUNDS" "$COUNT" "$T/bench" || exit 1

row() # row TEXT NAME: also what it is above the floor, in each round
{
	paste -d ' ' "$T/bench/$2" "$T/bench/floor" | awk '{ print $1 - $2 }' >"$T/bench/$2-above"
	printf '%-44s %24s %24s\n' "$1" "$(spread "$2" 1)" "$(spread "$2-above" 1)"
	bar "$1" "$2"
}
printf '%-44s %24s %24s\n' "a run of the host program" "ns (quartiles)" "above return 1"
row "return 1 (the floor)" floor
row "allowed: observe" observe
row "allowed: no grant" grants-0
row "allowed: 10,000 grants" grants-10000
row "allowed: observe and 10,000 grants" both
row "denied: observe, no reader" denied-observe
row "denied: no grant" denied-grants-0
row "denied: 10,000 grants of others" denied-grants-10000
row "denied: observe and 10,000 grants of others" denied-both
row "opened by one of 10,000 grants" granted
drawn host "What the host program takes" "ns a run, as the kernel counts them"
echo "$ROUNDS rounds of $COUNT requests each, at level 2 of the hierarchy: the median, in brackets the quartiles of the rounds"
