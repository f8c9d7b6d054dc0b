#!/bin/bash
# coverage.sh - `test --coverage` and `test --complete`: what cases cover of a policy, those that are
# missing; bad input. That no mutant lives is for unit/test_coverage.c to show.
. "$(dirname "$0")/lib.sh"
cd "$T" || exit 1

# ---- the shipped policies: nothing is missing -------------------------------------------------------

for policy in "$ROOT"/policies/*.rb; do
	[ "${policy##*/}" != claims.rb ] || continue # no policy
	name=$(basename "$policy" .rb)
	expect "$name: its cases cover every decision" 0 "(100 %)" "$DEVGUARD" test --coverage "$policy"
	expect "$name: nothing is not decided" 0 '"not_decided": 0' "$DEVGUARD" test --coverage --json "$policy"
	"$DEVGUARD" test --complete "$policy" >missing 2>&1
	check "$name: --complete has nothing to add" test ! -s missing
	"$DEVGUARD" test --complete --cases /dev/null "$policy" -o new.cases
	expect "$name: anew, the cases cover as much" 0 "(100 %)" "$DEVGUARD" test --coverage "$policy" --cases new.cases
	covered=$("$DEVGUARD" test --coverage "$policy" --cases new.cases | grep -o '[0-9]* of')
	cases=$(grep -cE '^(allow|deny)' new.cases)
	for line in 1 $(((cases + 1) / 2)) "$cases"; do
		awk -v gone="$line" '!/^(allow|deny)/ || ++n != gone' new.cases >fewer.cases
		[ "$cases" -gt 1 ] || break
		less=$("$DEVGUARD" test --coverage "$policy" --cases fewer.cases | grep -o '[0-9]* of')
		check "$name: case $line of $cases cannot be left out" test "${less% of}" -lt "${covered% of}"
	done
done

# ---- what is told -------------------------------------------------------------------------------------

cat >card.rb <<'END'
default :deny
allow "c 195:0-3 rw", label: "the cards"
allow("c 226:128 r") { |ctx| ctx.uid == 1000 }
allow("c 10:* w") { |ctx| ctx.minor == ctx.uid }
END
printf 'deny c 195:4 rw\nallow c 195:0 rw\ndeny c 226:128 r uid=999\n' >card.cases
report=$("$DEVGUARD" test --coverage card.rb)
has() # has NAME LINE
{
	if grep -qxF -- "$2" <<<"$report"; then pass "$1"; else fail "$1" "$report"; fi
}
check "the summary of the test, then of the coverage" grep -qE '^covered: [0-9]+ of [0-9]+ decisions \([0-9]+ %\)$' <(sed -n 2p <<<"$report")
has "a rule by its place and text" 'card.rb:2: allow "c 195:0-3 rw", label: "the cards"'
has "one side of a boundary" "  c 195:0-3 rw: no case at minor 3, only at 4: allow c 195:3 rw"
has "both sides" "  c 195:0-3 rw: no case at major 196: deny c 196:0 rw"
has "a letter that is not there" "  c 195:0-3 rw: no case for m, which is not in it: deny c 195:0 m"
has "a type" "  c 195:0-3 rw: no case at type b: deny b 195:0 rw"
has "a rule that no case needs" "  no case would notice that this rule is gone: allow c 226:128 r uid=1000"
has "a fact" "  no case at uid 1001: deny c 226:128 r uid=1001"
has "two inputs, when they differ" "  no case in which minor == uid is false: deny c 10:0 w uid=1000"
expect "the first line of the report says how much" 0 "covered: 1 of 1 decision (100 %)" \
	"$DEVGUARD" test --coverage "$ROOT/policies/deny-all.rb"
expect "a decision is told only where it makes a difference" 0 "covered: 2 of 2 decisions (100 %)" \
	"$DEVGUARD" test --coverage --cases <(printf 'deny c 9:9 r\ndeny c 1:3 r\n') <(printf 'deny "c 1:3"\ndeny "c 1:3"\n')
expect "with another parameter, other boundaries" 0 "no case at minor 8: deny c 195:8 rw" \
	"$DEVGUARD" test --coverage --param gpu=7 --cases <(echo 'allow c 195:7 rw') "$ROOT/policies/gpu.rb"
expect "the first number of all is a boundary too" 0 "no case at minor 0: allow c 4:0 r" \
	"$DEVGUARD" test --coverage --cases <(printf 'allow c 4:1 r\n') <(printf 'allow "c 4:0-63 r"\n')
python3 - "$DEVGUARD" <<'END' && pass "JSON: the same counts, rules and what is missing" || fail "JSON" "$("$DEVGUARD" test --coverage --json card.rb)"
import json, subprocess, sys
o = json.loads(subprocess.run([sys.argv[1], 'test', '--coverage', '--json', 'card.rb'], capture_output=True, text=True).stdout)
c = o['policies'][0]['coverage']
text = subprocess.run([sys.argv[1], 'test', '--coverage', 'card.rb'], capture_output=True, text=True).stdout
assert f"covered: {c['covered']} of {c['decisions']} decisions" in text
assert sum(r['decisions'] for r in c['rules']) == c['decisions'] and sum(r['covered'] for r in c['rules']) == c['covered']
assert [r['line'] for r in c['rules']] == [1, 2, 3, 4]
assert len(c['missing']) == c['decisions'] - c['covered']
for gap in c['missing']:
    assert gap['decided'] and f"  {gap['text']}: {gap['case']}\n" in text and gap['line'] > 0, gap
assert {gap['kind'] for gap in c['missing']} >= {'rule', 'boundary', 'letter', 'condition'}
END

# ---- what is written ------------------------------------------------------------------------------------

cp card.cases before.cases
check "-o: the file of the cases itself" "$DEVGUARD" test --complete card.rb -o card.cases
check "what was there stays as it was" cmp before.cases <(head -n 3 card.cases)
expect "and all is covered" 0 "(100 %)" "$DEVGUARD" test --coverage card.rb
cp card.cases full.cases
check "nothing more to add" "$DEVGUARD" test --complete card.rb -o card.cases
check "so the file stays as it is" cmp card.cases full.cases
check "reading and making a node are never asked together" test -z "$(grep -E '^(allow|deny) [^#]* (r?w?m[rw]|[rw]+m)' card.cases)"
rm card.cases
"$DEVGUARD" test --complete card.rb >card.cases
check "without a file of cases, all of them" "$DEVGUARD" test card.rb
check "a case says what it is for" grep -qE '^deny c 196:[0-9]+ rw +# c 195:0-3 rw: major 196, not 195$' card.cases
check "and its rule stands above" grep -qxF '# line 2: allow "c 195:0-3 rw", label: "the cards"' card.cases
cp card.cases all.cases
printf '# none yet\n\n' >card.cases
"$DEVGUARD" test --complete card.rb >added
check "a file without cases is none" cmp <(grep -E '^(allow|deny)' all.cases) <(grep -E '^(allow|deny)' added)
"$DEVGUARD" test --complete card.rb >>card.cases
expect "appended by the shell" 0 "(100 %)" "$DEVGUARD" test --coverage card.rb
printf 'deny c 195:4 rw' >card.cases
check "the last line without its end" "$DEVGUARD" test --complete card.rb -o card.cases
expect "is a line all the same" 0 "(100 %)" "$DEVGUARD" test --coverage card.rb
"$DEVGUARD" compile card.rb -o card.o
"$DEVGUARD" test --complete --cases /dev/null card.o >object.cases
check "of an object, the same cases" cmp <(grep -E '^(allow|deny)' all.cases) <(grep -E '^(allow|deny)' object.cases)
"$DEVGUARD" test --complete - <card.rb >stdin.cases
check "of a policy from stdin" cmp <(grep -E '^(allow|deny)' all.cases) <(grep -E '^(allow|deny)' stdin.cases)
printf 'allow("c 1:3 rw") { |c| c.comm == "qemu" || c.comm.start_with?("virt-manager-x") }\n' >comm.rb
"$DEVGUARD" test --complete comm.rb >comm.cases
expect "names" 0 "(100 %)" "$DEVGUARD" test --coverage comm.rb
check "and facts are told" grep -q '^allow c 1:3 rw comm=qemu ' comm.cases
# Ruby asks for a fact before it finds that it makes no difference
printf 'default :allow\nallow("c 1:0-5 r") { |c| (c.comm != "" && c.uid == 3) || c.minor > 2 }\n' >asks.rb
"$DEVGUARD" test --complete asks.rb >asks.cases
expect "facts that a block asks for are told" 0 "0 failed" "$DEVGUARD" test asks.rb

# names that need quotes, or escapes, and the empty one: a rule for them is not without a case
for name in '' 'a b' 'a#b' '\\' "'" 'say \"x\"' "'\\\"" '\x01\n' 'a\tb' '\x7f' '=' "\$'a"; do
	printf 'allow(:fuse) { |c| c.comm == "%s" }\n' "$name" >named.rb
	"$DEVGUARD" test --complete named.rb >named.cases
	check "the name \"$name\": two cases allow it" test "$(grep -c '^allow c 10:229 m\?\(rw\)\? comm=' named.cases)" -eq 2
	expect "the name \"$name\": they hold, and cover" 0 "(100 %)" "$DEVGUARD" test --coverage named.rb
done
printf 'allow(:fuse) { |c| c.comm != "" }\n' >named.rb
expect "the empty name is missing" 0 'comm == 0 is true' "$DEVGUARD" test --complete --cases /dev/null named.rb
printf 'allow("c 1:3 rw") { |c| c.requested == 6 }\n' >together.rb
"$DEVGUARD" test --complete together.rb >together.cases
expect "what is asked together" 0 "(100 %)" "$DEVGUARD" test --coverage together.rb
printf 'allow("c 1:3 r") { |c| (c.uid ^ c.gid) * 3 %% 1000003 == 77777 }\n' >hard.rb
"$DEVGUARD" test --complete hard.rb >hard.cases
check "what has no case is told in the file" grep -qxF '# 9 decisions without a case, because no such request was found: --coverage tells them.' hard.cases
expect "and by --coverage" 0 "covered: 2 of 11 decisions (18 %), 9 not decided" "$DEVGUARD" test --coverage hard.rb
expect "each of them" 0 "  no case at minor 2: not decided, no such request was found" "$DEVGUARD" test --coverage hard.rb
printf 'default :allow\ndeny { |c| 100 / c.minor > 24 }\n' >raises.rb
"$DEVGUARD" test --complete raises.rb >raises.cases
expect "blocks that may raise" 0 "(100 %)" "$DEVGUARD" test --coverage raises.rb

# ---- the command line, and bad input --------------------------------------------------------------------

printf 'allow c 195:9 rw\nallow c 195:0 rw\n' >wrong.cases
expect "coverage does not hide a case that fails" 2 "covered: " "$DEVGUARD" test --coverage card.rb --cases wrong.cases
expect "nothing is added to cases that fail" 2 "expected allow, got deny" "$DEVGUARD" test --complete card.rb --cases wrong.cases -o none
check "and no file is made" test ! -e none
expect "low coverage is no failure" 0 "covered: 1 of " "$DEVGUARD" test --coverage card.rb --cases <(echo 'deny c 9:9 m')
expect "no cases" 1 "No such file" "$DEVGUARD" test --coverage comm.rb --cases absent.cases
expect "--complete, and --cases names no file" 1 "No such file" "$DEVGUARD" test --complete comm.rb --cases absent.cases
expect "empty cases" 1 "no cases" "$DEVGUARD" test --coverage comm.rb --cases /dev/null
head -c 4096 /dev/urandom >binary.cases
expect "binary cases" 1 "error" "$DEVGUARD" test --complete comm.rb --cases binary.cases -o none
head -c 10000000 /dev/zero | tr '\0' 'x' >long.cases
expect "a line of 10 MB" 1 "error" "$DEVGUARD" test --complete comm.rb --cases long.cases -o none
yes '# nothing' | head -c 10000000 >comments.cases
expect "10 MB of comments" 0 "allow c 1:3 rw comm=qemu" "$DEVGUARD" test --complete comm.rb --cases comments.cases
check "no file was made of any" test ! -e none
expect "a policy that is refused" 3 "unknown device" "$DEVGUARD" test --complete <(echo 'allow :nul')
expect "a full disk" 1 "cannot write /dev/full" "$DEVGUARD" test --complete comm.rb --cases /dev/null -o /dev/full
expect "stdout on a full disk" 1 "cannot write" sh -c "'$DEVGUARD' test --complete comm.rb --cases /dev/null >/dev/full"
expect "no such directory" 1 "cannot write absent/x" "$DEVGUARD" test --complete comm.rb -o absent/x
printf 'kept\n' >limited
expect "a limit of file sizes" 1 "cannot write" sh -c "ulimit -f 0; '$DEVGUARD' test --complete comm.rb --cases /dev/null -o limited"
check "leaves the file as it was" cmp limited <(echo kept)
expect "--json" 64 "leave --json out" "$DEVGUARD" test --complete --json comm.rb
expect "both" 64 "leave --coverage out" "$DEVGUARD" test --complete --coverage comm.rb
expect "two policies" 64 "the cases of one source" "$DEVGUARD" test --complete comm.rb card.rb
expect "-o alone" 64 "-o is for --complete" "$DEVGUARD" test comm.rb -o none
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	mkdir -m 755 others; cp comm.rb comm.cases others; chmod 755 "$T"; chmod 600 others/comm.cases
	expect "cases that may not be read" 1 "Permission denied" setpriv --reuid 65534 --clear-groups "$DEVGUARD" test --complete others/comm.rb
	expect "a directory that may not be written" 1 "cannot write others/new: Permission denied" \
		setpriv --reuid 65534 --clear-groups "$DEVGUARD" test --complete others/comm.rb --cases /dev/null -o others/new
fi
for n in 4000 30000; do
	awk -v n=$n 'BEGIN { for (i = 0; i < n; i++) printf "allow \"c %d:%d rw\"\n", 1 + i % 97, 3 * int(i / 97) }' >many.rb
	expect "$n rules: too many, and where" 1 "many.rb:[0-9]*: error: there is too much to cover up to this rule" \
		sh -c "'$DEVGUARD' test --complete --limit time=200s,cpu=100s,memory=2g many.rb 2>&1 | sed 's/many.rb:[0-9]*/many.rb:[0-9]*/'; exit 1"
done
head -n 300 many.rb >some.rb
"$DEVGUARD" test --complete some.rb -o some.cases
expect "300 rules" 0 "covered: 2500 of 2500" sh -c "'$DEVGUARD' test --coverage some.rb | sed 's/[0-9]* of \([0-9]*\) decisions (100 %)/2500 of 2500/'"

summary
