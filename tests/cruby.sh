#!/bin/bash
# cruby.sh - CRuby beside the tool: the cases of every policy decided by CRuby alone
# (cruby.rb), and a table of expressions that mean the same in both or are refused
# (differences.rb, differences.txt). `tests/cruby.sh --update` rewrites the table's marks.
. "$(dirname "$0")/lib.sh"

RUBY="ruby --disable-gems -E UTF-8"
if ! command -v ruby >/dev/null; then
	skip "CRuby" "ruby is not installed"
	summary
	exit
fi
if ! $RUBY -e 'exit((RUBY_VERSION.split(".").map(&:to_i) <=> [3, 1]) >= 0)'; then
	skip "CRuby" "$(ruby --version) is older than 3.1"
	summary
	exit
fi

# Each "ok NAME" or "not ok NAME: why" is a fact.
count_lines() # count_lines WHAT COMMAND...
{
	local what=$1 line out any=; shift
	out=$("$@" 2>&1)
	while IFS= read -r line; do
		case $line in
		"ok "*) any=1; pass "$what ${line#ok }" ;;
		*) any=1; fail "$what ${line#not ok }" ;;
		esac
	done <<<"$out"
	[ -n "$any" ] || fail "$what" "nothing was said"
}

cd "$ROOT" || exit 1
shopt -s extglob
count_lines "CRuby" $RUBY tests/cruby.rb tests/ruby/*.rb policies/!(claims).rb # that is no policy

# It fails when a verdict differs: each word of the cases turned.
cp tests/ruby/methods.rb "$T/wrong.rb"
sed 's/^allow /turned /; s/^deny /allow /; s/^turned /deny /' tests/ruby/methods.cases >"$T/wrong.cases"
expect "CRuby finds wrong cases" 1 "not ok" $RUBY tests/cruby.rb "$T/wrong.rb"
# ... and when Ruby says something else than mruby.
echo 'x = 1.5 + 0.1' >"$T/table.txt"
expect "a mark that is wrong" 0 "not ok x = 1.5 + 0.1: is marked nil" $RUBY tests/differences.rb "$T/table.txt"

count_lines "differences" $RUBY tests/differences.rb tests/differences.txt ${1:+"$1"}
summary
