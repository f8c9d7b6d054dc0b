#!/bin/bash
# hostile.sh - policies that look for a way into the interpreter (hostile/*.rb): each is
# refused with its file and line by every verb, no signal ends the tool, and no text of
# these or of errors/*.rb has an address in it. library.rb calls all there is in mruby.
. "$(dirname "$0")/lib.sh"

ADDRESS='0x[0-9a-f]{6,}'

# refused NAME FILE COMMAND...: exit status 3, a line of the file, no address
refused()
{
	local name=$1 file=$2 out status; shift 2
	out=$("$@" 2>&1 </dev/null); status=$?
	if [ $status != 3 ]; then fail "$name" "status $status: $*
$out"
	elif ! grep -qE "^$file:[0-9]+: error: " <<<"$out"; then fail "$name: no line" "$out"
	elif grep -vE '^    ' <<<"$out" | grep -qE "$ADDRESS"; then fail "$name: an address" "$out"
	else pass "$name"; fi
}

mkdir "$T/hostile" && cp "$TESTS"/hostile/*.rb "$T/hostile" && cd "$T/hostile" || exit 1
for policy in *.rb; do
	name=hostile/${policy%.rb}
	echo 'allow c 1:3 rw' >"${policy%.rb}.cases"
	refused "$name: check" "$policy" "$DEVGUARD" check "$policy"
	refused "$name: eval" "$policy" "$DEVGUARD" eval "$policy" 'c 1:3 rw'
	refused "$name: compile" "$policy" "$DEVGUARD" compile "$policy" -o "$T/out.o"
	refused "$name: test" "$policy" "$DEVGUARD" test "$policy"
done

# Every method of the library: a call may take all the time or memory there is, then the next
# ones go on. mruby leaks the stack of some fibers, so a sanitizer build looks for no leaks here.
class=0
while :; do
	from=0
	while :; do
		out=$(ASAN_OPTIONS=detect_leaks=0 timeout 60 "$BUILD/tests/library" "$TESTS/library.rb" $class $from "${CALLS:-20}" "${SEED:-1}" 2>&1); status=$?
		[ $status = 3 ] || [ $status = 4 ] || break
		from=$(($(tail -n 1 <<<"$out") + 1))
	done
	[ $status != 2 ] || break
	case $status in 125 | 126 | 127) out="it cannot be run: $out"; break ;; esac
	if [ $status != 0 ]; then fail "library: class $class" "status $status
$out"
	elif grep -qE "$ADDRESS" <<<"$out"; then fail "library: class $class: an address" "$out"
	else pass "library: class $class"; fi
	class=$((class + 1))
done
[ $class -gt 40 ] && pass "library: every class" || fail "library: every class" "only $class: $out"

cd "$TESTS/errors" || exit 1
with=$(grep -lE "$ADDRESS" -- *.err)
[ -z "$with" ] && pass "no address in what is said of errors/" || fail "addresses in errors/" "$with"

# What two compilations say of objects is the same: nothing in it comes from where they lie.
printf 'a = Object.new\nraise [a.hash, a, [[]].hash, {a => 1}].inspect\n' >"$T/same.rb"
"$DEVGUARD" check "$T/same.rb" >"$T/1" 2>&1; "$DEVGUARD" check "$T/same.rb" >"$T/2" 2>&1
same "objects are told the same way twice" "$T/1" "$T/2"

# ---- the line a rule is told at: that of its word --------------------------------------

cat >"$T/lines.rb" <<'EOF'
deny "c 1:* r" do |ctx|


  ctx.minor == 3
end

deny do |ctx|

  ctx.minor == 4
end
allow("c 2:3") { |ctx|

  ctx.read?
}
allow "c 3:5" do |ctx| ctx.write? end
if [1].size == 1
  deny "b 8:0",
    "b 8:1",
    label: "x" do |ctx|
    ctx.write?
  end
end
deny(
  access: "r"
) do |ctx|
  ctx.major == 9
end
deny(*[
  "c 4:3"
])
allow([1].size == 1 ? "c 5:3" :
  "c 5:4") do |ctx|
  ctx.uid == 3
end
[6, 7].each do |major|
  allow "c #{major}:3",
    access: "r" do |ctx|

    ctx.uid == 3
  end
end
send :allow,
  "c 10:3"
EOF
"$DEVGUARD" compile --emit=terms "$T/lines.rb" 2>"$T/err" | sed -n 's/^[a-z]* line \([0-9]*\):.*/\1/p' | tr '\n' ' ' >"$T/got"
[ "$(cat "$T/got")" = "1 7 11 15 17 23 28 31 36 36 42 " ] && pass "rules are told at their own lines" ||
	fail "rules are told at their own lines" "$(cat "$T/got" "$T/err")"

# ---- what is no error but may be a mistake -----------------------------------------------

# warned NAME TEXT POLICY: accepted, with that warning
warned()
{
	printf '%b' "$3" >"$T/warned.rb"
	expect "$1" 0 "$2" "$DEVGUARD" check "$T/warned.rb"
}
warned "a method that is never called" "warned.rb:3: warning: no rule was made in \`extra\`" \
	'allow :null\ndef extra\n  deny :zero\nend\n'
warned "a lambda that is never called" "warned.rb:2: warning: no rule was made in this block" \
	'allow :null\nextra = -> { deny :zero }\n'
warned "a block that nothing calls" "warned.rb:4: warning: no rule was made in this block" \
	'allow :null\ndef quiet = nil\nquiet do\n  deny :zero\nend\n'
warned "a fiber that is not resumed" "warned.rb:2: warning: no rule was made in this block" \
	'allow :null\nFiber.new { deny :zero }\n'
warned "an enumerator that is not asked" "warned.rb:2: warning: no rule was made in this block" \
	'allow :null\nEnumerator.new { |y| deny :zero; y << 1 }\n'
printf 'def extra(n) = [n].each { |x| allow "c 1:#{x}" }\nextra 3\n[].each { |x| allow x }\nallow :zero if [].any?\n' >"$T/quiet.rb"
"$DEVGUARD" check "$T/quiet.rb" >"$T/out" 2>&1
grep -q warning "$T/out" && fail "rules by condition and by loop are not warned of" "$(cat "$T/out")" ||
	pass "rules by condition and by loop are not warned of"

# ---- much of everything: a person and the root process get a part of it --------------------------

# long NAME STATUS TEXT MOST-BYTES COMMAND...: what is said has that text, and is no longer
long()
{
	local name=$1 status=$2 text=$3 most=$4 rc; shift 4
	"$@" >"$T/long" 2>&1 </dev/null; rc=$?
	if [ $rc = "$status" ] && grep -qF -- "$text" "$T/long" && [ "$(wc -c <"$T/long")" -le "$most" ]; then pass "$name"
	else fail "$name" "status $rc, $(wc -c <"$T/long") bytes; expected $text: $(tail -c 500 "$T/long")"; fi
}
cd "$T" || exit 1
{ yes 'allow { |c| 1 / (c.uid % 7) > 0 }' | head -n 3000; echo 'allow :null'; } >warnings.rb
long "thousands of warnings" 0 "2500 more messages like these are not shown" 150000 "$DEVGUARD" check warnings.rb
yes 'allow { |c| 1 / (c.uid % 7) > 0 };' | head -n 100 | tr -d '\n' >line.rb
{ printf '#'; head -c 300000 /dev/zero | tr '\0' x; echo; } >>line.rb
# twice: with its policy, and with the whole object
long "a warning quotes the beginning of a long line" 0 '"warning"' 2000000 "$DEVGUARD" check --json line.rb
echo 'allow :null' >failing.rb
yes 'allow c 9:9 rw' | head -n 700 >failing.cases
long "hundreds of cases that fail" 2 "200 more cases failed that are not shown" 100000 "$DEVGUARD" test failing.rb
long "in JSON, all are among the results" 2 '"line": 700' 1000000 "$DEVGUARD" test --json failing.rb
yes 'no case' | head -n 100000 >failing.cases
long "a cases file that is none" 1 "100 errors: the rest of the file is not read" 20000 "$DEVGUARD" test failing.rb

# How a child ended is known, whatever the caller made of SIGCHLD.
echo 'loop { }' >endless.rb
expect "SIGCHLD ignored" 3 "endless.rb:1: error: stopped after" sh -c "trap '' CHLD; exec \"\$0\" \"\$@\"" "$DEVGUARD" check --limit time=0.1s endless.rb
echo 's = "x"; loop { s = s + s }' >endless.rb
expect "SIGCHLD ignored, memory" 3 "endless.rb:1: error: stopped at 32 MiB of memory" sh -c "trap '' CHLD; exec \"\$0\" \"\$@\"" "$DEVGUARD" check --limit memory=32m endless.rb

summary
