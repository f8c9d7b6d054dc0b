#!/bin/bash
# bench_request.sh - what a request costs: the floor (`return 1`), shipped and large policies, and
# the program that crun gives a container. Run by bench. Nothing is asserted.
. "$(dirname "$0")/containers.sh"
. "$TESTS/bench.sh"
. "$TESTS/bench_asked.sh"

reason=$(need_kernel)
[ -z "$reason" ] || { echo "what a request costs: skipped: $reason"; exit 0; }
on_exit()
{
	echo "$stats" >/proc/sys/kernel/bpf_stats_enabled
	[ ! -d "$T/crun" ] || crun delete -f "$DGTEST_PREFIX.crun" >/dev/null 2>&1
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
