#!/bin/bash
# bench_who.sh - what each fact about the calling task adds to a request: programs of one rule that reads it, above the floor
# (`return 1`), all in one run. Run by bench. Nothing is asserted.
. "$(dirname "$0")/lib.sh"
. "$TESTS/bench.sh"
reason=$(need_kernel)
[ -z "$reason" ] || { echo "what facts about the caller cost: skipped: $reason"; exit 0; }
. "$TESTS/bench_asked.sh"
on_exit() { echo "$stats" >/proc/sys/kernel/bpf_stats_enabled; }

no_floor=
floor
[ -z "$no_floor" ] || { echo "what facts about the caller cost: skipped: $no_floor"; exit 0; }

fact() # fact NAME CONDITION [GROUPS]
{
	printf 'allow("c 1:3 rw") { |ctx| %s }\n' "$2" >"$T/$1.rb"
	ours "$1" "$T/$1.rb"
	ARGS[$1]=${3-}
	FACTS+=("$1")
	TEXT[$1]="$2${3:+, of $3 groups}"
}
declare -A TEXT
FACTS=()
fact device true
fact uid 'ctx.uid == 0'
fact euid 'ctx.euid == 0'
fact login 'ctx.login_uid == 1000'
fact userns 'ctx.host_user_ns?'
fact pidns 'ctx.host_pid_ns?'
fact kthread '!ctx.kernel_thread?'
fact ppid 'ctx.ppid != 1'
fact exe "ctx.exe == \"$T/ask\""
fact parent "ctx.parent_exe == \"$(readlink -f /bin/bash)\""
fact capable 'ctx.capable?(:sys_admin)'
fact under 'ctx.under?("/system.slice")'
fact group3 'ctx.in_group?(101)' 3
fact group32 'ctx.in_group?(131)' 32
fact group33 'ctx.in_group?(132)' 33
fact group1000 'ctx.in_group?(1098)' 1000
fact three "ctx.exe == \"$T/ask\" && ctx.euid == 0 && ctx.host_user_ns?"

echo 1 >/proc/sys/kernel/bpf_stats_enabled
rounds "$ROUNDS" "${NAMES[@]}"

above() # above NAME: the median of the differences to the floor, round by round
{
	paste -d ' ' "$T/bench/$1" "$T/bench/floor" | awk '{ print $1 - $2 }' | quartiles | awk '{ printf "%.1f (%.1f to %.1f)", $1, $2, $3 }'
}
printf '%-44s %24s %24s\n' "a request for /dev/null" "ns (quartiles)" "above the floor"
printf '%-44s %24s\n' "return 1 (the floor)" "$(spread floor 1)"
bar "return 1 (the floor)" floor
for f in "${FACTS[@]}"; do
	text=${TEXT[$f]//"$T"/DIR}
	printf '%-44s %24s %24s\n' "$text" "$(spread "$f" 1)" "$(above "$f")"
	bar "$text" "$f"
done
drawn who "What facts about the caller cost" "ns a run of the program, as the kernel counts them"
echo "$ROUNDS rounds of $COUNT requests each: the median, in brackets the quartiles of the rounds"
