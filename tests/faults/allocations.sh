#!/bin/bash
# allocations.sh - every allocation fails once, then all from it on, in every process of the
# tool. FAULTY: the tool with faulty.c in it. SCENES, HOW ("1" once, "+" from there on),
# EVERY=N (every Nth only), SHOW=1 (what was said) choose.
. "$(dirname "$0")/../containers.sh"
. "$(dirname "$0")/scenes.sh"
FAULTY=${FAULTY:-$BUILD/tests/faulty}
[ -x "$FAULTY" ] || { fail "$FAULTY is not built"; summary; exit; }
cp "$FAULTY" "$T/tool" && FAULTY=$T/tool # nobody else's processes are this one
END=$((SECONDS + ${LIMIT:-1000000}))
export DEVGUARD_FAULT_TALLY=$T/tally ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1

counts() # of the last run: the processes there were, failures, then the allocations of each
{
	read -ra COUNTS < <(od -An -td8 -w256 -v "$T/tally")
}

# every SCENE HOW: all faults of one kind
every()
{
	local scene=$1 how=$2 n=0 p i text processes
	: >"$T/tally"
	export DEVGUARD_FAULT=0@0
	prepare "$scene" "$FAULTY" || return
	counts
	processes=${COUNTS[0]}
	local -a most=("${COUNTS[@]:2:$((processes + 1))}")
	for ((p = 0; p <= processes; p++)); do
		for ((i = 1; i <= most[p]; i += ${EVERY:-1})); do
			[ $SECONDS -lt $END ] || break 2
			export DEVGUARD_FAULT=$i${how#1}@$p
			: >"$T/tally"
			once "$FAULTY"
			n=$((n + 1))
			judge $RC >"$T/judged"
			text=$(<"$T/judged")
			[ -z "$text" ] || note "process $p allocation $i" "$text"
			[ "$RC" = "$RIGHT" ] || head -n 1 "$W/err" >>"$T/said"
		done
	done
	unset DEVGUARD_FAULT
	report "$scene, an allocation fails${how:+, $([ "$how" = 1 ] && echo once || echo and all after it)} (${most[*]})" $n
}

reason=$(need_containers)
[ -n "$reason" ] || live faults
for scene in ${SCENES:-$SCENES_PLAIN $SCENES_KERNEL}; do
	if [[ " $SCENES_KERNEL " == *" $scene "* && -n $reason ]]; then skip "$scene" "$reason"; continue; fi
	for how in ${HOW:-1 +}; do every "$scene" "$how"; done
done
echo "$FAULTS faults injected"
summary
