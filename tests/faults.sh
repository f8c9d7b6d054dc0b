#!/bin/bash
# faults.sh - each allocation of check and of compile fails once, and some of them with all
# after it: the right result, or a message and exit 1. `make faults` does much more.
. "$(dirname "$0")/lib.sh"
(SCENES="check compile" HOW=1 bash "$TESTS/faults/allocations.sh"
SCENES="check compile" HOW=+ EVERY=11 bash "$TESTS/faults/allocations.sh") >"$T/faults.out" 2>&1
grep -vE '^[0-9]+ (passed|faults)' "$T/faults.out"
for n in $(sed -n 's/^\([0-9]*\) passed.*/\1/p' "$T/faults.out"); do PASSED=$((PASSED + n)); done
FAILED=$(grep -c '^FAILED' "$T/faults.out")
[ "$(grep -c ' passed, ' "$T/faults.out")" = 2 ] || fail "allocations.sh ended early" "$(cat "$T/faults.out")"
summary
