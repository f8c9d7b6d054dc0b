#!/bin/bash
# errors.sh - bad policies and exactly what is said of them: NAME.rb, NAME.err.
# `tests/errors.sh --update` rewrites the .err files: review the diff.
. "$(dirname "$0")/lib.sh"

cd "$TESTS/errors" || exit 1
for policy in *.rb; do
	name=${policy%.rb}
	"$DEVGUARD" check "$policy" >"$T/out" 2>"$T/got"
	status=$?
	[ "${1-}" != --update ] || cp "$T/got" "$name.err"
	[ $status = 3 ] && pass "error $name is refused" || fail "error $name is refused" "status $status"
	same "error $name" "$name.err" "$T/got"
done
summary
