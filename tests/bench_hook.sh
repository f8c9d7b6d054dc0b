#!/bin/bash
# bench_hook.sh - what the hook adds to a container's start: run by bench. Nothing is asserted.
. "$(dirname "$0")/containers.sh"
. "$TESTS/bench.sh"

reason=$(need_containers)
[ -n "$reason" ] || [ -n "$CRUN" ] || reason="crun is not installed"
[ -z "$reason" ] || { echo "a container's start with the hook: skipped: $reason"; exit 0; }
ROUNDS=${ROUNDS:-40}

mkdir "$T/policies"
cp "$ROOT/policies/container-default.rb" "$T/policies/made.rb"
"$DEVGUARD" compile "$T/policies/made.rb" -o "$T/policies/object.o" || exit 1
for p in made.rb object.o; do
	bundle "$p" createRuntime true . --policy "$T/policies/$p"
done
bundle bare createRuntime true 'del(.hooks)'

create() { crun create -b "$T/b/$1" "$DGTEST_PREFIX.$1"; }
delete() { crun delete -f "$DGTEST_PREFIX.$1" >/dev/null 2>&1; }
hook() { "$DEVGUARD" oci-hook --policy "$T/policies/$1" <"$T/state"; }

timed() # timed COMMAND...: its wall time, in ms
{
	local start=$EPOCHREALTIME end
	"$@" >"$T/out" 2>&1 || { cat "$T/out" >&2; return 1; }
	end=$EPOCHREALTIME
	awk -v us=$((${end/./} - ${start/./})) 'BEGIN { printf "%.3f\n", us / 1000 }'
}
measure()
{
	case $1 in
	without) timed create bare && delete bare ;;
	with-cached) timed create made.rb && delete made.rb ;;
	with-object) timed create object.o && delete object.o ;;
	fresh) rm -rf /run/rucy-devguard/cache && timed hook made.rb ;; # that of this namespace
	cached) timed hook made.rb ;;
	object) timed hook object.o ;;
	esac
}
live timed
state "$LIVE" >"$T/state"
hook made.rb || exit 1
rounds "$ROUNDS" without with-cached with-object fresh cached object

row() # row TEXT NAME: also by that of the runtime alone
{
	printf '%-36s %24s %24s\n' "$1" "$(spread "$2" 1)" "$(ratio "$2" without)"
}
printf '%-36s %24s %24s\n' "a container's start (crun create)" "ms (quartiles)" "/ without"
row "without the hook" without
row "with the hook, .rb in the cache" with-cached
row "with the hook, .o" with-object
row "the hook alone, .rb compiled" fresh
row "the hook alone, .rb in the cache" cached
row "the hook alone, .o" object
echo "$ROUNDS rounds"
