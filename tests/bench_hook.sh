#!/bin/bash
# bench_hook.sh - what the hook adds to a container's start: run by bench. Nothing is asserted.
. "$(dirname "$0")/containers.sh"

reason=$(need_containers)
[ -n "$reason" ] || [ -n "$CRUN" ] || reason="crun is not installed"
[ -z "$reason" ] || { echo "a container's start with the hook: skipped: $reason"; exit 0; }
ROUNDS=${ROUNDS:-20}

mkdir "$T/policies"
cp "$ROOT/policies/container-default.rb" "$T/policies/made.rb"
"$DEVGUARD" compile "$T/policies/made.rb" -o "$T/policies/object.o" || exit 1
for p in made.rb object.o; do
	bundle "$p" createRuntime true . --policy "$T/policies/$p"
done
bundle bare createRuntime true 'del(.hooks)'

# least COMMAND...: its wall time in ms, the least of ROUNDS
least()
{
	local i start end
	for ((i = 0; i < ROUNDS; i++)); do
		start=$EPOCHREALTIME; "$@" >"$T/out" 2>&1 || { cat "$T/out" >&2; return 1; }; end=$EPOCHREALTIME
		echo $((${end/./} - ${start/./}))
	done | sort -n | awk 'NR == 1 { printf "%.1f", $1 / 1000 }'
}
start() { crun run -b "$T/b/$1" "$DGTEST_PREFIX.$1"; }
hook() { "$DEVGUARD" oci-hook --policy "$T/policies/$1" <"$T/state"; }
fresh() { rm -rf /run/rucy-devguard/cache; hook made.rb; }

B=$(least start bare) && M=$(least start made.rb) && O=$(least start object.o) || exit 1
live timed
state "$LIVE" >"$T/state"
HF=$(least fresh) && HM=$(least hook made.rb) && HO=$(least hook object.o) || exit 1
row() { awk -v n="$1" -v x="$2" -v b="$3" 'BEGIN { printf "%-36s %8.1f %10s\n", n, x, b ? sprintf("%.2f", x / b) : "-" }'; }
printf '%-36s %8s %10s\n' "a container's start (crun run)" "ms" "/ without"
row "without the hook" "$B" "$B"
row "with the hook, .rb in the cache" "$M" "$B"
row "with the hook, .o" "$O" "$B"
row "the hook alone, .rb compiled" "$HF" ""
row "the hook alone, .rb in the cache" "$HM" ""
row "the hook alone, .o" "$HO" ""
