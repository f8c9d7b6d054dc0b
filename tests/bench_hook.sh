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

timed() # timed NAME COMMAND...: its wall time, in microseconds, to a file of that name
{
	local start=$EPOCHREALTIME end
	"${@:2}" >"$T/out" 2>&1 || { cat "$T/out" >&2; exit 1; }
	end=$EPOCHREALTIME
	echo $((${end/./} - ${start/./})) >>"$T/times.$1"
}
create() { crun create -b "$T/b/$1" "$DGTEST_PREFIX.$1"; }
delete() { crun delete -f "$DGTEST_PREFIX.$1"; }
hook() { "$DEVGUARD" oci-hook --policy "$T/policies/$1" <"$T/state"; }

live timed
state "$LIVE" >"$T/state"
# In turn, so that what disturbs one round disturbs all of it.
for ((i = 0; i < ROUNDS; i++)); do
	for p in bare made.rb object.o; do
		timed "create.$p" create $p
		delete $p
	done
	rm -rf /run/rucy-devguard/cache # that of this namespace
	timed fresh hook made.rb
	timed cached hook made.rb
	timed object hook object.o
done

row() # row NAME TIMES: the least, also by that of the runtime alone
{
	awk -v name="$1" -v us="$(sort -n "$T/times.$2" | head -n 1)" -v of="$(sort -n "$T/times.create.bare" | head -n 1)" \
		'BEGIN { printf "%-36s %8.1f %10.2f\n", name, us / 1000, us / of }'
}
printf '%-36s %8s %10s\n' "a container's start (crun create)" "ms" "/ without"
row "without the hook" create.bare
row "with the hook, .rb in the cache" create.made.rb
row "with the hook, .o" create.object.o
row "the hook alone, .rb compiled" fresh
row "the hook alone, .rb in the cache" cached
row "the hook alone, .o" object
