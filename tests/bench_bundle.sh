#!/bin/bash
# bench_bundle.sh - what a bundle takes from its start to its end, beside the tool with the same object: applied to a
# cgroup, explained, and nothing but --version. Whole processes. Run by bench. Nothing is asserted.
. "$(dirname "$0")/lib.sh"
. "$TESTS/bench.sh"

ROUNDS=${ROUNDS:-100}
$CC -D_GNU_SOURCE -O2 -o "$T/spent" "$TESTS/spent.c" && cp "$TESTS/bench.d/twenty.rb" "$T" && cd "$T" || exit 1
"$DEVGUARD" compile twenty.rb -o twenty.o && "$DEVGUARD" bundle twenty.rb -o guard >/dev/null || exit 1
no_kernel=$(need_kernel)
[ -n "$no_kernel" ] || scratch bundle

measure() # "ms KiB" of a whole process
{
	case $1 in
	tool-apply) "$T/spent" "$DEVGUARD" apply twenty.o "$CG" ;;
	guard-apply) "$T/spent" ./guard apply "$CG" ;;
	tool-explain) "$T/spent" "$DEVGUARD" explain twenty.o ;;
	guard-explain) "$T/spent" ./guard explain ;;
	tool-version) "$T/spent" "$DEVGUARD" --version ;;
	guard-version) "$T/spent" ./guard --version ;;
	esac 2>&1 >"$T/out" && tail -n 1 "$T/out"
}
verbs="$([ -n "$no_kernel" ] || echo apply) explain version"
rounds "$ROUNDS" $(for verb in $verbs; do echo "tool-$verb guard-$verb"; done)

printf '%-36s %24s %24s %24s\n' "a policy of 20 lines" "rucy-devguard, ms" "guard, ms" "guard / rucy-devguard"
for verb in $verbs; do
	printf '%-36s %24s %24s %24s\n' "$verb" "$(spread "tool-$verb")" "$(spread "guard-$verb")" "$(ratio "guard-$verb" "tool-$verb")"
done
[ -z "$no_kernel" ] || echo "apply: skipped: $no_kernel"
echo "$ROUNDS rounds; the bundle has $(stat -c %s guard) bytes"
