#!/bin/bash
# audit.sh - what a policy reports: records, counts, permissive mode, and that every
# denial is in exactly one of them.
. "$(dirname "$0")/lib.sh"

reason=$(need_kernel)
command -v jq >/dev/null || reason="${reason:-jq is not installed}"
[ -z "$reason" ] || { skip "audit" "$reason"; summary; exit; }
build_opener

KMSG=$T/kmsg; mknod -m 666 "$KMSG" c 1 11
NULL=$T/null; mknod -m 666 "$NULL" c 1 3
[ "$("$OPENER" open r "$NULL")" = ok ] ||
	{ skip "audit" "$T is mounted nodev: set TMPDIR"; summary; exit; }

cat >"$T/guard.rb" <<'RUBY'
policy "guard"
default :deny
deny "c 1:11 rw", label: "no kernel log"
allow "c 1:3 rw"
RUBY
apply() { "$DEVGUARD" apply "$T/guard.rb" "$CG" "$@"; }
denials() # denials N: so many denied opens by one process
{
	inside "$CG" "$OPENER" loop "$1" "$NULL" "$KMSG" </dev/null >/dev/null
}
reader() # reader NAME ARGUMENTS...: in the background; pid in READER
{
	local name=$1; shift
	"$DEVGUARD" audit "$@" >"$T/$name.out" 2>"$T/$name.err" & READER=$!
	BACKGROUND+=("$READER")
}
until_true() # until_true COMMAND...: for at most 10 s
{
	local i
	for ((i = 0; i < 200; i++)); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done
	return 1
}
has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; } # has_lines FILE N
counted() { jq -s 'map(.count) | add // 0' "$1"; } # counted FILE: what its records stand for
reading() # has the reader opened the ring buffer, and so claimed it?
{
	ls -l "/proc/$READER/fd" 2>/dev/null | grep -q eventpoll
}
audit() { timeout 20 "$DEVGUARD" audit "$@"; } # in the foreground, never for ever
equal() # equal NAME WANT GOT
{
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "$3, expected $2"; fi
}
total() { "$DEVGUARD" stats "$CG" --json | jq "[.policies[].totals | $1] | add"; }
tallied() { "$DEVGUARD" stats "$CG" --json | jq '[.policies[].tallies[].count] | add // 0'; }

# ---- a device that sysfs does not know, told by its node -------------------------------------

scratch node
NODE=/dev/devguard-test.$$
if mknod -m 666 "$NODE" c 4001 7; then
	check "apply with audit, for a node" apply --audit denied
	inside "$CG" "$OPENER" open r "$NODE" >/dev/null
	expect "stats tells a device by its node" 0 "$NODE (c 4001:7)" "$DEVGUARD" stats "$CG"
	expect "audit tells a device by its node" 0 "$NODE (c 4001:7)" audit "$CG" --count 1
	rm -f "$NODE"
	check "detach, for a node" "$DEVGUARD" detach "$CG"
else skip "a device is told by its node" "no node can be made in /dev"; fi

# ---- one denial, as people and as programs read it ---------------------------------------

scratch record
expect "audit: nothing is attached" 1 "apply POLICY $CG --audit denied" audit "$CG"
check "apply without audit" apply
expect "audit: the policy reports nothing" 1 "apply it again: rucy-devguard apply POLICY $CG --audit denied" audit "$CG"
expect "stats: the policy reports nothing" 1 "reports nothing" "$DEVGUARD" stats "$CG"
expect "audit: no such policy" 1 "'guard' is attached there" audit "$CG" other
expect "apply --audit denied says so" 0 "audit denied" apply --audit denied
reader text "$CG" --count 1
until_true reading
denials 1
if timeout 5 tail --pid="$READER" -f /dev/null && wait "$READER"; then pass "--count ends the reader"
else fail "--count ends the reader" "$(cat "$T/text.err")"; fi
line=$(cat "$T/text.out")
for part in "$(basename "$CG")" "opener[" "uid 0" deny read "(c 1:11)" "guard.rb:3 no kernel log"; do
	if [[ $line == *"$part"* ]]; then pass "the line has: $part"; else fail "the line has: $part" "$line"; fi
done
denials 1
check "a record that waited is read, no other is needed" audit "$CG" --json --count 1 -o "$T/record.json"
check "the record as JSON" jq -e --arg cg "/$(basename "$CG")" '.schema == "rucy-devguard/1" and
	.policy == "guard" and .generation == 2 and .cgroup == $cg and .cgroup_id > 0 and
	.uid == 0 and .gid == 0 and .type == "c" and .major == 1 and .minor == 11 and
	.requested == "r" and .access == "r" and .verdict == "deny" and .permissive == false and
	.error == false and .count == 1 and .rule == 1 and .label == "no kernel log" and
	.file == "guard.rb" and .line == 3 and .tally == 2 and has("device") and
	(.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{9}Z$"))' "$T/record.json"
if kernel_before 6.1; then check "no pid and comm on this kernel" jq -e '.pid == null' "$T/record.json"
else check "pid and comm" jq -e '.pid > 1 and .tid > 1 and .comm == "opener"' "$T/record.json"; fi

# ---- one reader, and how it ends ------------------------------------------------------------

reader first "$CG" --json
until_true reading
denials 1
check "a denial shows up while the reader waits for more" until_true has_lines "$T/first.out" 1
expect "a second reader is told who reads" 1 "$READER" audit "$CG"
expect "and as JSON" 1 '"exit": 1' audit "$CG" --json
denials 3
until_true has_lines "$T/first.out" 4
kill -KILL "$READER"; wait "$READER" 2>/dev/null
asks=$(inside "$CG" "$OPENER" open r "$KMSG")
equal "after SIGKILL of the reader it is denied as before" EPERM "$asks"
expect "and the next reader reads" 0 "opener" audit "$CG" --count 1 --timeout 5

reader sigint "$CG"
until_true reading
denials 2
until_true has_lines "$T/sigint.out" 2
kill -INT "$READER"; wait "$READER"
equal "SIGINT: status 0" 0 $?
check "with a summary" grep -q "'guard': 2 records, 0 folded, 0 lost" "$T/sigint.err"

reader rotate "$CG" -o "$T/log" --json
until_true reading
denials 1
until_true test -s "$T/log"
mv "$T/log" "$T/log.1"
kill -HUP "$READER"
until_true test -e "$T/log"
denials 1
until_true test -s "$T/log"
kill -TERM "$READER"; wait "$READER"
equal "SIGTERM: status 0" 0 $?
equal "-o is opened again at SIGHUP" "1 1" "$(wc -l <"$T/log.1") $(wc -l <"$T/log")"
expect "--timeout ends it" 0 "0 records" audit "$CG" --timeout 0.2
expect "-o in no directory" 1 "cannot open" audit "$CG" -o "$T/nowhere/log"

# ---- replaced, detached -----------------------------------------------------------------------

replaced_while_reading()
{
	local i
	reader replace "$CG" --json
	until_true reading || return
	for ((i = 0; i < 20; i++)); do
		apply --audit denied >/dev/null && denials 5 || return
	done
	until_true has_lines "$T/replace.out" 100
	kill -INT "$READER"; wait "$READER" || { cat "$T/replace.err"; return 1; }
	echo "$(wc -l <"$T/replace.out") records, generations: $(jq .generation "$T/replace.out" | sort -nu | wc -l)"
	[ "$(wc -l <"$T/replace.out")" = 100 ] && [ "$(jq .generation "$T/replace.out" | sort -nu | wc -l)" = 20 ]
}
check "20 replacements while reading: every record, with its generation" replaced_while_reading
check "silently" sh -c '! grep -q replaced "$1"' - "$T/replace.err"

reader detached "$CG"
until_true reading
denials 2
"$DEVGUARD" detach "$CG" >/dev/null
wait "$READER"
equal "detached while reading: status 4" 4 $?
check "with a message" grep -q "'guard' was detached" "$T/detached.err"
equal "after its last records" 2 "$(wc -l <"$T/detached.out")"

apply --audit denied >/dev/null
reader silent "$CG"
until_true reading
expect "a replacement that reports nothing says so" 0 "its audit and its counts end" apply
wait "$READER"
equal "replaced by one that reports nothing: status 4" 4 $?
check "with its own message" grep -q "was replaced by one that reports nothing" "$T/silent.err"

scratch removed
apply --audit denied >/dev/null
reader removed "$CG"
until_true reading
rmdir "$CG"
wait "$READER"
equal "the cgroup was removed while reading: status 4" 4 $?

# ---- exact sums ---------------------------------------------------------------------------------

sums() # sums NAME WANT: what the kernel counted is all there
{
	equal "$1: denied" "$2" "$(total .denied)"
	equal "$1: submitted + folded + dropped" "$2" "$(total '.submitted + .folded + .dropped')"
	equal "$1: tallies" "$2" "$(tallied)"
}
two_processes() # two_processes N: N denials by each of two
{
	local a b
	denials "$1" & a=$!
	denials "$1" & b=$!
	wait $a && wait $b
}
scratch sums
apply --audit denied >/dev/null
check "two processes, nobody reads" two_processes 20000
sums "nobody reads" 40000
"$DEVGUARD" stats "$CG" --clear >/dev/null
"$DEVGUARD" audit "$CG" --timeout 0 >/dev/null 2>&1
equal "--clear forgets" "0 0" "$(total .denied) $(tallied)"
reader sums "$CG" --json
until_true reading
check "two processes, one reader" two_processes 20000
until_true has_lines "$T/sums.out" "$(total .submitted)"
kill -INT "$READER"; wait "$READER"
sums "one reader" 40000
equal "every record submitted was read" "$(total .submitted)" "$(wc -l <"$T/sums.out")"
"$DEVGUARD" stats "$CG" --clear >/dev/null
# What was folded comes with the first record after that time: one more denial until all are there.
brought() { denials 1; MORE=$((MORE + 1)); [ "$(counted "$1")" = "$(total .denied)" ]; }
reader fold "$CG" --json --fold 0.3
until_true reading
denials 5000
MORE=0; until_true brought "$T/fold.out"
kill -INT "$READER"; wait "$READER"
sums "--fold" $((5000 + MORE))
equal "the counts of folded records add up" $((5000 + MORE)) "$(counted "$T/fold.out")"
"$DEVGUARD" stats "$CG" --clear >/dev/null
reader race "$CG" --json --fold 0.0001
until_true reading
check "two processes, folded" two_processes 50000
MORE=0; until_true brought "$T/race.out"
equal "folded records of two processes add up" $((100000 + MORE)) "$(counted "$T/race.out")"
"$DEVGUARD" stats "$CG" --clear >/dev/null
denials 1
cleared() { [ "$(counted "$T/race.out")" -gt $((100000 + MORE)) ]; }
until_true cleared
kill -INT "$READER"; wait "$READER"
equal "and after --clear they start again" $((100001 + MORE)) "$(counted "$T/race.out")"
[ "$(wc -l <"$T/fold.out")" -lt 1000 ] && pass "and they are few" || fail "and they are few" "$(wc -l <"$T/fold.out")"

# ---- maps of another size --------------------------------------------------------------------------

cat >"$T/rules.rb" <<'RUBY'
policy "guard"
default :deny
deny "c 1:11 rw", label: "no kernel log"
allow "c 1:3 rw"
30.times { |i| deny "c #{300 + i}:* rw", label: "rule #{i}" }
RUBY
ring() # ring [PROGRAM]: the bytes of its own ring buffer
{
	bpftool -j map show | jq --argjson ids "$(bpftool -j prog show id "${1:-$("$DEVGUARD" status "$CG" --json | jq '.cgroups[0].programs[0].program')}" | jq .map_ids)" \
		'[.[] | select(.name == "devguard_events" and (.id as $i | $ids | index($i)))] | sort_by(.id) | last | .max_entries'
}
scratch resized
expect "--ring: no size" 64 "--ring x: not a size" apply --audit denied --ring x
expect "--ring: no power of two" 64 "not a power of two" apply --audit denied --ring 5K
check "--ring 64K" apply --audit denied --ring 64K
equal "the ring buffer has that size" 65536 "$(ring)"
reader resized "$CG" --json
until_true reading
# A ring of another size, with room for all, however late the reader is; larger tables; all as it is.
resizes()
{
	denials 50 && apply --audit denied --ring 32K && denials 60 &&
		"$DEVGUARD" apply "$T/rules.rb" "$CG" --audit denied && denials 70 && apply --audit denied && denials 80 &&
		apply --audit denied --ring 1M && denials 90
}
check "applies that need other sizes, under a reader" resizes
equal "the last ring buffer" 1048576 "$(ring)"
until_true has_lines "$T/resized.out" 350
kill -INT "$READER"; wait "$READER"
equal "SIGINT ends that reader too: status 0" 0 $?
equal "it read every record" 350 "$(wc -l <"$T/resized.out")"
equal "of every generation" "50 60 70 80 90" "$(jq -s 'group_by(.generation) | map(length) | .[]' "$T/resized.out" | tr '\n' ' ' | sed 's/ $//')"
check "with its rule's name" jq -es 'all(.label == "no kernel log" and .line > 0)' "$T/resized.out"
check "silently" sh -c '! grep -q "replaced\|detached\|lost: " "$1"' - "$T/resized.err"
sums "maps of another size" 350
denials 5
apply --audit denied --ring 16K >/dev/null
denials 6
audit "$CG" --json --timeout 0.3 >"$T/later.json" 2>/dev/null
equal "a reader that comes later has those of the ring before too" 11 "$(wc -l <"$T/later.json")"

# ---- permissive --------------------------------------------------------------------------------

scratch permissive
expect "apply --mode permissive" 0 "permissive: nothing is denied by it; audit denied" apply --mode permissive
equal "the access succeeds" ok "$(inside "$CG" "$OPENER" open r "$NULL")"
got=$(inside "$CG" "$OPENER" open r "$KMSG")
[ "$got" != EPERM ] && pass "also one the rules deny" || fail "also one the rules deny" "$got"
check "the record says permitted" sh -c '"$1" audit "$2" --json --count 1 --timeout 5 2>/dev/null |
	jq -e ".verdict == \"permitted\" and .permissive"' - "$DEVGUARD" "$CG"
expect "status warns" 0 "warning: 'guard' is permissive: nothing is denied by it" "$DEVGUARD" status "$CG"
check "status as JSON" sh -c '"$1" status "$2" --json | jq -e ".cgroups[0].programs[0] |
	.mode == \"permissive\" and .audit == \"denied\" and .generation == 1"' - "$DEVGUARD" "$CG"
expect "permissive without audit: a warning" 0 "nothing is reported" apply --mode permissive --audit none
check "enforce again" apply --mode enforce
equal "it is denied again" EPERM "$(inside "$CG" "$OPENER" open r "$KMSG")"
"$DEVGUARD" compile "$T/guard.rb" -o "$T/guard.o" >/dev/null 2>&1
check "an object takes --mode and --audit" "$DEVGUARD" apply "$T/guard.o" "$CG" --mode permissive --audit all
inside "$CG" "$OPENER" open r "$NULL" >/dev/null
check "audit all: what is allowed is reported" sh -c '"$1" audit "$2" --json --count 1 --timeout 5 2>/dev/null |
	jq -e ".verdict == \"allow\" and .minor == 3"' - "$DEVGUARD" "$CG"

# ---- what the policy reads of the task -------------------------------------------------------------

scratch task
cat >"$T/task.rb" <<'RUBY'
policy "task"
default :allow
audit :denied
deny("c 1:11") { |ctx| ctx.euid == 0 && ctx.exe != "/usr/bin/no-such" && ctx.capable?(:sys_rawio) }
deny("c 1:3") { |ctx| ctx.in_group?(44) && !ctx.in_group?(45) && ctx.under?("/devguard-no-such") == false && ctx.fsuid < 5 }
never("c 77:7") { |ctx| ctx.in_group?(9) && ctx.major == 78 }
RUBY
"$DEVGUARD" apply "$T/task.rb" "$CG" >/dev/null 2>"$T/task.err" || fail "apply a policy that reads the task" "$(cat "$T/task.err")"
task() # as three callers, who are denied
{
	inside "$CG" "$OPENER" open r "$KMSG" >/dev/null
	inside "$CG" setpriv --groups 44,3 "$OPENER" open r "$NULL" >/dev/null
	inside "$CG" setpriv --groups 3 --bounding-set -sys_rawio --inh-caps -sys_rawio "$OPENER" open r "$KMSG" >/dev/null # allowed
}
task
audit "$CG" --timeout 0 >"$T/task.out" 2>/dev/null
task
audit "$CG" --json --timeout 0 >"$T/task.json" 2>/dev/null
equal "only what was denied is told" "2 2" "$(wc -l <"$T/task.out") $(wc -l <"$T/task.json")"
check "as words, at the end of the line" grep -qE 'task.rb:4  euid=0 fsuid=0 exe=- groups=-44,-45 caps=sys_rawio cgroup=/'"${CG#"$CG2"/}"'$' "$T/task.out"
check "with the groups that it asks for" grep -qE 'task.rb:5  .*groups=44,-45 caps=sys_rawio cgroup=/'"${CG#"$CG2"/}"'$' "$T/task.out"
check "as JSON" jq -se --arg cgroup "${CG#"$CG2"}" '.[0].facts == {euid: 0, fsuid: 0, exe: null, groups: [], caps: ["sys_rawio"], cgroup: $cgroup} and
	.[1].facts.groups == [44] and ([.[].untold] == [null, null])' "$T/task.json"
while read -r line words; do
	equal "eval says the same of $words" "deny $words	$T/task.rb:$line" "$("$DEVGUARD" eval "$T/task.rb" "$words")"
done < <(jq -r '"\(.line) \(.request)"' "$T/task.json")
expect "so does diff --replay" 0 "2 recorded requests: 0 newly allowed, 0 newly denied" "$DEVGUARD" diff "$T/task.rb" "$T/task.rb" --replay "$T/task.json"
sed 's/"request":"c 1:3 /"request":"c 1:4 /' "$T/task.json" >"$T/forged.json"
expect "a request that is not that of its record" 1 "the request of this record is not that of its other fields" "$DEVGUARD" diff "$T/task.rb" "$T/task.rb" --replay "$T/forged.json"
# The cgroup of a caller that is gone: what is not known of it is left out.
mkdir "$CG/gone"
inside "$CG/gone" setpriv --groups 44,3 "$OPENER" open r "$NULL" >/dev/null
rmdir "$CG/gone"
check "no cgroup is made up for one that is gone" sh -c '"$1" audit "$2" --timeout 0 2>/dev/null | grep -qE "groups=44,-45 caps=(-)?sys_rawio$|groups=44,-45$"' - "$DEVGUARD" "$CG"
"$DEVGUARD" apply "$T/task.rb" "$CG" >/dev/null 2>&1; task
check "the next generation has its own names" sh -c '"$1" audit "$2" --json --timeout 0 2>/dev/null | jq -se "length == 2 and .[1].facts.groups == [44] and .[1].generation == 2"' - "$DEVGUARD" "$CG"
"$DEVGUARD" detach "$CG" >/dev/null
# One that was made anew is not the policy's: its path would say that it is.
mkdir "$CG/anew"
printf 'policy "anew"\naudit :denied\nallow("c 1:3 rw") { |ctx| ctx.under?("%s/anew") }\n' "${CG#"$CG2"}" >"$T/anew.rb"
"$DEVGUARD" apply "$T/anew.rb" "$CG" >/dev/null 2>"$T/anew.err" || fail "apply a policy that names a cgroup" "$(cat "$T/anew.err")"
rmdir "$CG/anew" && mkdir "$CG/anew"
inside "$CG/anew" "$OPENER" open r "$NULL" >/dev/null
audit "$CG" --timeout 0 >"$T/anew.out" 2>/dev/null
inside "$CG/anew" "$OPENER" open r "$NULL" >/dev/null
check "of a cgroup that was made anew nothing is said, and no blank" grep -qE '  default$' "$T/anew.out"
check "as JSON, neither" sh -c '"$1" audit "$2" --timeout 0 --json 2>/dev/null | jq -e ".facts == {}"' - "$DEVGUARD" "$CG"
rmdir "$CG/anew"
"$DEVGUARD" detach "$CG" >/dev/null

# ---- --all -----------------------------------------------------------------------------------------

reader all --all --json
until_true reading
scratch all
apply --audit denied >/dev/null
denials 3
all_read() { [ "$(jq -r --arg cg "/$(basename "$CG")" 'select(.cgroup == $cg and .policy == "guard") | .pid' "$T/all.out" | wc -l)" = 3 ]; }
check "--all reads also what is guarded later" until_true all_read
kill -INT "$READER"; wait "$READER"
equal "--all ends with SIGINT: status 0" 0 $?

# ---- stats ------------------------------------------------------------------------------------------

expect "stats as a table" 0 "guard.rb:3 no kernel log" "$DEVGUARD" stats "$CG"
expect "with bars" 0 "|@@@@" "$DEVGUARD" stats "$CG"
expect "and the totals" 0 "denied 3, allowed 0; records: 3 submitted, 0 folded, 0 dropped" "$DEVGUARD" stats "$CG"
apply --audit denied >/dev/null
denials 2
check "counts go on across apply" sh -c '"$1" stats "$2" --json | jq -e "(.policies[0].totals.denied == 5) and
	(.policies[0].tallies | length == 1 and .[0].count == 5) and .policies[0].generation == 2"' - "$DEVGUARD" "$CG"
"$DEVGUARD" stats "$CG" --prometheus >"$T/metrics"
check "--prometheus counts" grep -q 'rucy_devguard_decisions_total{.*major="1",minor="11".*} 5$' "$T/metrics"
equal "no series twice" "" "$(grep -v '^#' "$T/metrics" | sed 's/ [^ ]*$//' | sort | uniq -d)"
PATH=$PATH:$BUILD # make deps puts promtool there
if command -v promtool >/dev/null; then check "promtool check metrics" sh -c 'promtool check metrics <"$1"' - "$T/metrics"
else skip "promtool check metrics" "promtool (of Debian's prometheus) is not here: make deps"; fi
"$DEVGUARD" stats "$CG" --interval 0.2 --json >"$T/interval" 2>/dev/null & looped=$!
BACKGROUND+=($looped)
until_true has_lines "$T/interval" 2
kill -INT $looped; wait $looped
equal "stats --interval ends with SIGINT: status 0" 0 $?
[ "$(jq -c .policies[0].totals.denied "$T/interval" | sort -u)" = 5 ] && [ "$(wc -l <"$T/interval")" -ge 2 ] &&
	pass "stats --interval repeats" || fail "stats --interval repeats" "$(cat "$T/interval")"
summary
